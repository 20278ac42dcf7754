/* policy.h: who may do what: Postfix's access restrictions as a machine without I/O.
 *
 * The lists of a configuration (smtpd_recipient_restrictions and its kin) are compiled once
 * (policy_new). policy_run then is a function of facts and answers alone: it returns the decision
 * (the reply, the rule and the line of the configuration or table that made it), or a question:
 * DNS, a table that asks a server, what the directory says of an address, a pause. The caller finds
 * out, adds the answer and runs it again from the start; what is answered is not asked twice. So
 * nothing is kept half done, and the same facts and answers always decide the same.
 *
 * Who calls it: role/auth for each recipient and for the stages before and behind it; the master
 * and `config check` (policy_check). Order and replies are those of Postfix 3.7
 * (SMTPD_ACCESS_README, access(5), postconf(5)). */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include "base/arena.h"
#include "conf/conf.h"
#include "table/table.h"

enum policy_service { POLICY_SMTP, POLICY_SUBMISSION, POLICY_LMTP };
/* "smtp", "submission" (also "submissions"), "lmtp"; INVALID for others. */
MUST_USE enum result policy_service_parse(struct slice name, enum policy_service *ret);

/* When a list is looked at. */
enum policy_stage {
    POLICY_AT_CLIENT,
    POLICY_AT_HELO,
    POLICY_AT_MAIL,
    POLICY_AT_RCPT,
    POLICY_AT_DATA,
    POLICY_AT_END,
    POLICY_AT_ETRN,
    POLICY_STAGES
};

/* ---- the compiled lists ---- */

struct policy;

/* Finds the open table of a spec ("hash:/etc/postfix/access"); NULL: it could not be opened. */
struct policy_tables {
    const struct table *(*find)(void *arg, struct slice spec);
    void *arg;
};

/* The lists of c (a service's snapshot), which is kept. INVALID: `errors` says what is wrong, each
 * with the file and line of its setting. */
MUST_USE enum result policy_new(const struct conf *c, const struct policy_tables *tables,
                                struct conf_errors *errors, const struct policy **ret);
void policy_free(const struct policy *p);
const struct conf *policy_conf(const struct policy *p);
/* Without tables: is all of it well-formed and served, at each listener? */
MUST_USE enum result policy_check(const struct conf *c, struct conf_errors *errors);

/* Must the stage be asked about by itself? Never for POLICY_AT_RCPT, which always is. */
bool policy_asks(const struct conf *c, enum policy_stage stage);
/* Do the lists hold anything but what the defaults hold? Then the client's name and the proof of
 * its address are wanted with every question. */
bool policy_is_default(const struct conf *c);

/* ---- the facts ---- */

/* Postfix's view of a name from DNS (smtpd_peername_lookup). */
enum policy_name_status {
    POLICY_NAME_OK,
    POLICY_NAME_TEMPORARY, /* DNS did not answer */
    POLICY_NAME_NONE,      /* there is none */
    POLICY_NAME_FORGED     /* the name's addresses do not hold the client's */
};

/* Slices with data NULL: not there (yet). */
struct policy_facts {
    enum policy_service service;
    struct slice ip;                  /* "" a Unix socket */
    bool ip_proven;                   /* by the client's socket */
    const struct slice_list *own_ips; /* of this host; NULL: not known */
    struct slice name, reverse_name;  /* "" or "unknown": none; name is confirmed both ways */
    enum policy_name_status name_status, reverse_status;
    struct slice helo;  /* as given */
    bool esmtp, tls;    /* EHLO was said; the connection is encrypted */
    bool pipelined;     /* the client sent what it may not send ahead (RFC 2920 3.1) */
    bool sasl;          /* AUTH is to be had on this service */
    struct slice login; /* SASL login name */
    struct slice cert_fingerprint, key_fingerprint; /* of the client's TLS certificate */
    bool cert_trusted;
    struct slice sender; /* as given, without brackets; "" the null sender */
    bool sender_owned;   /* the sender leads to the login's account */
    struct slice rcpt;   /* as given, without brackets */
    unsigned n_rcpts;    /* accepted so far */
    struct slice etrn;   /* the domain */
};

/* What the directory says of an address. */
enum policy_class {
    POLICY_CLASS_LOCAL,
    POLICY_CLASS_ALIAS,   /* virtual_alias_domains */
    POLICY_CLASS_MAILBOX, /* virtual_mailbox_domains */
    POLICY_CLASS_RELAY,
    POLICY_CLASS_OTHER
};
enum policy_known {
    POLICY_LISTED,     /* it leads somewhere (or may, where nothing lists its recipients) */
    POLICY_UNLISTED,   /* of a domain that is ours, and nobody's */
    POLICY_MALFORMED,  /* no address */
    POLICY_BROKEN,     /* our tables are at fault */
    POLICY_UNAVAILABLE /* a source could not be asked */
};
struct policy_address {
    enum policy_known known;
    enum policy_class class;
    bool routed;       /* user%domain@ours and the like: where it ends is not told by its domain */
    struct slice full; /* with its domain */
    unsigned code;     /* UNLISTED: 550, "5.1.1", "User unknown in … table", or the words of */
    struct slice status, text; /* its transport; text "": by the class */
    struct slice rule;         /* what took it: "alias_maps" … or "" */
    struct slice where;        /* "/etc/aliases:12" or "" */
};

/* ---- questions and answers ---- */

enum policy_ask { POLICY_ASK_ADDRESS = 1, POLICY_ASK_DNS, POLICY_ASK_TABLE, POLICY_ASK_SLEEP };
enum {
    POLICY_DNS_A = 1,
    POLICY_DNS_NS = 2,
    POLICY_DNS_MX = 15,
    POLICY_DNS_TXT = 16,
    POLICY_DNS_AAAA = 28
};

/* Slices live in the arena of the run that asked. */
struct policy_question {
    enum policy_ask ask;
    unsigned type;             /* DNS: the record's; SLEEP: which restriction */
    const struct table *table; /* TABLE: waits (table_waits) */
    struct slice key;          /* ADDRESS: as given; DNS: a name; TABLE: a key */
    unsigned seconds;          /* SLEEP */
};

enum policy_dns { POLICY_DNS_FOUND, POLICY_DNS_NO_DATA, POLICY_DNS_NO_NAME, POLICY_DNS_TEMPORARY };

/* What a run looked at, in its order, for those who want it explained. Slices live as those of
 * struct decision. */
enum policy_step_kind {
    POLICY_STEP_LIST,  /* name: the setting or class; result: what it came to */
    POLICY_STEP_RULE,  /* name: the word, key: its argument; where: of its list; result likewise */
    POLICY_STEP_TABLE, /* name: the table; result: its value, where: the value's line */
    POLICY_STEP_DNS,   /* name: the record's type, key: the name; result: the records */
    POLICY_STEP_ADDRESS, /* key: the address; result: whose it is; name, where: what has it */
};
struct policy_step {
    enum policy_step_kind kind;
    unsigned depth; /* of lists in lists */
    bool found;     /* TABLE, DNS, ADDRESS: there is such a thing */
    struct slice name, key, where, result;
};
/* items: the caller's, with room for `size`; what comes behind is not told (cut). */
struct policy_story {
    struct policy_step *items;
    size_t n, size;
    bool cut;
};

/* The answers so far: in an arena of the caller's, which outlives the runs. */
struct policy_answers {
    struct arena *arena;
    struct policy_story *story; /* NULL: nobody wants it; else each run tells it from the start */
    struct policy_answer *first;
    unsigned n;
};
/* All copy. Without memory an answer is missing, and the run that lacks it ends with 451. */
void policy_answer_address(struct policy_answers *as, const struct policy_question *q,
                           const struct policy_address *address);
/* records as text: "192.0.2.1", "10 mx.example.org", "ns.example.org". */
void policy_answer_dns(struct policy_answers *as, const struct policy_question *q,
                       enum policy_dns outcome, struct slice_list records);
/* r: what table_find returned. */
void policy_answer_table(struct policy_answers *as, const struct policy_question *q, enum result r,
                         const struct table_match *match);
void policy_answer_sleep(struct policy_answers *as, const struct policy_question *q);

/* ---- the decision ---- */

struct decision {
    unsigned code;               /* 250, 4xx, 5xx */
    struct slice enhanced, text; /* "5.7.1"; for the client, behind both */
    struct slice rule;           /* for the log: "reject_unauth_destination", "alias_maps" */
    struct slice where;          /* "main.cf:12", "/etc/postfix/access:3", "default" or "" */
    /* What else access tables asked for: "hold WHY", "discard WHY", "redirect ADDRESS",
     * "bcc ADDRESS", "prepend FIELD", "filter TRANSPORT". */
    struct slice_list actions;
    /* For the log: "warn TEXT", "info TEXT", "reject_warning REPLY", "problem TEXT". */
    struct slice_list notes;
};

/* False: *ret_question must be answered first (what stands in *ret does not count). Texts live in
 * the arena, the facts or the policy. */
bool policy_run(const struct policy *p, enum policy_stage stage, const struct policy_facts *f,
                struct policy_answers *answers, struct arena *a, struct decision *ret,
                struct policy_question *ret_question);

#endif
