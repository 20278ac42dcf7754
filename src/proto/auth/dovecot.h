/* dovecot.h: Dovecot's authentication protocol, version 1.2, the server's side, as Postfix
 * (smtpd_sasl_type = dovecot) and Exim speak it. Lines of fields separated by tabs:
 *
 *     S: VERSION 1 2, MECH PLAIN plaintext, SPID, CUID, COOKIE, DONE     C: VERSION 1 1, CPID 4711
 *     C: AUTH ID MECHANISM service=smtp rip=… resp=BASE64
 *     S: CONT ID BASE64 | OK ID user=… | FAIL ID user=…     C: CONT ID BASE64 | CANCEL ID
 *
 * A client may have several exchanges under way; each has a slot here. A state machine without I/O,
 * driven as pop3.h describes: one request at a time is owed an answer. */
#ifndef PROTO_AUTH_DOVECOT_H
#define PROTO_AUTH_DOVECOT_H

#include "base/buf.h"

enum {
    DOVECOT_LINE_MAX = 16 * 1024,
    DOVECOT_IN_MAX = 20 * 1024,
    DOVECOT_OUT_MAX = 64 * 1024,
    DOVECOT_SLOTS = 32
};

enum dovecot_want {
    DOVECOT_WANT_INPUT = 1,
    DOVECOT_WANT_START, /* req: slot, mechanism …; answer: dovecot_challenge, _right or _refused */
    DOVECOT_WANT_STEP,  /* req: slot, response; the same */
    DOVECOT_WANT_CANCEL, /* req: slot, which is free again; no answer, step again */
    DOVECOT_WANT_CLOSE,
    DOVECOT_WANT_ANSWER
};

/* Slices live until the next call with this session. */
struct dovecot_request {
    unsigned slot;
    struct slice mechanism, service, client_ip;
    bool secured; /* the client came under TLS */
    bool has_response;
    struct slice response; /* raw bytes */
};

struct dovecot_slot {
    bool used;
    uint32_t id;     /* the client's */
    uint64_t serial; /* the driver's own */
};

struct dovecot_auth {
    struct dovecot_slot slots[DOVECOT_SLOTS];
    struct buf scratch; /* the request's bytes; wiped after use */
    bool greeted;       /* its VERSION came and is ours */
    uint8_t waiting;    /* a want that is owed an answer */
    uint8_t slot;       /* its slot */
    bool ended;
};

/* mechanisms: "MECH\tPLAIN\tplaintext\n…". cookie: hex. Writes the greeting. */
void dovecot_open(struct dovecot_auth *d, struct slice mechanisms, uint64_t pid,
                  uint64_t connection, const char *cookie, struct buf *out);
void dovecot_release(struct dovecot_auth *d);
MUST_USE enum dovecot_want dovecot_step(struct dovecot_auth *d, struct slice *input,
                                        struct buf *out, struct dovecot_request *ret);

/* ---- answers to the request under way ---- */
void dovecot_challenge(struct dovecot_auth *d, struct slice challenge, struct buf *out);
void dovecot_right(struct dovecot_auth *d, struct slice user, struct buf *out);
/* temporary: the password could not be checked. user: as far as it is known, or "". */
void dovecot_refused(struct dovecot_auth *d, bool temporary, const char *reason, struct buf *out);

/* Appends a value: what separates fields and lines is escaped by %x01. */
void dovecot_escape(struct slice value, struct buf *out);
/* Undoes it. */
void dovecot_unescape(struct slice value, struct buf *out);

#endif
