/* recover.c: brings index and journal together at start.
 *
 * The index is as of its last flush and knows where in the journal that was. From there on every
 * record is applied again. Where the intact records end there are two cases. Either nothing after
 * that point can have been acknowledged: then it is a torn tail and is cut off. Or a later record
 * proves that it was once synced (each record says up to which record all was synced when it was
 * written): then the journal is damaged, and nothing is served, since acknowledged batches are
 * missing. Records that were written but perhaps not synced may stand in the page cache alone (or
 * in pages that a failed sync has marked clean), so they are written again and synced first. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "kv/engine.h"
#include "kv/scan.h"
#include "os/durable.h"

enum { APPLY_BYTES = 8 << 20, APPLY_RECORDS = 2000, REWRITE_CHUNK = 1 << 20 };

struct recovery {
    struct kv *kv;
    struct kv_recovery *stats;
    struct error *err;
    uint64_t from_segment;         /* where the index's position is; 0: it has none */
    uint64_t seq;                  /* of the last intact record */
    uint64_t durable_seq;          /* as the last intact record says */
    uint64_t number, salt, offset; /* the end of the intact records */
    uint64_t unsynced_from;        /* offset in `number`: what may never have been synced */
    struct apply apply;
    bool applying;
    uint64_t apply_bytes, apply_records;
    uint64_t next_blob;
};

static enum result finish_apply(struct recovery *r)
{
    if (!r->applying)
        return OK;
    if (r->apply.next_blob > r->next_blob)
        r->next_blob = r->apply.next_blob;
    struct index_state end = {
        .seq = r->seq, .segment = r->number, .offset = r->offset, .next_blob = r->next_blob};
    r->applying = false;
    r->apply_bytes = r->apply_records = 0;
    if (apply_end(&r->apply, &end) != OK)
        return error_set(r->err, FAILED, "apply the journal to the index");
    return OK;
}

static bool apply_is_large(const struct recovery *r)
{
    return r->apply_bytes >= APPLY_BYTES || r->apply_records >= APPLY_RECORDS;
}

/* Ids of streamed blobs must not be used again either: their bytes are still there. */
static void note_stream_id(struct recovery *r, struct slice meta)
{
    struct cursor c = cursor_of(meta);
    struct record_op op;
    while (record_next_op(&c, &op))
        if (op.id >= r->next_blob)
            r->next_blob = op.id + 1;
}

static enum result take_record(struct recovery *r, const struct scanned *rec)
{
    uint64_t size = record_size(rec->header.meta_len, rec->header.blob_len);
    if (rec->header.durable_seq != r->durable_seq) {
        /* A new group: all before it is durable, so the index may have it. Nothing goes into the
         * index that the journal might yet lose. */
        r->unsynced_from = rec->offset;
        if (apply_is_large(r) && finish_apply(r) != OK)
            return FAILED;
    }
    r->durable_seq = rec->header.durable_seq;
    r->seq = rec->header.seq;
    r->offset = rec->offset + size;
    r->stats->replayed_batches++;
    r->stats->replayed_bytes += size;
    if (rec->header.type == RECORD_STREAM) {
        note_stream_id(r, rec->meta);
        return OK;
    }
    if (!r->applying)
        apply_begin(&r->apply, r->kv, true);
    r->applying = true;
    apply_record(&r->apply, rec->meta, r->number, rec->blob_offset);
    r->apply_bytes += size;
    r->apply_records++;
    return OK;
}

static enum result corrupt_at(struct recovery *r, uint64_t number, uint64_t offset,
                              const char *what)
{
    return error_set(r->err, CORRUPT, "%s/journal/%s: offset %llu: %s", r->kv->directory,
                     segment_name(number).text, (unsigned long long)offset, what);
}

static enum result io_failed(struct recovery *r, uint64_t number)
{
    return error_set(r->err, FAILED, "%s/journal/%s: %s", r->kv->directory,
                     segment_name(number).text, strerror(errno));
}

/* The intact records have ended at s->at, short of the segment's end: torn or damaged? */
static enum result judge_tail(struct recovery *r, struct scanner *s)
{
    bool proven = false;
    uint64_t at = s->at;
    if (s->number != segments_last(&r->kv->segments))
        return corrupt_at(r, s->number, at, "damaged record, and segments after it");
    if (scanner_proves_synced(s, r->seq + 1, &proven) != OK)
        return io_failed(r, s->number);
    if (proven)
        return corrupt_at(r, s->number, at, "damaged record, and intact ones after it");
    r->stats->torn_bytes += s->size - at;
    return OK;
}

static enum result replay_records(struct recovery *r, struct scanner *s)
{
    struct scanned rec;
    for (;;) {
        uint64_t at = s->at;
        enum result got = scanner_next(s, &rec);
        if (got == OK && rec.header.seq != r->seq + 1) {
            scanner_seek(s, at);
            got = INVALID;
        }
        if (got == NOT_FOUND)
            return OK;
        if (got == INVALID)
            return judge_tail(r, s);
        if (got == OK)
            got = take_record(r, &rec);
        else
            got = io_failed(r, s->number);
        if (got != OK)
            return got;
    }
}

/* A file without a valid header: a start of a segment that never held a record, or damage. */
static enum result judge_header(struct recovery *r, const struct segment *seg, enum result got)
{
    if (got == FAILED)
        return io_failed(r, seg->number);
    if (got == LIMIT)
        return corrupt_at(r, seg->number, 0, "unknown version");
    if (seg->number != segments_last(&r->kv->segments) || seg->size > SEGMENT_HEADER ||
        seg->number == r->from_segment)
        return corrupt_at(r, seg->number, 0, "damaged segment header");
    r->stats->torn_bytes += seg->size;
    return NOT_FOUND;
}

static enum result replay_segment(struct recovery *r, struct segment *seg, uint64_t from)
{
    struct scanner s;
    enum result got = scanner_init(&s, seg->fd, seg->number, seg->size);
    if (got != OK)
        return judge_header(r, seg, got);
    if (from == 0 && s.header.first_seq != r->seq + 1)
        got = corrupt_at(r, seg->number, 0, "records before this segment are missing");
    else if (from > seg->size)
        got = corrupt_at(r, seg->number, seg->size, "shorter than the index says");
    if (got == OK) {
        r->number = seg->number;
        r->salt = s.header.salt;
        r->offset = r->unsynced_from = from ? from : SEGMENT_HEADER;
        r->durable_seq = r->seq;
        scanner_seek(&s, r->offset);
        got = replay_records(r, &s);
    }
    scanner_release(&s);
    return got;
}

/* All from the index's position on, segment by segment; their numbers have no gaps there. */
static enum result replay(struct recovery *r, const struct index_state *from)
{
    enum result got = OK;
    uint64_t last = segments_last(&r->kv->segments);
    r->from_segment = from->segment;
    for (uint64_t n = from->segment ? from->segment : 1; got == OK && n <= last; n++) {
        struct segment *seg = segment_acquire(&r->kv->segments, n);
        if (!seg)
            return corrupt_at(r, n, 0, strerror(errno));
        got = replay_segment(r, seg, n == from->segment ? from->offset : 0);
        segment_release(&r->kv->segments, seg);
    }
    if (got == NOT_FOUND) /* the torn start of a new segment */
        got = r->kv->read_only || segments_remove(&r->kv->segments, last) == OK
                  ? OK
                  : io_failed(r, last);
    if (got == OK && from->segment > last)
        got = corrupt_at(r, from->segment, 0, "missing");
    return got;
}

static enum result rewrite(int fd, uint64_t from, uint64_t to, char *chunk)
{
    while (from < to) {
        size_t want = to - from < REWRITE_CHUNK ? (size_t)(to - from) : REWRITE_CHUNK;
        ssize_t n = pread(fd, chunk, want, (off_t)from);
        uint64_t written;
        if (n <= 0)
            return FAILED;
        struct iovec iov = {chunk, (size_t)n};
        if (durable_pwritev(fd, &iov, 1, from, &written) != OK)
            return FAILED;
        from += (uint64_t)n;
    }
    return OK;
}

static enum result settle_tail(struct recovery *r)
{
    struct kv *kv = r->kv;
    if (r->salt == 0 || kv->read_only)
        return OK;
    int fd = openat(kv->journal_fd, segment_name(r->number).text, O_RDWR | O_CLOEXEC);
    char *chunk = malloc(REWRITE_CHUNK);
    enum result got = fd >= 0 && chunk ? OK : FAILED;
    if (got == OK && ftruncate(fd, (off_t)r->offset) < 0)
        got = FAILED;
    if (got == OK)
        got = rewrite(fd, r->unsynced_from, r->offset, chunk);
    if (got == OK)
        got = durable_sync(fd);
    if (got == OK)
        got = durable_sync_dir(kv->journal_fd);
    if (got != OK)
        got = io_failed(r, r->number);
    if (fd >= 0)
        close(fd);
    free(chunk);
    segments_size_set(&kv->segments, r->number, r->offset);
    return got;
}

static void set_live(void *arg, uint64_t number, uint64_t live)
{
    segments_live_set(arg, number, live);
}

enum result recover(struct kv *kv, struct kv_recovery *ret, struct error *err)
{
    struct recovery r = {.kv = kv, .stats = ret, .err = err, .next_blob = 1};
    struct index_state from = {0};
    enum result got = index_get_state(&kv->index, false, &from);
    if (got != OK && got != NOT_FOUND)
        return error_set(err, got, "%s/index: state unreadable", kv->directory);
    if (index_each_live(&kv->index, set_live, &kv->segments) != OK)
        return error_set(err, FAILED, "%s/index: live bytes unreadable", kv->directory);
    r.seq = r.durable_seq = from.seq;
    if (from.next_blob > r.next_blob)
        r.next_blob = from.next_blob;
    got = replay(&r, &from);
    if (got == OK)
        got = settle_tail(&r);
    if (got == OK)
        got = finish_apply(&r);
    if (got != OK) {
        if (r.applying) {
            r.apply.r = got; /* drops it */
            (void)!apply_end(&r.apply, &from);
        }
        return got;
    }
    atomic_store(&kv->next_blob, r.next_blob);
    kv->flushed_segment = from.segment;
    kv->unflushed_bytes = ret->replayed_bytes;
    if (!kv->read_only && writer_resume(&kv->writer, r.number, r.salt, r.offset, r.seq) != OK)
        return io_failed(&r, r.number);
    return OK;
}
