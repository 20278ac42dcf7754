/* stream.c: see stream.h. Reads and writes of a socket; the TLS half is tls.c, compression over
 * either is deflate.c. */
#include "io/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/tls_internal.h"

enum { FIRST_READ = 4096 };

void stream_init(struct stream *s, int fd)
{
    *s = (struct stream){.fd = fd};
}

static enum result plain_read(struct stream *s, char *into, size_t size, size_t *ret_n)
{
    ssize_t n;
    do
        n = recv(s->fd, into, size, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        *ret_n = (size_t)n;
        return OK;
    }
    if (n == 0)
        return CLOSED;
    s->wants = IO_READ;
    return errno == EAGAIN ? BUSY : errno == ECONNRESET ? CLOSED : FAILED;
}

static enum result raw_read(struct stream *s, char *into, size_t size, size_t *ret_n)
{
    return s->tls ? tls_read(s->tls, into, size, ret_n, &s->wants)
                  : plain_read(s, into, size, ret_n);
}

static enum result expanded_read(struct stream *s, char *into, size_t size, size_t *ret_n)
{
    for (;;) {
        enum result r = deflate_expand(s->deflate, into, size, ret_n);
        if (r != BUSY)
            return r;
        size_t room, n = 0;
        char *raw = deflate_room(s->deflate, &room);
        if (!raw)
            return FAILED;
        r = raw_read(s, raw, room, &n);
        if (r != OK)
            return r;
        deflate_came(s->deflate, n);
    }
}

enum result stream_read(struct stream *s, struct buf *in, size_t most)
{
    size_t len = buf_len(in), room = 0, n = 0;
    size_t want = len > FIRST_READ ? len : FIRST_READ;
    if (len >= in->max)
        return LIMIT;
    want = want > in->max - len ? in->max - len : want;
    want = want > most ? most : want;
    char *into = buf_reserve(in, want, &room);
    if (!into)
        return FAILED;
    room = room > most ? most : room;
    enum result r = s->deflate ? expanded_read(s, into, room, &n) : raw_read(s, into, room, &n);
    if (r == OK)
        buf_commit(in, n);
    return r;
}

static enum result plain_write(struct stream *s, struct slice bytes, size_t *ret_n)
{
    ssize_t n;
    do
        n = send(s->fd, bytes.data, bytes.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0) {
        *ret_n = (size_t)n;
        return OK;
    }
    s->wants = IO_WRITE;
    return errno == EAGAIN ? BUSY : errno == EPIPE || errno == ECONNRESET ? CLOSED : FAILED;
}

static enum result raw_write(struct stream *s, struct slice bytes, size_t *ret_written)
{
    enum result r = OK;
    size_t sent = 0;
    while (r == OK && sent < bytes.len) {
        size_t n = 0;
        struct slice rest = slice_from(bytes, sent);
        r = s->tls ? tls_write(s->tls, rest, &n, &s->wants) : plain_write(s, rest, &n);
        sent += n;
    }
    *ret_written = sent;
    return r;
}

static enum result compressed_write(struct stream *s, struct slice bytes, size_t *ret_written)
{
    struct deflate *d = s->deflate;
    size_t taken = 0;
    for (;;) {
        size_t sent = 0, n = 0;
        enum result r = raw_write(s, buf_slice(deflate_out(d)), &sent);
        buf_consume(deflate_out(d), sent);
        *ret_written = taken;
        if (r != OK)
            return r;
        if (taken == bytes.len && deflate_flushed(d))
            return OK;
        r = deflate_compress(d, slice_from(bytes, taken), &n);
        if (r != OK)
            return r;
        taken += n;
    }
}

enum result stream_write_slice(struct stream *s, struct slice bytes, size_t *ret_written)
{
    return s->deflate ? compressed_write(s, bytes, ret_written) : raw_write(s, bytes, ret_written);
}

enum result stream_write(struct stream *s, struct buf *out)
{
    size_t sent = 0;
    enum result r = stream_write_slice(s, buf_slice(out), &sent);
    buf_consume(out, sent);
    return r;
}

enum result stream_start_tls(struct stream *s, struct tls_context *c, const char *peer_name,
                             struct error *err)
{
    if (s->tls)
        return error_set(err, INVALID, "TLS is on already");
    return tls_open(c, s->fd, peer_name, &s->tls, err);
}

enum result stream_handshake(struct stream *s, struct error *err)
{
    if (!s->tls)
        return error_set(err, INVALID, "TLS was not started");
    return tls_handshake(s->tls, &s->wants, err);
}

enum result stream_start_deflate(struct stream *s, struct slice came)
{
    return s->deflate ? INVALID : deflate_new(came, &s->deflate);
}

bool stream_unsent(const struct stream *s)
{
    return s->deflate && !deflate_flushed(s->deflate);
}

void stream_rest(struct stream *s)
{
    if (s->deflate)
        deflate_rest(s->deflate);
}

bool stream_pending(const struct stream *s)
{
    return (s->deflate && deflate_pending(s->deflate)) || (s->tls && tls_pending(s->tls));
}

void stream_close(struct stream *s)
{
    if (s->deflate)
        deflate_free(s->deflate);
    if (s->tls)
        tls_close(s->tls);
    if (s->fd >= 0)
        close(s->fd);
    stream_init(s, -1);
}
