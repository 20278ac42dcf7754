/* imap.h: IMAP after the login in the mailbox role: the core (proto/imap/imap.h) over a session and
 * the store. imap.c drives, imap_store.c is the world as the core sees it, imap_append.c takes
 * messages. */
#ifndef ROLE_MAILBOX_IMAP_H
#define ROLE_MAILBOX_IMAP_H

#include "proto/imap/imap.h"
#include "role/mailbox/names.h"
#include "role/mailbox/session.h"

/* A message on its way in by APPEND. */
struct imap_incoming {
    struct delivery *delivery; /* NULL: none */
    struct buf bytes;          /* whole, until its summary is made */
    bool after_cr;
    uint32_t uid, uidvalidity;
};

struct imap_session {
    struct imap core;
    struct imap_config config;
    struct session *session;
    struct mailbox_names *names;
    struct mailbox_watch watch;
    struct account_watch account_watch;
    atomic_bool account_changed; /* since the core asked last */
    struct imap_incoming incoming;
    char quota_root[256];
    /* While a change of flags is submitted: whom to tell of those left alone. */
    void (*refused)(void *arg, uint32_t uid);
    void *refused_arg;
    /* The submitted operation: its end comes from the commit thread, the result before `ended`. */
    enum result result;
    atomic_bool ended;
};

extern const struct imap_ops imap_store_ops;

/* For each operation that ends in the commit thread: begin, submit with imap_done, and
 * imap_not_begun when it was not taken after all. */
void imap_begin(struct imap_session *i);
void imap_done(void *arg, enum result r);
/* Returns r. */
enum result imap_not_begun(struct imap_session *i, enum result r);

/* imap_store.c: the store's name of a mailbox, in *ret, which is to be released in any case. */
MUST_USE enum result imap_own_name(void *ctx, struct slice name, struct buf *ret);

/* imap_append.c: the append_… of struct imap_ops. */
enum result imap_append_begin(void *ctx, const struct imap_append *a);
enum result imap_append_write(void *ctx, struct slice bytes);
enum result imap_append_end(void *ctx, uint32_t *ret_uidvalidity, uint32_t *ret_uid);
void imap_append_abandon(void *ctx);

#endif
