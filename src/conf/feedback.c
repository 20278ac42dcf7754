/* feedback.c: see feedback.h. */
#include "conf/feedback.h"

/* A number with at most four digits on either side of its point. */
static bool take_amount(struct slice s, double *ret)
{
    struct slice rest = s, whole = slice_split(&rest, '.');
    double value = 0, place = 1;
    if (s.len == 0 || whole.len > 4 || rest.len > 4 || whole.len + rest.len == 0)
        return false;
    for (size_t i = 0; i < whole.len; i++) {
        if (!ascii_digit(whole.data[i]))
            return false;
        value = value * 10 + (whole.data[i] - '0');
    }
    for (size_t i = 0; i < rest.len; i++) {
        if (!ascii_digit(rest.data[i]))
            return false;
        place /= 10;
        value += place * (rest.data[i] - '0');
    }
    *ret = value;
    return true;
}

enum result conf_feedback(struct slice text, struct conf_feedback *ret)
{
    struct slice below = text, above = slice_trim(slice_split(&below, '/'));
    struct conf_feedback f = {.per = CONF_FEEDBACK_CONSTANT};
    double divisor = 1;
    bool divided = slice_find(text, '/') != SIZE_MAX;
    below = slice_trim(below);
    if (slice_is(below, "concurrency"))
        f.per = CONF_FEEDBACK_BY_CONCURRENCY;
    else if (slice_is(below, "sqrt_concurrency"))
        f.per = CONF_FEEDBACK_BY_SQUARE_ROOT;
    else if (divided && (!take_amount(below, &divisor) || divisor <= 0))
        return INVALID;
    if (!take_amount(above, &f.amount))
        return INVALID;
    f.amount /= divisor;
    if (f.amount > 1)
        return INVALID;
    *ret = f;
    return OK;
}

enum result conf_check_feedback(struct slice text, struct error *why)
{
    struct conf_feedback f;
    if (conf_feedback(text, &f) == OK)
        return OK;
    return error_set(why, INVALID,
                     "`%.*s` is no feedback: write a number between 0 and 1, a fraction (1/8), "
                     "1/concurrency or 1/sqrt_concurrency",
                     SLICE_ARG(text));
}
