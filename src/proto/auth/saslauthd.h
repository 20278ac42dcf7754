/* saslauthd.h: the protocol of Cyrus SASL's saslauthd on its Unix socket: one question, one answer.
 * The question is four counted strings (two bytes of length, big-endian, then the bytes): login,
 * password, service, realm; the answer is one, "OK" or "NO" and maybe more words. Used by edge,
 * which answers such questions, by agent, which asks them, and by testsaslauthd. */
#ifndef PROTO_AUTH_SASLAUTHD_H
#define PROTO_AUTH_SASLAUTHD_H

#include "base/buf.h"

enum {
    SASLAUTHD_TEXT_MAX = 1024, /* bytes of each string */
    SASLAUTHD_QUESTION_MAX = 4 * (2 + SASLAUTHD_TEXT_MAX),
    SASLAUTHD_ANSWER_MAX = 2 + SASLAUTHD_TEXT_MAX
};

struct saslauthd_question {
    struct slice login, password, service, realm;
};

/* OK: a whole question; slices borrow from `in`. BUSY: more bytes are to come. INVALID: a string is
 * too long, holds NUL, or the login is empty. */
MUST_USE enum result saslauthd_parse(struct slice in, struct saslauthd_question *ret);
void saslauthd_put_question(const struct saslauthd_question *q, struct buf *out);

/* OK: *ret_right tells, *ret_text is all of the answer ("NO authentication failed"). BUSY, INVALID.
 */
MUST_USE enum result saslauthd_parse_answer(struct slice in, bool *ret_right,
                                            struct slice *ret_text);
void saslauthd_put_answer(const char *text, struct buf *out);

#endif
