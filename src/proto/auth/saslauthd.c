#include "proto/auth/saslauthd.h"

#include "base/cursor.h"

/* A counted string; BUSY when it is not all there. */
static enum result take(struct cursor *c, struct slice *ret)
{
    if (c->rest.len < 2)
        return BUSY;
    struct cursor ahead = *c;
    struct slice length = cursor_take(&ahead, 2);
    size_t n = (size_t)(unsigned char)length.data[0] << 8 | (unsigned char)length.data[1];
    if (n > SASLAUTHD_TEXT_MAX)
        return INVALID;
    if (ahead.rest.len < n)
        return BUSY;
    *ret = cursor_take(&ahead, n);
    *c = ahead;
    return slice_find(*ret, '\0') == SIZE_MAX ? OK : INVALID;
}

enum result saslauthd_parse(struct slice in, struct saslauthd_question *ret)
{
    struct cursor c = cursor_of(in);
    struct saslauthd_question q = {0};
    struct slice *const fields[] = {&q.login, &q.password, &q.service, &q.realm};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        enum result r = take(&c, fields[i]);
        if (r != OK)
            return r;
    }
    if (!cursor_done(&c) || q.login.len == 0)
        return INVALID;
    *ret = q;
    return OK;
}

static void put(struct slice text, struct buf *out)
{
    buf_putc(out, (char)(text.len >> 8));
    buf_putc(out, (char)(text.len & 0xff));
    buf_append(out, text);
}

void saslauthd_put_question(const struct saslauthd_question *q, struct buf *out)
{
    put(q->login, out);
    put(q->password, out);
    put(q->service, out);
    put(q->realm, out);
}

enum result saslauthd_parse_answer(struct slice in, bool *ret_right, struct slice *ret_text)
{
    struct cursor c = cursor_of(in);
    struct slice text;
    enum result r = take(&c, &text);
    if (r != OK)
        return r;
    bool right = slice_starts(text, SLICE("OK"));
    if (!right && !slice_starts(text, SLICE("NO")))
        return INVALID;
    *ret_right = right;
    *ret_text = text;
    return OK;
}

void saslauthd_put_answer(const char *text, struct buf *out)
{
    put(slice_cstr(text), out);
}
