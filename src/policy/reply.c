/* reply.c: refusals, those that wait for how it ends, and what is noted on the way. */
#include "policy/machine.h"

#include <stdarg.h>
#include <stdio.h>

enum { TEXT_MAX = 2048 };

const char *const class_client = "Client host";
const char *const class_reverse = "Unverified Client host";
const char *const class_helo = "Helo command";
const char *const class_sender = "Sender address";
const char *const class_rcpt = "Recipient address";
const char *const class_etrn = "Etrn command";

/* Nothing that a reply line may not hold. */
static struct slice clean(struct run *r, struct slice text)
{
    char *p = arena_alloc(r->arena, text.len + 1);
    if (!p)
        return SLICE("Error");
    for (size_t i = 0; i < text.len; i++)
        p[i] = (unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f ? '?' : text.data[i];
    return slice_of(p, text.len);
}

static struct slice vtext(struct run *r, const char *format, va_list ap)
{
    char text[TEXT_MAX];
    int n = vsnprintf(text, sizeof text, format, ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    return clean(r, slice_of(text, len));
}

static void add(struct run *r, struct slice_list *l, const char *kind, struct slice text)
{
    if (!l->items)
        l->items = arena_alloc_n(r->arena, NOTES_MAX, sizeof *l->items);
    const char *line =
        arena_printf(r->arena, "%s%s%.*s", kind, text.len ? " " : "", SLICE_ARG(text));
    if (l->items && line && l->n < NOTES_MAX)
        l->items[l->n++] = slice_cstr(line);
}

void add_note(struct run *r, const char *kind, struct slice text)
{
    add(r, &r->decision->notes, kind, text);
}

void add_action(struct run *r, const char *kind, struct slice text)
{
    add(r, &r->decision->actions, kind, text);
}

static struct slice rule_name(const struct run *r)
{
    if (!r->rule)
        return SLICE("");
    return r->rule->word ? slice_cstr(r->rule->word->name) : r->rule->text;
}

static struct slice where_now(const struct run *r)
{
    if (r->decided_where.len)
        return r->decided_where;
    return r->list ? r->list->where : SLICE("");
}

/* "5.7.1" of the code's class, whatever it was written as. */
static struct slice with_class(struct run *r, int64_t code, struct slice enhanced)
{
    char *p = arena_alloc(r->arena, enhanced.len + 1);
    if (!p)
        return SLICE("4.3.0");
    memcpy(p, enhanced.data, enhanced.len);
    p[0] = (char)('0' + code / 100);
    return slice_of(p, enhanced.len);
}

static struct deferral refusal(struct run *r, int64_t code, struct slice enhanced,
                               struct slice text)
{
    if (code < 400 || code > 599) /* a slip in the configuration */
        code = 450;
    if (r->conf->soft_bounce && code >= 500)
        code -= 100;
    return (struct deferral){
        .active = true,
        .code = (unsigned)code,
        .enhanced = with_class(r, code, enhanced),
        .text = text,
        .rule = rule_name(r),
        .where = where_now(r),
    };
}

static enum outcome take(struct run *r, const struct deferral *d)
{
    struct decision *to = r->decision;
    to->code = d->code;
    to->enhanced = d->enhanced;
    to->text = d->text;
    to->rule = d->rule;
    to->where = d->where;
    return REJECT;
}

enum outcome enforce(struct run *r, struct deferral *d)
{
    d->active = false;
    return take(r, d);
}

static enum outcome refuse_text(struct run *r, enum fault fault, int64_t code,
                                struct slice enhanced, struct slice text)
{
    struct deferral d = refusal(r, code, enhanced, text);
    if (r->warn_depth && fault == BY_POLICY) {
        const char *line =
            arena_printf(r->arena, "%u %.*s %.*s", d.code, SLICE_ARG(d.enhanced), SLICE_ARG(text));
        add_note(r, "reject_warning", slice_cstr(line));
        return DUNNO;
    }
    /* What might have permitted could not be asked: not for good, then. */
    if (r->if_reject.active && d.code >= 500)
        return enforce(r, &r->if_reject);
    return take(r, &d);
}

enum outcome refuse(struct run *r, enum fault fault, int64_t code, const char *enhanced,
                    const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    struct slice text = vtext(r, format, ap);
    va_end(ap);
    return refuse_text(r, fault, code, slice_cstr(enhanced), text);
}

enum outcome refuse_subject(struct run *r, int64_t code, const char *enhanced, const char *why)
{
    return refuse(r, BY_POLICY, code, enhanced, "<%.*s>: %s rejected: %s",
                  SLICE_ARG(r->subject.name), r->subject.class, why);
}

enum outcome server_error(struct run *r, const char *problem, struct slice what)
{
    const char *line = arena_printf(r->arena, "%s: %.*s", problem, SLICE_ARG(what));
    add_note(r, "problem", slice_cstr(line));
    return refuse(r, BY_US, 451, "4.3.5", "Server configuration error");
}

enum outcome lookup_error(struct run *r, struct slice what)
{
    return refuse(r, BY_US, 451, "4.3.0", "<%.*s>: Temporary lookup failure", SLICE_ARG(what));
}

enum outcome defer_if_permit(struct run *r, struct slice action, int64_t code, const char *enhanced,
                             const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    struct slice text = vtext(r, format, ap);
    va_end(ap);
    if (r->warn_depth || slice_is_nocase(action, "defer"))
        return refuse_text(r, BY_POLICY, code, slice_cstr(enhanced), text);
    if (!r->if_permit.active)
        r->if_permit = refusal(r, code, slice_cstr(enhanced), text);
    return DUNNO;
}

enum outcome defer_if_reject(struct run *r, int64_t code, const char *enhanced, const char *format,
                             ...)
{
    va_list ap;
    va_start(ap, format);
    struct slice text = vtext(r, format, ap);
    va_end(ap);
    if (!r->if_reject.active)
        r->if_reject = refusal(r, code, slice_cstr(enhanced), text);
    return DUNNO;
}

/* ---- enhanced status codes ---- */

static size_t digits(struct slice s, size_t most)
{
    size_t n = 0;
    while (n < s.len && n < most && ascii_digit(s.data[n]))
        n++;
    return n;
}

struct slice take_enhanced(struct slice text, struct slice *ret_enhanced)
{
    size_t subject = digits(slice_from(text, 2), 3);
    if (text.len < 5 || !strchr("245", text.data[0]) || text.data[1] != '.' || subject == 0)
        return text;
    size_t at = 2 + subject;
    size_t detail = at < text.len && text.data[at] == '.' ? digits(slice_from(text, at + 1), 3) : 0;
    size_t end = at + 1 + detail;
    if (detail == 0 || (end < text.len && text.data[end] != ' ' && text.data[end] != '\t'))
        return text;
    *ret_enhanced = slice_sub(text, 0, end);
    return slice_trim(slice_from(text, end));
}

struct slice fit_enhanced(const struct run *r, struct slice enhanced, const char *class)
{
    static const struct {
        const char *given, *of_sender, *of_rcpt;
    } pairs[] = {
        {".1.1", ".1.7", ".1.1"}, {".1.2", ".1.8", ".1.2"}, {".1.3", ".1.7", ".1.3"},
        {".1.4", ".1.7", ".1.4"}, {".1.5", ".1.0", ".1.5"}, {".1.6", ".1.7", ".1.6"},
        {".1.7", ".1.7", ".1.3"}, {".1.8", ".1.8", ".1.2"},
    };
    bool sender = class == class_sender, rcpt = class == class_rcpt;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (!slice_is(slice_from(enhanced, 1), pairs[i].given))
            continue;
        const char *to = sender ? pairs[i].of_sender : rcpt ? pairs[i].of_rcpt : ".0.0";
        const char *text = arena_printf(r->arena, "%c%s", enhanced.data[0], to);
        return text ? slice_cstr(text) : enhanced;
    }
    return enhanced;
}
