/* expand.h: $name, ${name}, $(name), ${name?text}, ${name:text}, ${name?{a}:{b}},
 * ${{a} == {b} ? {x} : {y}} and $$: postconf(5) "DESCRIPTION". */
#ifndef CONF_EXPAND_H
#define CONF_EXPAND_H

#include "base/buf.h"
#include "conf/source.h"

struct conf_expander {
    /* The text of a parameter that is not yet expanded, and its grammar; false: not defined. */
    bool (*lookup)(void *arg, struct slice name, struct slice *ret, enum conf_grammar *ret_grammar);
    void *arg;
};

/* Appends the expanded text. INVALID with the reason; LIMIT: the value is too long, or takes too
 * many steps. */
MUST_USE enum result conf_expand(const struct conf_expander *e, struct slice text,
                                 enum conf_grammar grammar, struct buf *out, struct error *why);

/* Every name that the text refers to, without expanding it: also in the arms not taken. */
void conf_references(struct slice text, void (*each)(void *arg, struct slice name), void *arg);

/* Compatibility levels "3", "3.6", "3.6.1" as one number that compares. INVALID: none. */
MUST_USE enum result conf_level_parse(struct slice text, uint64_t *ret);

#endif
