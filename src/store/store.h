/* store.h: accounts, mailboxes, messages, flags and changes, on kv/.
 *
 * Who calls it: role/mailbox (delivery, POP3, IMAP, command line) and offline checks.
 *
 * How it works: messages are stored once; a mailbox holds references to them (UID -> message).
 * Every change of a mailbox gets a MODSEQ. What sessions see is a `struct view`: one immutable,
 * reference-counted picture of a mailbox at a MODSEQ, shared by all its sessions; the newest one is
 * made when it is asked for, sharing all unchanged parts with the one before. A session that
 * catches up compares its view with the newest (view_diff) and needs no queue of its own.
 *
 * Writes are prepared under the account's lock, which is not held while the disk works, and end in
 * a call of `done` from the commit thread after the fdatasync (it must not block: io_wake and
 * copy). Views show a change only once it is durable. Reads are direct. All functions are
 * thread-safe. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "base/list.h"
#include "kv/kv.h"

struct store;
struct account; /* reference-counted handle */
struct mailbox; /* reference-counted handle; stays valid (but dead) when the mailbox is deleted */
struct view;

typedef void store_done_fn(void *arg, enum result r);

/* What an account may hold when something more comes into a mailbox of it. */
struct store_limits {
    uint64_t bytes, messages; /* of the account; UINT64_MAX: no limit */
    uint64_t grace;           /* bytes above, for a delivery to an account below the limit */
    bool uncounted;           /* what is in this mailbox does not count */
    bool some_uncounted;      /* there are mailboxes that do not count */
};
/* Who knows that; NULL functions: there are no limits. Called under the account's lock; must not
 * block. Delivery, APPEND and COPY into a mailbox of the account above it answer LIMIT, and MOVE
 * where the limits of both mailboxes differ. */
struct store_quota {
    void *arg;
    void (*limits)(void *arg, struct slice account, struct slice mailbox, struct store_limits *ret);
    bool (*counted)(void *arg, struct slice account, struct slice mailbox);
};

struct store_options {
    struct store_quota quota;
    size_t view_cache_bytes; /* for views that no session uses; 0: 16 MiB */
    uint64_t trace_lifetime; /* seconds that journeys are kept (trace/trace.h); 0: none */
    bool read_only;          /* for offline checks: on a read-only kv, no reaper */
};

MUST_USE enum result store_open(struct kv *kv, const struct store_options *o, struct store **ret,
                                struct error *err);
/* Waits for the background reaper; no call may be under way. */
void store_close(struct store *s);
struct kv *store_kv(struct store *s);
/* After a reload. */
void store_trace(struct store *s, uint64_t lifetime);
/* Is this message's journey to be written? For those who add to a delivery's batch. */
bool store_traces(const struct store *s, uint64_t message);
/* Waits until the reaper has given back all that it knows of. For tools and tests. */
void store_settle(struct store *s);

/* The mailboxes that an account is made with, beside INBOX: names as below, and MAILBOX_
 * attributes. They replace those before (at first: Archive, Drafts, Junk, Sent, Trash); at most
 * STORE_FOLDERS_MAX. FAILED: no memory. */
enum { STORE_FOLDERS_MAX = 100 };
struct store_folder {
    struct slice name;
    unsigned attrs;
};
MUST_USE enum result store_set_folders(struct store *s, const struct store_folder *folders,
                                       size_t n);

struct store_stats {
    uint64_t accounts_in_memory, changes_in_flight, cached_view_bytes;
    uint64_t damaged_records; /* skipped since the start because they could not be read */
};
void store_stats_get(struct store *s, struct store_stats *ret);

/* ---- accounts ---- */

/* The account's store, made with INBOX and the mailboxes of store_set_folders on first use: name is
 * what auth calls it (1 to 255 bytes). May wait for a commit the first time. */
MUST_USE enum result account_open(struct store *s, struct slice name, struct account **ret);
void account_unref(struct account *a);
struct slice account_name(const struct account *a);
/* Removes everything of the account. Waits for the commit. */
MUST_USE enum result account_delete(struct store *s, struct slice name);
MUST_USE enum result account_list(struct store *s, void (*each)(void *arg, struct slice name),
                                  void *arg);
/* The limits, and what counts for them. */
MUST_USE enum result account_quota(struct account *a, struct store_limits *ret_limits,
                                   uint64_t *ret_bytes, uint64_t *ret_messages);
/* Would one more message be taken? LIMIT: no. Another delivery may come between. */
MUST_USE enum result account_admits(struct account *a, struct slice mailbox, uint64_t bytes,
                                    bool may_exceed);
MUST_USE enum result account_usage(struct account *a, uint64_t *ret_bytes, uint64_t *ret_messages);

/* ---- mailboxes ----
 * Names are UTF-8 with '/' between levels; "INBOX" in any case is INBOX. 1 to 1000 bytes, no
 * control characters. These wait for their commit (they are rare). */

enum mailbox_attr {
    MAILBOX_NOSELECT = 1, /* only a level of the hierarchy */
    MAILBOX_SUBSCRIBED = 2,
    MAILBOX_DRAFTS = 4,
    MAILBOX_SENT = 8,
    MAILBOX_JUNK = 16,
    MAILBOX_TRASH = 32,
    MAILBOX_ARCHIVE = 64,
    MAILBOX_ALL = 128,
    MAILBOX_FLAGGED = 256,
    MAILBOX_SPECIAL = 4 | 8 | 16 | 32 | 64 | 128 | 256,
    MAILBOX_NONEXISTENT = 512, /* subscribed, but not there any more */
    MAILBOX_ADOPTED = 1024     /* came from another server: mailbox_uidls may have something */
};

struct mailbox_info {
    struct slice name;
    uint64_t id;
    unsigned attrs;
    bool has_children;
    uint32_t uidvalidity;
};

/* In hierarchy order; slices live for the call. `each` returns false to stop. */
MUST_USE enum result mailbox_list(struct account *a,
                                  bool (*each)(void *arg, const struct mailbox_info *m), void *arg);
MUST_USE enum result mailbox_open(struct account *a, struct slice name, struct mailbox **ret);
void mailbox_unref(struct mailbox *m);
uint64_t mailbox_id(const struct mailbox *m);
/* What STATUS asks for, as durable, without loading the entries. NOT_FOUND when it was deleted. */
struct mailbox_status {
    uint32_t count, unseen, uidnext, uidvalidity;
    uint64_t highest_modseq, bytes;
};
MUST_USE enum result mailbox_status(struct mailbox *m, struct mailbox_status *ret);
/* The name that it has now; appended to out. NOT_FOUND when it was deleted. */
MUST_USE enum result mailbox_name(struct mailbox *m, struct buf *out);
/* Makes missing parents (RFC 3501 6.3.3). EXISTS, INVALID, LIMIT. */
MUST_USE enum result mailbox_create(struct account *a, struct slice name, unsigned special_use);
/* One with children becomes NOSELECT (RFC 3501 6.3.4); INBOX: DENIED. */
MUST_USE enum result mailbox_delete(struct account *a, struct slice name);
/* Children move along; INBOX: its messages move and INBOX stays (RFC 3501 6.3.5). */
MUST_USE enum result mailbox_rename(struct account *a, struct slice from, struct slice to);
MUST_USE enum result mailbox_subscribe(struct account *a, struct slice name, bool on);

/* ---- annotations (RFC 5464) ----
 * Of a mailbox, or of the account itself ("" for the mailbox). Names are bytes to the store. */

enum {
    METADATA_NAME_MAX = 256,
    METADATA_ENTRIES_MAX = 1000,    /* of one mailbox … */
    METADATA_BYTES_MAX = 256 * 1024 /* … and all their names and values */
};
struct metadata {
    struct slice name, value; /* value.data == NULL: there is none */
};
/* In order of their names; slices live for the call. NOT_FOUND: no such mailbox. */
MUST_USE enum result metadata_each(struct account *a, struct slice mailbox,
                                   void (*each)(void *arg, struct slice name, struct slice value),
                                   void *arg);
/* All or none; waits for the commit. LIMIT: too many or too large; INVALID: a name's length. */
MUST_USE enum result metadata_set(struct account *a, struct slice mailbox,
                                  const struct metadata *items, size_t n);

/* ---- mailboxes of another server (import) ---- */

/* Gives a mailbox, made when missing, what it had there. As long as no message was ever in it, it
 * takes the UIDVALIDITY; where that is (or was) taken, UIDNEXT is raised to uidnext. attrs:
 * MAILBOX_SUBSCRIBED and special uses are added. May wait for a commit; `done` follows the second.
 * *ret is how it stands then. INVALID: the name. */
struct mailbox_origin {
    struct slice mailbox;
    uint32_t uidvalidity, uidnext; /* 0: unknown */
    unsigned attrs;
};
MUST_USE enum result mailbox_adopt(struct account *a, const struct mailbox_origin *o,
                                   struct mailbox_status *ret, store_done_fn *done, void *arg);
/* Calls each with the uid and UIDL of messages that brought one along, in order of their uids
 * (expunged ones included). Cheap for mailboxes that were not adopted. */
MUST_USE enum result mailbox_uidls(struct mailbox *m,
                                   void (*each)(void *arg, uint32_t uid, struct slice uidl),
                                   void *arg);

/* ---- messages ---- */

enum message_flag {
    FLAG_SEEN = 1,
    FLAG_ANSWERED = 2,
    FLAG_FLAGGED = 4,
    FLAG_DELETED = 8,
    FLAG_DRAFT = 16
};
enum { KEYWORDS_MAX = 64, KEYWORD_LENGTH_MAX = 64 };

/* What a mailbox knows of one message. */
struct entry {
    uint32_t uid;
    uint8_t flags;     /* message_flag */
    uint64_t keywords; /* bit i: the mailbox's keyword i */
    uint64_t modseq;
    int64_t internaldate; /* seconds since 1970 UTC */
    uint64_t size;        /* bytes with CRLF */
    uint64_t message;     /* the stored message */
    int64_t savedate;     /* when it came into this mailbox, seconds since 1970 UTC; 0: unknown */
};

/* The newest durable state. Cheap when nothing changed. The view is the caller's reference. */
MUST_USE enum result mailbox_view(struct mailbox *m, struct view **ret);
struct view *view_ref(struct view *v);
void view_unref(struct view *v);
uint32_t view_count(const struct view *v);
/* seq from 1 to view_count. */
const struct entry *view_entry(const struct view *v, uint32_t seq);
/* Sequence number of the uid, or of the first one above it (view_count + 1: none). */
uint32_t view_seek(const struct view *v, uint32_t uid);
uint32_t view_uidvalidity(const struct view *v);
uint32_t view_uidnext(const struct view *v);
uint64_t view_highest_modseq(const struct view *v);
uint32_t view_unseen(const struct view *v);       /* how many */
uint32_t view_first_unseen(const struct view *v); /* sequence number, 0: none */
uint64_t view_bytes(const struct view *v);
uint32_t view_keyword_count(const struct view *v);
struct slice view_keyword(const struct view *v, uint32_t i);

/* What changed from old to new, in this order: `gone` with the old sequence number, highest first,
 * so that each is what a client that applies them one by one would count; then `changed` (flags)
 * with the new sequence number; new arrivals are those behind. Parts that both share are skipped
 * whole. NULL callbacks are skipped. */
void view_diff(const struct view *old_view, const struct view *new_view,
               void (*gone)(void *arg, uint32_t old_seq, uint32_t uid),
               void (*changed)(void *arg, uint32_t new_seq, const struct entry *e), void *arg);
/* UIDs expunged after modseq, ascending (QRESYNC VANISHED). CONFLICT: that history is no longer
 * kept. */
MUST_USE enum result mailbox_vanished(struct mailbox *m, uint64_t since_modseq,
                                      void (*each)(void *arg, uint32_t uid), void *arg);

/* Notices "the mailbox has a newer view" (called from the commit thread; must not block). */
struct mailbox_watch {
    struct list_node node;
    void (*changed)(struct mailbox_watch *w);
};
void mailbox_watch(struct mailbox *m, struct mailbox_watch *w);
/* After it returns, `changed` is not running and will not run. */
void mailbox_unwatch(struct mailbox *m, struct mailbox_watch *w);

/* Notices "something in the account has changed": messages, names, subscriptions, annotations. As
 * above. */
struct account_watch {
    struct list_node node;
    void (*changed)(struct account_watch *w);
};
void account_watch(struct account *a, struct account_watch *w);
void account_unwatch(struct account *a, struct account_watch *w);

/* Change of flags: on the entries with these uids (those that are gone are skipped). keywords: bits
 * of the mailbox's keywords, resolved by mailbox_keyword. unchanged_since: UINT64_MAX, or RFC 7162:
 * entries above it are left alone and reported to `refused` (called before return). */
enum flag_op { FLAGS_SET, FLAGS_ADD, FLAGS_REMOVE };
/* The bit of a keyword, made when missing (with the next change). LIMIT: all 64 are in use. */
MUST_USE enum result mailbox_keyword(struct mailbox *m, struct slice name, uint32_t *ret_bit);
MUST_USE enum result mailbox_store_flags(struct mailbox *m, enum flag_op op, uint8_t flags,
                                         uint64_t keywords, const uint32_t *uids, size_t n,
                                         uint64_t unchanged_since,
                                         void (*refused)(void *arg, uint32_t uid),
                                         store_done_fn *done, void *arg);
/* Removes the entries; only_deleted: of these only those with \Deleted. The bytes of a message
 * go when nothing refers to them any more. Takes the disk's reserve. */
MUST_USE enum result mailbox_expunge(struct mailbox *m, const uint32_t *uids, size_t n,
                                     bool only_deleted, store_done_fn *done, void *arg);
/* Copies (move: and removes) entries to a mailbox of the same account, flags, keywords and
 * internal date kept. ret_uids[i] (n of them, the caller's; 0 where the source was gone) is filled
 * before return; *ret_uidvalidity of the target. One batch. */
MUST_USE enum result mailbox_copy(struct mailbox *from, struct mailbox *to, bool move,
                                  const uint32_t *uids, size_t n, uint32_t *ret_uids,
                                  uint32_t *ret_uidvalidity, store_done_fn *done, void *arg);

/* ---- reading a message ----
 * summary: the bytes that mime/summary.h made at delivery, as they are. */
MUST_USE enum result message_summary(struct store *s, uint64_t message, struct buf *out);
/* Many at once (FETCH 1:* ENVELOPE): calls each with i and the summary, in order. */
MUST_USE enum result message_summaries(struct store *s, const uint64_t *messages, size_t n,
                                       void (*each)(void *arg, size_t i, struct slice summary),
                                       void *arg);
/* Bytes [from, from+len), clamped, appended to out. */
MUST_USE enum result message_read(struct store *s, uint64_t message, uint64_t from, uint64_t len,
                                  struct buf *out);
MUST_USE enum result message_size(struct store *s, uint64_t message, uint64_t *ret);

/* ---- delivery and APPEND: one durable batch ---- */

/* A message on its way in: its bytes are taken in pieces, so that memory stays bounded; up to 64
 * KiB stay with the batch, more streams out as blobs. Belongs to one thread. */
struct delivery;
/* id: the message's id (log_id_new) which also names it in the log; also the `message` of its
 * entries. */
MUST_USE enum result delivery_new(struct store *s, uint64_t id, struct delivery **ret);
MUST_USE enum result delivery_write(struct delivery *d, struct slice bytes);
void delivery_summary(struct delivery *d, struct slice summary);
/* One reference: into `mailbox` of the account. The same mailbox
 * added twice counts once. internaldate 0: now. ret_uid may be NULL; it is filled by
 * delivery_submit. */
struct delivery_target {
    struct account *account;
    struct slice mailbox; /* created when missing, except on APPEND */
    uint8_t flags;
    const struct slice *keywords;
    size_t n_keywords;
    int64_t internaldate;
    bool must_exist;
    bool may_exceed; /* the account's limit, by its grace */
    /* Import of a message that another server kept: `origin` names it there (1 to 200 bytes). One
     * of the same origin in the mailbox: EXISTS. uid: kept when it is not below UIDNEXT. uidl: 1 to
     * 70 bytes, what POP3 clients know it by, or empty. No quota. */
    struct slice origin, uidl;
    uint32_t uid;
    uint32_t *ret_uid, *ret_uidvalidity;
};
MUST_USE enum result delivery_add(struct delivery *d, const struct delivery_target *t);
/* The batch itself, for the queue's own records (queue/queue.h): they join the same commit. Refers
 * to the message's bytes with delivery_hold, which is a reference like a mailbox's. */
struct kv_batch *delivery_batch(struct delivery *d);
void delivery_hold(struct delivery *d, struct slice holder_key);
/* With it a message of m goes, whatever its flags, in the same commit; one of d's targets is of m's
 * account. */
void delivery_replace(struct delivery *d, struct mailbox *m, uint32_t uid);
/* Submits all. Takes d. CONFLICT: what it is to replace is not there any more. FULL, LIMIT (quota),
 * FAILED: nothing happened and done is not called. */
MUST_USE enum result delivery_submit(struct delivery *d, store_done_fn *done, void *arg);
void delivery_abandon(struct delivery *d);
/* Takes a holder's reference away, in the holder's own batch; the reaper does the rest. */
void message_release(struct store *s, struct kv_batch *b, uint64_t message,
                     struct slice holder_key);

#endif
