#include "table/pattern.h"

#include <stdlib.h>

#include "table/spec.h"

enum { EXPRESSION_MAX = 16 * 1024 };

/* ---- reading ---- */

/* Takes "!…" and the expression between its delimiters. */
static const char *take_expression(struct slice *rest, bool *ret_negated, struct slice *ret)
{
    struct slice s = *rest;
    size_t n = 1;
    *ret_negated = false;
    for (; s.len && (s.data[0] == '!' || table_space(s.data[0])); s = slice_from(s, 1))
        *ret_negated ^= s.data[0] == '!';
    if (s.len == 0)
        return "there is no expression";
    if (ascii_alnum(s.data[0]))
        return "expected: /expression/flags, white space, value";
    while (n < s.len && s.data[n] != s.data[0])
        n += s.data[n] == '\\' && n + 1 < s.len ? 2 : 1;
    if (n >= s.len)
        return "the delimiter that ends the expression is missing";
    if (n > EXPRESSION_MAX)
        return "the expression is too long";
    *ret = slice_sub(s, 1, n - 1);
    *rest = slice_from(s, n + 1);
    return NULL;
}

static const char *take_flags(struct slice *rest, const char *known, unsigned *ret)
{
    unsigned flags = 0;
    for (; rest->len && !table_space(rest->data[0]) && rest->data[0] != '!';
         *rest = slice_from(*rest, 1)) {
        const char *at = strchr(known, rest->data[0]);
        if (!at)
            return "a flag behind the expression that is not known";
        flags ^= 1u << (at - known);
    }
    *ret = flags;
    return NULL;
}

static const char *take_pattern(struct patterns *t, const struct pattern_engine *engine,
                                struct slice *rest, struct pattern **ret)
{
    struct arena *a = &t->ruled.table.arena;
    struct pattern *p = ARENA_NEW(a, struct pattern);
    struct slice expression;
    unsigned flags = 0;
    if (!p)
        return "no memory";
    p->engine = engine;
    const char *why = take_expression(rest, &p->negated, &expression);
    if (!why)
        why = take_flags(rest, engine->flags, &flags);
    if (!why && !(expression = arena_dup(a, expression)).data)
        why = "no memory";
    if (!why)
        why = engine->compile(p, expression, flags, a);
    if (why)
        return why;
    p->next = t->all;
    t->all = p;
    *ret = p;
    return NULL;
}

const char *patterns_parse(struct ruled *t, const struct pattern_engine *engine, struct slice *rest,
                           void **ret_pattern)
{
    struct patterns *mine = (struct patterns *)t;
    struct pattern *p = NULL;
    mine->engine = engine;
    const char *why = take_pattern(mine, engine, rest, &p);
    if (!why && rest->len && rest->data[0] == '!' && !engine->tandem)
        why = "a ! behind the expression";
    if (!why && rest->len && rest->data[0] == '!')
        why = take_pattern(mine, engine, rest, &p->and_not);
    if (!why)
        *ret_pattern = p;
    return why;
}

const char *patterns_check(struct ruled *t, void *pattern, struct slice *value)
{
    struct pattern *p = pattern;
    (void)t;
    const char *why = replace_check(*value, &p->highest);
    if (why)
        return why;
    if (p->highest && p->negated)
        return "a $number in the value of a negated pattern";
    if (p->highest > p->groups)
        return "a $number beyond the groups of the expression";
    return NULL;
}

void patterns_release(struct table *t)
{
    struct patterns *mine = (struct patterns *)t;
    for (struct pattern *p = mine->all; p; p = p->next)
        p->engine->free(p);
    free(mine->ruled.rules);
}

/* ---- asking ---- */

struct asking {
    struct slice key;
    struct pattern_groups groups;
};

static bool matches(void *arg, const struct rule *r)
{
    struct asking *q = arg;
    const struct pattern *p = r->pattern;
    struct pattern_groups *groups = p->highest ? &q->groups : NULL;
    if (p->engine->matches(p, q->key, groups) == p->negated)
        return false;
    return !p->and_not || p->engine->matches(p->and_not, q->key, NULL) != p->and_not->negated;
}

static struct slice group(void *arg, unsigned n)
{
    const struct asking *q = arg;
    size_t from = q->groups.at[n].from, to = q->groups.at[n].to;
    return from == SIZE_MAX || to < from ? SLICE_NONE : slice_sub(q->key, from, to - from);
}

enum result patterns_find(const struct table *t, struct slice key, struct arena *a,
                          struct table_match *ret, struct error *err)
{
    const struct ruled *rules = (const struct ruled *)t;
    struct asking *q = ARENA_NEW(a, struct asking);
    struct buf value;
    if (!q || !(q->key = arena_dup(a, key)).data)
        return error_set(err, FAILED, "no memory");
    const struct rule *r = rules_find(rules, matches, q);
    if (!r)
        return NOT_FOUND;
    buf_init(&value, TABLE_VALUE_MAX);
    replace_expand(r->value, group, q, &value);
    struct slice text = buf_ok(&value) ? arena_dup(a, buf_slice(&value)) : SLICE_NONE;
    buf_release(&value);
    return rules_answer(rules, r, text, a, ret, err);
}
