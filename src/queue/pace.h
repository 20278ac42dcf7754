/* pace.h: how much at a time a destination gets: Postfix's concurrency feedback (its
 * SCHEDULER_README, postconf(5) default_destination_concurrency_*). A destination begins with a
 * small window; each attempt that reached it lets the window grow, each that did not lets it
 * shrink, and when as many in a row failed as the window was wide (a cohort), the destination is
 * dead for a while. Numbers alone: no clock, no queue. */
#ifndef QUEUE_PACE_H
#define QUEUE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct feedback {
    double amount; /* by which the window moves; 0 to 1 */
    enum { FEEDBACK_CONSTANT, FEEDBACK_BY_CONCURRENCY, FEEDBACK_BY_SQUARE_ROOT } per;
};

struct pace_rules {
    uint32_t initial, limit; /* of the window; 1 at least */
    struct feedback positive, negative;
    uint32_t failed_cohorts; /* in a row, and it is dead; 0: never */
};

struct pace {
    uint32_t window; /* attempts at a time */
    double up, down; /* feedback that has not yet moved the window */
    double cohorts;  /* that failed in a row */
};

void pace_begin(struct pace *p, const struct pace_rules *r);
/* An attempt reached the destination, whatever was said there. busy: attempts under way. */
void pace_reached(struct pace *p, const struct pace_rules *r, uint32_t busy);
/* An attempt did not. True: it is dead; begin again once it has rested. */
bool pace_missed(struct pace *p, const struct pace_rules *r);

#endif
