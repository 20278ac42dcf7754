/* writer.c: see writer.h. */
#include "kv/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "os/durable.h"

void writer_init(struct writer *w, struct segments *segments, int dir_fd, size_t segment_bytes)
{
    memset(w, 0, sizeof *w);
    w->segments = segments;
    w->dir_fd = dir_fd;
    w->segment_bytes = segment_bytes;
    w->fd = -1;
}

void writer_release(struct writer *w)
{
    if (w->fd >= 0)
        close(w->fd);
    w->fd = -1;
}

enum result writer_resume(struct writer *w, uint64_t number, uint64_t salt, uint64_t offset,
                          uint64_t seq)
{
    w->seq = w->durable_seq = seq;
    w->number = number;
    w->salt = salt;
    w->offset = w->flushed = offset;
    if (salt == 0)
        return OK;
    w->fd = openat(w->dir_fd, segment_name(number).text, O_RDWR | O_CLOEXEC);
    return w->fd >= 0 ? OK : FAILED;
}

static enum result write_header(int fd, const struct segment_header *h)
{
    char bytes[SEGMENT_HEADER];
    struct iovec iov = {bytes, sizeof bytes};
    uint64_t written;
    segment_header_encode(h, bytes);
    enum result r = durable_pwritev(fd, &iov, 1, 0, &written);
    return r == OK ? durable_sync(fd) : r;
}

/* Makes the next segment. Its header and its name are durable before the first record is written,
 * so a file that holds more than a header and has none is damaged, not torn. */
static enum result start_segment(struct writer *w)
{
    struct segment_header h = {.number = w->number + 1, .first_seq = w->seq + 1};
    while (h.salt == 0)
        if (getrandom(&h.salt, sizeof h.salt, 0) != sizeof h.salt)
            return FAILED;
    struct segment_name path = segment_name(h.number);
    int fd = openat(w->dir_fd, path.text, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == ENOSPC || errno == EDQUOT ? FULL : FAILED;
    enum result r = write_header(fd, &h);
    if (r == OK)
        r = durable_sync_dir(w->dir_fd);
    if (r == OK)
        r = segments_add(w->segments, h.number, SEGMENT_HEADER);
    if (r != OK) {
        int error = errno;
        close(fd);
        if (unlinkat(w->dir_fd, path.text, 0) < 0)
            r = FAILED;
        errno = error;
        return r;
    }
    if (w->fd >= 0)
        close(w->fd);
    w->fd = fd;
    w->number = h.number;
    w->salt = h.salt;
    w->offset = w->flushed = SEGMENT_HEADER;
    return OK;
}

static enum result roll(struct writer *w)
{
    enum result r = writer_sync(w);
    return r == OK ? start_segment(w) : r;
}

static void gather(struct writer *w, const void *data, size_t len)
{
    if (len > 0)
        w->iov[w->n_iov++] = (struct iovec){(void *)data, len};
    w->offset += len;
}

static enum result gather_batch(struct writer *w, struct kv_batch *b)
{
    static const char padding[RECORD_ALIGN];
    enum result r = OK;
    gather(w, buf_slice(&b->meta).data, buf_len(&b->meta));
    for (size_t i = 0; r == OK && i < b->n_blobs; i++) {
        gather(w, b->blobs[i].bytes.data, b->blobs[i].bytes.len);
        if (w->n_iov > WRITER_IOV - 4)
            r = writer_flush(w);
    }
    gather(w, padding, (size_t)(b->offset + batch_size(b) - w->offset));
    if (r == OK && w->n_iov > WRITER_IOV - 4)
        r = writer_flush(w);
    return r;
}

enum result writer_add(struct writer *w, struct kv_batch *b)
{
    bool fits = w->offset + batch_size(b) <= w->segment_bytes || w->offset == SEGMENT_HEADER;
    enum result r = w->fd < 0 || !fits ? roll(w) : OK;
    if (r != OK)
        return r;
    struct slice meta = batch_meta(b);
    struct record_header h = {.salt = w->salt,
                              .segment = w->number,
                              .seq = ++w->seq,
                              .durable_seq = w->durable_seq,
                              .type = b->type,
                              .meta_len = (uint32_t)meta.len,
                              .blob_len = (uint32_t)b->blob_bytes,
                              .meta_crc = record_sum(meta)};
    record_header_encode(&h, b->meta.mem + b->meta.start);
    b->segment = w->number;
    b->offset = w->offset;
    return gather_batch(w, b);
}

enum result writer_flush(struct writer *w)
{
    uint64_t written;
    if (w->n_iov == 0)
        return OK;
    enum result r = durable_pwritev(w->fd, w->iov, w->n_iov, w->flushed, &written);
    w->n_iov = 0;
    w->flushed += written;
    w->unsynced += written;
    if (r == OK)
        segments_size_set(w->segments, w->number, w->flushed);
    return r;
}

enum result writer_sync(struct writer *w)
{
    enum result r = writer_flush(w);
    if (r != OK || w->unsynced == 0)
        return r;
    r = durable_sync(w->fd);
    if (r != OK)
        return FAILED; /* no space left at this point is as bad as any other failure */
    w->unsynced = 0;
    w->durable_seq = w->seq;
    return OK;
}

void writer_mark(struct writer *w)
{
    w->mark_number = w->number;
    w->mark_offset = w->offset;
    w->mark_seq = w->seq;
}

enum result writer_rollback(struct writer *w)
{
    uint64_t end = w->number == w->mark_number ? w->mark_offset : SEGMENT_HEADER;
    /* A group that began in the segment before has left records there, synced by the roll. */
    if (w->number != w->mark_number && w->durable_seq > w->mark_seq)
        return FAILED;
    w->n_iov = 0;
    if (w->fd >= 0 && w->flushed > end && durable_truncate(w->fd, end) != OK)
        return FAILED;
    w->offset = w->flushed = end;
    w->seq = w->mark_seq;
    if (w->durable_seq > w->seq)
        w->durable_seq = w->seq;
    segments_size_set(w->segments, w->number, end);
    return OK;
}
