/* doveadm_user.c: doveadm user: which accounts there are, and what userdb knows of them. Asked
 * here, in the files and databases themselves, whether the server runs or not. */
#include <fnmatch.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "auth/directory.h"
#include "auth/lookup.h"
#include "cli/faces/doveadm.h"
#include "conf/source.h"

enum { ARENA_LIMIT = 64 << 20, FILES_MAX = 64 };

/* The configuration's accounts, read from their files. */
struct opened {
    struct arena arena;
    const struct directory *directory;
};

static void ignore(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg, (void)file, (void)line, (void)reason;
}

static struct directory_file read_one(struct slice path, struct arena *a)
{
    struct directory_file f = {.path = path, .bytes = SLICE("")};
    struct slice name = arena_dup(a, path);
    if (name.len && conf_read_file(name.data, a, &f.bytes) != OK)
        f.bytes = SLICE("");
    return f;
}

static enum result open_accounts(const struct conf *c, struct opened *o)
{
    struct directory_file files[FILES_MAX];
    struct directory_source s = {.conf = c, .databases = files};
    struct slice_list lists[] = {c->passdb, c->userdb};
    arena_init(&o->arena, ARENA_LIMIT);
    s.users = read_one(c->users_file, &o->arena);
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < lists[k].n && s.n_databases < FILES_MAX; i++) {
            struct auth_database db;
            if (auth_database_parse(lists[k].items[i], &db, NULL) == OK && db.path.len)
                files[s.n_databases++] = read_one(db.path, &o->arena);
        }
    enum result r = directory_new(&s, ignore, NULL, &o->directory);
    if (r != OK)
        arena_release(&o->arena);
    return r;
}

static void close_accounts(struct opened *o)
{
    directory_unref(o->directory);
    arena_release(&o->arena);
}

static void put(struct buf *out, const char *key, struct slice value)
{
    if (value.len)
        buf_printf(out, "%s\t%.*s\n", key, SLICE_ARG(value));
}

static void put_file_user(const struct passwd_user *u, struct buf *out)
{
    struct slice rest = u->extra;
    put(out, "uid", u->uid);
    put(out, "gid", u->gid);
    put(out, "home", u->home);
    while (rest.data) {
        struct slice value = slice_split(&rest, ' ');
        struct slice key = slice_split(&value, '=');
        if (slice_starts(key, SLICE("userdb_")) && value.data)
            buf_printf(out, "%.*s\t%.*s\n", SLICE_ARG(slice_from(key, 7)), SLICE_ARG(value));
    }
}

static bool is_said(struct slice said, struct slice key)
{
    while (said.data) {
        struct slice line = slice_split(&said, '\n');
        if (slice_eq(slice_split(&line, '\t'), key))
            return true;
    }
    return false;
}

/* A database's own fields, with what stands for the user's name in them, but those that are said.
 */
static void put_fields(const struct auth_database *db, struct slice name, struct buf *out)
{
    const struct format_names names = {.user = name, .service = SLICE("doveadm")};
    struct slice rest = db->fields;
    while (rest.data) {
        struct buf value;
        struct slice text = slice_split(&rest, ' ');
        struct slice key = slice_split(&text, '=');
        buf_init(&value, 4096);
        if (text.len && !slice_is(key, "allow_all_users") && !is_said(buf_slice(out), key) &&
            format_put(text, &names, NULL, NULL, &value, NULL) == OK)
            buf_printf(out, "%.*s\t%.*s\n", SLICE_ARG(key), SLICE_ARG(buf_slice(&value)));
        buf_release(&value);
    }
}

static const struct auth_database *find_static(const struct auth_databases *all)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->items[i].driver == DRIVER_STATIC)
            return &all->items[i];
    return NULL;
}

static enum result find_system(struct slice name, struct buf *out)
{
    char text[PASSWD_NAME_MAX + 1];
    if (name.len >= sizeof text)
        return NOT_FOUND;
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
    const struct passwd *pw = getpwnam(text);
    if (!pw)
        return NOT_FOUND;
    buf_printf(out, "system_groups_user\t%s\nuid\t%u\ngid\t%u\nhome\t%s\n", text,
               (unsigned)pw->pw_uid, (unsigned)pw->pw_gid, pw->pw_dir);
    return OK;
}

static enum result find_in(const struct auth_database *db, struct slice name, struct arena *a,
                           struct buf *out)
{
    struct lookup_config c;
    struct error err = {""};
    struct slice known = SLICE("");
    const struct format_names names = {.user = name, .service = SLICE("doveadm")};
    if (db->driver == DRIVER_STATIC && db->all)
        put_fields(db, name, out);
    if (db->driver == DRIVER_STATIC)
        return db->all ? OK : NOT_FOUND;
    if (db->driver == DRIVER_PASSWD)
        return find_system(name, out);
    if (db->driver != DRIVER_SQL && db->driver != DRIVER_LDAP)
        return NOT_FOUND;
    enum result r = lookup_configure(db, a, &c, &err);
    r = r == OK ? lookup_user(&c, &names, !db->of_userdb, a, &known, &err) : FAILED;
    if (r == FAILED)
        fprintf(stderr, "Error: %s\n", err.text);
    return r;
}

enum result doveadm_find_user(struct doveadm *d, struct slice login, struct buf *fields)
{
    struct opened o;
    struct slice name;
    enum result r = open_accounts(d->cli->conf, &o);
    if (r != OK)
        return r;
    r = auth_login_name(d->cli->conf, login, &o.arena, &name, NULL);
    const struct passwd_user *u = r == OK ? directory_account(o.directory, name) : NULL;
    const struct auth_databases *all = directory_userdbs(o.directory);
    const struct auth_database *fixed = find_static(all);
    if (u && fixed)
        put_fields(fixed, name, fields);
    else if (u)
        put_file_user(u, fields);
    for (size_t i = 0; u && !fixed && i < all->n; i++)
        if (all->items[i].driver == DRIVER_PASSWD_FILE)
            put_fields(&all->items[i], name, fields);
    r = u ? OK : NOT_FOUND;
    for (size_t i = 0; !u && name.data && r == NOT_FOUND && i < all->n; i++)
        r = find_in(&all->items[i], name, &o.arena, fields);
    close_accounts(&o);
    return r;
}

/* ---- masks: the accounts that can be listed ---- */

struct listing {
    const char *mask;
    void (*each)(void *arg, const char *user);
    void *arg;
};

static void list_one(const struct listing *l, const char *name)
{
    if (fnmatch(l->mask, name, 0) == 0)
        l->each(l->arg, name);
}

static void list_file(const struct passwd_file *f, const struct listing *l)
{
    for (size_t i = 0; f && i < passwd_file_count(f); i++) {
        char name[PASSWD_NAME_MAX + 1];
        snprintf(name, sizeof name, "%.*s", SLICE_ARG(passwd_file_at(f, i)->name));
        list_one(l, name);
    }
}

static void list_system(const struct conf *c, const struct listing *l)
{
    const struct passwd *pw;
    setpwent();
    while ((pw = getpwent()))
        if ((int64_t)pw->pw_uid >= c->first_valid_uid &&
            (c->last_valid_uid == 0 || (int64_t)pw->pw_uid <= c->last_valid_uid))
            list_one(l, pw->pw_name);
    endpwent();
}

int doveadm_each_user(struct doveadm *d, const char *mask,
                      void (*each)(void *arg, const char *user), void *arg)
{
    const struct listing l = {mask, each, arg};
    struct opened o;
    if (open_accounts(d->cli->conf, &o) != OK)
        return doveadm_fatal(EX_TEMPFAIL, "the accounts can't be read");
    const struct auth_databases *all = directory_userdbs(o.directory);
    for (size_t i = 0; i < all->n; i++) {
        list_file(all->items[i].file, &l);
        if (all->items[i].driver == DRIVER_PASSWD)
            list_system(d->cli->conf, &l);
    }
    close_accounts(&o);
    return 0;
}

static void print_name(void *arg, const char *user)
{
    (void)arg;
    puts(user);
}

/* uid and gid may be written as names; Dovecot tells the numbers. Unknown names stay. */
static void print_value(struct slice key, struct slice value)
{
    char name[PASSWD_NAME_MAX + 1];
    const struct passwd *pw = NULL;
    const struct group *gr = NULL;
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(value));
    bool number = name[strspn(name, "0123456789")] == 0;
    if (!number && slice_is(key, "uid"))
        pw = getpwnam(name);
    else if (!number && slice_is(key, "gid"))
        gr = getgrnam(name);
    if (pw || gr)
        printf("%u\n", pw ? (unsigned)pw->pw_uid : (unsigned)gr->gr_gid);
    else
        printf("%.*s\n", SLICE_ARG(value));
}

static void print_fields(struct slice fields, const char *only)
{
    while (fields.len) {
        struct slice value = slice_split(&fields, '\n');
        struct slice key = slice_split(&value, '\t');
        if (key.len == 0 || (only && !slice_is(key, only)))
            continue;
        if (!only)
            printf("%.*s\t", SLICE_ARG(key));
        print_value(key, value);
    }
}

static int show_user(struct doveadm *d, const char *name, const char *field)
{
    struct buf fields;
    buf_init(&fields, 64 * 1024);
    enum result r = doveadm_find_user(d, slice_cstr(name), &fields);
    if (r == OK)
        print_fields(buf_slice(&fields), field);
    else if (r == NOT_FOUND)
        printf("\nuserdb lookup: user %s doesn't exist\n", name);
    buf_release(&fields);
    return r == OK ? 0 : r == NOT_FOUND ? EX_NOUSER : EX_TEMPFAIL;
}

int doveadm_user(struct doveadm *d, char **words, int n)
{
    const char *field = NULL;
    int option, status = 0;
    bool titled = false;
    while ((option = getopt(n, words, "a:e:f:ux:")) != -1) {
        if (option == 'f')
            field = optarg;
        else if (option == '?')
            return EX_USAGE;
    }
    if (optind == n) {
        fputs("doveadm user [-f field] [-u] <user mask> [<user mask> [...]]\n", stderr);
        return EX_USAGE;
    }
    for (int i = optind; i < n; i++) {
        if (strpbrk(words[i], "*?")) {
            int one = doveadm_each_user(d, words[i], print_name, NULL);
            status = one ? one : status;
            continue;
        }
        if (!titled && !field)
            puts("field\tvalue");
        titled = true;
        int one = show_user(d, words[i], field);
        status = one ? one : status;
    }
    return status;
}
