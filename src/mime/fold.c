/* fold.c: text to the form in which it is searched. */
#include "mime/encoding.h"

#include <stdlib.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

/* Each character is folded for itself, so that a text folded in pieces is the same as folded whole.
 */
static void fold_char(const uint8_t *c, size_t n, struct buf *out)
{
    uint8_t room[128];
    size_t len = sizeof room;
    uint8_t *folded = u8_casefold(c, n, NULL, UNINORM_NFKD, room, &len);
    if (!folded) {
        buf_append(out, slice_of(c, n));
        return;
    }
    buf_append(out, slice_of(folded, len));
    if (folded != room)
        free(folded);
}

static size_t ascii_run(struct slice s)
{
    size_t n = 0;
    while (n < s.len && (unsigned char)s.data[n] < 128)
        n++;
    return n;
}

static void fold_ascii(struct slice s, struct buf *out)
{
    char *to = s.len ? buf_reserve(out, s.len, NULL) : NULL;
    if (!to)
        return;
    for (size_t i = 0; i < s.len; i++)
        to[i] = ascii_lower(s.data[i]);
    buf_commit(out, s.len);
}

void text_fold(struct slice utf8, struct buf *out)
{
    while (utf8.len) {
        size_t n = ascii_run(utf8);
        fold_ascii(slice_sub(utf8, 0, n), out);
        utf8 = slice_from(utf8, n);
        if (utf8.len == 0)
            return;
        ucs4_t c;
        int len = u8_mbtoucr(&c, (const uint8_t *)utf8.data, utf8.len);
        if (len > 0)
            fold_char((const uint8_t *)utf8.data, (size_t)len, out);
        else
            buf_putc(out, utf8.data[0]);
        utf8 = slice_from(utf8, len > 0 ? (size_t)len : 1);
    }
}
