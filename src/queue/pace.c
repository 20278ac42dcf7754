/* pace.c: see pace.h. */
#include "queue/pace.h"

#include <math.h>

static double feedback_of(const struct feedback *f, uint32_t window)
{
    switch (f->per) {
    case FEEDBACK_BY_CONCURRENCY:
        return f->amount / window;
    case FEEDBACK_BY_SQUARE_ROOT:
        return f->amount / sqrt(window);
    default:
        return f->amount;
    }
}

/* ---- the window ---- */

/* Sums of fractions: eight eighths shall be one. */
static const double ALMOST = 1e-6;

void pace_begin(struct pace *p, const struct pace_rules *r)
{
    *p = (struct pace){.window = r->initial < r->limit ? r->initial : r->limit};
}

void pace_reached(struct pace *p, const struct pace_rules *r, uint32_t busy)
{
    p->cohorts = 0;
    if (p->window >= r->limit) {
        p->window = r->limit;
        return;
    }
    /* A window that is not used up says nothing of what the destination could take. */
    if (p->window >= busy + r->initial)
        return;
    p->up += feedback_of(&r->positive, p->window);
    while (p->up >= 1 - ALMOST && p->window < r->limit) {
        p->window++;
        p->up -= 1;
        p->down = 0;
    }
}

bool pace_missed(struct pace *p, const struct pace_rules *r)
{
    p->cohorts += 1.0 / p->window;
    if (r->failed_cohorts && p->cohorts >= r->failed_cohorts - ALMOST)
        return true;
    p->down += feedback_of(&r->negative, p->window);
    while (p->down > ALMOST) {
        p->window -= p->window > 1;
        p->down -= 1;
        p->up = 0;
    }
    return false;
}
