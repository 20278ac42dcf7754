/* conn.h: a connection of a stranger in edge, whatever it speaks: its task, socket, buffers and
 * time-outs, and its one request to another role at a time. The protocols plug in as a struct
 * conn_protocol; they never touch the socket. */
#ifndef ROLE_EDGE_CONN_H
#define ROLE_EDGE_CONN_H

#include "role/edge/edge.h"

struct conn;
struct peer_name;

/* What a protocol wants next. Whatever stands in c->out is written first. */
enum conn_next {
    CONN_INPUT,    /* more bytes */
    CONN_FLUSH,    /* room in c->out */
    CONN_ANSWER,   /* the answer to its request */
    CONN_NAME,     /* the client's name from DNS; then protocol->named */
    CONN_PAUSE,    /* protocol->patience_ms to pass */
    CONN_STARTTLS, /* the handshake; then protocol->tls_started */
    CONN_WRITTEN,  /* all of c->out at the client; then protocol->written */
    CONN_CLOSE,    /* the end */
    CONN_GONE      /* the connection was handed over: c is no more */
};

/* The answer to a conn_request, copied; valid in protocol->answer. */
struct conn_answer {
    struct arena arena;
    enum ipc_type type; /* IPC_FAILURE: it could not be had */
    union {
        struct ipc_AUTH_RESULT auth;
        struct ipc_RCPT_RESULT rcpt;
        struct ipc_DELIVER_RESULT deliver;
        struct ipc_LOGGED_IN_RESULT logged_in;
        struct ipc_ACTION_RESULT action;
        struct ipc_CHECK_RESULT check;
        struct ipc_REWRITE_RESULT rewrite;
        struct ipc_DKIM_SIGN_RESULT dkim;
        bool flushed;
    };
};

/* answer.c. Never NULL: without memory it is a failure. */
struct conn_answer *conn_answer_copy(const struct ipc_message *m);
void conn_answer_free(struct conn_answer *a);

struct conn_protocol {
    const char *name; /* "smtp" */
    size_t in_max, out_max;
    void (*open)(struct conn *c); /* greets; behind the handshake where TLS comes first */
    enum conn_next (*work)(struct conn *c);
    /* These return what work returns. */
    enum conn_next (*answer)(struct conn *c, const struct conn_answer *a);
    enum conn_next (*written)(struct conn *c); /* NULL: never asked for */
    /* Woken, or (patient: false) it took protocol->patience_ms. NULL: never asked for */
    enum conn_next (*named)(struct conn *c, bool patient);
    int64_t (*patience_ms)(const struct conn *c); /* NULL: a login's */
    void (*tls_started)(struct conn *c);
    /* The last words: why is "timeout" or "shutdown". */
    void (*bye)(struct conn *c, const char *why);
    void (*release)(struct conn *c);
};
extern const struct conn_protocol conn_smtp, conn_pop3, conn_imap, conn_saslauthd, conn_dovecot;

enum conn_phase { PHASE_HANDSHAKE, PHASE_WORK, PHASE_CLOSING };

struct conn {
    struct io_task task;
    struct stream stream;
    struct buf in, out;
    const struct conn_protocol *protocol;
    struct edge *edge;
    struct edge_settings *settings;
    struct list_node node; /* in edge->conns */
    uint64_t id;
    int64_t began_ms;
    char ip[46];                      /* "": a Unix socket */
    char port[6];                     /* decimal; "" where ip is */
    char identity[SASL_NAME_MAX + 1]; /* whom its verified certificate names, or "" */
    char cert_print[TLS_FINGERPRINT_MAX], key_print[TLS_FINGERPRINT_MAX]; /* of it, or "" */
    char context[80]; /* " conn=… client=…" for LOG_CTX */
    unsigned uid;     /* LISTEN_SENDMAIL: the client's */
    enum listen_service service;
    char label[SERVICE_TEXT_MAX]; /* the listener's name (conf_for_service) */
    bool loopback; /* or a Unix socket, or in login_trusted_networks: fit for passwords in clear */
    bool counted;  /* in limits.c */
    bool certificate_verified; /* of the TLS client */
    bool opened;               /* protocol->open was called */
    bool readable;             /* there may be bytes to read */
    bool auth_known;           /* auth has something of this connection to forget */
    uint8_t phase;             /* enum conn_phase */
    uint8_t next;              /* enum conn_next */
    const char *end_reason;

    struct peer_name *peer_name; /* SMTP: the lookup */

    /* The request under way. The answer comes on another thread. */
    pthread_mutex_t lock;
    bool waiting, abandoned;
    struct conn_answer *answer;

    /* Who it is, once AUTH went well. */
    char *account, *login_name;
    char sasl_method[24]; /* of the last AUTH */
    struct slice grant;   /* owned */

    union {
        struct {
            struct smtp_session session;
            struct smtp_peer peer;
            struct edge_work *work; /* content.h; NULL: none */
            bool signing;           /* DKIM_SIGN is under way */
            bool named;             /* the four that follow are known */
            uint8_t name_status, reverse_status;
            char name[256], reverse[256];
            size_t message_counted;           /* bytes counted in edge->count.message_bytes */
            size_t envelope_bytes, n_targets; /* what DELIVER's lists will take */
            struct slice sender;              /* the envelope's as it goes on; in the tx's arena */
            struct {                          /* kept from RCPT and DELIVER for the log */
                uint64_t id;
                uint64_t size;
                uint32_t n_rcpts;
                bool redirected; /* to one recipient in the place of all */
            } sent;
        } smtp;
        struct {
            union {
                struct pop3 pop3;
                struct imap_login imap;
            };
            bool handing_over; /* LOGGED_IN is under way */
            int inner_fd;      /* our end of a TLS connection's socket pair, or -1 */
        } login;
        struct {
            struct dovecot_auth core;
        } dovecot;
    };
};

/* Who connected, where. */
struct conn_client {
    enum listen_service service;
    const char *label; /* the listener's name */
    char ip[46], port[6];
    unsigned uid;
    bool loopback;
    bool counted; /* in limits.c, under conn_count_key */
};
/* What limits.c counts a client under: its address, or its uid. */
struct slice conn_count_key(const char *ip, unsigned uid, char out[static 46]);

/* Takes the fd. The first run greets. On failure the fd is closed. */
MUST_USE enum result edge_conn_new(struct edge *e, int fd, const struct conn_client *client);
/* At the role's end, when the engine has stopped. */
void edge_conn_free_all(struct edge *e);

/* handshake.c: is it a service whose connections begin with TLS? */
bool conn_tls_first(enum listen_service s);
enum edge_tls_kind conn_tls_kind(const struct conn *c);
/* Logs the handshake that went well, and takes what the client's certificate tells. */
void conn_shook_hands(struct conn *c);

/* Asks another role; protocol->answer gets the answer. One at a time. */
void conn_request(struct conn *c, enum ipc_role peer, struct ipc_message *m);
/* The same, but the answer is this one (a failure found here). */
void conn_answer_myself(struct conn *c, struct ipc_message *m);
/* Ends c, whose connection goes on elsewhere: only our descriptor is closed (c->stream may have
 * been taken out before: fd = -1). From work or answer, which then return CONN_GONE. */
void conn_dissolve(struct conn *c);
bool conn_secured(const struct conn *c);
enum offer_link conn_link(const struct conn *c);
/* The index of the settings' pop3 and imap for the connection as it is now. */
unsigned conn_login_config(const struct conn *c);
static inline struct slice conn_ctx(const struct conn *c)
{
    return slice_cstr(c->context);
}

/* Keeps what AUTH_RESULT told. False: no memory. */
bool conn_set_login(struct conn *c, const struct ipc_AUTH_RESULT *a);
/* Starts an exchange; logs nothing. */
void conn_auth_start(struct conn *c, const char *service, struct slice mechanism, bool has_initial,
                     struct slice initial);
void conn_auth_step(struct conn *c, struct slice response);
/* forget: its login too. */
void conn_auth_cancel(struct conn *c, bool forget);
/* The same for a connection that carries several exchanges, each under an id of its own. */
void conn_auth_start_as(struct conn *c, const struct ipc_AUTH_START *s);
void conn_auth_step_as(struct conn *c, uint64_t id, struct slice response);
void conn_auth_cancel_as(struct conn *c, uint64_t id, bool forget);
/* "auth.ok" or "auth.failed". */
void conn_log_auth(struct conn *c, const struct conn_answer *a);

#endif
