/* encode.c: messages to bytes and back, generated from the lists in messages.h.
 *
 * A packet: type (16 bits), call (64 bits), then the fields in order: numbers little-endian in
 * their width, bytes behind their length (32 bits), a list behind its count (32 bits). Nothing may
 * follow the last field. A message that is longer than a socket carries lies in a sealed memfd, the
 * last of its descriptors, behind a packet that holds a type of its own and the call. */
#include "base/cursor.h"
#include "ipc/channel.h"

static size_t size_of_U8(uint8_t v)
{
    (void)v;
    return 1;
}

static size_t size_of_U32(uint32_t v)
{
    (void)v;
    return 4;
}

static size_t size_of_U64(uint64_t v)
{
    (void)v;
    return 8;
}

static size_t size_of_STR(struct slice v)
{
    return v.len > IPC_MESSAGE_MAX ? IPC_MESSAGE_MAX + 1 : 4 + v.len;
}

static size_t size_of_LIST(struct slice_list v)
{
    size_t size = v.n > IPC_LIST_MAX ? IPC_MESSAGE_MAX + 1 : 4;
    for (size_t i = 0; i < v.n && size <= IPC_MESSAGE_MAX; i++)
        size += size_of_STR(v.items[i]);
    return size;
}

static void put_U8(struct buf *out, uint8_t v)
{
    buf_putc(out, (char)v);
}

static void put_U32(struct buf *out, uint32_t v)
{
    buf_put_le32(out, v);
}

static void put_U64(struct buf *out, uint64_t v)
{
    buf_put_le64(out, v);
}

static void put_STR(struct buf *out, struct slice v)
{
    buf_put_le32(out, (uint32_t)v.len);
    buf_append(out, v);
}

static void put_LIST(struct buf *out, struct slice_list v)
{
    buf_put_le32(out, (uint32_t)v.n);
    for (size_t i = 0; i < v.n; i++)
        put_STR(out, v.items[i]);
}

#define SIZE_FIELD(kind, name) size += size_of_##kind(v->name);
#define PUT_FIELD(kind, name) put_##kind(out, v->name);
#define DEFINE_PUT(NAME)                                                                           \
    static size_t size_##NAME(const struct ipc_##NAME *v)                                          \
    {                                                                                              \
        size_t size = IPC_HEADER;                                                                  \
        IPC_FIELDS_##NAME(SIZE_FIELD) return size;                                                 \
    }                                                                                              \
    static void encode_##NAME(struct buf *out, const struct ipc_##NAME *v)                         \
    {                                                                                              \
        IPC_FIELDS_##NAME(PUT_FIELD)                                                               \
    }
IPC_MESSAGES(DEFINE_PUT)

static size_t size_of(const struct ipc_message *m)
{
    switch (m->type) {
#define CASE_SIZE(NAME)                                                                            \
    case IPC_##NAME:                                                                               \
        return size_##NAME(&m->NAME);
        IPC_MESSAGES(CASE_SIZE)
    default:
        return 0;
    }
}

static void put_fields(struct buf *out, const struct ipc_message *m)
{
    switch (m->type) {
#define CASE_PUT(NAME)                                                                             \
    case IPC_##NAME:                                                                               \
        encode_##NAME(out, &m->NAME);                                                              \
        break;
        IPC_MESSAGES(CASE_PUT)
    default:
        break;
    }
}

enum result ipc_encode(const struct ipc_message *m, struct buf *out)
{
    size_t size = size_of(m);
    if (size == 0)
        return INVALID;
    if (size > IPC_MESSAGE_MAX || m->n_fds > IPC_FDS_MAX)
        return LIMIT;
    if (!buf_reserve(out, size, NULL))
        return FAILED;
    buf_put_le16(out, (uint16_t)m->type);
    buf_put_le64(out, m->call);
    put_fields(out, m);
    return buf_ok(out) ? OK : FAILED;
}

static void take_U8(struct cursor *c, struct arena *a, uint8_t *v)
{
    (void)a;
    *v = cursor_u8(c);
}

static void take_U32(struct cursor *c, struct arena *a, uint32_t *v)
{
    (void)a;
    *v = cursor_le32(c);
}

static void take_U64(struct cursor *c, struct arena *a, uint64_t *v)
{
    (void)a;
    *v = cursor_le64(c);
}

static void take_STR(struct cursor *c, struct arena *a, struct slice *v)
{
    (void)a;
    *v = cursor_take(c, cursor_le32(c));
}

static void take_LIST(struct cursor *c, struct arena *a, struct slice_list *v)
{
    uint32_t n = cursor_le32(c);
    *v = (struct slice_list){NULL, 0};
    /* Each entry has at least its length: a count that can't be true is not allocated. */
    if (n > IPC_LIST_MAX || n > c->rest.len / 4) {
        cursor_fail(c);
        return;
    }
    if (n == 0)
        return;
    v->items = arena_alloc_n(a, n, sizeof *v->items);
    if (!v->items) {
        cursor_fail(c);
        return;
    }
    for (v->n = 0; v->n < n; v->n++)
        take_STR(c, a, &v->items[v->n]);
}

#define TAKE_FIELD(kind, name) take_##kind(c, a, &v->name);
#define DEFINE_TAKE(NAME)                                                                          \
    static void decode_##NAME(struct cursor *c, struct arena *a, struct ipc_##NAME *v)             \
    {                                                                                              \
        IPC_FIELDS_##NAME(TAKE_FIELD)                                                              \
    }
IPC_MESSAGES(DEFINE_TAKE)

static void take_fields(struct cursor *c, struct arena *a, struct ipc_message *m)
{
    switch (m->type) {
#define CASE_TAKE(NAME)                                                                            \
    case IPC_##NAME:                                                                               \
        decode_##NAME(c, a, &m->NAME);                                                             \
        break;
        IPC_MESSAGES(CASE_TAKE)
    default:
        cursor_fail(c);
    }
}

enum result ipc_decode(struct slice packet, struct arena *a, struct ipc_message *ret)
{
    struct cursor c = cursor_of(packet);
    if (packet.len > IPC_MESSAGE_MAX)
        return LIMIT;
    ret->type = (enum ipc_type)cursor_le16(&c);
    ret->call = cursor_le64(&c);
    ret->n_fds = 0;
    take_fields(&c, a, ret);
    if (arena_failed(a))
        return LIMIT;
    return cursor_done(&c) ? OK : INVALID;
}
