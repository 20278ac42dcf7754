#include "auth/databases.h"

#include "auth/format.h"
#include "conf/fields.h"
#include "conf/source.h"

#include <stdio.h>

static const char *const driver_names[] = {
    [DRIVER_PASSWD_FILE] = "passwd-file",
    [DRIVER_PAM] = "pam",
    [DRIVER_PASSWD] = "passwd",
    [DRIVER_SHADOW] = "shadow",
    [DRIVER_STATIC] = "static",
    [DRIVER_SQL] = "sql",
    [DRIVER_LDAP] = "ldap",
    [DRIVER_SASLAUTHD] = "saslauthd",
    [DRIVER_DOVECOT] = "dovecot",
    [DRIVER_PREFETCH] = "prefetch",
};

const char *auth_driver_name(enum auth_driver d)
{
    return driver_names[d];
}

enum result auth_driver_parse(struct slice word, enum auth_driver *ret)
{
    for (size_t i = 0; i < sizeof driver_names / sizeof *driver_names; i++)
        if (slice_is(word, driver_names[i]) && i != DRIVER_SASLAUTHD && i != DRIVER_DOVECOT) {
            *ret = (enum auth_driver)i;
            return OK;
        }
    return INVALID;
}

void auth_socket_path(const struct conf *c, enum auth_driver d, char *room, size_t size)
{
    struct slice path = d == DRIVER_SASLAUTHD ? c->saslauthd_path : c->smtpd_sasl_path;
    const char *before = "", *behind = "";
    if (d == DRIVER_SASLAUTHD && !slice_ends_nocase(path, SLICE("/mux")))
        behind = "/mux";
    if (d == DRIVER_DOVECOT && !slice_starts(path, SLICE("/")))
        before = "/var/spool/postfix/";
    snprintf(room, size, "%s%.*s%s", before, SLICE_ARG(path), behind);
}

static struct slice text_of(struct slice item, const char *key)
{
    struct slice v = conf_field(item, key);
    return v.data ? v : SLICE("");
}

static bool yes_of(struct slice item, const char *key)
{
    struct slice v = conf_field(item, key);
    return slice_is_nocase(v, "yes") || slice_is_nocase(v, "y");
}

/* The keys of an item: what all drivers have, then those of SQL and LDAP (lookup.c). */
static const char *const keys[] = {"driver",
                                   "path",
                                   "service",
                                   "scheme",
                                   "username_format",
                                   "fields",
                                   "deny",
                                   "config",
                                   "sql",
                                   "connect",
                                   "password",
                                   "allow_all_users",
                                   "query",
                                   "uris",
                                   "dn",
                                   "dnpass",
                                   "base",
                                   "scope",
                                   "tls",
                                   "bind",
                                   "filter",
                                   "bind_userdn",
                                   "password_query",
                                   "user_query",
                                   "default_pass_scheme",
                                   "auth_bind",
                                   "auth_bind_userdn",
                                   "pass_filter",
                                   "user_filter",
                                   "pass_attrs",
                                   "user_attrs",
                                   NULL};

static enum result check_database(const struct auth_database *db, struct error *why)
{
    bool server = db->driver == DRIVER_SQL || db->driver == DRIVER_LDAP;
    if (db->driver == DRIVER_PASSWD_FILE && db->path.len == 0)
        return error_set(why, INVALID, "passwd-file: `path` is missing");
    if (db->driver == DRIVER_PAM && db->service.len == 0)
        return error_set(why, INVALID, "pam: `service` is missing");
    if (server && !conf_field(db->item, "config").len && !conf_field(db->item, "sql").len &&
        !conf_field(db->item, "uris").len)
        return error_set(why, INVALID, "%s: `config` is missing", db->name);
    if (db->username_format.len)
        return format_check(db->username_format, why);
    return OK;
}

enum result auth_database_parse(struct slice item, struct auth_database *ret, struct error *why)
{
    struct auth_database db = {.item = item};
    struct slice driver = text_of(item, "driver");
    if (conf_fields_check(item, keys, why) != OK)
        return INVALID;
    if (auth_driver_parse(driver, &db.driver) != OK)
        return error_set(why, INVALID,
                         "driver `%.*s` is none of passwd-file, pam, passwd, shadow, static, sql, "
                         "ldap and prefetch",
                         SLICE_ARG(driver));
    db.name = auth_driver_name(db.driver);
    db.deny = yes_of(item, "deny");
    db.service = text_of(item, "service");
    db.path = text_of(item, "path");
    db.scheme = text_of(item, "scheme");
    db.username_format = text_of(item, "username_format");
    db.fields = text_of(item, "fields");
    db.password = text_of(item, "password");
    if (!db.password.len)
        db.password = auth_field(db.fields, "password");
    db.all = yes_of(item, "allow_all_users") ||
             slice_is_nocase(auth_field(db.fields, "allow_all_users"), "yes");
    enum result r = check_database(&db, why);
    if (r == OK)
        *ret = db;
    return r;
}

static void check_items(const struct conf *c, struct slice_list items, const char *setting,
                        struct conf_errors *errors)
{
    for (size_t i = 0; i < items.n; i++) {
        struct auth_database db;
        struct error why = {""};
        if (auth_database_parse(items.items[i], &db, &why) != OK)
            conf_error(errors, conf_source(c, setting), 0, "%s, item %zu: %s", setting, i + 1,
                       why.text);
    }
}

enum result auth_databases_check(const struct conf *c, struct conf_errors *errors)
{
    unsigned before = errors->count;
    check_items(c, c->passdb, "passdb", errors);
    check_items(c, c->userdb, "userdb", errors);
    struct error why = {""};
    if (c->auth_username_format.len && format_check(c->auth_username_format, &why) != OK)
        conf_error(errors, conf_source(c, "auth_username_format"), 0, "auth_username_format: %s",
                   why.text);
    return errors->count == before ? OK : INVALID;
}

void auth_database_stored(const struct auth_database *db, struct slice stored, struct buf *out)
{
    if (db->scheme.len && stored.len && stored.data[0] != '{')
        buf_printf(out, "{%.*s}", SLICE_ARG(db->scheme));
    buf_append(out, stored);
}

struct slice auth_field(struct slice fields, const char *key)
{
    while (fields.data) {
        struct slice value = slice_split(&fields, ' ');
        struct slice name = slice_split(&value, '=');
        if (slice_is(name, key))
            return value.data ? value : SLICE("yes");
    }
    return SLICE_NONE;
}

/* "local" is a client on a Unix socket, which POP3 and IMAP have none of. */
bool auth_nets_allow(struct slice allow_nets, struct slice client_ip)
{
    struct slice items[64], rest = allow_nets, entry;
    struct slice_list nets = {items, 0};
    if (!allow_nets.data)
        return true;
    while (rest.data && nets.n < sizeof items / sizeof *items) {
        items[nets.n] = slice_trim(slice_split(&rest, ','));
        nets.n += items[nets.n].len > 0;
    }
    return conf_network_match(nets, client_ip, &entry);
}

static bool realm_known(const struct conf *c, struct slice name)
{
    size_t at = slice_find(name, '@');
    if (at == SIZE_MAX || c->auth_realms.n == 0)
        return true;
    for (size_t i = 0; i < c->auth_realms.n; i++)
        if (slice_eq_nocase(c->auth_realms.items[i], slice_from(name, at + 1)))
            return true;
    return false;
}

static enum result formatted(struct slice format, struct slice name, struct arena *a,
                             struct slice *ret, struct error *why)
{
    struct buf out;
    const struct format_names names = {.user = name};
    buf_init(&out, PASSWD_NAME_MAX);
    enum result r = format_put(format, &names, NULL, NULL, &out, why);
    struct slice copy = arena_dup(a, buf_slice(&out));
    buf_release(&out);
    if (r == OK && !copy.data)
        r = error_set(why, FAILED, "no memory");
    if (r == OK)
        *ret = copy;
    return r;
}

enum result auth_login_name(const struct conf *c, struct slice login, struct arena *a,
                            struct slice *ret, struct error *why)
{
    struct slice name = login;
    if (c->auth_default_realm.len && slice_find(login, '@') == SIZE_MAX)
        name = slice_cstr(
            arena_printf(a, "%.*s@%.*s", SLICE_ARG(login), SLICE_ARG(c->auth_default_realm)));
    if (!name.data)
        return error_set(why, FAILED, "no memory");
    if (!realm_known(c, name))
        return error_set(why, DENIED, "the domain of the name is none of auth_realms");
    enum result r = OK;
    if (c->auth_username_format.len)
        r = formatted(c->auth_username_format, name, a, &name, why);
    if (r == OK && passwd_name_check(name, why) != OK)
        r = INVALID;
    if (r == OK)
        *ret = name;
    return r;
}

enum result auth_database_name(const struct auth_database *db, struct slice name, struct arena *a,
                               struct slice *ret)
{
    if (!db->username_format.len) {
        *ret = name;
        return OK;
    }
    return formatted(db->username_format, name, a, ret, NULL);
}
