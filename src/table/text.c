/* text.c: tables of exact keys: texthash, and hash, btree, lmdb, cdb, dbm by the text file that
 * their database is made of, or where that is missing by the database; and inline, whose text
 * stands in the spec. */
#include <limits.h>
#include <stdlib.h>

#include "table/impl.h"
#include "table/index.h"
#include "table/key.h"
#include "table/lines.h"
#include "table/records.h"
#include "table/spec.h"

struct exact {
    struct table table;
    struct slice file; /* data NULL: inline */
    struct table_index index;
};

static enum result find(const struct table *t, struct slice key, struct arena *a,
                        struct table_match *ret, struct error *err)
{
    const struct exact *x = (const struct exact *)t;
    const struct table_entry *e = table_index_find(&x->index, key);
    if (!e)
        return NOT_FOUND;
    struct slice value = arena_dup(a, e->value);
    struct slice where = x->file.data && e->line ? table_where(a, x->file, e->line) : t->name;
    if (!value.data || !where.data)
        return error_set(err, FAILED, "no memory");
    *ret = (struct table_match){value, where};
    return OK;
}

static void release(struct table *t)
{
    table_index_release(&((struct exact *)t)->index);
}

static void each_entry(const struct table *t,
                       void (*each)(void *arg, struct slice key, struct slice value), void *arg)
{
    const struct exact *x = (const struct exact *)t;
    for (size_t i = 0; i < x->index.n; i++)
        each(arg, x->index.items[i].key, x->index.items[i].value);
}

static void each_value(const struct table *t, table_value_fn *each, void *arg)
{
    const struct exact *x = (const struct exact *)t;
    for (size_t i = 0; i < x->index.n; i++) {
        const struct table_entry *e = &x->index.items[i];
        each(arg, x->file.data ? x->file : t->name, x->file.data ? e->line : 0, e->value);
    }
}

static const struct table_ops exact_ops = {
    .folds = true, .find = find, .each = each_entry, .values = each_value, .release = release};

struct reading {
    const struct opening *o;
    struct exact *x;
    bool aliases; /* a database may be made from an alias file: "name: value" */
};

static void report(struct reading *r, unsigned line, const char *reason)
{
    struct slice file = r->x->file.data ? r->x->file : r->o->spec;
    r->o->problem(r->o->arg, file, line, reason);
}

static void report_repeated(void *arg, const struct table_entry *e)
{
    report(arg, e->line, "the key is in an earlier line already, which counts");
}

/* Bytes of the key: up to the first white space that is not in quotes; SIZE_MAX: a quote is open.
 */
static size_t key_len(struct slice line)
{
    bool quoted = false;
    size_t i = 0;
    for (; i < line.len; i++) {
        char c = line.data[i];
        if (c == '\\' && i + 1 < line.len)
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && table_space(c))
            break;
    }
    return quoted ? SIZE_MAX : i;
}

static enum result keep(struct reading *r, struct slice key, struct slice value, unsigned line)
{
    struct arena *a = &r->x->table.arena;
    struct table_entry e = {.value = arena_dup(a, value), .line = line};
    struct slice folded = table_fold_key(key, a);
    e.key = folded.data == key.data ? arena_dup(a, key) : folded;
    if (!e.key.data || !e.value.data)
        return error_set(r->o->err, FAILED, "%.*s: too large, or no memory", SLICE_ARG(r->o->spec));
    enum result result = table_index_add(&r->x->index, e);
    if (result != OK)
        error_set(r->o->err, result, "%.*s: too many entries, or no memory", SLICE_ARG(r->o->spec));
    return result;
}

/* "root: joe" or "root:joe": in a file that postalias made the database of, the name is the key.
 * Which of the two programs made it nobody knows here, so such a line has both keys: no lookup of
 * the other kind asks for a name that ends in a colon, but for an IPv6 network's "2001:db8::". */
static bool split_alias(struct slice line, size_t len, struct slice *key, struct slice *value)
{
    size_t colon = slice_find(slice_sub(line, 0, len), ':');
    bool ends = len > 1 && line.data[len - 1] == ':';
    if (!ends && (value->len || colon == SIZE_MAX || colon == 0))
        return false;
    *key = slice_sub(line, 0, ends ? len - 1 : colon);
    *value = table_trim(slice_from(line, key->len + 1));
    if (key->len > 1 && key->data[0] == '"' && key->data[key->len - 1] == '"')
        *key = slice_sub(*key, 1, key->len - 2);
    return key->len && value->len;
}

static enum result read_line(struct reading *r, struct slice line, unsigned number)
{
    size_t len = key_len(line);
    if (slice_find(line, '\0') != SIZE_MAX)
        return report(r, number, "the line holds a NUL byte"), OK;
    if (len == SIZE_MAX)
        return report(r, number, "a quote is not closed"), OK;
    if (!table_key_is_utf8(line))
        return report(r, number, "the line is not valid UTF-8"), OK;
    struct slice key = slice_sub(line, 0, len), value = table_trim(slice_from(line, len));
    struct slice name, targets = value;
    bool alias = r->aliases && split_alias(line, len, &name, &targets);
    if (alias && keep(r, name, targets, number) != OK)
        return FAILED;
    if (alias && value.len == 0)
        return OK;
    if (key.len == 0 || value.len == 0)
        return report(r, number, "expected: key, white space, value"), OK;
    if (!alias && key.data[key.len - 1] == ':')
        report(r, number, "the key ends in a colon: is this an alias file?");
    if (key.len > TABLE_KEY_MAX || value.len > TABLE_VALUE_MAX)
        return report(r, number, "the key or the value is too long"), OK;
    return keep(r, key, value, number);
}

static enum result read_text(struct reading *r, struct slice text)
{
    struct table_lines lines;
    struct slice line;
    enum result result = OK;
    table_lines_init(&lines, text);
    while (result == OK && table_lines_next(&lines, &line))
        result = read_line(r, line, lines.first);
    if (result == OK && !buf_ok(&lines.joined))
        result = error_set(r->o->err, FAILED, "no memory");
    table_lines_release(&lines);
    return result;
}

/* There is no text: what a child read out of the database (auth/compiled.h). */
static enum result read_records(struct reading *r, struct slice bytes)
{
    struct cursor c = table_records_of(bytes);
    struct slice key, value;
    struct error why = {""};
    enum result result;
    while ((result = table_records_next(&c, &key, &value, &why)) == OK) {
        if (key.len == 0 || value.len == 0 || key.len > TABLE_KEY_MAX ||
            value.len > TABLE_VALUE_MAX || slice_find(key, '\0') != SIZE_MAX ||
            slice_find(value, '\0') != SIZE_MAX || !table_key_is_utf8(key))
            report(r, 0, "a key or value of its database is empty, too long or no text");
        else if (keep(r, key, value, 0) != OK)
            return FAILED;
    }
    if (result == NOT_FOUND)
        return OK;
    return error_set(r->o->err, FAILED, "%.*s: there is no text file, and its database: %s",
                     SLICE_ARG(r->x->file), why.text);
}

static enum result read_either(struct reading *r, struct slice bytes)
{
    if (!table_records_are(bytes))
        return read_text(r, bytes);
    if (r->aliases)
        return read_records(r, bytes);
    return error_set(r->o->err, FAILED, "%.*s: there is no such file, only a database",
                     SLICE_ARG(r->x->file));
}

static enum result open_file(const struct opening *o, bool aliases, struct table **ret)
{
    struct exact *x = table_new(o, &exact_ops, sizeof *x);
    struct reading r = {o, x, aliases};
    struct buf text;
    if (!x)
        return FAILED;
    buf_init(&text, TABLE_FILE_MAX);
    x->file = arena_dup(&x->table.arena, o->rest);
    enum result result = table_read(o, o->rest, &text);
    if (result == OK)
        result = read_either(&r, buf_slice(&text));
    if (result == OK)
        table_index_sort(&x->index, report_repeated, &r);
    if (text.mem)
        explicit_bzero(text.mem, text.size); /* tables hold passwords too */
    buf_release(&text);
    return table_opened(result, &x->table, ret);
}

enum result table_open_text(const struct opening *o, struct table **ret)
{
    return open_file(o, false, ret);
}

enum result table_open_database(const struct opening *o, struct table **ret)
{
    return open_file(o, true, ret);
}

static void ignore_repeated(void *arg, const struct table_entry *e)
{
    (void)arg, (void)e;
}

/* ---- inline:{ name = value, { name = text, with commas } } ---- */

static enum result add_inline(struct reading *r, struct slice item, unsigned number)
{
    struct slice key, value;
    const char *why = NULL;
    if (item.data[0] == '{' && table_braces(item, &item, &why) != OK)
        return error_set(r->o->err, INVALID, "%.*s: %s", SLICE_ARG(r->o->spec), why);
    why = table_name_value(item, &key, &value);
    if (why)
        return error_set(r->o->err, INVALID, "%.*s: %s: `%.*s`", SLICE_ARG(r->o->spec), why,
                         SLICE_ARG(item));
    return keep(r, key, value, number);
}

enum result table_open_inline(const struct opening *o, struct table **ret)
{
    struct exact *x = table_new(o, &exact_ops, sizeof *x);
    struct reading r = {o, x, false};
    struct slice rest, item;
    const char *why;
    unsigned number = UINT_MAX; /* falls: the last of a name counts */
    if (!x)
        return FAILED;
    enum result result = table_braces(o->rest, &rest, &why);
    if (result != OK)
        error_set(o->err, INVALID, "%.*s: %s: write inline:{ name = value, ... }",
                  SLICE_ARG(o->spec), why);
    while (result == OK && table_next_item(&rest, &item))
        result = add_inline(&r, item, number--);
    if (result == OK && number == UINT_MAX)
        result = error_set(o->err, INVALID, "%.*s: the table is empty", SLICE_ARG(o->spec));
    if (result == OK)
        table_index_sort(&x->index, ignore_repeated, NULL);
    return table_opened(result, &x->table, ret);
}
