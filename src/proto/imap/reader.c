/* reader.c: see reader.h. A literal's header stands at the very end of a line, so it is found by
 * looking back from the line end; a quoted string can't be mistaken for one, as its quote follows.
 */
#include "proto/imap/reader.h"

enum { LINE, LITERAL, SKIP_LINE, SKIP_LITERAL };

/* "{" 20 digits "+}" CRLF: what must be kept of a line that is being skipped. */
enum { HEADER_MAX = 26 };

void imap_reader_reset(struct imap_reader *r)
{
    *r = (struct imap_reader){.mode = LINE};
}

struct slice imap_line(struct slice command)
{
    if (command.len && command.data[command.len - 1] == '\n')
        command.len--;
    if (command.len && command.data[command.len - 1] == '\r')
        command.len--;
    return command;
}

/* Does the line end with "{n}" or "{n+}"? */
static bool literal_header(struct slice line, uint64_t *ret_size, bool *ret_sync)
{
    line = imap_line(line);
    if (line.len < 3 || line.data[line.len - 1] != '}')
        return false;
    struct slice tail = slice_from(line, line.len > HEADER_MAX ? line.len - HEADER_MAX : 0);
    size_t open = slice_rfind(tail, '{');
    if (open == SIZE_MAX)
        return false;
    struct slice number = slice_sub(tail, open + 1, tail.len - open - 2);
    bool sync = number.len == 0 || number.data[number.len - 1] != '+';
    if (!sync)
        number.len--;
    if (number.len == 0)
        return false;
    for (size_t i = 0; i < number.len; i++)
        if (!ascii_digit(number.data[i]))
            return false;
    /* A size that no number can hold is as good as the largest: it is refused. */
    if (slice_parse_u64(number, UINT64_MAX, ret_size) != OK)
        *ret_size = UINT64_MAX;
    *ret_sync = sync;
    return true;
}

/* Drops the literal's bytes as they come; true when all have. */
static bool skip_literal(struct imap_reader *r, struct slice *in)
{
    size_t n = in->len < r->left ? in->len : (size_t)r->left;
    *in = slice_from(*in, n);
    r->left -= n;
    if (r->left)
        return false;
    r->mode = SKIP_LINE;
    return true;
}

/* Drops what is left of a line; true when something else is to be done. */
static bool skip_line(struct imap_reader *r, struct slice *in)
{
    size_t end = slice_find(*in, '\n');
    if (end == SIZE_MAX) {
        if (in->len > HEADER_MAX)
            *in = slice_from(*in, in->len - HEADER_MAX);
        return false;
    }
    uint64_t size = 0;
    bool sync = false;
    bool literal = literal_header(slice_sub(*in, 0, end + 1), &size, &sync);
    *in = slice_from(*in, end + 1);
    imap_reader_reset(r);
    if (literal && !sync) {
        r->mode = SKIP_LITERAL;
        r->left = size;
    }
    return true;
}

static enum imap_read read_line(struct imap_reader *r, struct slice *in, size_t max,
                                size_t *ret_len)
{
    size_t end = slice_find(slice_from(*in, r->scanned), '\n');
    size_t len = end == SIZE_MAX ? in->len : r->scanned + end + 1;
    if (len > max) {
        imap_reader_skip(r);
        return IMAP_READ_TOO_LONG;
    }
    r->scanned = (uint32_t)len;
    if (end == SIZE_MAX)
        return IMAP_READ_MORE;
    *ret_len = len;
    struct slice line = slice_sub(*in, r->line, len - r->line);
    return literal_header(line, &r->literal, &r->sync) ? IMAP_READ_LITERAL : IMAP_READ_COMMAND;
}

enum imap_read imap_reader_step(struct imap_reader *r, struct slice *in, size_t max,
                                size_t *ret_len)
{
    for (;;) {
        switch (r->mode) {
        case LITERAL:
            if (in->len - r->scanned < r->left)
                return IMAP_READ_MORE;
            r->scanned += (uint32_t)r->left;
            r->line = r->scanned;
            r->left = 0;
            r->mode = LINE;
            break;
        case SKIP_LITERAL:
            if (!skip_literal(r, in))
                return IMAP_READ_MORE;
            break;
        case SKIP_LINE:
            if (!skip_line(r, in))
                return IMAP_READ_MORE;
            break;
        default:
            return read_line(r, in, max, ret_len);
        }
    }
}

void imap_reader_accept(struct imap_reader *r)
{
    r->mode = LITERAL;
    r->left = r->literal;
}

void imap_reader_divert(struct imap_reader *r)
{
    imap_reader_reset(r);
}

void imap_reader_skip_literal(struct imap_reader *r, uint64_t left)
{
    imap_reader_reset(r);
    r->mode = SKIP_LITERAL;
    r->left = left;
}

void imap_reader_refuse(struct imap_reader *r)
{
    if (r->sync)
        imap_reader_reset(r);
    else
        imap_reader_skip_literal(r, r->literal);
}

void imap_reader_skip(struct imap_reader *r)
{
    imap_reader_reset(r);
    r->mode = SKIP_LINE;
}
