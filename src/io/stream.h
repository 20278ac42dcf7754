/* stream.h: bytes over a connected non-blocking socket, plain or TLS, for a task (io.h).
 *
 * A stream keeps no buffers of its own, unless it is compressed. `wants` says what the last call
 * that returned BUSY waits for (TLS may have to write in order to read): give it to io_task_want.
 */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include "base/buf.h"
#include "io/deflate.h"
#include "io/io.h"
#include "io/tls.h"

struct stream {
    int fd;                  /* owned */
    struct tls *tls;         /* NULL: plain; owned */
    struct deflate *deflate; /* NULL: not compressed; owned */
    unsigned wants;          /* IO_READ, IO_WRITE */
};

void stream_init(struct stream *s, int fd);
/* Reads what is there, at most `most` bytes (and no more than fits), appending to `in`. OK: at
 * least one byte was read; there may be more, but no need to find out: io_task_want is by level
 * (over TLS stream_pending tells what only TLS knows of). BUSY: nothing now. CLOSED: end of file.
 * LIMIT: `in` is full. FAILED: broken. */
MUST_USE enum result stream_read(struct stream *s, struct buf *in, size_t most);
/* Writes from the front of `out`, consuming what went. OK: all went. BUSY: the rest must wait.
 * CLOSED or FAILED: broken. */
MUST_USE enum result stream_write(struct stream *s, struct buf *out);
/* As stream_write, for bytes of the caller; *ret_written (maybe 0) of them went. */
MUST_USE enum result stream_write_slice(struct stream *s, struct slice bytes, size_t *ret_written);
/* Starts TLS on a plain stream, as the side that the context is for; peer_name (client only, may be
 * NULL or ""): the name that the server is told (SNI). Then call stream_handshake until it is not
 * BUSY. `in` must be empty: bytes that a peer sent in clear behind STARTTLS are refused
 * by the caller (RFC 3207 section 4.2, the STARTTLS injection). */
MUST_USE enum result stream_start_tls(struct stream *s, struct tls_context *c,
                                      const char *peer_name, struct error *err);
/* OK, BUSY, or FAILED with the reason. */
MUST_USE enum result stream_handshake(struct stream *s, struct error *err);
/* Compresses both directions from here on (deflate.h). came: bytes of the peer that were read
 * already and belong to what is compressed; copied. All that was written before must have gone.
 * From here on stream_write's `out` may be empty while bytes wait in the stream (stream_unsent):
 * then it is to be called as well. FAILED: no memory. */
MUST_USE enum result stream_start_deflate(struct stream *s, struct slice came);
/* Something that was written waits in the stream. */
bool stream_unsent(const struct stream *s);
/* Nothing is expected to happen for a while: memory that can be made anew is given back. */
void stream_rest(struct stream *s);
/* True when TLS or compression may hold bytes that no readiness event will tell of: read before
 * waiting. */
bool stream_pending(const struct stream *s);
/* TLS close notify as far as it goes without waiting; closes the fd. */
void stream_close(struct stream *s);

#endif
