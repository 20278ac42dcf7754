/* catenate.h: a message put together of others' parts (RFC 4469), as cmd_append.c stores it: IMAP
 * URLs (RFC 5092) of the own account. Inside proto/imap only. */
#ifndef PROTO_IMAP_CATENATE_H
#define PROTO_IMAP_CATENATE_H

#include "proto/imap/fetch.h"

/* Bytes that a URL names, being read. */
struct catenate_source {
    struct fetch_source at;
    uint64_t message;
    struct buf built;
};

/* "/mailbox;UIDVALIDITY=1/;UID=2/;SECTION=1.MIME/;PARTIAL=0.100", or from ";UID=" on, of the
 * selected mailbox. NOT_FOUND: it names nothing that is there; any other result is a failure. In
 * any case to be released. */
MUST_USE enum result catenate_open(struct imap *im, struct arena *a, struct slice url,
                                   struct catenate_source *ret);
/* Appends some of what is left; nothing: that was all. */
MUST_USE enum result catenate_read(struct imap *im, struct catenate_source *s, struct buf *out);
void catenate_release(struct catenate_source *s);

#endif
