/* control_trace.c: trace ID|MESSAGE-ID|--from ADDRESS|--to ADDRESS|--since TIME: journeys of
 * messages as stories or as JSON. Looking through many of them takes a while, so a helper thread
 * does it. */
#include <stdlib.h>

#include "base/arena.h"
#include "role/mailbox/asked.h"
#include "role/mailbox/control.h"
#include "role/mailbox/mailbox.h"
#include "role/mailbox/trace_text.h"
#include "trace/trace.h"

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 100000, WORDS_BYTES_MAX = 16 * 1024 };

struct question {
    struct control_call *call;
    struct arena arena;
    bool as_json;
    uint64_t id; /* 0: by what follows */
    struct slice message_id, from, to;
    uint64_t since; /* an id */
    uint64_t limit;

    /* The newest that match, as a ring. */
    uint64_t *found;
    size_t n_found;
    /* Of the message that is being looked at: */
    uint64_t message;
    bool seen_id, seen_from, seen_to;
};

/* ---- words ---- */

static bool take_since(struct question *q, struct slice value)
{
    int64_t seconds;
    if (!asked_time(value, &seconds))
        return false;
    q->since = log_id_at(seconds);
    return true;
}

static bool take_option(struct question *q, struct slice option, struct slice value)
{
    if (slice_is(option, "--from"))
        q->from = arena_dup(&q->arena, value);
    else if (slice_is(option, "--to"))
        q->to = arena_dup(&q->arena, value);
    else if (slice_is(option, "--since"))
        return take_since(q, value);
    else if (slice_is(option, "--limit"))
        return slice_parse_u64(value, LIMIT_MAX, &q->limit) == OK && q->limit > 0;
    else
        return false;
    return true;
}

static bool take_words(struct question *q, const struct slice *words, size_t n)
{
    bool any = false, named = false;
    for (size_t i = 0; i < n; i++) {
        if (slice_is(words[i], "--json")) {
            q->as_json = true;
            continue;
        }
        if (slice_starts(words[i], SLICE("--"))) {
            if (i + 1 == n || !take_option(q, words[i], words[i + 1]))
                return false;
            i++;
        } else {
            if (named)
                return false;
            named = true;
            if (log_id_parse(words[i], &q->id) != OK)
                q->message_id = arena_dup(&q->arena, words[i]);
        }
        any = true;
    }
    return any && !arena_failed(&q->arena);
}

/* ---- looking ---- */

/* With or without its brackets. */
static bool is_message_id(struct slice wanted, struct slice id)
{
    if (!slice_starts(wanted, SLICE("<")) && id.len > 2)
        id = slice_sub(id, 1, id.len - 2);
    return slice_eq(wanted, id);
}

static void judge(struct question *q)
{
    if (q->message && (!q->message_id.len || q->seen_id) && (!q->from.len || q->seen_from) &&
        (!q->to.len || q->seen_to))
        q->found[q->n_found++ % q->limit] = q->message;
    q->seen_id = q->seen_from = q->seen_to = false;
}

static bool look_at(void *arg, const struct trace_entry *e)
{
    struct question *q = arg;
    struct slice rest = e->fields;
    struct trace_text f;
    if (e->message != q->message)
        judge(q);
    q->message = e->message;
    while (trace_next(&rest, &f)) {
        if (f.field == TRACE_F_MESSAGE_ID)
            q->seen_id |= is_message_id(q->message_id, f.value);
        else if (f.field == TRACE_F_SENDER)
            q->seen_from |= asked_address(q->from, f.value);
        else if (f.field == TRACE_F_RCPT)
            q->seen_to |= asked_address(q->to, f.value);
    }
    return true;
}

static enum result find(struct question *q)
{
    q->found = calloc(q->limit, sizeof *q->found);
    if (!q->found)
        return FAILED;
    enum result r = trace_scan(q->call->mailbox->kv, q->since, look_at, q);
    judge(q);
    return r;
}

static enum result tell_found(struct question *q, struct trace_teller *teller)
{
    size_t first = q->n_found > q->limit ? q->n_found - q->limit : 0;
    enum result r = OK;
    for (size_t i = first; i < q->n_found && r == OK; i++)
        r = trace_tell(teller, q->found[i % q->limit]);
    return r;
}

static void answer(void *arg)
{
    struct question *q = arg;
    struct control_call *c = q->call;
    struct trace_teller teller;
    enum result r;
    trace_teller_init(&teller, c, q->as_json);
    if (q->id) {
        r = trace_tell(&teller, q->id);
    } else {
        r = find(q);
        if (r == OK)
            r = q->n_found ? tell_found(q, &teller) : NOT_FOUND;
    }
    trace_teller_end(&teller);
    free(q->found);
    arena_release(&q->arena);
    free(q);
    control_end(c, r != OK,
                r == NOT_FOUND ? "no such message (see trace_lifetime)" : result_name(r));
}

void control_trace(struct control_call *c, const struct slice *words, size_t n)
{
    struct question *q = calloc(1, sizeof *q);
    if (!q) {
        control_end(c, 1, "no memory");
        return;
    }
    *q = (struct question){.call = c, .limit = LIMIT_DEFAULT};
    arena_init(&q->arena, WORDS_BYTES_MAX);
    bool understood = take_words(q, words, n);
    if (understood && io_run_blocking(c->mailbox->role->engine, answer, q) == OK)
        return;
    arena_release(&q->arena);
    free(q);
    control_end(c, 1,
                understood ? "too much is being asked at once"
                           : "usage: trace ID|MESSAGE-ID [--json], or --from ADDRESS, --to "
                             "ADDRESS, --since TIME (2h, 3d, 2026-11-24), --limit N");
}
