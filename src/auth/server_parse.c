/* server_parse.c: the files of tables that ask a server. */
#include "auth/server.h"

#include <string.h>

#include "conf/postfix/table_parameters.h"
#include "table/lines.h"
#include "table/spec.h"

static bool among(const char *const *names, struct slice name)
{
    for (; *names; names++)
        if (slice_is(name, *names))
            return true;
    return false;
}

struct slice server_value(const struct server_table *t, const char *name, const char *without)
{
    for (size_t i = t->n; i > 0; i--)
        if (slice_is(t->names[i - 1], name))
            return t->values[i - 1];
    return without ? slice_cstr(without) : SLICE_NONE;
}

uint64_t server_number(const struct server_table *t, const char *name, uint64_t without)
{
    uint64_t n = without;
    struct slice v = server_value(t, name, "");
    if (v.len && slice_parse_u64(v, INT32_MAX, &n) != OK)
        n = without; /* server_parse has refused it */
    return n;
}

bool server_yes(const struct server_table *t, const char *name, bool without)
{
    struct slice v = server_value(t, name, "");
    return v.len ? slice_is_nocase(v, "yes") || slice_is_nocase(v, "simple") : without;
}

/* NULL: fine. */
static const char *check_value(struct slice name, struct slice value)
{
    static const char *const numbers[] = {"expansion_limit", "recursion_limit", "size_limit",
                                          "server_port",     "timeout",         "dereference",
                                          "version",         "max_try",         NULL};
    static const char *const switches[] = {"start_tls",          "chase_referrals",
                                           "require_result_set", "tls_verify_cert",
                                           "tls_require_cert",   NULL};
    uint64_t n;
    if (among(numbers, name) && slice_parse_u64(value, INT32_MAX, &n) != OK)
        return "is no number";
    if (among(switches, name) && !slice_is_nocase(value, "yes") && !slice_is_nocase(value, "no"))
        return "is neither yes nor no";
    if (slice_is(name, "bind") && !slice_is_nocase(value, "yes") &&
        !slice_is_nocase(value, "simple") && !slice_is_nocase(value, "no") &&
        !slice_is_nocase(value, "none"))
        return "is not served: write simple or none";
    if (slice_is(name, "backup"))
        return "is not served: name both tables where this one is named";
    if (slice_is(name, "domain") && slice_search(value, SLICE(":")) != SIZE_MAX)
        return "is served with names of domains, not with tables";
    if (slice_is(name, "domain") && slice_search(value, SLICE("/")) != SIZE_MAX)
        return "is served with names of domains, not with files";
    return NULL;
}

static bool is_secret(struct slice name)
{
    return slice_is(name, "password") || slice_is(name, "bind_pw");
}

static enum result unknown_name(const struct server_table *t, struct slice file, unsigned line,
                                struct slice name, struct error *err)
{
    const char *near = table_parameter_suggest(t->type, name);
    return error_set(err, INVALID, "%.*s:%u: %.*s tables have no parameter `%.*s`%s%s%s",
                     SLICE_ARG(file), line, SLICE_ARG(t->type), SLICE_ARG(slice_sub(name, 0, 60)),
                     near ? ": did you mean `" : "", near ? near : "", near ? "`?" : "");
}

static enum result take_line(struct server_table *t, struct slice file, unsigned line,
                             struct slice text, struct arena *a, struct error *err)
{
    struct slice name, value;
    const char *why = table_name_value(text, &name, &value);
    if (why)
        return error_set(err, INVALID, "%.*s:%u: %s", SLICE_ARG(file), line, why);
    if (!table_parameter_known(t->type, name))
        return unknown_name(t, file, line, name, err);
    if (slice_find(value, '\0') != SIZE_MAX)
        why = "holds a NUL byte";
    else if (value.len)
        why = check_value(name, value);
    if (why)
        return error_set(err, INVALID, "%.*s:%u: %.*s = %.*s %s", SLICE_ARG(file), line,
                         SLICE_ARG(name),
                         SLICE_ARG(is_secret(name) ? SLICE("****") : slice_sub(value, 0, 60)), why);
    if (t->n == SERVER_PARAMETERS_MAX)
        return error_set(err, INVALID, "%.*s:%u: too many parameters", SLICE_ARG(file), line);
    t->names[t->n] = arena_dup(a, name);
    t->values[t->n++] = value.len ? arena_dup(a, value) : SLICE("");
    return OK;
}

/* The query of the parameters that came before `query`. */
static struct slice old_query(const struct server_table *t, struct arena *a)
{
    struct slice function = server_value(t, "select_function", "");
    if (function.len)
        return slice_cstr(arena_printf(a, "SELECT %.*s('%%s')", SLICE_ARG(function)));
    struct slice table = server_value(t, "table", ""), select = server_value(t, "select_field", ""),
                 where = server_value(t, "where_field", ""),
                 more = server_value(t, "additional_conditions", "");
    if (!table.len || !select.len || !where.len)
        return SLICE("");
    return slice_cstr(arena_printf(a, "SELECT %.*s FROM %.*s WHERE %.*s = '%%s' %.*s",
                                   SLICE_ARG(select), SLICE_ARG(table), SLICE_ARG(where),
                                   SLICE_ARG(more)));
}

static enum result check_format(struct slice file, const char *name, struct slice format,
                                struct error *err)
{
    struct buf out;
    struct error why = {""};
    buf_init(&out, SERVER_VALUE_MAX);
    enum result r =
        server_expand(format, SLICE("a@b.c.d.e.f.g.h.i.j"), SLICE("a@b"), NULL, NULL, &out, &why);
    buf_release(&out);
    return r == INVALID ? error_set(err, INVALID, "%.*s: %s: %s", SLICE_ARG(file), name, why.text)
                        : OK;
}

static enum result missing(struct slice file, const char *name, struct error *err)
{
    return error_set(err, INVALID, "%.*s: `%s` is missing", SLICE_ARG(file), name);
}

static enum result complete(struct server_table *t, struct slice file, struct arena *a,
                            struct error *err)
{
    bool ldap = slice_is(t->type, "ldap"), memcache = slice_is(t->type, "memcache");
    t->query = server_value(t,
                            ldap       ? "query_filter"
                            : memcache ? "key_format"
                                       : "query",
                            ldap       ? "(mailacceptinggeneralid=%s)"
                            : memcache ? "%s"
                                       : "");
    if (!t->query.len)
        t->query = old_query(t, a);
    t->result_format = server_value(t, "result_format", NULL);
    if (!t->result_format.data)
        t->result_format = server_value(t, "result_filter", "%s");
    t->domain = server_value(t, "domain", "");
    t->expansion_limit = server_number(t, "expansion_limit", 0);
    if (!t->query.len)
        return missing(file, "query", err);
    if (slice_is(t->type, "sqlite") && !server_value(t, "dbpath", "").len)
        return missing(file, "dbpath", err);
    if (check_format(file, "query", t->query, err) != OK ||
        check_format(file, "result_format", t->result_format, err) != OK ||
        check_format(file, "search_base", server_value(t, "search_base", ""), err) != OK)
        return INVALID;
    return arena_failed(a) ? error_set(err, FAILED, "no memory") : OK;
}

enum result server_parse(struct slice type, struct slice file, struct slice text, struct arena *a,
                         struct server_table *ret, struct error *err)
{
    struct server_table t = {.type = arena_dup(a, type)};
    struct table_lines lines;
    struct slice line;
    enum result r = OK;
    table_lines_init(&lines, text);
    while (r == OK && table_lines_next(&lines, &line))
        r = take_line(&t, file, lines.first, line, a, err);
    if (r == OK && !buf_ok(&lines.joined))
        r = error_set(err, FAILED, "no memory");
    table_lines_release(&lines);
    r = r == OK ? complete(&t, file, a, err) : r;
    if (r == OK)
        *ret = t;
    return r;
}
