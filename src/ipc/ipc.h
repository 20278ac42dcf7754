/* ipc.h: typed messages between roles over a SOCK_SEQPACKET socket pair; one packet is one message,
 * with the file descriptors that belong to it.
 *
 * A channel is a task of the engine (io/io.h). A request gets exactly one answer, its own or
 * FAILURE (also when the channel breaks or the peer role restarts): the caller is never left
 * waiting. A malformed message ends its channel, never the process. The master mends channels
 * between roles that restarted: requests made meanwhile are answered FAILURE at once. */
#ifndef IPC_IPC_H
#define IPC_IPC_H

#include "base/buf.h"
#include "io/io.h"
#include "ipc/messages.h"

enum ipc_role {
    ROLE_MASTER,
    ROLE_AUTH,
    ROLE_EDGE,
    ROLE_MAILBOX,
    ROLE_RELAY,
    ROLE_AGENT,
    ROLE_COUNT
};
const char *ipc_role_name(enum ipc_role r); /* "edge" */

enum {
    IPC_PACKET_MAX = 160 * 1024, /* what a socket carries; a longer message goes in a memfd */
    IPC_MESSAGE_MAX = 4 << 20,
    IPC_INLINE_MAX = 64 * 1024,
    IPC_FDS_MAX = 250, /* Linux' SCM_MAX_FD is 253 */
    IPC_LIST_MAX = 8192
};

enum auth_outcome {
    AUTH_OK,
    AUTH_CHALLENGE,
    AUTH_WRONG,
    AUTH_MALFORMED,
    AUTH_UNAVAILABLE,
    AUTH_NO_MECHANISM,
    AUTH_THROTTLED
};

/* What mailbox says to a connection that is logged in. */
enum login_result { LOGIN_TAKEN, LOGIN_UNAVAILABLE, LOGIN_TOO_MANY /* sessions of the user */ };

/* flags of RCPT_CHECK */
enum check_flag {
    CHECK_ESMTP = 1,         /* EHLO, not HELO */
    CHECK_TLS = 2,           /* encrypted */
    CHECK_PIPELINED = 4,     /* commands came ahead that may not */
    CHECK_SASL = 8,          /* AUTH is served here */
    CHECK_CERT_TRUSTED = 16, /* the client's certificate was verified */
    CHECK_SENDER = 32        /* MAIL was given: sender counts */
};

/* One struct per message: struct ipc_deliver { … }. */
#define IPC_TYPE_U8 uint8_t
#define IPC_TYPE_U32 uint32_t
#define IPC_TYPE_U64 uint64_t
#define IPC_TYPE_STR struct slice
#define IPC_TYPE_LIST struct slice_list
#define IPC_DECLARE_FIELD(kind, name) IPC_TYPE_##kind name;
#define IPC_DECLARE_STRUCT(NAME)                                                                   \
    struct ipc_##NAME {                                                                            \
        IPC_FIELDS_##NAME(IPC_DECLARE_FIELD)                                                       \
    };
IPC_MESSAGES(IPC_DECLARE_STRUCT)

#define IPC_DECLARE_ENUM(NAME) IPC_##NAME,
enum ipc_type { IPC_NO_TYPE, IPC_MESSAGES(IPC_DECLARE_ENUM) IPC_TYPE_COUNT };

/* A received message. Slices point into the channel's packet and live until the handler returns:
 * copy what is kept. fds not taken (set to -1) are closed after the handler. */
struct ipc_message {
    enum ipc_type type;
    uint64_t call; /* 0: wants no answer */
    union {
#define IPC_DECLARE_MEMBER(NAME) struct ipc_##NAME NAME;
        IPC_MESSAGES(IPC_DECLARE_MEMBER)
    };
    int fds[IPC_FDS_MAX];
    size_t n_fds;
};

struct ipc_channel;

/* An incoming request or notice (not an answer). Runs in an engine thread, one at a time per
 * channel; must not block. To answer later, keep `call` (and the channel) and use ipc_answer. */
typedef void ipc_handler_fn(void *arg, struct ipc_channel *c, struct ipc_message *m);
/* The answer to a request: m->type is the expected type or IPC_FAILURE. Runs in the channel's
 * thread: hand over (copy, io_wake), don't block. */
typedef void ipc_answer_fn(void *arg, struct ipc_message *m);

/* Takes the fd. `handler` gets every request. Lives until ipc_channel_close; `on_down` (may be
 * NULL) is called once when the peer is gone; the channel then waits for ipc_channel_replace. */
MUST_USE enum result ipc_channel_new(struct io_engine *e, int fd, enum ipc_role peer,
                                     ipc_handler_fn *handler, void *arg,
                                     void (*on_down)(void *arg, struct ipc_channel *c),
                                     struct ipc_channel **ret);
/* A new connection to the restarted peer (the fd of a CHANNEL message). What was outstanding has
 * been answered FAILURE. */
void ipc_channel_replace(struct ipc_channel *c, int fd);
/* Answers what is outstanding with FAILURE, then frees. */
void ipc_channel_close(struct ipc_channel *c);
/* When the engine has stopped: answers what is outstanding, and whatever is still asked, with
 * FAILURE. Close it later. */
void ipc_channel_cut(struct ipc_channel *c);
bool ipc_channel_up(struct ipc_channel *c);
enum ipc_role ipc_channel_peer(struct ipc_channel *c);

/* All of these may be called from any thread; slices and fds of `m` stay the caller's (fds are
 * duplicated into the packet by the kernel; close yours afterwards). When the peer is slow, packets
 * wait in a queue bounded to 16 MiB; past it a notice is dropped with FAILED, a request is answered
 * FAILURE. */
MUST_USE enum result ipc_send(struct ipc_channel *c, const struct ipc_message *m);
/* For senders of much: waits until no more than `most` bytes wait for a slow peer, or for so many
 * milliseconds. Never on one of the engine's threads, which the sending needs. BUSY: the peer still
 * does not read; CLOSED: it is gone. */
MUST_USE enum result ipc_wait_room(struct ipc_channel *c, size_t most, unsigned ms);
/* on_answer is always called exactly once, maybe before this returns. m->call is set here. */
void ipc_request(struct ipc_channel *c, struct ipc_message *m, ipc_answer_fn *on_answer, void *arg);
void ipc_answer(struct ipc_channel *c, uint64_t call, struct ipc_message *m);
/* An answer may outlive a channel's connection: calls of an old connection are dropped silently. */
void ipc_answer_failure(struct ipc_channel *c, uint64_t call, const char *text);

/* Encoding alone, for tests, the fuzzer and the command line's blocking use. The decoder checks
 * every limit; lists are allocated from the arena. */
MUST_USE enum result ipc_encode(const struct ipc_message *m, struct buf *out);
struct arena;
MUST_USE enum result ipc_decode(struct slice packet, struct arena *a, struct ipc_message *ret);

/* Use by the command line and the master, which have no engine, on a connected SOCK_SEQPACKET
 * socket. On a non-blocking socket they may return BUSY. */
MUST_USE enum result ipc_send_blocking(int fd, const struct ipc_message *m);
/* The answer to a request that ipc_receive_blocking brought. */
MUST_USE enum result ipc_answer_blocking(int fd, uint64_t call, struct ipc_message *m);
MUST_USE enum result ipc_receive_blocking(int fd, struct arena *a, struct buf *packet,
                                          struct ipc_message *ret);

/* Message bytes above IPC_INLINE_MAX travel in a sealed memfd. Makes one (close it after sending);
 * reads one: checks the seals (no shrink, no write) and the size. */
MUST_USE enum result ipc_memfd(struct slice bytes, int *ret_fd);
MUST_USE enum result ipc_memfd_map(int fd, uint64_t expect_size, struct slice *ret);
void ipc_memfd_unmap(struct slice s);

/* Targets of a recipient. Text form, one string each:
 *   "local ACCOUNT SP DETAIL"   (DETAIL may be empty: the part behind recipient_delimiter)
 *   "remote ADDRESS"            by SMTP to the address's own domain
 *   "remote ADDRESS TAB ROUTE"  by another way: "transport:nexthop", such as "smtp:[mx.test]:587",
 *                               "lmtp:unix:/path", "error:5.1.6 moved"
 *   "filter ADDRESS TAB ROUTE"  by a content filter: the way stays what it is while it waits
 *   "command USER SP N:ADDRESS COMMAND-LINE"   (N: bytes of ADDRESS)
 *   "file USER SP N:ADDRESS PATH"
 *   "for N:TO " in front of the last two: what Delivered-To says; without it that is ADDRESS
 *   "via N:SENDER N:DELIVERED"   leads nowhere itself: says how those behind it, up to the next
 *                                "via", are sent on; "-" for either: as the message has it.
 * USER: whose rights, a name or "#" and a number; "-" those of default_privs; "~NAME" the user
 * whose own wish it is (.forward). ADDRESS: the recipient on whose behalf it is done.
 * "bcc N:FOR " in front: not from the envelope but from always_bcc and its like, which named the
 * address FOR; one such target is served once a message, however many recipients name it, and its
 * failure is nobody's. ("bcc " alone, FOR unknown, is how versions before wrote it into the queue.)
 */
enum target_kind { TARGET_REMOTE, TARGET_LOCAL, TARGET_COMMAND, TARGET_FILE, TARGET_VIA };
struct target {
    bool local, bcc;              /* local: kind == TARGET_LOCAL */
    struct slice copy_for;        /* with bcc: FOR; "" where it is not known */
    struct slice account, detail; /* LOCAL */
    struct slice address;         /* REMOTE, COMMAND, FILE */
    struct slice route;           /* REMOTE; "": none */
    bool filter;                  /* REMOTE with a route: a content filter's */
    enum target_kind kind;
    struct slice user, text;        /* COMMAND (its line), FILE (its path) */
    struct slice sender, delivered; /* VIA; data NULL: "-". COMMAND, FILE: TO, or data NULL */
};
MUST_USE enum result target_parse(struct slice text, struct target *ret);
void target_format(const struct target *t, struct buf *out);
/* "transport:nexthop" taken apart; a destination without a route (a domain, a literal) has the
 * transport "". */
void target_route_split(struct slice destination, struct slice *ret_transport,
                        struct slice *ret_nexthop);

#endif
