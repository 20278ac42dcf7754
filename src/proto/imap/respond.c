/* respond.c: the pieces that responses are made of. */
#include "proto/imap/command.h"
#include "mime/utf7.h"

static bool fits_quoted(struct slice s)
{
    if (s.len > 1000)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < 0x20 || s.data[i] > 0x7e)
            return false;
    return true;
}

static void put_quoted(struct buf *out, struct slice s)
{
    buf_putc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '"' || s.data[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, s.data[i]);
    }
    buf_putc(out, '"');
}

void imap_put_string(struct buf *out, struct slice s)
{
    if (fits_quoted(s)) {
        put_quoted(out, s);
        return;
    }
    buf_putc(out, '{');
    buf_put_u64(out, s.len);
    buf_puts(out, "}\r\n");
    buf_append(out, s);
}

void imap_put_astring(struct buf *out, struct slice s)
{
    bool bare = s.len > 0;
    for (size_t i = 0; i < s.len; i++)
        bare = bare && imap_is_astring_char(s.data[i]);
    if (bare)
        buf_append(out, s);
    else
        imap_put_string(out, s);
}

void imap_put_object_id(struct buf *out, const char *name, char kind, uint64_t id)
{
    buf_printf(out, "%s (%c%llx)", name, kind, (unsigned long long)id);
}

void imap_put_mailbox(struct imap *im, struct slice name)
{
    if (im->enabled & (IMAP_REV2 | IMAP_UTF8)) {
        put_quoted(im->out, name);
        return;
    }
    struct buf wire;
    buf_init(&wire, 8 * IMAP_NAME_MAX);
    imap_utf7_encode(name, &wire);
    put_quoted(im->out, buf_slice(&wire));
    buf_release(&wire);
}

static const char *const flag_names[] = {"\\Seen", "\\Answered", "\\Flagged", "\\Deleted",
                                         "\\Draft"};

void imap_put_flags(struct buf *out, const struct imap_ops *ops, const struct imap_view *v,
                    uint8_t flags, uint64_t keywords)
{
    char separator = '(';
    for (size_t i = 0; i < sizeof flag_names / sizeof *flag_names; i++) {
        if (!(flags >> i & 1))
            continue;
        buf_putc(out, separator);
        buf_puts(out, flag_names[i]);
        separator = ' ';
    }
    while (keywords) {
        uint32_t bit = (uint32_t)__builtin_ctzll(keywords);
        keywords &= keywords - 1;
        struct slice name = ops->keyword(v, bit);
        if (!name.len)
            continue; /* made after this view */
        buf_putc(out, separator);
        buf_append(out, name);
        separator = ' ';
    }
    if (separator == '(')
        buf_putc(out, '(');
    buf_putc(out, ')');
}

void imap_put_fetch_head(struct imap *im, uint32_t seq, const struct imap_entry *e)
{
    bool uid = im->enabled & IMAP_UIDONLY; /* RFC 9586 3.3 */
    buf_append(im->out, SLICE("* "));
    buf_put_u64(im->out, uid ? e->uid : seq);
    buf_append(im->out, uid ? SLICE(" UIDFETCH (") : SLICE(" FETCH ("));
}

void imap_put_modseq(struct buf *out, uint64_t modseq)
{
    buf_append(out, SLICE("MODSEQ ("));
    buf_put_u64(out, modseq);
    buf_putc(out, ')');
}

void imap_put_flags_response(struct imap *im, const struct imap_view *v, uint32_t seq,
                             const struct imap_entry *e, bool uid)
{
    imap_put_fetch_head(im, seq, e);
    /* RFC 3501 6.4.8: a UID command's responses name the UID; RFC 7162 3.2.4: with QRESYNC all do.
     */
    if (uid || (im->enabled & IMAP_QRESYNC)) {
        buf_puts(im->out, "UID ");
        buf_put_u64(im->out, e->uid);
        buf_putc(im->out, ' ');
    }
    buf_puts(im->out, "FLAGS ");
    imap_put_flags(im->out, im->ops, v, e->flags, e->keywords);
    if (im->enabled & IMAP_CONDSTORE) {
        buf_putc(im->out, ' ');
        imap_put_modseq(im->out, e->modseq);
    }
    buf_puts(im->out, ")\r\n");
}

uint32_t imap_find_keyword(const struct imap_ops *ops, const struct imap_view *v, struct slice name)
{
    struct imap_view_info info;
    ops->view_info(v, &info);
    for (uint32_t i = 0; i < info.keywords; i++)
        if (slice_eq_nocase(ops->keyword(v, i), name))
            return i;
    return 64;
}

static uint64_t all_keywords(uint32_t n)
{
    return n >= 64 ? UINT64_MAX : (1ull << n) - 1;
}

void imap_put_flag_lists(struct imap *im, bool permanent)
{
    enum { ALL_SYSTEM = 31, KEYWORDS_IN_ALL = 64 };
    struct imap_view_info info;
    im->ops->view_info(im->view, &info);
    im->keywords_told = info.keywords;
    buf_puts(im->out, "* FLAGS ");
    imap_put_flags(im->out, im->ops, im->view, ALL_SYSTEM, all_keywords(info.keywords));
    buf_puts(im->out, "\r\n");
    if (!permanent)
        return;
    buf_puts(im->out, "* OK [PERMANENTFLAGS ");
    if (im->read_only) {
        buf_puts(im->out, "()] No permanent flags permitted.\r\n");
        return;
    }
    imap_put_flags(im->out, im->ops, im->view, ALL_SYSTEM, all_keywords(info.keywords));
    /* RFC 3501 7.1: "\*" says that new keywords may be made. */
    if (info.keywords < KEYWORDS_IN_ALL) {
        buf_truncate(im->out, buf_len(im->out) - 1);
        buf_puts(im->out, " \\*)");
    }
    buf_puts(im->out, "] Flags permitted.\r\n");
}
