/* wheel.c: see wheel.h. A level's slot is looked at when the level below has wrapped round to its
 * first slot. A bit in `used` may outlive the nodes that were
 * removed from its slot; it costs one early look, never a late one. */
#include "io/wheel.h"

#include <stdbool.h>
#include <string.h>

enum { BITS = 8, MASK = WHEEL_SLOTS - 1 };

/* Furthest distance in ticks; what is beyond waits in the last slot and is inserted again. */
static const int64_t reach = ((int64_t)1 << (BITS * WHEEL_LEVELS)) - 1;

void wheel_init(struct wheel *w, int64_t now_ms)
{
    memset(w->used, 0, sizeof w->used);
    for (int level = 0; level < WHEEL_LEVELS; level++)
        for (int i = 0; i < WHEEL_SLOTS; i++)
            list_init(&w->slots[level][i]);
    w->tick = now_ms / WHEEL_TICK_MS;
}

static void insert_at_tick(struct wheel *w, struct list_node *node, int64_t tick)
{
    if (tick < w->tick)
        tick = w->tick;
    int64_t distance = tick - w->tick;
    if (distance > reach - WHEEL_SLOTS * WHEEL_SLOTS) {
        distance = reach - WHEEL_SLOTS * WHEEL_SLOTS;
        tick = w->tick + distance;
    }
    int level = 0;
    /* A slot of a higher level must lie ahead of the one being emptied: compare whole slots. */
    while (level < WHEEL_LEVELS - 1 &&
           (tick >> (BITS * level)) - (w->tick >> (BITS * level)) >= WHEEL_SLOTS)
        level++;
    int slot = (int)(tick >> (BITS * level)) & MASK;
    list_push_back(&w->slots[level][slot], node);
    w->used[level][slot / 64] |= (uint64_t)1 << (slot % 64);
}

void wheel_insert(struct wheel *w, struct list_node *node, int64_t at_ms)
{
    /* Rounded up: never before the deadline. */
    insert_at_tick(w, node, (at_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS);
}

/* The first used slot at or after `from`, going round once; -1: none. */
static int next_used(const uint64_t used[WHEEL_SLOTS / 64], int from)
{
    for (int i = 0; i <= WHEEL_SLOTS / 64; i++) {
        int word = (from / 64 + i) % (WHEEL_SLOTS / 64);
        uint64_t bits = used[word];
        if (i == 0)
            bits &= ~(uint64_t)0 << (from % 64);
        if (i == WHEEL_SLOTS / 64)
            bits &= ~(~(uint64_t)0 << (from % 64));
        if (bits)
            return word * 64 + __builtin_ctzll(bits);
    }
    return -1;
}

/* The tick at which a level has something to do; INT64_MAX: never. Level 0 counts from the tick
 * being looked at; a higher level's current slot was emptied when it was entered, unless its first
 * tick is the one being looked at. */
static int64_t level_next(const struct wheel *w, int level)
{
    int64_t unit = (int64_t)1 << (BITS * level);
    int64_t at = (w->tick + unit - 1) / unit;
    int slot = next_used(w->used[level], (int)(at & MASK));
    return slot < 0 ? INT64_MAX : (at + ((slot - at) & MASK)) * unit;
}

static int64_t next_tick(const struct wheel *w)
{
    int64_t next = INT64_MAX;
    for (int level = 0; level < WHEEL_LEVELS; level++) {
        int64_t tick = level_next(w, level);
        next = tick < next ? tick : next;
    }
    return next;
}

int64_t wheel_next(const struct wheel *w)
{
    int64_t tick = next_tick(w);
    return tick == INT64_MAX ? tick : tick * WHEEL_TICK_MS;
}

/* The wheel does not know a node's time: what a higher level holds is handed out early, and the
 * owner inserts it again, lower. */
static void empty_slot(struct wheel *w, int level, struct list_node *due)
{
    int slot = (int)(w->tick >> (BITS * level)) & MASK;
    struct list_node *node;
    w->used[level][slot / 64] &= ~((uint64_t)1 << (slot % 64));
    while ((node = list_pop_front(&w->slots[level][slot])))
        list_push_back(due, node);
}

void wheel_expire(struct wheel *w, int64_t now_ms, struct list_node *due)
{
    int64_t now = now_ms / WHEEL_TICK_MS;
    for (int64_t tick = next_tick(w); tick <= now; tick = next_tick(w)) {
        w->tick = tick;
        for (int level = WHEEL_LEVELS - 1; level >= 0; level--)
            if ((tick & (((int64_t)1 << (BITS * level)) - 1)) == 0)
                empty_slot(w, level, due);
        w->tick = tick + 1;
    }
    if (w->tick <= now)
        w->tick = now + 1;
}
