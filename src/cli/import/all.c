/* all.c: import --all: the accounts of users_file and of passdb's and userdb's passwd-files, and
 * the system's where system accounts are in use, each with the mail that its location holds. */
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "auth/databases.h"
#include "auth/format.h"
#include "auth/passwd_file.h"
#include "cli/import/import.h"
#include "conf/conf.h"
#include "conf/fields.h"

enum { ACCOUNTS_MAX = 200000, FIELD_MAX = 4096 };

struct all {
    struct import_sink *sink;
    const struct conf *conf;
    struct map done; /* names */
    bool ok;
};

/* What userdb says of every account: static's fields, or those that passwd-files are completed
 * with.
 * "" where it says nothing. */
static struct slice userdb_field(const struct conf *c, bool fixed, const char *key,
                                 struct slice user, struct arena *a)
{
    const struct format_names names = {.user = user, .service = SLICE("import")};
    struct slice said = SLICE("");
    for (size_t i = 0; i < c->userdb.n && said.len == 0; i++) {
        struct slice item = c->userdb.items[i];
        struct slice value = auth_field(conf_field(item, "fields"), key);
        struct buf text;
        buf_init(&text, FIELD_MAX);
        if (value.len && slice_is(conf_field(item, "driver"), "static") == fixed &&
            format_put(value, &names, NULL, NULL, &text, NULL) == OK)
            said = arena_dup(a, buf_slice(&text));
        buf_release(&text);
    }
    return said;
}

/* static stands for the account's own word, default_fields for one that it lacks. */
static struct slice known_of(const struct conf *c, const char *key, struct slice own,
                             struct slice user, struct arena *a)
{
    struct slice fixed = userdb_field(c, true, key, user, a);
    return fixed.len ? fixed : own.len ? own : userdb_field(c, false, key, user, a);
}

static void import_account(struct all *all, const struct import_account *account)
{
    struct arena a;
    struct import_account known = *account;
    struct import_location l;
    const char *why;
    char name[PASSWD_NAME_MAX + 1];
    if (!all->ok || map_put(&all->done, account->user, all) != OK)
        return;
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(account->user));
    arena_init(&a, 1 << 20);
    known.home = known_of(all->conf, "home", account->home, account->user, &a);
    known.mail = known_of(all->conf, "mail", account->mail, account->user, &a);
    import_sink_account(all->sink, account->user);
    if (import_locate(all->conf, &known, &a, &l, &why) != OK) {
        import_failed(all->sink, name, why);
    } else if (access(l.path, F_OK) == 0 ||
               (l.options.inbox && access(l.options.inbox, F_OK) == 0)) {
        all->ok = l.maildir ? import_maildir(all->sink, l.path, &l.options)
                            : import_mbox(all->sink, l.path, &l.options);
    } else {
        import_note(all->sink, name, "has no mail to import");
    }
    arena_release(&a);
}

static void each_user(void *arg, const struct passwd_user *u)
{
    struct import_account account = {u->name, u->home, passwd_user_extra(u, "userdb_mail")};
    import_account(arg, &account);
}

static void each_problem(void *arg, unsigned line, const char *reason)
{
    (void)arg, (void)line, (void)reason; /* `config check` tells */
}

static void import_file(struct all *all, struct slice path)
{
    struct passwd_file *f;
    struct error err;
    char text[4096];
    int n = snprintf(text, sizeof text, "%.*s", SLICE_ARG(path));
    if (n <= 0 || (size_t)n >= sizeof text)
        return;
    enum result r = passwd_file_load(text, each_problem, NULL, &f, &err);
    if (r != OK) {
        if (r != NOT_FOUND)
            import_failed(all->sink, text, err.text);
        return;
    }
    passwd_file_each(f, each_user, all);
    passwd_file_free(f);
}

/* Of each record: its file, and whether it means the system's accounts. */
static bool take_records(struct all *all, struct slice_list records)
{
    bool system = false;
    for (size_t i = 0; i < records.n; i++) {
        struct slice driver = conf_field(records.items[i], "driver");
        struct slice path = conf_field(records.items[i], "path");
        if (slice_is(driver, "passwd-file") && path.data)
            import_file(all, path);
        system |=
            slice_is(driver, "pam") || slice_is(driver, "passwd") || slice_is(driver, "shadow");
    }
    return system;
}

static void import_system(struct all *all)
{
    const struct conf *c = all->conf;
    struct passwd *p;
    setpwent();
    for (int n = 0; n < ACCOUNTS_MAX && all->ok && (p = getpwent()); n++) {
        if ((int64_t)p->pw_uid < c->first_valid_uid ||
            (c->last_valid_uid && (int64_t)p->pw_uid > c->last_valid_uid) || p->pw_uid == 65534)
            continue;
        struct import_account account = {slice_cstr(p->pw_name), slice_cstr(p->pw_dir), SLICE("")};
        import_account(all, &account);
    }
    endpwent();
}

bool import_all(struct import_sink *s, const struct conf *c)
{
    struct all all = {.sink = s, .conf = c, .ok = true};
    map_init(&all.done, 2 * ACCOUNTS_MAX);
    import_file(&all, c->users_file);
    bool system = take_records(&all, c->userdb);
    system |= take_records(&all, c->passdb);
    if (system || c->pam_service.len)
        import_system(&all);
    map_release(&all.done);
    return all.ok;
}
