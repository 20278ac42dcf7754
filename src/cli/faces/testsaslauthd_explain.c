/* testsaslauthd_explain.c: why a login is refused, told step by step: the socket, the name that
 * login and realm make, then each passdb in the order in which the server asks them: the account
 * with its file and line, and its password, which is never told. Lines begin with "-- ". */
#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/databases.h"
#include "auth/passwd_file.h"
#include "auth/password.h"
#include "cli/faces/testsaslauthd.h"
#include "mime/address.h"

enum { ARENA_MAX = 16384 };

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fputs("-- ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
}

static void explain_folder(const char *path)
{
    char copy[PATH_MAX];
    struct stat st;
    snprintf(copy, sizeof copy, "%s", path);
    const char *folder = dirname(copy);
    if (stat(folder, &st) != 0) {
        say("its folder %s: %s", folder, strerror(errno));
        return;
    }
    const struct group *g = getgrgid(st.st_gid);
    say("its folder %s has mode %04o and group %s: only who may enter it can ask; add the "
        "program's "
        "user to that group (adduser USER %s)",
        folder, (unsigned)st.st_mode & 07777, g ? g->gr_name : "?", g ? g->gr_name : "GROUP");
}

/* Those of saslauthd among our listeners. */
static bool explain_listeners(struct slice_list listeners, const char *setting)
{
    bool any = false;
    for (size_t i = 0; i < listeners.n; i++) {
        if (!slice_starts(listeners.items[i], SLICE("saslauthd:")))
            continue;
        any = true;
        say("Postrider's `%s` has %.*s", setting, SLICE_ARG(listeners.items[i]));
    }
    return any;
}

static void explain_socket(const struct conf *conf, const char *path, int connect_error)
{
    bool ours = conf && explain_listeners(conf->listen, "listen");
    ours |= conf && explain_listeners(conf->listen_if_free, "listen_if_free");
    if (conf && !ours)
        say("neither `listen` nor `listen_if_free` has a saslauthd socket: Postrider does not "
            "answer there; add saslauthd:/run/saslauthd/mux");
    if (connect_error == 0)
        return;
    say("socket %s: %s", path, strerror(connect_error));
    if (connect_error == ENOENT)
        say("nothing has made the socket: neither Postrider with this `listen` nor saslauthd runs, "
            "or "
            "it is elsewhere (a Postfix in a chroot looks below /var/spool/postfix)");
    else if (connect_error == ECONNREFUSED)
        say("the socket is a left-over: the program that made it has ended");
    else if (connect_error == EACCES)
        explain_folder(path);
}

static bool is_local(const struct conf *c, struct slice domain)
{
    for (size_t i = 0; i < c->mydestination.n; i++)
        if (slice_eq_nocase(c->mydestination.items[i], domain))
            return true;
    return false;
}

/* A name that the user may have meant. */
static void suggest(const struct passwd_file *f, struct slice name)
{
    struct slice local = name, domain;
    domain = name;
    local = slice_split(&domain, '@');
    for (size_t i = 0; i < passwd_file_count(f); i++) {
        const struct passwd_user *u = passwd_file_at(f, i);
        struct slice rest = u->name;
        struct slice theirs = slice_split(&rest, '@');
        if (slice_eq_nocase(theirs, local) && !slice_eq_nocase(u->name, name))
            say("there is an account %.*s: log in by that name%s", SLICE_ARG(u->name),
                rest.data && !domain.data ? ", or give its domain as the realm (-r)" : "");
    }
}

/* ---- the passdbs ---- */

struct login {
    const struct conf *conf;
    struct slice name; /* that is looked up */
    const char *password;
};

/* By the database's own username_format; else its local part where the domain is ours. */
static const struct passwd_user *find(const struct login *l, const struct auth_database *db,
                                      const struct passwd_file *f)
{
    struct arena a;
    struct slice key, domain = l->name, local = slice_split(&domain, '@');
    const struct passwd_user *u = NULL;
    arena_init(&a, ARENA_MAX);
    if (auth_database_name(db, l->name, &a, &key) == OK)
        u = passwd_file_find(f, key);
    if (!u && domain.data && is_local(l->conf, domain))
        u = passwd_file_find(f, local);
    arena_release(&a);
    return u;
}

/* Does it match? What does not is told. */
static bool verify(const struct login *l, const struct auth_database *db, struct slice stored)
{
    struct error err = {""};
    struct buf full;
    buf_init(&full, 2 * PASSWORD_STORED_MAX);
    auth_database_stored(db, stored, &full);
    enum result r = password_verify(buf_slice(&full), slice_cstr(l->password), &err);
    buf_release(&full);
    if (r == OK)
        say("the password is right");
    else if (r == DENIED)
        say("wrong password");
    else
        say("the stored password can't be used: %s", err.text);
    return r == OK;
}

/* True: what this passdb says of the account decides. */
static bool explain_user(const struct login *l, const struct auth_database *db,
                         const struct passwd_user *u)
{
    say("%s: %.*s:%u: account %.*s", db->name, SLICE_ARG(db->path), u->line, SLICE_ARG(u->name));
    if (db->deny) {
        say("this passdb denies: who is in it can't log in");
        return true;
    }
    if (passwd_user_extra(u, "nologin").data) {
        say("it has nologin: refused");
        return true;
    }
    if (passwd_user_extra(u, "nopassword").data) {
        say("it has nopassword: every password is right");
        return true;
    }
    if (u->password.len == 0) {
        say("it has no password in that file");
        return false;
    }
    return verify(l, db, u->password) || db->final;
}

static bool explain_file(const struct login *l, const struct auth_database *db)
{
    struct error err = {""};
    struct passwd_file *f = NULL;
    char path[PATH_MAX];
    struct slice domain = l->name, local = slice_split(&domain, '@');
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(db->path));
    if (passwd_file_load(path, NULL, NULL, &f, &err) != OK) {
        say("%s: %s", db->name, err.text);
        return false;
    }
    const struct passwd_user *u = find(l, db, f);
    bool decided = u && explain_user(l, db, u);
    if (!u) {
        say("%s: %s has no account %.*s", db->name, path, SLICE_ARG(l->name));
        if (domain.data && !is_local(l->conf, domain))
            say("%.*s is not in mydestination: \"%.*s\" alone is not looked up", SLICE_ARG(domain),
                SLICE_ARG(local));
        suggest(f, l->name);
    }
    passwd_file_free(f);
    return decided;
}

static void explain_pam(struct slice service, const char *user)
{
    char file[300];
    if (slice_is(service, "*") || slice_find(service, '%') != SIZE_MAX)
        service = SLICE("imap"); /* what saslauthd's clients are asked about as */
    snprintf(file, sizeof file, "/etc/pam.d/%.*s", SLICE_ARG(service));
    say("pam: PAM is asked with service %.*s about user %s", SLICE_ARG(service), user);
    if (access(file, F_OK) != 0)
        say("%s is not there: PAM falls back to /etc/pam.d/other, which refuses", file);
}

/* The system's accounts, which have no domain. */
static void explain_system(const struct login *l, const struct auth_database *db)
{
    char user[256];
    struct slice domain = l->name, local = slice_split(&domain, '@');
    if (domain.data && !is_local(l->conf, domain)) {
        say("%s: %.*s is not in mydestination: the name stands for no system account", db->name,
            SLICE_ARG(domain));
        return;
    }
    snprintf(user, sizeof user, "%.*s", SLICE_ARG(local));
    if (db->driver == DRIVER_PAM)
        explain_pam(db->service, user);
    else
        say("%s: the system is asked about user %s", db->name, user);
    if (!getpwnam(user))
        say("the system has no user %s: refused", user);
}

/* True: it decides. */
static bool explain_database(const struct login *l, const struct auth_database *db)
{
    switch (db->driver) {
    case DRIVER_PASSWD_FILE:
        return explain_file(l, db);
    case DRIVER_PAM:
    case DRIVER_PASSWD:
    case DRIVER_SHADOW:
        explain_system(l, db);
        return false;
    case DRIVER_STATIC:
        say("static: one password for all names");
        return auth_field(db->fields, "nopassword").data ||
               (db->password.len && verify(l, db, db->password));
    case DRIVER_SQL:
    case DRIVER_LDAP:
    case DRIVER_SASLAUTHD:
    case DRIVER_DOVECOT:
    case DRIVER_PREFETCH:
        break;
    }
    say("%s: a server is asked; the log says what it answers", db->name);
    return false;
}

static bool explain_items(const struct login *l)
{
    const struct slice_list *items = &l->conf->passdb;
    for (size_t i = 0; i < items->n; i++) {
        struct auth_database db;
        struct error err = {""};
        if (auth_database_parse(items->items[i], &db, &err) == OK && explain_database(l, &db))
            return true;
    }
    return false;
}

/* users_file, PAM and the passdbs, in the order in which the server asks them. */
static void explain_passdbs(const struct login *l)
{
    const struct conf *c = l->conf;
    const struct auth_database own = {
        .driver = DRIVER_PASSWD_FILE, .name = "users_file", .final = true, .path = c->users_file};
    const struct auth_database pam = {
        .driver = DRIVER_PAM, .name = "pam", .service = c->pam_service};
    if (c->users_file.len == 0 && c->pam_service.len == 0 && c->passdb.n == 0)
        say("users_file, pam_service and passdb are empty: Postrider has no accounts of its own");
    bool decided = c->users_file.len && explain_database(l, &own);
    decided = decided || (c->pam_service.len && explain_database(l, &pam));
    if (!decided)
        (void)explain_items(l);
}

static void explain_account(const struct conf *c, const char *login, const char *password)
{
    struct arena a;
    struct error err = {""};
    struct login l = {.conf = c, .password = password};
    arena_init(&a, ARENA_MAX);
    if (auth_login_name(c, slice_cstr(login), &a, &l.name, &err) != OK) {
        say("\"%s\" is refused as a login: %s", login, err.text);
    } else {
        if (!slice_is(l.name, login))
            say("by auth_default_realm, auth_username_format and their like it is \"%.*s\"",
                SLICE_ARG(l.name));
        explain_passdbs(&l);
    }
    arena_release(&a);
}

void testsaslauthd_explain(struct cli *c, const struct testsaslauthd *t, int connect_error)
{
    char name[600];
    bool combined = t->realm[0] && !strchr(t->user, '@');
    snprintf(name, sizeof name, "%s%s%s", t->user, combined ? "@" : "", combined ? t->realm : "");
    int loaded = c->conf ? 0 : cli_load(c);
    explain_socket(loaded == 0 ? c->conf : NULL, t->path, connect_error);
    if (loaded != 0) {
        say("the configuration %s can't be read: what the server looks up is not known",
            c->config_path);
        return;
    }
    say("login \"%s\" with realm \"%s\" is looked up as \"%s\"; service \"%s\" makes no difference",
        t->user, t->realm, name, t->service);
    explain_account(c->conf, name, t->password);
}
