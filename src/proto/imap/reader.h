/* reader.h: finds where a command ends (RFC 3501 2.2 and 4.3, LITERAL+ of RFC 7888). A command is a
 * line that may be interrupted by literals, whose bytes may hold line ends. The reader looks at
 * each byte once, keeps none, and hands the decision about each literal to its caller: take it into
 * the command, take its bytes elsewhere (APPEND), or refuse it. Both login.h and imap.h read so. */
#ifndef PROTO_IMAP_READER_H
#define PROTO_IMAP_READER_H

#include "base/slice.h"

struct imap_reader {
    uint8_t mode;
    bool sync;        /* the literal asks for a continuation before its bytes come */
    uint32_t scanned; /* bytes of the command looked at */
    uint32_t line;    /* where its current line starts */
    uint64_t literal; /* size of the literal in question */
    uint64_t left;    /* bytes of it still to come */
};

enum imap_read {
    IMAP_READ_MORE,    /* more bytes are needed */
    IMAP_READ_COMMAND, /* in[0..len) is a command with its line end */
    IMAP_READ_LITERAL, /* in[0..len) ends with a literal's header: accept, divert or refuse it */
    IMAP_READ_TOO_LONG /* the command is above max; answer; what is left of it is skipped */
};

/* Looks at in, which starts where the command does. What is to be skipped is cut off its front.
 * After COMMAND the caller cuts len bytes off and calls imap_reader_reset. */
enum imap_read imap_reader_step(struct imap_reader *r, struct slice *in, size_t max,
                                size_t *ret_len);
/* The next byte begins a command. */
void imap_reader_reset(struct imap_reader *r);

/* The literal becomes part of the command; when r->sync the caller sends the continuation. */
void imap_reader_accept(struct imap_reader *r);
/* The caller takes r->literal bytes for itself, behind the len bytes that it cuts off; then the
 * rest of the command is read as if it were one of its own. */
void imap_reader_divert(struct imap_reader *r);
/* The command is answered; what comes of it (nothing, when r->sync) is skipped. The caller cuts
 * len bytes off. */
void imap_reader_refuse(struct imap_reader *r);
/* So many bytes of a diverted literal, and what is left of its command, are skipped. */
void imap_reader_skip_literal(struct imap_reader *r, uint64_t left);
/* What is left of the line is skipped. */
void imap_reader_skip(struct imap_reader *r);

/* The command's line without its line end. */
struct slice imap_line(struct slice command);

#endif
