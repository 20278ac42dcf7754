/* data.h: the bytes of a message as they come by DATA and BDAT, undone from what the way does to
 * them: the dots of RFC 5321 4.5.2, the end by CRLF.CRLF and by nothing else, lone CR and LF.
 *
 * A lone CR or LF is where servers disagree about lines, and so where a message is made to hold
 * another one for the next server (SMTP smuggling). Lines here end with CRLF. A lone LF becomes
 * CRLF and a lone CR a space, as Postfix does it, and both are told, so that the session may refuse
 * the message. */
#ifndef PROTO_SMTP_DATA_H
#define PROTO_SMTP_DATA_H

#include "base/buf.h"

struct smtp_data {
    uint8_t state;   /* enum data_state */
    bool dots;       /* DATA: undo dots, look for the end; false: BDAT */
    bool after_crlf; /* at a line's start: the line before ended with CRLF, not with a lone LF */
    bool bare_lf, bare_cr;
    bool too_big;   /* more than `limit`; the content was dropped */
    bool no_memory; /* likewise */
    uint64_t size;  /* bytes of content so far */
    uint64_t limit; /* 0: none */
};

/* limit: most bytes of content, 0: none. */
void smtp_data_init(struct smtp_data *d, bool dots, uint64_t limit);

/* Takes bytes and appends the content to out. Returns how many were taken: all, or up to and with
 * the end of the message (*ret_ended, DATA only). */
size_t smtp_data_take(struct smtp_data *d, struct slice in, struct buf *out, bool *ret_ended);
/* The last chunk of BDAT has been taken: what is held back is written, and the last line ended. */
void smtp_data_finish(struct smtp_data *d, struct buf *out);

#endif
