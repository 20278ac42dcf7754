#include "conf/postfix/table_parameters.h"

#include "conf/table.h"

/* What each type's manual page lists. Taken and not used:
 * - idle_interval, retry_interval: each question has a connection of its own;
 * - LDAP: version (3 is spoken, as servers of today want), debuglevel, tls_random_file, and cache,
 *   cache_expiry, cache_size, which Postfix does not use any more either;
 * - memcache: flags, ttl (for writing), max_try, retry_pause (a question is asked once),
 *   line_size_limit, data_size_limit (Postfix's default of 10240 bytes holds). */
static const char *const common[] = {"domain", "expansion_limit", "result_format", NULL};
static const char *const sql_names[] = {
    "query", "table", "select_field", "where_field", "additional_conditions", NULL};
static const char *const pgsql_names[] = {"hosts",         "user",           "password",
                                          "dbname",        "encoding",       "select_function",
                                          "idle_interval", "retry_interval", NULL};
static const char *const mysql_names[] = {"hosts",
                                          "user",
                                          "password",
                                          "dbname",
                                          "charset",
                                          "idle_interval",
                                          "retry_interval",
                                          "option_file",
                                          "option_group",
                                          "require_result_set",
                                          "tls_cert_file",
                                          "tls_key_file",
                                          "tls_CAfile",
                                          "tls_CApath",
                                          "tls_ciphers",
                                          "tls_verify_cert",
                                          NULL};
static const char *const sqlite_names[] = {"dbpath", NULL};
static const char *const ldap_names[] = {"server_host",
                                         "server_port",
                                         "timeout",
                                         "search_base",
                                         "query_filter",
                                         "result_filter",
                                         "result_attribute",
                                         "special_result_attribute",
                                         "terminal_result_attribute",
                                         "leaf_result_attribute",
                                         "scope",
                                         "bind",
                                         "bind_dn",
                                         "bind_pw",
                                         "recursion_limit",
                                         "size_limit",
                                         "dereference",
                                         "chase_referrals",
                                         "version",
                                         "debuglevel",
                                         "start_tls",
                                         "tls_ca_cert_dir",
                                         "tls_ca_cert_file",
                                         "tls_cert",
                                         "tls_key",
                                         "tls_require_cert",
                                         "tls_random_file",
                                         "tls_cipher_suite",
                                         "cache",
                                         "cache_expiry",
                                         "cache_size",
                                         NULL};
static const char *const memcache_names[] = {
    "memcache",        "backup",  "flags",       "ttl",     "key_format", "data_size_limit",
    "line_size_limit", "max_try", "retry_pause", "timeout", "domain",     NULL};

const char *const table_types[] = {"ldap", "mysql", "pgsql", "sqlite", "memcache", NULL};

enum { LISTS_MAX = 3 };

/* The lists that hold for a type; NULL where there are no more. */
static void lists_of(struct slice type, const char *const *ret[static LISTS_MAX])
{
    bool memcache = slice_is(type, "memcache"), ldap = slice_is(type, "ldap");
    ret[0] = memcache ? memcache_names : common;
    ret[1] = memcache ? NULL : ldap ? ldap_names : sql_names;
    ret[2] = memcache || ldap           ? NULL
             : slice_is(type, "sqlite") ? sqlite_names
             : slice_is(type, "pgsql")  ? pgsql_names
                                        : mysql_names;
}

bool table_parameter_known(struct slice type, struct slice name)
{
    const char *const *lists[LISTS_MAX];
    lists_of(type, lists);
    for (size_t l = 0; l < LISTS_MAX; l++)
        for (size_t i = 0; lists[l] && lists[l][i]; i++)
            if (slice_is(name, lists[l][i]))
                return true;
    return false;
}

const char *table_parameter_suggest(struct slice type, struct slice name)
{
    const char *const *lists[LISTS_MAX], *best = NULL;
    size_t nearest = conf_farthest(name);
    lists_of(type, lists);
    for (size_t l = 0; l < LISTS_MAX; l++)
        for (size_t i = 0; lists[l] && lists[l][i]; i++)
            conf_consider(name, lists[l][i], &best, &nearest);
    return best;
}
