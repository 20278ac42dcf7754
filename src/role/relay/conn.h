/* conn.h: what the files of a connection share.
 *
 *   conn.c     its life: made with a job, given further ones, idle, ended
 *   connect.c  the route's addresses in turn
 *   dane.c     the TLSA records of a host
 *   peer.c     TLS: the policy of the next hop, the server's certificate
 *   sts.h      the MTA-STS policy of the next hop
 *   tell.c     how it went under TLS, for reports
 *   talk.c     the SMTP client core over its stream */
#ifndef ROLE_RELAY_CONN_H
#define ROLE_RELAY_CONN_H

#include "policy/tls_policy.h"
#include "role/relay/passwords.h"
#include "role/relay/relay.h"
#include "role/relay/sts.h"
#include "role/relay/tables.h"

enum { DANE_RECORDS_MAX = 32 };

/* What DNS says of the certificate of the host that is tried (RFC 7672). */
struct dane {
    char base[256];                         /* whose records they are */
    struct slice records[DANE_RECORDS_MAX]; /* those that can be used; in texts */
    size_t n;
    bool alias;        /* asked is whether base, an alias, is signed itself */
    atomic_bool there; /* the resolver has answered: */
    bool failed;       /* with no or a bogus answer */
    enum tlsa_found found;
};

struct outconn {
    struct io_task task;
    struct list_node all;  /* in relay->conns */
    struct list_node idle; /* in dest->idle, else to itself; under the lock */
    struct relay *relay;
    struct dest *dest;
    struct rjob *job;        /* under the lock while idle */
    const struct conf *held; /* the reference; */
    const struct conf *conf; /* what of it holds for the transport */
    bool lmtp;
    struct route *route;
    size_t at; /* the address of the route */
    enum {
        NEW,
        LOOKING,
        RESOLVING,
        READING,
        ASKING,
        CONNECTING,
        TALKING,
        HANDSHAKING,
        IDLE,
        LEAVING
    } state;
    bool plain; /* TLS with this host failed: once more without */
    bool ready; /* the session was, once */
    bool waits; /* an address may take the job at a later attempt */
    struct stream stream;
    bool open;      /* the stream is */
    bool task_open; /* the task is */
    struct smtp_client client;
    struct smtp_client_config config;
    struct smtp_client_sasl sasl;
    struct relay_login login;
    struct relay_tables *tables;
    struct tls_policy policy; /* towards this address */
    struct dane dane;
    struct sts sts;     /* of the next hop */
    struct arena texts; /* of login, policy and dane */
    struct buf in;
    struct slice body; /* of the job's message, what is still to go */
    int64_t opened_ms, messages;
    unsigned generation;     /* of the settings: relay's when it was made */
    struct verdict last;     /* why the last address failed */
    atomic_bool given_there; /* agent has answered: */
    int given_fd;            /* a connected socket, or -1 and why not */
    char given[200];
    atomic_bool looked_there; /* a helper thread has looked policy and password up: */
    enum result looked;
    struct error looked_why;
    char remote[600];
    char tls[100];
    const char *tls_problem; /* what is wrong with the certificate, in words of RFC 8460; or NULL */
};

/* ---- conn.c ---- */
void conn_open_task(struct outconn *c, int fd);
void conn_close_task(struct outconn *c);
void conn_close_stream(struct outconn *c);
/* The connection is over. A job that it still has gets `failure`; when no address could be reached,
 * the others that wait do too. */
void conn_finish(struct outconn *c, const struct verdict *failure);

/* ---- connect.c ---- */
/* Tries addresses from c->at on until one is on its way. */
void conn_connect(struct outconn *c);
void conn_next_address(struct outconn *c);
void conn_in_clear(struct outconn *c); /* the same address again, without TLS */
void conn_looked(struct outconn *c);
/* All is known of the address: connects, or goes to the next one where that fails. */
void conn_reach(struct outconn *c);
void conn_connected(struct outconn *c, unsigned events);
void conn_given(struct outconn *c);
const struct address *conn_address(const struct outconn *c); /* the one that is tried */
unsigned conn_port(const struct address *a);
bool conn_loopback(const struct address *a);

/* ---- dane.c ---- */
/* At level dane or dane-only, settles it by the host's TLSA records, which may have to be waited
 * for; then conn_sts, or the next address. */
void conn_dane(struct outconn *c);
void conn_resolved(struct outconn *c);

/* ---- sts.c ---- */
/* Where nothing stronger holds, what the MTA-STS policy of the domain says of the host; it may have
 * to be waited for; then conn_reach, or the next address. */
void conn_sts(struct outconn *c);
void conn_sts_read(struct outconn *c);
/* The domain whose policies count for the address that is tried; false: it is none. */
MUST_USE bool conn_domain(const struct outconn *c, char out[static STS_DOMAIN_SIZE]);

/* ---- tell.c ---- */
/* What the reports of TLS shall say of this host: result "" for success, else in words of RFC 8460
 * 4.3, with a reason. And of a policy that could not be fetched. */
void conn_tell(struct outconn *c, const char *result, const char *reason);
void conn_tell_fetch(struct outconn *c);

/* ---- peer.c ---- */
/* Finds c->policy; may wait where conn_policy_waits. INVALID or FAILED with the reason why the mail
 * must wait. */
bool conn_policy_waits(const struct outconn *c);
MUST_USE enum result conn_policy(struct outconn *c, struct error *err);
/* With DANE and MTA-STS settled: what the messages demand beyond the policy. FAILED: no memory. */
MUST_USE enum result conn_demand(struct outconn *c);
void conn_start_tls(struct outconn *c);
void conn_handshake(struct outconn *c);
void conn_tls_failed(struct outconn *c, const struct error *err);

/* ---- talk.c ---- */
void conn_talk(struct outconn *c);
void conn_lost(struct outconn *c, const char *why);
void conn_leave(struct outconn *c);
/* Until the server is lost for what it is to do now. */
int64_t conn_patience_ms(const struct outconn *c);

#endif
