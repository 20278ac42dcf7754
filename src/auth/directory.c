#include "auth/directory_impl.h"
#include "auth/password.h"

#include <stdlib.h>

enum { FOLD_ARENA = 64 * 1024, MEM_MAX = 1 << 20 };

struct building {
    struct directory *d;
    const struct directory_source *source;
    directory_problem_fn *problem;
    void *arg;
};

/* RFC 5321 4.1.3: mail to one of our addresses, "[192.0.2.1]", is ours. */
static enum result add_literal(struct building *b, struct slice host)
{
    struct buf text;
    if (host.len > 2 && host.data[0] == '[')
        host = slice_sub(host, 1, host.len - 2);
    if (host.len == 0 || !(ascii_digit(host.data[0]) || slice_find(host, ':') != SIZE_MAX))
        return OK;
    buf_init(&text, 128);
    buf_puts(&text, slice_find(host, ':') == SIZE_MAX ? "[" : "[IPv6:");
    buf_append(&text, host);
    buf_putc(&text, ']');
    enum result r =
        buf_ok(&text) ? match_list_add(&b->d->local, buf_slice(&text), &b->source->tables) : OK;
    buf_release(&text);
    return r == INVALID ? OK : r;
}

static enum result add_literals(struct building *b)
{
    const struct conf *c = b->d->conf;
    struct slice_list lists[] = {c->inet_interfaces, c->proxy_interfaces, b->source->addresses};
    enum result r = OK;
    for (size_t i = 0; r == OK && i < c->listen.n; i++) {
        struct listen_url url;
        if (listen_parse(c->listen.items[i], &url) == OK)
            r = add_literal(b, url.host);
    }
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
        for (size_t i = 0; r == OK && i < lists[k].n; i++)
            r = add_literal(b, lists[k].items[i]);
    return r;
}

/* One that can't be read makes every look-up that needs it fail for now: guessing would refuse or
 * relay mail for good. */
static enum result add_list(struct building *b, struct match_list *list, struct slice_list items,
                            const char *setting)
{
    enum result r = OK;
    for (size_t i = 0; r == OK && i < items.n; i++) {
        r = match_list_add(list, items.items[i], &b->source->tables);
        if (r != INVALID)
            continue;
        bool table = slice_find(items.items[i], ':') != SIZE_MAX ||
                     slice_find(items.items[i], '/') != SIZE_MAX;
        b->problem(b->arg, slice_cstr(setting), 0,
                   table ? "a table could not be opened" : "an entry is no domain name");
        b->d->domains_broken |= table;
        r = OK;
    }
    return r;
}

static bool parents_match(const struct conf *c, const char *setting)
{
    for (size_t i = 0; i < c->parent_domain_matches_subdomains.n; i++)
        if (slice_is(c->parent_domain_matches_subdomains.items[i], setting))
            return true;
    return false;
}

static void init_domains(struct directory *d)
{
    const struct conf *c = d->conf;
    match_list_init(&d->local, parents_match(c, "mydestination"));
    match_list_init(&d->alias_domains, parents_match(c, "virtual_alias_domains"));
    match_list_init(&d->mailbox_domains, parents_match(c, "virtual_mailbox_domains"));
    match_list_init(&d->relay_domains, parents_match(c, "relay_domains"));
    match_list_init(&d->flush_domains, parents_match(c, "fast_flush_domains"));
}

static enum result add_domains(struct building *b)
{
    struct directory *d = b->d;
    const struct conf *c = d->conf;
    enum result r = add_list(b, &d->local, c->mydestination, "mydestination");
    if (r == OK)
        r = add_literals(b);
    if (r == OK)
        r = add_list(b, &d->alias_domains, c->virtual_alias_domains, "virtual_alias_domains");
    if (r == OK)
        r = add_list(b, &d->mailbox_domains, c->virtual_mailbox_domains, "virtual_mailbox_domains");
    if (r == OK)
        r = add_list(b, &d->relay_domains, c->relay_domains, "relay_domains");
    if (r == OK)
        r = add_list(b, &d->flush_domains, c->fast_flush_domains, "fast_flush_domains");
    return r;
}

static void report_missing(void *arg, const char *setting, struct slice spec)
{
    struct building *b = arg;
    (void)spec;
    b->problem(b->arg, slice_cstr(setting), 0, "a table could not be opened");
}

static bool is_one_of(struct slice s, struct slice_list list)
{
    for (size_t i = 0; i < list.n; i++)
        if (slice_eq(s, list.items[i]))
            return true;
    return false;
}

/* What of local_recipient_maps we know without a table: the accounts, and alias_maps. */
static void note_local_recipients(struct directory *d)
{
    const struct conf *c = d->conf;
    size_t aliases = 0;
    for (size_t i = 0; i < c->local_recipient_maps.n; i++) {
        struct slice spec = c->local_recipient_maps.items[i];
        d->lists_accounts |= slice_ends_nocase(spec, SLICE("unix:passwd.byname"));
        aliases += is_one_of(spec, c->alias_maps);
    }
    d->lists_aliases = aliases >= c->alias_maps.n;
}

static enum result open_maps(struct building *b)
{
    struct directory *d = b->d;
    note_local_recipients(d);
    enum result r =
        map_sets_open(&d->maps, d->conf, &b->source->tables, &d->mem, report_missing, b);
    return r == OK ? directory_add_mappings(d, &b->source->tables, report_missing, b) : r;
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
    match_list_release(&d->local);
    match_list_release(&d->alias_domains);
    match_list_release(&d->mailbox_domains);
    match_list_release(&d->relay_domains);
    match_list_release(&d->flush_domains);
    arena_release(&d->mem);
    directory_free_databases(d);
    if (d->release)
        d->release(d->release_arg);
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
    arena_init(&d->mem, MEM_MAX);
    init_domains(d);
    struct building b = {d, s, problem, arg};
    enum result r = add_domains(&b);
    if (r == OK)
        r = open_maps(&b);
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
    d->tables = s->tables;
    d->release = s->release; /* only a finished one takes them over */
    d->release_arg = s->release_arg;
    *ret = d;
    return OK;
}

bool directory_waits(const struct directory *d)
{
    return d->maps.waits || directory_mapping_waits(d) || match_list_waits(&d->local) ||
           match_list_waits(&d->alias_domains) || match_list_waits(&d->mailbox_domains) ||
           match_list_waits(&d->relay_domains) || match_list_waits(&d->flush_domains);
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
    struct error err = {""};
    size_t at = slice_rfind(login, '@');
    if (at == SIZE_MAX)
        return user;
    arena_init(&a, FOLD_ARENA);
    if (domain_fold(slice_from(login, at + 1), &a, &folded) == OK &&
        directory_is_local(d, folded, &a, &err) == OK)
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
