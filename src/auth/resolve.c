/* resolve.c: where an address leads: through aliases to accounts and foreign addresses. */
#include "auth/resolve.h"

void resolve_give_up(struct walk *w, const char *problem, struct slice address)
{
    w->out->kind = RESOLVE_BROKEN;
    w->out->problem = problem;
    w->out->problem_address = address;
    w->stop = true;
}

void resolve_note(struct walk *w, const char *problem, struct slice address)
{
    if (w->out->problem)
        return;
    w->out->problem = problem;
    w->out->problem_address = address;
}

static bool make_names(const struct walk *w, const struct directory_address *address,
                       struct names *ret)
{
    struct slice delimiters = directory_conf(w->d)->recipient_delimiter;
    struct names n = {.local = lower_copy(address->local, w->arena), .domain = address->domain};
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

static struct slice key_of(const struct directory_target *t)
{
    return t->kind != DIRECTORY_MAIL ? t->text : t->local ? t->account : t->address;
}

static bool same_target(const struct directory_target *a, const struct directory_target *b)
{
    return a->local == b->local && a->kind == b->kind && slice_eq(a->user, b->user) &&
           slice_eq(key_of(a), key_of(b));
}

static void stamp(const struct chain *up, struct directory_target *t)
{
    t->owner = up ? up->owner : SLICE_NONE;
    t->delivered = up ? up->delivered : SLICE_NONE;
}

void resolve_add(struct walk *w, const struct directory_target *from)
{
    struct resolved *out = w->out;
    struct directory_target stamped = *from;
    const struct directory_target *t = &stamped;
    stamp(w->here, &stamped);
    uint64_t hash = hash_bytes(key_of(t));
    for (size_t i = 0; i < out->n; i++)
        if (w->hashes[i] == hash && same_target(&out->targets[i], t))
            return;
    if (out->n == DIRECTORY_TARGETS_MAX) {
        resolve_give_up(w, "the aliases lead to too many targets", key_of(t));
        return;
    }
    if (out->n == w->room) {
        size_t room = w->room ? w->room * 4 : 4;
        struct directory_target *targets = arena_alloc_n(w->arena, room, sizeof *targets);
        uint64_t *hashes = arena_alloc_n(w->arena, room, sizeof *hashes);
        if (!targets || !hashes) {
            resolve_give_up(w, "out of memory", SLICE_NONE);
            return;
        }
        if (out->n) {
            memcpy(targets, out->targets, out->n * sizeof *targets);
            memcpy(hashes, w->hashes, out->n * sizeof *hashes);
        }
        out->targets = targets;
        w->hashes = hashes;
        w->room = room;
    }
    w->hashes[out->n] = hash;
    out->targets[out->n++] = *t;
}

static void add_remote(struct walk *w, struct slice address)
{
    struct directory_target t = {.local = false, .address = address};
    resolve_add(w, &t);
}

void resolve_took(struct walk *w, const char *rule, const char *file, size_t file_len,
                  unsigned line)
{
    if (w->out->rule[0])
        return;
    w->out->rule = rule;
    if (!file)
        return;
    char *where = line ? arena_printf(w->arena, "%.*s:%u", (int)file_len, file, line)
                       : arena_printf(w->arena, "%.*s", (int)file_len, file);
    w->out->where = slice_cstr(where);
}

static void add_user(struct walk *w, const struct passwd_user *u, struct slice detail)
{
    struct directory_target t = {.local = true, .account = u->name, .detail = detail};
    const char *path = directory_account_path(w->d, u);
    resolve_took(w, path == w->d->users_path ? "users_file" : "userdb", path, strlen(path),
                 u->line);
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
    resolve_took(w, setting, source, source ? strlen(source) : 0, 0);
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

static bool take_account(struct walk *w, const struct names *n)
{
    const struct passwd_user *u = find_user(w, n->local, n->domain);
    if (u) {
        add_user(w, u, SLICE(""));
        return true;
    }
    u = has_detail(n) ? find_user(w, n->base, n->domain) : NULL;
    if (u) {
        add_user(w, u, n->detail);
        return true;
    }
    return take_outside(w, n->local, n->domain, SLICE("")) ||
           (has_detail(n) && take_outside(w, n->base, n->domain, n->detail));
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
    struct names root = {.local = SLICE("root"), .base = SLICE("root"), .domain = n->domain};
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
    struct names n;
    bool account_only = text.len > 1 && text.data[0] == '\\';
    if (directory_address_parse(slice_from(text, account_only), w->arena, &address) != OK) {
        resolve_note(w, "a target of the alias is no address", text);
        return;
    }
    if (address.domain.data && !directory_is_local(w->d, address.domain)) {
        add_remote(w, text);
        return;
    }
    if (!make_names(w, &address, &n))
        resolve_give_up(w, "out of memory", SLICE_NONE);
    else if (!take_local(w, &n, up, account_only))
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
    here.delivered = up ? up->delivered : here.recipient;
    if (!resolve_rights(w, a, &here) || !begin_alias(w, a))
        return;
    here.owner = resolve_owner(w, a, n, up);
    resolve_took(w, "alias_maps", a->file.data, a->file.len, a->line);
    resolve_list(w, a->targets, &here);
}

static void resolve_local(struct walk *w, const struct directory_address *address)
{
    struct names n;
    w->out->kind = RESOLVE_LOCAL;
    if (!make_names(w, address, &n)) {
        resolve_give_up(w, "out of memory", SLICE_NONE);
        return;
    }
    bool taken = take_local(w, &n, NULL, false) || resolve_luser(w, &n);
    if (!w->stop && (!taken || w->out->n == 0))
        w->out->kind = RESOLVE_UNKNOWN;
}

/* An address without a domain is completed with myorigin, but postmaster is always ours. */
static enum result complete(const struct walk *w, struct directory_address *address)
{
    if (address->domain.data || slice_is_nocase(address->local, "postmaster"))
        return OK;
    return domain_fold(directory_conf(w->d)->myorigin, w->arena, &address->domain);
}

void directory_resolve(const struct directory *d, struct slice text,
                       const struct directory_system *system, struct arena *a, struct resolved *ret)
{
    static const struct directory_system none = {NULL, NULL, NULL};
    struct directory_address address;
    *ret = (struct resolved){.kind = RESOLVE_MALFORMED, .rule = "", .where = SLICE("")};
    struct walk w = {.d = d, .system = system ? system : &none, .arena = a, .out = ret};
    if (directory_address_parse(text, a, &address) != OK)
        return;
    bool had_domain = address.domain.data != NULL;
    if (complete(&w, &address) != OK)
        return;
    if (!address.domain.data || directory_is_local(d, address.domain)) {
        resolve_local(&w, &address);
        return;
    }
    ret->kind = RESOLVE_FOREIGN;
    if (had_domain)
        add_remote(&w, text);
    else
        add_remote(&w, resolve_join(&w, text, address.domain));
}
