#include "role/mailbox/trace_text.h"

#include <stdio.h>
#include <time.h>

#include "base/log.h"
#include "ipc/target_show.h"
#include "role/mailbox/mailbox.h"
#include "trace/trace.h"

enum { COPIES_TOLD_MAX = 100, TOLD_MAX = 100000, LINE_START = 27 };

/* A message being told. */
struct telling {
    struct trace_teller *teller;
    struct json events;
    uint64_t copies[COPIES_TOLD_MAX];
    size_t n_copies;
};

void trace_teller_init(struct trace_teller *t, struct control_call *c, bool as_json)
{
    *t = (struct trace_teller){.call = c, .as_json = as_json};
    map_init(&t->told, TOLD_MAX);
    if (as_json)
        t->list = json_begin(&c->out, '[');
}

void trace_teller_end(struct trace_teller *t)
{
    map_release(&t->told);
    if (!t->as_json)
        return;
    json_end(&t->list);
    buf_putc(&t->call->out, '\n');
}

static void put_time(struct buf *out, int64_t us)
{
    char text[32];
    time_t s = (time_t)(us / 1000000);
    struct tm tm;
    gmtime_r(&s, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(out, "%s.%03dZ", text, (int)(us / 1000 % 1000));
}

/* Seconds as the trace has them become a date. */
static struct slice readable(struct trace_text f, char out[static 32])
{
    uint64_t seconds;
    if (f.field != TRACE_F_NEXT || slice_parse_u64(f.value, INT64_MAX, &seconds) != OK)
        return f.value;
    time_t s = (time_t)seconds;
    struct tm tm;
    gmtime_r(&s, &tm);
    return slice_of(out, strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm));
}

static void remember_copy(struct telling *t, struct trace_text f)
{
    uint64_t id;
    if (f.field == TRACE_F_COPY && t->n_copies < COPIES_TOLD_MAX &&
        log_id_parse(f.value, &id) == OK)
        t->copies[t->n_copies++] = id;
}

/* ---- for people ---- */

/* Where something is told of one recipient, and each in a line of its own. */
static bool begins_line(enum trace_event event, enum trace_field field)
{
    return event == TRACE_ACCEPTED && field == TRACE_F_RCPT;
}

static void put_value(struct buf *out, struct trace_text f, char date[static 32])
{
    struct target target;
    if (f.field == TRACE_F_TARGET && target_parse(f.value, &target) == OK)
        target_show(&target, out);
    else
        buf_append(out, readable(f, date));
}

static void put_text(struct telling *t, const struct trace_entry *e)
{
    struct buf *out = &t->teller->call->out;
    struct slice rest = e->fields;
    struct trace_text f;
    char date[32];
    buf_puts(out, "  ");
    put_time(out, e->time_us);
    buf_printf(out, "  %-9s", trace_event_name(e->event));
    while (trace_next(&rest, &f)) {
        if (begins_line(e->event, f.field))
            buf_printf(out, "\n%*s", LINE_START, "");
        buf_printf(out, " %s=", trace_field_name(f.field));
        put_value(out, f, date);
        remember_copy(t, f);
    }
    buf_putc(out, '\n');
}

/* ---- JSON ---- */

static bool is_about_recipient(enum trace_field f)
{
    return f == TRACE_F_RCPT || f == TRACE_F_RULE || f == TRACE_F_TARGET;
}

/* The fields behind a recipient up to the next one. */
static void put_recipient(struct json *list, struct slice *rest, struct slice address,
                          struct slice *rule)
{
    struct trace_text f;
    json_item(list);
    struct json r = json_begin(list->out, '{');
    json_put_string(&r, "to", address);
    json_key(&r, "targets");
    struct json targets = json_begin(list->out, '[');
    for (struct slice ahead = *rest;
         trace_next(&ahead, &f) && f.field != TRACE_F_RCPT && is_about_recipient(f.field);
         *rest = ahead) {
        if (f.field == TRACE_F_RULE) {
            *rule = f.value;
            continue;
        }
        json_item(&targets);
        json_string(list->out, f.value);
    }
    json_end(&targets);
    if (rule->len)
        json_put_string(&r, "rule", *rule);
    json_end(&r);
}

static void put_recipients(struct json *event, struct slice fields)
{
    struct slice rule = SLICE("");
    struct trace_text f;
    json_key(event, "recipients");
    struct json list = json_begin(event->out, '[');
    while (trace_next(&fields, &f))
        if (f.field == TRACE_F_RCPT)
            put_recipient(&list, &fields, f.value, &rule);
    json_end(&list);
}

static void put_json(struct telling *t, const struct trace_entry *e)
{
    struct buf *out = &t->teller->call->out;
    struct slice rest = e->fields;
    struct trace_text f;
    char date[32];
    bool recipients = false;
    json_item(&t->events);
    struct json j = json_begin(out, '{');
    json_key(&j, "time");
    buf_putc(out, '"');
    put_time(out, e->time_us);
    buf_putc(out, '"');
    json_put_string(&j, "event", slice_cstr(trace_event_name(e->event)));
    while (trace_next(&rest, &f)) {
        remember_copy(t, f);
        if (is_about_recipient(f.field))
            recipients = true;
        else
            json_put_string(&j, trace_field_name(f.field), readable(f, date));
    }
    if (recipients)
        put_recipients(&j, e->fields);
    json_end(&j);
}

/* ---- a message ---- */

static bool each_event(void *arg, const struct trace_entry *e)
{
    struct telling *t = arg;
    if (t->teller->as_json)
        put_json(t, e);
    else
        put_text(t, e);
    control_flush_some(t->teller->call);
    return true;
}

static bool first_event(void *arg, const struct trace_entry *e)
{
    (void)arg, (void)e;
    return false;
}

static enum result tell_one(struct trace_teller *teller, struct telling *t, uint64_t message)
{
    struct control_call *c = teller->call;
    struct json j;
    enum result r = trace_each(c->mailbox->kv, message, first_event, NULL);
    if (r != OK)
        return r;
    if (teller->as_json) {
        json_item(&teller->list);
        j = json_begin(&c->out, '{');
        json_put_string(&j, "id", slice_cstr(log_id(message).text));
        json_key(&j, "events");
        t->events = json_begin(&c->out, '[');
    } else {
        buf_printf(&c->out, "%s\n", log_id(message).text);
    }
    r = trace_each(c->mailbox->kv, message, each_event, t);
    if (teller->as_json) {
        json_end(&t->events);
        json_end(&j);
    }
    return r;
}

enum result trace_tell(struct trace_teller *teller, uint64_t message)
{
    struct telling t = {.teller = teller};
    if (map_get(&teller->told, map_key_u64(&message)))
        return OK;
    enum result r = tell_one(teller, &t, message);
    size_t n = t.n_copies;
    for (size_t i = 0; r == OK && i < n; i++) {
        if (map_put(&teller->told, map_key_u64(&t.copies[i]), teller) == EXISTS)
            continue;
        r = tell_one(teller, &t, t.copies[i]);
        if (r == NOT_FOUND)
            r = OK; /* older than trace_lifetime by a moment */
    }
    return r;
}
