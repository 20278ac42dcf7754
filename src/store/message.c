/* message.c: reading stored messages. Ids come from entries; nothing here needs an account. */
#include <stdlib.h>

#include "store/internal.h"

enum { TOGETHER = 64, STEPS_MAX = 4 };

enum result message_record_read(struct store *s, uint64_t message, struct message_record *ret,
                                struct buf *hold)
{
    struct key key = key_message(message);
    enum result r = kv_get(s->kv, NULL, key_slice(&key), hold);
    return r == OK ? message_record_decode(buf_slice(hold), ret) : r;
}

enum result message_summary(struct store *s, uint64_t message, struct buf *out)
{
    struct buf hold;
    buf_init(&hold, KV_VALUE_MAX);
    struct message_record m;
    enum result r = message_record_read(s, message, &m, &hold);
    if (r == OK) {
        buf_append(out, m.summary);
        r = buf_ok(out) ? OK : LIMIT;
    }
    buf_release(&hold);
    return r;
}

enum result message_size(struct store *s, uint64_t message, uint64_t *ret)
{
    struct buf hold;
    buf_init(&hold, KV_VALUE_MAX);
    struct message_record m;
    enum result r = message_record_read(s, message, &m, &hold);
    if (r == OK)
        *ret = m.size;
    buf_release(&hold);
    return r;
}

static enum result read_blobs(struct store *s, const struct message_record *m, uint64_t from,
                              uint64_t len, struct buf *out)
{
    enum result r = OK;
    while (r == OK && len) {
        uint64_t i = from / m->blob_size, at = from % m->blob_size;
        uint64_t here = m->blob_size - at < len ? m->blob_size - at : len;
        size_t before = buf_len(out);
        r = kv_blob_read(s->kv, message_record_blob(m, i), at, here, out);
        if (r == OK && buf_len(out) - before != here)
            r = CORRUPT;
        from += here;
        len -= here;
    }
    return r == NOT_FOUND ? CORRUPT : r;
}

enum result message_read(struct store *s, uint64_t message, uint64_t from, uint64_t len,
                         struct buf *out)
{
    struct buf hold;
    buf_init(&hold, KV_VALUE_MAX);
    struct message_record m;
    enum result r = message_record_read(s, message, &m, &hold);
    if (r == OK && from < m.size)
        r = read_blobs(s, &m, from, len < m.size - from ? len : m.size - from, out);
    buf_release(&hold);
    return r;
}

/* ---- many summaries ----
 * Messages that came one after the other lie side by side, so a walk finds most of the next ones
 * within a few steps; the others are got together. */

struct summaries {
    struct store *store;
    const uint64_t *messages;
    size_t n;
    void (*each)(void *arg, size_t i, struct slice summary);
    void *arg;
};

/* A damaged or missing one comes as an empty summary: its neighbours stay readable. */
static void hand_over(const struct summaries *q, size_t i, bool found, struct slice value)
{
    struct message_record m = {0};
    if (!found || message_record_decode(value, &m) != OK)
        m.summary = SLICE("");
    q->each(q->arg, i, m.summary);
}

/* From i on as far as the walk goes; returns where it ended. */
static size_t walk(const struct summaries *q, size_t i, enum result *r)
{
    struct key key = key_message(q->messages[i]);
    struct kv_iter *it = kv_iter_new(q->store->kv, NULL, SLICE("m"), key_slice(&key));
    if (!it) {
        *r = FAILED;
        return i;
    }
    struct slice k, value;
    for (int steps = 0; i < q->n && steps < STEPS_MAX && kv_iter_next(it, &k, &value); steps++) {
        key = key_message(q->messages[i]);
        int order = slice_cmp(k, key_slice(&key));
        if (order > 0)
            break;
        if (order < 0)
            continue;
        hand_over(q, i++, true, value);
        steps = -1;
    }
    *r = kv_iter_free(it);
    return i;
}

static enum result get_together(const struct summaries *q, size_t from, size_t n)
{
    struct key keys[TOGETHER];
    struct slice slices[TOGETHER] = {0};
    struct buf values[TOGETHER];
    bool found[TOGETHER] = {0};
    for (size_t i = 0; i < n; i++) {
        keys[i] = key_message(q->messages[from + i]);
        slices[i] = key_slice(&keys[i]);
        buf_init(&values[i], KV_VALUE_MAX);
    }
    enum result r = kv_multi_get(q->store->kv, NULL, n, slices, values, found);
    for (size_t i = 0; i < n; i++) {
        if (r == OK)
            hand_over(q, from + i, found[i], buf_slice(&values[i]));
        buf_release(&values[i]);
    }
    return r;
}

enum result message_summaries(struct store *s, const uint64_t *messages, size_t n,
                              void (*each)(void *arg, size_t i, struct slice summary), void *arg)
{
    struct summaries q = {s, messages, n, each, arg};
    enum result r = OK;
    size_t group = TOGETHER;
    for (size_t i = 0; r == OK && i < n;) {
        size_t at = n - i > 1 ? walk(&q, i, &r) : i;
        bool dense = at - i >= TOGETHER / 4;
        i = at;
        if (r != OK || dense)
            continue;
        size_t here = n - i < group ? n - i : group;
        r = here ? get_together(&q, i, here) : OK;
        i += here;
    }
    return r;
}
