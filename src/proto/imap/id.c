/* id.c: see id.h. */
#include "proto/imap/id.h"

enum { PAIRS_MAX = 30 }; /* RFC 2971 3.3 */

/* What a client says goes to the log: only printable ASCII, shortened. */
static void put_clean(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.len && i < 60; i++)
        buf_putc(out, s.data[i] > 0x20 && s.data[i] < 0x7f ? s.data[i] : '_');
}

void imap_parse_id(struct imap_parser *p, struct buf *ret)
{
    imap_parse_space(p);
    if (imap_accept_word(p, "NIL"))
        return;
    imap_parse_char(p, '(');
    if (imap_accept(p, ')'))
        return;
    for (unsigned n = 0; imap_parser_ok(p); n++) {
        struct slice name = imap_parse_string(p);
        imap_parse_space(p);
        struct slice value = imap_parse_nstring(p);
        if (n == PAIRS_MAX)
            imap_parser_fail(p, "Too many ID fields");
        if (value.data && imap_parser_ok(p)) {
            if (buf_len(ret))
                buf_putc(ret, ' ');
            put_clean(ret, name);
            buf_putc(ret, '=');
            put_clean(ret, value);
        }
        if (!imap_accept(p, ' '))
            break;
    }
    imap_parse_char(p, ')');
}

void imap_put_id(struct buf *out)
{
    buf_puts(out, "* ID (\"name\" \"Postrider\" \"version\" \"" POSTRIDER_VERSION "\")\r\n");
}
