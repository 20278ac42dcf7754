/* control_queue.c: queue list|show|flush|hold|release|delete; mailq, ids and site are told in
 * control_mailq.c, envelope and bytes in control_message.c, summary in control_summary.c. */
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "role/mailbox/control.h"
#include "role/mailbox/control_filter.h"
#include "role/mailbox/feed.h"
#include "role/mailbox/mailbox.h"

/* What is listed for people ends after so many messages; how many more there are is counted for so
 * long. */
enum { LIMIT_OF_TEXT = 1000, COUNTING_MS = 400 };

static const struct queue_filter everything;

static bool is_any(const struct queue_filter *f)
{
    return queue_filter_is_of_heads(f) && !f->sender.data && !f->arrived_before_s;
}

struct listing {
    struct control_call *call;
    bool as_json;
    bool each_next; /* the next attempt of each recipient, not of the message alone */
    uint64_t shown, more;
    bool not_all; /* there may be more than `more` */
    int64_t counted_until_ms;
    struct queue_filter filter;
    struct json array;
};

static const char *state_name(enum queue_state s)
{
    return s == QUEUE_STATE_ACTIVE ? "active" : s == QUEUE_STATE_HOLD ? "hold" : "deferred";
}

static void put_time(struct buf *out, int64_t seconds)
{
    char text[32];
    struct tm tm;
    time_t t = (time_t)seconds;
    gmtime_r(&t, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    buf_puts(out, text);
}

static void put_json(struct listing *l, const struct queue_info *i)
{
    json_item(&l->array);
    struct json o = json_begin(&l->call->out, '{');
    json_put_string(&o, "id", slice_cstr(log_id(i->message).text));
    json_put_string(&o, "state", slice_cstr(state_name(i->state)));
    json_put_string(&o, "sender", i->sender);
    json_put_number(&o, "size", (int64_t)i->size);
    json_put_number(&o, "arrived", i->arrived_s);
    json_put_number(&o, "next_attempt", i->next_attempt_s);
    json_put_number(&o, "attempts", i->attempts);
    json_key(&o, "recipients");
    struct json rcpts = json_begin(&l->call->out, '[');
    for (size_t k = 0; k < i->n_rcpts; k++) {
        json_item(&rcpts);
        struct json r = json_begin(&l->call->out, '{');
        json_put_string(&r, "address", i->rcpts[k].address);
        json_put_string(&r, "reason", i->reasons[k]);
        json_put_number(&r, "next_attempt", i->next_s[k]);
        json_end(&r);
    }
    json_end(&rcpts);
    json_end(&o);
}

static void put_text(struct listing *l, const struct queue_info *i)
{
    struct buf *out = &l->call->out;
    buf_printf(out, "%s %-8s %8llu  ", log_id(i->message).text, state_name(i->state),
               (unsigned long long)i->size);
    put_time(out, i->arrived_s);
    buf_printf(out, "  <%.*s>\n", SLICE_ARG(i->sender));
    for (size_t k = 0; k < i->n_rcpts; k++) {
        buf_printf(out, "    %.*s", SLICE_ARG(i->rcpts[k].address));
        if (i->reasons[k].len)
            buf_printf(out, "  (%.*s)", SLICE_ARG(i->reasons[k]));
        if (l->each_next && i->state == QUEUE_STATE_DEFERRED) {
            buf_puts(out, "  next: ");
            put_time(out, i->next_s[k]);
        }
        buf_putc(out, '\n');
    }
    if (i->state == QUEUE_STATE_DEFERRED) {
        buf_printf(out, "    attempts: %u, next: ", i->attempts);
        put_time(out, i->next_attempt_s);
        buf_putc(out, '\n');
    }
}

static void put_one(struct listing *l, const struct queue_info *i)
{
    l->shown++;
    if (l->as_json)
        put_json(l, i);
    else
        put_text(l, i);
}

static bool is_full(const struct listing *l)
{
    return l->filter.limit && l->shown >= l->filter.limit;
}

/* The count goes on for a while only; false: it is over. */
static bool count_on(struct listing *l, bool fits)
{
    int64_t now = clock_monotonic_ms();
    if (!l->counted_until_ms)
        l->counted_until_ms = now + COUNTING_MS;
    l->more += fits;
    l->not_all = now >= l->counted_until_ms;
    return !l->not_all;
}

static enum queue_wish wants(void *arg, const struct queue_info *i)
{
    struct listing *l = arg;
    if (!control_flush_some(l->call))
        return QUEUE_STOP;
    /* An id is never later than its message's arrival, and later ones follow. */
    if (l->filter.arrived_before_s && log_id_time(i->message) >= l->filter.arrived_before_s)
        return QUEUE_STOP;
    bool fits = queue_filter_fits_head(&l->filter, i);
    if (is_full(l) && queue_filter_is_of_heads(&l->filter))
        return count_on(l, fits) ? QUEUE_SKIP : QUEUE_STOP;
    return fits ? QUEUE_TELL : QUEUE_SKIP;
}

static bool each_listed(void *arg, const struct queue_info *i)
{
    struct listing *l = arg;
    bool fits = queue_filter_fits(&l->filter, i);
    if (is_full(l))
        return count_on(l, fits);
    if (fits)
        put_one(l, i);
    return true;
}

static void each_shown(void *arg, const struct queue_info *i)
{
    put_one(arg, i);
}

static void put_end(struct listing *l)
{
    struct buf *out = &l->call->out;
    if (l->as_json) {
        json_end(&l->array);
        buf_putc(out, '\n');
    } else if (l->more) {
        buf_printf(out, "and %s%llu more: --limit 0 lists all\n", l->not_all ? "at least " : "",
                   (unsigned long long)l->more);
    } else if (l->not_all) {
        buf_puts(out, "and maybe more: --limit 0 lists all\n");
    }
}

static void list(struct control_call *c, bool as_json, const struct queue_filter *filter,
                 uint64_t id)
{
    struct listing l = {.call = c, .as_json = as_json, .each_next = !filter};
    struct queue_look look = {.wants = wants, .each = each_listed, .arg = &l};
    bool all = filter != NULL;
    if (filter)
        l.filter = *filter;
    look.text = queue_filter_text(&l.filter);
    if (!l.filter.limited && !as_json)
        l.filter.limit = LIMIT_OF_TEXT;
    if (as_json)
        l.array = json_begin(&c->out, '[');
    enum result r = all ? queue_list(c->mailbox->queue, &look)
                        : queue_show(c->mailbox->queue, id, each_shown, &l);
    put_end(&l);
    if (!as_json && all && !l.shown && r == OK)
        buf_puts(&c->out, is_any(filter) ? "Mail queue is empty\n" : "No such message\n");
    control_end(c, r != OK, r == NOT_FOUND ? "no such message in the queue" : result_name(r));
}

static void list_filtered(struct control_call *c, bool as_json, const struct slice *words, size_t n)
{
    struct queue_filter filter;
    if (queue_filter_parse(words, n, &filter))
        list(c, as_json, &filter, 0);
    else
        control_end(c, 1,
                    "usage: queue list [--sender A] [--recipient A] [--destination D] [--reason "
                    "TEXT] [--older TIME] [--limit N] [--json]");
}

static enum result change(struct mailbox_role *m, struct slice verb, uint64_t id)
{
    if (slice_is(verb, "flush"))
        return queue_flush(m->queue, id);
    if (slice_is(verb, "hold"))
        return queue_hold(m->queue, id, true);
    if (slice_is(verb, "release"))
        return queue_hold(m->queue, id, false);
    if (slice_is(verb, "delete"))
        return queue_delete(m->queue, id);
    return INVALID;
}

static void order(struct control_call *c, struct slice verb, uint64_t id)
{
    enum result r = change(c->mailbox, verb, id);
    feed_kick(c->mailbox->feed);
    control_end(c, r != OK,
                r == NOT_FOUND ? "no such message in the queue"
                : r == BUSY    ? "a delivery attempt is under way: try again in a moment"
                : r == INVALID ? "unknown queue command"
                               : result_name(r));
}

static void run_queue(struct control_call *c, const struct slice *words, size_t n)
{
    struct slice verb = n ? words[0] : SLICE("");
    bool as_json = n && slice_is(words[n - 1], "--json");
    uint64_t id = 0;
    n -= as_json;
    bool all = n < 2 || slice_is(words[1], "all");
    if (slice_is(verb, "list")) {
        list_filtered(c, as_json, words + 1, n - 1);
        return;
    }
    if (slice_is(verb, "summary")) {
        control_summary(c, as_json);
        return;
    }
    if (slice_is(verb, "mailq")) {
        control_mailq(c, as_json);
        return;
    }
    if (slice_is(verb, "ids")) {
        control_ids(c);
        return;
    }
    if (slice_is(verb, "site") && n == 2) {
        control_flush_site(c, words[1]);
        return;
    }
    if (n < 2 && !slice_is(verb, "flush")) {
        control_end(c, 1, "name a message id, or \"all\"");
        return;
    }
    if (!all && log_id_parse(words[1], &id) != OK) {
        control_end(c, 1, "that is no message id");
        return;
    }
    if (slice_is(verb, "envelope") && !all)
        control_envelope(c, id);
    else if (slice_is(verb, "bytes") && !all && n == 3)
        control_bytes(c, id, words[2]);
    else if (slice_is(verb, "show"))
        list(c, as_json, all ? &everything : NULL, id);
    else
        order(c, verb, id);
}

/* All of them read much, say much or wait for commits. */
void control_queue(struct control_call *c, const struct slice *words, size_t n)
{
    control_later(c, run_queue, words, n);
}
