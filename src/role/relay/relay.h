/* relay.h: the relay role: mail out. A job (RELAY_JOB, from mailbox) waits at its destination until
 * a connection there takes it; connections stay open a while and take further jobs. One lock covers
 * jobs, destinations and routes; a connection's own state belongs to its task.
 *
 *   relay.c    the role's table, settings
 *   dns.c      the resolver, also for the other roles
 *   job.c      a job, from its message to its result
 *   prepare.c  what is changed in it on its way out
 *   tables.h   the tables that are asked; passwords.h: who logs in to whom
 *   dest.c     destinations: who waits, who is connected, who is next
 *   hop.c      a destination taken apart: transport, host, port
 *   route.c    where a destination's mail goes: MX, addresses
 *   tls.h      TLS contexts, with the authorities that they know
 *   https.h    libcurl, for sts.h: the policies of MTA-STS; and post.h: reports of TLS
 *   conn.h     a connection: the SMTP client core over a stream */
#ifndef ROLE_RELAY_RELAY_H
#define ROLE_RELAY_RELAY_H

#include <pthread.h>
#include <sys/socket.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "io/line.h"
#include "io/resolver.h"
#include "io/stream.h"
#include "policy/tls_policy.h"
#include "proto/smtp/client.h"
#include "table/kept.h"
#include "role/role.h"

enum {
    RELAY_LABEL_SIZE = 80,
    RELAY_JOBS = 400,                   /* taken at a time */
    CHECK_HELPERS = IO_HELPERS_MAX / 2, /* a slow server holds up no password's look-up */
    ROUTE_HOSTS_MAX = 10,               /* MX hosts looked at */
    ROUTE_ADDRESSES_MAX = 20,           /* addresses tried */
    ROUTE_TTL_MS = 60 * 1000            /* libunbound knows better after that */
};

struct relay {
    struct role *role;
    pthread_mutex_t lock;
    struct relay_tls *tls;          /* tls.h */
    struct resolver *resolver;      /* of now */
    char *forward;                  /* smtp_dns_resolver as the resolver has it */
    struct slice anchors;           /* the trust anchors that it has; owned */
    uint64_t anchors_tried;         /* the hash of those that it was to get */
    struct list_node old_resolvers; /* with questions under way */
    struct map dests;
    struct list_node conns;
    struct map sts_fetching;     /* domains whose policies are being fetched (sts.c) */
    struct kept_files files;     /* of tables and authorities, as the master sent them */
    bool system_authorities;     /* those of the system are among them */
    struct relay_tables *tables; /* of now */
    struct io_line checks_line;  /* messages whose checks ask tables of servers (prepare.c) */
    unsigned generation;         /* of the settings */
    struct buf system_resolvers; /* what resolv.conf said at the start */
    uint64_t jobs, sent, deferred, failed;
};

struct relay_tables;
/* The settings of a destination's transport, as its service has them; *label is that service's
 * name, "smtp/unix". They live as long as c. */
const struct conf *relay_service(const struct conf *c, struct slice destination,
                                 char label[static RELAY_LABEL_SIZE]);

/* A failure in words, as a recipient's result. */
struct verdict {
    enum smtp_outcome outcome;
    bool remote;
    bool missed; /* nobody was reached at the destination: see RELAY_RESULT */
    char status[16];
    char text[600];
};
void verdict_set(struct verdict *v, enum smtp_outcome outcome, const char *status,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* ---- job.c ---- */
struct rjob {
    struct list_node node; /* in its destination's waiting */
    struct relay *relay;
    struct ipc_channel *from;
    uint64_t call, message_id;
    struct arena arena;
    struct slice destination; /* with what keeps its connections apart, as dest_sender and
                                 dest_demand find it */
    struct slice message;
    struct slice mapped;         /* the memfd's bytes; data NULL: it came inline */
    struct buf changed;          /* the message, where its way out changes it */
    bool smtputf8, eightbit;     /* as the queue says */
    enum tls_demand demand;      /* of the message as it leaves */
    unsigned limit;              /* of connections to its destination */
    struct slice *given;         /* the recipients as the queue has them */
    struct rewriting *rewriting; /* in the arena; NULL: none */
    int64_t started_ms;
    bool reports; /* the server that took it reports success itself (RFC 3461) */
    bool missed;  /* as a verdict's */
    uint32_t attempt;
    struct smtp_client_mail mail;
    struct smtp_client_rcpt *rcpts;
};
/* INVALID: malformed. */
MUST_USE enum result job_new(struct relay *relay, struct ipc_channel *from, struct ipc_message *m,
                             struct rjob **ret);
/* What MAIL must say of the message as it is by now. */
void job_describe(struct rjob *j);
/* prepare.c: changes what is to be changed, and brings the job to its destination, now or later;
 * the job is taken. */
void job_prepare_drop(void *later); /* of checks_line, when the engine has stopped */
void job_prepare(struct rjob *j, const struct conf *conf, struct relay_tables *tables);
/* Answers, logs and frees. results: one per recipient. */
void job_finish(struct rjob *j, const struct smtp_client_result *results, const char *remote,
                const char *tls);
void job_finish_all(struct rjob *j, const struct verdict *v, const char *remote);
void job_free(struct rjob *j);

/* ---- dns.c ---- */
MUST_USE enum result dns_start(struct relay *relay, struct error *err); /* may read files */
MUST_USE enum result dns_run(struct relay *relay, struct error *err);
/* Takes another resolver where smtp_dns_resolver or the trust anchors have changed. */
void dns_configured(struct relay *relay);
/* Any thread. As resolver_ask, of the resolver of now. */
MUST_USE enum result dns_ask(struct relay *relay, const char *name, unsigned type, resolver_fn *fn,
                             void *arg);
bool dns_validates(struct relay *relay); /* what is signed can be told apart */
void dns_serve(struct relay *relay, struct ipc_channel *from, struct ipc_message *m); /* RESOLVE */
void dns_stop(struct relay *relay);

/* ---- route.c ---- */
struct address {
    struct sockaddr_storage sockaddr;
    socklen_t len;
    bool path;           /* a Unix socket, whose path is in host */
    char host[256];      /* the MX's name */
    char text[64];       /* "192.0.2.1" */
    bool is_signed;      /* DNSSEC: its host's address is; */
    bool mx_signed;      /* and what named the host, where it is not the route */
    char canonical[256]; /* the end of the host's aliases, or "" */
    char nexthop[280];   /* what led here, as it is written: "example.org", "[mail.isp.test]:587" */
    bool fallback;       /* of smtp_fallback_relay */
};
struct dest;
struct route {
    unsigned refs;
    int64_t until_ms;
    size_t n;
    struct address addresses[ROUTE_ADDRESSES_MAX];
};
/* With the lock held. True: known at once: *ret, or NULL and *failure. False: dest_routed will be
 * called, with the lock held. */
bool route_find(struct dest *d, struct route **ret, struct verdict *failure);
void route_unref(struct route *r); /* with the lock held */

/* ---- dest.c ---- (all with the lock held) */
struct dest {
    struct relay *relay;
    struct list_node waiting; /* rjob */
    struct list_node idle;    /* conn */
    size_t n_waiting;
    unsigned conns, limit;
    struct route *route;
    bool routing;
    size_t name_len;
    char name[];
};
void dest_submit(struct relay *relay, struct rjob *j, unsigned limit);
void dest_routed(struct dest *d, struct route *route, const struct verdict *failure);
/* The next job for a connection that has none. */
struct rjob *dest_next(struct dest *d);
void dest_return(struct dest *d, struct rjob *j); /* to the front: not attempted after all */
/* A connection ended; what waits gets another. */
void dest_conn_gone(struct dest *d);
/* The settings changed: routes are looked for again, idle connections leave. */
void dest_forget_routes(struct relay *relay);
struct slice dest_name(const struct dest *d);
/* The destination of its jobs: the name without what may stand behind it, each behind a line break:
 * a sender, and what the messages demand of TLS. */
struct slice dest_route(const struct dest *d);
/* That sender; "": none. */
struct slice dest_sender(const struct dest *d);
enum tls_demand dest_demand(const struct dest *d);
/* The name for another demand; NULL: no memory. */
const char *dest_name_with(struct slice name, enum tls_demand demand, struct arena *a);
void dest_free_all(struct relay *relay); /* the engine has stopped */

/* ---- conn.c ---- */
struct outconn;
/* With the lock held; the connection has the job. NULL: no memory. */
struct outconn *outconn_new(struct relay *relay, struct dest *d, struct rjob *j);
/* Gives an idle connection (the first of the list) a job; NULL: it looks whether it may stay. */
void outconn_give(struct list_node *idle, struct rjob *j);
void outconn_free_all(struct relay *relay); /* the engine has stopped */

#endif
