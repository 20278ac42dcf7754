/* pcre.c: tables of Perl-like regular expressions (pcre_table(5)), with PCRE2. A match is bounded
 * in steps and memory: an expression that runs away on a hostile text does not match. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>

#include "table/pattern.h"

enum {
    FLAG_I = 1,
    FLAG_M = 2,
    FLAG_S = 4,
    FLAG_X = 8,
    FLAG_A = 16,
    FLAG_E = 32,
    FLAG_U = 64,
    STEPS_MAX = 1000000,
    DEPTH_MAX = 10000,
    HEAP_KIB_MAX = 16 * 1024
};

static uint32_t options_of(unsigned flags)
{
    return (flags & FLAG_I ? 0 : PCRE2_CASELESS) | (flags & FLAG_M ? PCRE2_MULTILINE : 0) |
           (flags & FLAG_S ? 0 : PCRE2_DOTALL) | (flags & FLAG_X ? PCRE2_EXTENDED : 0) |
           (flags & FLAG_A ? PCRE2_ANCHORED : 0) | (flags & FLAG_E ? PCRE2_DOLLAR_ENDONLY : 0) |
           (flags & FLAG_U ? PCRE2_UNGREEDY : 0);
}

static const char *compile(struct pattern *p, struct slice expression, unsigned flags,
                           struct arena *a)
{
    PCRE2_UCHAR text[120];
    PCRE2_SIZE at;
    int error;
    uint32_t groups = 0;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)expression.data, expression.len, options_of(flags),
                                     &error, &at, NULL);
    if (!code) {
        pcre2_get_error_message(error, text, sizeof text);
        const char *why = arena_printf(a, "the expression is wrong at offset %zu: %s", at, text);
        return why ? why : "no memory";
    }
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
    p->code = code;
    p->groups = groups > TABLE_GROUPS_MAX ? TABLE_GROUPS_MAX : groups;
    return NULL;
}

static void copy_groups(pcre2_match_data *data, unsigned highest, struct pattern_groups *groups)
{
    const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);
    size_t n = pcre2_get_ovector_count(data);
    for (size_t i = 0; i <= highest; i++) {
        bool unset = i >= n || at[2 * i] == PCRE2_UNSET;
        groups->at[i].from = unset ? SIZE_MAX : at[2 * i];
        groups->at[i].to = unset ? SIZE_MAX : at[2 * i + 1];
    }
}

static bool matches(const struct pattern *p, struct slice key, struct pattern_groups *groups)
{
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(p->code, NULL);
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    bool yes = false;
    if (data && limits) {
        pcre2_set_match_limit(limits, STEPS_MAX);
        pcre2_set_depth_limit(limits, DEPTH_MAX);
        pcre2_set_heap_limit(limits, HEAP_KIB_MAX);
        yes = pcre2_match(p->code, (PCRE2_SPTR)key.data, key.len, 0, 0, data, limits) >= 0;
        if (yes && groups)
            copy_groups(data, p->highest, groups);
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    return yes;
}

static void free_code(struct pattern *p)
{
    pcre2_code_free(p->code);
}

/* X ("extra") is the default of PCRE2 and changes nothing. */
static const struct pattern_engine engine = {"imsxAEUX", false, compile, matches, free_code};

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

enum result table_open_pcre(const struct opening *o, struct table **ret)
{
    return rules_open(o, &type, ret);
}
