/* compiled_cdb.c: cdb (D. J. Bernstein's constant database). A head of 256 hash tables' positions
 * and sizes, the records from byte 2048 on, then the hash tables. */
#include <fcntl.h>
#include <unistd.h>

#include "auth/compiled.h"
#include "os/fds.h"
#include "table/records.h"
#include "table/table.h"

enum { HEAD = 2048, CDB_MAX = 2 * TABLE_FILE_MAX };

/* Where the records end; SIZE_MAX: a hash table lies outside of the file. */
static size_t records_end(struct slice file)
{
    struct cursor head = cursor_of(slice_sub(file, 0, HEAD));
    size_t end = file.len;
    while (!cursor_at_end(&head)) {
        uint64_t at = cursor_le32(&head), slots = cursor_le32(&head);
        if (slots && (at < HEAD || at + slots * 8 > file.len))
            return SIZE_MAX;
        if (slots && at < end)
            end = at;
    }
    return cursor_ok(&head) ? end : SIZE_MAX;
}

static enum result read_records(struct slice file, struct buf *out, struct error *err)
{
    size_t end = file.len < HEAD ? SIZE_MAX : records_end(file);
    struct cursor c = cursor_of(end == SIZE_MAX ? SLICE_NONE : slice_sub(file, HEAD, end - HEAD));
    while (!cursor_at_end(&c) && cursor_ok(&c)) {
        uint32_t key_len = cursor_le32(&c), value_len = cursor_le32(&c);
        struct slice key = cursor_take(&c, key_len), value = cursor_take(&c, value_len);
        if (cursor_ok(&c))
            table_records_add(out, key, value);
    }
    return end != SIZE_MAX && cursor_ok(&c)
               ? OK
               : error_set(err, CORRUPT, "this is no cdb file, or a part of one");
}

enum result compiled_read_cdb(const char *path, struct buf *out, struct error *err)
{
    struct buf file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    buf_init(&file, CDB_MAX + 1);
    enum result r = fd < 0 ? FAILED : fd_read_all(fd, CDB_MAX, &file);
    if (r == OK)
        r = read_records(buf_slice(&file), out, err);
    else
        error_set(err, r, "can't be read, or is too large");
    buf_release(&file);
    fd_close(&fd);
    return r;
}
