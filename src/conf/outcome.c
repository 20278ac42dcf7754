#include "conf/outcome.h"

static const char *const words[] = {
    [CONF_OUTCOME_READING] = "reading",
    [CONF_OUTCOME_REFUSED] = "refused",
    [CONF_OUTCOME_TAKEN] = "taken",
    [CONF_OUTCOME_IN_FORCE] = "in-force",
};
enum { WORDS = sizeof words / sizeof *words, HEAD_MAX = 64 };

void conf_outcome_format(const struct conf_outcome *o, struct buf *out)
{
    struct slice errors = o->errors;
    if (errors.len > CONF_OUTCOME_MAX - HEAD_MAX)
        errors = slice_sub(errors, 0, CONF_OUTCOME_MAX - HEAD_MAX);
    buf_printf(out, "%llu %s\n", (unsigned long long)o->number, words[o->step]);
    buf_append(out, errors);
}

enum result conf_outcome_parse(struct slice text, struct conf_outcome *ret)
{
    struct slice line = slice_split(&text, '\n');
    struct slice number = slice_split(&line, ' ');
    for (size_t i = 0; i < WORDS; i++)
        if (slice_is(line, words[i]) && slice_parse_u64(number, UINT64_MAX, &ret->number) == OK) {
            ret->step = (enum conf_outcome_step)i;
            ret->errors = text;
            return OK;
        }
    return INVALID;
}
