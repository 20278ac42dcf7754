/* dsn.h: builds delivery status notifications (RFC 3464) as whole messages with CRLF line ends. It
 * knows nothing of the queue's tables; role/mailbox may use it for failures of its own. */
#ifndef QUEUE_DSN_H
#define QUEUE_DSN_H

#include "base/buf.h"

enum {
    DSN_RETURN_MAX = 1 << 20,  /* largest message returned whole when RET=FULL asks for it */
    DSN_RETURN_DEFAULT = 50000 /* and when nobody asked for anything */
};

/* The last two are no outcome, but what `sendmail -bv` was told of an address; they stand in
 * reports of their own. */
enum dsn_action {
    DSN_FAILED,
    DSN_DELAYED,
    DSN_DELIVERED,
    DSN_RELAYED,
    DSN_EXPANDED,
    DSN_DELIVERABLE,
    DSN_UNDELIVERABLE
};

struct dsn_rcpt {
    enum dsn_action action;
    struct slice address;   /* where it was to go */
    struct slice original;  /* what the sender's client wrote; "" or the same: not told apart */
    struct slice orcpt;     /* ORCPT as in RFC 3461 4.2 ("rfc822;" and xtext), or "" */
    struct slice status;    /* "5.1.1"; one of another form becomes "5.0.0" or "4.0.0" */
    struct slice reply;     /* the words of the remote or ours */
    struct slice remote;    /* "mx.example.org[192.0.2.1]:25" or "" */
    struct slice diag_type; /* "smtp": the words are the remote's */
    int64_t attempted_s;
    bool expired; /* given up after the lifetime: the words say that first */
};

struct dsn {
    uint64_t id;                /* of this message, for its Message-ID and boundary */
    uint64_t message;           /* the queue id of the one it is about */
    struct slice reporting_mta; /* our name */
    struct slice system;        /* mail_name */
    struct slice mailer_domain; /* MAILER-DAEMON@ this */
    struct slice sender, envid; /* of the message that failed; envid is xtext */
    int64_t arrived_s, now_s;
    bool smtputf8; /* the sender can take RFC 6533's forms */
    const struct dsn_rcpt *rcpts;
    size_t n_rcpts;
    struct slice returned; /* the message, or its header when `whole` is not set */
    bool whole;
};

/* LIMIT when out is too small. */
MUST_USE enum result dsn_build(const struct dsn *d, struct buf *out);

/* What a sender may want to hear of a recipient (RFC 3461 4.1). "" is the default: of failure, and
 * of delay where the server tells of delays at all. */
enum dsn_wish { DSN_WISH_FAILURE, DSN_WISH_DELAY, DSN_WISH_SUCCESS };
bool dsn_wants(struct slice notify, enum dsn_wish wish);

/* RFC 3461 4 xtext decoded; malformed text comes as it is. */
void dsn_xtext(struct slice text, struct buf *out);

#endif
