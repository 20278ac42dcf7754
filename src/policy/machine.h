/* machine.h: what the files of the machine share. For this folder alone.
 *
 *   compile.c  lists of words to lists of rules      words.c  the words
 *   run.c      stages and lists                      reply.c  refusals and deferrals
 *   answers.c  what was asked and answered           access.c access tables: their keys
 *   story.c    what was looked at, for explanations
 *   action.c   access tables: their results          client.c helo.c sender.c rcpt.c …: the rules
 */
#ifndef POLICY_MACHINE_H
#define POLICY_MACHINE_H

#include "policy/policy.h"

enum {
    RULES_MAX = 1000,   /* of one list */
    CLASSES_MAX = 200,  /* smtpd_restriction_classes */
    RECURSION_MAX = 20, /* lists in lists */
    ANSWERS_MAX = 500,  /* of one decision */
    NOTES_MAX = 100     /* likewise; actions too */
};

/* What a rule comes to. */
enum outcome { DUNNO, PERMIT, REJECT, PENDING };

struct run;
struct rule;
typedef enum outcome rule_fn(struct run *r, const struct rule *rule);

enum argument { ARG_NONE, ARG_TABLE, ARG_DNSBL, ARG_SECONDS, ARG_CERT_TABLE };

struct word {
    const char *name;
    rule_fn *run; /* NULL: known, but not served (see refusal) */
    enum argument argument;
    int option;           /* the function's own */
    const char *unserved; /* why not, and what to do */
};

/* A name's word: a synonym leads to the same; NULL: there is none. */
const struct word *word_find(struct slice name);
/* The word most like it, or NULL. */
const char *word_suggest(struct slice name);

struct rule {
    const struct word *word;
    const struct table *table;
    struct slice text;       /* the argument as written */
    const struct list *list; /* a restriction class */
    unsigned number;         /* seconds */
    unsigned id;             /* tells it from all others of the policy */
};

struct list {
    struct rule *rules;
    size_t n;
    struct slice name;  /* the setting's or the class's */
    struct slice where; /* "main.cf:12", "default" */
};

struct class
{
    struct slice name;
    struct list list;
};

struct policy {
    const struct conf *conf;
    struct arena arena;
    struct list stages[POLICY_STAGES]; /* POLICY_AT_RCPT: smtpd_recipient_restrictions */
    struct list relay;
    struct class *classes;
    size_t n_classes;
    struct tables login_maps, rbl_replies, client_certs;
    bool parents; /* parent_domain_matches_subdomains has smtpd_access_maps */
};

/* ---- compile.c ---- */

struct compiling {
    struct arena *arena;
    const struct policy_tables *tables; /* NULL: none may be named */
    const struct policy *policy;        /* its classes */
    struct conf_errors *errors;         /* NULL: the first one is kept in `error` alone */
    struct error error;
    bool bad;
    unsigned next_id;
};
/* Words to rules; `bad` is set when there is something wrong. */
void compile_list(struct compiling *c, struct slice_list words, struct list *ret);

/* ---- a run ---- */

/* What stands in front of "… rejected:", and which access map a bare table means. */
struct subject {
    struct slice name;
    const char *class; /* "Client host" */
    const char *acl;   /* "check_client_access"; NULL: none */
};

struct deferral {
    bool active;
    unsigned code;
    struct slice enhanced, text, rule, where;
};

struct run {
    const struct policy *policy;
    const struct conf *conf;
    const struct policy_facts *facts;
    enum policy_stage stage;
    struct policy_answers *answers;
    struct arena *arena;
    struct decision *decision;
    struct policy_question *question;
    const struct list *list; /* being looked at */
    const struct rule *rule;
    struct subject subject;
    struct deferral if_permit, if_reject;
    unsigned depth, warn_depth; /* of lists; where warn_if_reject stands, 0: nowhere */
    bool discarded;
    struct slice decided_where; /* of the table that decides now, or "" */
    bool rcpt_looked_up, sender_looked_up;
};

/* run.c */
enum outcome run_list(struct run *r, const struct list *l);

/* reply.c: refuses. enhanced: its class is made to fit the code. Under warn_if_reject it is noted
 * instead (DUNNO), unless it is ours (fault). */
enum fault { BY_POLICY, BY_US };
enum outcome refuse(struct run *r, enum fault fault, int64_t code, const char *enhanced,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));
/* "<NAME>: CLASS rejected: WHY" of the subject. */
enum outcome refuse_subject(struct run *r, int64_t code, const char *enhanced, const char *why);
enum outcome server_error(struct run *r, const char *problem, struct slice what);
/* "451 4.3.0 <what>: Temporary lookup failure" */
enum outcome lookup_error(struct run *r, struct slice what);
/* Refuse unless something rejects (permits) for good. action: reject_tempfail_action's value. */
enum outcome defer_if_permit(struct run *r, struct slice action, int64_t code, const char *enhanced,
                             const char *format, ...) __attribute__((format(printf, 5, 6)));
enum outcome defer_if_reject(struct run *r, int64_t code, const char *enhanced, const char *format,
                             ...) __attribute__((format(printf, 4, 5)));
/* The deferral that waited, as the reply. */
enum outcome enforce(struct run *r, struct deferral *d);
void add_note(struct run *r, const char *kind, struct slice text);
void add_action(struct run *r, const char *kind, struct slice text);
/* Splits "5.7.1 text" (RFC 3463) off; without one *ret_enhanced stays. */
struct slice take_enhanced(struct slice text, struct slice *ret_enhanced);
/* A status of a recipient said of a sender, and the other way round, mended (RFC 3463 3.2). */
struct slice fit_enhanced(const struct run *r, struct slice enhanced, const char *class);

/* answers.c: from the answers; false: r->question was set, the run is PENDING. */
bool ask_address(struct run *r, struct slice address, struct policy_address *ret);
struct dns_answer {
    enum policy_dns outcome;
    struct slice_list records;
};
bool ask_dns(struct run *r, struct slice name, unsigned type, struct dns_answer *ret);
/* At once where the table does not wait. */
bool ask_table(struct run *r, const struct table *t, struct slice key, enum result *ret_result,
               struct table_match *ret);
/* The keys of an address, in Postfix's order (tables_find_address). */
bool ask_tables_address(struct run *r, const struct tables *ts, struct slice address,
                        enum result *ret_result, struct table_match *ret);
bool slept(struct run *r, unsigned id, unsigned seconds);

/* story.c: what is looked at, where the story is wanted. tell: SIZE_MAX: not kept. */
size_t tell(struct run *r, const struct policy_step *step);
void tell_outcome(struct run *r, size_t at, enum outcome o);
void tell_table(struct run *r, const struct table *t, struct slice key, enum result result,
                const struct table_match *match);
void tell_dns(struct run *r, struct slice name, unsigned type, const struct dns_answer *a);
void tell_address(struct run *r, struct slice address, const struct policy_address *a);

/* access.c: *ret_found: a key was there (then the search ends, whatever it came to). */
enum { PARTIAL_KEY = 1 };
enum outcome access_key(struct run *r, const struct table *t, struct slice key, unsigned flags,
                        bool *ret_found);
enum outcome access_domain(struct run *r, const struct table *t, struct slice domain,
                           unsigned flags, bool *ret_found);
enum outcome access_ip(struct run *r, const struct table *t, struct slice ip, unsigned flags,
                       bool *ret_found);
/* action.c: what an access table's value means. */
enum outcome access_result(struct run *r, const struct table *t, struct slice value);

/* Runs fn with another subject. */
struct subject subject_swap(struct run *r, struct slice name, const char *class, const char *acl);

/* names.c: "the name as Postfix shows it": "unknown" where there is none. */
struct slice client_name(const struct run *r);
struct slice client_text(const struct run *r);         /* "name[ip]" */
bool ip_is_ours(const struct run *r, struct slice ip); /* an address of this host */
bool hostname_valid(struct slice name);
bool name_is_ip(struct slice text);           /* IPv4 or IPv6 */
struct slice domain_of(struct slice address); /* behind the last @; data NULL: none */

extern const char *const class_client,
    *const class_reverse, *const class_helo, *const class_sender, *const class_rcpt,
                                                                      *const class_etrn;

/* The rules' functions, by file. */
rule_fn rule_permit, rule_reject, rule_defer, rule_defer_if_permit, rule_defer_if_reject,
    rule_warn_if_reject, rule_sleep, rule_plaintext_session, rule_pipelining, rule_class;
rule_fn rule_unknown_client, rule_unknown_reverse, rule_permit_mynetworks, rule_permit_interfaces,
    rule_permit_sasl, rule_permit_certs;
rule_fn rule_client_access, rule_reverse_access, rule_helo_access, rule_sender_access,
    rule_rcpt_access, rule_etrn_access, rule_sasl_access, rule_cert_access, rule_server_access;
rule_fn rule_helo_form, rule_unknown_helo;
rule_fn rule_address_form, rule_unknown_domain, rule_sender_login, rule_unlisted;
rule_fn rule_auth_destination, rule_multi_bounce, rule_mx_backup;
rule_fn rule_rbl_client, rule_rhsbl;

/* Options of the words. */
enum { OF_CLIENT, OF_REVERSE, OF_HELO, OF_SENDER, OF_RCPT };
enum { LOGIN_KNOWN = 1, LOGIN_LOGGED_IN = 2, LOGIN_NOT = 4 };
enum { DESTINATION_PERMIT, DESTINATION_REJECT, DESTINATION_DEFER };
enum { HELO_INVALID, HELO_FQDN };
enum { LIST_BLOCKS = 0, LIST_PERMITS = 16 };

/* An address that nobody has: the built-in end of MAIL's and RCPT's lists, and
 * reject_unlisted_sender, reject_unlisted_recipient. */
enum outcome refuse_unlisted(struct run *r, struct slice address, bool sender);

#endif
