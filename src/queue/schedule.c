/* schedule.c: reading what is due into the window. turns.c hands it out. */
#include "queue/schedule.h"

#include "queue/internal.h"
#include "queue/turns.h"

#include <stdlib.h>

/* More destinations than bundles can't be, but for those that are remembered. */
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

void schedule_init(struct schedule *s, const struct queue_limits *limits)
{
    *s = (struct schedule){.limits = limits, .passed = PLACE_END};
    map_init(&s->items, ITEMS_MAX);
    map_init(&s->dests, ITEMS_MAX);
    map_init(&s->messages, ITEMS_MAX);
    for (int c = 0; c < CLASS_COUNT; c++) {
        list_init(&s->rings[c]);
        list_init(&s->hungry[c]);
    }
    list_init(&s->transports);
    list_init(&s->timers);
    list_init(&s->remembered);
}

static void free_values(struct map *m)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(m, &at, &key, &value))
        free(value);
    map_release(m);
}

void schedule_release(struct schedule *s)
{
    free_values(&s->items);
    free_values(&s->messages);
    dests_release(s);
}

/* ---- messages ---- */

static struct q_message *message_get(struct schedule *s, uint64_t id)
{
    struct q_message *m = map_get(&s->messages, map_key_u64(&id));
    if (m)
        return m;
    m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->id = id;
    if (map_put(&s->messages, map_key_u64(&id), m) != OK) {
        free(m);
        return NULL;
    }
    return m;
}

static void message_settle(struct schedule *s, struct q_message *m)
{
    if (m->items)
        return;
    (void)map_remove(&s->messages, map_key_u64(&m->id));
    free(m);
}

static enum q_class class_of(const struct schedule *s, uint64_t message)
{
    const struct q_message *m = map_get(&s->messages, map_key_u64(&message));
    return m && m->items >= LETTER_BUNDLES ? CLASS_BULK : CLASS_LETTERS;
}

/* ---- entries ---- */

static bool put_item(struct schedule *s, struct q_item *item)
{
    struct item_key k = item_key(item->place);
    item->message = message_get(s, item->place.message);
    if (!item->message)
        return false;
    if (map_put(&s->items, slice_of(k.bytes, sizeof k.bytes), item) != OK) {
        message_settle(s, item->message);
        return false;
    }
    item->message->items++;
    return true;
}

static bool load(struct schedule *s, struct q_dest *d, struct place p, enum q_class class)
{
    struct q_item *item = calloc(1, sizeof *item);
    if (!item)
        return false;
    item->place = p;
    item->dest = d;
    item->class = class;
    if (!put_item(s, item)) {
        free(item);
        return false;
    }
    list_push_back(&d->shares[class].ready, &item->node);
    d->shares[class].loaded++;
    s->loaded[class]++;
    return true;
}

static void note_more(struct q_share *share, struct place p)
{
    if (!share->more || place_before(p, share->more_from))
        share->more_from = p;
    share->more = true;
}

static void note_passed(struct schedule *s, struct place p)
{
    if (place_before(p, s->passed))
        s->passed = p;
}

enum admitted {
    ADMITTED,   /* it is in the window, or its destination knows where to find it */
    NO_ROOM,    /* for a letter: reading ends before it */
    PASSED_OVER /* bulk without room: where its message begins is noted, reading goes on behind */
};

/* Once some of a destination's entries wait in its table, later ones of the class must too, or they
 * would overtake. */
static enum admitted admit(struct schedule *s, struct place p, struct slice destination)
{
    if (find_item(s, p))
        return ADMITTED;
    enum q_class class = class_of(s, p.message);
    struct q_dest *d = dest_get(s, destination);
    if (!d)
        return NO_ROOM;
    struct q_share *share = &d->shares[class];
    enum admitted a = ADMITTED;
    if (share->more || share->loaded >= DESTINATION_CLASS)
        note_more(share, p);
    else if (s->loaded[class] >= CLASS_WINDOW || !load(s, d, p, class))
        a = class == CLASS_BULK ? PASSED_OVER : NO_ROOM;
    if (a == PASSED_OVER)
        note_passed(s, p);
    dest_settle(s, d);
    return a;
}

void schedule_insert(struct schedule *s, struct place p, struct slice destination, int64_t now_s)
{
    if (!place_before(p, s->cursor))
        return; /* the cursor will come by */
    if (p.due_s > now_s || admit(s, p, destination) == NO_ROOM)
        schedule_rewind(s, p);
}

void schedule_rewind(struct schedule *s, struct place from)
{
    if (place_before(from, s->cursor))
        s->cursor = from;
}

void schedule_drop(struct schedule *s, struct q_item *item, int64_t now_ms)
{
    struct item_key k = item_key(item->place);
    (void)map_remove(&s->items, slice_of(k.bytes, sizeof k.bytes));
    item->message->items--;
    message_settle(s, item->message);
    if (item->active) {
        turn_over(s, item, now_ms);
    } else {
        list_remove(&item->node);
        item->dest->shares[item->class].loaded--;
        s->loaded[item->class]--;
        dest_settle(s, item->dest);
    }
    free(item);
}

/* ---- reading the tables ---- */

/* Entries of a table in the order of their places. */
struct walk {
    struct kv *kv;
    const struct q_dest *dest; /* of its own table; NULL: of the table in time order */
    struct kv_iter *it;
};

/* Closes what was read so far, and goes on at `from`. */
static enum result walk_from(struct walk *w, struct place from)
{
    struct q_key prefix, key;
    enum result r = w->it ? kv_iter_free(w->it) : OK;
    if (w->dest) {
        prefix = q_key_destination_prefix(dest_name(w->dest));
        key = q_key_destination(dest_name(w->dest), from);
        w->it = kv_iter_new(w->kv, NULL, q_key_slice(&prefix), q_key_slice(&key));
    } else {
        key = q_key_schedule(from);
        w->it = kv_iter_new(w->kv, NULL, Q_PREFIX_SCHEDULE, q_key_slice(&key));
    }
    return r == OK && !w->it ? FAILED : r;
}

/* False: that was the last one. */
static bool walk_next(struct walk *w, struct place *ret, struct slice *ret_destination)
{
    struct slice key;
    while (kv_iter_next(w->it, &key, ret_destination))
        if (q_key_place(key, ret) == OK)
            return true;
    return false;
}

static struct place behind_message(struct place p)
{
    return (struct place){p.due_s, p.message, UINT32_MAX};
}

/* Reads on from *at to `end`; *at is where to go on. */
static enum result scan_time(struct schedule *s, struct kv *kv, struct place *at, struct place end,
                             int64_t now_s)
{
    struct walk w = {.kv = kv};
    struct place p = *at;
    struct slice destination;
    enum result r = walk_from(&w, p);
    bool more = true;
    for (unsigned seen = 0; r == OK; seen++) {
        more = walk_next(&w, &p, &destination);
        if (!more)
            break;
        *at = p;
        if (p.due_s > now_s || seen >= SCAN_CHUNK || !place_before(p, end))
            break;
        enum admitted a = admit(s, p, destination);
        if (a == NO_ROOM)
            break;
        if (a == PASSED_OVER)
            r = walk_from(&w, behind_message(p));
    }
    enum result end_of_walk = w.it ? kv_iter_free(w.it) : OK;
    r = r == OK ? end_of_walk : r;
    if (r == OK && !more)
        *at = end;
    return r;
}

/* What it finds may count as letters by now. */
static bool may_read_passed(const struct schedule *s, int64_t now_s)
{
    return s->loaded[CLASS_BULK] < CLASS_LOW && s->loaded[CLASS_LETTERS] < CLASS_WINDOW &&
           place_before(s->passed, s->cursor) && s->passed.due_s <= now_s;
}

/* What was passed over, up to the cursor, once there is room again. */
static enum result scan_passed(struct schedule *s, struct kv *kv, int64_t now_s)
{
    struct place at = s->passed;
    s->passed = PLACE_END;
    enum result r = scan_time(s, kv, &at, s->cursor, now_s);
    if (r != OK || place_before(at, s->cursor))
        note_passed(s, at);
    return r;
}

/* Reads a destination's own table on, where its window of the class has run low. */
static enum result scan_dest(struct schedule *s, struct kv *kv, struct q_share *share,
                             int64_t now_s)
{
    struct q_dest *d = share->dest;
    struct walk w = {.kv = kv, .dest = d};
    struct slice value;
    struct place p = share->more_from;
    enum result r = walk_from(&w, p);
    share->more = false; /* until it is found that there is */
    for (unsigned seen = 0; r == OK && walk_next(&w, &p, &value) && p.due_s <= now_s; seen++) {
        if (find_item(s, p))
            continue;
        enum q_class class = class_of(s, p.message);
        struct q_share *of = &d->shares[class];
        bool room = of->loaded < DESTINATION_CLASS && s->loaded[class] < CLASS_WINDOW;
        if (seen < SCAN_CHUNK && room && !(of != share && of->more) && load(s, d, p, class))
            continue;
        note_more(of, p);
        if (of == share || seen >= SCAN_CHUNK) {
            note_more(share, p);
            break;
        }
        if (class == CLASS_BULK)
            r = walk_from(&w, behind_message(p));
    }
    enum result end_of_walk = w.it ? kv_iter_free(w.it) : OK;
    r = r == OK ? end_of_walk : r;
    if (r != OK)
        note_more(share, p); /* p: the last one that was read */
    dest_settle(s, d);
    return r;
}

enum result schedule_refill(struct schedule *s, struct kv *kv, int64_t now_s)
{
    enum result r = OK;
    for (int c = 0; c < CLASS_COUNT; c++) {
        struct list_node *n;
        for (int i = 0;
             i < 4 && r == OK && s->loaded[c] < CLASS_LOW && (n = list_pop_front(&s->hungry[c]));
             i++)
            r = scan_dest(s, kv, CONTAINER_OF(n, struct q_share, hungry), now_s);
    }
    if (r == OK && may_read_passed(s, now_s))
        r = scan_passed(s, kv, now_s);
    if (r == OK && s->loaded[CLASS_LETTERS] < CLASS_LOW && s->cursor.due_s <= now_s)
        r = scan_time(s, kv, &s->cursor, PLACE_END, now_s);
    return r;
}

bool schedule_unread(const struct schedule *s, int64_t now_s)
{
    for (int c = 0; c < CLASS_COUNT; c++)
        if (s->loaded[c] < CLASS_LOW && !list_empty(&s->hungry[c]))
            return true;
    return may_read_passed(s, now_s) ||
           (s->loaded[CLASS_LETTERS] < CLASS_LOW && s->cursor.due_s <= now_s);
}

static int64_t wait_for_timer(const struct schedule *s, int64_t now_ms)
{
    if (list_empty(&s->timers))
        return -1;
    int64_t wait = CONTAINER_OF(s->timers.next, struct q_timer, node)->at_ms - now_ms;
    return wait > 0 ? wait : 0;
}

int64_t schedule_wait_ms(const struct schedule *s, int64_t now_us, int64_t now_ms)
{
    if (schedule_unread(s, now_us / 1000000))
        return 0;
    int64_t timer = wait_for_timer(s, now_ms);
    int64_t wait_us = s->cursor.due_s == INT64_MAX ? 0 : s->cursor.due_s * 1000000 - now_us;
    int64_t due = wait_us <= 0 ? -1 : (wait_us + 999) / 1000;
    return timer < 0 || (due >= 0 && due < timer) ? due : timer;
}
