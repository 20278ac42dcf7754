/* names.h: what the configuration says of mailboxes: how a client names them (namespace: prefix and
 * separator), which there are from the start (auto), and their special uses. The store knows them
 * without prefix and with '/' between levels; a '/' within a client's name is the separator's
 * character there, and the other way round, so that every name has exactly one of the other kind.
 *
 * Who calls it: IMAP's side of the store, `mailbox list`, the role's start. doc.dovecot.org:
 * "namespaces", "mailbox settings". */
#ifndef ROLE_MAILBOX_NAMES_H
#define ROLE_MAILBOX_NAMES_H

#include <stdatomic.h>

#include "base/buf.h"
#include "conf/conf.h"
#include "store/store.h"

enum { NAMESPACES_MAX = 16, NAMED_MAILBOXES_MAX = STORE_FOLDERS_MAX, MAILBOX_NAME_MAX = 1000 };

struct namespace
{
    struct slice prefix;
    char separator;
};

struct named_mailbox {
    struct slice name; /* as the client names it, without prefix */
    unsigned attrs;    /* special use, and MAILBOX_SUBSCRIBED where auto is subscribe */
    bool made;         /* auto is create or subscribe */
};

/* Immutable; shared by the sessions. */
struct mailbox_names {
    atomic_uint refs;
    const struct conf *conf;                 /* a reference: the slices point into it */
    struct namespace spaces[NAMESPACES_MAX]; /* the first is INBOX's */
    size_t n_spaces;
    struct named_mailbox boxes[NAMED_MAILBOXES_MAX];
    size_t n_boxes;
};

/* One reference. What is wrong in the settings was told when they were read. NULL: no memory. */
struct mailbox_names *names_new(const struct conf *c);
struct mailbox_names *names_ref(struct mailbox_names *n);
void names_unref(struct mailbox_names *n);

/* Both append. NOT_FOUND: the name is in no namespace. LIMIT: too long. */
MUST_USE enum result names_to_store(const struct mailbox_names *n, struct slice client,
                                    struct buf *out);
MUST_USE enum result names_to_client(const struct mailbox_names *n, struct slice store,
                                     struct buf *out);
/* The special uses that the configuration gives to a mailbox of the store. */
unsigned names_special_use(const struct mailbox_names *n, struct slice store);

/* Gives the store the list that accounts are made with. */
MUST_USE enum result names_configure_store(const struct mailbox_names *n, struct store *s);
/* Makes those of the account that are not there (any more). */
void names_make_missing(const struct mailbox_names *n, struct account *a);

#endif
