#include "table/rules.h"

#include <stdlib.h>

#include "table/lines.h"
#include "table/spec.h"

struct reading {
    const struct opening *o;
    const struct rule_type *type;
    struct ruled *t;
    size_t open[TABLE_NESTING_MAX]; /* ifs that wait for their endif */
    size_t depth;
    unsigned line;
};

static void report(struct reading *r, const char *reason)
{
    r->o->problem(r->o->arg, r->t->file, r->line, reason);
}

/* NULL: no room or memory. */
static struct rule *add(struct reading *r, enum rule_kind kind)
{
    struct ruled *t = r->t;
    if (t->n == TABLE_RULES_MAX)
        return NULL;
    if (t->n == t->size) {
        size_t size = t->size ? 2 * t->size : 8;
        struct rule *grown = realloc(t->rules, size * sizeof *grown);
        if (!grown)
            return NULL;
        t->rules = grown;
        t->size = size;
    }
    struct rule *rule = &t->rules[t->n++];
    *rule = (struct rule){.kind = kind, .line = r->line, .end = SIZE_MAX};
    return rule;
}

static struct slice skip(struct slice s)
{
    while (s.len && table_space(s.data[0]))
        s = slice_from(s, 1);
    return s;
}

/* Takes the word (any case) off the front; what follows must not go on as a word. */
static bool take_word(struct slice *line, struct slice word)
{
    if (!slice_starts_nocase(*line, word) ||
        (line->len > word.len && ascii_alnum(line->data[word.len])))
        return false;
    *line = skip(slice_from(*line, word.len));
    return true;
}

static const char *too_many = "too many rules, or no memory";

static const char *read_if(struct reading *r, struct slice rest)
{
    void *pattern = NULL;
    if (r->depth == TABLE_NESTING_MAX)
        return "too many ifs in one another";
    const char *why = rest.len ? r->type->parse(r->t, &rest, &pattern) : "an if without a pattern";
    if (why)
        return why;
    struct rule *rule = add(r, RULE_IF);
    if (!rule)
        return too_many;
    rule->pattern = pattern;
    r->open[r->depth++] = r->t->n - 1;
    return skip(rest).len ? "the text behind the if's pattern is ignored" : NULL;
}

static const char *read_endif(struct reading *r, struct slice rest)
{
    if (r->depth == 0)
        return "an endif without an if; it is ignored";
    if (!add(r, RULE_ENDIF))
        return too_many;
    r->t->rules[r->open[--r->depth]].end = r->t->n - 1;
    return rest.len ? "the text behind endif is ignored" : NULL;
}

static const char *read_match(struct reading *r, struct slice rest)
{
    void *pattern = NULL;
    const char *why = r->type->parse(r->t, &rest, &pattern);
    if (why)
        return why;
    struct slice value = skip(rest);
    if (value.len == 0 && !r->type->values_may_be_empty)
        return "expected: pattern, white space, value";
    if (value.len > TABLE_VALUE_MAX)
        return "the value is too long";
    value = arena_dup(&r->t->table.arena, value);
    why = value.data && r->type->check ? r->type->check(r->t, pattern, &value) : NULL;
    if (why)
        return why;
    struct rule *rule = value.data ? add(r, RULE_MATCH) : NULL;
    if (!rule)
        return too_many;
    rule->pattern = pattern;
    rule->value = value;
    return value.len ? NULL : "the value is empty";
}

static void read_line(struct reading *r, struct slice line)
{
    const char *why;
    if (table_space(line.data[0]))
        why = "a line that begins with white space, and there is none before that it continues";
    else if (slice_find(line, '\0') != SIZE_MAX)
        why = "the line holds a NUL byte";
    else if (take_word(&line, SLICE("endif")))
        why = read_endif(r, line);
    else if (take_word(&line, SLICE("if")))
        why = read_if(r, line);
    else
        why = read_match(r, line);
    if (why)
        report(r, why);
}

static enum result read_rules(struct reading *r, struct slice text)
{
    struct table_lines lines;
    struct slice line;
    table_lines_init(&lines, text);
    while (r->t->n < TABLE_RULES_MAX && table_lines_next(&lines, &line)) {
        r->line = lines.first;
        read_line(r, line);
    }
    bool ok = buf_ok(&lines.joined);
    while (r->depth) {
        r->line = r->t->rules[r->open[--r->depth]].line;
        report(r, "an if without its endif");
    }
    table_lines_release(&lines);
    return ok ? OK : error_set(r->o->err, FAILED, "no memory");
}

enum result rules_open(const struct opening *o, const struct rule_type *type, struct table **ret)
{
    struct reading r = {.o = o, .type = type, .t = table_new(o, type->ops, type->size)};
    struct slice text;
    if (!r.t)
        return FAILED;
    enum result result = table_rules(o, &r.t->table.arena, &text, &r.t->file);
    if (result == OK)
        result = read_rules(&r, text);
    return table_opened(result, &r.t->table, ret);
}

const struct rule *rules_find(const struct ruled *t,
                              bool (*matches)(void *arg, const struct rule *r), void *arg)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct rule *r = &t->rules[i];
        if (r->kind == RULE_ENDIF)
            continue;
        bool yes = matches(arg, r);
        if (yes && r->kind == RULE_MATCH)
            return r;
        if (!yes && r->kind == RULE_IF) {
            if (r->end == SIZE_MAX)
                return NULL;
            i = r->end;
        }
    }
    return NULL;
}

void rules_values(const struct table *t, table_value_fn *each, void *arg)
{
    const struct ruled *r = (const struct ruled *)t;
    for (size_t i = 0; i < r->n; i++)
        if (r->rules[i].kind == RULE_MATCH)
            each(arg, r->file, r->rules[i].line, r->rules[i].value);
}

enum result rules_answer(const struct ruled *t, const struct rule *r, struct slice value,
                         struct arena *a, struct table_match *ret, struct error *err)
{
    struct slice where = table_where(a, t->file, r->line);
    if (!value.data || !where.data)
        return error_set(err, FAILED, "%.*s: no memory, or the value is too long",
                         SLICE_ARG(t->table.name));
    *ret = (struct table_match){value, where};
    return OK;
}
