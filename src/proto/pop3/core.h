/* core.h: what the files of the POP3 core share: states, the shape of a command, replies. Internal.
 */
#ifndef PROTO_POP3_CORE_H
#define PROTO_POP3_CORE_H

#include "proto/pop3/pop3.h"

enum pop3_state {
    POP3_AUTHORIZATION,
    POP3_TRANSACTION,
    POP3_HANDED_OVER, /* mailbox has the connection */
    POP3_ENDED        /* close when the output has gone; UPDATE is over or never was */
};

/* Where a command may stand. */
enum { IN_AUTHORIZATION = 1, IN_TRANSACTION = 2 };

/* What the next line of the client is. */
enum { LINE_COMMAND, LINE_AUTH_RESPONSE };

/* An answer of several lines. */
enum { MULTI_NONE, MULTI_LIST, MULTI_UIDL, MULTI_MESSAGE };

/* Runs on whole, checked lines in a state that the table allows. WANT_INPUT: done, take the next
 * line. */
typedef enum pop3_want pop3_command_fn(struct pop3 *p, struct slice args, struct buf *out,
                                       struct pop3_request *ret);

pop3_command_fn pop3_cmd_user, pop3_cmd_pass, pop3_cmd_auth, pop3_cmd_capa, pop3_cmd_stls,
    pop3_cmd_stat, pop3_cmd_list, pop3_cmd_uidl, pop3_cmd_retr, pop3_cmd_top, pop3_cmd_dele,
    pop3_cmd_noop, pop3_cmd_rset, pop3_cmd_quit;

/* A line of an AUTH exchange. */
pop3_command_fn pop3_auth_response;
/* An exchange that the client broke: "-ERR text", and the driver is told. */
enum pop3_want pop3_auth_break(struct pop3 *p, const char *text, struct buf *out);

/* "+OK text" and "-ERR text". */
void pop3_ok(struct buf *out, const char *text);
void pop3_err(struct buf *out, const char *text);
/* A command that is no command, or not now: too many of them end the session. */
enum pop3_want pop3_bad(struct pop3 *p, const char *text, struct buf *out);

/* A message number that is there and not marked; writes the refusal otherwise. */
MUST_USE bool pop3_number(struct pop3 *p, struct slice text, struct buf *out, uint32_t *ret);
/* Goes on with a list until it is complete or enough waits. */
void pop3_list_more(struct pop3 *p, struct buf *out);
/* The next piece of the message that is being sent. */
enum pop3_want pop3_message_more(struct pop3 *p, struct pop3_request *ret);

/* Enough output waits. */
bool pop3_full(const struct pop3 *p, const struct buf *out);
/* Forgets secrets. */
void pop3_wipe(struct buf *b);

#endif
