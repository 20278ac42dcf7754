#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

static _Atomic int64_t virtual_monotonic, virtual_realtime = -1;

static int64_t read_clock(clockid_t id, int64_t per_second)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * per_second + t.tv_nsec / (1000000000 / per_second);
}

int64_t clock_monotonic_ms(void)
{
    return virtual_realtime >= 0 ? virtual_monotonic : read_clock(CLOCK_MONOTONIC, 1000);
}

int64_t clock_realtime_us(void)
{
    int64_t set = virtual_realtime;
    return set >= 0 ? set : read_clock(CLOCK_REALTIME, 1000000);
}

void clock_set_virtual(int64_t monotonic_ms, int64_t realtime_us)
{
    virtual_monotonic = monotonic_ms;
    virtual_realtime = realtime_us;
}
