/* imap.h: IMAP after the login (RFC 3501 and extensions, see capability.c) as a state machine
 * without I/O and without a store.
 *
 * Who calls it: role/mailbox/imap.c, the fuzzer and the tests. The driver owns the input bytes and
 * the output buffer:
 *
 *     imap_open(&im, config, ops, ctx, tag, &out);
 *     for (;;) {
 *         struct slice in = buf_slice(&input);
 *         enum imap_next next = imap_run(&im, &in, &out);
 *         buf_consume(&input, buf_len(&input) - in.len);
 *         … wait for what `next` says …
 *     }
 *
 * How it works: reader.c finds the commands in the input; command.c looks each up in its table,
 * lets its parser make a struct of it (in an arena that ends with the command) and runs its handler
 * (cmd_*.c), which may stop where output is full or an answer is awaited and is called again. What
 * it needs of the world it calls in struct imap_ops: reads answer at once; writes are submitted and
 * answered later by imap_answer, so a tagged OK follows durability. A selected session holds one
 * view, an immutable picture of the mailbox in which sequence numbers mean what the client thinks
 * that they mean; sync.c moves it to the newest one where RFC 3501 7.4.1 allows it. An idle session
 * holds its struct, its view and, in IDLE, a tag. */
#ifndef PROTO_IMAP_IMAP_H
#define PROTO_IMAP_IMAP_H

#include "base/buf.h"
#include "proto/imap/reader.h"

enum {
    IMAP_COMMAND_MAX = 64 * 1024, /* a command with its literals, but APPEND's message */
    IMAP_IN_MAX = 80 * 1024,      /* the least maximum of the driver's input buffer */
    IMAP_OUT_SOFT = 256 * 1024,   /* with so much waiting to be written no more is produced */
    IMAP_OUT_MAX = 1024 * 1024,   /* the least maximum of the driver's output buffer */
    IMAP_PIECE = 64 * 1024,       /* most bytes of a message that are read at a time */
    IMAP_SUMMARY_BATCH = 64       /* most summaries that are asked for at a time */
};

/* ---- the world, as the core sees it ---- */

struct imap_mailbox; /* the driver's: a handle of a mailbox */
struct imap_view;    /* the driver's: an immutable picture of one */

/* The same bits as store.h's. */
enum imap_flag {
    IMAP_SEEN = 1,
    IMAP_ANSWERED = 2,
    IMAP_FLAGGED = 4,
    IMAP_DELETED = 8,
    IMAP_DRAFT = 16
};
enum imap_mailbox_attr {
    IMAP_NOSELECT = 1,
    IMAP_SUBSCRIBED = 2,
    IMAP_DRAFTS = 4,
    IMAP_SENT = 8,
    IMAP_JUNK = 16,
    IMAP_TRASH = 32,
    IMAP_ARCHIVE = 64,
    IMAP_ALL = 128,
    IMAP_FLAGGED_BOX = 256,
    IMAP_SPECIAL = 4 | 8 | 16 | 32 | 64 | 128 | 256,
    IMAP_NONEXISTENT = 512 /* subscribed, but not there any more */
};

struct imap_mailbox_info {
    struct slice name; /* UTF-8, the separator between levels */
    unsigned attrs;
    bool has_children;
};

struct imap_entry { /* laid out like store.h's struct entry */
    uint32_t uid;
    uint8_t flags;
    uint64_t keywords; /* bit i: the view's keyword i */
    uint64_t modseq;
    int64_t internaldate; /* seconds since 1970 UTC */
    uint64_t size;
    uint64_t message;
    int64_t savedate; /* when it came into the mailbox; 0: unknown */
};

struct imap_view_info {
    uint32_t count, uidvalidity, uidnext, unseen, first_unseen, keywords;
    uint64_t highest_modseq, bytes;
};

struct imap_change {
    enum { IMAP_FLAGS_SET, IMAP_FLAGS_ADD, IMAP_FLAGS_REMOVE } op;
    uint8_t flags;
    uint64_t keywords;
    uint64_t unchanged_since; /* UINT64_MAX: whatever it is */
};

struct imap_append {
    struct slice mailbox;
    uint8_t flags;
    const struct slice *keywords;
    size_t n_keywords;
    int64_t internaldate; /* 0: now */
    uint64_t size;
    struct imap_mailbox *replaced; /* NULL, or of which that message goes in the same batch */
    uint32_t replaced_uid;
};

enum { IMAP_METADATA_NAME_MAX = 256 };

struct imap_metadata {        /* laid out like store.h's struct metadata */
    struct slice name, value; /* value.data == NULL: there is none */
};

/* Of the account's one quota root; UINT64_MAX: no limit. */
struct imap_quota {
    struct slice root; /* lives as long as the session */
    uint64_t bytes, bytes_max, messages, messages_max;
};

/* ctx is what imap_open was given. Names are UTF-8. Those marked "submits" answer OK when the
 * operation is under way, and the driver calls imap_answer when it has ended; any other result is
 * the answer. */
struct imap_ops {
    /* Mailboxes. */
    enum result (*list)(void *ctx, bool (*each)(void *arg, const struct imap_mailbox_info *m),
                        void *arg);
    enum result (*create)(void *ctx, struct slice name, unsigned special_use);
    enum result (*remove)(void *ctx, struct slice name);
    enum result (*rename)(void *ctx, struct slice from, struct slice to);
    enum result (*subscribe)(void *ctx, struct slice name, bool on);
    /* NOT_FOUND; DENIED: it can't be selected. */
    enum result (*open)(void *ctx, struct slice name, struct imap_mailbox **ret);
    void (*close)(void *ctx, struct imap_mailbox *m);
    /* A number that it keeps when it is renamed. */
    uint64_t (*mailbox_id)(const struct imap_mailbox *m);
    /* The name that it has now, appended; NOT_FOUND: it was deleted. */
    enum result (*mailbox_name)(void *ctx, struct imap_mailbox *m, struct buf *out);
    /* Views: a reference to the newest. NOT_FOUND: the mailbox was deleted. */
    enum result (*view)(void *ctx, struct imap_mailbox *m, struct imap_view **ret);
    void (*view_release)(struct imap_view *v);
    void (*view_info)(const struct imap_view *v, struct imap_view_info *ret);
    /* seq from 1 to count. */
    const struct imap_entry *(*entry)(const struct imap_view *v, uint32_t seq);
    /* Sequence number of the uid, or of the first one above it (count + 1: none). */
    uint32_t (*seek)(const struct imap_view *v, uint32_t uid);
    struct slice (*keyword)(const struct imap_view *v, uint32_t bit);
    /* `gone` with old sequence numbers, highest first; then `changed` with new ones. */
    void (*diff)(const struct imap_view *from, const struct imap_view *to,
                 void (*gone)(void *arg, uint32_t old_seq, uint32_t uid),
                 void (*changed)(void *arg, uint32_t new_seq, const struct imap_entry *e),
                 void *arg);
    /* UIDs that were expunged after that MODSEQ, ascending; CONFLICT: that history is not kept. */
    enum result (*vanished)(void *ctx, struct imap_mailbox *m, uint64_t since_modseq,
                            void (*each)(void *arg, uint32_t uid), void *arg);
    /* Between the two, the driver calls imap_run whenever m has a newer view. */
    void (*watch)(void *ctx, struct imap_mailbox *m);
    void (*unwatch)(void *ctx, struct imap_mailbox *m);
    /* Changes. The bit of a keyword, made when missing; LIMIT. */
    enum result (*keyword_bit)(void *ctx, struct imap_mailbox *m, struct slice name,
                               uint32_t *ret_bit);
    /* Submits. uids are read before it returns. `refused` is called before it returns. */
    enum result (*change)(void *ctx, struct imap_mailbox *m, const struct imap_change *c,
                          const uint32_t *uids, size_t n, void (*refused)(void *arg, uint32_t uid),
                          void *arg);
    enum result (*expunge)(void *ctx, struct imap_mailbox *m, const uint32_t *uids, size_t n);
    enum result (*copy)(void *ctx, struct imap_mailbox *from, struct imap_mailbox *to, bool move,
                        const uint32_t *uids, size_t n, uint32_t *ret_uids,
                        uint32_t *ret_uidvalidity);
    /* Messages. each is called in order, with summary.data == NULL where there is none any more. */
    enum result (*summaries)(void *ctx, const uint64_t *messages, size_t n,
                             void (*each)(void *arg, size_t i, struct slice summary), void *arg);
    enum result (*read)(void *ctx, uint64_t message, uint64_t from, uint64_t len, struct buf *out);
    /* APPEND: one at a time. NOT_FOUND: no such mailbox; LIMIT: over quota. append_end submits;
     * the numbers are there when it was answered OK. CONFLICT: the message to be replaced is gone.
     * After a failure of begin, write or end the message is forgotten already. */
    enum result (*append_begin)(void *ctx, const struct imap_append *a);
    enum result (*append_write)(void *ctx, struct slice bytes);
    enum result (*append_end)(void *ctx, uint32_t *ret_uidvalidity, uint32_t *ret_uid);
    void (*append_abandon)(void *ctx);
    /* Annotations of a mailbox, or with "" of the account; each may be asked to write all. */
    enum result (*metadata)(void *ctx, struct slice mailbox,
                            void (*each)(void *arg, struct slice name, struct slice value),
                            void *arg);
    enum result (*set_metadata)(void *ctx, struct slice mailbox, const struct imap_metadata *items,
                                size_t n);
    /* Seconds since 1970. */
    int64_t (*now)(void *ctx);
    /* The account as a whole: between the two, the driver calls imap_run whenever something in it
     * changes; account_changed says whether anything did since it was asked last. */
    void (*watch_account)(void *ctx);
    void (*unwatch_account)(void *ctx);
    bool (*account_changed)(void *ctx);
    /* A mailbox's numbers without its messages: count, uidvalidity, uidnext, unseen,
     * highest_modseq, bytes; and its number. */
    enum result (*status)(void *ctx, struct slice name, struct imap_view_info *ret,
                          uint64_t *ret_id);
    /* The account's quota. */
    enum result (*quota)(void *ctx, struct imap_quota *ret);
    /* Something for the log: what the client told with ID. */
    void (*client_id)(void *ctx, struct slice text);
};

/* ---- a session ---- */

/* What a client has turned on (RFC 5161), by ENABLE or by using it; for good. */
enum imap_feature {
    IMAP_CONDSTORE = 1, /* RFC 7162 3.1: FETCH responses name the MODSEQ */
    IMAP_QRESYNC = 2,   /* RFC 7162 3.2: VANISHED instead of EXPUNGE, and the UID */
    IMAP_REV2 = 4,      /* RFC 9051: IMAP4rev2 */
    IMAP_UTF8 = 8,      /* RFC 6855: UTF-8 in quoted strings and names */
    IMAP_UIDONLY = 16   /* RFC 9586: no sequence numbers */
};

struct imap_config {
    uint64_t append_max; /* message_size_limit, 0: none */
    unsigned max_bad;    /* so many bad commands in a row end the session; 0: 20 */
    uint32_t save_max;   /* messages of one COPY (RFC 9738: SAVELIMIT), 0: no limit */
    bool quota;          /* QUOTA is served (RFC 9208) */
    char separator;      /* between levels, in the names that client and ops know; 0: '/' */
    struct slice prefix; /* that NAMESPACE tells (RFC 2342) */
};

static inline char imap_separator(const struct imap_config *c)
{
    return c->separator ? c->separator : '/';
}

struct imap_command;
struct imap_sync;
struct imap_notify;
struct imap_context;
struct imap_ranges;

/* Fields are the core's own. */
struct imap {
    const struct imap_config *config;
    const struct imap_ops *ops;
    void *ctx;
    struct imap_reader reader;
    struct imap_command *command;  /* under way */
    struct imap_sync *sync;        /* under way */
    struct imap_mailbox *mailbox;  /* selected */
    struct imap_view *view;        /* as the client knows it */
    struct imap_ranges *saved;     /* "$": UIDs */
    struct imap_notify *notify;    /* NULL: none */
    struct imap_context *contexts; /* searches that are kept up to date */
    uint32_t keywords_told;        /* how many of its keywords FLAGS has named */
    uint16_t bad;
    uint16_t enabled; /* imap_feature */
    bool read_only, closing;
    bool pending;    /* something was submitted and has no answer yet */
    bool waiting;    /* the command can't go on before that */
    bool compressed; /* or will be, when the driver was told (compress) */
    bool compress;
    char *idle_tag;   /* in IDLE */
    struct slice *in; /* of imap_run, while it runs */
    struct buf *out;
};

enum imap_next {
    IMAP_NEED_INPUT = 1,   /* more bytes from the client (or a newer view, while watched) */
    IMAP_NEED_FLUSH,       /* write `out` (at least below IMAP_OUT_SOFT), then run again */
    IMAP_NEED_ANSWER,      /* a submitted operation: run again after imap_answer */
    IMAP_NEED_COMPRESSION, /* write `out`, compress both directions (RFC 4978), then run again */
    IMAP_NEED_TURN,        /* nothing: let others have the thread, then run again */
    IMAP_NEED_CLOSE        /* write `out`, then close */
};

/* Writes the OK of the login command with that tag, or a PREAUTH greeting when it is "". */
void imap_open(struct imap *im, const struct imap_config *config, const struct imap_ops *ops,
               void *ctx, struct slice tag, struct buf *out);
/* Nothing may be under way. */
void imap_release(struct imap *im);
/* out: a buffer with a maximum of IMAP_OUT_MAX or more. */
MUST_USE enum imap_next imap_run(struct imap *im, struct slice *in, struct buf *out);
/* The submitted operation has ended. */
void imap_answer(struct imap *im, enum result r);
/* "* BYE text"; then write and close. Not in the middle of a literal: then nothing is written. */
void imap_bye(struct imap *im, const char *text, struct buf *out);

#endif
