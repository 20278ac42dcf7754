/* checks.c: runs over a message, asks the tables, and makes the changes that they ask for. Nothing
 * is copied as long as nothing changes. */
#include "content/lines.h"

enum { SCRATCH_MAX = 1 << 20, GROWTH_MAX = 1 << 20, REPLY_MAX = 500 };

struct run {
    const struct content_checks *checks;
    struct arena *arena;  /* of the result */
    struct arena scratch; /* of one line */
    void (*each)(void *arg, const struct content_event *e);
    void *arg;
    struct slice message;
    struct content_result result;
    size_t kept; /* bytes of the message that are in result.message, or were left out */
    bool ended;  /* REJECT, DISCARD, PASS: nothing more is looked at */
};

/* ---- changing ---- */

/* Puts text in the place of the bytes [from, to). */
static void change(struct run *r, size_t from, size_t to, struct slice text)
{
    struct buf *out = &r->result.message;
    if (!r->result.changed)
        buf_init(out, r->message.len + GROWTH_MAX);
    r->result.changed = true;
    buf_append(out, slice_sub(r->message, r->kept, from - r->kept));
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        buf_putc(out, c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
    }
    if (text.len)
        buf_puts(out, "\r\n");
    r->kept = to;
}

static bool is_header(struct slice text)
{
    size_t colon = slice_find(text, ':');
    if (colon == SIZE_MAX || colon == 0)
        return false;
    for (size_t i = 0; i < colon; i++)
        if (text.data[i] <= ' ' || text.data[i] == 127)
            return false;
    return true;
}

/* ---- actions ---- */

static void reject(struct run *r, struct slice text)
{
    /* RFC 3463: "4.7.1 words" or "5.7.1 words"; without a code it is 5.7.1. */
    bool coded = text.len > 5 && (text.data[0] == '4' || text.data[0] == '5') &&
                 text.data[1] == '.' && ascii_digit(text.data[2]);
    if (text.len == 0)
        text = SLICE("message content rejected");
    char *reply = arena_printf(r->arena, "%s%.*s", coded ? "" : "5.7.1 ",
                               SLICE_ARG(slice_sub(text, 0, REPLY_MAX)));
    for (char *p = reply; p && *p; p++)
        if ((unsigned char)*p < ' ' || *p == 127)
            *p = ' ';
    r->result.verdict = CONTENT_REJECT;
    r->result.reply = reply ? slice_cstr(reply) : SLICE("5.7.1 message content rejected");
    r->ended = true;
}

static bool is_address(struct slice text)
{
    size_t at = slice_rfind(text, '@');
    return at != SIZE_MAX && at > 0 && at + 1 < text.len && slice_find(text, ' ') == SIZE_MAX;
}

/* NULL: done. Else why it is not. */
static const char *edit(struct run *r, const struct content_line *l, enum content_action action,
                        struct slice text)
{
    size_t from = (size_t)(l->raw.data - r->message.data), to = from + l->raw.len;
    bool needs_header = l->class != CONTENT_BODY;
    if (action == ACTION_IGNORE || action == ACTION_STRIP) {
        change(r, from, to, SLICE(""));
        return NULL;
    }
    if (text.len == 0)
        return "the action has no text";
    if (needs_header && !is_header(text))
        return "the text is no header field (\"Name: value\")";
    change(r, from, action == ACTION_REPLACE ? to : from, text);
    return NULL;
}

static const char *perform(struct run *r, const struct content_line *l, enum content_action action,
                           struct slice text)
{
    switch (action) {
    case ACTION_REJECT:
        reject(r, text);
        return NULL;
    case ACTION_DISCARD:
        r->result.verdict = CONTENT_DISCARD;
        r->ended = true;
        return NULL;
    case ACTION_PASS:
        r->ended = true;
        return NULL;
    case ACTION_IGNORE:
    case ACTION_STRIP:
    case ACTION_REPLACE:
    case ACTION_PREPEND:
        return edit(r, l, action, text);
    case ACTION_REDIRECT:
    case ACTION_BCC:
        return is_address(text) ? NULL : "the text is no address (user@domain)";
    case ACTION_FILTER:
        return slice_find(text, ':') != SIZE_MAX ? NULL : "the text is no transport:destination";
    case ACTION_UNKNOWN:
        return "unknown action";
    default:
        return NULL;
    }
}

/* postconf(5), smtp_header_checks: these alone make sense behind the queue. */
static bool works_outgoing(enum content_action a)
{
    return a == ACTION_DUNNO || a == ACTION_IGNORE || a == ACTION_INFO || a == ACTION_PREPEND ||
           a == ACTION_REPLACE || a == ACTION_STRIP || a == ACTION_WARN;
}

static void look_at(struct run *r, const struct content_line *l)
{
    struct table_match match;
    struct error err = {""};
    struct slice text;
    const struct tables *tables = &r->checks->tables[l->class];
    /* Empty lines never match. */
    if (tables->n == 0 || l->text.len == 0)
        return;
    if (l->class == CONTENT_BODY && l->at >= r->checks->body_checks_size_limit)
        return;
    enum result found = tables_find(tables, l->text, &r->scratch, &match, &err);
    if (found == NOT_FOUND)
        return;
    struct content_event e = {.class = l->class, .line = l->text};
    if (found != OK) {
        r->result.verdict = CONTENT_UNAVAILABLE;
        r->ended = true;
        e.problem = err.text;
        e.action = ACTION_UNKNOWN;
    } else {
        e.action = content_action_parse(match.value, &text);
        e.text = e.action == ACTION_UNKNOWN ? match.value : text;
        e.where = match.where;
        if (r->checks->outgoing && !works_outgoing(e.action))
            e.problem = "the action is not possible for mail on its way out";
        else
            e.problem = perform(r, l, e.action, text);
    }
    if (e.action != ACTION_DUNNO && e.action != ACTION_IGNORE)
        r->each(r->arg, &e);
}

enum result content_check(const struct content_checks *c, struct slice message, struct arena *a,
                          void (*each)(void *arg, const struct content_event *e), void *arg,
                          struct content_result *ret)
{
    struct run r = {.checks = c, .arena = a, .each = each, .arg = arg, .message = message};
    struct content_lines lines;
    struct content_line line;
    if (content_lines_open(&lines, message, c) != OK)
        return FAILED;
    arena_init(&r.scratch, SCRATCH_MAX);
    while (!r.ended && content_lines_next(&lines, &line)) {
        look_at(&r, &line);
        arena_clear(&r.scratch);
    }
    content_lines_close(&lines);
    arena_release(&r.scratch);
    if (r.result.changed) {
        buf_append(&r.result.message, slice_from(message, r.kept));
        if (!buf_ok(&r.result.message)) {
            buf_release(&r.result.message);
            return FAILED;
        }
    }
    *ret = r.result;
    return OK;
}
