/* fuzz_journal.c: what recovery, the cleaner and kv_verify read: a segment of arbitrary bytes.
 *
 * The first byte chooses: 0: the rest is a segment as it stands; 1: the rest is the operations of
 * one record, whose checksums are made right so that the parser behind them is reached; 2: the
 * rest is an index entry of a blob. */
#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kv/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Walks it as kv_verify does: over damage to the next intact header. */
static void scan(struct slice segment, uint64_t number)
{
    struct scanner s;
    struct scanned rec;
    struct record_header h;
    int fd = memfd_create("segment", MFD_CLOEXEC);
    if (fd < 0 || write(fd, segment.data, segment.len) != (ssize_t)segment.len)
        abort();
    if (scanner_init(&s, fd, number, segment.len) == OK) {
        enum result r;
        bool proven;
        while ((r = scanner_next(&s, &rec)) != NOT_FOUND) {
            if (r == OK) {
                assert(rec.blob_offset + rec.blobs.len <= segment.len);
                continue;
            }
            uint64_t at = s.at;
            if (scanner_proves_synced(&s, 1, &proven) != OK)
                abort();
            scanner_seek(&s, at + RECORD_ALIGN);
            if (scanner_find(&s, &h) != OK)
                break;
        }
        scanner_release(&s);
    }
    close(fd);
}

static void scan_operations(struct slice meta)
{
    static const char blob[100];
    struct segment_header sh = {.number = 3, .salt = 0x5a5a5a5a5a5a5a5a, .first_seq = 1};
    struct record_header rh = {.salt = sh.salt,
                               .segment = 3,
                               .seq = 1,
                               .type = RECORD_BATCH,
                               .meta_len = (uint32_t)meta.len,
                               .blob_len = sizeof blob,
                               .meta_crc = record_sum(meta)};
    char header[SEGMENT_HEADER], record[RECORD_HEADER];
    struct buf file;
    buf_init(&file, 1 << 20);
    segment_header_encode(&sh, header);
    record_header_encode(&rh, record);
    buf_append(&file, slice_of(header, sizeof header));
    for (int i = 0; i < 2; i++) {
        buf_append(&file, slice_of(record, sizeof record));
        buf_append(&file, meta);
        buf_append(&file, slice_of(blob, sizeof blob));
        while (buf_len(&file) % RECORD_ALIGN)
            buf_putc(&file, 0);
    }
    if (buf_ok(&file))
        scan(buf_slice(&file), 3);
    buf_release(&file);
}

/* What decodes encodes to something that decodes to the same. */
static void blob_entry(struct slice s)
{
    struct blob_ref a, b;
    struct buf out;
    if (!blob_ref_decode(s, &a))
        return;
    buf_init(&out, 1000);
    blob_ref_encode(&out, &a);
    if (!blob_ref_decode(buf_slice(&out), &b) || a.segment != b.segment || a.offset != b.offset ||
        a.len != b.len || memcmp(a.crc, b.crc, blob_blocks(a.len) * sizeof *a.crc) != 0)
        abort();
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct slice s = slice_of(data + 1, size - 1);
    if (data[0] == 1)
        scan_operations(s);
    else if (data[0] == 2)
        blob_entry(s);
    else
        scan(s, 1);
    return 0;
}
