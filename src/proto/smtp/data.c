#include "proto/smtp/data.h"

/* Where the next byte stands. What is held back has not been written yet. */
enum data_state {
    LINE_START,  /* at the start of a line */
    LINE_DOT,    /* behind the dot that begins a line; the dot is dropped */
    LINE_DOT_CR, /* behind that and CR; the CR is held back */
    IN_LINE,
    AFTER_CR /* within a line, behind a CR, which is held back */
};

void smtp_data_init(struct smtp_data *d, bool dots, uint64_t limit)
{
    *d = (struct smtp_data){.state = LINE_START, .dots = dots, .after_crlf = true, .limit = limit};
}

static void put(struct smtp_data *d, struct buf *out, struct slice s)
{
    d->size += s.len;
    if (d->limit && d->size > d->limit)
        d->too_big = true;
    if (!d->too_big && !d->no_memory) {
        buf_append(out, s);
        d->no_memory = !buf_ok(out);
    }
    if (d->too_big || d->no_memory)
        buf_clear(out);
}

/* The CR held back was a lone one. */
static void put_bare_cr(struct smtp_data *d, struct buf *out)
{
    d->bare_cr = true;
    put(d, out, SLICE(" "));
}

static void end_line(struct smtp_data *d, struct buf *out, bool crlf)
{
    put(d, out, SLICE("\r\n"));
    d->bare_lf |= !crlf;
    d->after_crlf = crlf;
    d->state = LINE_START;
}

/* The fast way through whole lines: memchr finds their ends, and a run of lines that nothing must
 * be done to is written at once. Returns what it took; leaves the state where it stopped. */
static size_t take_lines(struct smtp_data *d, struct slice in, struct buf *out)
{
    const char *start = in.data, *p = start, *end = start + in.len;
    d->state = IN_LINE;
    while (p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        const char *stop = lf ? lf : end;
        const char *cr = memchr(p, '\r', (size_t)(stop - p));
        if (cr && (!lf || cr + 1 != lf)) {
            put(d, out, slice_of(start, (size_t)(cr - start)));
            d->state = AFTER_CR;
            return (size_t)(cr + 1 - start);
        }
        if (!cr && lf) {
            put(d, out, slice_of(start, (size_t)(lf - start)));
            end_line(d, out, false);
            return (size_t)(lf + 1 - start);
        }
        p = lf ? lf + 1 : end;
        if (lf && (p == end || (*p == '.' && d->dots))) {
            d->state = LINE_START;
            d->after_crlf = true;
            break;
        }
    }
    put(d, out, slice_of(start, (size_t)(p - start)));
    return (size_t)(p - start);
}

/* One byte where its meaning hangs on those before it. False: not taken, look again in the new
 * state. */
static bool take_byte(struct smtp_data *d, char c, struct buf *out, bool *ended)
{
    switch (d->state) {
    case LINE_START:
        d->state = d->dots && c == '.' ? LINE_DOT : IN_LINE;
        return d->state == LINE_DOT;
    case LINE_DOT:
        d->state = c == '\r' ? LINE_DOT_CR : IN_LINE;
        return c == '\r';
    case LINE_DOT_CR:
        /* RFC 5321 4.1.1.4: the end is CRLF.CRLF; a dot behind a lone LF is text. */
        if (c == '\n' && d->after_crlf) {
            *ended = true;
            return true;
        }
        d->state = AFTER_CR;
        return false;
    default: /* AFTER_CR */
        if (c == '\n') {
            end_line(d, out, true);
            return true;
        }
        put_bare_cr(d, out);
        d->state = IN_LINE;
        return false;
    }
}

size_t smtp_data_take(struct smtp_data *d, struct slice in, struct buf *out, bool *ret_ended)
{
    size_t at = 0;
    bool ended = false;
    while (at < in.len && !ended) {
        if (d->state == IN_LINE)
            at += take_lines(d, slice_from(in, at), out);
        else if (take_byte(d, in.data[at], out, &ended))
            at++;
    }
    *ret_ended = ended;
    return at;
}

void smtp_data_finish(struct smtp_data *d, struct buf *out)
{
    if (d->state == AFTER_CR) {
        put_bare_cr(d, out);
        d->state = IN_LINE;
    }
    if (d->state == IN_LINE) {
        put(d, out, SLICE("\r\n"));
        d->state = LINE_START;
    }
}
