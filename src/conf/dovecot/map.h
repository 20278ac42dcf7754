/* map.h: the inside of the mapping from dovecot.conf's tree to our settings: map.c walks the tree,
 * each other file knows one subject. */
#ifndef CONF_DOVECOT_MAP_H
#define CONF_DOVECOT_MAP_H

#include "conf/dovecot/dovecot.h"

struct map_dovecot {
    const struct dovecot_source *source;
    const struct dovecot_sink *sink;
    struct arena *arena;
    struct conf_errors *errors;
    const struct dovecot_node *root;
};

typedef void map_dovecot_fn(struct map_dovecot *m, const struct dovecot_node *n);

/* map.c: what the subjects say, with the node's file and line. */
void map_set(struct map_dovecot *m, const struct dovecot_node *n, const char *name,
             struct slice value);
void map_note(struct map_dovecot *m, const struct dovecot_node *n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void map_error(struct map_dovecot *m, const struct dovecot_node *n, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The node's value; read from its file for "= <path". */
struct slice map_value(struct map_dovecot *m, const struct dovecot_node *n);
/* Adds the key and value to an item; an error when it can't be carried. */
void map_field(struct map_dovecot *m, const struct dovecot_node *n, struct buf *item,
               const char *key, struct slice value);
/* "yes" or "no"; an error and `fallback` when it is neither. */
bool map_yes(struct map_dovecot *m, const struct dovecot_node *n, bool fallback);
/* Walks all settings and blocks directly in `block` with that key. */
#define MAP_EACH(n, block) for (const struct dovecot_node *n = (block)->first; n; n = n->next)

/* units.c: Dovecot's "2 secs" as ours ("2s"). INVALID: not one. */
MUST_USE enum result dovecot_seconds(struct slice text, int64_t *ret);

/* known.c: a setting that is not served, in a block of that kind ("" the root, "service",
 * "plugin" …): told with its effect and what to do. */
void map_not_served(struct map_dovecot *m, const char *block, const struct dovecot_node *n);

/* listen.c: protocols, listen, service blocks and ssl together are `listen`. */
void map_listeners(struct map_dovecot *m);
/* sockets.c: who may use the Unix sockets of service lmtp; the sockets of service auth; and
 * services that are no protocol of ours. */
void map_sockets(struct map_dovecot *m);
/* A Unix socket's name, below base_dir when it is no path. */
struct slice map_socket_path(struct map_dovecot *m, struct slice name);
/* auth.c: passdb and userdb blocks of all versions. */
void map_databases(struct map_dovecot *m);
/* tls.c: a file of a certificate, key or authority; false: it is none. */
bool map_tls_file(struct map_dovecot *m, const struct dovecot_node *n);
map_dovecot_fn map_prefer_ciphers, map_ssl_options;
/* tls.c: certificates for single names and addresses. */
void map_places(struct map_dovecot *m);
/* mail.c: namespaces, mailboxes; then quota.c: the limits of accounts. */
void map_mail(struct map_dovecot *m);
void map_quota(struct map_dovecot *m);

#endif
