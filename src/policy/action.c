/* action.c: what a value of an access table means (access(5)). */
#include "policy/machine.h"

/* The text behind the action's word. */
struct action {
    struct slice word, text;
};

static struct action parse(struct slice value)
{
    size_t end = 0;
    value = slice_trim(value);
    while (end < value.len && value.data[end] != ' ' && value.data[end] != '\t')
        end++;
    return (struct action){slice_sub(value, 0, end), slice_trim(slice_from(value, end))};
}

static bool all_digits(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_digit(s.data[i]))
            return false;
    return s.len > 0;
}

/* "<NAME>: CLASS rejected: TEXT", with the text's own enhanced code when it begins with one. */
static enum outcome refuse_with(struct run *r, int64_t code, struct slice text,
                                const char *fallback)
{
    struct slice enhanced = code < 500 ? SLICE("4.7.1") : SLICE("5.7.1");
    text = take_enhanced(text, &enhanced);
    enhanced = fit_enhanced(r, enhanced, r->subject.class);
    if (text.len == 0)
        text = slice_cstr(fallback);
    const char *code_text = arena_printf(r->arena, "%.*s", SLICE_ARG(enhanced));
    return refuse(r, BY_POLICY, code, code_text ? code_text : "4.3.0", "<%.*s>: %s rejected: %.*s",
                  SLICE_ARG(r->subject.name), r->subject.class, SLICE_ARG(text));
}

static enum outcome defer_with(struct run *r, struct slice text, bool if_permit)
{
    struct slice enhanced = SLICE("4.7.1");
    int64_t code = r->conf->access_map_defer_code;
    text = take_enhanced(text, &enhanced);
    enhanced = fit_enhanced(r, enhanced, r->subject.class);
    if (text.len == 0)
        text = SLICE("Service unavailable");
    const char *e = arena_printf(r->arena, "%.*s", SLICE_ARG(enhanced));
    const char *whole = arena_printf(r->arena, "<%.*s>: %s rejected: %.*s",
                                     SLICE_ARG(r->subject.name), r->subject.class, SLICE_ARG(text));
    if (!e || !whole)
        return lookup_error(r, r->subject.name);
    return if_permit ? defer_if_permit(r, SLICE(""), code, e, "%s", whole)
                     : defer_if_reject(r, code, e, "%s", whole);
}

/* ---- actions by name ---- */

static enum outcome do_reject(struct run *r, struct slice text)
{
    return refuse_with(r, r->conf->access_map_reject_code, text, "Access denied");
}

static enum outcome do_defer(struct run *r, struct slice text)
{
    return refuse_with(r, r->conf->access_map_defer_code, text, "Access denied");
}

static enum outcome do_defer_if_reject(struct run *r, struct slice text)
{
    return defer_with(r, text, false);
}

static enum outcome do_defer_if_permit(struct run *r, struct slice text)
{
    return defer_with(r, text, true);
}

static enum outcome do_dunno(struct run *r, struct slice text)
{
    (void)r, (void)text;
    return DUNNO;
}

static enum outcome do_permit(struct run *r, struct slice text)
{
    (void)r, (void)text;
    return PERMIT;
}

static enum outcome do_warn(struct run *r, struct slice text)
{
    add_note(r, "warn", text);
    return DUNNO;
}

static enum outcome do_info(struct run *r, struct slice text)
{
    add_note(r, "info", text);
    return DUNNO;
}

static enum outcome do_hold(struct run *r, struct slice text)
{
    add_action(r, "hold", text);
    return DUNNO;
}

/* Nothing that comes after it counts. */
static enum outcome do_discard(struct run *r, struct slice text)
{
    add_action(r, "discard", text);
    r->discarded = true;
    return PERMIT;
}

/* Which transports there are, auth knows. */
static enum outcome do_filter(struct run *r, struct slice text)
{
    if (slice_find(text, ':') == SIZE_MAX)
        return server_error(r, "access table action FILTER needs transport:destination", text);
    add_action(r, "filter", text);
    return DUNNO;
}

static bool is_address(struct slice text)
{
    return slice_find(text, '@') != SIZE_MAX;
}

static enum outcome do_redirect(struct run *r, struct slice text)
{
    if (!is_address(text))
        return server_error(r, "access table action REDIRECT needs an address", text);
    add_action(r, "redirect", text);
    return DUNNO;
}

static enum outcome do_bcc(struct run *r, struct slice text)
{
    if (!is_address(text))
        return server_error(r, "access table action BCC needs an address", text);
    add_action(r, "bcc", text);
    return DUNNO;
}

static bool is_header(struct slice text)
{
    size_t colon = slice_find(text, ':');
    for (size_t i = 0; i < colon && i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] == 0x7f)
            return false;
    return colon != SIZE_MAX && colon > 0;
}

static enum outcome do_prepend(struct run *r, struct slice text)
{
    if (r->stage == POLICY_AT_END)
        add_note(r, "problem", SLICE("PREPEND must come before the message"));
    else if (!is_header(text))
        add_note(r, "problem", SLICE("PREPEND needs a header field"));
    else
        add_action(r, "prepend", text);
    return DUNNO;
}

static const struct {
    const char *name;
    enum outcome (*run)(struct run *r, struct slice text);
} actions[] = {
    {"OK", do_permit},
    {"RELAY", do_permit},
    {"DUNNO", do_dunno},
    {"REJECT", do_reject},
    {"DEFER", do_defer},
    {"DEFER_IF_REJECT", do_defer_if_reject},
    {"DEFER_IF_PERMIT", do_defer_if_permit},
    {"WARN", do_warn},
    {"INFO", do_info},
    {"HOLD", do_hold},
    {"DISCARD", do_discard},
    {"FILTER", do_filter},
    {"REDIRECT", do_redirect},
    {"BCC", do_bcc},
    {"PREPEND", do_prepend},
};

/* ---- restrictions ---- */

static struct slice_list split(struct slice text, struct arena *a)
{
    struct slice_list l = {arena_alloc_n(a, text.len / 2 + 1, sizeof *l.items), 0};
    size_t from = 0;
    for (size_t at = 0; l.items && at <= text.len; at++) {
        if (at < text.len && !strchr(", \t\r\n", text.data[at]))
            continue;
        if (at > from)
            l.items[l.n++] = slice_sub(text, from, at - from);
        from = at + 1;
    }
    return l;
}

static enum outcome run_words(struct run *r, const struct table *t, struct slice value)
{
    struct list *l = ARENA_NEW(r->arena, struct list);
    struct compiling c = {.arena = r->arena, .policy = r->policy, .next_id = 1u << 31};
    if (!l)
        return lookup_error(r, r->subject.name);
    l->name = table_name(t);
    l->where = r->decided_where;
    compile_list(&c, split(value, r->arena), l);
    if (c.bad)
        return server_error(r, c.error.text, l->where);
    return run_list(r, l);
}

enum outcome access_result(struct run *r, const struct table *t, struct slice value)
{
    struct action a = parse(value);
    if (a.word.len == 3 && all_digits(a.word) && (a.word.data[0] == '4' || a.word.data[0] == '5')) {
        uint64_t code = 0;
        if (slice_parse_u64(a.word, 599, &code) == OK)
            return refuse_with(r, (int64_t)code, a.text, "Access denied");
    }
    if (all_digits(slice_trim(value)))
        return PERMIT;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (slice_is_nocase(a.word, actions[i].name))
            return actions[i].run(r, a.text);
    return run_words(r, t, value);
}
