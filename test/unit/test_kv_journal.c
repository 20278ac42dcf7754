/* test_kv_journal.c: the journal's bytes and what recovery makes of them: encoding, truncation at
 * any place, flipped bits, missing segments, torn groups. */
#include <fcntl.h>
#include <sys/stat.h>

#include "kv/scan.h"
#include "kv/segments.h"
#include "kv_world.h"

enum { N = 40 };

static char path[160];

static const char *segment_path(uint64_t number)
{
    snprintf(path, sizeof path, "%s/journal/%s", directory, segment_name(number).text);
    return path;
}

static uint64_t file_size(const char *name)
{
    struct stat st;
    assert_int_equal(stat(name, &st), 0);
    return (uint64_t)st.st_size;
}

/* With the index gone, opening replays all of the journal. */
static void drop_index(void)
{
    snprintf(path, sizeof path, "%s/index", directory);
    remove_tree(path);
}

static void flip(const char *name, uint64_t offset)
{
    char byte;
    int fd = open(name, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, (off_t)offset), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)offset), 1);
    close(fd);
}

static enum result try_open(struct kv **ret, struct kv_recovery *ret_recovery, struct error *err)
{
    struct kv_options options = {.directory = directory, .segment_bytes = 64 << 10};
    return kv_open(&options, ret, ret_recovery, err);
}

/* N batches of a key and a blob each, one a group, in segments of 64 KiB. */
static void fill(void)
{
    char room[3000], key[16];
    struct kv *kv = open_with((struct kv_options){.segment_bytes = 64 << 10}, NULL);
    for (unsigned i = 0; i < N; i++) {
        struct kv_batch *b = kv_batch_new(kv, 0);
        uint64_t id = kv_batch_blob(b, pattern(room, 500 + i * 60, i));
        snprintf(key, sizeof key, "k%03u", i);
        kv_batch_put(b, slice_cstr(key), slice_of(&id, sizeof id));
        assert_int_equal(kv_commit(b), OK);
    }
    kv_close(kv);
    drop_index();
}

/* The first n batches are there whole, and nothing else is. */
static void assert_first(struct kv *kv, unsigned n)
{
    char room[3000], key[16];
    unsigned count = 0;
    struct slice k, v;
    struct kv_iter *it = kv_iter_new(kv, NULL, SLICE("k"), SLICE_NONE);
    while (kv_iter_next(it, &k, &v)) {
        uint64_t id;
        snprintf(key, sizeof key, "k%03u", count);
        assert_true(slice_is(k, key));
        assert_int_equal(v.len, sizeof id);
        memcpy(&id, v.data, sizeof id);
        assert_blob(kv, id, pattern(room, 500 + count * 60, count));
        count++;
    }
    assert_int_equal(kv_iter_free(it), OK);
    assert_int_equal(count, n);
}

/* Offsets of the segment's records; returns how many. */
static unsigned record_offsets(uint64_t number, uint64_t *offsets, unsigned max)
{
    struct scanner s;
    struct scanned rec;
    unsigned n = 0;
    const char *name = segment_path(number);
    int fd = open(name, O_RDONLY);
    assert_int_equal(scanner_init(&s, fd, number, file_size(name)), OK);
    while (n < max && scanner_next(&s, &rec) == OK)
        offsets[n++] = rec.offset;
    scanner_release(&s);
    close(fd);
    return n;
}

static void test_rebuild(void **state)
{
    (void)state;
    struct kv *kv;
    struct kv_recovery recovery;
    struct error err;
    fill();
    assert_int_equal(try_open(&kv, &recovery, &err), OK);
    assert_first(kv, N);
    assert_int_equal(recovery.replayed_batches, N);
    assert_int_equal(recovery.torn_bytes, 0);
    assert_int_equal(recovery.segments, 2);
    assert_intact(kv);
    kv_close(kv);
    assert_int_equal(try_open(&kv, &recovery, &err), OK);
    assert_int_equal(recovery.replayed_batches, 0);
    assert_first(kv, N);
    kv_close(kv);
}

/* The last segment cut at any place: what was whole is there, the rest is cut off, and the next
 * batch and the next start are as ever. */
static void test_truncated_tail(void **state)
{
    (void)state;
    uint64_t offsets[N + 1];
    struct kv *kv;
    struct kv_recovery recovery;
    struct error err;
    fill();
    unsigned last = record_offsets(2, offsets, N), before = N - last;
    uint64_t size = file_size(segment_path(2));
    offsets[last] = size;
    for (unsigned i = last; i-- > 0;) {
        const uint64_t cuts[] = {offsets[i + 1] - 1, offsets[i] + RECORD_HEADER + 20,
                                 offsets[i] + RECORD_HEADER - 1, offsets[i] + 1, offsets[i]};
        for (unsigned j = i % 3; j < 5; j += 2) {
            drop_index();
            assert_int_equal(truncate(segment_path(2), (off_t)cuts[j]), 0);
            assert_int_equal(try_open(&kv, &recovery, &err), OK);
            assert_int_equal(recovery.torn_bytes, cuts[j] - offsets[i]);
            assert_first(kv, before + i);
            put(kv, "x", "y");
            kv_close(kv);
            assert_int_equal(try_open(&kv, &recovery, &err), OK);
            assert_value(kv, NULL, "x", "y");
            kv_close(kv);
            /* What the new batch has added must not pass for a record of the next cut. */
            assert_int_equal(truncate(segment_path(2), (off_t)offsets[i]), 0);
            if (j >= 3)
                break;
        }
    }
}

/* A flipped bit anywhere before the last record is corruption, and the error says where. */
static void test_flipped_bits(void **state)
{
    (void)state;
    uint64_t offsets[2][N];
    fill();
    for (uint64_t number = 1; number <= 2; number++) {
        unsigned n = record_offsets(number, offsets[number - 1], N);
        uint64_t end = number == 1 ? file_size(segment_path(1)) : offsets[1][n - 1];
        for (uint64_t at = number * 3; at < end; at += 997) {
            struct kv *kv = NULL;
            struct error err;
            char want[64];
            uint64_t record = 0;
            for (unsigned i = 0; i < n && offsets[number - 1][i] <= at; i++)
                record = offsets[number - 1][i];
            flip(segment_path(number), at);
            drop_index();
            enum result r = try_open(&kv, NULL, &err);
            if (r == OK) /* padding behind a record is not summed */
                kv_close(kv);
            else
                assert_int_equal(r, CORRUPT);
            snprintf(want, sizeof want, "%s: offset %llu:", segment_name(number).text,
                     (unsigned long long)record);
            if (r != OK && !strstr(err.text, want))
                fail_msg("%s, but not %s", err.text, want);
            flip(segment_path(number), at);
        }
    }
    struct kv *kv;
    struct error err;
    drop_index();
    assert_int_equal(try_open(&kv, NULL, &err), OK);
    assert_first(kv, N);
    kv_close(kv);
}

/* Damage in the very last record can't be told from a torn write. */
static void test_flipped_in_last_record(void **state)
{
    (void)state;
    uint64_t offsets[N];
    struct kv *kv;
    struct kv_recovery recovery;
    struct error err;
    fill();
    unsigned n = record_offsets(2, offsets, N);
    flip(segment_path(2), offsets[n - 1] + 100);
    assert_int_equal(try_open(&kv, &recovery, &err), OK);
    assert_true(recovery.torn_bytes > 0);
    assert_first(kv, N - 1);
    kv_close(kv);
}

static void test_missing_segments(void **state)
{
    (void)state;
    struct kv *kv = NULL;
    struct error err;
    fill();
    assert_int_equal(rename(segment_path(1), "/tmp/test_kv_segment"), 0);
    assert_int_equal(try_open(&kv, NULL, &err), CORRUPT);
    assert_non_null(strstr(err.text, segment_name(1).text));
    assert_int_equal(rename("/tmp/test_kv_segment", segment_path(1)), 0);
    /* Cut at a record's end: only the next segment's first number tells. */
    uint64_t offsets[N];
    unsigned n = record_offsets(1, offsets, N);
    drop_index();
    assert_int_equal(truncate(segment_path(1), (off_t)offsets[n - 1]), 0);
    assert_int_equal(try_open(&kv, NULL, &err), CORRUPT);
    assert_non_null(strstr(err.text, segment_name(2).text));
}

/* The index knows more than the journal holds. */
static void test_shorter_than_index(void **state)
{
    (void)state;
    struct kv *kv = NULL;
    struct error err;
    fill();
    assert_int_equal(try_open(&kv, NULL, &err), OK);
    kv_close(kv);
    assert_int_equal(truncate(segment_path(2), (off_t)file_size(segment_path(2)) - 1), 0);
    assert_int_equal(try_open(&kv, NULL, &err), CORRUPT);
    assert_int_equal(remove(segment_path(2)), 0);
    assert_int_equal(try_open(&kv, NULL, &err), CORRUPT);
}

/* Power failed while a new segment was begun: before its header was whole. */
static void test_torn_segment_start(void **state)
{
    (void)state;
    struct kv *kv;
    struct kv_recovery recovery;
    struct error err;
    fill();
    for (int size = 0; size <= SEGMENT_HEADER; size += SEGMENT_HEADER / 2) {
        static const char zeros[SEGMENT_HEADER];
        FILE *f = fopen(segment_path(3), "w");
        assert_int_equal(fwrite(zeros, 1, (size_t)size, f), size);
        fclose(f);
        drop_index();
        assert_int_equal(try_open(&kv, &recovery, &err), OK);
        assert_int_equal(recovery.torn_bytes, size);
        assert_first(kv, N);
        kv_close(kv);
    }
    assert_int_equal(truncate(segment_path(2), 0), 0);
    drop_index();
    assert_int_equal(try_open(&kv, &recovery, &err), OK);
    kv_close(kv);
}

struct blob_bytes {
    uint64_t salt, segment;
    struct buf out;
};

static void add_record(struct blob_bytes *f, uint64_t seq, uint64_t durable, const char *key)
{
    char header[RECORD_HEADER];
    struct buf meta;
    buf_init(&meta, 1000);
    record_put_key(&meta, slice_cstr(key), SLICE("v"));
    struct record_header h = {.salt = f->salt,
                              .segment = f->segment,
                              .seq = seq,
                              .durable_seq = durable,
                              .type = RECORD_BATCH,
                              .meta_len = (uint32_t)buf_len(&meta)};
    h.meta_crc = record_sum(buf_slice(&meta));
    record_header_encode(&h, header);
    buf_append(&f->out, slice_of(header, sizeof header));
    buf_append(&f->out, buf_slice(&meta));
    while (buf_len(&f->out) % RECORD_ALIGN)
        buf_putc(&f->out, 0);
    buf_release(&meta);
}

/* A first segment with the records (1), (2 3 4), which are two groups. `more` adds a third. */
static void make_groups(bool more)
{
    struct blob_bytes f = {.salt = 0x1122334455667788, .segment = 1};
    char header[SEGMENT_HEADER];
    struct kv *kv = open_kv();
    kv_close(kv);
    drop_index();
    buf_init(&f.out, 10000);
    segment_header_encode(&(struct segment_header){1, f.salt, 1}, header);
    buf_append(&f.out, slice_of(header, sizeof header));
    add_record(&f, 1, 0, "a");
    add_record(&f, 2, 1, "b");
    add_record(&f, 3, 1, "c");
    add_record(&f, 4, 1, "d");
    if (more)
        add_record(&f, 5, 4, "e");
    FILE *out = fopen(segment_path(1), "w");
    assert_int_equal(fwrite(f.out.mem, 1, buf_len(&f.out), out), buf_len(&f.out));
    fclose(out);
    buf_release(&f.out);
}

/* The disk may write a group's blocks in any order: a hole in the last group, with intact records
 * of the same group behind it, is a torn write. The same hole with a later group behind it is
 * damage, since that group was begun only when the one before was durable. */
static void test_torn_group(void **state)
{
    (void)state;
    struct kv *kv = NULL;
    struct kv_recovery recovery;
    struct error err;
    uint64_t offsets[5];
    make_groups(false);
    assert_int_equal(record_offsets(1, offsets, 5), 4);
    flip(segment_path(1), offsets[2] + 3);
    assert_int_equal(try_open(&kv, &recovery, &err), OK);
    assert_value(kv, NULL, "a", "v");
    assert_value(kv, NULL, "b", "v");
    assert_value(kv, NULL, "c", NULL);
    assert_value(kv, NULL, "d", NULL);
    assert_true(recovery.torn_bytes > 0);
    kv_close(kv);
    make_groups(true);
    flip(segment_path(1), offsets[2] + 3);
    assert_int_equal(try_open(&kv, &recovery, &err), CORRUPT);
}

/* Mail that looks like a record proves nothing: it does not know the segment's salt. */
static void test_forged_record(void **state)
{
    (void)state;
    struct blob_bytes f = {.salt = 99, .segment = 1};
    uint64_t offsets[2] = {0};
    struct kv *kv;
    struct kv_recovery recovery;
    struct error err;
    buf_init(&f.out, 10000);
    for (uint64_t seq = 2; seq < 20; seq++)
        add_record(&f, seq, seq - 1, "forged");
    kv = open_kv();
    put(kv, "k", "v");
    struct kv_batch *b = kv_batch_new(kv, 0);
    kv_batch_blob(b, buf_slice(&f.out));
    assert_int_equal(kv_commit(b), OK);
    kv_close(kv);
    drop_index();
    assert_int_equal(record_offsets(1, offsets, 2), 2);
    flip(segment_path(1), offsets[1] + 20);
    assert_int_equal(try_open(&kv, &recovery, &err), OK);
    assert_value(kv, NULL, "k", "v");
    assert_value(kv, NULL, "forged", NULL);
    kv_close(kv);
    buf_release(&f.out);
}

static void test_read_only(void **state)
{
    (void)state;
    struct kv *kv = NULL;
    struct kv_options options = {.directory = directory, .read_only = true};
    struct kv_recovery recovery;
    struct error err;
    assert_int_equal(kv_open(&options, &kv, NULL, &err), FAILED); /* nothing there */
    fill();
    assert_int_equal(try_open(&kv, NULL, &err), OK);
    kv_close(kv);
    /* Nothing is flushed of what is added here, as after a crash: the index is put back. */
    char saved[170], command[512];
    snprintf(saved, sizeof saved, "%s/saved", directory);
    snprintf(command, sizeof command, "cp -r %s/index %s", directory, saved);
    assert_int_equal(system(command), 0);
    assert_int_equal(try_open(&kv, NULL, &err), OK);
    put(kv, "tail", "v");
    kv_close(kv);
    drop_index();
    snprintf(path, sizeof path, "%s/index", directory);
    assert_int_equal(rename(saved, path), 0);
    uint64_t size = file_size(segment_path(2));
    assert_int_equal(truncate(segment_path(2), (off_t)size + 5), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(kv_open(&options, &kv, &recovery, &err), OK);
        assert_int_equal(recovery.replayed_batches, 1);
        assert_int_equal(recovery.torn_bytes, 5);
        assert_first(kv, N);
        assert_value(kv, NULL, "tail", "v");
        assert_intact(kv);
        struct kv_batch *b = kv_batch_new(kv, 0);
        kv_batch_put(b, SLICE("k"), SLICE("v"));
        assert_int_equal(kv_commit(b), FAILED);
        kv_close(kv);
        assert_int_equal(file_size(segment_path(2)), size + 5);
    }
    assert_int_equal(try_open(&kv, &recovery, &err), OK);
    assert_value(kv, NULL, "tail", "v");
    kv_close(kv);
}

static void test_operations(void **state)
{
    (void)state;
    struct buf meta;
    struct record_op op;
    struct blob_ref ref = {.segment = 5, .offset = 1ull << 40, .len = KV_BLOB_MAX};
    for (unsigned i = 0; i < BLOB_BLOCKS_MAX; i++)
        ref.crc[i] = i * 77;
    buf_init(&meta, 10000);
    record_put_key(&meta, SLICE("k"), SLICE(""));
    record_put_del(&meta, SLICE("k"));
    record_put_blob(&meta, 300, &ref);
    record_put_blob_del(&meta, UINT64_MAX);
    record_put_placed(&meta, OP_ADOPT, 7, &ref);
    record_put_placed(&meta, OP_MOVE, 8, &ref);
    static const enum record_op_type types[] = {OP_PUT,      OP_DEL,   OP_BLOB,
                                                OP_BLOB_DEL, OP_ADOPT, OP_MOVE};
    struct cursor c = cursor_of(buf_slice(&meta));
    for (int i = 0; i < 6; i++) {
        assert_true(record_next_op(&c, &op));
        assert_int_equal(op.type, types[i]);
        if (i == 2 || i > 3)
            assert_memory_equal(op.ref.crc, ref.crc, sizeof ref.crc);
        if (i > 3)
            assert_true(op.ref.segment == 5 && op.ref.offset == 1ull << 40);
    }
    assert_false(record_next_op(&c, &op));
    assert_true(cursor_done(&c));
    /* Cut anywhere inside an operation it is malformed. */
    for (size_t len = buf_len(&meta) - 1; len > buf_len(&meta) - 60; len--) {
        c = cursor_of(slice_sub(buf_slice(&meta), 0, len));
        while (record_next_op(&c, &op))
            ;
        assert_false(cursor_ok(&c));
    }
    static const char *bad[] = {"\x07",         "\x01\x00\x00",         "\x02\x01\xff",
                                "\x03\x00\x01", "\x03\x01\x81\x80\x40", "\x02\x81\x08"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        c = cursor_of(slice_of(bad[i], i == 1 ? 3 : strlen(bad[i]) + 1));
        assert_false(record_next_op(&c, &op));
        assert_false(cursor_ok(&c));
    }
    buf_release(&meta);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KV_TEST(test_operations),
        KV_TEST(test_rebuild),
        KV_TEST(test_truncated_tail),
        KV_TEST(test_flipped_bits),
        KV_TEST(test_flipped_in_last_record),
        KV_TEST(test_missing_segments),
        KV_TEST(test_shorter_than_index),
        KV_TEST(test_torn_segment_start),
        KV_TEST(test_torn_group),
        KV_TEST(test_forged_record),
        KV_TEST(test_read_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
