/* control.h: the command line's questions and orders, over the control socket in state_directory.
 */
#ifndef ROLE_MAILBOX_CONTROL_H
#define ROLE_MAILBOX_CONTROL_H

#include "ipc/ipc.h"

struct control;
struct mailbox_role;

/* Takes the listening fd. */
MUST_USE enum result control_new(int listen_fd, struct control **ret);
/* Begins to answer; c may be NULL (no socket: tests). */
MUST_USE enum result control_start(struct mailbox_role *m, struct control *c, struct error *err);
/* Before the role waits for its helper threads: no command is begun on one any more. */
void control_stop(struct control *c);
void control_free(struct control *c);

/* One command being answered. Freed by control_end. */
struct control_call {
    struct mailbox_role *mailbox;
    struct control_client *client;
    struct ipc_channel *channel;
    uint64_t call;
    int fd;         /* came with the command; -1: none */
    struct buf out; /* sent in pieces as it grows */
    bool waits;     /* on a helper thread, where a reader that is slow is waited for */
    bool cut;       /* part of the output is lost, the rest is not sent */
};
/* Sends what has gathered, when it is enough for a packet. False: more is of no use, since nobody
 * reads it or the server stops. */
bool control_flush_some(struct control_call *c);
/* Sends the rest and the end: status 0, or 1 and the reason. Frees c. */
void control_end(struct control_call *c, unsigned status, const char *error);

/* Goes on with run(c, words, n), the words copied, on a helper thread: for commands that read much
 * or say much. */
typedef void control_command_fn(struct control_call *c, const struct slice *words, size_t n);
void control_later(struct control_call *c, control_command_fn *run, const struct slice *words,
                   size_t n);

/* The commands: words without the command itself. Each ends with control_end. */
control_command_fn control_queue, control_mailbox, control_status, control_import, control_sessions,
    control_auth, control_names, control_trace, control_quota, control_change, control_explain,
    control_tls_report;

/* control_mailq.c: each ends with control_end. */
void control_mailq(struct control_call *c, bool as_json);
void control_ids(struct control_call *c);
/* control_message.c, likewise */
void control_envelope(struct control_call *c, uint64_t message);
void control_bytes(struct control_call *c, uint64_t message, struct slice from);
/* control_summary.c, likewise */
void control_summary(struct control_call *c, bool as_json);
void control_flush_site(struct control_call *c, struct slice name);

#endif
