#include "auth/directory_impl.h"
#include "auth/password.h"

#include <stdlib.h>

enum { DOMAINS_MAX = 100000, FOLD_ARENA = 4096 };

bool directory_is_local(const struct directory *d, struct slice folded_domain)
{
    return map_get(&d->domains, folded_domain) != NULL;
}

/* Present is any pointer but NULL. A name twice does no harm. */
static enum result add_domain(struct directory *d, struct slice name)
{
    struct arena a;
    struct slice folded;
    arena_init(&a, FOLD_ARENA);
    enum result r = domain_fold(name, &a, &folded);
    if (r == OK)
        r = map_put(&d->domains, folded, d);
    arena_release(&a);
    return r == EXISTS ? OK : r;
}

/* RFC 5321 4.1.3: mail to one of our addresses, "[192.0.2.1]", is ours. */
static enum result add_literal(struct directory *d, struct slice host)
{
    struct buf b;
    if (host.len == 0 || !(ascii_digit(host.data[0]) || slice_find(host, ':') != SIZE_MAX))
        return OK;
    buf_init(&b, 128);
    buf_puts(&b, slice_find(host, ':') == SIZE_MAX ? "[" : "[IPv6:");
    buf_append(&b, host);
    buf_putc(&b, ']');
    enum result r = buf_ok(&b) ? add_domain(d, buf_slice(&b)) : OK;
    buf_release(&b);
    return r == INVALID ? OK : r;
}

static enum result add_domains(struct directory *d, directory_problem_fn *problem, void *arg)
{
    const struct conf *c = d->conf;
    enum result r = OK;
    for (size_t i = 0; r == OK && i < c->mydestination.n; i++) {
        r = add_domain(d, c->mydestination.items[i]);
        if (r == INVALID) {
            problem(arg, SLICE("mydestination"), 0, "an entry is no domain name");
            r = OK;
        }
    }
    for (size_t i = 0; r == OK && i < c->listen.n; i++) {
        struct listen_url url;
        if (listen_parse(c->listen.items[i], &url) == OK)
            r = add_literal(d, url.host);
    }
    return r;
}

/* Adapts a problem of the account file, which does not know its path. */
struct user_problem {
    directory_problem_fn *problem;
    void *arg;
    struct slice path;
};

static void report_user(void *arg, unsigned line, const char *reason)
{
    struct user_problem *p = arg;
    p->problem(p->arg, p->path, line, reason);
}

/* Accounts that nobody can log in to are worth a word; locked ones ("!", "*") are meant so. */
static void check_passwords(const struct passwd_file *f, struct user_problem *p)
{
    for (size_t i = 0; i < passwd_file_count(f); i++) {
        const struct passwd_user *u = passwd_file_at(f, i);
        struct error err = {""};
        if (u->password.len && password_check_form(u->password, &err) != OK)
            report_user(p, u->line, err.text);
    }
}

static enum result read_users(struct directory *d, const struct directory_file *f,
                              directory_problem_fn *problem, void *arg)
{
    struct user_problem p = {problem, arg, f->path};
    enum result r = passwd_file_parse(f->bytes, report_user, &p, &d->users);
    if (r == LIMIT) {
        problem(arg, f->path, 0, "the file is too large");
        r = passwd_file_parse(SLICE_NONE, NULL, NULL, &d->users);
    }
    d->users_path = strndup(f->path.data ? f->path.data : "", f->path.len);
    if (r == OK)
        check_passwords(d->users, &p);
    return r == OK && d->users_path ? OK : FAILED;
}

static enum result read_aliases(struct directory *d, const struct directory_source *s,
                                directory_problem_fn *problem, void *arg)
{
    enum result r = aliases_new(&d->aliases);
    for (size_t i = 0; r == OK && i < s->n_aliases; i++) {
        r = aliases_add(d->aliases, s->aliases[i].path, s->aliases[i].owner, s->aliases[i].bytes,
                        problem, arg);
        if (r == LIMIT) {
            problem(arg, s->aliases[i].path, 0, "the file is too large");
            r = OK;
        }
    }
    return r;
}

static void free_directory(struct directory *d)
{
    map_release(&d->domains);
    directory_free_databases(d);
    passwd_file_free(d->users);
    aliases_free(d->aliases);
    free(d->users_path);
    conf_unref(d->conf);
    free(d);
}

enum result directory_new(const struct directory_source *s, directory_problem_fn *problem,
                          void *arg, const struct directory **ret)
{
    struct directory *d = calloc(1, sizeof *d);
    if (!d)
        return FAILED;
    atomic_init(&d->refs, 1);
    d->conf = conf_ref(s->conf);
    map_init(&d->domains, DOMAINS_MAX);
    enum result r = add_domains(d, problem, arg);
    if (r == OK)
        r = read_users(d, &s->users, problem, arg);
    if (r == OK)
        r = directory_add_databases(d, s, problem, arg);
    if (r == OK)
        r = read_aliases(d, s, problem, arg);
    if (r != OK) {
        free_directory(d);
        return FAILED;
    }
    *ret = d;
    return OK;
}

const struct directory *directory_ref(const struct directory *d)
{
    atomic_fetch_add(&((struct directory *)d)->refs, 1);
    return d;
}

void directory_unref(const struct directory *d)
{
    if (d && atomic_fetch_sub(&((struct directory *)d)->refs, 1) == 1)
        free_directory((struct directory *)d);
}

const struct conf *directory_conf(const struct directory *d)
{
    return d->conf;
}

const struct passwd_file *directory_users(const struct directory *d)
{
    return d->users;
}

size_t directory_alias_count(const struct directory *d)
{
    return aliases_count(d->aliases);
}

struct slice directory_local_user(const struct directory *d, struct slice login)
{
    struct arena a;
    struct slice folded, user = SLICE_NONE;
    size_t at = slice_rfind(login, '@');
    if (at == SIZE_MAX)
        return user;
    arena_init(&a, FOLD_ARENA);
    if (domain_fold(slice_from(login, at + 1), &a, &folded) == OK && directory_is_local(d, folded))
        user = slice_sub(login, 0, at);
    arena_release(&a);
    return user;
}

const struct passwd_user *directory_login(const struct directory *d, struct slice login)
{
    const struct passwd_user *u = NULL;
    for (size_t i = 0; !u && i < d->pass.n; i++)
        if (d->pass.items[i].driver == DRIVER_PASSWD_FILE && !d->pass.items[i].deny)
            u = directory_passdb_find(d, &d->pass.items[i], login);
    return u;
}

struct slice directory_system_login(const struct directory *d, struct slice login, struct arena *a)
{
    struct slice user = slice_find(login, '@') == SIZE_MAX ? login : directory_local_user(d, login);
    if (!user.data || passwd_name_check(user, NULL) != OK)
        return SLICE_NONE;
    return lower_copy(user, a);
}
