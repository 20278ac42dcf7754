/* names.c: what a mailbox may be called (RFC 3501 5.1, RFC 9051 5.1): UTF-8 in NFC, levels divided
 * by '/', no control characters; INBOX in any case is one. */
#include <stdlib.h>
#include <uninorm.h>
#include <unistr.h>

#include "store/internal.h"

static bool is_control(ucs4_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

static enum result check_characters(struct slice name)
{
    const uint8_t *at = (const uint8_t *)name.data;
    for (size_t left = name.len; left;) {
        ucs4_t c;
        int n = u8_mbtoucr(&c, at, left);
        if (n <= 0 || is_control(c))
            return INVALID;
        at += n;
        left -= (size_t)n;
    }
    return OK;
}

static bool has_empty_level(struct slice name)
{
    return name.data[0] == '/' || name.data[name.len - 1] == '/' ||
           slice_search(name, SLICE("//")) != SIZE_MAX;
}

/* RFC 3501 5.1: INBOX in any case is the primary mailbox; so are its inferiors. */
static void append_folding_inbox(struct buf *out, struct slice name)
{
    struct slice rest = name, first = slice_split(&rest, '/');
    if (slice_is_nocase(first, "INBOX")) {
        buf_puts(out, "INBOX");
        name = slice_from(name, first.len);
    }
    buf_append(out, name);
}

enum result name_canonical(struct slice name, struct buf *out)
{
    if (name.len == 0)
        return INVALID;
    if (name.len > MAILBOX_NAME_MAX)
        return LIMIT;
    enum result r = check_characters(name);
    if (r != OK || has_empty_level(name))
        return INVALID;
    size_t n;
    uint8_t *normal = u8_normalize(UNINORM_NFC, (const uint8_t *)name.data, name.len, NULL, &n);
    if (!normal)
        return FAILED;
    if (n > MAILBOX_NAME_MAX)
        r = LIMIT;
    else
        append_folding_inbox(out, slice_of(normal, n));
    free(normal);
    return r == OK && !buf_ok(out) ? FAILED : r;
}

static int rank(char c)
{
    return c == '/' ? 0 : (unsigned char)c + 1;
}

int name_cmp(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < n; i++)
        if (a.data[i] != b.data[i])
            return rank(a.data[i]) - rank(b.data[i]);
    return (a.len > b.len) - (a.len < b.len);
}

bool name_is_below(struct slice name, struct slice parent)
{
    return name.len > parent.len && name.data[parent.len] == '/' && slice_starts(name, parent);
}
