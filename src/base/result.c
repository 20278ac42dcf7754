#include "base/result.h"

#include <stdarg.h>
#include <stdio.h>

const char *result_name(enum result r)
{
    static const char *const names[] = {
        [OK] = "ok",
        [NOT_FOUND] = "not-found",
        [EXISTS] = "exists",
        [INVALID] = "invalid",
        [LIMIT] = "limit",
        [DENIED] = "denied",
        [CONFLICT] = "conflict",
        [BUSY] = "busy",
        [FULL] = "full",
        [CORRUPT] = "corrupt",
        [CLOSED] = "closed",
        [FAILED] = "failed",
    };
    return (unsigned)r < sizeof names / sizeof *names ? names[r] : "unknown";
}

enum result error_set(struct error *err, enum result r, const char *format, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, format);
        vsnprintf(err->text, sizeof err->text, format, ap);
        va_end(ap);
    }
    return r;
}
