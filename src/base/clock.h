/* clock.h: the time, from one place, so that a simulated world can move it. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since some fixed moment; never goes back. For time-outs. */
int64_t clock_monotonic_ms(void);
/* Microseconds since 1970-01-01 00:00 UTC. For what people and files see. */
int64_t clock_realtime_us(void);
static inline int64_t clock_realtime_s(void)
{
    return clock_realtime_us() / 1000000;
}

/* Simulation: from now on both clocks stand at these values until set again; realtime_us < 0 gives
 * the real clocks back. */
void clock_set_virtual(int64_t monotonic_ms, int64_t realtime_us);

#endif
