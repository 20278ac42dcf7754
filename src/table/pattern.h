/* pattern.h: "!/expression/flags": what regexp and pcre tables have alike. The engines compile and
 * match; here are the rule's form and the value's $n. */
#ifndef TABLE_PATTERN_H
#define TABLE_PATTERN_H

#include "table/replace.h"
#include "table/rules.h"

struct pattern_engine;

/* One expression, in the arena; its `code` is the engine's. */
struct pattern {
    const struct pattern_engine *engine;
    struct pattern *and_not; /* "/a/!/b/": matches a and not b (an old form) */
    struct pattern *next;    /* of all, for the release */
    void *code;
    bool negated;
    unsigned groups;  /* that the expression has */
    unsigned highest; /* that the value asks for */
};

/* Where the groups of a match lie; [0] is the whole. */
struct pattern_groups {
    struct {
        size_t from, to; /* SIZE_MAX: took no part */
    } at[TABLE_GROUPS_MAX + 1];
};

struct pattern_engine {
    const char *flags; /* the letters that it knows */
    bool tandem;       /* "/a/!/b/" is a form of it */
    /* expression is NUL-terminated; flags: one bit for each letter that is toggled. NULL: fine. */
    const char *(*compile)(struct pattern *p, struct slice expression, unsigned flags,
                           struct arena *a);
    /* key is NUL-terminated. groups may be NULL. */
    bool (*matches)(const struct pattern *p, struct slice key, struct pattern_groups *groups);
    void (*free)(struct pattern *p);
};

struct patterns {
    struct ruled ruled;
    const struct pattern_engine *engine;
    struct pattern *all;
};

enum result patterns_find(const struct table *t, struct slice key, struct arena *a,
                          struct table_match *ret, struct error *err);
void patterns_release(struct table *t);
const char *patterns_parse(struct ruled *t, const struct pattern_engine *engine, struct slice *rest,
                           void **ret_pattern);
const char *patterns_check(struct ruled *t, void *pattern, struct slice *value);

#endif
