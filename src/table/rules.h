/* rules.h: tables of patterns in order, with if … endif: what cidr, regexp and pcre have alike. A
 * rule is a match with a value, an if, or an endif; a line that is wrong is told and left out. */
#ifndef TABLE_RULES_H
#define TABLE_RULES_H

#include "table/impl.h"

enum { TABLE_RULES_MAX = 100000, TABLE_NESTING_MAX = 100 };

enum rule_kind { RULE_MATCH, RULE_IF, RULE_ENDIF };

struct rule {
    enum rule_kind kind;
    unsigned line;
    size_t end;         /* of RULE_IF: where its RULE_ENDIF is; SIZE_MAX: it has none */
    void *pattern;      /* the type's */
    struct slice value; /* of RULE_MATCH */
};

struct ruled {
    struct table table;
    struct slice file;
    struct rule *rules;
    size_t n, size;
};

/* What a type knows about its patterns. */
struct rule_type {
    const struct table_ops *ops;
    bool values_may_be_empty; /* regexp and pcre warn and take it */
    size_t size;              /* of the table's object; begins with struct ruled */
    /* Takes the pattern (with negation and flags) off the front of *rest. The pattern is freed by
     * the type's release. NULL: fine; else what is wrong. */
    const char *(*parse)(struct ruled *t, struct slice *rest, void **ret_pattern);
    /* Is the value fit for this pattern ($n)? May change it. May be NULL. */
    const char *(*check)(struct ruled *t, void *pattern, struct slice *value);
};

enum result rules_open(const struct opening *o, const struct rule_type *type, struct table **ret);
/* The first rule whose pattern `matches` says yes to, the ifs observed. NULL: none. */
const struct rule *rules_find(const struct ruled *t,
                              bool (*matches)(void *arg, const struct rule *r), void *arg);
/* table_ops' values. */
void rules_values(const struct table *t, table_value_fn *each, void *arg);
/* Value and place of a rule that matched. */
enum result rules_answer(const struct ruled *t, const struct rule *r, struct slice value,
                         struct arena *a, struct table_match *ret, struct error *err);

#endif
