/* expand.c: expansion of values, as postconf(5) describes it. Work is bounded by the number of
 * references, so that values which double each other end soon. */
#include "conf/expand.h"

enum { DEPTH_MAX = 40, STEPS_MAX = 20000 };

struct expansion {
    const struct conf_expander *by;
    struct buf *out;
    struct error *why;
    unsigned steps;
};

static enum result expand(struct expansion *x, struct slice text, enum conf_grammar g,
                          unsigned depth);

static bool name_char(char c)
{
    return ascii_alnum(c) || c == '_';
}

static struct slice skip_space(struct slice s)
{
    while (s.len && (s.data[0] == ' ' || s.data[0] == '\t'))
        s = slice_from(s, 1);
    return s;
}

static struct slice take_name(struct slice *rest)
{
    size_t n = 0;
    while (n < rest->len && name_char(rest->data[n]))
        n++;
    struct slice name = slice_sub(*rest, 0, n);
    *rest = slice_from(*rest, n);
    return name;
}

/* What stands in the brackets at the front (balanced), without them; data NULL: not closed. */
static struct slice take_group(struct slice *rest)
{
    char open = rest->data[0], close = open == '{' ? '}' : ')';
    size_t depth = 0;
    for (size_t i = 0; i < rest->len; i++) {
        depth += rest->data[i] == open;
        if (rest->data[i] == close && --depth == 0) {
            struct slice body = slice_sub(*rest, 1, i - 1);
            *rest = slice_from(*rest, i + 1);
            return body;
        }
    }
    return SLICE_NONE;
}

static enum result malformed(struct expansion *x, const char *what, struct slice at)
{
    return error_set(x->why, INVALID, "%s at `%.*s`", what, SLICE_ARG(slice_sub(at, 0, 60)));
}

/* The texts behind ? and : of a ${...}. */
struct arms {
    struct slice yes, no;
    bool has_yes, has_no;
};

static enum result take_arm(struct expansion *x, struct slice *rest, bool first, struct slice *ret)
{
    struct slice body = skip_space(*rest);
    if (body.len && body.data[0] == '{') {
        struct slice group = take_group(&body);
        if (!group.data)
            return malformed(x, "a { is not closed", body);
        *rest = skip_space(body);
        *ret = group;
        if (rest->len && (!first || rest->data[0] != ':'))
            return malformed(x, first ? "a : is expected" : "unexpected text", *rest);
        return OK;
    }
    *ret = *rest;
    *rest = SLICE("");
    return OK;
}

/* "?{a}:{b}", "?text", ":text" or nothing. */
static enum result take_arms(struct expansion *x, struct slice rest, struct arms *ret)
{
    struct arms a = {.yes = SLICE(""), .no = SLICE("")};
    enum result r = OK;
    rest = skip_space(rest);
    if (rest.len && rest.data[0] == '?') {
        rest = slice_from(rest, 1);
        a.has_yes = true;
        r = take_arm(x, &rest, true, &a.yes);
    }
    if (r == OK && rest.len && rest.data[0] == ':') {
        rest = slice_from(rest, 1);
        a.has_no = true;
        r = take_arm(x, &rest, false, &a.no);
    }
    if (r == OK && rest.len)
        r = malformed(x, "? or : is expected", rest);
    if (r == OK)
        *ret = a;
    return r;
}

/* ---- comparisons ---- */

enum result conf_level_parse(struct slice text, uint64_t *ret)
{
    uint64_t level = 0, part;
    struct slice rest = text;
    for (int i = 0; i < 3; i++) {
        part = 0;
        if (rest.data && slice_parse_u64(slice_split(&rest, '.'), 65535, &part) != OK)
            return INVALID;
        level = level << 16 | part;
    }
    if (rest.data)
        return INVALID;
    *ret = level;
    return OK;
}

static bool all_digits(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_digit(s.data[i]))
            return false;
    return s.len > 0;
}

static enum result compare(struct expansion *x, struct slice a, struct slice b, bool level,
                           int *ret)
{
    uint64_t m, n;
    if (!level && !(all_digits(a) && all_digits(b))) {
        *ret = slice_cmp(a, b);
        return OK;
    }
    enum result r = level ? conf_level_parse(a, &m) : slice_parse_u64(a, INT64_MAX, &m);
    if (r == OK)
        r = level ? conf_level_parse(b, &n) : slice_parse_u64(b, INT64_MAX, &n);
    if (r != OK)
        return malformed(x, level ? "no compatibility level" : "too large a number", a);
    *ret = m < n ? -1 : m > n;
    return OK;
}

enum operator{ EQ, NE, LE, GE, LT, GT, NONE };

static enum operator take_operator(struct slice *rest, bool *ret_level)
{
    static const char *const texts[] = {"==", "!=", "<=", ">=", "<", ">"};
    for (int i = EQ; i < NONE; i++)
        if (slice_starts(*rest, slice_cstr(texts[i]))) {
            *rest = slice_from(*rest, strlen(texts[i]));
            *ret_level = slice_starts(*rest, SLICE("level"));
            if (*ret_level)
                *rest = slice_from(*rest, 5);
            return (enum operator)i;
        }
    return NONE;
}

static bool holds(enum operator o, int order)
{
    switch (o) {
    case EQ:
        return order == 0;
    case NE:
        return order != 0;
    case LE:
        return order <= 0;
    case GE:
        return order >= 0;
    case LT:
        return order < 0;
    default:
        return order > 0;
    }
}

/* Expands into a buffer of its own. */
static enum result expand_aside(struct expansion *x, struct slice text, enum conf_grammar g,
                                unsigned depth, struct buf *aside)
{
    struct expansion inner = *x;
    buf_init(aside, CONF_VALUE_MAX);
    inner.out = aside;
    enum result r = expand(&inner, text, g, depth + 1);
    x->steps = inner.steps;
    return r;
}

static enum result compare_groups(struct expansion *x, struct slice left, struct slice right,
                                  enum conf_grammar g, unsigned depth, bool level, int *ret)
{
    struct buf a, b;
    buf_init(&b, 1);
    enum result r = expand_aside(x, left, g, depth, &a);
    if (r == OK)
        r = expand_aside(x, right, g, depth, &b);
    if (r == OK)
        r = compare(x, buf_slice(&a), buf_slice(&b), level, ret);
    buf_release(&a);
    buf_release(&b);
    return r;
}

/* "{a} == {b} ? {x} : {y}" */
static enum result expand_relation(struct expansion *x, struct slice body, enum conf_grammar g,
                                   unsigned depth)
{
    struct arms arms;
    bool level = false;
    int order = 0;
    struct slice left = take_group(&body);
    body = skip_space(body);
    enum operator o = left.data ? take_operator(&body, &level) : NONE;
    if (o == NONE)
        return malformed(x, "==, !=, <, <=, >= or > is expected", body);
    body = skip_space(body);
    struct slice right = body.len && body.data[0] == '{' ? take_group(&body) : SLICE_NONE;
    if (!right.data)
        return malformed(x, "{text} is expected", body);
    enum result r = take_arms(x, body, &arms);
    if (r == OK)
        r = compare_groups(x, left, right, g, depth, level, &order);
    if (r != OK)
        return r;
    if (!arms.has_yes && !arms.has_no)
        arms.yes = SLICE("true");
    return expand(x, holds(o, order) ? arms.yes : arms.no, g, depth + 1);
}

/* ---- names ---- */

/* Empty is what expands to nothing. */
static enum result is_empty(struct expansion *x, struct slice value, enum conf_grammar g,
                            unsigned depth, bool *ret)
{
    struct buf aside;
    enum result r = expand_aside(x, value, g, depth, &aside);
    if (r == OK)
        *ret = buf_len(&aside) == 0;
    buf_release(&aside);
    return r;
}

static enum result expand_name(struct expansion *x, struct slice name, const struct arms *arms,
                               enum conf_grammar g, unsigned depth)
{
    struct slice value = SLICE("");
    enum conf_grammar of_value = g;
    bool empty = true, conditional = arms && (arms->has_yes || arms->has_no);
    bool defined = x->by->lookup(x->by->arg, name, &value, &of_value);
    if (++x->steps > STEPS_MAX)
        return error_set(x->why, LIMIT, "the value refers to too many others");
    if (!defined && !conditional && g == CONF_OWN)
        return error_set(x->why, INVALID, "$%.*s is not defined", SLICE_ARG(name));
    if (!conditional)
        return defined ? expand(x, value, of_value, depth + 1) : OK;
    enum result r = defined ? is_empty(x, value, of_value, depth, &empty) : OK;
    return r == OK ? expand(x, empty ? arms->no : arms->yes, g, depth + 1) : r;
}

/* The inside of ${...} or $(...). */
static enum result expand_braced(struct expansion *x, struct slice body, enum conf_grammar g,
                                 unsigned depth)
{
    struct arms arms;
    body = skip_space(body);
    if (body.len && body.data[0] == '{')
        return expand_relation(x, body, g, depth);
    struct slice name = take_name(&body);
    if (name.len == 0)
        return malformed(x, "a name is expected in ${}", body);
    enum result r = take_arms(x, body, &arms);
    return r == OK ? expand_name(x, name, &arms, g, depth) : r;
}

static enum result expand_dollar(struct expansion *x, struct slice *rest, enum conf_grammar g,
                                 unsigned depth)
{
    char first = rest->len ? rest->data[0] : 0;
    if (first == '$') {
        buf_putc(x->out, '$');
        *rest = slice_from(*rest, 1);
        return OK;
    }
    if (first == '{' || first == '(') {
        struct slice at = *rest, body = take_group(rest);
        return body.data ? expand_braced(x, body, g, depth)
                         : malformed(x, "a bracket is not closed", at);
    }
    struct slice name = take_name(rest);
    if (name.len == 0)
        return error_set(x->why, INVALID,
                         "a $ must be followed by a name, ${name} or $(name); "
                         "write $$ for the character itself");
    return expand_name(x, name, NULL, g, depth);
}

static enum result expand(struct expansion *x, struct slice text, enum conf_grammar g,
                          unsigned depth)
{
    if (depth > DEPTH_MAX)
        return error_set(x->why, INVALID, "$names refer to one another in a circle");
    if (g == CONF_LITERAL) {
        buf_append(x->out, text);
        return buf_ok(x->out) ? OK : error_set(x->why, LIMIT, "the value is too long");
    }
    while (text.data && text.len) {
        size_t dollar = slice_find(text, '$');
        buf_append(x->out, slice_sub(text, 0, dollar));
        if (dollar == SIZE_MAX)
            break;
        text = slice_from(text, dollar + 1);
        enum result r = expand_dollar(x, &text, g, depth);
        if (r != OK)
            return r;
    }
    return buf_ok(x->out) ? OK : error_set(x->why, LIMIT, "the value is too long");
}

enum result conf_expand(const struct conf_expander *e, struct slice text, enum conf_grammar grammar,
                        struct buf *out, struct error *why)
{
    struct expansion x = {e, out, why, 0};
    return expand(&x, text, grammar, 0);
}

void conf_references(struct slice text, void (*each)(void *arg, struct slice name), void *arg)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.data[i] != '$')
            continue;
        if (text.data[i + 1] == '$') {
            i++;
            continue;
        }
        struct slice rest = slice_from(text, i + 1);
        if (rest.data[0] == '{' || rest.data[0] == '(')
            rest = skip_space(slice_from(rest, 1));
        struct slice name = take_name(&rest);
        if (name.len)
            each(arg, name);
    }
}
