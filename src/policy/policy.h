/* policy.h: who may send what where: decisions as pure functions of facts, each with its reason.
 * The facts are gathered by role/auth; the decision says what the client hears and which rule (and
 * which line of which file) decided, for the log. */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/arena.h"
#include "conf/conf.h"

enum policy_service { POLICY_SMTP, POLICY_SUBMISSION, POLICY_LMTP };
/* "smtp", "submission" (also "submissions"), "lmtp"; INVALID for others. */
MUST_USE enum result policy_service_parse(struct slice name, enum policy_service *ret);

/* What the directory says of the recipient. */
enum policy_rcpt {
    POLICY_RCPT_LOCAL,   /* it is ours and leads somewhere */
    POLICY_RCPT_UNKNOWN, /* of a local domain, and nobody's */
    POLICY_RCPT_FOREIGN,
    POLICY_RCPT_MALFORMED,
    POLICY_RCPT_BROKEN,     /* our aliases are at fault */
    POLICY_RCPT_UNAVAILABLE /* a source of accounts could not be asked */
};

struct policy_facts {
    enum policy_service service;
    enum policy_rcpt rcpt;
    struct slice rcpt_text;   /* as given, without brackets */
    const char *found_rule;   /* of a local one: "alias_maps" … or "" */
    struct slice found_where; /* "/etc/aliases:12" or "" */
    struct slice login;       /* data NULL: not logged in */
    struct slice sender;      /* "": the null sender */
    bool sender_owned;        /* the sender's address leads to the login's account */
    bool in_mynetworks;       /* the client's address, proven by its socket */
};

struct decision {
    unsigned code; /* 250, 4xx, 5xx */
    const char *enhanced;
    struct slice text;  /* for the client, behind code and enhanced status */
    const char *rule;   /* for the log */
    struct slice where; /* "postrider.conf:12", "/etc/aliases:3", "default" or "" */
};

/* RCPT TO (and, as far as it can only be told then, MAIL FROM). Texts live in the arena (or are
 * literals). */
struct decision policy_rcpt_decide(const struct policy_facts *f, const struct conf *c,
                                   struct arena *a);

#endif
