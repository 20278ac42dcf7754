/* record.c: see record.h. Numbers inside values are little-endian, in keys big-endian, so that keys
 * sort by time. */
#include "queue/record.h"

const struct place PLACE_END = {INT64_MAX, UINT64_MAX, UINT32_MAX};
const struct slice Q_PREFIX_ENVELOPES = {"qe", 2}, Q_PREFIX_BUNDLES = {"qb", 2},
                   Q_PREFIX_SCHEDULE = {"qs", 2};

enum {
    FLAG_HELD = 1,
    FLAG_SMTPUTF8 = 2,
    FLAG_EIGHTBIT = 4,
    FLAG_BOUNCE = 8,
    FLAG_WARNED = 16,
    FLAG_FLUSHED = 32,
    FLAG_REQUIRE_TLS = 64,
    FLAG_KEEPS_WAY = 128
};

bool place_before(struct place a, struct place b)
{
    if (a.due_s != b.due_s)
        return a.due_s < b.due_s;
    if (a.message != b.message)
        return a.message < b.message;
    return a.bundle < b.bundle;
}

/* ---- keys ---- */

static void key_bytes(struct q_key *k, const void *data, size_t n)
{
    memcpy(k->bytes + k->len, data, n);
    k->len += n;
}

static void key_be(struct q_key *k, uint64_t n, unsigned bytes)
{
    while (bytes--)
        k->bytes[k->len++] = (char)(n >> (8 * bytes));
}

static struct q_key key_start(const char *table)
{
    struct q_key k = {.len = 0};
    key_bytes(&k, table, 2);
    return k;
}

static void key_place(struct q_key *k, struct place p)
{
    key_be(k, p.due_s < 0 ? 0 : (uint64_t)p.due_s, 8);
    key_be(k, p.message, 8);
    key_be(k, p.bundle, 4);
}

struct q_key q_key_envelope(uint64_t message)
{
    struct q_key k = key_start("qe");
    key_be(&k, message, 8);
    return k;
}

struct q_key q_key_bundles(uint64_t message)
{
    struct q_key k = key_start("qb");
    key_be(&k, message, 8);
    return k;
}

struct q_key q_key_bundle(uint64_t message, uint32_t bundle)
{
    struct q_key k = q_key_bundles(message);
    key_be(&k, bundle, 4);
    return k;
}

struct q_key q_key_schedule(struct place p)
{
    struct q_key k = key_start("qs");
    key_place(&k, p);
    return k;
}

struct q_key q_key_destination_prefix(struct slice destination)
{
    struct q_key k = key_start("qd");
    struct slice d = slice_sub(destination, 0, DESTINATION_MAX);
    if (d.len)
        key_bytes(&k, d.data, d.len);
    k.bytes[k.len++] = 0;
    return k;
}

struct q_key q_key_destination(struct slice destination, struct place p)
{
    struct q_key k = q_key_destination_prefix(destination);
    key_place(&k, p);
    return k;
}

enum result q_key_place(struct slice key, struct place *ret)
{
    if (key.len < 2 + 20)
        return INVALID;
    struct cursor c = cursor_of(slice_from(key, key.len - 20));
    struct place p;
    p.due_s = (int64_t)cursor_be64(&c);
    p.message = cursor_be64(&c);
    p.bundle = cursor_be32(&c);
    if (!cursor_done(&c))
        return INVALID;
    *ret = p;
    return OK;
}

enum result q_key_message(struct slice key, uint64_t *ret)
{
    struct cursor c = cursor_of(slice_from(key, 2));
    uint64_t message = cursor_be64(&c);
    if (!cursor_ok(&c))
        return INVALID;
    *ret = message;
    return OK;
}

enum result q_key_bundle_number(struct slice key, uint32_t *ret)
{
    struct cursor c = cursor_of(slice_from(key, 10));
    uint32_t bundle = cursor_be32(&c);
    if (!cursor_done(&c))
        return INVALID;
    *ret = bundle;
    return OK;
}

/* ---- values ---- */

static void put_text(struct buf *out, struct slice s)
{
    buf_put_varint(out, s.len);
    buf_append(out, s);
}

static struct slice get_text(struct cursor *c)
{
    uint64_t n = cursor_varint(c);
    if (n > c->rest.len) {
        cursor_fail(c);
        return SLICE_NONE;
    }
    return cursor_take(c, (size_t)n);
}

void q_envelope_encode(const struct q_envelope *e, struct buf *out)
{
    buf_putc(out, RECORD_VERSION);
    buf_putc(out, (char)((e->held ? FLAG_HELD : 0) | (e->smtputf8 ? FLAG_SMTPUTF8 : 0) |
                         (e->eightbit ? FLAG_EIGHTBIT : 0) | (e->bounce ? FLAG_BOUNCE : 0) |
                         (e->require_tls ? FLAG_REQUIRE_TLS : 0)));
    buf_put_le32(out, e->bundles);
    buf_put_le32(out, e->recipients);
    buf_put_le64(out, (uint64_t)e->arrived_s);
    buf_put_le64(out, e->size);
    put_text(out, e->sender);
    put_text(out, e->account);
    put_text(out, e->client_ip);
    put_text(out, e->ret);
    put_text(out, e->envid);
    put_text(out, e->origin.client_name);
    put_text(out, e->origin.helo);
    put_text(out, e->origin.protocol);
    put_text(out, e->origin.sasl_method);
    put_text(out, e->origin.client_port);
    put_text(out, e->origin.sasl_sender);
}

/* The first version knew none of it, the second had four of the texts. */
static struct queue_origin get_origin(struct cursor *c, unsigned version)
{
    struct queue_origin o = {SLICE(""), SLICE(""), SLICE(""), SLICE(""), SLICE(""), SLICE("")};
    struct slice *const texts[] = {&o.client_name, &o.helo,        &o.protocol,
                                   &o.sasl_method, &o.client_port, &o.sasl_sender};
    size_t n = version == 1 ? 0 : version == 2 ? 4 : sizeof texts / sizeof *texts;
    for (size_t i = 0; i < n; i++)
        *texts[i] = get_text(c);
    return o;
}

enum result q_envelope_decode(uint64_t message, struct slice bytes, struct q_envelope *ret)
{
    struct cursor c = cursor_of(bytes);
    struct q_envelope e = {.message = message};
    unsigned version = cursor_u8(&c);
    if (version == 0 || version > RECORD_VERSION)
        return CORRUPT;
    unsigned flags = cursor_u8(&c);
    e.held = flags & FLAG_HELD;
    e.smtputf8 = flags & FLAG_SMTPUTF8;
    e.eightbit = flags & FLAG_EIGHTBIT;
    e.bounce = flags & FLAG_BOUNCE;
    e.require_tls = flags & FLAG_REQUIRE_TLS;
    e.bundles = cursor_le32(&c);
    e.recipients = cursor_le32(&c);
    e.arrived_s = (int64_t)cursor_le64(&c);
    e.size = cursor_le64(&c);
    e.sender = get_text(&c);
    e.account = get_text(&c);
    e.client_ip = get_text(&c);
    e.ret = get_text(&c);
    e.envid = get_text(&c);
    e.origin = get_origin(&c, version);
    if (!cursor_done(&c))
        return CORRUPT;
    *ret = e;
    return OK;
}

void q_bundle_encode(const struct q_bundle *b, struct buf *out)
{
    buf_putc(out, BUNDLE_VERSION);
    buf_putc(out, (char)((b->held ? FLAG_HELD : 0) | (b->warned ? FLAG_WARNED : 0) |
                         (b->flushed ? FLAG_FLUSHED : 0) | (b->keeps_way ? FLAG_KEEPS_WAY : 0)));
    buf_put_le64(out, (uint64_t)b->due_s);
    buf_put_le32(out, b->attempts);
    put_text(out, b->destination);
    buf_put_varint(out, b->n);
    for (uint32_t i = 0; i < b->n; i++) {
        put_text(out, b->rcpts[i].address);
        put_text(out, b->rcpts[i].original);
        put_text(out, b->rcpts[i].dsn_notify);
        put_text(out, b->rcpts[i].dsn_orcpt);
        put_text(out, b->rcpts[i].served);
        put_text(out, b->reasons ? slice_sub(b->reasons[i], 0, REASON_MAX) : SLICE_NONE);
    }
}

/* The first version knew relayed recipients only. */
static enum result decode_rcpts(struct cursor *c, unsigned version, struct arena *a,
                                struct q_bundle *b)
{
    b->rcpts = arena_alloc_n(a, b->n ? b->n : 1, sizeof *b->rcpts);
    b->reasons = arena_alloc_n(a, b->n ? b->n : 1, sizeof *b->reasons);
    if (arena_failed(a))
        return FAILED;
    for (uint32_t i = 0; i < b->n; i++) {
        b->rcpts[i].address = get_text(c);
        b->rcpts[i].original = get_text(c);
        b->rcpts[i].dsn_notify = get_text(c);
        b->rcpts[i].dsn_orcpt = get_text(c);
        b->rcpts[i].served = version > 1 ? get_text(c) : SLICE("");
        b->rcpts[i].route = b->rcpts[i].served.len ? SLICE(QUEUE_HERE) : SLICE("");
        b->reasons[i] = get_text(c);
    }
    return cursor_done(c) ? OK : CORRUPT;
}

/* Up to the recipients. */
static enum result decode_head(struct cursor *c, struct q_bundle *b, unsigned *ret_version)
{
    unsigned version = cursor_u8(c);
    if (version < 1 || version > BUNDLE_VERSION)
        return CORRUPT;
    unsigned flags = cursor_u8(c);
    b->held = flags & FLAG_HELD;
    b->warned = flags & FLAG_WARNED;
    b->flushed = flags & FLAG_FLUSHED;
    b->keeps_way = flags & FLAG_KEEPS_WAY;
    b->due_s = (int64_t)cursor_le64(c);
    b->attempts = cursor_le32(c);
    b->destination = get_text(c);
    uint64_t n = cursor_varint(c);
    /* A recipient takes at least five bytes, so a damaged count can't ask for much memory. */
    if (!cursor_ok(c) || n > BUNDLE_RCPTS_MAX || n > c->rest.len / 5)
        return CORRUPT;
    b->n = (uint32_t)n;
    *ret_version = version;
    return OK;
}

enum result q_bundle_decode(struct slice bytes, struct arena *a, struct q_bundle *ret)
{
    struct cursor c = cursor_of(bytes);
    struct q_bundle b = {0};
    unsigned version;
    enum result r = decode_head(&c, &b, &version);
    if (r == OK)
        r = decode_rcpts(&c, version, a, &b);
    if (r == OK)
        *ret = b;
    return r;
}

enum result q_bundle_peek(struct slice bytes, struct slice *ret_destination, uint64_t *ret_n)
{
    struct cursor c = cursor_of(bytes);
    struct q_bundle b = {0};
    unsigned version;
    enum result r = decode_head(&c, &b, &version);
    if (r == OK) {
        *ret_destination = b.destination;
        *ret_n = b.n;
    }
    return r;
}

struct slice q_destination(struct slice address, struct slice route, char out[DESTINATION_MAX])
{
    if (route.len) {
        route = slice_sub(route, 0, DESTINATION_MAX);
        for (size_t i = 0; i < route.len; i++)
            out[i] = route.data[i] == 0 ? '?' : route.data[i];
        return slice_of(out, route.len);
    }
    size_t at = slice_rfind(address, '@');
    struct slice d = at == SIZE_MAX ? SLICE_NONE : slice_from(address, at + 1);
    if (d.len && d.data[d.len - 1] == '.')
        d.len--;
    d = slice_sub(d, 0, DESTINATION_MAX);
    for (size_t i = 0; i < d.len; i++)
        out[i] = d.data[i] == 0 ? '?' : ascii_lower(d.data[i]);
    return slice_of(out, d.len);
}
