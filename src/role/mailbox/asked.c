#include "role/mailbox/asked.h"

#include <time.h>

#include "base/clock.h"

static bool parse_date(const char *text, int64_t *ret)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%d", &tm);
    if (end && *end == 'T')
        end = strptime(end, "T%H:%M", &tm);
    if (!end || *end)
        return false;
    *ret = (int64_t)timegm(&tm);
    return true;
}

bool asked_time(struct slice text, int64_t *ret)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    char copy[32];
    uint64_t n;
    int64_t factor = 1;
    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    if (parse_date(copy, ret))
        return true;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (copy[text.len - 1] == units[i].unit)
            factor = units[i].seconds;
    if (ascii_alpha(copy[text.len - 1]))
        text.len -= factor > 1 || copy[text.len - 1] == 's';
    if (slice_parse_u64(text, UINT32_MAX, &n) != OK)
        return false;
    *ret = clock_realtime_s() - (int64_t)n * factor;
    return true;
}

bool asked_address(struct slice wanted, struct slice address)
{
    return slice_starts(wanted, SLICE("@")) ? slice_ends_nocase(address, wanted)
                                            : slice_eq_nocase(address, wanted);
}
