/* cmd_retr.c: RETR and TOP: a message goes out in pieces, with dots doubled and every line ended by
 * CRLF (RFC 1939 3, 5, 7). */
#include "proto/pop3/core.h"

static enum pop3_want begin(struct pop3 *p, uint32_t number, bool limited, uint64_t lines,
                            struct buf *out, struct pop3_request *ret)
{
    p->multi.size = p->drop.size(p->drop.arg, number);
    p->multi.number = number;
    p->multi.at = 0;
    p->multi.limited = limited;
    p->multi.lines_left = lines;
    p->multi.in_body = false;
    p->multi.line_start = true;
    p->multi.only_cr = p->multi.after_cr = p->multi.started = false;
    if (p->multi.size == 0) {
        buf_puts(out, "+OK 0 octets\r\n.\r\n");
        return POP3_WANT_INPUT;
    }
    p->multi.kind = MULTI_MESSAGE;
    return pop3_message_more(p, ret);
}

enum pop3_want pop3_cmd_retr(struct pop3 *p, struct slice args, struct buf *out,
                             struct pop3_request *ret)
{
    uint32_t number;
    if (!pop3_number(p, slice_trim(args), out, &number))
        return POP3_WANT_INPUT;
    return begin(p, number, false, 0, out, ret);
}

enum pop3_want pop3_cmd_top(struct pop3 *p, struct slice args, struct buf *out,
                            struct pop3_request *ret)
{
    uint64_t lines;
    uint32_t number;
    struct slice rest = slice_trim(args);
    struct slice first = slice_split(&rest, ' ');
    if (slice_parse_u64(slice_trim(rest), UINT64_MAX, &lines) != OK)
        return pop3_bad(p, "TOP needs a message number and a number of lines.", out);
    if (!pop3_number(p, first, out, &number))
        return POP3_WANT_INPUT;
    return begin(p, number, true, lines, out, ret);
}

enum pop3_want pop3_message_more(struct pop3 *p, struct pop3_request *ret)
{
    uint64_t left = p->multi.size - p->multi.at;
    ret->number = p->multi.number;
    ret->from = p->multi.at;
    ret->len = left < POP3_PIECE ? left : POP3_PIECE;
    return POP3_WANT_MESSAGE;
}

/* Bytes within a line. */
static void put_bytes(struct pop3 *p, struct slice s, struct buf *out)
{
    if (s.len == 0)
        return;
    /* RFC 1939 3: byte-stuffing. */
    if (p->multi.line_start && s.data[0] == '.')
        buf_putc(out, '.');
    buf_append(out, s);
    p->multi.only_cr = p->multi.line_start && slice_is(s, "\r");
    p->multi.line_start = false;
    p->multi.after_cr = s.data[s.len - 1] == '\r';
}

/* A stored LF without its CR goes out as CRLF: many clients take it for a line's end, and a line
 * "." must not reach them. False: TOP has had its lines. */
static bool put_line_end(struct pop3 *p, struct buf *out)
{
    bool empty = p->multi.line_start || p->multi.only_cr;
    buf_puts(out, p->multi.after_cr ? "\n" : "\r\n");
    p->multi.line_start = true;
    p->multi.only_cr = p->multi.after_cr = false;
    if (!p->multi.limited)
        return true;
    if (p->multi.in_body)
        return --p->multi.lines_left > 0;
    p->multi.in_body = empty;
    return !empty || p->multi.lines_left > 0;
}

static void finish(struct pop3 *p, struct buf *out)
{
    if (!p->multi.line_start)
        (void)put_line_end(p, out);
    buf_puts(out, ".\r\n");
    p->multi.kind = MULTI_NONE;
    p->multi.started = false;
}

void pop3_message_bytes(struct pop3 *p, struct slice bytes, struct buf *out)
{
    p->waiting = 0;
    bytes = slice_sub(bytes, 0, p->multi.size - p->multi.at);
    if (!p->multi.started && p->multi.limited)
        pop3_ok(out, "");
    else if (!p->multi.started)
        buf_printf(out, "+OK %llu octets\r\n", (unsigned long long)p->multi.size);
    p->multi.started = true;
    p->multi.at += bytes.len;
    while (bytes.len) {
        size_t lf = slice_find(bytes, '\n');
        put_bytes(p, slice_sub(bytes, 0, lf), out);
        if (lf == SIZE_MAX)
            break;
        bytes = slice_from(bytes, lf + 1);
        if (!put_line_end(p, out)) {
            finish(p, out);
            return;
        }
    }
    if (p->multi.at >= p->multi.size)
        finish(p, out);
}

void pop3_message_failed(struct pop3 *p, bool gone, struct buf *out)
{
    p->waiting = 0;
    p->multi.kind = MULTI_NONE;
    if (p->multi.started)
        p->state = POP3_ENDED;
    else
        pop3_err(out, gone ? "The message is gone." : "[SYS/TEMP] The message can't be read.");
}
