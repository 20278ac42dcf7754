/* units.c: Dovecot's times. */
#include "conf/dovecot/map.h"
#include "conf/size.h"

enum result dovecot_seconds(struct slice text, int64_t *ret)
{
    static const struct {
        const char *unit;
        uint64_t seconds;
    } units[] = {{"week", 604800}, {"day", 86400}, {"hour", 3600}, {"min", 60}, {"sec", 1}};
    uint64_t n;
    struct slice unit;
    if (conf_number_and_unit(text, &n, &unit) != OK || n > 1000000)
        return INVALID;
    if (slice_is_nocase(unit, "ms") || slice_starts_nocase(unit, SLICE("msec")) ||
        slice_starts_nocase(unit, SLICE("milli"))) {
        *ret = (int64_t)((n + 999) / 1000);
        return OK;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (unit.len && (slice_starts_nocase(unit, slice_cstr(units[i].unit)) ||
                         (unit.len == 1 && ascii_lower(unit.data[0]) == units[i].unit[0]))) {
            *ret = (int64_t)(n * units[i].seconds);
            return OK;
        }
    if (unit.len)
        return INVALID;
    *ret = (int64_t)n;
    return OK;
}
