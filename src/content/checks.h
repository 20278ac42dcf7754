/* checks.h: header_checks, mime_header_checks, nested_header_checks and body_checks: what tables
 * say to each header field and body line of a message on its way in. header_checks(5).
 *
 * Who calls it: edge, for a whole message, before it is stored; auth, to see for itself what a line
 * that asks for another recipient or a filter leads to. Any bytes are taken. */
#ifndef CONTENT_CHECKS_H
#define CONTENT_CHECKS_H

#include "base/arena.h"
#include "base/buf.h"
#include "table/table.h"

enum content_class {
    CONTENT_HEADER, /* of the message, but for those of MIME */
    CONTENT_MIME,   /* Content-Type and its like anywhere, and all headers of parts */
    CONTENT_NESTED, /* of messages within the message */
    CONTENT_BODY,
    CONTENT_CLASSES
};
/* "header_checks" … */
const char *content_class_name(enum content_class c);
/* CONTENT_CLASSES: no such name. */
enum content_class content_class_of(struct slice name);

struct content_checks {
    struct tables tables[CONTENT_CLASSES];
    size_t header_size_limit;      /* bytes of a header field that are looked at */
    size_t body_checks_size_limit; /* bytes of each part's body that are looked at */
    size_t line_length_limit;      /* bytes of a body line; the rest is looked at as one more */
    bool outgoing;                 /* mail on its way out: it can only be changed, not refused */
    bool disable_mime;             /* all behind the first header is body */
    bool waits[CONTENT_CLASSES];   /* a table of it asks a server: see content_run_next */
};

/* Is there any table at all? */
bool content_checks_any(const struct content_checks *c);

/* Does one of them ask a server? */
bool content_checks_wait(const struct content_checks *c);

/* What a table says, taken apart. */
enum content_action {
    ACTION_DUNNO, /* OK, too */
    ACTION_BCC,
    ACTION_DISCARD,
    ACTION_FILTER,
    ACTION_HOLD,
    ACTION_IGNORE,
    ACTION_INFO,
    ACTION_PASS,
    ACTION_PREPEND,
    ACTION_REDIRECT,
    ACTION_REJECT,
    ACTION_REPLACE,
    ACTION_STRIP,
    ACTION_WARN,
    ACTION_UNKNOWN
};
enum content_action content_action_parse(struct slice value, struct slice *ret_text);
const char *content_action_name(enum content_action a);

/* One line's action, for the log and for what the driver must do (HOLD, REDIRECT, BCC,
 * FILTER). Slices live for the call. */
struct content_event {
    enum content_action action;
    enum content_class class;
    struct slice line, text, where;
    const char *problem; /* why the action is not done; NULL: it is */
};

enum content_verdict {
    CONTENT_ACCEPT,
    CONTENT_REJECT, /* with `reply` */
    CONTENT_DISCARD,
    CONTENT_UNAVAILABLE /* a table can't be asked now */
};
struct content_result {
    enum content_verdict verdict;
    struct slice reply; /* "5.7.1 words"; in the arena */
    bool changed;       /* then `message` is the new one */
    struct buf message; /* the caller releases it */
};

/* Looks at every line, and waits where tables ask servers. FAILED: no memory. */
MUST_USE enum result content_check(const struct content_checks *c, struct slice message,
                                   struct arena *a,
                                   void (*each)(void *arg, const struct content_event *e),
                                   void *arg, struct content_result *ret);

/* ---- the same in steps, for those who may not wait ---- */

/* A message under way. Checks, message and arena stay as they are until content_run_end. */
struct content_run;
/* FAILED: no memory. */
MUST_USE enum result content_run_new(const struct content_checks *c, struct slice message,
                                     struct arena *a,
                                     void (*each)(void *arg, const struct content_event *e),
                                     void *arg, struct content_run **ret);
struct content_question {
    enum content_class class; /* whose tables are asked */
    struct slice line;        /* without NUL bytes; lives until the answer */
};
/* Goes on to the next line whose tables ask a server (True): then content_run_answer says what they
 * say. False: nothing is left to ask. */
bool content_run_next(struct content_run *r, struct content_question *ret);
/* found: as tables_find; why: where it is neither OK nor NOT_FOUND. */
void content_run_answer(struct content_run *r, enum result found, const struct table_match *match,
                        const char *why);
/* Frees it, also one that is not at its end (ret NULL: nobody wants the result). FAILED as
 * content_check. */
enum result content_run_end(struct content_run *r, struct content_result *ret);

#endif
