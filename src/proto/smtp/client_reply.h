/* client_reply.h: a server's reply, line by line, within limits (RFC 5321 4.2). */
#ifndef PROTO_SMTP_CLIENT_REPLY_H
#define PROTO_SMTP_CLIENT_REPLY_H

#include "proto/smtp/client.h"

/* Takes lines off `in` until a reply is whole. OK: *ret is filled (text in the arena). BUSY: more
 * input is needed. INVALID: this is not SMTP, or beyond the limits. each_line (may be NULL) gets
 * the text behind the code of every line, for EHLO. */
MUST_USE enum result smtp_reply_read(struct smtp_client *c, struct buf *in, struct arena *a,
                                     void (*each_line)(struct smtp_client *c, unsigned code,
                                                       unsigned line, struct slice text),
                                     struct smtp_reply *ret);

/* "4.2.1" at the front of the text behind the code, of the code's class; else SLICE_NONE. */
struct slice smtp_reply_status(unsigned code, struct slice text);

#endif
