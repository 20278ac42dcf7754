/* fuzz_server.c: the files of tables that ask a server, what a key makes of their queries and
 * results, and the answers of servers. Input: a kind (a digit), the key, a newline, the file or the
 * answer. */
#include "auth/server.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_MAX = 1024 * 1024 };

static const char *const types[] = {"sqlite", "pgsql", "mysql", "ldap", "memcache"};
enum { TYPES = sizeof types / sizeof *types, READ_TCP = TYPES, READ_SOCKETMAP, READ_MEMCACHE };

static void must(bool what)
{
    if (!what)
        abort();
}

/* A value is text: whoever takes it may print it. */
static void check_value(struct slice value)
{
    must(value.len > 0 && value.len <= SERVER_VALUE_MAX && slice_find(value, '\0') == SIZE_MAX);
}

/* As every library does it: no quote of the key gets out of the query's. */
static void escape(void *arg, struct slice s, struct buf *out)
{
    (void)arg;
    for (size_t i = 0; i < s.len; i++)
        buf_append(out, s.data[i] == '\'' ? SLICE("''") : slice_sub(s, i, 1));
}

static void expand(const struct server_table *t, struct slice key, struct arena *a)
{
    struct error err = {""};
    struct server_result result = {.table = t, .key = key};
    struct slice value = SLICE_NONE;
    struct buf query;
    buf_init(&query, SERVER_VALUE_MAX);
    if (server_key_allowed(t, key) &&
        server_expand(t->query, key, SLICE_NONE, escape, NULL, &query, &err) == OK)
        must(buf_ok(&query));
    buf_release(&query);
    buf_init(&result.text, SERVER_VALUE_MAX);
    for (int i = 0; i < 3 && server_result_add(&result, key); i++)
        ;
    if (server_result_end(&result, a, &value, &err) == OK)
        must(value.len <= SERVER_VALUE_MAX);
}

static void read_file(struct slice type, struct slice key, struct slice text, struct arena *a)
{
    struct server_table *t = calloc(1, sizeof *t);
    struct error err = {""};
    must(t != NULL);
    if (server_parse(type, SLICE("x.cf"), text, a, t, &err) == OK) {
        must(t->n <= SERVER_PARAMETERS_MAX);
        (void)server_needs_rights(t);
        expand(t, key, a);
    } else {
        must(err.text[0] != 0);
    }
    free(t);
}

static void read_answer(int kind, struct slice key, struct slice answer, struct arena *a)
{
    struct error err = {""};
    struct slice value = SLICE_NONE;
    enum result r = kind == READ_TCP         ? server_read_tcp(answer, a, &value, &err)
                    : kind == READ_SOCKETMAP ? server_read_socketmap(answer, a, &value, &err)
                                             : server_read_memcache(answer, key, &value, &err);
    if (r == OK)
        check_value(value);
    else
        must(r == NOT_FOUND || err.text[0] != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_from(slice_of(data, size), size > 0);
    struct slice key = slice_split(&rest, '\n');
    int kind = size ? data[0] - '0' : -1;
    struct arena a;
    arena_init(&a, ARENA_MAX);
    if (kind >= 0 && kind < TYPES)
        read_file(slice_cstr(types[kind]), key, rest, &a);
    else if (kind >= READ_TCP && kind <= READ_MEMCACHE)
        read_answer(kind, key, rest, &a);
    arena_release(&a);
    return 0;
}
