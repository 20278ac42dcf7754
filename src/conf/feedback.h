/* feedback.h: how the window of a destination moves with its attempts, as postconf(5) writes it in
 * default_destination_concurrency_positive_feedback. */
#ifndef CONF_FEEDBACK_H
#define CONF_FEEDBACK_H

#include "base/result.h"
#include "base/slice.h"

struct conf_feedback {
    double amount; /* 0 to 1 */
    enum { CONF_FEEDBACK_CONSTANT, CONF_FEEDBACK_BY_CONCURRENCY, CONF_FEEDBACK_BY_SQUARE_ROOT } per;
};

/* "0.25", "1/8", "1/concurrency", "1/sqrt_concurrency". INVALID: none of these, or more than 1. */
MUST_USE enum result conf_feedback(struct slice text, struct conf_feedback *ret);
/* The same, telling why not. */
MUST_USE enum result conf_check_feedback(struct slice text, struct error *why);

#endif
