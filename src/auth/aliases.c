#include "auth/aliases.h"

#include "auth/address.h"
#include "base/buf.h"
#include "base/map.h"
#include "table/records.h"

#include <stdlib.h>

/* Four times the bytes of the largest file: keys, slices and texts of all entries. */
enum { ARENA_MAX = 4 * ALIASES_BYTES_MAX, ENTRY_MAX = 64 * 1024, SCRATCH_MAX = 4 * ENTRY_MAX };

struct aliases {
    struct arena arena;
    struct map by_key;
    unsigned files;
};

/* What one call of aliases_add works with. */
struct reading {
    struct aliases *table;
    struct slice file;
    unsigned owner;
    aliases_problem_fn *problem;
    void *arg;
    unsigned line;         /* of the entry */
    struct slice *targets; /* room for ALIAS_TARGETS_MAX */
    struct arena scratch;  /* words of the entry */
};

static void ignore_problem(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg;
    (void)file;
    (void)line;
    (void)reason;
}

enum result aliases_new(struct aliases **ret)
{
    struct aliases *t = calloc(1, sizeof *t);
    if (!t)
        return FAILED;
    arena_init(&t->arena, ARENA_MAX);
    map_init(&t->by_key, ALIASES_MAX);
    *ret = t;
    return OK;
}

void aliases_free(struct aliases *t)
{
    if (!t)
        return;
    map_release(&t->by_key);
    arena_release(&t->arena);
    free(t);
}

size_t aliases_count(const struct aliases *t)
{
    return t->by_key.used;
}

const struct alias *aliases_find(const struct aliases *t, struct slice key)
{
    return map_get(&t->by_key, key);
}

void aliases_each(const struct aliases *t, void (*each)(void *arg, const struct alias *a),
                  void *arg)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&t->by_key, &at, &key, &value))
        each(arg, value);
}

static const char *check_key(struct slice key)
{
    if (key.len == 0)
        return "the name is empty";
    if (key.len > ALIAS_KEY_MAX)
        return "the name is too long";
    if (slice_is(key, "@"))
        return "the domain behind @ is missing";
    return NULL;
}

/* The key in comparable form: lower-cased, its domain folded; data NULL when that can't be. */
static struct slice fold_key(struct slice key, struct arena *a)
{
    struct slice domain;
    size_t at = slice_rfind(key, '@');
    if (at == SIZE_MAX)
        return lower_copy(key, a);
    if (domain_fold(slice_from(key, at + 1), a, &domain) != OK)
        return SLICE_NONE;
    char *text = arena_printf(a, "%.*s@%.*s", (int)at, key.data, SLICE_ARG(domain));
    return text ? lower_copy(slice_cstr(text), a) : SLICE_NONE;
}

static const char *keep(struct reading *r, struct slice key, size_t n)
{
    struct arena *a = &r->table->arena;
    struct alias *alias = ARENA_NEW(a, struct alias);
    struct slice *list = arena_alloc_n(a, n, sizeof *list);
    if (!alias || !list)
        return "too large, or out of memory";
    for (size_t i = 0; i < n; i++)
        list[i] = arena_dup(a, r->targets[i]);
    if (arena_failed(a))
        return "too large, or out of memory";
    *alias = (struct alias){fold_key(key, a), {list, n}, r->file, r->line, r->owner};
    if (!alias->key.data)
        return "the part behind @ is no domain name";
    switch (map_put(&r->table->by_key, alias->key, alias)) {
    case OK:
        return NULL;
    case EXISTS:
        return "the name is in an earlier entry already, which counts";
    case LIMIT:
        return "too many aliases";
    default:
        return "out of memory";
    }
}

static const char *parse_entry(struct reading *r, struct slice text)
{
    struct slice key;
    size_t n = 0;
    if (text.len > ENTRY_MAX)
        return "the entry is too long";
    if (slice_find(text, '\0') != SIZE_MAX)
        return "the entry holds a NUL byte";
    const char *wrong = alias_word(&text, ":", &r->scratch, &key);
    text = slice_trim_start(text);
    if (!wrong && (text.len == 0 || text.data[0] != ':'))
        wrong = "no colon behind the name";
    if (!wrong)
        wrong = check_key(key);
    if (wrong)
        return wrong;
    wrong = alias_list_parse(slice_from(text, 1), &r->scratch, r->targets, &n);
    if (!wrong && n == 0)
        wrong = "there is no target";
    return wrong ? wrong : keep(r, key, n);
}

/* Cuts the next logical line off *rest: a line and all that begin with white space (or are comments
 * or empty, which end nothing) behind it. Comments inside are blanked in `out`. */
static struct slice next_logical(struct slice *rest, unsigned *line, unsigned *ret_first,
                                 struct buf *out)
{
    buf_reset(out);
    *ret_first = *line;
    while (rest->len) {
        struct slice before = *rest, physical = slice_split(rest, '\n');
        bool blank = slice_trim(physical).len == 0 || slice_trim(physical).data[0] == '#';
        if (!blank && buf_len(out) && !ascii_blank(physical.data[0])) {
            *rest = before;
            break;
        }
        if (!blank) {
            if (buf_len(out) == 0)
                *ret_first = *line;
            buf_append(out, physical);
            buf_putc(out, '\n');
        }
        (*line)++;
    }
    return buf_slice(out);
}

/* NIS's marks, which postalias writes into each database (postalias(1)). */
static bool is_mark(struct slice key)
{
    return slice_is(key, "@") || slice_starts_nocase(key, SLICE("yp_"));
}

static const char *take_record(struct reading *r, struct slice key, struct slice value)
{
    size_t n = 0;
    const char *wrong = value.len > ENTRY_MAX ? "the entry is too long" : check_key(key);
    if (!wrong && (slice_find(key, '\0') != SIZE_MAX || slice_find(value, '\0') != SIZE_MAX))
        wrong = "the entry holds a NUL byte";
    if (!wrong)
        wrong = alias_list_parse(value, &r->scratch, r->targets, &n);
    if (!wrong && n == 0)
        wrong = "there is no target";
    return wrong ? wrong : keep(r, key, n);
}

/* There is no text: what a child read out of the database (auth/compiled.h). */
static void read_records(struct reading *r, struct slice bytes)
{
    struct cursor c = table_records_of(bytes);
    struct slice key, value;
    struct error why = {""};
    enum result result;
    while ((result = table_records_next(&c, &key, &value, &why)) == OK) {
        const char *wrong = is_mark(key) ? NULL : take_record(r, key, value);
        if (wrong)
            r->problem(r->arg, r->file, 0, wrong);
        arena_clear(&r->scratch);
    }
    if (result != NOT_FOUND)
        r->problem(r->arg, r->file, 0, why.text);
}

static void read_entries(struct reading *r, struct slice bytes)
{
    unsigned line = 1;
    struct buf logical;
    buf_init(&logical, ALIASES_BYTES_MAX + 2);
    while (bytes.len) {
        struct slice text = next_logical(&bytes, &line, &r->line, &logical);
        if (text.len == 0)
            break;
        const char *wrong = buf_ok(&logical) ? parse_entry(r, text) : "out of memory";
        if (wrong)
            r->problem(r->arg, r->file, r->line, wrong);
        arena_clear(&r->scratch);
    }
    buf_release(&logical);
}

enum result aliases_add(struct aliases *t, struct slice file, unsigned owner, struct slice bytes,
                        aliases_problem_fn *problem, void *arg)
{
    if (bytes.len > ALIASES_BYTES_MAX || t->files == ALIASES_FILES_MAX)
        return LIMIT;
    struct reading r = {
        .table = t,
        .file = arena_dup(&t->arena, file),
        .owner = owner,
        .problem = problem ? problem : ignore_problem,
        .arg = arg,
        .targets = calloc(ALIAS_TARGETS_MAX, sizeof *r.targets),
    };
    if (!r.file.data || !r.targets) {
        free(r.targets);
        return FAILED;
    }
    arena_init(&r.scratch, SCRATCH_MAX);
    t->files++;
    if (table_records_are(bytes))
        read_records(&r, bytes);
    else
        read_entries(&r, bytes);
    arena_release(&r.scratch);
    free(r.targets);
    return OK;
}
