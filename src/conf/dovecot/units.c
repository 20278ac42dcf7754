/* units.c: Dovecot's times and sizes. */
#include "conf/dovecot/map.h"

/* A number and the word behind it. */
static enum result number_and_unit(struct slice text, uint64_t *ret, struct slice *ret_unit)
{
    size_t n = 0;
    text = slice_trim(text);
    while (n < text.len && ascii_digit(text.data[n]))
        n++;
    *ret_unit = slice_trim(slice_from(text, n));
    return slice_parse_u64(slice_sub(text, 0, n), INT64_MAX / 1024, ret);
}

enum result dovecot_seconds(struct slice text, int64_t *ret)
{
    static const struct {
        const char *unit;
        uint64_t seconds;
    } units[] = {{"week", 604800}, {"day", 86400}, {"hour", 3600}, {"min", 60}, {"sec", 1}};
    uint64_t n;
    struct slice unit;
    if (number_and_unit(text, &n, &unit) != OK || n > 1000000)
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

enum result dovecot_bytes(struct slice text, uint64_t unit_without, uint64_t *ret)
{
    static const char letters[] = "bkmgt";
    uint64_t n, factor = unit_without;
    struct slice unit;
    if (number_and_unit(text, &n, &unit) != OK)
        return INVALID;
    if (unit.len) {
        const char *at = strchr(letters, ascii_lower(unit.data[0]));
        struct slice behind = slice_from(unit, 1);
        if (!at || (behind.len && !slice_is_nocase(behind, "b") && !slice_is_nocase(behind, "ib")))
            return INVALID;
        factor = (uint64_t)1 << (10 * (at - letters));
    }
    if (n && factor > INT64_MAX / n)
        return INVALID;
    *ret = n * factor;
    return OK;
}
