/* session.h: the server's side of SMTP (RFC 5321), submission (RFC 6409) and LMTP (RFC 2033) as a
 * state machine without I/O.
 *
 * Three lives, one inside the other: the session (a connection), its transaction (MAIL to the reply
 * to the message; RSET frees this one struct) and the message that the transaction takes in. The
 * driver owns the input bytes and the output buffer:
 *
 *     smtp_open(&s, config, &peer, &out);
 *     for (;;) {
 *         struct slice in = buf_slice(&input);
 *         enum smtp_want want = smtp_step(&s, &in, &out, &req);
 *         buf_consume(&input, buf_len(&input) - in.len);
 *         … do what `want` says, feed the answer …
 *     }
 *
 * A reply may stand in `out` with any of the wants; write it in order. Pipelined commands stay in
 * the input until the one before has its answer, so replies never change places (RFC 2920 3.2). An
 * idle session holds no memory but its struct and the client's name from EHLO. */
#ifndef PROTO_SMTP_SESSION_H
#define PROTO_SMTP_SESSION_H

#include "base/arena.h"
#include "base/buf.h"
#include "proto/smtp/data.h"
#include "proto/smtp/smtp.h"

enum {
    SMTP_OUT_SOFT = 16 * 1024,          /* with so much waiting to be written no more is produced */
    SMTP_OUT_MAX = 64 * 1024,           /* the least maximum of the driver's output buffer */
    SMTP_IN_MIN = 12288,                /* the least maximum of the driver's input buffer */
    SMTP_TX_BYTES_MAX = 4 * 1024 * 1024 /* a transaction's envelope */
};

enum smtp_service {
    SMTP_SERVICE_SMTP,
    SMTP_SERVICE_SUBMISSION,
    SMTP_SERVICE_LMTP,
    SMTP_SERVICE_SENDMAIL, /* a program of this machine, known by its uid */
    SMTP_SERVICE_COUNT
};

/* When the driver may be asked (enum policy_stage); RCPT: by VRFY. */
enum smtp_stage {
    SMTP_AT_CLIENT,
    SMTP_AT_HELO,
    SMTP_AT_MAIL,
    SMTP_AT_RCPT,
    SMTP_AT_DATA,
    SMTP_AT_END,
    SMTP_AT_ETRN
};

/* What holds for many sessions alike: one per listener and configuration; outlives its sessions. */
struct smtp_config {
    enum smtp_service service;
    struct slice hostname; /* myhostname */
    struct slice system;   /* mail_name */
    struct slice banner;   /* smtpd_banner */
    struct slice origin;   /* myorigin: completes addresses without a domain */
    /* "PLAIN LOGIN": what AUTH offers to a peer that is secured without TLS (all of them empty: no
     * AUTH), to others without TLS, under TLS (data == NULL: as `mechanisms`), and to those with a
     * verified certificate. */
    struct slice mechanisms, mechanisms_clear, mechanisms_tls, mechanisms_certificate;
    bool auth_equals;    /* AUTH= as well (broken_sasl_auth_clients) */
    bool tell_login;     /* in Received (smtpd_sasl_authenticated_header) */
    bool tell_tls;       /* in Received (smtpd_tls_received_header) */
    bool vrfy, starttls; /* offered? */
    bool require_tls;    /* smtpd_tls_security_level = encrypt */
    bool helo_required;  /* MAIL needs EHLO or HELO before */
    bool reject_bare;    /* refuse messages with a lone CR or LF */
    uint64_t size_limit; /* bytes; 0: none */
    uint32_t recipient_limit, error_limit, junk_limit, hop_limit;
    /* Postfix's: what is not set here (0, empty) is not in force. */
    unsigned asks;                        /* bits of enum smtp_stage: ask SMTP_WANT_POLICY */
    struct slice_list noop_commands;      /* smtpd_noop_commands */
    struct slice_list forbidden_commands; /* smtpd_forbidden_commands */
    struct slice_list discarded_keywords; /* smtpd_discard_ehlo_keywords */
    struct slice footer;                  /* smtpd_reject_footer */
    bool strict_envelopes;                /* strict_rfc821_envelopes: addresses in brackets only */
    uint32_t soft_error_limit,
        error_pause;          /* so many errors; then so many seconds' wait each time */
    uint32_t overshoot_limit; /* recipients too many that are no errors yet */
    uint64_t (*new_id)(void); /* message ids; NULL: log_id_new */
};

/* The client. Slices outlive the session. */
struct smtp_peer {
    struct slice ip;    /* "192.0.2.1", "2001:db8::1"; empty: a Unix socket */
    struct slice name;  /* from DNS, checked both ways; empty: unknown */
    bool secured;       /* fit for passwords in clear: loopback */
    bool certificate;   /* its TLS certificate was verified */
    bool no_auth;       /* AUTH is not offered to it */
    struct slice login; /* who it has logged in as, for Received; or "" */
    unsigned uid;       /* of a client of SMTP_SERVICE_SENDMAIL */
};

enum smtp_want {
    SMTP_WANT_INPUT = 1,   /* more bytes from the client */
    SMTP_WANT_FLUSH,       /* write `out` (below SMTP_OUT_SOFT), then call smtp_step again */
    SMTP_WANT_AUTH_START,  /* req: mechanism, has_initial, initial. Answer: smtp_auth_* */
    SMTP_WANT_AUTH_STEP,   /* req: initial is the client's response. Answer: smtp_auth_* */
    SMTP_WANT_AUTH_CANCEL, /* the client sent "*" or broke off: forget it; no answer, step again */
    SMTP_WANT_RCPT,        /* req: rcpt; s->tx has the sender. Answer: smtp_rcpt_* */
    SMTP_WANT_DELIVER,     /* s->tx is complete. Answer: smtp_delivered */
    SMTP_WANT_STARTTLS,    /* write out, shake hands, then smtp_tls_started; input must be empty */
    SMTP_WANT_CLOSE,       /* write out, then close */
    SMTP_WANT_POLICY,      /* s->stage, s->pending: may it go on? Answer: smtp_policy_answered */
    SMTP_WANT_PAUSE,       /* write out, wait error_pause seconds, step again */
    SMTP_WANT_ETRN,  /* s->pending: send what waits for this domain. Answer: smtp_etrn_answered */
    SMTP_WANT_ANSWER /* the last want has had no answer yet */
};

/* Slices live until the next call with this session. */
struct smtp_request {
    struct slice mechanism; /* upper case */
    bool has_initial;       /* tells an empty initial response from none */
    struct slice initial;   /* raw bytes (base64 undone) */
    struct slice rcpt;      /* without brackets, with a domain */
};

struct smtp_rcpt {
    struct slice address;       /* without brackets, with a domain */
    struct slice notify, orcpt; /* RFC 3461, as given; empty: absent */
    struct slice_list targets;  /* the driver's, from smtp_rcpt_accepted */
    struct slice grant;
    struct slice rule; /* the driver's own */
};

/* All slices are in the transaction's arena. */
struct smtp_tx {
    struct arena arena;
    uint64_t id;                           /* of the message to be */
    struct slice sender;                   /* empty: the null sender */
    struct slice sender_given, rcpt_given; /* as the client wrote it, where that lacks a domain */
    bool smtputf8;                         /* RFC 6531: asked for with MAIL */
    bool body8bit;                         /* BODY=8BITMIME */
    bool require_tls;                      /* RFC 8689: no further without verified TLS */
    struct slice ret, envid;
    struct slice auth; /* AUTH=, as given; empty: none, or "<>" */
    /* The driver's: what is to be done with the message beside; the recipient (counted from 1) that
     * gets it instead of all, or 0. */
    struct slice *actions;
    size_t n_actions;
    uint32_t redirected;
    struct slice last_rule; /* the driver's: that permitted a recipient */
    struct smtp_rcpt *rcpts;
    uint32_t n_rcpts, room_rcpts;
    uint32_t refused;             /* recipients that got no 250 */
    struct smtp_rcpt being_asked; /* SMTP_WANT_RCPT's */
    /* The message: Received on top, then what the client sent with CRLF line ends. */
    struct smtp_data data;
    struct buf message;
    size_t received_len;         /* of our own Received field */
    bool chunked;                /* began with BDAT */
    bool damned;                 /* refused by the driver: swallow the message, then say so */
    bool eightbit;               /* has bytes above 127 (known from SMTP_WANT_DELIVER on) */
    unsigned submission_changes; /* enum submission_change, likewise */
};

struct smtp_session;
typedef void smtp_resume_fn(struct smtp_session *s);

/* Fields are the core's own, but for reading: tx, helo, esmtp, authenticated, tls. */
struct smtp_session {
    const struct smtp_config *config;
    const struct smtp_peer *peer;
    struct smtp_tx *tx; /* NULL: no transaction */
    char *helo;         /* NULL: not yet */
    char *tls;          /* "TLSv1.3 CIPHER", NULL: in clear */
    struct buf scratch; /* the request's bytes; wiped after use */
    uint64_t chunk_left;
    uint8_t state;   /* enum smtp_state (command.h) */
    uint8_t waiting; /* the want that is owed an answer, or 0 */
    uint8_t want;    /* what the command under way asks for */
    bool esmtp, authenticated, closing, skipping;
    bool chunk_last, chunk_refused;
    bool auth_under_way;
    bool denied;    /* by SMTP_AT_CLIENT: nothing is served but QUIT */
    bool pipelined; /* commands came ahead that may not (RFC 2920 3.1) */
    bool replied;   /* since the last pause */
    uint32_t errors, junk, overshoot;
    /* SMTP_WANT_POLICY: the stage, and the name of EHLO, the address of VRFY, the domain of ETRN.
     */
    uint8_t stage; /* enum smtp_stage */
    uint8_t owed;  /* the want that an answer led to */
    char *pending;
    smtp_resume_fn *resume;
    /* For the length of a call. */
    struct buf *out;
    struct slice *input;
    struct smtp_request *request;
    /* The last refusal by the core itself, for the driver's log: set with each 4xx or 5xx. */
    char refusal[160];
    bool refused;
};

/* A new connection. tls: "" in clear, else what tls_describe says of a connection that began with
 * TLS. Writes the greeting. */
void smtp_open(struct smtp_session *s, const struct smtp_config *config,
               const struct smtp_peer *peer, struct slice tls, struct buf *out);
void smtp_release(struct smtp_session *s);

/* Takes commands and message bytes off the front of *input until something is wanted. */
MUST_USE enum smtp_want smtp_step(struct smtp_session *s, struct slice *input, struct buf *out,
                                  struct smtp_request *ret);

/* ---- answers ---- */

/* The server's next challenge (raw bytes). */
void smtp_auth_challenge(struct smtp_session *s, struct slice challenge, struct buf *out);
void smtp_auth_done(struct smtp_session *s, struct buf *out);
enum smtp_auth_refusal {
    SMTP_AUTH_WRONG,        /* 535: name or password */
    SMTP_AUTH_MALFORMED,    /* 501: the exchange broke the mechanism's rules */
    SMTP_AUTH_NO_MECHANISM, /* 504 */
    SMTP_AUTH_THROTTLED,    /* 454: too many failures, later */
    SMTP_AUTH_UNAVAILABLE   /* 454 */
};
void smtp_auth_refused(struct smtp_session *s, enum smtp_auth_refusal why, struct buf *out);

/* Copied into the transaction. words: behind "Ok" in the reply, printable and at most
 * SMTP_WORDS_MAX bytes, or "". */
enum { SMTP_WORDS_MAX = 350 };
void smtp_rcpt_accepted(struct smtp_session *s, struct slice_list targets, struct slice grant,
                        struct slice words, struct buf *out);
/* enhanced "5.7.1"; text behind it. A code of 421 ends the session. */
void smtp_rcpt_refused(struct smtp_session *s, unsigned code, struct slice enhanced,
                       struct slice text, struct buf *out);

/* code 2xx: go on; else the reply. 421 and 521 end the session. */
void smtp_policy_answered(struct smtp_session *s, unsigned code, struct slice enhanced,
                          struct slice text, struct buf *out);

/* done: the domain's mail is on its way. */
void smtp_etrn_answered(struct smtp_session *s, bool done, struct buf *out);

/* One answer to SMTP_WANT_DELIVER for each recipient, in order: code and "2.0.0 text". SMTP gets
 * one reply: success when all succeeded, else the first failure. n = 0: nothing could be said, try
 * again later. Ends the transaction. */
struct smtp_outcome {
    unsigned code;
    struct slice text;
};
void smtp_delivered(struct smtp_session *s, const struct smtp_outcome *outcomes, size_t n,
                    struct buf *out);

/* tls: what tls_describe says. All that was said before is forgotten (RFC 3207 4.2). */
void smtp_tls_started(struct smtp_session *s, struct slice tls);

/* No memory for more of the message under way: what follows is swallowed and answered 452. */
void smtp_refuse_message(struct smtp_session *s);
/* Bytes of memory that the message under way takes. */
size_t smtp_message_bytes(const struct smtp_session *s);

/* The driver ends the session: "421 4.4.2 HOST Error: timeout exceeded"; then write and close. May
 * be called in any state. text: "4.4.2" and "Error: timeout exceeded". */
void smtp_bye(struct smtp_session *s, const char *enhanced, const char *text, struct buf *out);

/* The text of a core's own refusal since the last call ("554 5.5.1 Error: …"), or an empty slice.
 * For the log; valid until the next call with this session. */
struct slice smtp_take_refusal(struct smtp_session *s);

#endif
