/* look.c: the administrator's view: list and show. A list is one walk through the envelopes with a
 * second one through the bundles beside it, both in the order of messages and of the same moment,
 * and decodes no more than what is asked for. Memory does not grow with the queue. */
#include <stdlib.h>

#include "queue/internal.h"

enum { INFO_ARENA_MAX = 8 << 20, NEAR = 16 };

/* All of what a queue_info points to. */
struct gathered {
    struct arena arena;
    struct queue_rcpt rcpts[QUEUE_INFO_RCPTS];
    struct slice reasons[QUEUE_INFO_RCPTS], destinations[QUEUE_INFO_RCPTS];
    int64_t next_s[QUEUE_INFO_RCPTS];
    struct queue_info info;
};

/* The walk through the bundles: the one that it stands at. */
struct bundles {
    struct kv *kv;
    struct kv_snapshot *moment;
    struct kv_iter *it; /* NULL: not begun */
    struct slice value;
    uint64_t message;
    bool at_end;
    enum result r; /* of walks that have ended */
};

static struct gathered *gathered_new(void)
{
    struct gathered *g = calloc(1, sizeof *g);
    if (g)
        arena_init(&g->arena, INFO_ARENA_MAX);
    return g;
}

static void gathered_free(struct gathered *g)
{
    if (!g)
        return;
    arena_release(&g->arena);
    free(g);
}

static void bundles_next(struct bundles *b)
{
    struct slice key;
    do
        b->at_end = !kv_iter_next(b->it, &key, &b->value);
    while (!b->at_end && q_key_message(key, &b->message) != OK);
}

static void bundles_end(struct bundles *b)
{
    enum result r = b->it ? kv_iter_free(b->it) : OK;
    if (b->r == OK)
        b->r = r;
    b->it = NULL;
}

/* Near ones are walked to, for others the walk begins anew. */
static void bundles_find(struct bundles *b, uint64_t message)
{
    struct q_key from = q_key_bundles(message);
    for (int i = 0; i < NEAR && b->it && !b->at_end && b->message < message; i++)
        bundles_next(b);
    if (b->it && (b->at_end || b->message >= message))
        return;
    bundles_end(b);
    b->it = kv_iter_new(b->kv, b->moment, Q_PREFIX_BUNDLES, q_key_slice(&from));
    bundles_next(b);
    if (!b->it)
        b->r = FAILED;
}

static void gather_bundle(struct gathered *g, const struct q_bundle *b)
{
    struct queue_info *i = &g->info;
    for (uint32_t k = 0; k < b->n && i->n_rcpts < QUEUE_INFO_RCPTS; k++) {
        g->rcpts[i->n_rcpts] = b->rcpts[k];
        g->reasons[i->n_rcpts] = b->reasons[k];
        g->next_s[i->n_rcpts] = b->due_s;
        g->destinations[i->n_rcpts] = b->destination;
        i->n_rcpts++;
    }
    if (b->attempts > i->attempts)
        i->attempts = b->attempts;
    if (i->next_attempt_s == 0 || b->due_s < i->next_attempt_s)
        i->next_attempt_s = b->due_s;
}

/* Bundles in number order until the recipients are enough. CORRUPT ones are left out. */
static void gather_bundles(struct bundles *b, struct gathered *g)
{
    bundles_find(b, g->info.message);
    while (!b->at_end && b->message == g->info.message && g->info.n_rcpts < QUEUE_INFO_RCPTS) {
        struct slice kept = arena_dup(&g->arena, b->value);
        struct q_bundle decoded;
        if (kept.data && q_bundle_decode(kept, &g->arena, &decoded) == OK)
            gather_bundle(g, &decoded);
        bundles_next(b);
    }
}

static bool is_active(struct queue *q, uint64_t message)
{
    queue_lock(q);
    bool active = map_get(&q->loaded, map_key_u64(&message)) != NULL;
    queue_unlock(q);
    return active;
}

/* Slices stay those of the envelope. */
static void begin_info(struct gathered *g, const struct q_envelope *e)
{
    arena_clear(&g->arena);
    g->info = (struct queue_info){.message = e->message,
                                  .state = e->held ? QUEUE_STATE_HOLD : QUEUE_STATE_DEFERRED,
                                  .sender = e->sender,
                                  .size = e->size,
                                  .arrived_s = e->arrived_s,
                                  .total_rcpts = e->recipients,
                                  .rcpts = g->rcpts,
                                  .reasons = g->reasons,
                                  .next_s = g->next_s,
                                  .destinations = g->destinations,
                                  .account = e->account,
                                  .client_ip = e->client_ip};
}

static void set_state(struct queue *q, struct queue_info *i)
{
    if (i->state == QUEUE_STATE_DEFERRED && is_active(q, i->message))
        i->state = QUEUE_STATE_ACTIVE;
}

/* False: `each` wants no more. */
static bool look_at(struct queue *q, const struct queue_look *look, struct gathered *g,
                    struct bundles *b)
{
    enum queue_wish wish = look->wants ? look->wants(look->arg, &g->info) : QUEUE_TELL;
    if (wish != QUEUE_TELL)
        return wish == QUEUE_SKIP;
    if (!look->heads)
        gather_bundles(b, g);
    set_state(q, &g->info);
    return look->each(look->arg, &g->info);
}

static enum result walk(struct queue *q, const struct queue_look *look, struct kv_iter *envelopes,
                        struct bundles *b)
{
    struct gathered *g = gathered_new();
    struct slice key, value;
    bool go_on = true;
    if (!g)
        return FAILED;
    while (go_on && kv_iter_next(envelopes, &key, &value)) {
        struct q_envelope e;
        uint64_t message;
        if (q_key_message(key, &message) != OK || q_envelope_decode(message, value, &e) != OK)
            continue; /* one damaged record must not hide the others */
        begin_info(g, &e);
        go_on = look_at(q, look, g, b);
    }
    gathered_free(g);
    return OK;
}

static enum result get_envelope(struct queue *q, uint64_t message, struct buf *value,
                                struct q_envelope *ret)
{
    struct q_key key = q_key_envelope(message);
    buf_reset(value);
    enum result r = kv_get(q->kv, NULL, q_key_slice(&key), value);
    return r == OK ? q_envelope_decode(message, buf_slice(value), ret) : r;
}

/* The walk for a text: through the bundles, and the envelopes only of those that have it. */
static enum result walk_for_text(struct queue *q, const struct queue_look *look,
                                 struct bundles *found, struct bundles *b)
{
    struct gathered *g = gathered_new();
    struct buf value;
    struct q_envelope e;
    uint64_t before = 0;
    bool go_on = true;
    if (!g)
        return FAILED;
    buf_init(&value, KV_VALUE_MAX);
    for (bundles_find(found, 0); go_on && !found->at_end; bundles_next(found)) {
        if (found->message == before || !slice_contains_nocase(found->value, look->text) ||
            get_envelope(q, found->message, &value, &e) != OK)
            continue;
        before = found->message;
        begin_info(g, &e);
        go_on = look_at(q, look, g, b);
    }
    buf_release(&value);
    gathered_free(g);
    return OK;
}

static enum result list_with_text(struct queue *q, const struct queue_look *look, struct bundles *b)
{
    struct bundles found = {.kv = q->kv, .moment = b->moment};
    enum result r = walk_for_text(q, look, &found, b);
    bundles_end(&found);
    return r == OK ? found.r : r;
}

static enum result list_all(struct queue *q, const struct queue_look *look, struct bundles *b)
{
    struct kv_iter *envelopes = kv_iter_new(q->kv, b->moment, Q_PREFIX_ENVELOPES, SLICE_NONE);
    enum result walked = envelopes ? walk(q, look, envelopes, b) : OK;
    enum result r = kv_iter_free(envelopes);
    return walked == OK ? r : walked;
}

enum result queue_list(struct queue *q, const struct queue_look *look)
{
    struct bundles b = {.kv = q->kv, .moment = kv_snapshot_new(q->kv)};
    if (!b.moment)
        return FAILED;
    enum result r = look->text.len ? list_with_text(q, look, &b) : list_all(q, look, &b);
    bundles_end(&b);
    kv_snapshot_free(b.moment);
    return r == OK ? b.r : r;
}

static enum result show(struct queue *q, struct gathered *g,
                        void (*each)(void *arg, const struct queue_info *i), void *arg)
{
    struct bundles b = {.kv = q->kv};
    gather_bundles(&b, g);
    bundles_end(&b);
    if (b.r != OK)
        return b.r;
    set_state(q, &g->info);
    each(arg, &g->info);
    return OK;
}

enum result queue_show(struct queue *q, uint64_t message,
                       void (*each)(void *arg, const struct queue_info *i), void *arg)
{
    struct gathered *g = gathered_new();
    struct q_envelope e;
    struct buf value;
    buf_init(&value, KV_VALUE_MAX);
    enum result r = g ? get_envelope(q, message, &value, &e) : FAILED;
    if (r == OK) {
        begin_info(g, &e);
        r = show(q, g, each, arg);
    }
    buf_release(&value);
    gathered_free(g);
    return r;
}
