/* auth.c: passdb and userdb blocks of all versions as our `passdb` and `userdb`: what is said in
 * args (2.3 and before) or in settings of the driver (2.4) gets one form. */
#include "conf/dovecot/map.h"

enum { ITEM_MAX = 32 * 1024, LIST_MAX = 64 * 1024 };

/* One block under way. */
struct database {
    struct map_dovecot *map;
    const struct dovecot_node *block;
    bool pass;           /* passdb, else userdb */
    struct slice driver; /* "" not told yet */
    struct buf item;
    bool drop; /* told of, and left out */
};

struct databases {
    struct map_dovecot *map;
    bool pass;
    struct buf list;
    const struct dovecot_node *from; /* the first block */
    bool any;                        /* also one that is left out */
};

static bool is_driver(const struct database *d, const char *name)
{
    return slice_is(d->driver, name);
}

static void put(struct database *d, const struct dovecot_node *n, const char *key,
                struct slice value)
{
    map_field(d->map, n, &d->item, key, value);
}

/* ---- args of 2.3 and before ---- */

static bool next_word(struct slice *rest, struct slice *ret)
{
    *rest = slice_trim(*rest);
    *ret = slice_split(rest, ' ');
    return ret->len > 0;
}

static struct slice word_value(struct slice word, const char *key)
{
    struct slice name = slice_split(&word, '=');
    return slice_is(name, key) ? word : SLICE_NONE;
}

static void pam_word(struct database *d, const struct dovecot_node *n, struct slice word)
{
    bool option = slice_find(word, '=') != SIZE_MAX || word.data[0] == '-';
    if (!option)
        put(d, n, "service", word);
    else if (slice_is(word, "session=yes") || slice_is(word, "setcred=yes"))
        map_note(d->map, n, "%.*s: PAM is asked for the password and the account alone",
                 SLICE_ARG(word));
}

static void file_word(struct database *d, const struct dovecot_node *n, struct slice word)
{
    struct slice scheme = word_value(word, "scheme"), format = word_value(word, "username_format");
    if (scheme.data)
        put(d, n, "scheme", scheme);
    else if (format.data)
        put(d, n, "username_format", format);
    else
        put(d, n, "path", word);
}

static void take_words(struct database *d, const struct dovecot_node *n, struct slice args)
{
    struct slice word;
    while (next_word(&args, &word)) {
        if (is_driver(d, "pam"))
            pam_word(d, n, word);
        else if (is_driver(d, "passwd-file"))
            file_word(d, n, word);
    }
}

static void take_args(struct database *d, const struct dovecot_node *n)
{
    struct slice args = map_value(d->map, n);
    if (is_driver(d, "static"))
        put(d, n, "fields", args);
    else if (is_driver(d, "sql") || is_driver(d, "ldap"))
        put(d, n, "config", args);
    else
        take_words(d, n, args);
}

/* ---- settings within the block ---- */

/* 2.4 allows each name with and without what it begins with in full. */
static struct slice short_name(struct slice key)
{
    static const char *const prefixes[] = {"passdb_", "userdb_", "sql_",
                                           "ldap_",   "pam_",    "static_"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (slice_starts(key, slice_cstr(prefixes[i])))
            key = slice_from(key, strlen(prefixes[i]));
    return key;
}

/* Settings that are carried over under a name of ours. */
static const struct {
    const char *theirs, *ours;
} carried[] = {
    {"passwd_file_path", "path"},
    {"default_password_scheme", "scheme"},
    {"auth_username_format", "username_format"},
    {"service_name", "service"},
    {"query", "query"},
    {"filter", "filter"},
    {"base", "base"},
    {"bind", "bind"},
    {"bind_userdn", "bind_userdn"},
    {"uris", "uris"},
    {"auth_dn", "dn"},
    {"auth_dn_password", "dnpass"},
    {"scope", "scope"},
    {"starttls", "tls"},
    {"password", "password"},
    {"allow_all_users", "allow_all_users"},
};

/* Settings whose default does no harm, and which say something else than we do otherwise. */
static const struct {
    const char *name, *fine;
} strict[] = {
    {"username_filter", ""},        {"mechanisms", ""},
    {"mechanisms_filter", ""},      {"result_success", "return-ok"},
    {"result_failure", "continue"}, {"result_internalfail", "continue"},
};

static const char *const no_effect[] = {
    "skip",          "auth_verbose",   "use_worker", "cache_key",         "use_cache",
    "iterate_query", "iterate_filter", "session",    "max_requests",      "failure_show_msg",
    "setcred",       "driver",         "args",       "hidden_keep_alive", "result_success_log",
    "iterate_fields"};

static bool take_strict(struct database *d, const struct dovecot_node *n, struct slice key)
{
    for (size_t i = 0; i < sizeof strict / sizeof *strict; i++)
        if (slice_is(key, strict[i].name)) {
            if (!slice_is(n->value, strict[i].fine))
                map_error(d->map, n,
                          "%.*s = %.*s is not served: every passdb is asked in turn until one "
                          "knows the password",
                          SLICE_ARG(n->key), SLICE_ARG(n->value));
            return true;
        }
    return false;
}

static bool has_no_effect(struct slice key)
{
    for (size_t i = 0; i < sizeof no_effect / sizeof *no_effect; i++)
        if (slice_is(key, no_effect[i]))
            return true;
    return false;
}

static void take_kind(struct database *d, const struct dovecot_node *n, struct slice key)
{
    bool yes = map_yes(d->map, n, true);
    if (slice_is(key, "deny") && yes)
        put(d, n, "deny", SLICE("yes"));
    if (slice_is(key, "master") && yes) {
        map_note(d->map, n, "a passdb of master users is not served: master users can't log in");
        d->drop = true;
    }
    if (slice_is(key, "pass") && yes)
        map_note(d->map, n, "pass = yes is of master users, which are not served");
}

static void take_setting(struct database *d, const struct dovecot_node *n)
{
    struct slice key = short_name(n->key);
    for (size_t i = 0; i < sizeof carried / sizeof *carried; i++)
        if (slice_is(key, carried[i].theirs) || slice_is(n->key, carried[i].theirs)) {
            put(d, n, carried[i].ours, map_value(d->map, n));
            return;
        }
    if (slice_is(key, "deny") || slice_is(key, "master") || slice_is(key, "pass"))
        take_kind(d, n, key);
    else if (slice_is(key, "default_fields") || slice_is(key, "override_fields"))
        put(d, n, "fields", map_value(d->map, n));
    else if (!take_strict(d, n, key) && !has_no_effect(key))
        map_note(d->map, n, "%.*s is not served in a %.*s block: remove it", SLICE_ARG(n->key),
                 SLICE_ARG(d->block->key));
}

/* fields { nopassword = yes }: as the words of 2.3's args. */
static void take_fields(struct database *d, const struct dovecot_node *block)
{
    struct buf fields;
    buf_init(&fields, ITEM_MAX);
    MAP_EACH(n, block)
    buf_printf(&fields, "%s%.*s=%.*s", buf_len(&fields) ? " " : "", SLICE_ARG(n->key),
               SLICE_ARG(n->value));
    put(d, block, "fields", buf_slice(&fields));
    buf_release(&fields);
}

/* ---- the connection of 2.4, which stands in the root ---- */

static void put_word(struct buf *connect, struct slice key, struct slice value)
{
    buf_printf(connect, "%s%.*s=%.*s", buf_len(connect) ? " " : "", SLICE_ARG(key),
               SLICE_ARG(value));
}

/* mysql HOST { user = … }; pgsql HOST { parameters { user = … } }. */
static void take_server(struct buf *connect, const struct dovecot_node *server)
{
    put_word(connect, SLICE("host"), server->value);
    MAP_EACH(n, server)
    {
        if (!n->block)
            put_word(connect, n->key, n->value);
        else
            MAP_EACH(p, n)
        put_word(connect, p->key, p->value);
    }
}

static const struct dovecot_node *setting_of(const struct database *d, const char *key)
{
    return dovecot_find_outwards(d->block, key);
}

static void take_sql_server(struct database *d)
{
    const struct dovecot_node *driver = setting_of(d, "sql_driver");
    struct buf connect;
    if (!driver)
        return;
    buf_init(&connect, ITEM_MAX);
    put(d, driver, "sql", driver->value);
    const struct dovecot_node *path = setting_of(d, "sqlite_path");
    if (path && slice_is(driver->value, "sqlite"))
        buf_append(&connect, path->value);
    MAP_EACH(n, d->map->root)
    if (n->block && slice_eq(n->key, driver->value)) {
        take_server(&connect, n);
        break;
    }
    put(d, driver, "connect", buf_slice(&connect));
    buf_release(&connect);
}

static void take_ldap_server(struct database *d)
{
    static const char *const keys[][2] = {
        {"ldap_uris", "uris"}, {"ldap_auth_dn", "dn"},  {"ldap_auth_dn_password", "dnpass"},
        {"ldap_base", "base"}, {"ldap_scope", "scope"}, {"ldap_starttls", "tls"},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct dovecot_node *n = dovecot_find(d->map->root, keys[i][0]);
        if (n)
            put(d, n, keys[i][1], map_value(d->map, n));
    }
}

/* ---- a block ---- */

static bool known_driver(const struct database *d)
{
    static const char *const both[] = {"passwd", "passwd-file", "static", "sql", "ldap"};
    static const char *const of_pass[] = {"pam", "shadow"};
    for (size_t i = 0; i < sizeof both / sizeof *both; i++)
        if (is_driver(d, both[i]))
            return true;
    for (size_t i = 0; i < sizeof of_pass / sizeof *of_pass; i++)
        if (d->pass && is_driver(d, of_pass[i]))
            return true;
    return !d->pass && is_driver(d, "prefetch");
}

static void tell_driver(struct database *d)
{
    const struct dovecot_node *deny = dovecot_find(d->block, "deny");
    d->drop = true;
    if (deny && map_yes(d->map, deny, true))
        map_error(d->map, d->block,
                  "a passdb that denies with driver %.*s is not served: name the users in a "
                  "passwd-file",
                  SLICE_ARG(d->driver));
    else
        map_note(d->map, d->block,
                 "%.*s driver `%.*s` is not served: its users are unknown here; pam, passwd, "
                 "shadow, passwd-file, static, sql and ldap are served",
                 SLICE_ARG(d->block->key), SLICE_ARG(d->driver));
}

static void find_driver(struct database *d)
{
    MAP_EACH(n, d->block)
    if (!n->block && slice_is(short_name(n->key), "driver"))
        d->driver = n->value;
    if (!d->driver.len)
        d->driver = d->block->value; /* 2.4 and 1.x: passdb pam { … } */
}

static void check_path(struct database *d)
{
    MAP_EACH(n, d->block)
    {
        struct slice v = n->value;
        size_t slash = slice_find(v, '/');
        bool path = slice_is(n->key, "args") || slice_is(n->key, "passwd_file_path");
        if (!n->block && path && slash != SIZE_MAX &&
            slice_find(slice_from(v, slash), '%') != SIZE_MAX && is_driver(d, "passwd-file"))
            map_error(d->map, n,
                      "a passwd-file with a %% in its path is not served: put the accounts of all "
                      "domains into one file, with their whole addresses");
    }
}

static void read_block(struct database *d)
{
    if (d->pass && is_driver(d, "pam") && !dovecot_find(d->block, "args") &&
        !dovecot_find(d->block, "service_name"))
        put(d, d->block, "service", SLICE("dovecot"));
    if (is_driver(d, "sql") && !dovecot_find(d->block, "args"))
        take_sql_server(d);
    if (is_driver(d, "ldap") && !dovecot_find(d->block, "args"))
        take_ldap_server(d);
    check_path(d);
    MAP_EACH(n, d->block)
    {
        if (n->block)
            take_fields(d, n);
        else if (slice_is(n->key, "args"))
            take_args(d, n);
        else
            take_setting(d, n);
    }
}

static void take_block(struct databases *all, const struct dovecot_node *block)
{
    struct database d = {.map = all->map, .block = block, .pass = all->pass};
    all->any = true;
    buf_init(&d.item, ITEM_MAX);
    find_driver(&d);
    if (!d.driver.len) {
        map_error(all->map, block, "%.*s: `driver` is missing", SLICE_ARG(block->key));
        d.drop = true;
    } else if (!known_driver(&d)) {
        tell_driver(&d);
    } else {
        put(&d, block, "driver", d.driver);
        read_block(&d);
    }
    if (!d.drop && !buf_ok(&d.item))
        map_error(all->map, block, "the block is too long");
    if (!d.drop) {
        buf_printf(&all->list, "%s{%.*s}", buf_len(&all->list) ? ", " : "",
                   SLICE_ARG(buf_slice(&d.item)));
        all->from = all->from ? all->from : block;
    }
    buf_release(&d.item);
}

/* 0.99: auth_passdb = passwd-file /etc/users. */
static void take_flat(struct databases *all, const struct dovecot_node *n)
{
    struct slice args = n->value;
    struct slice driver = slice_split(&args, ' ');
    struct dovecot_node block = *n, setting = *n;
    block.key = all->pass ? SLICE("passdb") : SLICE("userdb");
    block.value = driver;
    block.block = true;
    block.first = block.last = args.data ? &setting : NULL;
    setting.key = SLICE("args");
    setting.value = args;
    setting.parent = &block;
    setting.next = NULL;
    take_block(all, &block);
    if (all->from == &block)
        all->from = n;
}

static void take_blocks(struct databases *all, const struct dovecot_node *in)
{
    const char *key = all->pass ? "passdb" : "userdb";
    const char *flat = all->pass ? "auth_passdb" : "auth_userdb";
    MAP_EACH(n, in)
    {
        if (n->block && slice_is(n->key, key))
            take_block(all, n);
        else if (n->block && slice_is(n->key, "auth"))
            take_blocks(all, n);
        else if (!n->block && slice_is(n->key, flat))
            take_flat(all, n);
    }
}

/* Without any, Dovecot 0.99 and 1 ask PAM and the system's accounts; 2 does not start. */
static void take_default(struct databases *all)
{
    buf_puts(&all->list, all->pass ? "{driver=pam, service=dovecot}" : "{driver=passwd}");
    if (all->pass)
        map_note(all->map, all->map->root,
                 "there is no passdb: PAM's service dovecot is asked, as by Dovecot 1");
}

/* True: there is at least one block of that kind. `alone`: without one, Dovecot 1's default holds.
 */
static bool map_kind(struct map_dovecot *m, bool pass, bool alone)
{
    struct databases all = {.map = m, .pass = pass};
    buf_init(&all.list, LIST_MAX);
    take_blocks(&all, m->root);
    bool any = all.any;
    if (!any && alone)
        take_default(&all);
    const struct dovecot_node *from = all.from ? all.from : m->root;
    if (!buf_ok(&all.list))
        map_error(m, from, "the passdb or userdb blocks are too many");
    else
        map_set(m, from, pass ? "passdb" : "userdb", buf_slice(&all.list));
    buf_release(&all.list);
    return any;
}

void map_databases(struct map_dovecot *m)
{
    bool any = map_kind(m, true, true);
    (void)map_kind(m, false, !any);
}
