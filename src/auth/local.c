/* local.c: names of this host: through aliases to accounts, and on to other addresses. */
#include "auth/resolve.h"
#include "auth/rewrite.h"

static bool make_names(const struct walk *w, const struct directory_address *address,
                       struct names *ret)
{
    struct slice delimiters = directory_conf(w->d)->recipient_delimiter;
    struct names n = {.given = address->local,
                      .local = lower_copy(address->local, w->arena),
                      .domain = address->domain};
    n.base = n.local;
    if (!n.local.data)
        return false;
    for (size_t i = 1; i < n.local.len; i++)
        if (slice_find(delimiters, n.local.data[i]) != SIZE_MAX) {
            n.base = slice_sub(n.local, 0, i);
            n.detail = slice_from(address->local, i + 1);
            break;
        }
    *ret = n;
    return true;
}

static bool has_detail(const struct names *n)
{
    return n->base.len != n->local.len;
}

struct slice resolve_join(const struct walk *w, struct slice local, struct slice domain)
{
    if (!domain.data)
        return SLICE_NONE;
    char *p = arena_alloc(w->arena, local.len + 1 + domain.len);
    if (!p)
        return SLICE_NONE;
    if (local.len)
        memcpy(p, local.data, local.len);
    p[local.len] = '@';
    memcpy(p + local.len + 1, domain.data, domain.len);
    return slice_of(p, local.len + 1 + domain.len);
}

static const struct alias *find_alias(const struct walk *w, const struct names *n)
{
    const struct aliases *t = w->d->aliases;
    if (aliases_count(t) == 0)
        return NULL;
    const struct alias *a = aliases_find(t, resolve_join(w, n->local, n->domain));
    if (!a)
        a = aliases_find(t, n->local);
    if (!a && has_detail(n))
        a = aliases_find(t, resolve_join(w, n->base, n->domain));
    if (!a && has_detail(n))
        a = aliases_find(t, n->base);
    return a;
}

/* A mailbox of ours, and who says so. */
static void found(struct walk *w, const char *rule, const char *file, unsigned line,
                  struct slice account)
{
    const char *where = NULL;
    resolve_took(w, rule, file, file ? strlen(file) : 0, line);
    if (w->system->step && file)
        where = line ? arena_printf(w->arena, "%s:%u", file, line) : file;
    resolve_step(w, rule, slice_cstr(where ? where : ""), account, SLICE("mailbox"));
}

/* local(8): a table with transports of single users (by the name without its detail), then one
 * setting for all. False: neither names a way that leaves us, or w->stop. */
static bool find_way(struct walk *w, enum directory_map m, struct slice setting, const char *rule,
                     const struct names *n, struct slice domain, struct way *ret)
{
    struct table_match match;
    struct error err = {""};
    enum result r = map_is_empty(&w->d->maps, m)
                        ? NOT_FOUND
                        : map_find_key(&w->d->maps, m, n->base, w->arena, &match, &err);
    if (r != OK && r != NOT_FOUND) {
        resolve_unavailable(w, &err);
        return false;
    }
    if (r == NOT_FOUND && setting.len == 0)
        return false;
    directory_named_way(w->d, r == OK ? match.value : setting, rule, domain, ret);
    if (r == OK) {
        ret->rule = directory_map_name(m);
        ret->where = match.where;
    }
    return ret->end == END_ROUTE;
}

/* The account's mail is somebody else's matter. False: it is ours, or w->stop. */
static bool passed_on(struct walk *w, const struct names *n)
{
    const struct conf *c = w->d->conf;
    struct directory_address to = {n->local, n->domain};
    struct way way;
    if (!to.domain.data && domain_fold(c->myhostname, w->arena, &to.domain) != OK)
        return false;
    if (!find_way(w, MAP_mailbox_transport_maps, c->mailbox_transport, "mailbox_transport", n,
                  to.domain, &way))
        return false;
    resolve_add_way(w, &way, &to);
    return true;
}

/* local(8): the account's mail is a program's, which the account's own user runs, whatever
 * allow_mail_to_commands says of aliases. False: it is ours, or w->stop. */
static bool taken_by_command(struct walk *w, const struct names *n, struct slice account)
{
    struct slice line = w->d->conf->mailbox_command, where = SLICE("");
    struct table_match match;
    struct error err = {""};
    enum result r =
        map_is_empty(&w->d->maps, MAP_mailbox_command_maps)
            ? NOT_FOUND
            : map_find_key(&w->d->maps, MAP_mailbox_command_maps, n->base, w->arena, &match, &err);
    if (r != OK && r != NOT_FOUND) {
        resolve_unavailable(w, &err);
        return false;
    }
    if (r == OK) {
        line = match.value;
        where = match.where;
    }
    if (line.len == 0)
        return false;
    char *user = arena_printf(w->arena, "~%.*s", SLICE_ARG(account));
    struct directory_target t = {.kind = DIRECTORY_COMMAND,
                                 .address = resolve_recipient(w, n),
                                 .user = slice_cstr(user ? user : ""),
                                 .text = line};
    if (!user || !t.address.data) {
        resolve_give_up(w, "out of memory", account);
        return false;
    }
    resolve_step(w, r == OK ? "mailbox_command_maps" : "mailbox_command", where, account, line);
    resolve_add(w, &t);
    return true;
}

static void add_user(struct walk *w, const struct passwd_user *u, struct slice detail)
{
    struct directory_target t = {.local = true, .account = u->name, .detail = detail};
    const char *path = directory_account_path(w->d, u);
    found(w, path == w->d->users_path ? "users_file" : "userdb", path, u->line, u->name);
    resolve_add(w, &t);
}

/* Finds the account of a name in users_file. */
static const struct passwd_user *find_user(const struct walk *w, struct slice name,
                                           struct slice domain)
{
    const struct passwd_user *u =
        domain.data ? directory_account(w->d, resolve_join(w, name, domain)) : NULL;
    return u ? u : directory_account(w->d, name);
}

/* True when it is one, or when that must be asked first (w->stop). */
static bool take_outside_name(struct walk *w, struct slice name, struct slice detail)
{
    if (!w->system->known || passwd_name_check(name, NULL) != OK)
        return false;
    switch (w->system->known(w->system->arg, name)) {
    case ACCOUNT_ABSENT:
        return false;
    case ACCOUNT_ASK:
        w->out->kind = RESOLVE_ASK;
        w->out->ask = name;
        w->stop = true;
        return true;
    case ACCOUNT_THERE:
        break;
    }
    bool system_name = slice_find(name, '@') == SIZE_MAX;
    if (system_name && resolve_forward(w, name, detail))
        return true;
    const char *setting = directory_conf(w->d)->pam_service.len ? "pam_service" : "userdb";
    const char *source = conf_source(directory_conf(w->d), setting);
    struct directory_target t = {.local = true, .account = name, .detail = detail};
    found(w, setting, source, 0, name);
    resolve_add(w, &t);
    return true;
}

/* Databases that are asked know names, or whole addresses, in the form of auth_username_format. */
static bool take_outside(struct walk *w, struct slice name, struct slice domain,
                         struct slice detail)
{
    struct slice whole = resolve_join(w, name, domain), asked;
    bool addresses = w->system->known && directory_outside(w->d) == OUTSIDE_ADDRESSES;
    if (addresses && whole.data &&
        auth_login_name(directory_conf(w->d), whole, w->arena, &asked, NULL) == OK &&
        !slice_eq(asked, name) && take_outside_name(w, asked, detail))
        return true;
    return take_outside_name(w, name, detail);
}

static bool take_user(struct walk *w, const struct names *n)
{
    const struct passwd_user *u = find_user(w, n->local, n->domain);
    if (u) {
        add_user(w, u, SLICE(""));
        return true;
    }
    u = has_detail(n) ? find_user(w, n->base, n->domain) : NULL;
    if (u)
        add_user(w, u, n->detail);
    return u != NULL;
}

static bool find_account(struct walk *w, const struct names *n)
{
    return take_user(w, n) || take_outside(w, n->local, n->domain, SLICE("")) ||
           (has_detail(n) && take_outside(w, n->base, n->domain, n->detail));
}

/* With mailbox_transport the account that was found gives its place to the transport, with
 * mailbox_command to the program. */
static bool take_account(struct walk *w, const struct names *n)
{
    size_t before = w->out->n;
    bool taken = find_account(w, n);
    if (!taken || w->stop || w->out->n != before + 1 || !w->out->targets[before].local)
        return taken;
    struct slice account = w->out->targets[before].account;
    bool elsewhere = passed_on(w, n) || (!w->stop && taken_by_command(w, n, account));
    if (!elsewhere || w->out->n != before + 2)
        return taken;
    w->out->targets[before] = w->out->targets[before + 1];
    w->hashes[before] = w->hashes[before + 1];
    w->out->n--;
    return true;
}

static bool is_ancestor(const struct chain *c, const struct alias *a)
{
    for (; c; c = c->up)
        if (c->alias == a)
            return true;
    return false;
}

static void expand(struct walk *w, const struct alias *a, const struct names *n,
                   const struct chain *up);

/* RFC 5321 4.5.1: postmaster is always there. */
static bool take_postmaster(struct walk *w, const struct names *n, const struct chain *up)
{
    if (!slice_is(n->base, "postmaster"))
        return false;
    struct names root = {
        .given = SLICE("root"), .local = SLICE("root"), .base = SLICE("root"), .domain = n->domain};
    const struct alias *a = find_alias(w, &root);
    if (a && !is_ancestor(up, a)) {
        expand(w, a, &root, up);
        return true;
    }
    if (take_account(w, &root))
        return true;
    const struct passwd_user *first = passwd_file_at(w->d->users, 0);
    if (first)
        add_user(w, first, SLICE(""));
    return first != NULL;
}

/* A name of a local domain. False when nobody has it. */
static bool take_local(struct walk *w, const struct names *n, const struct chain *up,
                       bool account_only)
{
    const struct alias *a = account_only ? NULL : find_alias(w, n);
    if (a && !is_ancestor(up, a)) {
        expand(w, a, n, up);
        return true;
    }
    if (take_account(w, n))
        return true;
    const struct alias *all =
        n->domain.data ? aliases_find(w->d->aliases, resolve_join(w, SLICE(""), n->domain)) : NULL;
    if (all && !a && !is_ancestor(up, all)) {
        expand(w, all, n, up);
        return true;
    }
    return take_postmaster(w, n, up);
}

static void follow_address(struct walk *w, struct slice text, const struct chain *up)
{
    struct directory_address address;
    bool account_only = text.len > 1 && text.data[0] == '\\';
    if (directory_address_parse(slice_from(text, account_only), w->arena, &address) != OK) {
        resolve_note(w, "a target of the alias is no address", text);
        return;
    }
    bool led =
        account_only ? resolve_local(w, &address, up, true) : resolve_address(w, &address, up);
    if (!led && !w->stop)
        resolve_note(w, "a target of the alias is unknown, or the aliases go in a circle", text);
}

void resolve_list(struct walk *w, struct slice_list items, const struct chain *here)
{
    const struct chain *before = w->here;
    w->here = here;
    for (size_t i = 0; i < items.n && !w->stop; i++) {
        struct slice item = items.items[i];
        enum alias_item kind = alias_item_kind(item);
        if (kind == ITEM_ADDRESS)
            follow_address(w, item, here);
        else if (kind == ITEM_INCLUDE)
            resolve_include(w, alias_item_text(item), here);
        else
            resolve_served(w, kind, alias_item_text(item), here);
    }
    w->here = before;
}

/* True the first time. */
static bool begin_alias(struct walk *w, const struct alias *a)
{
    for (size_t i = 0; i < w->n_expanded; i++)
        if (w->expanded[i] == a)
            return false;
    if (!w->expanded)
        w->expanded = arena_alloc_n(w->arena, DIRECTORY_TARGETS_MAX, sizeof *w->expanded);
    if (!w->expanded || w->n_expanded == DIRECTORY_TARGETS_MAX) {
        resolve_give_up(w, "too many aliases are involved", a->key);
        return false;
    }
    w->expanded[w->n_expanded++] = a;
    return true;
}

/* "/etc/aliases:12" */
static struct slice where_of(struct walk *w, const struct alias *a)
{
    return slice_cstr(arena_printf(w->arena, "%.*s:%u", SLICE_ARG(a->file), a->line));
}

static void expand(struct walk *w, const struct alias *a, const struct names *n,
                   const struct chain *up)
{
    struct chain here = {.up = up,
                         .alias = a,
                         .depth = up ? up->depth + 1 : 1,
                         .source = SOURCE_ALIAS,
                         .recipient = resolve_recipient(w, n)};
    if (here.depth > DIRECTORY_DEPTH_MAX) {
        resolve_give_up(w, "the aliases are nested too deeply", a->key);
        return;
    }
    here.delivered = resolve_delivered(w, up, here.recipient);
    if (!resolve_rights(w, a, &here) || !begin_alias(w, a))
        return;
    here.owner = resolve_owner(w, a, n, up);
    resolve_took(w, "alias_maps", a->file.data, a->file.len, a->line);
    for (size_t i = 0; w->system->step && i < a->targets.n; i++)
        resolve_step(w, "alias_maps", where_of(w, a), a->key, a->targets.items[i]);
    resolve_list(w, a->targets, &here);
}

/* ---- the ends ---- */

/* local(8) throws away what bounces of bounces come to. */
static bool take_double_bounce(struct walk *w, const struct directory_address *address)
{
    if (!slice_is_nocase(address->local, "double-bounce"))
        return false;
    resolve_took_where(w, "double_bounce_sender", SLICE(""));
    resolve_add_route(w, address_text(address, w->arena), SLICE("discard:bounce of a bounce"));
    return true;
}

static bool take_fallback(struct walk *w, const struct names *n,
                          const struct directory_address *address)
{
    struct way way;
    if (!find_way(w, MAP_fallback_transport_maps, w->d->conf->fallback_transport,
                  "fallback_transport", n, address->domain, &way))
        return false;
    resolve_took_where(w, way.rule, way.where);
    resolve_add_way(w, &way, address);
    return true;
}

bool resolve_local(struct walk *w, const struct directory_address *address, const struct chain *up,
                   bool account_only)
{
    struct names n;
    if (!make_names(w, address, &n)) {
        resolve_give_up(w, "out of memory", SLICE_NONE);
        return false;
    }
    return take_local(w, &n, up, account_only) ||
           (!w->stop && (take_double_bounce(w, address) || take_fallback(w, &n, address) ||
                         (!up && resolve_luser(w, &n))));
}

/* An account that the whole address names, in the form of auth_username_format. */
static bool take_address(struct walk *w, struct slice local, struct slice domain,
                         struct slice detail)
{
    struct slice whole = resolve_join(w, local, domain), asked = whole;
    if (!whole.data || auth_login_name(w->d->conf, whole, w->arena, &asked, NULL) != OK)
        return false;
    const struct passwd_user *u = directory_account(w->d, whole);
    if (!u)
        u = directory_account(w->d, asked);
    if (u)
        add_user(w, u, detail);
    return u ||
           (directory_outside(w->d) == OUTSIDE_ADDRESSES && take_outside_name(w, asked, detail));
}

bool resolve_mailbox(struct walk *w, const struct directory_address *address, bool listed)
{
    struct names n;
    if (!make_names(w, address, &n)) {
        resolve_give_up(w, "out of memory", SLICE_NONE);
        return false;
    }
    if (take_address(w, n.local, n.domain, SLICE("")) ||
        (!w->stop && has_detail(&n) && take_address(w, n.base, n.domain, n.detail)))
        return true;
    struct slice name = resolve_join(w, n.base, n.domain);
    if (w->stop || !listed || passwd_name_check(name, NULL) != OK)
        return w->stop;
    struct directory_target t = {.local = true, .account = name, .detail = n.detail};
    found(w, "virtual_mailbox_maps", NULL, 0, name);
    resolve_add(w, &t);
    return true;
}
