/* verify.c: kv_verify: reads the journal record by record and the index entry by entry, and tells
 * of everything that does not fit. Changes nothing, and may run beside commits: what was applied
 * when it began is what it checks. */
#include <stdio.h>
#include <stdlib.h>

#include "kv/engine.h"
#include "kv/scan.h"

struct verify {
    struct kv *kv;
    void (*report)(void *arg, const char *what);
    void *arg;
    bool damaged;
    struct index_state end;
};

__attribute__((format(printf, 2, 3))) static void tell(struct verify *v, const char *format, ...)
{
    char text[300];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    v->damaged = true;
    v->report(v->arg, text);
}

static void verify_records(struct verify *v, struct scanner *s)
{
    struct scanned rec;
    struct record_header h;
    uint64_t seq = s->header.first_seq - 1;
    for (;;) {
        uint64_t at = s->at;
        enum result r = scanner_next(s, &rec);
        if (r == NOT_FOUND)
            return;
        if (r == OK && rec.header.seq == seq + 1) {
            seq++;
            continue;
        }
        tell(v, "journal/%s: offset %llu: %s", segment_name(s->number).text, (unsigned long long)at,
             r == OK       ? "records are missing"
             : r == FAILED ? "can't be read"
                           : "damaged record");
        if (r == OK)
            seq = rec.header.seq;
        if (r == OK)
            continue;
        scanner_seek(s, at + RECORD_ALIGN);
        if (r == FAILED || scanner_find(s, &h) != OK)
            return;
        seq = h.seq - 1;
    }
}

static void verify_segment(struct verify *v, uint64_t number)
{
    struct segment *seg = segment_acquire(&v->kv->segments, number);
    struct scanner s;
    if (!seg) {
        tell(v, "journal/%s: can't be opened", segment_name(number).text);
        return;
    }
    uint64_t size = number == v->end.segment ? v->end.offset : seg->size;
    if (scanner_init(&s, seg->fd, number, size) == OK) {
        verify_records(v, &s);
        scanner_release(&s);
    } else {
        tell(v, "journal/%s: offset 0: damaged segment header", segment_name(number).text);
    }
    segment_release(&v->kv->segments, seg);
}

struct next_segment {
    uint64_t above, found;
};

static void find_next(struct segment *seg, void *arg)
{
    struct next_segment *n = arg;
    if (n->found == 0 && seg->number > n->above)
        n->found = seg->number;
}

static void verify_journal(struct verify *v)
{
    struct next_segment n = {0};
    for (;;) {
        n.found = 0;
        segments_each(&v->kv->segments, find_next, &n);
        if (n.found == 0 || n.found > v->end.segment)
            return;
        verify_segment(v, n.found);
        n.above = n.found;
    }
}

static void verify_blob(struct verify *v, uint64_t id, struct slice value, struct buf *room)
{
    struct blob_ref ref;
    if (!blob_ref_decode(value, &ref)) {
        tell(v, "index: blob %llu: malformed entry", (unsigned long long)id);
        return;
    }
    buf_reset(room);
    enum result r = kv_blob_read(v->kv, id, 0, KV_BLOB_MAX, room);
    if (r != OK && r != NOT_FOUND) /* not found: it was deleted meanwhile */
        tell(v, "blob %llu in journal/%s, offset %llu, %u bytes: %s", (unsigned long long)id,
             segment_name(ref.segment).text, (unsigned long long)ref.offset, ref.len,
             result_name(r));
}

/* Walking all of the index also verifies RocksDB's own checksums. */
static void verify_index(struct verify *v)
{
    rocksdb_iterator_t *it = rocksdb_create_iterator(v->kv->index.db, v->kv->index.read);
    char *text = NULL;
    struct error err;
    struct buf room;
    buf_init(&room, KV_BLOB_MAX);
    for (rocksdb_iter_seek_to_first(it); rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
        size_t key_len, value_len;
        const char *key = rocksdb_iter_key(it, &key_len);
        const char *value = rocksdb_iter_value(it, &value_len);
        if (key_len != 10 || memcmp(key,
                                    "\xff"
                                    "b",
                                    2) != 0)
            continue;
        struct cursor c = cursor_of(slice_of(key + 2, 8));
        verify_blob(v, cursor_be64(&c), slice_of(value, value_len), &room);
    }
    buf_release(&room);
    rocksdb_iter_get_error(it, &text);
    rocksdb_iter_destroy(it);
    if (index_result(text, &err, "index") != OK)
        tell(v, "%s", err.text);
}

enum result kv_verify(struct kv *kv, void (*report)(void *arg, const char *what), void *arg)
{
    struct verify v = {.kv = kv, .report = report, .arg = arg};
    pthread_mutex_lock(&kv->upkeep_lock); /* nothing is moved or removed meanwhile */
    enum result r = index_get_state(&kv->index, false, &v.end);
    if (r == OK) {
        verify_journal(&v);
        verify_index(&v);
    }
    pthread_mutex_unlock(&kv->upkeep_lock);
    if (r == NOT_FOUND) /* nothing was ever stored */
        return OK;
    return r != OK ? r : v.damaged ? CORRUPT : OK;
}
