/* expand.c: what aliases(5) has beside addresses: owner- aliases, commands, files, :include:. */
#include "auth/resolve.h"

static bool lists(struct slice_list l, const char *word)
{
    for (size_t i = 0; i < l.n; i++)
        if (slice_is_nocase(l.items[i], word))
            return true;
    return false;
}

struct slice resolve_recipient(const struct walk *w, const struct names *n)
{
    return resolve_join(w, n->given, n->domain.data ? n->domain : directory_conf(w->d)->myorigin);
}

struct slice resolve_delivered(const struct walk *w, const struct chain *up, struct slice recipient)
{
    bool outer = directory_conf(w->d)->frozen_delivered_to && up && up->delivered.data;
    return outer ? up->delivered : recipient;
}

/* ---- owner- ---- */

static struct slice local_of(struct slice key)
{
    size_t at = slice_rfind(key, '@');
    return at == SIZE_MAX ? key : slice_sub(key, 0, at);
}

/* "owner-NAME" as it is written in the alias files: for that domain, or for all. */
static const struct alias *find_owner(const struct walk *w, struct slice name, struct slice domain)
{
    const struct alias *a =
        domain.data ? aliases_find(w->d->aliases, resolve_join(w, name, domain)) : NULL;
    return a ? a : aliases_find(w->d->aliases, name);
}

struct slice resolve_owner(struct walk *w, const struct alias *a, const struct names *n,
                           const struct chain *up)
{
    const struct conf *c = directory_conf(w->d);
    struct slice inherited = up && !c->reset_owner_alias ? up->owner : SLICE_NONE;
    struct slice name = local_of(a->key);
    if (!c->owner_request_special || name.len == 0)
        return inherited;
    char *text = arena_printf(w->arena, "owner-%.*s", SLICE_ARG(name));
    const struct alias *owner = text ? find_owner(w, slice_cstr(text), n->domain) : NULL;
    if (!owner)
        return inherited;
    struct slice sender = slice_cstr(text);
    /* Several can't be one sender. */
    if (c->expand_owner_alias && owner->targets.n == 1 &&
        alias_item_kind(owner->targets.items[0]) == ITEM_ADDRESS)
        sender = owner->targets.items[0];
    if (slice_rfind(sender, '@') != SIZE_MAX)
        return sender;
    return resolve_join(w, sender, n->domain.data ? n->domain : c->myorigin);
}

/* ---- commands and files ---- */

static bool number_user(struct walk *w, unsigned owner, struct slice *ret)
{
    char *text = owner ? arena_printf(w->arena, "#%u", owner) : NULL;
    if (owner && !text) {
        resolve_give_up(w, "out of memory", SLICE_NONE);
        return false;
    }
    *ret = owner ? slice_cstr(text) : SLICE("-");
    return true;
}

bool resolve_rights(struct walk *w, const struct alias *a, struct chain *here)
{
    return number_user(w, a->owner, &here->user);
}

/* local(8): rights go with the file that the wish stands in, not with what it was included from,
 * unless that was a user's own. */
static bool is_permitted(const struct walk *w, enum alias_item kind, const struct chain *here)
{
    static const char *const sources[] = {"alias", "include", "forward"};
    const struct conf *c = directory_conf(w->d);
    struct slice_list allowed =
        kind == ITEM_COMMAND ? c->allow_mail_to_commands : c->allow_mail_to_files;
    return lists(allowed, sources[here->source]);
}

void resolve_served(struct walk *w, enum alias_item kind, struct slice text,
                    const struct chain *here)
{
    if (!is_permitted(w, kind, here)) {
        resolve_note(w,
                     kind == ITEM_COMMAND ? "mail to a command is restricted here "
                                            "(allow_mail_to_commands)"
                                          : "mail to a file is restricted here "
                                            "(allow_mail_to_files)",
                     text);
        return;
    }
    struct directory_target t = {
        .kind = kind == ITEM_COMMAND ? DIRECTORY_COMMAND : DIRECTORY_FILE,
        .address = here->recipient.data ? here->recipient : SLICE(""),
        .user = here->user,
        .text = text,
    };
    resolve_add(w, &t);
}

/* ---- :include: ---- */

/* True the first time. */
static bool begin_include(struct walk *w, struct slice path)
{
    for (size_t i = 0; i < w->n_included; i++)
        if (slice_eq(w->included[i], path))
            return false;
    if (w->n_included == INCLUDES_MAX) {
        resolve_give_up(w, "too many :include: files are involved", path);
        return false;
    }
    w->included[w->n_included++] = path;
    return true;
}

static void ask_for(struct walk *w, const struct directory_wish *wish)
{
    struct directory_wish *kept = ARENA_NEW(w->arena, struct directory_wish);
    if (!kept) {
        resolve_give_up(w, "out of memory", SLICE_NONE);
        return;
    }
    *kept = *wish;
    w->out->kind = RESOLVE_ASK;
    w->out->ask = SLICE("");
    w->out->wish = kept;
    w->stop = true;
}

bool resolve_read(struct walk *w, const struct directory_wish *wish, struct slice what,
                  struct directory_found *ret)
{
    struct directory_found found = {.refused = SLICE("")};
    enum account_known known =
        w->system->file ? w->system->file(w->system->arg, wish, w->arena, &found) : ACCOUNT_ABSENT;
    if (known == ACCOUNT_ASK) {
        ask_for(w, wish);
        return false;
    }
    if (known == ACCOUNT_THERE && found.refused.len) {
        char *text = arena_printf(w->arena, "%.*s", SLICE_ARG(found.refused));
        resolve_give_up(w, text ? text : "out of memory", what);
        return false;
    }
    if (known == ACCOUNT_THERE)
        *ret = found;
    return known == ACCOUNT_THERE;
}

bool resolve_file_list(struct walk *w, const struct directory_found *f, const char *rule,
                       const struct chain *here)
{
    struct slice_list items;
    const char *wrong;
    unsigned line;
    if (alias_lines_parse(f->bytes, w->arena, &items, &wrong, &line) != OK) {
        resolve_give_up(w, "out of memory", f->path);
        return true;
    }
    if (wrong) {
        char *where = arena_printf(w->arena, "%.*s:%u", SLICE_ARG(f->path), line);
        resolve_note(w, wrong, slice_cstr(where ? where : ""));
    }
    if (items.n && rule)
        resolve_took(w, rule, f->path.data, f->path.len, 0);
    for (size_t i = 0; w->system->step && i < items.n; i++)
        resolve_step(w, rule ? rule : ":include:", f->path,
                     here->recipient.data ? here->recipient : SLICE(""), items.items[i]);
    resolve_list(w, items, here);
    return items.n > 0;
}

void resolve_include(struct walk *w, struct slice path, const struct chain *up)
{
    struct directory_wish wish = {.forward = false, .user = up->user, .path = path};
    struct directory_found found;
    struct chain here = *up;
    here.up = up;
    here.alias = NULL;
    here.source = SOURCE_INCLUDE;
    here.depth++;
    if (here.depth > DIRECTORY_DEPTH_MAX) {
        resolve_give_up(w, "the :include: files are nested too deeply", path);
        return;
    }
    if (!begin_include(w, path))
        return;
    if (!resolve_read(w, &wish, path, &found)) {
        if (!w->stop)
            resolve_give_up(w, "the :include: file can't be read here", path);
        return;
    }
    /* The owner of a file that root's alias names does not get the default user's rights. */
    if (slice_is(up->user, "-") && !number_user(w, found.owner, &here.user))
        return;
    (void)resolve_file_list(w, &found, NULL, &here);
}
