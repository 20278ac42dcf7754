/* read.c: the trace read back, and what is too old forgotten. */
#include "base/log.h"
#include "trace/layout.h"
#include "trace/trace.h"

bool trace_next(struct slice *fields, struct trace_text *ret)
{
    struct cursor c = cursor_of(*fields);
    while (!cursor_at_end(&c)) {
        uint8_t field = cursor_u8(&c);
        uint64_t len = cursor_varint(&c);
        struct slice value = cursor_take(&c, len);
        if (!cursor_ok(&c))
            break;
        if (field == TRACE_NO_FIELD || field >= TRACE_FIELD_COUNT)
            continue;
        *ret = (struct trace_text){(enum trace_field)field, value};
        *fields = c.rest;
        return true;
    }
    return false;
}

/* False: not a record of this version. */
static bool decode(struct slice key, struct slice value, struct trace_entry *ret)
{
    struct cursor k = cursor_of(slice_from(key, 1)), v = cursor_of(value);
    uint64_t message = cursor_be64(&k), event_id = cursor_be64(&k);
    uint8_t version = cursor_u8(&v), event = cursor_u8(&v);
    if (!cursor_done(&k) || !cursor_ok(&v) || version != TRACE_VERSION || event == TRACE_NO_EVENT ||
        event >= TRACE_EVENT_COUNT)
        return false;
    *ret = (struct trace_entry){message, log_id_time_us(event_id), (enum trace_event)event,
                                slice_from(value, 2)};
    return true;
}

static enum result walk(struct kv *kv, struct slice prefix, struct slice from,
                        bool (*each)(void *arg, const struct trace_entry *e), void *arg,
                        bool *ret_any)
{
    struct kv_iter *it = kv_iter_new(kv, NULL, prefix, from);
    struct slice key, value;
    struct trace_entry e;
    bool go_on = true;
    if (!it)
        return FAILED;
    while (go_on && kv_iter_next(it, &key, &value)) {
        if (!decode(key, value, &e))
            continue;
        *ret_any = true;
        go_on = each(arg, &e);
    }
    return kv_iter_free(it);
}

enum result trace_each(struct kv *kv, uint64_t message,
                       bool (*each)(void *arg, const struct trace_entry *e), void *arg)
{
    struct trace_key key = trace_key(message, 0);
    struct slice prefix = slice_sub(trace_key_slice(&key), 0, 9);
    bool any = false;
    enum result r = walk(kv, prefix, SLICE_NONE, each, arg, &any);
    return r == OK && !any ? NOT_FOUND : r;
}

enum result trace_scan(struct kv *kv, uint64_t from,
                       bool (*each)(void *arg, const struct trace_entry *e), void *arg)
{
    struct trace_key key = trace_key(from, 0);
    bool any;
    return walk(kv, SLICE("t"), trace_key_slice(&key), each, arg, &any);
}

enum result trace_forget(struct kv *kv, uint64_t *from, uint64_t before, size_t most, size_t *ret_n)
{
    struct trace_key first = trace_key(*from, 0), end = trace_key(before, 0);
    struct kv_iter *it = kv_iter_new(kv, NULL, SLICE("t"), trace_key_slice(&first));
    struct kv_batch *b = it ? kv_batch_new(kv, KV_BATCH_ESSENTIAL) : NULL;
    struct slice key, value;
    uint64_t at = *from;
    size_t n = 0;
    while (b && n < most && kv_iter_next(it, &key, &value) &&
           slice_cmp(key, trace_key_slice(&end)) < 0) {
        struct cursor k = cursor_of(slice_from(key, 1));
        kv_batch_del(b, key);
        at = cursor_be64(&k);
        n++;
    }
    enum result r = it ? kv_iter_free(it) : FAILED;
    if (r == OK && b && n)
        r = kv_commit(b);
    else
        kv_batch_free(b);
    if (r == OK && !b)
        r = FAILED;
    if (r == OK) {
        *from = n < most ? before : at;
        *ret_n = n;
    }
    return r;
}
