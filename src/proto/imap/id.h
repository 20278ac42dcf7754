/* id.h: the ID command (RFC 2971), before and after the login. */
#ifndef PROTO_IMAP_ID_H
#define PROTO_IMAP_ID_H

#include "proto/imap/parse.h"

/* The argument with its space; what the client says of itself is appended as printable
 * "name=value" words. */
void imap_parse_id(struct imap_parser *p, struct buf *ret);
/* Our own: "* ID (...)". */
void imap_put_id(struct buf *out);

#endif
