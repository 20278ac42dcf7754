/* explain.h: EXPLAIN: the decision about a recipient as a client would meet it, told step by step.
 * explain.c puts the queries of each stage, one after the other; rcpt.c and decide.c serve them as
 * any other and tell here what they found instead of answering. Nothing is granted. */
#ifndef ROLE_AUTH_EXPLAIN_H
#define ROLE_AUTH_EXPLAIN_H

#include "role/auth/query.h"

struct explain;

/* The restrictions' steps go here. */
struct policy_story *explain_story(struct explain *e);
/* A query is looked at from the start: the way told so far is told again. */
void explain_anew(struct explain *e);
/* struct directory_system: step, with the explain as step_arg. */
void explain_way(void *arg, const char *rule, struct slice where, struct slice from,
                 struct slice to);
/* Whose login it is, as auth_login_of. */
void explain_login(const struct explain *e, struct slice *ret_account, struct slice *ret_login);
/* The decision at q's stage: answers, or puts the next stage's query. */
void explain_decided(const struct query *q, const struct finding *f);
/* There is none: answers that. */
void explain_gave_up(struct explain *e, const char *why);

#endif
