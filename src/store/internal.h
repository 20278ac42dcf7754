/* internal.h: what the files of store/ share: the objects in memory and how they are locked.
 *
 * Locks, in the order in which they may be taken:
 *   account.lock    prepares changes of one account (several accounts: in order of their ids). Held
 *                   while a batch is prepared and while a mailbox is loaded, never while a delivery
 *                   or a change of flags waits for the disk.
 *   store.lru_lock  the list of cached views.
 *   mailbox.publish what is durable and pending of one mailbox; short, also taken by the commit
 *                   thread. The eviction of views only tries it.
 *   store.lock      accounts in memory, their references. Short.
 *
 * A change of a mailbox is a `struct op`: the head and (when the mailbox is loaded) the view as
 * they will be. Installed at once as mailbox.head and mailbox.latest, so that the next change
 * builds on it, and published by the commit thread when it is durable. Batches commit in the order
 * of kv_submit, so what is published never goes back. */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/map.h"
#include "store/keys.h"
#include "store/store.h"
#include "store/view.h"
#include "trace/trace.h"

enum {
    ACCOUNT_NAME_MAX = 255,
    MAILBOX_NAME_MAX = 1000,
    MAILBOXES_MAX = 10000,          /* names of one account */
    IDLE_ACCOUNTS_MAX = 20000,      /* weight (an account and each of its mailboxes) kept unused */
    TOMBSTONES_MAX = 100000,        /* expunged UIDs remembered per mailbox */
    TOMBSTONE_SECONDS = 30 * 86400, /* and for how long */
    CHANGE_CHUNK = 50000            /* most entries that one batch changes */
};
#define VIEW_CACHE_BYTES ((size_t)16 << 20)

struct store {
    struct kv *kv;
    struct store_options options;
    atomic_uint_fast64_t trace_lifetime; /* seconds */

    pthread_mutex_t lock;
    struct map accounts;   /* name -> struct account */
    struct list_node idle; /* accounts that nobody refers to, the longest unused first */
    size_t idle_weight;
    pthread_cond_t quiet;         /* in_flight fell to 0 */
    size_t in_flight;             /* changes submitted and not done */
    struct store_folder *folders; /* that accounts are made with; their names behind them */
    size_t n_folders;

    pthread_mutex_t lru_lock;
    struct list_node lru; /* mailboxes with cached views, newest first */
    size_t lru_bytes, lru_budget;

    atomic_uint_fast64_t damaged; /* records skipped because they could not be read */
    struct reaper *reaper;
};

struct folder {
    struct slice name; /* owned */
    unsigned attrs;
    struct mailbox *mailbox; /* NULL: NOSELECT or NONEXISTENT */
};

struct account {
    struct store *store;
    struct slice name; /* owned */
    unsigned refs;     /* store.lock */
    struct list_node idle;

    pthread_mutex_t watching; /* watches; no other lock is taken under it */
    struct list_node watches;

    pthread_mutex_t lock; /* what follows */
    uint64_t id;
    bool loaded; /* the tables below are what kv holds */
    bool dead;
    uint32_t last_uidvalidity;
    struct folder *folders; /* in hierarchy order */
    size_t n_folders;
    struct mailbox **mailboxes; /* by id */
    size_t n_mailboxes;
    uint64_t bytes, messages; /* with what is not durable yet */
};

struct mailbox {
    struct account *account;
    uint64_t id;
    atomic_uint refs;

    /* account.lock */
    struct head head;
    struct keywords *keywords;
    bool keywords_dirty; /* to be written with the next change */

    pthread_mutex_t publish; /* what follows */
    bool dead;
    struct head durable;
    struct view *latest, *published; /* both NULL: not loaded */
    struct list_node pending;        /* struct op, in order */
    struct list_node watches;

    /* store.lru_lock */
    struct list_node lru;
    size_t lru_bytes; /* 0: not in the list */
    atomic_bool used; /* since the eviction looked last */
};

/* The change of one mailbox by one batch. */
struct op {
    struct list_node node; /* mailbox.pending */
    struct mailbox *mailbox;
    struct head head, head_before;
    struct view *view, *latest_before; /* NULL: not loaded; then it only appends */
    struct entry *appended;
    size_t n_appended;
    bool wrote_keywords;
};

struct change {
    struct store *store;
    store_done_fn *done;
    void *arg;
    uint64_t *dead_messages; /* for the reaper */
    size_t n_dead;
    size_t n_ops, max_ops;
    struct op ops[];
};

/* account.c */
void account_ref(struct account *a);
/* Locks the account with its tables loaded; NOT_FOUND when it was deleted. */
MUST_USE enum result account_enter(struct account *a);
void account_leave(struct account *a);
/* Tells the watches; any lock may be held. */
void account_changed(struct account *a);
/* When the store closes: nobody refers to any. */
void accounts_close(struct store *s);
void account_put_record(struct account *a, struct kv_batch *b, bool deleted);

/* journey.c: tells the trace what happened to an entry of the mailbox; the account is locked. */
void journey_put(const struct mailbox *m, struct kv_batch *b, enum trace_event what,
                 const struct entry *e);

/* quota.c: with the account locked. LIMIT: so much more is too much. */
MUST_USE enum result quota_admit(const struct account *a, struct slice mailbox, uint64_t bytes,
                                 uint64_t messages, bool may_exceed);
/* The same for so much that moves. Between mailboxes of the same limits nothing is too much. */
MUST_USE enum result quota_admit_move(const struct account *a, struct slice from, struct slice to,
                                      uint64_t bytes, uint64_t messages);
/* A message comes into `to` as another one of `from` goes. */
MUST_USE enum result quota_admit_replacement(const struct account *a, struct slice from,
                                             struct slice to, uint64_t bytes, uint64_t bytes_gone);

/* tables.c */
MUST_USE enum result account_load_tables(struct account *a);
void account_free_tables(struct account *a);
/* Index of the name, or where it would stand. */
size_t folder_seek(const struct account *a, struct slice name, bool *ret_found);
struct folder *folder_find(const struct account *a, struct slice name);
/* The mailbox's name, with the account locked; empty when it has none any more. */
struct slice folder_name_of(const struct mailbox *m);

/* folders.c: writes the record of a name into a batch; mailbox 0: none. */
void folder_put(const struct account *a, struct kv_batch *b, struct slice name, unsigned attrs,
                uint64_t mailbox);
/* The records of a new mailbox. */
void folder_put_new(struct account *a, struct kv_batch *b, struct slice name, unsigned attrs);

/* names.c */
/* Valid UTF-8 in NFC, INBOX in upper case, appended to out. INVALID, LIMIT. */
MUST_USE enum result name_canonical(struct slice name, struct buf *out);
/* memcmp order with '/' below all: children follow their parent. */
int name_cmp(struct slice a, struct slice b);
/* True when `name` lies below `parent`. */
bool name_is_below(struct slice name, struct slice parent);

/* import.c: is a message of this origin in the mailbox already? EXISTS; else OK. */
MUST_USE enum result origin_check(const struct mailbox *m, struct slice origin);
/* Writes origin and UIDL of a message into the batch. */
void origin_put(const struct mailbox *m, struct kv_batch *b, uint32_t uid, struct slice origin,
                struct slice uidl);

/* mailbox.c */
struct mailbox *mailbox_new(struct account *a, uint64_t id, const struct head *head);
void mailbox_ref(struct mailbox *m);
/* The account's own reference, without one to the account. */
void mailbox_release(struct mailbox *m);
/* It was deleted: watches are told, cached views dropped. */
void mailbox_die(struct mailbox *m);

/* load.c */
/* Under the account's lock: the newest prepared view (a reference), loaded when need be. */
MUST_USE enum result mailbox_latest(struct mailbox *m, struct view **ret);
/* The same, NULL when it is not loaded. */
struct view *mailbox_latest_loaded(struct mailbox *m);
void cache_forget(struct mailbox *m);

/* change.c: under the locks of all accounts concerned. */
struct change *change_new(struct store *s, size_t max_ops);
void change_free(struct change *c);
/* An op of the mailbox that starts from its present head, one MODSEQ on. */
struct op *change_op(struct change *c, struct mailbox *m);
/* Adds a message to the op: the entry with its new UID (e->uid where that is not below UIDNEXT, as
 * an import wants it; 0 otherwise) and MODSEQ, its records. */
MUST_USE enum result op_append(struct op *op, struct kv_batch *b, struct entry *e);
/* Submits; takes c and b. */
MUST_USE enum result change_submit(struct change *c, struct kv_batch *b, store_done_fn *done,
                                   void *arg);

/* keywords.c: under the account's lock. */
MUST_USE enum result keyword_bit(struct mailbox *m, struct slice name, uint32_t *ret);
void keywords_encode(const struct keywords *k, struct buf *out);
MUST_USE enum result keywords_decode(struct slice value, struct keywords **ret);

/* The entry's record. */
void entry_put(const struct mailbox *m, struct kv_batch *b, const struct entry *e);
/* Sorts, drops repetitions, returns how many are left. */
size_t sort_unique(uint32_t *list, size_t n);

/* expunge.c: removes messages with an op that has a view. uids: ascending; overwritten with those
 * that went. */
MUST_USE enum result expunge_in(struct change *c, struct kv_batch *b, struct op *op, uint32_t *uids,
                                size_t n, bool only_deleted);
/* expunge.c: writes the removal of one entry and its reference into a batch; the head counts it. */
void expunge_records(struct op *op, struct kv_batch *b, const struct entry *e);
/* Whoever takes a reference away, without giving another one, says so (reaper.c). */
void maybe_dead_put(struct kv_batch *b, uint64_t message);
/* Remembers the expunged UIDs (ascending) for QRESYNC. */
void tombstones_put(struct op *op, struct kv_batch *b, const uint32_t *uids, size_t n);

/* reaper.c */
MUST_USE enum result reaper_start(struct store *s);
void reaper_stop(struct store *s);
/* Messages whose maybe-dead record is there; not_yet: will be soon. */
void reaper_hint(struct store *s, const uint64_t *messages, size_t n, bool not_yet);
/* Mailboxes were deleted. */
void reaper_wake(struct store *s);

/* message.c */
MUST_USE enum result message_record_read(struct store *s, uint64_t message,
                                         struct message_record *ret, struct buf *hold);

#endif
