/* regexp.c: tables of POSIX regular expressions (regexp_table(5)), with the system's regcomp. */
#include <regex.h>
#include <stdlib.h>

#include "table/pattern.h"

enum { FLAG_I = 1, FLAG_M = 2, FLAG_X = 4 };

/* Bytes of the bracket expression "[^]a[:alpha:]]" that s begins with. */
static size_t bracket_len(struct slice s)
{
    size_t i = 1;
    i += i < s.len && s.data[i] == '^';
    i += i < s.len && s.data[i] == ']';
    while (i < s.len && s.data[i] != ']') {
        char kind = s.data[i] == '[' && i + 1 < s.len ? s.data[i + 1] : '\0';
        i++;
        if (kind != ':' && kind != '.' && kind != '=')
            continue;
        for (i++; i + 1 < s.len && !(s.data[i] == kind && s.data[i + 1] == ']'); i++)
            ;
        i += 2;
    }
    return i + 1;
}

/* "(a*)\1": what makes regexec try every way to divide a key, for longer than any mail can wait. A
 * key comes from strangers, and regexec takes no limit. */
static bool has_back_reference(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '[')
            i += bracket_len(slice_from(s, i)) - 1;
        else if (s.data[i] == '\\' && ++i < s.len && s.data[i] >= '1' && s.data[i] <= '9')
            return true;
    }
    return false;
}

static const char *compile(struct pattern *p, struct slice expression, unsigned flags,
                           struct arena *a)
{
    char text[120];
    int how = (flags & FLAG_X ? 0 : REG_EXTENDED) | (flags & FLAG_I ? 0 : REG_ICASE) |
              (flags & FLAG_M ? REG_NEWLINE : 0);
    if (has_back_reference(expression))
        return "back-references such as \\1 in the expression are not served: one could hang the "
               "server; write it for pcre";
    regex_t *code = malloc(sizeof *code);
    if (!code)
        return "no memory";
    int error = regcomp(code, expression.data, how);
    if (error) {
        regerror(error, code, text, sizeof text);
        free(code);
        const char *why = arena_printf(a, "the expression is wrong: %s", text);
        return why ? why : "no memory";
    }
    p->code = code;
    p->groups = code->re_nsub > TABLE_GROUPS_MAX ? TABLE_GROUPS_MAX : (unsigned)code->re_nsub;
    return NULL;
}

static bool matches(const struct pattern *p, struct slice key, struct pattern_groups *groups)
{
    regmatch_t at[TABLE_GROUPS_MAX + 1];
    size_t n = groups ? p->highest + 1 : 0;
    if (regexec(p->code, key.data, n, at, 0) != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        groups->at[i].from = at[i].rm_so < 0 ? SIZE_MAX : (size_t)at[i].rm_so;
        groups->at[i].to = at[i].rm_so < 0 ? SIZE_MAX : (size_t)at[i].rm_eo;
    }
    return true;
}

static void free_code(struct pattern *p)
{
    regfree(p->code);
    free(p->code);
}

static const struct pattern_engine engine = {"imx", true, compile, matches, free_code};

static const char *parse(struct ruled *t, struct slice *rest, void **ret_pattern)
{
    return patterns_parse(t, &engine, rest, ret_pattern);
}

static const struct table_ops ops = {
    .patterns = true, .find = patterns_find, .values = rules_values, .release = patterns_release};
static const struct rule_type type = {.ops = &ops,
                                      .values_may_be_empty = true,
                                      .size = sizeof(struct patterns),
                                      .parse = parse,
                                      .check = patterns_check};

enum result table_open_regexp(const struct opening *o, struct table **ret)
{
    return rules_open(o, &type, ret);
}
