/* table.c: the settings' rows, and finding one by a name right or nearly right. */
#include "conf/table.h"

#include "conf/elsewhere.h"
#include "conf/postfix/parameters.h"

#define ROW(kind, name, fallback, min, max, origin, text)                                          \
    {CONF_##kind, #name, fallback, min, max, origin, text, offsetof(struct conf, name)},
const struct conf_setting conf_table[CONF_SETTING_COUNT] = {CONF_SETTINGS(ROW)};

size_t conf_find(struct slice name)
{
    for (size_t i = 0; i < CONF_SETTING_COUNT; i++)
        if (slice_is(name, conf_table[i].name))
            return i;
    return SIZE_MAX;
}

static size_t least(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Levenshtein distance, case folded: how many characters to insert, delete or replace. */
static size_t distance(struct slice a, struct slice b)
{
    enum { LONGEST = 64 };
    size_t row[LONGEST + 1];
    if (a.len > LONGEST || b.len > LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t above = row[j];
            bool same = ascii_lower(a.data[i - 1]) == ascii_lower(b.data[j - 1]);
            row[j] = least(above + 1, row[j - 1] + 1, diagonal + !same);
            diagonal = above;
        }
    }
    return row[b.len];
}

static const struct {
    const char *name, *origin;
} elsewhere[] = {
#define ELSEWHERE(name, origin) {#name, origin},
    CONF_ELSEWHERE(ELSEWHERE)};
enum { ELSEWHERE_COUNT = sizeof elsewhere / sizeof *elsewhere };

const char *conf_served_by(struct slice name)
{
    for (size_t i = 0; i < ELSEWHERE_COUNT; i++)
        if (slice_is(name, elsewhere[i].name))
            return strcmp(elsewhere[i].origin, "postfix") == 0 ? "Postfix" : "Dovecot";
    return postfix_parameter_find(name) ? "Postfix" : NULL;
}

size_t conf_farthest(struct slice name)
{
    return name.len / 4 + 2;
}

void conf_consider(struct slice name, const char *candidate, const char **best,
                   size_t *least_so_far)
{
    size_t d = distance(name, slice_cstr(candidate));
    if (d < *least_so_far) {
        *least_so_far = d;
        *best = candidate;
    }
}

const char *conf_suggest(struct slice name)
{
    const char *best = NULL;
    size_t nearest = conf_farthest(name);
    for (size_t i = 0; i < CONF_SETTING_COUNT; i++)
        conf_consider(name, conf_table[i].name, &best, &nearest);
    for (size_t i = 0; i < ELSEWHERE_COUNT; i++)
        conf_consider(name, elsewhere[i].name, &best, &nearest);
    for (size_t i = 0; postfix_parameter_at(i); i++)
        conf_consider(name, postfix_parameter_at(i)->name, &best, &nearest);
    return best;
}
