/* lines.h: a message as header_checks and body_checks see it: one logical header field or one body
 * line at a time, each with its class. Postfix's cleanup(8) and header_checks(5). Internal to
 * content/. */
#ifndef CONTENT_LINES_H
#define CONTENT_LINES_H

#include "content/checks.h"
#include "mime/structure.h"

struct content_line {
    enum content_class class;
    struct slice raw;  /* with its line end(s) */
    struct slice text; /* what is matched: without the last line end, LF between folded lines */
    size_t at;         /* BODY: where it stands within its part */
};

struct content_lines {
    struct slice message;
    const struct content_checks *checks;
    struct structure structure;
    size_t at, node;
    size_t body_from; /* of the part that `at` is in */
    struct buf joined;
};

/* FAILED: no memory. */
MUST_USE enum result content_lines_open(struct content_lines *l, struct slice message,
                                        const struct content_checks *checks);
/* False at the end. The text lives until the next call. */
bool content_lines_next(struct content_lines *l, struct content_line *ret);
void content_lines_close(struct content_lines *l);

#endif
