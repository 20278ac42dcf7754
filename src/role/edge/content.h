/* content.h: what is done to a message between its last byte and mailbox: header_checks and
 * body_checks, and HOLD of access tables. Costs nothing where none of it is configured. */
#ifndef ROLE_EDGE_CONTENT_H
#define ROLE_EDGE_CONTENT_H

#include "content/set.h"
#include "mime/rewriting.h"
#include "role/edge/conn.h"

enum { CONTENT_ASKS_MAX = 50 };

/* An address that mail goes to beside (BCC) or instead of (REDIRECT) its recipients, and the
 * recipient that auth made of it. */
struct content_ask {
    bool redirect;
    struct slice source, text; /* "header_checks" and the line */
    struct smtp_rcpt rcpt;     /* address.len == 0: none came of it */
};

/* FILTER: the last line that asked for one, and the recipients as they go there. */
struct content_filter {
    struct slice source, text;       /* text.len == 0: none asked */
    const struct smtp_rcpt **rcpts;  /* as they would be without; NULL: not begun */
    struct smtp_rcpt *filtered;      /* the first `done` are what auth made of them */
    const struct smtp_rcpt **chosen; /* of `filtered` */
    size_t n, done;
};

/* Of a message, from the end of its bytes to DELIVER. */
struct edge_work {
    struct arena arena;
    struct content_run *run; /* checks whose tables ask servers; NULL: done, or there are none */
    struct content_question question; /* of it, that auth is asked */
    int64_t run_until_ms;
    struct content_filter filter;
    struct slice hold;         /* why it is to wait in the queue; data NULL: it is not */
    bool failed;               /* REDIRECT, FILTER or rewriting could not be done */
    struct rewriting *rewrite; /* in the arena; NULL: the header stays as it is */
    size_t n_asks, asked;      /* to be asked, and already */
    struct content_ask asks[CONTENT_ASKS_MAX];
};

/* rewrite.c: completes and rewrites the header (canonical(5), masquerading). */
/* Is anything of the kind configured for this client? */
bool rewrite_is_wanted(const struct conn *c);
/* Does what needs nobody else, and makes w->rewrite where auth must be asked. False: no memory. */
MUST_USE bool rewrite_begin(struct conn *c, struct edge_work *w);
/* False: nothing is left to ask. */
bool rewrite_ask(struct conn *c, struct edge_work *w);
void rewrite_end(struct edge_work *w);
void rewrite_answered(struct conn *c, struct edge_work *w, const struct conn_answer *a);

/* filter.c: the recipients that the message goes to, in the arena: those of the envelope, unless
 * REDIRECT took their place, and those of BCC behind them; by the filter where FILTER was asked for
 * and auth has answered. NULL: no memory. Tells c->smtp.sent whether one stands for all. */
const struct smtp_rcpt **content_rcpts(struct conn *c, struct arena *a, size_t *ret_n);
/* Asks auth for the next recipient on its way to the filter. False: none is left, or no memory
 * (w->failed). */
bool filter_ask(struct conn *c, struct edge_work *w);
/* Is the answer that comes one to filter_ask? */
bool filter_is_asking(const struct edge_work *w);
void filter_answered(struct conn *c, struct edge_work *w, const struct conn_answer *a);
/* A list of auth's answer, in the arena. */
struct slice_list content_copy_list(struct arena *a, struct slice_list l);

/* Works on the message of c's transaction. True: go on (c->smtp.work may be NULL). False: the
 * answer is given (it was refused or dropped). */
bool content_begin(struct conn *c);
/* Asks auth what tables say to the next line, for the next recipient that an action named, or what
 * it makes of one. False: none is left. */
bool content_ask_next(struct conn *c);
/* As content_begin. */
bool content_answered(struct conn *c, const struct conn_answer *a);
/* True when the message can't be sent on after all: the answer is given. */
bool content_failed(struct conn *c);
void content_end(struct conn *c);

#endif
