/* schedule.c: see schedule.h. */
#include "queue/schedule.h"

#include "queue/internal.h"

#include <stdlib.h>

/* More destinations than bundles can't be: each has at least one loaded or under way. */
enum { ITEMS_MAX = 1 << 20 };

struct item_key {
    char bytes[12];
};

static struct item_key item_key(struct place p)
{
    struct item_key k;
    memcpy(k.bytes, &p.message, 8);
    memcpy(k.bytes + 8, &p.bundle, 4);
    return k;
}

static struct q_item *find_item(const struct schedule *s, struct place p)
{
    struct item_key k = item_key(p);
    return map_get(&s->items, slice_of(k.bytes, sizeof k.bytes));
}

void schedule_init(struct schedule *s)
{
    map_init(&s->items, ITEMS_MAX);
    map_init(&s->dests, ITEMS_MAX);
    list_init(&s->ring);
    list_init(&s->hungry);
    s->loaded = 0;
    s->cursor = (struct place){0};
}

void schedule_release(struct schedule *s)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&s->items, &at, &key, &value))
        free(value);
    at = 0;
    while (map_next(&s->dests, &at, &key, &value))
        free(value);
    map_release(&s->items);
    map_release(&s->dests);
}

/* ---- destinations ---- */

static struct q_dest *dest_get(struct schedule *s, struct slice name)
{
    struct q_dest *d = map_get(&s->dests, name);
    if (d)
        return d;
    d = calloc(1, sizeof *d + name.len);
    if (!d)
        return NULL;
    list_init(&d->node);
    list_init(&d->hungry);
    list_init(&d->ready);
    d->name_len = name.len;
    if (name.len)
        memcpy(d->name, name.data, name.len);
    if (map_put(&s->dests, name, d) != OK) {
        free(d);
        return NULL;
    }
    return d;
}

static struct slice dest_name(const struct q_dest *d)
{
    return slice_of(d->name, d->name_len);
}

static void dest_settle(struct schedule *s, struct q_dest *d)
{
    if (d->more && d->loaded < DESTINATION_LOAD / 2 && list_empty(&d->hungry))
        list_push_back(&s->hungry, &d->hungry);
    if (!list_empty(&d->ready)) {
        if (list_empty(&d->node))
            list_push_back(&s->ring, &d->node);
        return;
    }
    list_remove(&d->node);
    if (!d->more)
        list_remove(&d->hungry);
    if (d->loaded || d->active || d->more)
        return;
    (void)map_remove(&s->dests, dest_name(d));
    free(d);
}

static void dest_more(struct q_dest *d, struct place p)
{
    if (!d->more || place_before(p, d->more_from))
        d->more_from = p;
    d->more = true;
}

/* ---- entries ---- */

static bool load(struct schedule *s, struct q_dest *d, struct place p)
{
    struct q_item *item = calloc(1, sizeof *item);
    struct item_key k = item_key(p);
    if (!item)
        return false;
    item->place = p;
    item->dest = d;
    if (map_put(&s->items, slice_of(k.bytes, sizeof k.bytes), item) != OK) {
        free(item);
        return false;
    }
    list_push_back(&d->ready, &item->node);
    d->loaded++;
    s->loaded++;
    return true;
}

/* Takes a due entry into the window or notes that its destination has more. False: no room, the
 * cursor has to stay before it. */
static bool admit(struct schedule *s, struct place p, struct slice destination)
{
    if (find_item(s, p))
        return true;
    if (s->loaded >= WINDOW_MAX)
        return false;
    struct q_dest *d = dest_get(s, destination);
    if (!d)
        return false;
    bool taken = true;
    /* Once some of its entries wait in the table, later ones must too, or they would overtake. */
    if (d->more || d->loaded >= DESTINATION_LOAD)
        dest_more(d, p);
    else
        taken = load(s, d, p);
    dest_settle(s, d);
    return taken;
}

void schedule_insert(struct schedule *s, struct place p, struct slice destination, int64_t now_s)
{
    if (!place_before(p, s->cursor))
        return; /* the cursor will come by */
    if (p.due_s > now_s || !admit(s, p, destination))
        schedule_rewind(s, p);
}

void schedule_rewind(struct schedule *s, struct place from)
{
    if (place_before(from, s->cursor))
        s->cursor = from;
}

/* ---- reading the tables ---- */

static enum result scan_time(struct schedule *s, struct kv *kv, int64_t now_s)
{
    struct q_key from = q_key_schedule(s->cursor);
    struct kv_iter *it = kv_iter_new(kv, NULL, Q_PREFIX_SCHEDULE, q_key_slice(&from));
    struct slice key, destination;
    unsigned seen = 0;
    if (!it)
        return FAILED;
    for (;;) {
        struct place p;
        if (!kv_iter_next(it, &key, &destination)) {
            s->cursor = PLACE_END;
            break;
        }
        if (q_key_place(key, &p) != OK)
            continue;
        s->cursor = p;
        if (p.due_s > now_s || seen++ >= SCAN_CHUNK || !admit(s, p, destination))
            break;
    }
    return kv_iter_free(it);
}

/* Reads a destination's own table on, where its window has run low. */
static enum result scan_dest(struct schedule *s, struct kv *kv, struct q_dest *d, int64_t now_s)
{
    struct q_key prefix = q_key_destination_prefix(dest_name(d));
    struct q_key from = q_key_destination(dest_name(d), d->more_from);
    struct kv_iter *it = kv_iter_new(kv, NULL, q_key_slice(&prefix), q_key_slice(&from));
    struct slice key, value;
    if (!it)
        return FAILED;
    for (;;) {
        struct place p;
        d->more = kv_iter_next(it, &key, &value) && q_key_place(key, &p) == OK && p.due_s <= now_s;
        if (!d->more)
            break;
        d->more_from = p;
        if (find_item(s, p))
            continue;
        if (d->loaded >= DESTINATION_LOAD || s->loaded >= WINDOW_MAX || !load(s, d, p))
            break;
    }
    enum result r = kv_iter_free(it);
    dest_settle(s, d);
    return r;
}

enum result schedule_refill(struct schedule *s, struct kv *kv, int64_t now_s)
{
    enum result r = OK;
    struct list_node *n;
    if (s->loaded >= WINDOW_LOW)
        return OK;
    for (int i = 0; r == OK && i < 4 && (n = list_pop_front(&s->hungry)); i++)
        r = scan_dest(s, kv, CONTAINER_OF(n, struct q_dest, hungry), now_s);
    if (r == OK && s->cursor.due_s <= now_s)
        r = scan_time(s, kv, now_s);
    return r;
}

bool schedule_unread(const struct schedule *s, int64_t now_s)
{
    return s->loaded < WINDOW_LOW && (!list_empty(&s->hungry) || s->cursor.due_s <= now_s);
}

/* ---- handing out ---- */

static uint32_t most_active(const struct schedule *s, const struct q_dest *d, uint32_t normal)
{
    return s->limits ? queue_limits_concurrency(s->limits, dest_name(d), normal) : normal;
}

struct q_item *schedule_take(struct schedule *s, uint32_t per_destination)
{
    struct list_node *n;
    while ((n = list_pop_front(&s->ring))) {
        struct q_dest *d = CONTAINER_OF(n, struct q_dest, node);
        if (d->active >= most_active(s, d, per_destination))
            continue; /* comes back with schedule_drop */
        struct q_item *item = CONTAINER_OF(list_pop_front(&d->ready), struct q_item, node);
        item->active = true;
        d->loaded--;
        d->active++;
        s->loaded--;
        dest_settle(s, d);
        return item;
    }
    return NULL;
}

void schedule_drop(struct schedule *s, struct q_item *item)
{
    struct item_key k = item_key(item->place);
    struct q_dest *d = item->dest;
    (void)map_remove(&s->items, slice_of(k.bytes, sizeof k.bytes));
    list_remove(&item->node);
    if (item->active) {
        d->active--;
    } else {
        d->loaded--;
        s->loaded--;
    }
    free(item);
    dest_settle(s, d);
}

int64_t schedule_wait_ms(const struct schedule *s, int64_t now_us)
{
    if (schedule_unread(s, now_us / 1000000))
        return 0;
    int64_t wait_us = s->cursor.due_s == INT64_MAX ? 0 : s->cursor.due_s * 1000000 - now_us;
    return wait_us <= 0 ? -1 : (wait_us + 999) / 1000;
}
