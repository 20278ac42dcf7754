/* table.h: the settings as data: one row for each, made from conf/settings.h. */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include "conf/conf.h"

enum conf_kind { CONF_BOOL, CONF_NUMBER, CONF_SECONDS, CONF_TEXT, CONF_LIST, CONF_MAPS };

struct conf_setting {
    enum conf_kind kind;
    const char *name, *fallback; /* the default, as text of the file */
    int64_t min, max;            /* of NUMBER and SECONDS; max 0 with min 0: none */
    const char *origin, *text;   /* for the manual page */
    size_t offset;               /* in struct conf */
};

#define CONF_COUNT_ONE(...) +1
enum { CONF_SETTING_COUNT = 0 CONF_SETTINGS(CONF_COUNT_ONE) };
extern const struct conf_setting conf_table[CONF_SETTING_COUNT];

/* Index of the setting, or SIZE_MAX. */
size_t conf_find(struct slice name);
/* The name most like this one, ours or one that is served elsewhere, or NULL where none is near. */
const char *conf_suggest(struct slice name);
/* For suggestions among other names: the distance from which on a candidate is another word, and
 * taking a candidate that is nearer than the best so far. */
size_t conf_farthest(struct slice name);
void conf_consider(struct slice name, const char *candidate, const char **best,
                   size_t *least_so_far);
/* Whose parameter it is, when it is exactly one that is not served here: "Postfix"; else NULL. */
const char *conf_served_by(struct slice name);

#endif
