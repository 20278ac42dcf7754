/* deflate.c: see deflate.h. Both directions are streams of blocks on which nothing but the history
 * depends; so between two blocks zlib's state can go: the compressor's wholly, since the next
 * blocks need not refer to anything before them, the expander's but for its window, which the peer
 * may refer to, and the bits of a last byte that belong to the next block. */
#include "io/deflate.h"

#include <stdlib.h>
#include <zlib.h>

enum {
    PIECE = 4096,
    IN_MAX = 256 * 1024, /* what came with the beginning, or a piece */
    OUT_MAX = 16 * 1024,
    HISTORY_MAX = 32 * 1024,
    LEVEL = 6,
    WINDOW_BITS = 13, /* of what is compressed here: 48 KiB with this memory level */
    MEMORY_LEVEL = 5
};

/* What inflate() tells in data_type (zlib.h). */
enum { UNUSED_BITS = 63, BETWEEN_BLOCKS = 128 };

struct deflate {
    z_stream up, down; /* from the peer, to it */
    bool up_ready, down_ready, up_more, unflushed;
    uint8_t bits, last_byte; /* so many bits of the last byte belong to the next block */
    struct buf in, out, history;
};

enum result deflate_new(struct slice came, struct deflate **ret)
{
    struct deflate *d = calloc(1, sizeof *d);
    if (!d)
        return FAILED;
    buf_init(&d->in, IN_MAX);
    buf_init(&d->out, OUT_MAX);
    buf_init(&d->history, HISTORY_MAX);
    buf_append(&d->in, came);
    if (!buf_ok(&d->in)) {
        deflate_free(d);
        return FAILED;
    }
    *ret = d;
    return OK;
}

static void end_up(struct deflate *d)
{
    if (d->up_ready)
        inflateEnd(&d->up);
    d->up_ready = false;
}

static void end_down(struct deflate *d)
{
    if (d->down_ready)
        deflateEnd(&d->down);
    d->down_ready = false;
}

void deflate_free(struct deflate *d)
{
    end_up(d);
    end_down(d);
    buf_release(&d->in);
    buf_release(&d->out);
    buf_release(&d->history);
    free(d);
}

/* ---- from the peer ---- */

/* Goes on where deflate_rest has left it. */
static bool begin_up(struct deflate *d)
{
    struct slice history = buf_slice(&d->history);
    d->up = (z_stream){0};
    if (inflateInit2(&d->up, -MAX_WBITS) != Z_OK)
        return false;
    d->up_ready = true;
    if (history.len &&
        inflateSetDictionary(&d->up, (const Bytef *)history.data, (uInt)history.len) != Z_OK)
        return false;
    if (d->bits && inflatePrime(&d->up, d->bits, d->last_byte >> (8 - d->bits)) != Z_OK)
        return false;
    buf_clear(&d->history);
    return true;
}

enum result deflate_expand(struct deflate *d, char *into, size_t size, size_t *ret_n)
{
    struct slice in = buf_slice(&d->in);
    if (!deflate_pending(d))
        return BUSY;
    if (!d->up_ready && !begin_up(d)) {
        end_up(d);
        return FAILED;
    }
    d->up.next_in = (Bytef *)(uintptr_t)in.data;
    d->up.avail_in = (uInt)in.len;
    d->up.next_out = (Bytef *)into;
    d->up.avail_out = (uInt)size;
    int r = inflate(&d->up, Z_SYNC_FLUSH);
    size_t taken = in.len - d->up.avail_in;
    if (taken)
        d->last_byte = (uint8_t)in.data[taken - 1];
    buf_consume(&d->in, taken);
    d->up_more = d->up.avail_out == 0;
    *ret_n = size - d->up.avail_out;
    if (r != Z_OK && r != Z_BUF_ERROR && r != Z_STREAM_END)
        return r == Z_MEM_ERROR ? FAILED : CORRUPT;
    if (*ret_n)
        return OK;
    return r == Z_STREAM_END ? CLOSED : BUSY;
}

char *deflate_room(struct deflate *d, size_t *ret_room)
{
    return buf_reserve(&d->in, PIECE, ret_room);
}

void deflate_came(struct deflate *d, size_t n)
{
    buf_commit(&d->in, n);
}

bool deflate_pending(const struct deflate *d)
{
    return buf_len(&d->in) || d->up_more;
}

/* ---- to the peer ---- */

static bool begin_down(struct deflate *d)
{
    d->down = (z_stream){0};
    d->down_ready = deflateInit2(&d->down, LEVEL, Z_DEFLATED, -WINDOW_BITS, MEMORY_LEVEL,
                                 Z_DEFAULT_STRATEGY) == Z_OK;
    return d->down_ready;
}

enum result deflate_compress(struct deflate *d, struct slice bytes, size_t *ret_taken)
{
    size_t room;
    char *to = buf_reserve(&d->out, 1, &room);
    if (!to || (!d->down_ready && !begin_down(d)))
        return FAILED;
    if (room > OUT_MAX - buf_len(&d->out))
        room = OUT_MAX - buf_len(&d->out);
    d->down.next_in = (Bytef *)(uintptr_t)bytes.data;
    d->down.avail_in = (uInt)bytes.len;
    d->down.next_out = (Bytef *)to;
    d->down.avail_out = (uInt)room;
    d->unflushed |= bytes.len != 0;
    /* Z_BUF_ERROR: a flush that had ended with the last byte of room. */
    int r = deflate(&d->down, Z_SYNC_FLUSH);
    buf_commit(&d->out, room - d->down.avail_out);
    *ret_taken = bytes.len - d->down.avail_in;
    if (d->down.avail_out)
        d->unflushed = false;
    return r == Z_OK || r == Z_BUF_ERROR ? OK : FAILED;
}

struct buf *deflate_out(struct deflate *d)
{
    return &d->out;
}

bool deflate_flushed(const struct deflate *d)
{
    return !d->unflushed && buf_len(&d->out) == 0;
}

/* ---- rest ---- */

static void rest_up(struct deflate *d)
{
    size_t room;
    unsigned type = (unsigned)d->up.data_type;
    uInt n = 0;
    if (!d->up_ready || deflate_pending(d))
        return;
    buf_clear(&d->in);
    if ((type & ~(unsigned)UNUSED_BITS) != BETWEEN_BLOCKS || (type & UNUSED_BITS) > 7 ||
        inflateGetDictionary(&d->up, NULL, &n) != Z_OK)
        return;
    char *to = n ? buf_reserve(&d->history, n, &room) : NULL;
    if (n && (!to || inflateGetDictionary(&d->up, (Bytef *)to, &n) != Z_OK)) {
        buf_clear(&d->history);
        return;
    }
    buf_commit(&d->history, n);
    d->bits = type & UNUSED_BITS;
    end_up(d);
}

void deflate_rest(struct deflate *d)
{
    rest_up(d);
    if (!deflate_flushed(d))
        return;
    end_down(d);
    buf_clear(&d->out);
}
