/* targets.c: what a walk has found: targets without duplicates, the rule, what went wrong. */
#include "auth/rewrite.h"
#include "auth/resolve.h"

void resolve_give_up(struct walk *w, const char *problem, struct slice address)
{
    w->out->kind = RESOLVE_BROKEN;
    w->out->problem = problem;
    w->out->problem_address = address;
    w->stop = true;
}

void resolve_unavailable(struct walk *w, const struct error *err)
{
    const char *why = arena_printf(w->arena, "%s", err->text);
    resolve_give_up(w, why ? why : "out of memory", SLICE_NONE);
    w->out->kind = RESOLVE_UNAVAILABLE;
}

void resolve_note(struct walk *w, const char *problem, struct slice address)
{
    if (w->out->problem)
        return;
    w->out->problem = problem;
    w->out->problem_address = address;
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

void resolve_add_route(struct walk *w, struct slice address, struct slice route)
{
    struct directory_target t = {.address = address, .route = route};
    if (!address.data || !route.data)
        resolve_give_up(w, "out of memory", SLICE_NONE);
    else
        resolve_add(w, &t);
}

void resolve_add_way(struct walk *w, const struct way *way, const struct directory_address *address)
{
    struct directory_target t = {.address = address_text(address, w->arena),
                                 .route = way_route(way, address, w->arena)};
    if (!t.address.data || !t.route.data) {
        resolve_give_up(w, "out of memory", SLICE_NONE);
        return;
    }
    resolve_step(w, way->rule, way->where, t.address,
                 t.route.len ? t.route : SLICE("smtp: to its own domain"));
    resolve_add(w, &t);
}

void resolve_took_where(struct walk *w, const char *rule, struct slice where)
{
    if (w->out->rule[0])
        return;
    w->out->rule = rule;
    w->out->where = where;
}

void resolve_took(struct walk *w, const char *rule, const char *file, size_t file_len,
                  unsigned line)
{
    if (w->out->rule[0])
        return;
    if (!file) {
        resolve_took_where(w, rule, SLICE(""));
        return;
    }
    char *where = line ? arena_printf(w->arena, "%.*s:%u", (int)file_len, file, line)
                       : arena_printf(w->arena, "%.*s", (int)file_len, file);
    resolve_took_where(w, rule, slice_cstr(where));
}

void resolve_step(struct walk *w, const char *rule, struct slice where, struct slice from,
                  struct slice to)
{
    if (w->system->step)
        w->system->step(w->system->step_arg, rule, where, from, to);
}
