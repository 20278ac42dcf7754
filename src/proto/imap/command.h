/* command.h: what the files of commands share: the command under way, its table entry, its reply.
 * Inside proto/imap only.
 *
 * A handler is called with its parsed command (cmd->data) until it says STEP_DONE; between calls it
 * keeps its place in cmd->data. Untagged data goes to im->out; the tagged reply is told with
 * imap_reply and sent by command.c, after what else the mailbox's changes make necessary. */
#ifndef PROTO_IMAP_COMMAND_H
#define PROTO_IMAP_COMMAND_H

#include "proto/imap/parse.h"
#include "proto/imap/seqset.h"
#include "proto/imap/sync.h"

enum { IMAP_TURN_WORK = 2 * 1024 * 1024 }; /* bytes read before others get the thread */

enum imap_step {
    STEP_DONE,  /* the reply is told */
    STEP_FLUSH, /* imap_full: go on when output has gone */
    STEP_WAIT,  /* an operation was submitted: go on with cmd->answer */
    STEP_TURN,  /* let others have the thread, then go on */
    STEP_INPUT  /* go on when there is more input (APPEND) */
};

/* The states of RFC 3501 3 in which a command is valid. */
enum { STATE_AUTHENTICATED = 1, STATE_SELECTED = 2 };
#define STATE_ANY (STATE_AUTHENTICATED | STATE_SELECTED)

enum {
    CMD_UID = 1,        /* has a UID variant */
    CMD_NO_EXPUNGE = 2, /* RFC 3501 7.4.1: no EXPUNGE while it is in progress (but with UID) */
    CMD_NO_SYNC = 4,    /* the mailbox's changes are not told at its end */
    CMD_SILENT = 8      /* IDLE: no tagged reply yet */
};

struct imap_command;

struct imap_command_spec {
    const char *name;
    uint8_t states, flags;
    /* The arguments; NULL: there are none. What fails it is told as BAD. */
    void (*parse)(struct imap_parser *p, struct imap_command *cmd);
    enum imap_step (*run)(struct imap *im, struct imap_command *cmd);
    /* What the arena doesn't hold; also when the session ends in the middle. May be NULL. */
    void (*release)(struct imap *im, struct imap_command *cmd);
};

enum imap_status { IMAP_OK, IMAP_NO, IMAP_BAD };

struct imap_command {
    struct arena arena;
    const struct imap_command_spec *spec;
    struct slice tag, name;
    bool uid;
    uint16_t uses;      /* imap_feature that its arguments turn on */
    void *data;         /* the command's own */
    enum result answer; /* of what was submitted */
    /* The reply: code is what stands in brackets, NULL: none. */
    enum imap_status status;
    const char *code, *text;
    bool own;                /* nobody asked: it has no reply (notify.c) */
    bool done;               /* the reply is told */
    bool mute;               /* the connection ends in the middle of a response */
    bool synced;             /* the handler has told the mailbox's changes itself */
    bool tell_modseq;        /* OK with HIGHESTMODSEQ, when the client has been told all */
    struct imap_quiet quiet; /* changes that the client need not be told */
};

/* One file each. */
extern const struct imap_command_spec imap_cmd_append, imap_cmd_cancelupdate, imap_cmd_capability,
    imap_cmd_check, imap_cmd_close, imap_cmd_compress, imap_cmd_copy, imap_cmd_create,
    imap_cmd_delete, imap_cmd_enable, imap_cmd_esearch, imap_cmd_examine, imap_cmd_expunge,
    imap_cmd_fetch, imap_cmd_id, imap_cmd_getmetadata, imap_cmd_idle, imap_cmd_list,
    imap_cmd_logout, imap_cmd_lsub, imap_cmd_move, imap_cmd_namespace, imap_cmd_noop,
    imap_cmd_notify, imap_cmd_rename, imap_cmd_replace, imap_cmd_search, imap_cmd_select,
    imap_cmd_setmetadata, imap_cmd_sort, imap_cmd_status, imap_cmd_store, imap_cmd_subscribe,
    imap_cmd_thread, imap_cmd_unselect, imap_cmd_unsubscribe, imap_cmd_getquota,
    imap_cmd_getquotaroot, imap_cmd_setquota;

/* The last words of a command; code and text live as long as the command. Return STEP_DONE. */
enum imap_step imap_reply(struct imap_command *cmd, enum imap_status status, const char *code,
                          const char *text);
enum imap_step imap_completed(struct imap_command *cmd);
/* NO with what a result means for mailboxes and messages. */
enum imap_step imap_failed(struct imap_command *cmd, enum result r);

/* Enough output waits. */
static inline bool imap_full(const struct imap *im)
{
    return buf_len(im->out) >= IMAP_OUT_SOFT;
}
/* An operation was submitted and the command needs its answer; returns STEP_WAIT. */
enum imap_step imap_wait(struct imap *im);

/* A message literal of APPEND or REPLACE: its header is the end of `text`. True: it is one, and the
 * command is under way with it (cmd_append.c); false: an ordinary literal. */
bool imap_append_is_message(struct slice text);

/* The session's capabilities; without "CAPABILITY". */
void imap_put_capabilities(const struct imap *im, struct buf *out);

/* Starts a command that nobody asked for; without memory, none. */
void imap_start_own(struct imap *im, struct slice text);

/* In IDLE: tells changes, waits for DONE; 0 when it is over (cmd_idle.c). */
enum imap_next imap_idle(struct imap *im);

/* Leaves the selected mailbox. */
void imap_deselect(struct imap *im);
/* Selects it, or none (failure). */
MUST_USE enum result imap_select(struct imap *im, struct slice name, bool read_only);
/* UIDs of what is \Deleted now (cmd_expunge.c), within the UID set when there is one. */
uint32_t *imap_deleted_uids(struct imap *im, struct imap_command *cmd, struct imap_seqset *within,
                            size_t *ret_n);
/* Finds the sequence set's messages in the view; false: told BAD. */
MUST_USE bool imap_resolve(struct imap *im, struct imap_command *cmd, struct imap_seqset *s);

/* ---- the saved search result (saved.c) ---- */
void imap_saved_clear(struct imap *im);
/* Takes the UIDs; false: no memory for all of them, nothing is saved. */
MUST_USE bool imap_saved_set(struct imap *im, struct imap_ranges *uids);
/* True: the set is "$" and holds the saved UIDs now. */
bool imap_saved_fill(const struct imap *im, struct arena *a, struct imap_seqset *s);

/* ---- writing (respond.c) ---- */
void imap_put_string(struct buf *out, struct slice s);  /* quoted, or a literal where it must be */
void imap_put_astring(struct buf *out, struct slice s); /* bare where it can be */
/* A name as the client reads them: in UTF-8, or modified UTF-7. */
void imap_put_mailbox(struct imap *im, struct slice name);
/* "MAILBOXID (F1f)" and the like (RFC 8474). */
void imap_put_object_id(struct buf *out, const char *name, char kind, uint64_t id);
void imap_put_flags(struct buf *out, const struct imap_ops *ops, const struct imap_view *v,
                    uint8_t flags, uint64_t keywords); /* with parentheses */
/* "* 3 FETCH (", of the message with that sequence number. */
void imap_put_fetch_head(struct imap *im, uint32_t seq, const struct imap_entry *e);
/* "MODSEQ (7)" */
void imap_put_modseq(struct buf *out, uint64_t modseq);
/* "* 3 FETCH (FLAGS (...))", with UID and MODSEQ where the client expects them. */
void imap_put_flags_response(struct imap *im, const struct imap_view *v, uint32_t seq,
                             const struct imap_entry *e, bool uid);
/* The bit of a keyword that the view knows (case does not count), or 64. */
uint32_t imap_find_keyword(const struct imap_ops *ops, const struct imap_view *v,
                           struct slice name);
/* "* FLAGS (...)", and what may be changed. */
void imap_put_flag_lists(struct imap *im, bool permanent);

#endif
