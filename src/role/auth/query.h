/* query.h: a question about a recipient (or an earlier or later stage) while it is looked at:
 * rcpt.c takes it and answers it, decide.c runs the policy and fetches what that asks for,
 * policies.c keeps the policies. */
#ifndef ROLE_AUTH_QUERY_H
#define ROLE_AUTH_QUERY_H

#include "policy/policy.h"
#include "role/auth/auth.h"

enum { QUERY_ARENA_LIMIT = 4 * 1024 * 1024 };

struct explain;
struct waiting;

/* On the stack of the channel's thread until it must wait; then a copy in an arena of its own. */
struct query {
    struct auth_role *auth;
    struct ipc_channel *channel;
    uint64_t call, conn;
    bool expand;              /* EXPAND: only where it leads */
    bool action;              /* ACTION_ASK: the same, with a grant */
    struct explain *explain;  /* told there instead of answered (explain.h); else NULL */
    bool sendmail;            /* service "sendmail" … */
    enum submitter submitter; /* … and who its client is */
    unsigned uid;
    enum policy_stage stage;
    struct slice label;        /* of the listener's service */
    struct slice sender, rcpt; /* with their domains; facts has them as given */
    struct policy_facts facts;
    struct waiting *waiting; /* NULL: on the stack */
    unsigned asked;          /* names of system accounts */
    bool unavailable;        /* agent could not be asked */
};

/* What was found out about it. */
struct finding {
    struct resolved resolved;
    struct slice sender;       /* as it goes on */
    struct slice_list targets; /* as messages carry them */
    struct decision decision;
    struct grant grant;
    bool granted;
};

/* rcpt.c: from the start, with what is known by now. True: answered. */
bool query_look_at(struct query *q);
struct directory_system query_system(const struct query *q, const struct directory *d);

/* table_actions.c: does what the decision's actions say to f->resolved, or makes it a refusal.
 * False: it waits. */
bool query_apply_actions(struct query *q, const struct directory *d, struct arena *a,
                         struct finding *f);
/* table_actions.c: is there the transport of FILTER's "transport:destination"? */
bool action_transport_known(const struct directory *d, struct slice route);
/* table_actions.c: what a filter is to send a recipient's mail to: what the maps of the service
 * that it came in by make of rcpt. n = 0: they can't tell now, or no memory. */
struct slice_list action_filter_addresses(const struct directory *d, struct slice rcpt,
                                          struct slice service, struct arena *a);
/* table_actions.c: the targets of a recipient (as messages carry them) with the filter in the place
 * of all: for these addresses, and for those of its copies. n = 0: no memory. Strings live as long
 * as the arena and what is given. */
struct slice_list action_filter_targets(struct slice_list addresses, struct slice route,
                                        struct slice_list targets, struct arena *a);
/* decide.c: the same where tables may ask a server: then on a helper thread, with a copy. */
void query_start(struct query *q);
/* decide.c: fills in f->decision. False: it waits, and will be looked at again; q may be gone. */
bool query_decide(struct query *q, const struct directory *d, struct arena *a, struct finding *f);
/* Asks agent for what r (RESOLVE_ASK) needs, then looks again. False: it can't wait. */
bool query_ask_agent(struct query *q, const struct resolved *r);
/* The same for whether q->uid may send. */
bool query_ask_submitter(struct query *q);

#endif
