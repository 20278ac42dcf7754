/* server.c: tables that ask a server: tcp, socketmap, sqlite, pgsql, mysql, ldap, memcache. Whoever
 * opened the table asks for it (struct table_reader), for that takes sockets and libraries.
 *
 * What was slow to fail fails at once for a while, so that those who ask don't queue up behind a
 * server that does not answer. */
#include <stdatomic.h>

#include "base/clock.h"
#include "table/impl.h"
#include "table/spec.h"

enum { SLOW_MS = 2000, PAUSE_MS = 10000 };

struct server {
    struct table table;
    enum result (*ask)(void *arg, struct slice table, struct slice key, struct arena *a,
                       struct slice *ret, struct error *err);
    void *arg;
    _Atomic int64_t down_until_ms;
};

static enum result find_server(const struct table *t, struct slice key, struct arena *a,
                               struct table_match *ret, struct error *err)
{
    struct server *s = (struct server *)t;
    int64_t now = clock_monotonic_ms();
    struct slice value;
    if (key.len == 0)
        return NOT_FOUND;
    if (now < atomic_load(&s->down_until_ms))
        return error_set(err, FAILED, "its server did not answer a moment ago");
    enum result r = s->ask(s->arg, t->name, key, a, &value, err);
    if (r == OK)
        *ret = (struct table_match){value, t->name};
    else if (r != NOT_FOUND && clock_monotonic_ms() - now >= SLOW_MS)
        atomic_store(&s->down_until_ms, clock_monotonic_ms() + PAUSE_MS);
    return r;
}

static const struct table_ops ops = {.waits = true, .folds = true, .find = find_server};
/* tcp_table(5), socketmap_table(5): they see the whole key, as patterns do. */
static const struct table_ops ops_whole = {.waits = true, .patterns = true, .find = find_server};

static bool is_port(struct slice s)
{
    uint64_t port;
    bool name = s.len > 0 && s.len < 32;
    for (size_t i = 0; i < s.len; i++)
        name = name && (ascii_alnum(s.data[i]) || s.data[i] == '-' || s.data[i] == '_');
    return name &&
           (!ascii_digit(s.data[0]) || (slice_parse_u64(s, 65535, &port) == OK && port > 0));
}

/* "host:port", "[address]:port". */
static bool is_host_port(struct slice s)
{
    size_t colon = slice_rfind(s, ':');
    return colon != SIZE_MAX && colon > 0 && is_port(slice_from(s, colon + 1));
}

/* "inet:host:port:name" or "unix:/path:name". */
static bool is_socketmap(struct slice s)
{
    size_t last = slice_rfind(s, ':');
    if (last == SIZE_MAX || last + 1 == s.len)
        return false;
    struct slice at = slice_sub(s, 0, last);
    if (slice_starts(at, SLICE("inet:")))
        return is_host_port(slice_from(at, 5));
    return slice_starts(at, SLICE("unix:/"));
}

enum result table_server_check(struct slice table, struct error *err)
{
    struct slice type = table_spec_type(table);
    struct slice rest = slice_from(table, type.len + 1);
    if (slice_is(type, "tcp"))
        return is_host_port(rest)
                   ? OK
                   : error_set(err, INVALID, "%.*s: write tcp:host:port", SLICE_ARG(table));
    if (slice_is(type, "socketmap"))
        return is_socketmap(rest) ? OK
                                  : error_set(err, INVALID,
                                              "%.*s: write socketmap:inet:host:port:name or "
                                              "socketmap:unix:/path:name",
                                              SLICE_ARG(table));
    /* A name has its parameters in main.cf. */
    if (rest.len && (rest.data[0] == '/' || slice_find(rest, '/') == SIZE_MAX))
        return OK;
    return error_set(err, INVALID, "%.*s: write a path that begins with /, or a name without /",
                     SLICE_ARG(table));
}

static enum result open_server(const struct opening *o, const struct table_ops *how,
                               struct table **ret)
{
    struct server *s = table_new(o, how, sizeof *s);
    if (!s)
        return FAILED;
    enum result r = table_server_check(o->spec, o->err);
    if (r == OK && (!o->reader || !o->reader->ask))
        r = error_set(o->err, FAILED, "%.*s: no server can be asked from here", SLICE_ARG(o->spec));
    if (r == OK) {
        s->ask = o->reader->ask;
        s->arg = o->reader->ask_arg;
    }
    return table_opened(r, &s->table, ret);
}

enum result table_open_server(const struct opening *o, struct table **ret)
{
    return open_server(o, &ops, ret);
}

enum result table_open_server_whole(const struct opening *o, struct table **ret)
{
    return open_server(o, &ops_whole, ret);
}
