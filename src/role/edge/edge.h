/* edge.h: the state of the edge role: where strangers' bytes are parsed, and nothing else is held.
 *
 *     accept.c    listeners; who is let in          limits.c  counts per client address
 *     conn.c      a connection: task, stream, buffers, time-outs, requests to other roles
 *     smtp.c      drives proto/smtp                 deliver.c the message on its way to mailbox
 *     login.c     what POP3 and IMAP share before the login; login_pop3.c, login_imap.c
 *     proxy.c     TLS connections after the login
 *     settings.c  the configuration and the certificate in the form that connections use */
#ifndef ROLE_EDGE_EDGE_H
#define ROLE_EDGE_EDGE_H

#include <pthread.h>
#include <stdatomic.h>

#include "auth/offer.h"
#include "base/log.h"
#include "base/map.h"
#include "table/kept.h"
#include "io/stream.h"
#include "proto/auth/dovecot.h"
#include "proto/imap/login.h"
#include "proto/pop3/pop3.h"
#include "proto/smtp/session.h"
#include "role/edge/certificates.h"
#include "role/role.h"

/* Most bytes of messages under way that all connections together may hold in memory; past it new
 * ones get 452 (message.c of the core). */
#define EDGE_MESSAGE_BUDGET ((size_t)512 << 20)

struct content_set;

enum { EDGE_SERVICES_MAX = 250, EDGE_ZONES_MAX = 64, SERVICE_TEXT_MAX = 100 };

/* What connections need of the configuration: immutable, shared, one for each configuration or
 * certificate, and in it one for each listener with settings of its own. */
struct edge_settings {
    struct content_set *content; /* NULL: nothing is checked or changed in messages */
    atomic_uint refs;
    const struct conf *conf;
    bool default_policy; /* the lists are the defaults': neither name nor proof is wanted */
    struct slice label;  /* of those of one listener: its name (conf_for_service); else "" */
    struct edge_settings *services[EDGE_SERVICES_MAX];
    size_t n_services;
    struct tls_context *tls[EDGE_TLS_KINDS]; /* NULL: TLS is not to be had */
    struct edge_zone *zones;                 /* our addresses with certificates of their own */
    size_t n_zones;
    struct buf offers[2][OFFER_LINKS];           /* "PLAIN LOGIN": of POP3 and IMAP, of SMTP */
    struct buf dovecot;                          /* the MECH lines of Dovecot's protocol */
    struct smtp_config smtp[SMTP_SERVICE_COUNT]; /* by enum smtp_service */
    /* In clear, under TLS, with a client certificate: by conn_login_config. */
    struct pop3_config pop3[3];
    struct imap_login_config imap[3];
};

/* What clients that come to an address of ours get. */
struct edge_zone {
    struct slice address; /* CIDR, of the configuration */
    struct tls_context *tls[EDGE_TLS_KINDS];
};

struct edge_counters {
    _Atomic uint64_t connections, refused_connections, smtp, pop3, imap, askers, proxied; /* of now,
                                                                                     but refused */
    _Atomic uint64_t accepted_total, messages, refused_rcpts, auth_ok, auth_failed, tls_handshakes;
    _Atomic uint64_t message_bytes; /* in memory */
};

struct edge {
    struct role *role;
    pthread_mutex_t lock; /* guards all below but the counters */
    struct list_node conns, proxies, listeners;
    struct map addresses; /* limits.c */
    struct edge_settings *settings;
    struct edge_certificates *certificates;
    struct kept_files files; /* that tables are read from, as the master sent them */
    struct edge_counters count;
};

/* settings.c: a reference to those of now (edge_settings_unref) of the listener with this name. */
struct edge_settings *edge_settings_get(struct edge *e, const char *label);
void edge_settings_unref(struct edge_settings *s);
/* Builds them anew from the role's configuration and the files. */
enum result edge_settings_renew(struct edge *e, struct error *err);
/* Takes certificates and tables from the role's secrets; certificates that are bad stay as they
 * were. */
void edge_take_secrets(struct edge *e, const struct role_secret *secrets, size_t n);

/* zones.c: the contexts of the settings, and the one for a connection (its socket tells to which of
 * our addresses the client came); NULL: no TLS. */
void edge_tls_fill(struct edge *e, struct edge_settings *s);
void edge_tls_release(struct edge_settings *s);
struct tls_context *edge_tls_for(const struct edge_settings *s, enum edge_tls_kind kind, int fd);

/* content_tables.c: tables for what is done to messages. */
void edge_keep_files(struct edge *e, const struct role_secret *secrets, size_t n);
/* Those that the configuration names; what is wrong is logged, and keeps messages out until it is
 * mended. NULL: none are named. FAILED: no memory. */
MUST_USE enum result edge_content_new(struct edge *e, const struct conf *c,
                                      struct content_set **ret);

/* accept.c */
void edge_take_listeners(struct edge *e, const struct slice *urls, int *fds, size_t n);
/* Begins to accept on those that are not yet open. */
void edge_open_listeners(struct edge *e);
void edge_free_listeners(struct edge *e);

/* limits.c: SMTP connections per address. LIMIT: too many, and *ret_why says of what. */
MUST_USE enum result edge_count_in(struct edge *e, const struct conf *c, struct slice ip,
                                   const char **ret_why);
void edge_count_out(struct edge *e, struct slice ip);
void edge_free_limits(struct edge *e);

#endif
