/* pop3.h: the POP3 protocol (RFC 1939, 2449, 2595, 3206, 5034) as a state machine without I/O.
 *
 * The same core runs in edge until the login (greeting, CAPA, STLS, USER, PASS, AUTH, QUIT) and in
 * mailbox afterwards (over a maildrop that the driver describes). The driver owns the input bytes
 * and the output buffer:
 *
 *     pop3_open(&p, …, out);
 *     for (;;) {
 *         struct slice in = buf_slice(&input);
 *         enum pop3_want want = pop3_step(&p, &in, &out, &req);
 *         buf_consume(&input, buf_len(&input) - in.len);
 *         … do what `want` says, feed the answer …
 *     }
 *
 * A reply may stand in `out` with any of the wants; write it in order. Pipelined commands stay in
 * the input until the one before has its answer. An idle session holds no memory but its struct. */
#ifndef PROTO_POP3_POP3_H
#define PROTO_POP3_POP3_H

#include "base/buf.h"

enum {
    POP3_LINE_MAX = 255, /* a command with its CRLF: RFC 2449 4 */
    POP3_AUTH_LINE_MAX =
        12288, /* AUTH and the lines of its exchange: RFC 4954 4.5 has the number */
    POP3_OUT_SOFT = 16 * 1024,
    POP3_OUT_ROOM = 128 * 1024, /* the output buffer's maximum must be so much above out_soft */
    POP3_PIECE = 32 * 1024      /* most bytes of a message that are asked for at a time */
};

/* What holds for many sessions alike: one per listener and configuration; outlives its sessions. */
struct pop3_config {
    struct slice greeting;         /* login_greeting: "Postrider ready." */
    struct slice mechanisms;       /* "PLAIN LOGIN": offered when the connection is secured */
    struct slice mechanisms_clear; /* offered when it isn't; may be empty */
    bool plaintext_clear;          /* USER and PASS also on an unsecured connection */
    bool stls;                     /* TLS is to be had */
    unsigned max_bad;              /* so many bad commands end the session; 0: 10 */
    unsigned max_auth_failures;    /* likewise; 0: 6 */
    size_t out_soft; /* with so much waiting to be written no more is produced; 0: POP3_OUT_SOFT */
};

/* Messages are numbered from 1 to count. The functions look up memory alone. */
struct pop3_maildrop {
    uint32_t count;
    uint64_t (*size)(void *arg, uint32_t number);
    void (*uidl)(void *arg, uint32_t number, struct buf *out); /* 1 to 70 of 0x21..0x7e */
    void *arg;
};

enum pop3_want {
    POP3_WANT_INPUT,       /* more bytes from the client */
    POP3_WANT_FLUSH,       /* write `out` (at least below out_soft), then call pop3_step again */
    POP3_WANT_AUTH_START,  /* req: mechanism, has_initial, initial. Answer: pop3_auth_* */
    POP3_WANT_AUTH_STEP,   /* req: initial is the client's response. Answer: pop3_auth_* */
    POP3_WANT_AUTH_CANCEL, /* the client sent "*" or broke off: forget it; no answer, step again */
    POP3_WANT_PASS,        /* req: user, pass. Answer: pop3_auth_* (no challenge) */
    POP3_WANT_STARTTLS,    /* write out, shake hands, then pop3_tls_started; input was dropped */
    POP3_WANT_MESSAGE,     /* req: number, from, len. Answer: pop3_message_* */
    POP3_WANT_COMMIT,      /* remove what pop3_deleted says. Answer: pop3_committed */
    POP3_WANT_CLOSE,       /* write out, then close */
    POP3_WANT_ANSWER       /* the last want has had no answer yet */
};

/* Slices are raw bytes (base64 undone) and live until the next call with this session. */
struct pop3_request {
    struct slice mechanism; /* upper case */
    bool has_initial;       /* tells an empty initial response from none */
    struct slice initial;
    struct slice user, pass;
    uint32_t number;
    uint64_t from, len;
};

/* Fields are the core's own. */
struct pop3 {
    const struct pop3_config *config;
    struct pop3_maildrop drop;
    uint8_t state;   /* enum pop3_state */
    uint8_t waiting; /* the want that is owed an answer, or 0 */
    uint8_t auth;    /* an AUTH exchange: what the next line is */
    bool secured, tls, skipping;
    uint16_t bad, auth_failures;
    struct buf user;    /* of USER, until PASS */
    struct buf scratch; /* the request's bytes; wiped after use */
    uint8_t *deleted;   /* one bit a message; NULL: none */
    uint32_t n_deleted;
    struct { /* an answer of several lines under way */
        uint8_t kind;
        uint32_t number; /* the next message to list, or the one that is sent */
        uint64_t at, size, lines_left;
        bool started;                       /* "+OK" is out */
        bool limited, in_body;              /* TOP */
        bool line_start, only_cr, after_cr; /* of the line that goes out */
    } multi;
};

/* Edge: a new connection. secured: TLS or otherwise fit for passwords (loopback); tls: TLS is on.
 * Writes the greeting. */
void pop3_open(struct pop3 *p, const struct pop3_config *config, bool secured, bool tls,
               struct buf *out);
/* Mailbox: a session that has logged in. Writes "+OK Logged in.". LIMIT: too many messages for
 * POP3.
 */
MUST_USE enum result pop3_open_maildrop(struct pop3 *p, const struct pop3_config *config,
                                        const struct pop3_maildrop *drop, struct buf *out);
void pop3_release(struct pop3 *p);

/* Takes whole lines off the front of *input until something is wanted. */
MUST_USE enum pop3_want pop3_step(struct pop3 *p, struct slice *input, struct buf *out,
                                  struct pop3_request *ret);

/* ---- answers ---- */

/* The server's next challenge (raw bytes). */
void pop3_auth_challenge(struct pop3 *p, struct slice challenge, struct buf *out);
enum pop3_refusal {
    POP3_REFUSE_WRONG,        /* -ERR [AUTH]: name or password */
    POP3_REFUSE_MALFORMED,    /* the exchange broke the mechanism's rules */
    POP3_REFUSE_NO_MECHANISM, /* not offered here */
    POP3_REFUSE_THROTTLED,    /* -ERR [SYS/TEMP]: too many failures, later */
    POP3_REFUSE_UNAVAILABLE,  /* -ERR [SYS/TEMP]: passwords can't be checked, or no store */
    POP3_REFUSE_IN_USE        /* -ERR [IN-USE]: too many sessions of this user */
};
void pop3_auth_refused(struct pop3 *p, enum pop3_refusal why, struct buf *out);
/* The login is right and mailbox has taken fd, account and the rest of the input; it answers the
 * client. Nothing is written, and the session in edge ends. When mailbox won't take it, call
 * pop3_auth_refused instead. */
void pop3_auth_done(struct pop3 *p);
void pop3_tls_started(struct pop3 *p);

/* Bytes of the message, in order: all that was asked for or its beginning, not empty. */
void pop3_message_bytes(struct pop3 *p, struct slice bytes, struct buf *out);
/* gone: another session removed it. After the first piece this ends the session, since the client
 * can't be told otherwise. */
void pop3_message_failed(struct pop3 *p, bool gone, struct buf *out);
/* Is message `number` marked? For WANT_COMMIT. */
bool pop3_deleted(const struct pop3 *p, uint32_t number);
uint32_t pop3_deleted_count(const struct pop3 *p);
/* OK: all are removed, durably; FULL or FAILED: the client learns that not all are (RFC 1939 6). */
void pop3_committed(struct pop3 *p, enum result r, struct buf *out);

/* The driver ends the session (time-out, shutdown, too many connections): "-ERR text"; then write
 * and close. May be called in any state. text with its response code, if it has one. */
void pop3_bye(struct pop3 *p, const char *text, struct buf *out);

#endif
