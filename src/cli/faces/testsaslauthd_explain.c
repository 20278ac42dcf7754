/* testsaslauthd_explain.c: why a login is refused, told step by step: the socket, the name that
 * login and realm make, the account, its password. Lines begin with "-- ". */
#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/passwd_file.h"
#include "auth/password.h"
#include "cli/faces/testsaslauthd.h"
#include "mime/address.h"

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

static void explain_password(const struct conf *c, const struct passwd_user *u,
                             const char *password)
{
    struct error err = {""};
    say("%.*s:%u: account %.*s", SLICE_ARG(c->users_file), u->line, SLICE_ARG(u->name));
    if (passwd_user_extra(u, "nologin").data) {
        say("it has nologin: refused");
        return;
    }
    if (u->password.len == 0) {
        say("it has no password in that file%s",
            c->pam_service.len ? ": PAM is asked" : ": refused");
        return;
    }
    enum result r = password_verify(u->password, slice_cstr(password), &err);
    if (r == OK)
        say("the password is right");
    else if (r == DENIED)
        say("the password is wrong");
    else
        say("the stored password can't be used: %s", err.text);
}

static void explain_system(const struct conf *c, struct slice name)
{
    char text[256], file[300];
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
    if (c->pam_service.len == 0) {
        say("pam_service is empty: system accounts are not asked");
        return;
    }
    snprintf(file, sizeof file, "/etc/pam.d/%.*s", SLICE_ARG(c->pam_service));
    say("PAM is asked with service %.*s about user %s", SLICE_ARG(c->pam_service), text);
    if (access(file, F_OK) != 0)
        say("%s is not there: PAM falls back to /etc/pam.d/other, which refuses", file);
    if (!getpwnam(text))
        say("the system has no user %s: refused", text);
}

static void explain_account(const struct conf *c, struct slice name, const char *password)
{
    struct error err = {""};
    struct passwd_file *f = NULL;
    struct slice domain = name;
    struct slice local = slice_split(&domain, '@');
    if (c->users_file.len == 0) {
        say("users_file is empty: there are no accounts of Postrider's own");
    } else if (passwd_file_load(c->users_file.data, NULL, NULL, &f, &err) != OK) {
        say("users_file %.*s: %s", SLICE_ARG(c->users_file), err.text);
    }
    const struct passwd_user *u = f ? passwd_file_find(f, name) : NULL;
    if (!u && f && domain.data && is_local(c, domain))
        u = passwd_file_find(f, local);
    if (u)
        explain_password(c, u, password);
    else if (f)
        say("%.*s has no account %.*s", SLICE_ARG(c->users_file), SLICE_ARG(name));
    if (f && !u)
        suggest(f, name);
    if ((!u || u->password.len == 0) && domain.data && !is_local(c, domain))
        say("%.*s is not in mydestination: the name stands for no system account",
            SLICE_ARG(domain));
    else if (!u || u->password.len == 0)
        explain_system(c, local);
    passwd_file_free(f);
}

void testsaslauthd_explain(struct cli *c, const struct testsaslauthd *t, int connect_error)
{
    char name[600];
    bool combined = t->realm[0] && !strchr(t->user, '@');
    snprintf(name, sizeof name, "%s%s%s", t->user, combined ? "@" : "", combined ? t->realm : "");
    int loaded = cli_load(c);
    explain_socket(loaded == 0 ? c->conf : NULL, t->path, connect_error);
    if (loaded != 0) {
        say("the configuration %s can't be read: what the server looks up is not known",
            c->config_path);
        return;
    }
    say("login \"%s\" with realm \"%s\" is looked up as \"%s\"; service \"%s\" makes no difference",
        t->user, t->realm, name, t->service);
    explain_account(c->conf, slice_cstr(name), t->password);
}
