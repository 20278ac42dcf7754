#include "cli/table_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "auth/compiled.h"
#include "auth/server.h"
#include "os/fds.h"

/* The text, or where only a database is, its entries. */
static enum result open_file(const char *name, int *ret_fd, struct error *err)
{
    char database[4096];
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    int why = errno;
    if (fd >= 0) {
        *ret_fd = fd;
        return OK;
    }
    enum result r = why == ENOENT ? compiled_path(name, database, sizeof database) : FAILED;
    if (r == OK)
        return compiled_open(database, ret_fd, err);
    if (r == CONFLICT)
        return error_set(err, FAILED, "there is no text file, and more than one database");
    return error_set(err, r, "%s", strerror(why));
}

static enum result read_file(void *arg, struct slice path, struct buf *out, struct error *err)
{
    char name[4096];
    (void)arg;
    if (path.len >= sizeof name)
        return error_set(err, LIMIT, "the path is too long");
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(path));
    int fd = -1;
    enum result r = open_file(name, &fd, err);
    if (r != OK)
        return r;
    r = fd_read_all(fd, TABLE_FILE_MAX, out);
    close(fd);
    return r == OK ? OK : error_set(err, r, "%s", r == LIMIT ? "too large" : strerror(errno));
}

static enum result find_account(void *arg, bool group, struct slice name, struct error *err)
{
    char text[256];
    (void)arg, (void)err;
    if (name.len >= sizeof text)
        return NOT_FOUND;
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
    return (group ? getgrnam(text) != NULL : getpwnam(text) != NULL) ? OK : NOT_FOUND;
}

static enum result ask_server(void *arg, struct slice table, struct slice key, struct arena *a,
                              struct slice *ret, struct error *err)
{
    return server_ask(table, arg ? slice_cstr(arg) : SLICE(""), key, NULL, a, ret, err);
}

const struct table_reader cli_table_reader = {
    .read = read_file, .account = find_account, .ask = ask_server};

/* Types whose rest is always a path. */
static bool takes_path(struct slice type)
{
    static const char *const types[] = {"hash",     "btree", "lmdb",   "cdb", "dbm",
                                        "texthash", "cidr",  "regexp", "pcre"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_is(type, types[i]))
            return true;
    return false;
}

/* Types whose rest names a file when it looks like one, else parameters in main.cf. */
static bool takes_file(struct slice type)
{
    return slice_is(type, "sqlite") || slice_is(type, "pgsql") || slice_is(type, "mysql") ||
           slice_is(type, "ldap") || slice_is(type, "memcache");
}

struct slice cli_table_spec(const char *word, struct arena *a)
{
    char folder[4096];
    struct slice spec = slice_cstr(word);
    size_t colon = slice_find(spec, ':'), slash = slice_find(spec, '/');
    bool typed = colon != SIZE_MAX && (slash == SIZE_MAX || colon < slash);
    struct slice type = typed ? slice_sub(spec, 0, colon) : SLICE("hash");
    struct slice rest = typed ? slice_from(spec, colon + 1) : spec;
    bool relative =
        takes_path(type) || (typed && takes_file(type) && rest.len && rest.data[0] == '.');
    if (!relative || rest.len == 0 || rest.data[0] == '/' || rest.data[0] == '{')
        return typed ? spec : slice_cstr(arena_printf(a, "hash:%s", word));
    if (!getcwd(folder, sizeof folder))
        return SLICE_NONE;
    return slice_cstr(arena_printf(a, "%.*s:%s/%.*s", SLICE_ARG(type), folder, SLICE_ARG(rest)));
}

void cli_table_problem(void *arg, struct slice file, unsigned line, const char *reason)
{
    fprintf(stderr, "%s: warning: %.*s, line %u: %s\n", (const char *)arg, SLICE_ARG(file), line,
            reason);
}
