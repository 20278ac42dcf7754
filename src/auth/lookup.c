#include "auth/lookup.h"

#include "auth/password.h"
#include "conf/dovecot/tree.h"
#include "conf/fields.h"

static const char default_query[] =
    "SELECT username, domain, password FROM users WHERE username = '%n' AND domain = '%d'";
static const char default_user_query[] =
    "SELECT home, uid, gid FROM users WHERE username = '%n' AND domain = '%d'";

struct slice lookup_field(const struct lookup_row *row, const char *name)
{
    for (size_t i = 0; i < row->n; i++)
        if (slice_is_nocase(row->names[i], name))
            return row->values[i];
    return SLICE_NONE;
}

void lookup_add(struct lookup_row *row, struct arena *a, struct slice name, struct slice value)
{
    if (row->n == LOOKUP_FIELDS_MAX || value.len > LOOKUP_FIELD_MAX)
        return;
    row->names[row->n] = arena_dup(a, name);
    row->values[row->n] = arena_dup(a, value);
    row->n += row->names[row->n].data && row->values[row->n].data;
}

/* ---- configuration ---- */

static bool yes(struct slice v)
{
    return slice_is_nocase(v, "yes") || slice_is_nocase(v, "y") || slice_is_nocase(v, "try");
}

/* The settings of both kinds, by their names in the files and in our items. */
static void take_setting(struct lookup_config *c, struct slice key, struct slice value)
{
    const struct {
        const char *key;
        struct slice *to;
    } texts[] = {
        {"driver", &c->driver},
        {"sql", &c->driver},
        {"connect", &c->connect},
        {"password_query", &c->password_query},
        {"query", &c->password_query},
        {"user_query", &c->user_query},
        {"default_pass_scheme", &c->scheme},
        {"scheme", &c->scheme},
        {"uris", &c->uris},
        {"dn", &c->dn},
        {"dnpass", &c->dnpass},
        {"base", &c->base},
        {"scope", &c->scope},
        {"auth_bind_userdn", &c->bind_userdn},
        {"bind_userdn", &c->bind_userdn},
        {"pass_filter", &c->password_query},
        {"filter", &c->password_query},
        {"user_filter", &c->user_query},
        {"pass_attrs", &c->password_attrs},
        {"user_attrs", &c->user_attrs},
        {"fields", &c->password_attrs},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (slice_is(key, texts[i].key))
            *texts[i].to = value;
    if (slice_is(key, "auth_bind") || slice_is(key, "bind"))
        c->bind = yes(value);
    if (slice_is(key, "tls"))
        c->tls = yes(value);
}

/* "hosts = a:389 b" as uris. */
static void take_hosts(struct lookup_config *c, struct slice hosts, struct arena *a)
{
    struct buf out;
    buf_init(&out, 4096);
    while (hosts.data) {
        struct slice host = slice_split(&hosts, ' ');
        if (host.len)
            buf_printf(&out, "%sldap://%.*s", buf_len(&out) ? " " : "", SLICE_ARG(host));
    }
    c->uris = arena_dup(a, buf_slice(&out));
    buf_release(&out);
}

static enum result read_config(struct slice path, struct arena *a, struct lookup_config *c,
                               struct error *err)
{
    struct conf_errors errors;
    struct dovecot_node *root = NULL;
    struct slice name = arena_dup(a, path);
    conf_errors_init(&errors);
    enum result r = FAILED;
    if (name.data)
        r = dovecot_tree(&dovecot_disk, name.data, a, &errors, &root);
    if (r == OK && errors.count) {
        struct slice text = buf_slice(&errors.text);
        r = error_set(err, INVALID, "%.*s", SLICE_ARG(slice_split(&text, '\n')));
    } else if (r != OK) {
        r = error_set(err, FAILED, "no memory");
    }
    conf_errors_release(&errors);
    for (const struct dovecot_node *n = r == OK ? root->first : NULL; n; n = n->next) {
        if (slice_is(n->key, "hosts"))
            take_hosts(c, n->value, a);
        else if (!n->block)
            take_setting(c, n->key, n->value);
    }
    return r;
}

static void set_defaults(const struct auth_database *db, struct lookup_config *c)
{
    bool ldap = db->driver == DRIVER_LDAP;
    struct {
        struct slice *to;
        struct slice value;
    } defaults[] = {
        {&c->password_query,
         ldap ? SLICE("(&(objectClass=posixAccount)(uid=%u))") : slice_cstr(default_query)},
        {&c->user_query,
         ldap ? SLICE("(&(objectClass=posixAccount)(uid=%u))") : slice_cstr(default_user_query)},
        {&c->password_attrs, SLICE("uid=user,userPassword=password")},
        {&c->user_attrs, SLICE("uid=user")},
        {&c->scheme, ldap ? SLICE("CRYPT") : SLICE("MD5")},
        {&c->scope, SLICE("subtree")},
    };
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (!defaults[i].to->len)
            *defaults[i].to = defaults[i].value;
}

enum result lookup_configure(const struct auth_database *db, struct arena *a,
                             struct lookup_config *ret, struct error *err)
{
    struct lookup_config c = {.driver = SLICE("")};
    struct slice rest = db->item, key, value, path = conf_field(db->item, "config");
    if (path.len && read_config(path, a, &c, err) != OK)
        return INVALID;
    while (conf_field_next(&rest, &key, &value))
        if (!slice_is(key, "driver"))
            take_setting(&c, key, value);
    if (db->driver == DRIVER_LDAP)
        c.driver = SLICE("ldap");
    else if (!slice_is(c.driver, "pgsql") && !slice_is(c.driver, "mysql") &&
             !slice_is(c.driver, "sqlite"))
        return error_set(err, INVALID,
                         "SQL driver `%.*s` is not served: pgsql, mysql and sqlite are",
                         SLICE_ARG(c.driver));
    /* 2.4: one query, in the userdb's own item. */
    if (db->of_userdb && conf_field(db->item, "query").len)
        c.user_query = conf_field(db->item, "query");
    if (db->of_userdb && conf_field(db->item, "filter").len)
        c.user_query = conf_field(db->item, "filter");
    set_defaults(db, &c);
    *ret = c;
    return OK;
}

static bool is_key(struct slice text, size_t at, const char *key, size_t n)
{
    return (at == 0 || text.data[at - 1] == ' ') && at + n < text.len &&
           memcmp(text.data + at, key, n) == 0 && text.data[at + n] == '=';
}

struct slice lookup_connect_value(struct slice connect, const char *key, struct arena *a)
{
    size_t n = strlen(key);
    for (size_t i = 0; i < connect.len; i++) {
        if (!is_key(connect, i, key, n))
            continue;
        struct slice v = slice_from(connect, i + n + 1);
        bool quoted = v.len && v.data[0] == '\'';
        if (quoted)
            v = slice_from(v, 1);
        return arena_dup(a, slice_sub(v, 0, slice_find(v, quoted ? '\'' : ' ')));
    }
    return SLICE("");
}

/* ---- questions ---- */

static enum result ask(const struct lookup_config *c, const struct format_names *n, bool user,
                       struct arena *a, struct lookup_row *ret, struct error *err)
{
    struct slice query = user ? c->user_query : c->password_query;
    if (slice_is(c->driver, "ldap"))
        return lookup_ldap(c, n, user, a, ret, err);
    if (slice_is(c->driver, "pgsql"))
        return lookup_pgsql(c, query, n, a, ret, err);
    if (slice_is(c->driver, "mysql"))
        return lookup_mysql(c, query, n, a, ret, err);
    return lookup_sqlite(c, query, n, a, ret, err);
}

/* "user", or "username" and "domain". */
static void put_user(const struct lookup_row *row, struct buf *out)
{
    struct slice user = lookup_field(row, "user"), name = lookup_field(row, "username"),
                 domain = lookup_field(row, "domain");
    if (user.len)
        buf_printf(out, "user=%.*s ", SLICE_ARG(user));
    else if (name.len && domain.len && slice_find(name, '@') == SIZE_MAX)
        buf_printf(out, "user=%.*s@%.*s ", SLICE_ARG(name), SLICE_ARG(domain));
    else if (name.len)
        buf_printf(out, "user=%.*s ", SLICE_ARG(name));
}

/* Limits of the account's own: quota_rule, quota_rule2 … */
static void put_quota(const struct lookup_row *row, struct buf *out)
{
    for (size_t i = 0; i < row->n; i++) {
        struct slice name = row->names[i];
        if (slice_starts(name, SLICE("userdb_")))
            name = slice_from(name, 7);
        if (slice_starts(name, SLICE("quota_rule")) && row->values[i].len &&
            slice_find(row->values[i], ' ') == SIZE_MAX)
            buf_printf(out, "%.*s=%.*s ", SLICE_ARG(name), SLICE_ARG(row->values[i]));
    }
}

static enum result keep_fields(const struct buf *fields, struct arena *a, struct slice *ret,
                               struct error *err)
{
    struct slice text = buf_ok(fields) ? arena_dup(a, slice_trim(buf_slice(fields))) : SLICE_NONE;
    if (!text.data)
        return error_set(err, FAILED, "the account's limits and other fields are above %d bytes",
                         LOOKUP_KNOWN_MAX);
    *ret = text;
    return OK;
}

/* Fields that say who, and from where. */
static enum result put_fields(const struct lookup_row *row, struct arena *a, struct slice *ret,
                              struct error *err)
{
    static const char *const kept[] = {"allow_nets", "nologin"};
    struct buf out;
    buf_init(&out, LOOKUP_KNOWN_MAX);
    put_user(row, &out);
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        struct slice v = lookup_field(row, kept[i]);
        if (v.len)
            buf_printf(&out, "%s=%.*s ", kept[i], SLICE_ARG(v));
    }
    put_quota(row, &out);
    enum result r = keep_fields(&out, a, ret, err);
    buf_release(&out);
    return r;
}

static enum result verify(const struct lookup_config *c, const struct lookup_row *row,
                          struct slice password, struct error *err)
{
    const struct auth_database scheme = {.scheme = c->scheme};
    struct slice stored = lookup_field(row, "password");
    struct buf form;
    if (lookup_field(row, "proxy").len)
        return error_set(err, DENIED, "the account is on another server (proxy)");
    if (lookup_field(row, "nopassword").len)
        return OK;
    if (stored.len == 0)
        return error_set(err, DENIED, "the account has no password");
    buf_init(&form, 2 * PASSWORD_STORED_MAX);
    auth_database_stored(&scheme, stored, &form);
    enum result r = password_verify(buf_slice(&form), password, err);
    buf_release(&form);
    return r == INVALID ? DENIED : r;
}

enum result lookup_password(const struct lookup_config *c, const struct format_names *n,
                            struct arena *a, struct slice *ret_fields, struct error *err)
{
    struct lookup_row row = {.n = 0};
    enum result r = ask(c, n, false, a, &row, err);
    if (r == OK && !(c->bind && slice_is(c->driver, "ldap")))
        r = verify(c, &row, n->password, err);
    return r == OK ? put_fields(&row, a, ret_fields, err) : r;
}

enum result lookup_user(const struct lookup_config *c, const struct format_names *n,
                        bool by_password, struct arena *a, struct slice *ret_fields,
                        struct error *err)
{
    struct lookup_row row = {.n = 0};
    struct format_names names = *n;
    struct buf out;
    names.password = SLICE_NONE;
    enum result r = ask(c, &names, !by_password, a, &row, err);
    if (r != OK)
        return r;
    buf_init(&out, LOOKUP_KNOWN_MAX);
    put_quota(&row, &out);
    r = keep_fields(&out, a, ret_fields, err);
    buf_release(&out);
    return r;
}
