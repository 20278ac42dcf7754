/* saved.c: the result that a search saved, "$" (RFC 5182, RFC 9051 6.4.4.1). Kept as UIDs, so that
 * what is expunged leaves it by itself. */
#include <stdlib.h>

#include "proto/imap/command.h"
#include "proto/imap/ranges.h"

void imap_saved_clear(struct imap *im)
{
    if (im->saved)
        imap_ranges_release(im->saved);
    free(im->saved);
    im->saved = NULL;
}

bool imap_saved_set(struct imap *im, struct imap_ranges *uids)
{
    imap_saved_clear(im);
    im->saved = uids->failed ? NULL : malloc(sizeof *im->saved);
    if (im->saved)
        *im->saved = *uids;
    else
        imap_ranges_release(uids);
    *uids = (struct imap_ranges){0};
    return im->saved;
}

bool imap_saved_fill(const struct imap *im, struct arena *a, struct imap_seqset *s)
{
    size_t n = im->saved ? im->saved->n : 0;
    if (!s->saved)
        return false;
    s->n = 0;
    s->ranges = n ? arena_alloc_n(a, n, sizeof *s->ranges) : NULL;
    if (!s->ranges)
        return true;
    memcpy(s->ranges, im->saved->items, n * sizeof *s->ranges);
    s->n = n;
    return true;
}
