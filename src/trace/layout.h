/* layout.h: keys and values of the trace's table, for its own files: docs/formats/trace.md. */
#ifndef TRACE_LAYOUT_H
#define TRACE_LAYOUT_H

#include "base/cursor.h"

enum { TRACE_VERSION = 1 };

/* 't' message(8) event(8), both ids of log_id_new and big-endian: in order of time. */
struct trace_key {
    char bytes[17];
    size_t len;
};

static inline struct trace_key trace_key(uint64_t message, uint64_t event)
{
    struct trace_key k = {.len = sizeof k.bytes};
    k.bytes[0] = 't';
    for (int i = 0; i < 8; i++) {
        k.bytes[1 + i] = (char)(message >> (56 - 8 * i));
        k.bytes[9 + i] = (char)(event >> (56 - 8 * i));
    }
    return k;
}

static inline struct slice trace_key_slice(const struct trace_key *k)
{
    return slice_of(k->bytes, k->len);
}

#endif
