/* client_internal.h: what the files of the SMTP client share. */
#ifndef PROTO_SMTP_CLIENT_INTERNAL_H
#define PROTO_SMTP_CLIENT_INTERNAL_H

#include "proto/smtp/client.h"

enum client_state {
    CLIENT_GREETING,
    CLIENT_EHLO,
    CLIENT_HELO,
    CLIENT_STARTTLS,  /* the command is under way */
    CLIENT_HANDSHAKE, /* the caller's turn */
    CLIENT_AUTH,
    CLIENT_READY,
    CLIENT_MAIL, /* RSET, MAIL, RCPT, DATA */
    CLIENT_BODY,
    CLIENT_VERDICT,
    CLIENT_EMPTIED, /* a lone dot closed a DATA that had no recipients */
    CLIENT_DONE,
    CLIENT_QUIT,
    CLIENT_CLOSED
};

enum offer {
    OFFER_PIPELINING = 1,
    OFFER_8BITMIME = 2,
    OFFER_SIZE = 4,
    OFFER_SMTPUTF8 = 8,
    OFFER_DSN = 16,
    OFFER_STARTTLS = 32,
    OFFER_AUTH = 64, /* with whatever mechanisms */
    OFFER_REQUIRETLS = 128
};

/* Ends the session for a reason that the server (r) or we (status, text) give. */
void smtp_client_fail_remote(struct smtp_client *c, const struct smtp_reply *r);
void smtp_client_fail(struct smtp_client *c, const char *status, const char *text);

/* client_ehlo.c: from the greeting to READY. */
void smtp_client_hello_line(struct smtp_client *c, unsigned code, unsigned line, struct slice text);
void smtp_client_on_greeting(struct smtp_client *c, const struct smtp_reply *r);
void smtp_client_on_ehlo(struct smtp_client *c, const struct smtp_reply *r);
void smtp_client_on_helo(struct smtp_client *c, const struct smtp_reply *r);
void smtp_client_on_starttls(struct smtp_client *c, const struct smtp_reply *r, bool more_input);

/* client_auth.c */
/* Where there is a password: logs in, goes on without where the server knows no AUTH, or fails. */
void smtp_client_log_in(struct smtp_client *c);
void smtp_client_on_auth(struct smtp_client *c, const struct smtp_reply *r);

/* client_mail.c */
void smtp_client_send_steps(struct smtp_client *c);
void smtp_client_on_step(struct smtp_client *c, const struct smtp_reply *r);
void smtp_client_on_verdict(struct smtp_client *c, const struct smtp_reply *r);
/* Every recipient without a verdict gets this one. */
void smtp_client_decide(struct smtp_client *c, enum smtp_outcome outcome, bool remote,
                        struct slice status, struct slice text);

#endif
