/* login.h: IMAP before the login (RFC 3501 3.1 and 6.1-6.2) as a state machine without I/O.
 *
 * Runs in edge: greeting, CAPABILITY, NOOP, LOGOUT, ID, STARTTLS, AUTHENTICATE (with SASL-IR, RFC
 * 4959) and LOGIN. After the login the connection goes to mailbox, which answers the login
 * command's tag and speaks the rest of the protocol (imap.h). The driver owns the input bytes and
 * the output buffer:
 *
 *     imap_login_open(&l, config, secured, tls, &out);
 *     for (;;) {
 *         struct slice in = buf_slice(&input);
 *         enum imap_login_want want = imap_login_step(&l, &in, &out, &req);
 *         buf_consume(&input, buf_len(&input) - in.len);
 *         … do what `want` says, feed the answer …
 *     }
 *
 * A reply may stand in `out` with any of the wants; write it in order. Pipelined commands stay in
 * the input until the one before has its answer. An idle session holds no memory but its struct. */
#ifndef PROTO_IMAP_LOGIN_H
#define PROTO_IMAP_LOGIN_H

#include "base/buf.h"
#include "proto/imap/reader.h"

enum {
    IMAP_LOGIN_IN_MAX = 16 * 1024, /* the least maximum of the driver's input buffer */
    IMAP_LOGIN_OUT_MAX = 16 * 1024 /* the least maximum of the driver's output buffer */
};

/* What holds for many sessions alike: one per listener and configuration; outlives its sessions. */
struct imap_login_config {
    struct slice greeting;         /* login_greeting: "Postrider ready." */
    struct slice mechanisms;       /* "PLAIN LOGIN": offered when the connection is secured */
    struct slice mechanisms_clear; /* offered when it isn't; may be empty */
    bool plaintext_clear;          /* LOGIN also on an unsecured connection */
    bool starttls;                 /* TLS is to be had */
    unsigned max_bad;              /* so many bad commands end the session; 0: 10 */
    unsigned max_auth_failures;    /* likewise; 0: 6 */
};

enum imap_login_want {
    IMAP_WANT_INPUT = 1,   /* more bytes from the client */
    IMAP_WANT_AUTH_START,  /* req: mechanism, has_initial, initial. Answer: challenge, refused, done
                            */
    IMAP_WANT_AUTH_STEP,   /* req: initial is the client's response. Answer: the same */
    IMAP_WANT_AUTH_CANCEL, /* the client sent "*" or broke off: forget it; no answer, step again */
    IMAP_WANT_PASS,        /* req: user, password. Answer: refused or done */
    IMAP_WANT_STARTTLS,    /* write out, shake hands, then imap_login_tls_started; the rest of the
                              input must be dropped (RFC 3501 6.2.1) */
    IMAP_WANT_CLOSE,       /* write out, then close */
    IMAP_WANT_ANSWER       /* the last want has had no answer yet */
};

/* Slices are raw bytes (base64 and quoting undone) and live until the next call with this session.
 */
struct imap_login_request {
    struct slice mechanism; /* upper case */
    bool has_initial;       /* tells an empty initial response from none */
    struct slice initial;
    struct slice user, password;
};

/* Fields are the core's own. */
struct imap_login {
    const struct imap_login_config *config;
    struct imap_reader reader;
    struct buf scratch;   /* the request's bytes; wiped after use */
    struct buf tag;       /* of the login command under way */
    struct buf client_id; /* what ID told: "name=… version=…" */
    uint8_t waiting;      /* the want that is owed an answer, or 0 */
    bool secured, tls, exchanging, closing;
    uint16_t bad, auth_failures;
};

/* A new connection. secured: TLS or otherwise fit for passwords (loopback); tls: TLS is on. Writes
 * the greeting. */
void imap_login_open(struct imap_login *l, const struct imap_login_config *config, bool secured,
                     bool tls, struct buf *out);
void imap_login_release(struct imap_login *l);

/* Takes whole commands off the front of *input until something is wanted. */
MUST_USE enum imap_login_want imap_login_step(struct imap_login *l, struct slice *input,
                                              struct buf *out, struct imap_login_request *ret);

/* ---- answers ---- */

/* The server's next challenge (raw bytes). */
void imap_login_challenge(struct imap_login *l, struct slice challenge, struct buf *out);
enum imap_refusal {
    IMAP_REFUSE_WRONG,        /* NO [AUTHENTICATIONFAILED]: name or password */
    IMAP_REFUSE_MALFORMED,    /* BAD: the exchange broke the mechanism's rules */
    IMAP_REFUSE_NO_MECHANISM, /* NO: not offered here */
    IMAP_REFUSE_THROTTLED,    /* NO [UNAVAILABLE]: too many failures, later */
    IMAP_REFUSE_UNAVAILABLE,  /* NO [UNAVAILABLE]: passwords can't be checked, or no store */
    IMAP_REFUSE_LIMIT         /* NO [LIMIT]: too many sessions of this user (RFC 5530) */
};
void imap_login_refused(struct imap_login *l, enum imap_refusal why, struct buf *out);
/* The login is right: hand fd, account, imap_login_tag and the rest of the input to mailbox, which
 * answers the client. Nothing is written. When mailbox won't take it, call imap_login_refused
 * instead (also after imap_login_done). */
void imap_login_done(struct imap_login *l);
void imap_login_tls_started(struct imap_login *l);

/* The tag of the login command; valid while the session lives. */
struct slice imap_login_tag(const struct imap_login *l);
/* What the client said of itself with ID: printable, at most 400 bytes; "" when nothing. */
struct slice imap_login_client_id(const struct imap_login *l);

/* The driver ends the session (time-out, shutdown, too many connections): "* BYE text"; then write
 * and close. May be called in any state. text with its response code, if it has one. */
void imap_login_bye(struct imap_login *l, const char *text, struct buf *out);
/* For refusing a connection for which no session is made. */
void imap_refuse_connection(const char *text, struct buf *out);

#endif
