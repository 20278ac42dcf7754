/* client_body.c: the message on its way out: dots stuffed, CRLF line ends only, no NUL. */
#include "proto/smtp/client_internal.h"

enum { FILL = 64 * 1024, LINE_WHOLE = 16 * 1024 };

static void put_end_of_line(struct smtp_client *c)
{
    buf_append(&c->out, SLICE("\r\n"));
    c->body_last = '\n';
    c->body_cr = false;
}

/* One byte, with all that may be wrong about it. */
static void put_byte(struct smtp_client *c, char b)
{
    if (c->body_cr && b != '\n')
        put_end_of_line(c); /* a lone CR */
    if (b == '\n') {
        put_end_of_line(c);
    } else if (b == '\r') {
        c->body_cr = true;
    } else if (b != 0) {
        if (b == '.' && c->body_last == '\n')
            buf_putc(&c->out, '.'); /* RFC 5321 4.5.2 */
        buf_putc(&c->out, b);
        c->body_last = b;
    }
}

/* The length of a first line that is as it should be, with its CRLF; 0: look at each byte. */
static size_t sound_line(const struct smtp_client *c, struct slice message)
{
    struct slice window = slice_sub(message, 0, LINE_WHOLE);
    size_t end = slice_find(window, '\n');
    if (c->body_last != '\n' || c->body_cr || end == SIZE_MAX || end == 0)
        return 0;
    struct slice line = slice_sub(window, 0, end);
    if (slice_find(line, '\r') != end - 1 || memchr(line.data, 0, line.len))
        return 0;
    return end + 1;
}

static void put_some(struct smtp_client *c, struct slice *message)
{
    size_t n = sound_line(c, *message);
    if (n > 0) {
        if (message->data[0] == '.')
            buf_putc(&c->out, '.');
        buf_append(&c->out, slice_sub(*message, 0, n));
    } else {
        for (; n < message->len && n < LINE_WHOLE; n++) {
            put_byte(c, message->data[n]);
            if (message->data[n] == '\n') {
                n++;
                break;
            }
        }
    }
    *message = slice_from(*message, n);
}

enum result smtp_client_body(struct smtp_client *c, struct slice *message)
{
    if (c->state != CLIENT_BODY)
        return INVALID;
    while (message->len && buf_len(&c->out) < FILL)
        put_some(c, message);
    if (message->len || buf_len(&c->out) >= FILL)
        return BUSY;
    if (c->body_cr || c->body_last != '\n')
        put_end_of_line(c);
    buf_append(&c->out, SLICE(".\r\n"));
    c->body_all = true;
    c->state = CLIENT_VERDICT;
    return OK;
}
