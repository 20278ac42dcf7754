/* fetch_put.c: the items of FETCH that need no message: from the view's entry and the summary. */
#include "mime/date.h"
#include "proto/imap/fetch.h"

static void put_name(struct buf *out, char *separator, const char *name)
{
    if (*separator)
        buf_putc(out, *separator);
    buf_puts(out, name);
    *separator = ' ';
}

/* NIL where it is not known (RFC 8514 4.1). */
static void put_date(struct buf *out, char *separator, const char *name, int64_t seconds,
                     bool unknown)
{
    put_name(out, separator, name);
    if (unknown) {
        buf_puts(out, "NIL");
        return;
    }
    buf_putc(out, '"');
    date_format_internal(seconds, 0, out);
    buf_putc(out, '"');
}

void fetch_put_simple(struct imap *im, unsigned items, uint32_t seq, const struct imap_entry *e,
                      char *separator)
{
    struct buf *out = im->out;
    imap_put_fetch_head(im, seq, e);
    *separator = 0; /* the parenthesis is there */
    if (items & FETCH_UID) {
        put_name(out, separator, "UID ");
        buf_put_u64(out, e->uid);
    }
    if (items & FETCH_FLAGS) {
        put_name(out, separator, "FLAGS ");
        imap_put_flags(out, im->ops, im->view,
                       e->flags | (items & FETCH_MARKED_SEEN ? IMAP_SEEN : 0), e->keywords);
    }
    if (items & FETCH_INTERNALDATE)
        put_date(out, separator, "INTERNALDATE ", e->internaldate, false);
    if (items & FETCH_SIZE) {
        put_name(out, separator, "RFC822.SIZE ");
        buf_put_u64(out, e->size);
    }
    if (items & FETCH_MODSEQ) {
        put_name(out, separator, "");
        imap_put_modseq(out, e->modseq);
    }
    if (items & FETCH_SAVEDATE)
        put_date(out, separator, "SAVEDATE ", e->savedate, e->savedate == 0);
    if (items & FETCH_EMAILID) {
        put_name(out, separator, "");
        imap_put_object_id(out, "EMAILID", 'M', e->message);
    }
    /* RFC 8474 5.3: threads have no identity here. */
    if (items & FETCH_THREADID)
        put_name(out, separator, "THREADID NIL");
}

void fetch_put_summary(struct buf *out, unsigned items, const struct summary *s, char *separator)
{
    if (items & FETCH_ENVELOPE) {
        put_name(out, separator, "ENVELOPE ");
        buf_append(out, s->envelope);
    }
    if (items & FETCH_BODY) {
        put_name(out, separator, "BODY ");
        buf_append(out, s->body);
    }
    if (items & FETCH_BODYSTRUCTURE) {
        put_name(out, separator, "BODYSTRUCTURE ");
        buf_append(out, s->bodystructure);
    }
}
