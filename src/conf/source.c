/* source.c: collecting assignments, errors and notes. */
#include "conf/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ERRORS_MAX = 256 * 1024, TEXT_MAX = 80 * 1024, ROOM_FIRST = 32 };

void conf_errors_init(struct conf_errors *e)
{
    *e = (struct conf_errors){0};
    buf_init(&e->text, ERRORS_MAX);
    buf_init(&e->warnings, ERRORS_MAX);
    buf_init(&e->notes, ERRORS_MAX);
}

void conf_errors_release(struct conf_errors *e)
{
    buf_release(&e->text);
    buf_release(&e->warnings);
    buf_release(&e->notes);
}

static bool has_line(struct slice all, struct slice line)
{
    while (all.len)
        if (slice_eq(slice_split(&all, '\n'), line))
            return true;
    return false;
}

/* Each line once: what holds for all services is evaluated for each of them. False: it was there.
 */
static bool put(struct buf *to, const char *file, unsigned line, const char *format, va_list ap)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    if (line)
        buf_printf(&text, "%s:%u: ", file, line);
    else
        buf_printf(&text, "%s: ", file);
    buf_vprintf(&text, format, ap);
    bool fresh = !has_line(buf_slice(to), buf_slice(&text));
    if (fresh) {
        buf_append(to, buf_slice(&text));
        buf_putc(to, '\n');
    }
    buf_release(&text);
    return fresh;
}

void conf_error(struct conf_errors *e, const char *file, unsigned line, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    e->count += put(&e->text, file, line, format, ap);
    va_end(ap);
}

void conf_warn(struct conf_errors *e, const char *file, unsigned line, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    (void)put(&e->warnings, file, line, format, ap);
    va_end(ap);
}

void conf_note(struct conf_errors *e, const char *file, unsigned line, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    (void)put(&e->notes, file, line, format, ap);
    va_end(ap);
}

static enum result grow(struct conf_reading *r, struct conf_assignments *to)
{
    size_t room = to->room ? to->room * 2 : ROOM_FIRST;
    struct conf_assignment *items = arena_alloc_n(r->arena, room, sizeof *items);
    if (!items)
        return FAILED;
    if (to->n)
        memcpy(items, to->items, to->n * sizeof *items);
    to->items = items;
    to->room = room;
    return OK;
}

enum result conf_assign(struct conf_reading *r, struct conf_assignments *to,
                        struct conf_assignment a)
{
    if (to->n == CONF_ASSIGNMENTS_MAX) {
        conf_error(r->errors, a.file, a.line, "more than %d assignments", CONF_ASSIGNMENTS_MAX);
        return LIMIT;
    }
    if (!a.name.data || !a.value.data || (to->n == to->room && grow(r, to) != OK)) {
        conf_error(r->errors, a.file, a.line, "no memory for the configuration");
        return FAILED;
    }
    to->items[to->n++] = a;
    return OK;
}

static enum result read_all(int fd, struct buf *out)
{
    ssize_t n;
    do {
        size_t room;
        char *p = buf_reserve(out, 4096, &room);
        if (!p)
            return LIMIT;
        n = read(fd, p, room);
        if (n > 0)
            buf_commit(out, (size_t)n);
    } while (n > 0);
    return n < 0 ? FAILED : OK;
}

enum result conf_read_file(const char *path, struct arena *a, struct slice *ret)
{
    struct stat st;
    struct buf text;
    /* A fifo or a terminal must not keep the reader waiting. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? NOT_FOUND : FAILED;
    buf_init(&text, CONF_FILE_MAX + 8192);
    enum result r = fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode) ? read_all(fd, &text) : FAILED;
    if (r == FAILED && S_ISDIR(st.st_mode))
        errno = EISDIR;
    int saved = errno;
    close(fd);
    struct slice bytes = arena_dup(a, buf_slice(&text));
    if (r == OK && (buf_len(&text) > CONF_FILE_MAX || !bytes.data))
        r = LIMIT;
    buf_release(&text);
    errno = saved;
    if (r == OK)
        *ret = bytes;
    return r;
}
