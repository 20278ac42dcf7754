#include "store/view.h"

#include <stdlib.h>

static struct chunk *chunk_new(size_t cap)
{
    struct chunk *c = malloc(sizeof *c + cap * sizeof c->entries[0]);
    if (!c)
        return NULL;
    atomic_init(&c->refs, 1);
    c->used = 0;
    c->cap = (uint16_t)cap;
    return c;
}

static void chunk_unref(struct chunk *c)
{
    if (atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1)
        free(c);
}

static struct chunk *chunk_copy(const struct chunk *from, size_t n, size_t cap)
{
    struct chunk *c = chunk_new(cap);
    if (!c)
        return NULL;
    memcpy(c->entries, from->entries, n * sizeof c->entries[0]);
    c->used = (uint16_t)n;
    return c;
}

struct view *view_new(void)
{
    struct view *v = calloc(1, sizeof *v);
    if (v)
        atomic_init(&v->refs, 1);
    return v;
}

struct view *view_ref(struct view *v)
{
    atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
    return v;
}

void view_unref(struct view *v)
{
    if (!v || atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < v->n_slots; i++)
        chunk_unref(v->slots[i].chunk);
    keywords_unref(v->keywords);
    free(v->slots);
    free(v);
}

struct view *view_clone(const struct view *v)
{
    struct view *c = view_new();
    if (!c)
        return NULL;
    size_t cap = v->n_slots + 1;
    struct slot *slots = malloc(cap * sizeof *slots);
    if (!slots) {
        free(c);
        return NULL;
    }
    if (v->n_slots)
        memcpy(slots, v->slots, v->n_slots * sizeof *slots);
    for (uint32_t i = 0; i < v->n_slots; i++)
        atomic_fetch_add_explicit(&slots[i].chunk->refs, 1, memory_order_relaxed);
    c->count = v->count;
    c->bytes = v->bytes;
    c->unseen = v->unseen;
    c->head = v->head;
    c->keywords = v->keywords ? keywords_ref(v->keywords) : NULL;
    c->slots = slots;
    c->n_slots = v->n_slots;
    c->cap_slots = (uint32_t)cap;
    return c;
}

static struct slot *add_slot(struct view *v, struct chunk *c)
{
    if (v->n_slots == v->cap_slots) {
        size_t cap = v->cap_slots ? (size_t)v->cap_slots * 2 : 1;
        struct slot *slots = realloc(v->slots, cap * sizeof *slots);
        if (!slots)
            return NULL;
        v->slots = slots;
        v->cap_slots = (uint32_t)cap;
    }
    struct slot *s = &v->slots[v->n_slots++];
    *s = (struct slot){.chunk = c, .first = v->count};
    return s;
}

/* The last slot with room for one more entry. Small mailboxes get small chunks. */
static struct slot *slot_with_room(struct view *v)
{
    struct slot *last = v->n_slots ? &v->slots[v->n_slots - 1] : NULL;
    if (!last || last->n == CHUNK_MAX) {
        struct chunk *c = chunk_new(last ? CHUNK_MAX : 4);
        struct slot *s = c ? add_slot(v, c) : NULL;
        if (c && !s)
            chunk_unref(c);
        return s;
    }
    struct chunk *c = last->chunk;
    if (c->used == last->n && c->used < c->cap)
        return last;
    size_t cap = last->n < 16 ? 16 : last->n < 64 ? 64 : CHUNK_MAX;
    struct chunk *copy = chunk_copy(c, last->n, cap);
    if (!copy)
        return NULL;
    chunk_unref(c);
    last->chunk = copy;
    return last;
}

static bool is_unseen(const struct entry *e)
{
    return !(e->flags & FLAG_SEEN);
}

enum result view_push(struct view *v, const struct entry *e)
{
    struct slot *s = slot_with_room(v);
    if (!s)
        return FAILED;
    s->chunk->entries[s->n++] = *e;
    s->chunk->used = s->n;
    s->unseen += is_unseen(e);
    v->count++;
    v->unseen += is_unseen(e);
    v->bytes += e->size;
    return OK;
}

/* Index of the slot that holds entry `i` (from 0). */
static uint32_t slot_of(const struct view *v, uint32_t i)
{
    uint32_t low = 0, high = v->n_slots;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (v->slots[middle].first <= i)
            low = middle;
        else
            high = middle;
    }
    return low;
}

enum result view_set(struct view *v, uint32_t seq, const struct entry *e)
{
    struct slot *s = &v->slots[slot_of(v, seq - 1)];
    if (atomic_load_explicit(&s->chunk->refs, memory_order_acquire) != 1) {
        struct chunk *copy = chunk_copy(s->chunk, s->n, s->chunk->cap);
        if (!copy)
            return FAILED;
        chunk_unref(s->chunk);
        s->chunk = copy;
    }
    struct entry *old = &s->chunk->entries[seq - 1 - s->first];
    int change = is_unseen(e) - is_unseen(old);
    s->unseen = (uint16_t)(s->unseen + change);
    v->unseen = (uint32_t)((int64_t)v->unseen + change);
    v->bytes += e->size - old->size;
    *old = *e;
    return OK;
}

static void recount(struct slot *s)
{
    s->unseen = 0;
    for (uint32_t i = 0; i < s->n; i++)
        s->unseen += is_unseen(&s->chunk->entries[i]);
}

/* What is left of slot `s` without the given sequence numbers (of which all n lie in it), in a
 * chunk of its own; joined to the slot before when both are small. */
static enum result keep_rest(struct view *v, struct slot s, const uint32_t *seqs, size_t n)
{
    uint32_t left = s.n - (uint32_t)n;
    if (left == 0) {
        chunk_unref(s.chunk);
        return OK;
    }
    struct slot *before = v->n_slots ? &v->slots[v->n_slots - 1] : NULL;
    bool join = before && before->n + left <= CHUNK_MAX / 2;
    struct chunk *c =
        join ? chunk_copy(before->chunk, before->n, before->n + left) : chunk_new(left);
    if (!c)
        return FAILED;
    if (join)
        chunk_unref(before->chunk);
    for (uint32_t i = 0, k = 0; i < s.n; i++) {
        if (k < n && seqs[k] == s.first + i + 1)
            k++;
        else
            c->entries[c->used++] = s.chunk->entries[i];
    }
    chunk_unref(s.chunk);
    /* There is room: slots are only taken away here. */
    struct slot *to = join ? before : &v->slots[v->n_slots++];
    uint32_t first = join ? before->first : v->count;
    *to = (struct slot){.chunk = c, .first = first, .n = c->used};
    recount(to);
    v->count += left;
    return OK;
}

static void keep_whole(struct view *v, struct slot s)
{
    s.first = v->count;
    v->slots[v->n_slots++] = s;
    v->count += s.n;
}

static void recount_view(struct view *v)
{
    v->unseen = 0;
    for (uint32_t i = 0; i < v->n_slots; i++)
        v->unseen += v->slots[i].unseen;
}

/* Walks the slots once and writes those that stay over those before; on lack of memory the rest is
 * kept as it was, so that the view can be released. */
enum result view_remove(struct view *v, const uint32_t *seqs, size_t n)
{
    uint32_t n_slots = v->n_slots;
    uint64_t bytes = v->bytes;
    for (size_t i = 0; i < n; i++)
        bytes -= view_entry(v, seqs[i])->size;
    enum result r = OK;
    v->n_slots = 0;
    v->count = 0;
    for (uint32_t i = 0; i < n_slots; i++) {
        struct slot s = v->slots[i];
        size_t here = 0;
        while (here < n && seqs[here] <= s.first + s.n)
            here++;
        if (here == 0 || r != OK || (r = keep_rest(v, s, seqs, here)) != OK)
            keep_whole(v, s);
        seqs += here;
        n -= here;
    }
    recount_view(v);
    v->bytes = bytes;
    return r;
}

size_t view_memory(const struct view *v)
{
    size_t chunks = (size_t)v->count + CHUNK_MAX / 4;
    return sizeof *v + v->cap_slots * (sizeof(struct slot) + sizeof(struct chunk)) +
           chunks * sizeof(struct entry);
}

/* ---- what sessions ask ---- */

uint32_t view_count(const struct view *v)
{
    return v->count;
}

const struct entry *view_entry(const struct view *v, uint32_t seq)
{
    const struct slot *s = &v->slots[slot_of(v, seq - 1)];
    return &s->chunk->entries[seq - 1 - s->first];
}

uint32_t view_seek(const struct view *v, uint32_t uid)
{
    if (v->count == 0)
        return 1;
    uint32_t low = 0, high = v->n_slots; /* the last slot that begins at or below uid */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (v->slots[middle].chunk->entries[0].uid <= uid)
            low = middle;
        else
            high = middle;
    }
    const struct slot *s = &v->slots[low];
    uint32_t from = 0, to = s->n;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (s->chunk->entries[middle].uid < uid)
            from = middle + 1;
        else
            to = middle;
    }
    return s->first + from + 1;
}

uint32_t view_find(const struct view *v, uint32_t uid)
{
    uint32_t seq = view_seek(v, uid);
    return seq <= v->count && view_entry(v, seq)->uid == uid ? seq : 0;
}

uint32_t view_uidvalidity(const struct view *v)
{
    return v->head.uidvalidity;
}

uint32_t view_uidnext(const struct view *v)
{
    return v->head.uidnext;
}

uint64_t view_highest_modseq(const struct view *v)
{
    return v->head.modseq;
}

uint32_t view_unseen(const struct view *v)
{
    return v->unseen;
}

uint32_t view_first_unseen(const struct view *v)
{
    for (uint32_t i = 0; i < v->n_slots; i++) {
        const struct slot *s = &v->slots[i];
        if (s->unseen == 0)
            continue;
        for (uint32_t k = 0; k < s->n; k++)
            if (is_unseen(&s->chunk->entries[k]))
                return s->first + k + 1;
    }
    return 0;
}

uint64_t view_bytes(const struct view *v)
{
    return v->bytes;
}

uint32_t view_keyword_count(const struct view *v)
{
    return v->keywords ? v->keywords->n : 0;
}

struct slice view_keyword(const struct view *v, uint32_t i)
{
    return v->keywords->names[i];
}

void view_set_keywords(struct view *v, struct keywords *k)
{
    if (v->keywords == k)
        return;
    keywords_unref(v->keywords);
    v->keywords = k ? keywords_ref(k) : NULL;
}
