/* action.c: the words of header_checks(5). */
#include "content/checks.h"

static const struct {
    const char *name;
    enum content_action action;
} actions[] = {
    {"BCC", ACTION_BCC},         {"DISCARD", ACTION_DISCARD},   {"DUNNO", ACTION_DUNNO},
    {"OK", ACTION_DUNNO},        {"FILTER", ACTION_FILTER},     {"HOLD", ACTION_HOLD},
    {"IGNORE", ACTION_IGNORE},   {"INFO", ACTION_INFO},         {"PASS", ACTION_PASS},
    {"PREPEND", ACTION_PREPEND}, {"REDIRECT", ACTION_REDIRECT}, {"REJECT", ACTION_REJECT},
    {"REPLACE", ACTION_REPLACE}, {"STRIP", ACTION_STRIP},       {"WARN", ACTION_WARN},
};

enum content_action content_action_parse(struct slice value, struct slice *ret_text)
{
    size_t end = 0;
    value = slice_trim(value);
    while (end < value.len && value.data[end] != ' ' && value.data[end] != '\t')
        end++;
    *ret_text = slice_trim(slice_from(value, end));
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (slice_is_nocase(slice_sub(value, 0, end), actions[i].name))
            return actions[i].action;
    return ACTION_UNKNOWN;
}

const char *content_action_name(enum content_action a)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (actions[i].action == a)
            return actions[i].name;
    return "unknown";
}

static const char *const classes[] = {"header_checks", "mime_header_checks", "nested_header_checks",
                                      "body_checks"};

const char *content_class_name(enum content_class c)
{
    return classes[c];
}

enum content_class content_class_of(struct slice name)
{
    unsigned c = 0;
    while (c < CONTENT_CLASSES && !slice_is(name, classes[c]))
        c++;
    return (enum content_class)c;
}

bool content_checks_any(const struct content_checks *c)
{
    bool any = false;
    for (unsigned i = 0; i < CONTENT_CLASSES; i++)
        any = any || c->tables[i].n > 0;
    return any;
}
