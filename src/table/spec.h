/* spec.h: the text that names a table: "type:rest", "{ a, { b c } }", "name = value". The rules are
 * main.cf's (postconf(5)): items are separated by commas and white space, what stands in { } is
 * kept together. */
#ifndef TABLE_SPEC_H
#define TABLE_SPEC_H

#include "base/arena.h"

static inline bool table_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
static inline bool table_separator(char c)
{
    return c == ',' || table_space(c);
}
/* Without white space at both ends; \v and \f count too. */
struct slice table_trim(struct slice s);

/* The type before the first ':'; data NULL when there is none (a path, or nothing). */
struct slice table_spec_type(struct slice spec);

/* "{ text }" without braces and outer white space. INVALID: no such form; *ret_why tells it. */
MUST_USE enum result table_braces(struct slice s, struct slice *ret, const char **ret_why);

/* Takes the next item off *rest; false at the end. A brace that is not closed goes to the end. */
bool table_next_item(struct slice *rest, struct slice *ret);

/* "name = value", both trimmed. NULL: fine; else what is wrong. */
const char *table_name_value(struct slice s, struct slice *ret_name, struct slice *ret_value);

#endif
