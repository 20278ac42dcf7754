/* client.h: the client's side of SMTP (RFC 5321) and LMTP (RFC 2033) as a state machine without
 * I/O: bytes of the server in, bytes for it out, one typed verdict per recipient.
 *
 * Who calls it: role/relay, the scenario tests and the fuzzer. A session is driven so:
 *
 *     for (;;) switch (smtp_client_run(c, &in)) {
 *     case SMTP_CLIENT_INPUT:    send c->out, read into `in`, again
 *     case SMTP_CLIENT_STARTTLS: TLS handshake, then smtp_client_tls_done
 *     case SMTP_CLIENT_READY:    smtp_client_send(c, &mail) or smtp_client_quit(c)
 *     case SMTP_CLIENT_BODY:     smtp_client_body until it says that all went
 *     case SMTP_CLIENT_DONE:     read c->results; then smtp_client_next(c)
 *     case SMTP_CLIENT_CLOSED:   the session is over: c->failure says why
 *     }
 *
 * Sessions outlive transactions: after DONE the next message may go over the same connection. */
#ifndef PROTO_SMTP_CLIENT_H
#define PROTO_SMTP_CLIENT_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    SMTP_REPLY_LINE_MAX = 2048, /* bytes; RFC 5321 4.5.3.1.5 asks for 512 */
    SMTP_REPLY_LINES_MAX = 200,
    SMTP_REPLY_TEXT_MAX = 1000,  /* bytes of the words that are kept */
    SMTP_CLIENT_GROUP_MAX = 100, /* commands under way at a time when pipelining */
    SMTP_CLIENT_OUT_MAX = 256 * 1024,
    SMTP_MECHANISMS_MAX = 1000, /* bytes of their names; further ones are not seen */
    SMTP_CLIENT_RCPTS_MAX = 10000
};

/* The client's side of SASL (RFC 4954), which is the caller's. Texts in *why are static. */
struct smtp_client_sasl {
    void *arg;
    /* Chooses of the mechanisms that the server offers, "PLAIN LOGIN", and starts: its name, and
     * where *ret_initial its initial response appended. NULL: none may be used, *why. */
    const char *(*start)(void *arg, struct slice offered, bool tls, struct buf *initial,
                         bool *ret_initial, const char **why);
    /* challenge: decoded; data NULL: it is no base64. INVALID or FAILED: *why. */
    enum result (*respond)(void *arg, struct slice challenge, struct buf *response,
                           const char **why);
    /* The server takes us for who we are: do we take it for what it is? */
    enum result (*finish)(void *arg, const char **why);
};

/* How a whole session is to be held; slices stay the caller's and live as long as the client. */
struct smtp_client_config {
    struct slice helo_name;
    bool lmtp; /* RFC 2033: LHLO, and a verdict for each recipient */
    enum { SMTP_TLS_NONE, SMTP_TLS_MAY, SMTP_TLS_ENCRYPT } tls;
    bool require_tls; /* RFC 8689: a server without REQUIRETLS is of no use; tls is ENCRYPT then */
    const struct smtp_client_sasl *sasl; /* NULL: no AUTH */
};

struct smtp_client_rcpt {
    struct slice address;
    struct slice notify, orcpt; /* RFC 3461, as they came from the sender's client, or "" */
};

/* A transaction; everything stays the caller's until DONE or CLOSED. */
struct smtp_client_mail {
    struct slice sender; /* "" null sender */
    const struct smtp_client_rcpt *rcpts;
    size_t n_rcpts;   /* 1 to SMTP_CLIENT_RCPTS_MAX */
    uint64_t size;    /* bytes of the message */
    bool eightbit;    /* it holds bytes above 127 */
    bool smtputf8;    /* it can't go without RFC 6531 */
    bool require_tls; /* REQUIRETLS is said to servers that know it (RFC 8689) */
    struct slice ret, envid;
};

struct smtp_reply {
    unsigned code;       /* 0: none */
    struct slice status; /* "5.1.1" as told, or made up from the code: "5.0.0" */
    struct slice text;   /* "550 5.1.1 no such user": printable, lines joined by spaces */
};

enum smtp_outcome { SMTP_PENDING, SMTP_SENT, SMTP_DEFERRED, SMTP_FAILED };

struct smtp_client_result {
    enum smtp_outcome outcome;
    bool remote; /* the words are the server's; else ours */
    struct slice status, text;
};

enum smtp_client_event {
    SMTP_CLIENT_INPUT,
    SMTP_CLIENT_STARTTLS,
    SMTP_CLIENT_READY,
    SMTP_CLIENT_BODY,
    SMTP_CLIENT_DONE,
    SMTP_CLIENT_CLOSED
};

/* Why a session ended before it could be used, or in the middle. */
struct smtp_client_failure {
    bool remote; /* the words are the server's */
    bool final;  /* no later attempt is of use with this server */
    struct slice status, text;
};

struct smtp_client {
    const struct smtp_client_config *config;
    struct buf out; /* to be sent; consume what went */

    unsigned state;                       /* enum client_state */
    unsigned offers;                      /* of the last EHLO, enum offer (client_ehlo.c) */
    unsigned auth_rounds;                 /* challenges that were answered */
    char mechanisms[SMTP_MECHANISMS_MAX]; /* that the server offers: "PLAIN LOGIN" */
    uint64_t size_limit;                  /* the server's, 0: none told */
    bool tls, dirty; /* dirty: the server may still hold a transaction: RSET first */
    unsigned transactions;

    const struct smtp_client_mail *mail;
    struct smtp_client_result *results; /* one per recipient of the mail */
    size_t *order;                      /* the recipients that are told to the server */
    size_t n_order;
    struct arena arena;             /* of the transaction */
    size_t next_send, next_receive; /* steps: RSET, MAIL, RCPT..., DATA (client_mail.c) */
    size_t accepted;                /* recipients that the server took */
    size_t next_verdict;            /* LMTP: in `order`, whose is the next */
    bool mail_refused, untouched;
    bool closing;   /* CLOSED follows after DONE */
    bool body_all;  /* all of the message is in out */
    char body_last; /* the last byte put out: lines across pieces */
    bool body_cr;   /* a CR of the message waits for its LF */

    struct smtp_client_failure failure;
    struct arena session_arena; /* words of the failure */

    /* A reply that is being read. */
    unsigned reply_lines, reply_code;
    size_t reply_len;
    char reply_text[SMTP_REPLY_TEXT_MAX];
};

void smtp_client_init(struct smtp_client *c, const struct smtp_client_config *config);
void smtp_client_release(struct smtp_client *c);

/* Takes the complete replies from `in` and goes on as far as it can. */
enum smtp_client_event smtp_client_run(struct smtp_client *c, struct buf *in);

/* After SMTP_CLIENT_STARTTLS: TLS is up; EHLO is said again (RFC 3207 4.2). */
void smtp_client_tls_done(struct smtp_client *c);

/* In READY. INVALID: an address can't be sent in SMTP (control characters); FAILED: no memory;
 * nothing was begun then. */
MUST_USE enum result smtp_client_send(struct smtp_client *c, const struct smtp_client_mail *m);

/* In BODY: puts the front of *message into c->out, dots stuffed, and takes it off *message. OK:
 * all of it and the final dot are in c->out; BUSY: send c->out first and call again.
 *
 * RFC 5321 2.3.8, 4.1.1.4: only CRLF ends lines on the way out. A lone CR or LF becomes CRLF, a
 * NUL is left out: some servers end the message at what they make of these. */
MUST_USE enum result smtp_client_body(struct smtp_client *c, struct slice *message);

/* After DONE: forgets the transaction; READY (or CLOSED) comes next. */
void smtp_client_next(struct smtp_client *c);

/* The connection broke or timed out: recipients without a verdict are deferred with these words,
 * DONE (when a transaction was under way) and then CLOSED come next. */
void smtp_client_lost(struct smtp_client *c, const char *status, const char *text);

/* In READY: says QUIT; CLOSED follows with the answer. */
void smtp_client_quit(struct smtp_client *c);

/* True while nothing that the server could have acted on was sent since READY: a lost connection
 * then says nothing about this message (an idle one was closed by the server). */
bool smtp_client_untouched(const struct smtp_client *c);
/* "MAIL FROM", "end of DATA": what the server was to answer next, for the log. */
const char *smtp_client_stage(const struct smtp_client *c);
/* Does the server take RET, ENVID, NOTIFY and ORCPT (RFC 3461)? */
bool smtp_client_takes_dsn(const struct smtp_client *c);
/* What is being waited for, each with its own time-out (RFC 5321 4.5.3.2). */
enum smtp_client_wait {
    SMTP_CLIENT_WAIT_HELO, /* the greeting, EHLO, HELO, AUTH */
    SMTP_CLIENT_WAIT_STARTTLS,
    SMTP_CLIENT_WAIT_RSET,
    SMTP_CLIENT_WAIT_MAIL,
    SMTP_CLIENT_WAIT_RCPT,
    SMTP_CLIENT_WAIT_DATA, /* the reply to DATA */
    SMTP_CLIENT_WAIT_BODY, /* the message goes */
    SMTP_CLIENT_WAIT_VERDICT,
    SMTP_CLIENT_WAIT_QUIT
};
enum smtp_client_wait smtp_client_waits(const struct smtp_client *c);

#endif
