/* checks.c: runs over a message, asks the tables, and makes the changes that they ask for. Nothing
 * is copied as long as nothing changes. */
#include <stdlib.h>

#include "content/lines.h"

enum { SCRATCH_MAX = 1 << 20, GROWTH_MAX = 1 << 20, REPLY_MAX = 500 };

struct content_run {
    const struct content_checks *checks;
    struct arena *arena;  /* of the result */
    struct arena scratch; /* of one line */
    void (*each)(void *arg, const struct content_event *e);
    void *arg;
    struct slice message;
    struct content_result result;
    size_t kept; /* bytes of the message that are in result.message, or were left out */
    bool ended;  /* REJECT, DISCARD, PASS: nothing more is looked at */
    struct content_lines lines;
    struct content_line line; /* the one that is asked about */
};

/* ---- changing ---- */

/* Puts text in the place of the bytes [from, to). */
static void change(struct content_run *r, size_t from, size_t to, struct slice text)
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

static void reject(struct content_run *r, struct slice text)
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
static const char *edit(struct content_run *r, const struct content_line *l,
                        enum content_action action, struct slice text)
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

static const char *perform(struct content_run *r, const struct content_line *l,
                           enum content_action action, struct slice text)
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

/* What the tables say to r->line. */
static void take(struct content_run *r, enum result found, const struct table_match *match,
                 const char *why)
{
    const struct content_line *l = &r->line;
    struct slice text;
    if (found == NOT_FOUND)
        return;
    struct content_event e = {.class = l->class, .line = l->text};
    if (found != OK) {
        r->result.verdict = CONTENT_UNAVAILABLE;
        r->ended = true;
        e.problem = why;
        e.action = ACTION_UNKNOWN;
    } else {
        e.action = content_action_parse(match->value, &text);
        e.text = e.action == ACTION_UNKNOWN ? match->value : text;
        e.where = match->where;
        if (r->checks->outgoing && !works_outgoing(e.action))
            e.problem = "the action is not possible for mail on its way out";
        else
            e.problem = perform(r, l, e.action, text);
    }
    if (e.action != ACTION_DUNNO && e.action != ACTION_IGNORE)
        r->each(r->arg, &e);
}

static void look_at(struct content_run *r, struct slice text)
{
    struct table_match match;
    struct error err = {""};
    enum result found =
        tables_find(&r->checks->tables[r->line.class], text, &r->scratch, &match, &err);
    take(r, found, &match, err.text);
}

/* Empty lines never match. */
static bool is_looked_at(const struct content_run *r, const struct content_line *l)
{
    return r->checks->tables[l->class].n > 0 && l->text.len > 0 &&
           (l->class != CONTENT_BODY || l->at < r->checks->body_checks_size_limit);
}

/* A server's protocol or its library could end the line at a NUL. */
static struct slice without_nul(struct slice text, struct arena *a)
{
    if (slice_find(text, '\0') == SIZE_MAX)
        return text;
    char *copy = arena_alloc(a, text.len);
    for (size_t i = 0; copy && i < text.len; i++)
        copy[i] = text.data[i] ? text.data[i] : ' ';
    return copy ? slice_of(copy, text.len) : text;
}

bool content_run_next(struct content_run *r, struct content_question *ret)
{
    while (!r->ended && content_lines_next(&r->lines, &r->line)) {
        arena_clear(&r->scratch);
        if (!is_looked_at(r, &r->line))
            continue;
        if (r->checks->waits[r->line.class]) {
            *ret = (struct content_question){r->line.class, without_nul(r->line.text, &r->scratch)};
            return true;
        }
        look_at(r, r->line.text);
    }
    return false;
}

void content_run_answer(struct content_run *r, enum result found, const struct table_match *match,
                        const char *why)
{
    take(r, found, match, why);
}

enum result content_run_new(const struct content_checks *c, struct slice message, struct arena *a,
                            void (*each)(void *arg, const struct content_event *e), void *arg,
                            struct content_run **ret)
{
    struct content_run *r = malloc(sizeof *r);
    if (!r)
        return FAILED;
    *r =
        (struct content_run){.checks = c, .arena = a, .each = each, .arg = arg, .message = message};
    if (content_lines_open(&r->lines, message, c) != OK) {
        content_lines_close(&r->lines);
        free(r);
        return FAILED;
    }
    arena_init(&r->scratch, SCRATCH_MAX);
    *ret = r;
    return OK;
}

enum result content_run_end(struct content_run *r, struct content_result *ret)
{
    bool ok = true;
    if (r->result.changed) {
        buf_append(&r->result.message, slice_from(r->message, r->kept));
        ok = buf_ok(&r->result.message);
        if (!ok || !ret)
            buf_release(&r->result.message);
    }
    if (ok && ret)
        *ret = r->result;
    content_lines_close(&r->lines);
    arena_release(&r->scratch);
    free(r);
    return ok ? OK : FAILED;
}

enum result content_check(const struct content_checks *c, struct slice message, struct arena *a,
                          void (*each)(void *arg, const struct content_event *e), void *arg,
                          struct content_result *ret)
{
    struct content_run *r = NULL;
    struct content_question q;
    if (content_run_new(c, message, a, each, arg, &r) != OK)
        return FAILED;
    while (content_run_next(r, &q))
        look_at(r, q.line);
    return content_run_end(r, ret);
}

bool content_checks_wait(const struct content_checks *c)
{
    for (unsigned i = 0; i < CONTENT_CLASSES; i++)
        if (c->waits[i])
            return true;
    return false;
}
