/* scan.c: see scan.h. */
#include "kv/scan.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { WINDOW = 1 << 20 };

static enum result window_grow(struct scanner *s, size_t len)
{
    if (len <= s->window_size)
        return OK;
    char *mem = realloc(s->window, len);
    if (!mem)
        return FAILED;
    s->window = mem;
    s->window_size = len;
    return OK;
}

/* The file's bytes [at, at+len), which must lie within it. */
static enum result window_get(struct scanner *s, uint64_t at, size_t len, const char **ret)
{
    if (at >= s->window_at && at + len <= s->window_at + s->window_len) {
        *ret = s->window + (at - s->window_at);
        return OK;
    }
    s->window_len = 0;
    if (window_grow(s, len > WINDOW ? len : WINDOW) != OK)
        return FAILED;
    s->window_at = at;
    size_t want = s->window_size;
    if (want > s->size - at)
        want = (size_t)(s->size - at);
    while (s->window_len < want) {
        ssize_t n = pread(s->fd, s->window + s->window_len, want - s->window_len,
                          (off_t)(at + s->window_len));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FAILED;
        if (n == 0)
            break;
        s->window_len += (size_t)n;
    }
    if (s->window_len < len)
        return FAILED; /* the file has shrunk under us */
    *ret = s->window;
    return OK;
}

enum result scanner_init(struct scanner *s, int fd, uint64_t number, uint64_t size)
{
    const char *bytes;
    *s = (struct scanner){.fd = fd, .number = number, .size = size, .at = SEGMENT_HEADER};
    if (size < SEGMENT_HEADER)
        return INVALID;
    enum result r = window_get(s, 0, SEGMENT_HEADER, &bytes);
    if (r == OK)
        r = segment_header_decode(slice_of(bytes, SEGMENT_HEADER), &s->header);
    if (r == OK && s->header.number != number)
        r = INVALID;
    if (r != OK)
        scanner_release(s);
    return r;
}

void scanner_release(struct scanner *s)
{
    free(s->window);
    s->window = NULL;
}

void scanner_seek(struct scanner *s, uint64_t offset)
{
    s->at = offset;
}

/* Decodes what stands at `at`, when it is a header of this segment whose record fits the file. */
static enum result header_at(struct scanner *s, uint64_t at, struct record_header *ret)
{
    const char *bytes;
    if (at > s->size || s->size - at < RECORD_HEADER)
        return INVALID;
    if (window_get(s, at, RECORD_HEADER, &bytes) != OK)
        return FAILED;
    if (record_header_decode(slice_of(bytes, RECORD_HEADER), ret) != OK)
        return INVALID;
    bool ours = ret->salt == s->header.salt && ret->segment == s->number;
    bool fits = record_size(ret->meta_len, ret->blob_len) <= s->size - at;
    return ours && fits ? OK : INVALID;
}

enum result scanner_next(struct scanner *s, struct scanned *ret)
{
    struct record_header h;
    const char *bytes;
    if (s->at == s->size)
        return NOT_FOUND;
    enum result r = header_at(s, s->at, &h);
    if (r != OK)
        return r;
    size_t total = (size_t)record_size(h.meta_len, h.blob_len);
    if (window_get(s, s->at, total, &bytes) != OK)
        return FAILED;
    struct slice meta = slice_of(bytes + RECORD_HEADER, h.meta_len);
    struct slice blobs = slice_of(bytes + RECORD_HEADER + h.meta_len, h.blob_len);
    if (!record_body_ok(&h, meta, blobs))
        return INVALID;
    *ret = (struct scanned){.header = h,
                            .offset = s->at,
                            .blob_offset = s->at + RECORD_HEADER + h.meta_len,
                            .meta = meta,
                            .blobs = blobs};
    s->at += total;
    return OK;
}

enum result scanner_find(struct scanner *s, struct record_header *ret)
{
    uint64_t at = (s->at + RECORD_ALIGN - 1) & ~(uint64_t)(RECORD_ALIGN - 1);
    for (; at < s->size && s->size - at >= RECORD_HEADER; at += RECORD_ALIGN) {
        const char *bytes;
        if (window_get(s, at, RECORD_HEADER, &bytes) != OK)
            return FAILED;
        /* The salt opens every record: nearly all other places are passed without a checksum. */
        struct cursor c = cursor_of(slice_of(bytes, 8));
        if (cursor_le64(&c) != s->header.salt)
            continue;
        s->at = at;
        enum result r = header_at(s, at, ret);
        if (r != INVALID)
            return r;
    }
    s->at = s->size;
    return NOT_FOUND;
}

enum result scanner_proves_synced(struct scanner *s, uint64_t seq, bool *ret)
{
    struct record_header h;
    enum result r;
    for (*ret = false; (r = scanner_find(s, &h)) == OK && !*ret; s->at += RECORD_ALIGN)
        *ret = h.durable_seq >= seq;
    return r == NOT_FOUND ? OK : r;
}
