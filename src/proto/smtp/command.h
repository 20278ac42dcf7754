/* command.h: what the commands' files share: the table, the states, the ways to reply. For this
 * folder alone. */
#ifndef PROTO_SMTP_COMMAND_H
#define PROTO_SMTP_COMMAND_H

#include "proto/smtp/session.h"

enum smtp_state {
    STATE_COMMAND, /* the next line is a command */
    STATE_AUTH,    /* the next line is a client's response in an AUTH exchange */
    STATE_DATA,    /* message bytes until CRLF.CRLF */
    STATE_CHUNK    /* chunk_left message bytes (BDAT) */
};

/* When a command may come. The first rule that is broken gives the reply. */
enum command_rule {
    BEFORE_TLS = 1,  /* even where TLS is required (RFC 3207 4) */
    NEEDS_HELO = 2,  /* after EHLO, HELO or LHLO (where helo_required says so) */
    NEEDS_AUTH = 4,  /* submission: after AUTH (RFC 6409 4.3) */
    NEEDS_MAIL = 8,  /* in a transaction */
    NEEDS_RCPT = 16, /* with a recipient that was accepted */
    NO_MAIL = 32,    /* not in a transaction */
    NO_ARGUMENT = 64,
    JUNK = 128,      /* harmless, but not by the thousand */
    LMTP_ONLY = 256, /* RFC 2033 4.1 */
    NOT_LMTP = 512,
    IN_CHUNKS = 1024,     /* goes on while BDAT chunks come */
    CHECKS_ITSELF = 2048, /* NEEDS_* are checked by the handler, since bytes follow that must go */
    COMES_LAST = 4096,    /* of a group of pipelined commands (RFC 2920 3.1) */
    NOT_NESTED = 8192,    /* NO_MAIL in the words for MAIL itself */
    BARE_CODES = 16384    /* refusals have no enhanced status (RFC 1985 is older) */
};

struct smtp_command {
    const char *verb, *syntax;
    unsigned rules; /* enum command_rule */
    void (*run)(struct smtp_session *s, struct slice args);
};

/* Runs one line (without its end): finds the command, checks the rules, calls it. */
void smtp_run_command(struct smtp_session *s, struct slice line);
/* The reply that the rules give, or NULL: it may run. */
const char *smtp_broken_rule(const struct smtp_session *s, unsigned rules);

/* One reply line "CODE text", text with its enhanced code. Codes from 400 on count as errors and
 * are kept for the log. */
void smtp_reply(struct smtp_session *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The session asks the driver for something; the command ends when that is answered. */
void smtp_ask(struct smtp_session *s, enum smtp_want want);
/* Asks the driver whether it may go on, where the configuration wants that; then resume is called.
 */
void smtp_ask_policy(struct smtp_session *s, enum smtp_stage stage, smtp_resume_fn *resume);
/* Keeps a text while the driver is asked; false: no memory, and that was replied. */
bool smtp_set_pending(struct smtp_session *s, struct slice text);
void smtp_drop_pending(struct smtp_session *s);
/* The reply to every command of a client that was refused as such. */
const char *smtp_denied(struct smtp_session *s);
/* A 4xx or 5xx reply with the configured footer behind it. */
void smtp_put_refusal(struct smtp_session *s, struct slice reply, struct buf *out);
/* Is the EHLO keyword not to be served? */
bool smtp_discards(const struct smtp_session *s, const char *keyword);
/* Ends the transaction, if there is one. */
void smtp_end_tx(struct smtp_session *s);
/* Wipes and frees the request's bytes. */
void smtp_wipe_scratch(struct smtp_session *s);
bool smtp_is_lmtp(const struct smtp_session *s);
/* The mechanisms of this connection as it is now; empty: none. */
struct slice smtp_mechanisms(const struct smtp_session *s);
/* AUTH is to be had on this connection as it is now. */
bool smtp_auth_offered(const struct smtp_session *s);

/* An address as text, with a domain, in the transaction's arena. */
struct address;
struct slice smtp_full_address(const struct smtp_session *s, struct smtp_tx *tx,
                               const struct address *a);
/* As the client meant it, where that is not the same (without a domain, with a dot behind it,
 * without the quotes that it came in): what restrictions and their replies show. Else data NULL. */
struct slice smtp_given_address(struct smtp_tx *tx, const struct address *a);
/* Not an address to accept, though RFC 5321's grammar allows it: a local part that looks like an
 * option of a command, a domain of digits alone. */
bool smtp_address_odd(const struct address *a);

/* The handlers, one file each. */
void cmd_ehlo(struct smtp_session *s, struct slice args);
void cmd_helo(struct smtp_session *s, struct slice args);
void cmd_mail(struct smtp_session *s, struct slice args);
void cmd_rcpt(struct smtp_session *s, struct slice args);
void cmd_data(struct smtp_session *s, struct slice args);
void cmd_bdat(struct smtp_session *s, struct slice args);
void cmd_auth(struct smtp_session *s, struct slice args);
void cmd_starttls(struct smtp_session *s, struct slice args);
void cmd_rset(struct smtp_session *s, struct slice args);
void cmd_noop(struct smtp_session *s, struct slice args);
void cmd_quit(struct smtp_session *s, struct slice args);
void cmd_vrfy(struct smtp_session *s, struct slice args);
void cmd_expn(struct smtp_session *s, struct slice args);
void cmd_etrn(struct smtp_session *s, struct slice args);
void cmd_help(struct smtp_session *s, struct slice args);
void cmd_foreign(struct smtp_session *s, struct slice args);

/* What comes while no command is read. */
void smtp_auth_line(struct smtp_session *s, struct slice line);
void smtp_auth_line_too_long(struct smtp_session *s);
void smtp_take_data(struct smtp_session *s);
void smtp_take_chunk(struct smtp_session *s);
/* The message has come whole (DATA's dot, BDAT's LAST): checks it and asks for its delivery. */
void smtp_message_complete(struct smtp_session *s);
/* Starts the message of the transaction: its Received field. */
void smtp_message_begin(struct smtp_session *s, bool chunked);

#endif
