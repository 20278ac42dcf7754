/* client_reply.c: see client_reply.h. */
#include "proto/smtp/client_reply.h"

struct slice smtp_reply_status(unsigned code, struct slice text)
{
    size_t i = 2, digits = 0, parts = 1;
    if (text.len < 5 || text.data[0] != (char)('0' + code / 100) || text.data[1] != '.')
        return SLICE_NONE;
    for (; i < text.len && text.data[i] != ' '; i++) {
        if (text.data[i] == '.' && digits > 0 && parts == 1) {
            parts = 2;
            digits = 0;
        } else if (!ascii_digit(text.data[i]) || ++digits > 3) {
            return SLICE_NONE;
        }
    }
    return parts == 2 && digits > 0 ? slice_sub(text, 0, i) : SLICE_NONE;
}

static void keep_text(struct smtp_client *c, struct slice s)
{
    for (size_t i = 0; i < s.len && c->reply_len < sizeof c->reply_text; i++) {
        unsigned char u = (unsigned char)s.data[i];
        c->reply_text[c->reply_len++] = u < 0x20 || u == 0x7f ? ' ' : (char)u;
    }
}

/* Later lines repeat the status of the first one: once is enough. */
static void keep_line(struct smtp_client *c, struct slice text)
{
    if (c->reply_lines > 0) {
        struct slice status = smtp_reply_status(c->reply_code, text);
        if (status.len)
            text = slice_trim(slice_from(text, status.len));
        keep_text(c, SLICE(" "));
    }
    keep_text(c, text);
}

static bool parse_code(struct slice line, unsigned *ret)
{
    if (line.len < 3 || line.data[0] < '2' || line.data[0] > '5' || !ascii_digit(line.data[1]) ||
        !ascii_digit(line.data[2]))
        return false;
    if (line.len > 3 && line.data[3] != ' ' && line.data[3] != '-')
        return false;
    *ret = (unsigned)(line.data[0] - '0') * 100 + (unsigned)(line.data[1] - '0') * 10 +
           (unsigned)(line.data[2] - '0');
    return true;
}

static enum result finish(struct smtp_client *c, unsigned code, struct arena *a,
                          struct smtp_reply *ret)
{
    static const char *const classes[] = {"2.0.0", "3.0.0", "4.0.0", "5.0.0"};
    struct slice text = slice_of(c->reply_text, c->reply_len);
    struct slice status = smtp_reply_status(code, slice_from(text, 4));
    char *kept = arena_printf(a, "%.*s", SLICE_ARG(text));
    struct slice kept_status =
        arena_dup(a, status.len ? status : slice_cstr(classes[code / 100 - 2]));
    c->reply_lines = 0;
    c->reply_len = 0;
    if (!kept || !kept_status.data)
        return FAILED;
    *ret = (struct smtp_reply){code, kept_status, slice_trim(slice_cstr(kept))};
    return OK;
}

/* One line without its end. OK: it was the reply's last. */
static enum result take_line(struct smtp_client *c, struct slice line,
                             void (*each_line)(struct smtp_client *, unsigned, unsigned,
                                               struct slice),
                             unsigned *ret_code)
{
    unsigned code;
    if (!parse_code(line, &code) || c->reply_lines >= SMTP_REPLY_LINES_MAX)
        return INVALID;
    /* RFC 5321 4.2.1: all lines have the same code. Where they don't the last one counts; mixed
     * classes are no reply at all. */
    if (c->reply_lines > 0 && code / 100 != c->reply_code / 100)
        return INVALID;
    struct slice text = slice_from(line, 4);
    if (c->reply_lines == 0) {
        c->reply_len = 0;
        keep_text(c, slice_sub(line, 0, 3));
        keep_text(c, SLICE(" "));
    }
    c->reply_code = code;
    keep_line(c, text);
    if (each_line)
        each_line(c, code, c->reply_lines, text);
    c->reply_lines++;
    *ret_code = code;
    return line.len > 3 && line.data[3] == '-' ? BUSY : OK;
}

enum result smtp_reply_read(struct smtp_client *c, struct buf *in, struct arena *a,
                            void (*each_line)(struct smtp_client *c, unsigned code, unsigned line,
                                              struct slice text),
                            struct smtp_reply *ret)
{
    for (;;) {
        struct slice all = buf_slice(in);
        size_t end = slice_find(slice_sub(all, 0, SMTP_REPLY_LINE_MAX), '\n');
        unsigned code = 0;
        if (end == SIZE_MAX)
            return all.len >= SMTP_REPLY_LINE_MAX ? INVALID : BUSY;
        struct slice line = slice_sub(all, 0, end);
        if (line.len && line.data[line.len - 1] == '\r')
            line.len--;
        enum result r = take_line(c, line, each_line, &code);
        buf_consume(in, end + 1);
        if (r == OK)
            return finish(c, code, a, ret);
        if (r != BUSY)
            return r;
    }
}
