/* turns.c: destinations and transports: whose turn it is, who has to wait and for what. */
#include "queue/turns.h"

#include "queue/internal.h"

#include <stdlib.h>

/* Of destinations that came from settings which are long gone; more share the last one. */
enum { TRANSPORTS_MAX = 1024 };

/* ---- transports ---- */

static struct q_transport *transport_new(struct schedule *s, struct slice name)
{
    struct q_transport *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    list_init(&t->parked);
    list_init(&t->timer.node);
    t->name_len = name.len < sizeof t->name ? name.len : sizeof t->name;
    if (t->name_len)
        memcpy(t->name, name.data, t->name_len);
    t->limit = queue_limits_find(s->limits, slice_of(t->name, t->name_len));
    list_push_back(&s->transports, &t->node);
    return t;
}

static struct q_transport *transport_get(struct schedule *s, struct slice destination)
{
    struct slice name = slice_sub(queue_transport_of(destination), 0, QUEUE_TRANSPORT_MAX);
    struct q_transport *t = NULL;
    size_t n = 0;
    LIST_FOR_EACH(node, &s->transports)
    {
        t = CONTAINER_OF(node, struct q_transport, node);
        if (slice_eq(name, slice_of(t->name, t->name_len)))
            return t;
        n++;
    }
    return n < TRANSPORTS_MAX ? transport_new(s, name) : t;
}

static bool transport_has_room(const struct q_transport *t, int64_t now_ms)
{
    uint32_t most = t->limit->transport_delay_s ? 1 : t->limit->processes;
    return (most == 0 || t->active < most) && t->next_ms <= now_ms;
}

/* ---- timers ---- */

static void timer_set(struct schedule *s, struct q_timer *t, int64_t at_ms)
{
    list_remove(&t->node);
    struct list_node *before = s->timers.prev;
    t->at_ms = at_ms;
    while (before != &s->timers && CONTAINER_OF(before, struct q_timer, node)->at_ms > at_ms)
        before = before->prev;
    list_push_front(before, &t->node);
}

static void unpark_one(struct schedule *s, struct q_transport *t)
{
    struct list_node *n = list_pop_front(&t->parked);
    if (n)
        dest_settle(s, CONTAINER_OF(n, struct q_dest, parked));
}

static void run_timers(struct schedule *s, int64_t now_ms)
{
    while (!list_empty(&s->timers)) {
        struct q_timer *t = CONTAINER_OF(s->timers.next, struct q_timer, node);
        if (t->at_ms > now_ms)
            return;
        list_remove(&t->node);
        if (t->dest)
            dest_settle(s, t->dest);
        else
            unpark_one(s, CONTAINER_OF(t, struct q_transport, timer));
    }
}

/* ---- destinations ---- */

static void begin_pace(struct q_dest *d)
{
    free(d->death);
    d->death = NULL;
    pace_begin(&d->pace, &d->transport->limit->pace);
}

struct q_dest *dest_get(struct schedule *s, struct slice name)
{
    struct q_dest *d = map_get(&s->dests, name);
    if (d)
        return d;
    struct q_transport *t = transport_get(s, name);
    d = t ? calloc(1, sizeof *d + name.len) : NULL;
    if (!d)
        return NULL;
    for (int c = 0; c < CLASS_COUNT; c++) {
        struct q_share *share = &d->shares[c];
        share->dest = d;
        list_init(&share->turn);
        list_init(&share->hungry);
        list_init(&share->ready);
    }
    list_init(&d->parked);
    list_init(&d->remembered);
    list_init(&d->timer.node);
    d->timer.dest = d;
    d->transport = t;
    d->name_len = name.len;
    if (name.len)
        memcpy(d->name, name.data, name.len);
    begin_pace(d);
    if (map_put(&s->dests, name, d) != OK) {
        free(d);
        return NULL;
    }
    return d;
}

static void forget(struct schedule *s, struct q_dest *d)
{
    if (!list_empty(&d->remembered))
        s->n_remembered--;
    list_remove(&d->remembered);
    list_remove(&d->parked);
    list_remove(&d->timer.node);
    (void)map_remove(&s->dests, dest_name(d));
    free(d->death);
    free(d);
}

/* Nothing waits for it, but what is known of it counts when something comes. */
static void remember(struct schedule *s, struct q_dest *d)
{
    if (!list_empty(&d->remembered))
        return;
    list_push_back(&s->remembered, &d->remembered);
    if (++s->n_remembered > REMEMBERED_MAX)
        forget(s, CONTAINER_OF(s->remembered.next, struct q_dest, remembered));
}

static bool is_waiting(const struct q_dest *d)
{
    return !list_empty(&d->parked) || !list_empty(&d->timer.node);
}

static void share_settle(struct schedule *s, struct q_share *share, enum q_class class)
{
    if (!share->more)
        list_remove(&share->hungry);
    else if (share->loaded < DESTINATION_CLASS / 2 && list_empty(&share->hungry))
        list_push_back(&s->hungry[class], &share->hungry);
    if (list_empty(&share->ready) || is_waiting(share->dest))
        list_remove(&share->turn);
    else if (list_empty(&share->turn))
        list_push_back(&s->rings[class], &share->turn);
}

void dest_settle(struct schedule *s, struct q_dest *d)
{
    bool used = d->active > 0;
    for (int c = 0; c < CLASS_COUNT; c++) {
        share_settle(s, &d->shares[c], c);
        used |= d->shares[c].loaded > 0 || d->shares[c].more;
    }
    if (!used && d->known_until_ms == 0) {
        forget(s, d);
    } else if (!used) {
        remember(s, d);
    } else if (!list_empty(&d->remembered)) {
        list_remove(&d->remembered);
        s->n_remembered--;
    }
}

void dests_release(struct schedule *s)
{
    struct list_node *n;
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&s->dests, &at, &key, &value)) {
        struct q_dest *d = value;
        free(d->death);
        free(d);
    }
    map_release(&s->dests);
    while ((n = list_pop_front(&s->transports)))
        free(CONTAINER_OF(n, struct q_transport, node));
}

/* Those at the front who are past their time; the others behind them follow. */
static void forget_some(struct schedule *s, int64_t now_ms)
{
    while (!list_empty(&s->remembered)) {
        struct q_dest *d = CONTAINER_OF(s->remembered.next, struct q_dest, remembered);
        if (d->known_until_ms > now_ms)
            return;
        forget(s, d);
    }
}

void schedule_configure(struct schedule *s)
{
    size_t at = 0;
    struct slice key;
    void *value;
    LIST_FOR_EACH(n, &s->transports)
    {
        struct q_transport *t = CONTAINER_OF(n, struct q_transport, node);
        t->limit = queue_limits_find(s->limits, slice_of(t->name, t->name_len));
        t->next_ms = 0;
        list_remove(&t->timer.node);
        while (!list_empty(&t->parked))
            unpark_one(s, t);
    }
    while (map_next(&s->dests, &at, &key, &value)) {
        struct q_dest *d = value;
        if (!d->death)
            pace_begin(&d->pace, &d->transport->limit->pace);
        d->next_ms = 0;
        list_remove(&d->timer.node);
        dest_settle(s, d);
    }
}

void schedule_revive(struct schedule *s)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&s->dests, &at, &key, &value)) {
        struct q_dest *d = value;
        if (d->death)
            begin_pace(d);
        dest_settle(s, d);
    }
}

/* ---- handing out ---- */

static void know(struct q_dest *d, int64_t until_ms)
{
    if (until_ms > d->known_until_ms)
        d->known_until_ms = until_ms;
}

static uint32_t most_active(const struct q_dest *d)
{
    const struct queue_limit *l = d->transport->limit;
    if (l->destination_delay_s)
        return 1;
    return l->ahead ? 2 * d->pace.window : d->pace.window;
}

enum turn { TURN_ATTEMPT, TURN_PUT_OFF, TURN_NONE };

/* TURN_NONE: it comes back when an attempt of its own is over, or when what it waits for has come.
 */
static enum turn turn_of(struct schedule *s, struct q_dest *d, int64_t now_ms)
{
    struct q_transport *t = d->transport;
    if (d->death && d->dead_until_ms <= now_ms)
        begin_pace(d);
    if (d->death || t->limit->deferred)
        return d->active < PUT_OFF_AT_A_TIME ? TURN_PUT_OFF : TURN_NONE;
    if (d->active >= most_active(d))
        return TURN_NONE;
    if (d->next_ms > now_ms) {
        timer_set(s, &d->timer, d->next_ms);
        return TURN_NONE;
    }
    if (!transport_has_room(t, now_ms)) {
        list_push_back(&t->parked, &d->parked);
        if (t->next_ms > now_ms)
            timer_set(s, &t->timer, t->next_ms);
        return TURN_NONE;
    }
    return TURN_ATTEMPT;
}

static struct q_item *hand_out(struct schedule *s, struct q_share *share, bool put_off)
{
    struct q_item *item = CONTAINER_OF(list_pop_front(&share->ready), struct q_item, node);
    item->active = true;
    item->put_off = put_off;
    share->loaded--;
    s->loaded[item->class]--;
    share->dest->active++;
    share->dest->transport->active += !put_off;
    dest_settle(s, share->dest);
    return item;
}

static struct q_item *take_from(struct schedule *s, enum q_class class, int64_t now_ms)
{
    struct list_node *n;
    while ((n = list_pop_front(&s->rings[class]))) {
        struct q_share *share = CONTAINER_OF(n, struct q_share, turn);
        struct q_dest *d = share->dest;
        enum turn turn = turn_of(s, d, now_ms);
        if (turn == TURN_ATTEMPT)
            return hand_out(s, share, false);
        /* It may have been woken for a place that it does not take, and others wait for. */
        if (list_empty(&d->parked) && transport_has_room(d->transport, now_ms))
            unpark_one(s, d->transport);
        if (turn == TURN_PUT_OFF)
            return hand_out(s, share, true);
        for (int c = 0; c < CLASS_COUNT; c++)
            list_remove(&d->shares[c].turn);
    }
    return NULL;
}

struct q_item *schedule_take(struct schedule *s, int64_t now_ms)
{
    run_timers(s, now_ms);
    forget_some(s, now_ms);
    s->turn = s->turn == CLASS_LETTERS ? CLASS_BULK : CLASS_LETTERS;
    struct q_item *item = take_from(s, s->turn, now_ms);
    return item ? item
                : take_from(s, s->turn == CLASS_LETTERS ? CLASS_BULK : CLASS_LETTERS, now_ms);
}

void turn_over(struct schedule *s, const struct q_item *item, int64_t now_ms)
{
    struct q_dest *d = item->dest;
    struct q_transport *t = d->transport;
    d->active--;
    if (!item->put_off) {
        t->active--;
        if (item->heard && t->limit->destination_delay_s) {
            d->next_ms = now_ms + (int64_t)t->limit->destination_delay_s * 1000;
            know(d, d->next_ms);
        }
        if (item->heard && t->limit->transport_delay_s)
            t->next_ms = now_ms + (int64_t)t->limit->transport_delay_s * 1000;
        if (!list_empty(&t->parked) && t->next_ms > now_ms)
            timer_set(s, &t->timer, t->next_ms);
        else
            unpark_one(s, t);
    }
    dest_settle(s, d);
}

void schedule_attempt(struct q_item *item)
{
    item->put_off = false;
    item->dest->transport->active++;
}

/* ---- what attempts tell ---- */

static void copy_text(char *out, size_t size, struct slice s)
{
    size_t n = s.len < size ? s.len : size - 1;
    if (n)
        memcpy(out, s.data, n);
    out[n] = '\0';
}

static struct q_death *death_new(const struct queue_rcpt_result *r)
{
    struct q_death *death = calloc(1, sizeof *death);
    if (!death)
        return NULL;
    copy_text(death->status, sizeof death->status, r->status);
    copy_text(death->diag_type, sizeof death->diag_type, r->diag_type);
    copy_text(death->remote, sizeof death->remote, r->remote);
    copy_text(death->reply, sizeof death->reply, r->reply);
    return death;
}

void schedule_heard(struct schedule *s, struct q_item *item, const struct queue_rcpt_result *missed,
                    int64_t now_ms, int64_t rest_ms)
{
    struct q_dest *d = item->dest;
    const struct pace_rules *rules = &d->transport->limit->pace;
    item->heard = true;
    if (!missed) {
        d->known_until_ms = d->next_ms;
        if (d->death)
            begin_pace(d);
        else
            pace_reached(&d->pace, rules, d->active);
    } else if (!d->death) {
        know(d, now_ms + rest_ms);
        d->dead_until_ms = now_ms + rest_ms;
        if (pace_missed(&d->pace, rules))
            d->death =
                death_new(missed); /* without memory it stays alive, with the window it has */
    }
    dest_settle(s, d);
}
