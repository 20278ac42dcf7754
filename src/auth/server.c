#include "auth/server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "os/fds.h"
#include "table/table.h"

static enum result read_file(struct slice path, struct buf *out, struct arena *a, struct error *err)
{
    struct slice name = arena_dup(a, path);
    int fd = name.data ? open(name.data, O_RDONLY | O_CLOEXEC | O_NOCTTY) : -1;
    if (fd < 0)
        return error_set(err, FAILED, "%.*s: %s", SLICE_ARG(path), strerror(errno));
    enum result r = fd_read_all(fd, SERVER_FILE_MAX, out);
    close(fd);
    return r == OK ? OK
                   : error_set(err, FAILED, "%.*s: can't be read, or too large", SLICE_ARG(path));
}

static struct slice type_of(struct slice table, struct slice *ret_rest)
{
    *ret_rest = table;
    return slice_split(ret_rest, ':');
}

/* *path becomes that of main.cf. */
static enum result read_named(struct slice type, struct slice *path, struct slice postfix,
                              struct buf *out, struct arena *a, struct error *err)
{
    if (postfix.len == 0)
        return error_set(err, INVALID,
                         "%.*s:%.*s: its parameters would stand in Postfix's main.cf, which is not "
                         "used here: write them into a file and name it: %.*s:/path",
                         SLICE_ARG(type), SLICE_ARG(*path), SLICE_ARG(type));
    const char *main_cf = arena_printf(a, "%.*s/main.cf", SLICE_ARG(postfix));
    if (!main_cf)
        return error_set(err, FAILED, "no memory");
    enum result r = server_read_main_cf(type, *path, main_cf, out, err);
    *path = slice_cstr(main_cf);
    return r;
}

static enum result load(struct slice table, struct slice postfix, struct arena *a,
                        struct server_table *ret, struct error *err)
{
    struct slice path, type = type_of(table, &path);
    struct buf text;
    buf_init(&text, SERVER_FILE_MAX);
    enum result r = table_server_check(table, err);
    if (r == OK)
        r = slice_starts(path, SLICE("/")) ? read_file(path, &text, a, err)
                                           : read_named(type, &path, postfix, &text, a, err);
    r = r == OK ? server_parse(type, path, buf_slice(&text), a, ret, err) : r;
    buf_release(&text);
    return r;
}

static bool has_file(struct slice type)
{
    return !slice_is(type, "tcp") && !slice_is(type, "socketmap");
}

enum result server_check(struct slice table, struct slice postfix, struct error *err)
{
    struct server_table t;
    struct arena a;
    struct slice rest;
    if (!has_file(type_of(table, &rest)))
        return table_server_check(table, err);
    arena_init(&a, 4 * SERVER_FILE_MAX);
    enum result r = load(table, postfix, &a, &t, err);
    arena_release(&a);
    return r;
}

bool server_needs_rights(const struct server_table *t)
{
    static const char *const files[] = {"dbpath", "option_file", "tls_key_file", "tls_key", NULL};
    struct slice hosts = server_value(t, "hosts", "");
    for (size_t i = 0; files[i]; i++)
        if (server_value(t, files[i], "").len)
            return true;
    /* libpq's URIs may name files too. */
    if (slice_search(hosts, SLICE("sslkey=")) != SIZE_MAX ||
        slice_search(hosts, SLICE("passfile=")) != SIZE_MAX)
        return true;
    return slice_starts(server_value(t, "memcache", ""), SLICE("unix:"));
}

static enum result without_rights(bool (*give_up)(void), struct error *err)
{
    return !give_up || give_up() ? OK : error_set(err, FAILED, "root's rights can't be given up");
}

static enum result ask_file(struct slice type, struct slice table, struct slice postfix,
                            struct slice key, bool (*give_up)(void), struct arena *a,
                            struct slice *ret, struct error *err)
{
    struct server_table t;
    if (load(table, postfix, a, &t, err) != OK)
        return FAILED;
    if (!server_key_allowed(&t, key))
        return NOT_FOUND;
    if (!server_needs_rights(&t) && without_rights(give_up, err) != OK)
        return FAILED;
    if (slice_is(type, "ldap"))
        return server_ask_ldap(&t, key, a, ret, err);
    if (slice_is(type, "memcache"))
        return server_ask_memcache(&t, key, a, ret, err);
    return server_ask_sql(&t, key, a, ret, err);
}

enum result server_ask(struct slice table, struct slice postfix, struct slice key,
                       bool (*give_up)(void), struct arena *a, struct slice *ret, struct error *err)
{
    struct slice rest, type = type_of(table, &rest);
    enum result r = table_server_check(table, err);
    if (r != OK)
        return FAILED;
    /* A socket of socketmap may be its group's alone. */
    if (!has_file(type) && !slice_starts(rest, SLICE("unix:")) &&
        without_rights(give_up, err) != OK)
        return FAILED;
    if (slice_is(type, "tcp"))
        r = server_ask_tcp(rest, key, a, ret, err);
    else if (slice_is(type, "socketmap"))
        r = server_ask_socketmap(rest, key, a, ret, err);
    else
        r = ask_file(type, table, postfix, key, give_up, a, ret, err);
    return r == OK || r == NOT_FOUND ? r : FAILED;
}
