#include "trace/trace.h"

#include "base/clock.h"
#include "base/log.h"
#include "trace/layout.h"

const char *trace_event_name(enum trace_event e)
{
#define NAME(name, text) [TRACE_##name] = text,
    static const char *const names[TRACE_EVENT_COUNT] = {TRACE_EVENTS(NAME)};
#undef NAME
    return e > TRACE_NO_EVENT && e < TRACE_EVENT_COUNT ? names[e] : "unknown";
}

const char *trace_field_name(enum trace_field f)
{
#define NAME(name, text) [TRACE_F_##name] = text,
    static const char *const names[TRACE_FIELD_COUNT] = {TRACE_FIELDS(NAME)};
#undef NAME
    return f > TRACE_NO_FIELD && f < TRACE_FIELD_COUNT ? names[f] : "unknown";
}

bool trace_wanted(uint64_t message, uint64_t lifetime)
{
    return lifetime && clock_realtime_s() - log_id_time(message) < (int64_t)lifetime;
}

void trace_begin(struct trace *t, enum trace_event e)
{
    t->left_out = 0;
    buf_init(&t->bytes, TRACE_BYTES_MAX);
    buf_putc(&t->bytes, TRACE_VERSION);
    buf_putc(&t->bytes, (char)e);
}

bool trace_has_room(const struct trace *t, size_t bytes)
{
    enum { RESERVE = 256 }; /* for what is told last */
    return buf_len(&t->bytes) + bytes + RESERVE <= TRACE_BYTES_MAX;
}

void trace_add(struct trace *t, enum trace_field f, struct slice value)
{
    value = slice_sub(value, 0, TRACE_TEXT_MAX);
    if (value.len == 0)
        return;
    if (buf_len(&t->bytes) + value.len + 3 > TRACE_BYTES_MAX) {
        t->left_out++;
        return;
    }
    buf_putc(&t->bytes, (char)f);
    buf_put_varint(&t->bytes, value.len);
    buf_append(&t->bytes, value);
}

void trace_add_number(struct trace *t, enum trace_field f, uint64_t value)
{
    char mem[24];
    struct buf text = {.mem = mem, .size = sizeof mem, .max = sizeof mem};
    buf_put_u64(&text, value);
    trace_add(t, f, buf_slice(&text));
}

void trace_put(struct trace *t, struct kv_batch *b, uint64_t message)
{
    struct trace_key key = trace_key(message, log_id_new());
    if (buf_ok(&t->bytes))
        kv_batch_put(b, trace_key_slice(&key), buf_slice(&t->bytes));
    buf_release(&t->bytes);
}
