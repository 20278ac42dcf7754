/* conf.c: a configuration from its text: assignments, expansion of $name, defaults, checks; and the
 * snapshot that comes out of it. */
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/list.h"
#include "conf/lines.h"
#include "conf/table.h"
#include "conf/value.h"

enum { ARENA_MAX = 16 << 20, EXPANSION_DEPTH_MAX = 20 };

struct snapshot {
    struct conf conf;
    atomic_uint references;
    struct arena arena;
    struct slice values[CONF_SETTING_COUNT]; /* effective, as text */
    const char *sources[CONF_SETTING_COUNT];
};

static struct snapshot *snapshot_of(const struct conf *c)
{
    return CONTAINER_OF(c, struct snapshot, conf);
}

const struct conf *conf_ref(const struct conf *c)
{
    atomic_fetch_add(&snapshot_of(c)->references, 1);
    return c;
}

void conf_unref(const struct conf *c)
{
    if (!c || atomic_fetch_sub(&snapshot_of(c)->references, 1) != 1)
        return;
    arena_release(&snapshot_of(c)->arena);
    free(snapshot_of(c));
}

static struct snapshot *snapshot_new(void)
{
    struct snapshot *s = calloc(1, sizeof *s);
    if (s) {
        s->references = 1;
        arena_init(&s->arena, ARENA_MAX);
        for (size_t i = 0; i < CONF_SETTING_COUNT; i++)
            s->sources[i] = "default";
    }
    return s;
}

/* One reading of a file: what expansion and errors need. */
struct loading {
    struct snapshot *out;
    struct conf_assignments lines;
    const char *file;
    struct conf_errors *errors;
    struct slice host, domain; /* computed defaults of myhostname and mydomain */
};

static struct conf_assignment *find_assignment(struct loading *l, struct slice name)
{
    for (size_t i = l->lines.n; i-- > 0;)
        if (slice_eq(l->lines.items[i].name, name))
            return &l->lines.items[i];
    return NULL;
}

static unsigned line_of(struct loading *l, const char *name)
{
    struct conf_assignment *a = find_assignment(l, slice_cstr(name));
    return a ? a->line : 0;
}

/* The unexpanded text of a parameter; false: there is no such parameter. */
static bool raw_value(struct loading *l, struct slice name, struct slice *ret)
{
    struct conf_assignment *a = find_assignment(l, name);
    size_t at = conf_find(name);
    if (a) {
        a->used = true;
        *ret = a->value;
    } else if (at != SIZE_MAX) {
        *ret = slice_cstr(conf_table[at].fallback);
    } else {
        return false;
    }
    /* Both have a value also when the file leaves them empty. */
    if (ret->len == 0 && slice_is(name, "myhostname"))
        *ret = l->host;
    if (ret->len == 0 && slice_is(name, "mydomain"))
        *ret = l->domain;
    return true;
}

static bool name_char(char c)
{
    return ascii_alnum(c) || c == '_';
}

/* Takes the name behind a '$': bare, or in () or {}. Empty: there is none. */
static struct slice take_name(struct slice *rest)
{
    char close = 0;
    size_t n = 0;
    if (rest->len && (rest->data[0] == '{' || rest->data[0] == '('))
        close = rest->data[0] == '{' ? '}' : ')';
    struct slice body = slice_from(*rest, close != 0);
    while (n < body.len && name_char(body.data[n]))
        n++;
    if (close && (n == body.len || body.data[n] != close))
        return SLICE_NONE;
    *rest = slice_from(body, n + (close != 0));
    return slice_sub(body, 0, n);
}

static enum result expand(struct loading *l, struct slice text, unsigned depth, struct buf *out,
                          struct error *why)
{
    if (depth > EXPANSION_DEPTH_MAX)
        return error_set(why, INVALID, "$names refer to one another in a circle");
    while (text.data && text.len) {
        size_t dollar = slice_find(text, '$');
        buf_append(out, slice_sub(text, 0, dollar));
        if (dollar == SIZE_MAX)
            break;
        text = slice_from(text, dollar + 1);
        if (text.len && text.data[0] == '$') {
            buf_putc(out, '$');
            text = slice_from(text, 1);
            continue;
        }
        struct slice name = take_name(&text), value;
        if (name.len == 0)
            return error_set(why, INVALID,
                             "a $ must be followed by a name, ${name} or $(name); "
                             "write $$ for the character itself");
        if (!raw_value(l, name, &value))
            return error_set(why, INVALID, "$%.*s is not defined", SLICE_ARG(name));
        enum result r = expand(l, value, depth + 1, out, why);
        if (r != OK)
            return r;
    }
    return buf_ok(out) ? OK : error_set(why, LIMIT, "the value is too long");
}

static void set_one(struct loading *l, size_t i)
{
    const struct conf_setting *s = &conf_table[i];
    struct snapshot *snap = l->out;
    unsigned line = line_of(l, s->name);
    struct buf text;
    struct error why = {""};
    struct slice raw;
    buf_init(&text, CONF_VALUE_MAX);
    enum result r = raw_value(l, slice_cstr(s->name), &raw) ? OK : FAILED;
    if (r == OK)
        r = expand(l, raw, 0, &text, &why);
    if (r == OK) {
        snap->values[i] = arena_dup(&snap->arena, slice_trim(buf_slice(&text)));
        r = conf_set_value(&snap->conf, s, snap->values[i], &snap->arena, &why);
    }
    if (r != OK)
        conf_error(l->errors, l->file, line, "%s: %s", s->name, why.text);
    else if (line)
        snap->sources[i] = arena_printf(&snap->arena, "%s:%u", l->file, line);
    buf_release(&text);
}

static void report_repeated(struct loading *l)
{
    for (size_t i = 0; i < l->lines.n; i++)
        for (size_t j = 0; j < i; j++)
            if (slice_eq(l->lines.items[i].name, l->lines.items[j].name)) {
                conf_error(l->errors, l->file, l->lines.items[i].line,
                           "`%.*s` is set already in line %u: remove one of them",
                           SLICE_ARG(l->lines.items[i].name), l->lines.items[j].line);
                break;
            }
}

/* A name that is no setting is Postfix's way to make a variable of one's own; unless nothing refers
 * to it, when it is a slip. */
static void report_unknown(struct loading *l)
{
    for (size_t i = 0; i < l->lines.n; i++) {
        struct conf_assignment *a = &l->lines.items[i];
        if (a->used)
            continue;
        const char *near = conf_suggest(a->name), *other = conf_served_by(a->name);
        if (other)
            conf_error(l->errors, l->file, a->line,
                       "`%.*s` is a parameter of %s that is not served yet: remove it",
                       SLICE_ARG(a->name), other);
        else if (near)
            conf_error(l->errors, l->file, a->line, "unknown parameter `%.*s`: did you mean `%s`?",
                       SLICE_ARG(a->name), near);
        else
            conf_error(l->errors, l->file, a->line,
                       "unknown parameter `%.*s`: remove it (`postrider config show` lists those "
                       "that there are)",
                       SLICE_ARG(a->name));
    }
}

/* Postfix: $mydomain defaults to $myhostname without its first label, $myhostname to the system's
 * name completed with "localdomain". */
static enum result compute_names(struct loading *l)
{
    struct arena *a = &l->out->arena;
    struct conf_assignment *given = find_assignment(l, SLICE("myhostname"));
    char name[256] = "localhost";
    if (gethostname(name, sizeof name - 1) != 0)
        strcpy(name, "localhost");
    const char *complete = strchr(name, '.') ? name : arena_printf(a, "%s.localdomain", name);
    if (!complete)
        return FAILED;
    l->host = arena_dup(a, slice_cstr(complete));
    struct slice host = given && given->value.len ? given->value : l->host;
    size_t dot = slice_find(host, '.');
    /* A $name in myhostname may itself need mydomain: then the system's name decides. */
    if (slice_find(host, '$') != SIZE_MAX)
        dot = slice_find(host = l->host, '.');
    l->domain = dot == SIZE_MAX ? SLICE("localdomain") : slice_from(host, dot + 1);
    return OK;
}

static void check_combinations(struct loading *l)
{
    const struct conf *c = &l->out->conf;
    if (c->minimal_backoff_time > c->maximal_backoff_time)
        conf_error(l->errors, l->file, line_of(l, "minimal_backoff_time"),
                   "minimal_backoff_time is longer than maximal_backoff_time");
    if (slice_find(c->myhostname, '.') == SIZE_MAX && c->myhostname.len)
        conf_error(l->errors, l->file, line_of(l, "myhostname"),
                   "myhostname: `%.*s` has no domain: write the full name of this host",
                   SLICE_ARG(c->myhostname));
    if (c->smtpd_tls_cert_file.len == 0 && c->smtpd_tls_key_file.len)
        conf_error(l->errors, l->file, line_of(l, "smtpd_tls_key_file"),
                   "smtpd_tls_key_file is set but smtpd_tls_cert_file is not");
    if ((c->ssl_cert.len == 0) != (c->ssl_key.len == 0))
        conf_error(l->errors, l->file, line_of(l, c->ssl_cert.len ? "ssl_cert" : "ssl_key"),
                   "ssl_cert and ssl_key must be set both");
}

enum result conf_parse(struct slice text, const char *name, const struct conf **ret,
                       struct conf_errors *errors)
{
    struct loading l = {.out = snapshot_new(), .file = name, .errors = errors};
    unsigned before = errors->count;
    if (!l.out)
        return FAILED;
    enum result r = conf_read_lines(text, name, &l.out->arena, &l.lines, errors);
    if (r == OK)
        r = compute_names(&l);
    if (r == OK) {
        report_repeated(&l);
        for (size_t i = 0; i < CONF_SETTING_COUNT; i++)
            set_one(&l, i);
        report_unknown(&l);
        if (errors->count == before)
            check_combinations(&l);
        if (arena_failed(&l.out->arena))
            conf_error(errors, name, 0, "the configuration is too large");
    }
    if (r != OK || errors->count > before) {
        conf_unref(&l.out->conf);
        return r != OK ? r : INVALID;
    }
    *ret = &l.out->conf;
    return OK;
}

static enum result read_file(const char *path, struct buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? NOT_FOUND : FAILED;
    ssize_t n;
    do {
        size_t room;
        char *p = buf_reserve(out, 4096, &room);
        n = p ? read(fd, p, room) : -1;
        if (n > 0)
            buf_commit(out, (size_t)n);
    } while (n > 0);
    int saved = errno;
    close(fd);
    errno = saved;
    if (!buf_ok(out))
        return LIMIT;
    return n < 0 ? FAILED : OK;
}

enum result conf_load(const char *path, const struct conf **ret, struct conf_errors *errors)
{
    struct buf text;
    buf_init(&text, CONF_FILE_MAX + 8192);
    enum result r = read_file(path, &text);
    if (r == LIMIT)
        conf_error(errors, path, 0, "the file is larger than %d bytes", CONF_FILE_MAX);
    else if (r != OK)
        conf_error(errors, path, 0, "cannot read the configuration: %s", strerror(errno));
    else
        r = conf_parse(buf_slice(&text), path, ret, errors);
    buf_release(&text);
    return r;
}

/* ---- effective values between processes: "name TAB source TAB value" lines ---- */

void conf_dump(const struct conf *c, struct buf *out)
{
    const struct snapshot *s = snapshot_of(c);
    for (size_t i = 0; i < CONF_SETTING_COUNT; i++)
        buf_printf(out, "%s\t%s\t%.*s\n", conf_table[i].name, s->sources[i],
                   SLICE_ARG(s->values[i]));
}

static enum result take_effective(struct snapshot *s, struct slice line)
{
    struct slice rest = line;
    size_t i = conf_find(slice_split(&rest, '\t'));
    struct slice source = slice_split(&rest, '\t');
    if (i == SIZE_MAX || !rest.data)
        return INVALID;
    s->values[i] = arena_dup(&s->arena, rest);
    s->sources[i] = arena_dup(&s->arena, source).data;
    if (arena_failed(&s->arena))
        return FAILED;
    return conf_set_value(&s->conf, &conf_table[i], s->values[i], &s->arena, NULL);
}

enum result conf_parse_effective(struct slice text, const struct conf **ret)
{
    struct snapshot *s = snapshot_new();
    enum result r = s ? OK : FAILED;
    size_t lines = 0;
    while (r == OK && text.data) {
        struct slice line = slice_split(&text, '\n');
        if (line.len == 0)
            continue;
        r = take_effective(s, line);
        lines++;
    }
    if (r == OK && lines != CONF_SETTING_COUNT)
        r = INVALID;
    if (r == OK)
        *ret = &s->conf;
    else if (s)
        conf_unref(&s->conf);
    return r;
}

void conf_each(const struct conf *c,
               void (*each)(void *arg, const char *name, struct slice value, const char *source),
               void *arg)
{
    const struct snapshot *s = snapshot_of(c);
    for (size_t i = 0; i < CONF_SETTING_COUNT; i++)
        each(arg, conf_table[i].name, s->values[i], s->sources[i]);
}

const char *conf_source(const struct conf *c, const char *name)
{
    size_t i = conf_find(slice_cstr(name));
    return i == SIZE_MAX ? NULL : snapshot_of(c)->sources[i];
}

const struct conf *conf_for_service(const struct conf *c, struct slice service)
{
    (void)service; /* nothing overrides anything per service yet */
    return c;
}
