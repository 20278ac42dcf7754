/* deflate.h: compression of both directions of a connection, as RFC 4978 has it: raw DEFLATE (RFC
 * 1951), each direction one stream without an end, flushed whenever a side stops to write. Used
 * through stream.h.
 *
 * Memory is bounded whatever the peer sends: what it sent waits compressed, and as much of it is
 * expanded as the reader has room for. While bytes flow a connection costs about 100 KiB; at rest
 * (deflate_rest) next to nothing but the peer's last bytes, to which its next may refer. */
#ifndef IO_DEFLATE_H
#define IO_DEFLATE_H

#include "base/buf.h"

struct deflate;

/* came: what the peer has sent already behind the beginning of compression. FAILED: no memory. */
MUST_USE enum result deflate_new(struct slice came, struct deflate **ret);
void deflate_free(struct deflate *d);

/* Expands what is there. OK: *ret_n bytes, at least one. BUSY: more of the peer's bytes are needed.
 * CLOSED: it ended its stream. CORRUPT. FAILED: no memory. */
MUST_USE enum result deflate_expand(struct deflate *d, char *into, size_t size, size_t *ret_n);
/* Where the peer's bytes go; NULL: no memory. Then deflate_came. */
char *deflate_room(struct deflate *d, size_t *ret_room);
void deflate_came(struct deflate *d, size_t n);
/* There may be something to expand without another byte of the peer's. */
bool deflate_pending(const struct deflate *d);

/* Compresses some of the bytes, *ret_taken of them; with all taken already, what must still be
 * flushed. The result waits in deflate_out. FAILED: no memory. */
MUST_USE enum result deflate_compress(struct deflate *d, struct slice bytes, size_t *ret_taken);
/* Compressed bytes to be sent: consume what went. */
struct buf *deflate_out(struct deflate *d);
/* All that was given has come out. */
bool deflate_flushed(const struct deflate *d);

/* Gives back what can be done without until the next byte. */
void deflate_rest(struct deflate *d);

#endif
