/* directory_db.c: the directory's lists of passdb and userdb, and the files that they read. */
#include "auth/directory_impl.h"
#include "auth/password.h"

#include <stdlib.h>

enum { DATABASES_MAX = 64 };

struct reporting {
    directory_problem_fn *problem;
    void *arg;
    struct slice path;
};

static void report(void *arg, unsigned line, const char *reason)
{
    struct reporting *r = arg;
    r->problem(r->arg, r->path, line, reason);
}

static enum result add(struct auth_databases *list, const struct auth_database *db)
{
    if (list->n == DATABASES_MAX)
        return LIMIT;
    if (!list->items)
        list->items = calloc(DATABASES_MAX, sizeof *list->items);
    if (!list->items)
        return FAILED;
    list->items[list->n++] = *db;
    return OK;
}

static const struct directory_file *find_bytes(const struct directory_source *s, struct slice path)
{
    for (size_t i = 0; i < s->n_databases; i++)
        if (slice_eq(s->databases[i].path, path))
            return &s->databases[i];
    return NULL;
}

static void check_forms(const struct auth_database *db, struct reporting *r)
{
    for (size_t i = 0; i < passwd_file_count(db->file); i++) {
        const struct passwd_user *u = passwd_file_at(db->file, i);
        struct error err = {""};
        struct buf stored;
        buf_init(&stored, 2 * PASSWORD_STORED_MAX);
        auth_database_stored(db, u->password, &stored);
        if (u->password.len && password_check_form(buf_slice(&stored), &err) != OK)
            report(r, u->line, err.text);
        buf_release(&stored);
    }
}

/* The file of that path, read once however many databases name it. */
static enum result open_file(struct directory *d, const struct directory_source *s,
                             struct auth_database *db, struct reporting *r)
{
    for (size_t i = 0; i < d->n_files; i++)
        if (slice_is(db->path, d->files[i].path)) {
            db->file = d->files[i].file;
            return OK;
        }
    const struct directory_file *bytes = find_bytes(s, db->path);
    struct account_file f = {.path = strndup(db->path.data, db->path.len)};
    struct account_file *files = realloc(d->files, (d->n_files + 1) * sizeof *files);
    d->files = files ? files : d->files;
    enum result got = FAILED;
    if (f.path && files)
        got = passwd_file_parse(bytes ? bytes->bytes : SLICE_NONE, report, r, &f.file);
    if (got == LIMIT) {
        report(r, 0, "the file is too large");
        got = passwd_file_parse(SLICE_NONE, NULL, NULL, &f.file);
    }
    if (got != OK) {
        free(f.path);
        return FAILED;
    }
    d->files[d->n_files++] = f;
    db->file = f.file;
    if (!db->deny)
        check_forms(db, r);
    return OK;
}

static enum result add_items(struct directory *d, const struct directory_source *s,
                             struct slice_list items, struct auth_databases *to,
                             const char *setting, struct reporting *r)
{
    enum result done = OK;
    for (size_t i = 0; done == OK && i < items.n; i++) {
        struct auth_database db;
        struct error why = {""};
        r->path = slice_cstr(setting);
        if (auth_database_parse(items.items[i], &db, &why) != OK) {
            report(r, 0, why.text);
            continue;
        }
        db.index = (unsigned)i;
        db.of_userdb = to == &d->user;
        r->path = db.path;
        if (db.driver == DRIVER_PASSWD_FILE)
            done = open_file(d, s, &db, r);
        if (done == OK)
            done = add(to, &db);
    }
    return done;
}

static bool has_driver(const struct auth_databases *list, enum auth_driver driver)
{
    for (size_t i = 0; i < list->n; i++)
        if (list->items[i].driver == driver)
            return true;
    return false;
}

/* Dovecot's userdb static has a user for every name; whether there is such a user, it asks the
 * passdb, unless allow_all_users is set. */
static bool static_asks_passdb(const struct auth_databases *list)
{
    bool found = false;
    for (size_t i = 0; i < list->n; i++)
        found = found || (list->items[i].driver == DRIVER_STATIC && !list->items[i].all);
    return found;
}

/* An account of the passdb is one for mail too, where userdb does not say otherwise. */
static enum result derive(struct directory *d, bool servers_alone)
{
    enum result r = OK;
    for (size_t i = 0; r == OK && i < d->pass.n; i++) {
        struct auth_database db = d->pass.items[i];
        bool server = db.driver == DRIVER_SQL || db.driver == DRIVER_LDAP;
        bool system = db.driver == DRIVER_PAM || db.driver == DRIVER_SHADOW ||
                      db.driver == DRIVER_SASLAUTHD || db.driver == DRIVER_DOVECOT;
        if (db.deny || db.file == d->users || (servers_alone && !server))
            continue;
        if (system) {
            db.driver = DRIVER_PASSWD;
            db.name = auth_driver_name(DRIVER_PASSWD);
        }
        if (db.driver != DRIVER_PASSWD || !has_driver(&d->user, DRIVER_PASSWD))
            r = add(&d->user, &db);
    }
    return r;
}

/* Without a passdb: the program that the old stack's SMTP server asked. Where Dovecot's
 * configuration is ours, we are what listens there. */
static enum result add_neighbour(struct directory *d)
{
    const struct conf *c = d->conf;
    struct auth_database db = {.driver = DRIVER_DOVECOT, .name = "dovecot"};
    bool dovecot = slice_is(c->smtpd_sasl_type, "dovecot");
    bool asks = dovecot && c->dovecot_config.len == 0 && c->smtpd_sasl_path.len > 0;
    for (size_t i = 0; i < c->pwcheck_method.n && !dovecot && !asks; i++)
        asks = slice_is_nocase(c->pwcheck_method.items[i], "saslauthd");
    if (!dovecot) {
        db.driver = DRIVER_SASLAUTHD;
        db.name = "saslauthd";
    }
    return asks ? add(&d->pass, &db) : OK;
}

enum result directory_add_databases(struct directory *d, const struct directory_source *s,
                                    directory_problem_fn *problem, void *arg)
{
    const struct conf *c = d->conf;
    struct reporting rep = {problem, arg, SLICE("")};
    const struct auth_database own = {.driver = DRIVER_PASSWD_FILE,
                                      .name = "users_file",
                                      .final = true,
                                      .path = slice_cstr(d->users_path),
                                      .file = d->users};
    const struct auth_database pam = {
        .driver = DRIVER_PAM, .name = "pam", .service = c->pam_service};
    enum result r = add(&d->pass, &own);
    if (r == OK)
        r = add(&d->user, &own);
    if (r == OK && c->pam_service.len)
        r = add(&d->pass, &pam);
    if (r == OK)
        r = add_items(d, s, c->passdb, &d->pass, "passdb", &rep);
    if (r == OK && c->pam_service.len == 0 && c->passdb.n == 0)
        r = add_neighbour(d);
    if (r == OK)
        r = add_items(d, s, c->userdb, &d->user, "userdb", &rep);
    bool passdb_knows = c->userdb.n == 0 || static_asks_passdb(&d->user);
    if (r == OK && (passdb_knows || has_driver(&d->user, DRIVER_PREFETCH)))
        r = derive(d, !passdb_knows);
    if (r == OK && c->pam_service.len && !has_driver(&d->user, DRIVER_PASSWD))
        r = add(&d->user, &(const struct auth_database){.driver = DRIVER_PASSWD, .name = "passwd"});
    if (r == LIMIT)
        problem(arg, SLICE("passdb"), 0, "more than 64 databases: the rest is left out");
    return r == FAILED ? FAILED : OK;
}

void directory_free_databases(struct directory *d)
{
    for (size_t i = 0; i < d->n_files; i++) {
        passwd_file_free(d->files[i].file);
        free(d->files[i].path);
    }
    free(d->files);
    free(d->pass.items);
    free(d->user.items);
}

const struct auth_databases *directory_passdbs(const struct directory *d)
{
    return &d->pass;
}

const struct auth_databases *directory_userdbs(const struct directory *d)
{
    return &d->user;
}

/* Of one database, by its own username_format. */
static const struct passwd_user *find_in(const struct auth_database *db, struct slice name)
{
    struct arena a;
    struct slice key;
    const struct passwd_user *u = NULL;
    if (db->driver != DRIVER_PASSWD_FILE || db->deny)
        return NULL;
    arena_init(&a, 4096);
    if (auth_database_name(db, name, &a, &key) == OK)
        u = passwd_file_find(db->file, key);
    arena_release(&a);
    return u;
}

const struct passwd_user *directory_find_login(const struct directory *d, struct slice login,
                                               const struct auth_database **ret_db)
{
    struct arena a;
    struct slice name;
    const struct passwd_user *u = NULL;
    arena_init(&a, 4096);
    enum result r = auth_login_name(d->conf, login, &a, &name, NULL);
    for (size_t i = 0; r == OK && !u && i < d->pass.n; i++) {
        if (d->pass.items[i].driver != DRIVER_PASSWD_FILE)
            continue;
        u = directory_passdb_find(d, &d->pass.items[i], name);
        if (u)
            *ret_db = &d->pass.items[i];
    }
    arena_release(&a);
    return u;
}

const struct passwd_user *directory_account(const struct directory *d, struct slice name)
{
    const struct passwd_user *u = NULL;
    for (size_t i = 0; !u && i < d->user.n; i++)
        u = find_in(&d->user.items[i], name);
    return u;
}

const char *directory_account_path(const struct directory *d, const struct passwd_user *u)
{
    for (size_t i = 0; i < d->n_files; i++)
        if (passwd_file_find(d->files[i].file, u->name) == u)
            return d->files[i].path;
    return d->users_path;
}

enum directory_outside directory_outside(const struct directory *d)
{
    enum directory_outside most = OUTSIDE_NONE;
    for (size_t i = 0; i < d->user.n; i++) {
        enum auth_driver driver = d->user.items[i].driver;
        if (driver == DRIVER_SQL || driver == DRIVER_LDAP || driver == DRIVER_STATIC)
            return OUTSIDE_ADDRESSES;
        if (driver == DRIVER_PASSWD)
            most = OUTSIDE_NAMES;
    }
    return most;
}

/* In a passdb: as the login was written, else its local part where the domain is ours. */
const struct passwd_user *directory_passdb_find(const struct directory *d,
                                                const struct auth_database *db, struct slice login)
{
    struct arena a;
    struct slice key;
    const struct passwd_user *u = NULL;
    arena_init(&a, 4096);
    if (auth_database_name(db, login, &a, &key) == OK)
        u = passwd_file_find(db->file, key);
    if (!u) {
        struct slice user = directory_local_user(d, login);
        if (user.data)
            u = passwd_file_find(db->file, user);
    }
    arena_release(&a);
    return u;
}
