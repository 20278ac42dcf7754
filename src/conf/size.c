#include "conf/size.h"

#include <string.h>

enum result conf_number_and_unit(struct slice text, uint64_t *ret, struct slice *ret_unit)
{
    size_t n = 0;
    text = slice_trim(text);
    while (n < text.len && ascii_digit(text.data[n]))
        n++;
    *ret_unit = slice_trim(slice_from(text, n));
    return slice_parse_u64(slice_sub(text, 0, n), INT64_MAX / 1024, ret);
}

enum result conf_size_parse(struct slice text, uint64_t unit_without, uint64_t *ret)
{
    static const char letters[] = "bkmgt";
    uint64_t n, factor = unit_without;
    struct slice unit;
    if (conf_number_and_unit(text, &n, &unit) != OK)
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
