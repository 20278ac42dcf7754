/* session.h: a logged-in connection in the mailbox role: its socket, buffers and task; POP3 and
 * IMAP plug in as a struct session_protocol.
 *
 * The session calls protocol->run whenever there is something to do: input arrived, the output that
 * had filled up drained, a wake came (session_wake), the deadline passed. run consumes what it can
 * of s->in and appends to s->out; it returns when it needs more input, when session_full says that
 * enough output waits (it is called again when that went), or while an operation of its own is
 * under way. The session writes s->out and waits. */
#ifndef ROLE_MAILBOX_SESSION_H
#define ROLE_MAILBOX_SESSION_H

#include "base/buf.h"
#include "base/log.h"
#include "io/stream.h"
#include "store/store.h"

struct role;
struct session;

struct session_protocol {
    const char *name;   /* "imap" */
    size_t in_max;      /* most bytes of input that may wait (the longest line or literal piece) */
    int64_t timeout_ms; /* longest silence while it waits for input */
    /* Makes s->state and greets: tag is the IMAP tag to answer, or "" . FAILED ends the connection.
     */
    enum result (*start)(struct session *s, struct slice tag);
    void (*run)(struct session *s);
    /* Silence: say goodbye into s->out; the session then closes. */
    void (*timeout)(struct session *s);
    /* The server stops or the peer is gone: free s->state. Nothing is under way any more. */
    void (*end)(struct session *s);
};
extern const struct session_protocol session_pop3, session_imap;

struct session {
    struct io_task task;
    struct stream stream;
    struct buf in, out;
    const struct session_protocol *protocol;
    void *state;
    struct role *role;
    struct store *store;
    struct account *account;
    char *login, *client_ip, *tls, *client_id;
    uint64_t conn;
    struct slice log_context; /* " conn=… account=…" for LOG_CTX */
    atomic_uint under_way;    /* operations that will wake this session */
    bool again;               /* run wants another turn though nothing happens; it sets it anew */
    bool compress;            /* compress both directions when s->out has gone */
    bool closing;             /* close when s->out has gone */
    bool input_ended;         /* the peer closed its side */
};

/* True when enough output waits (256 KiB): return from run, it is called again. */
static inline bool session_full(const struct session *s)
{
    return buf_len(&s->out) >= 256 * 1024;
}

/* For operations that end on another thread (store.h's done): session_begin before, session_finish
 * (from any thread, last thing, it wakes the session; the session may be gone afterwards) when it
 * has ended. A session with operations under way is not freed. */
void session_begin(struct session *s);
void session_finish(struct session *s);
/* Wakes it without more ado (mailbox_watch); the caller knows that it lives. */
void session_wake(struct session *s);
/* Once s->out has gone, both directions are compressed, with what is left of s->in; run is called
 * again then. */
void session_compress(struct session *s);
/* Closes when s->out has gone. */
void session_close(struct session *s);

#endif
