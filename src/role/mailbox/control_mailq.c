/* control_mailq.c: the queue as mailq(1) and postqueue(1) print it (queue mailq [--json]); its ids
 * with their states, for postsuper(1) (queue ids); and what waits for one site (queue site NAME).
 */
#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/log.h"
#include "role/mailbox/control.h"
#include "role/mailbox/feed.h"
#include "role/mailbox/mailbox.h"

enum { ID_WIDTH = 17, RCPT_COLUMN = 47, REASON_END = 76 };

struct mailq {
    struct control_call *call;
    uint64_t messages, bytes;
};

/* Who gets a bounce of a bounce is nobody, and Postfix calls nobody so. */
static struct slice sender_of(const struct queue_info *i)
{
    return i->sender.len ? i->sender : SLICE("MAILER-DAEMON");
}

static const char *state_name(enum queue_state s)
{
    return s == QUEUE_STATE_ACTIVE ? "active" : s == QUEUE_STATE_HOLD ? "hold" : "deferred";
}

static void put_rcpts(struct buf *out, const struct queue_info *i)
{
    struct slice before = SLICE("");
    for (size_t k = 0; k < i->n_rcpts; k++) {
        struct slice reason = i->reasons[k];
        int room = REASON_END - (int)(reason.len < REASON_END ? reason.len : REASON_END);
        if (reason.len && !slice_eq(reason, before))
            buf_printf(out, "%*s(%.*s)\n", room, "", SLICE_ARG(reason));
        before = reason;
        buf_printf(out, "%*s%.*s\n", RCPT_COLUMN, "", SLICE_ARG(i->rcpts[k].address));
    }
}

static void put_text(struct mailq *q, const struct queue_info *i)
{
    struct buf *out = &q->call->out;
    char id[ID_WIDTH + 1], when[32];
    time_t t = (time_t)i->arrived_s;
    struct tm tm;
    const char *mark = i->state == QUEUE_STATE_ACTIVE ? "*"
                       : i->state == QUEUE_STATE_HOLD ? "!"
                                                      : "";
    localtime_r(&t, &tm);
    strftime(when, sizeof when, "%a %b %e %H:%M:%S", &tm);
    snprintf(id, sizeof id, "%s%s", log_id(i->message).text, mark);
    if (q->messages == 0)
        buf_puts(out, "----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------\n");
    buf_printf(out, "%-*s %8llu %s %.*s\n", ID_WIDTH, id, (unsigned long long)i->size, when,
               SLICE_ARG(sender_of(i)));
    put_rcpts(out, i);
    buf_putc(out, '\n');
}

static void put_key(struct buf *out, const char *key, bool first)
{
    buf_printf(out, "%s\"%s\": ", first ? "" : ", ", key);
}

/* With the blanks that Postfix has, for those who grep in it. */
static void put_json(struct mailq *q, const struct queue_info *i)
{
    struct buf *out = &q->call->out;
    buf_printf(out,
               "{\"queue_name\": \"%s\", \"queue_id\": \"%s\", \"arrival_time\": %lld, "
               "\"message_size\": %llu, \"forced_expire\": false",
               state_name(i->state), log_id(i->message).text, (long long)i->arrived_s,
               (unsigned long long)i->size);
    put_key(out, "sender", false);
    json_string(out, sender_of(i));
    put_key(out, "recipients", false);
    buf_putc(out, '[');
    for (size_t k = 0; k < i->n_rcpts; k++) {
        buf_puts(out, k ? ", {" : "{");
        put_key(out, "address", true);
        json_string(out, i->rcpts[k].address);
        if (i->reasons[k].len) {
            put_key(out, "delay_reason", false);
            json_string(out, i->reasons[k]);
        }
        buf_putc(out, '}');
    }
    buf_puts(out, "]}\n");
}

static bool each_text(void *arg, const struct queue_info *i)
{
    struct mailq *q = arg;
    put_text(q, i);
    q->messages++;
    q->bytes += i->size;
    return control_flush_some(q->call);
}

static bool each_json(void *arg, const struct queue_info *i)
{
    struct mailq *q = arg;
    put_json(q, i);
    return control_flush_some(q->call);
}

void control_mailq(struct control_call *c, bool as_json)
{
    struct mailq q = {.call = c};
    struct queue_look look = {.each = as_json ? each_json : each_text, .arg = &q};
    enum result r = queue_list(c->mailbox->queue, &look);
    if (!as_json && q.messages == 0 && r == OK)
        buf_puts(&c->out, "Mail queue is empty\n");
    else if (!as_json)
        buf_printf(&c->out, "-- %llu Kbytes in %llu Request%s.\n",
                   (unsigned long long)(q.bytes / 1024), (unsigned long long)q.messages,
                   q.messages == 1 ? "" : "s");
    control_end(c, r != OK, r == OK ? NULL : result_name(r));
}

/* ---- ids ---- */

static bool each_id(void *arg, const struct queue_info *i)
{
    struct control_call *c = arg;
    buf_printf(&c->out, "%s %s\n", log_id(i->message).text, state_name(i->state));
    return control_flush_some(c);
}

void control_ids(struct control_call *c)
{
    struct queue_look look = {.each = each_id, .arg = c, .heads = true};
    enum result r = queue_list(c->mailbox->queue, &look);
    control_end(c, r != OK, r == OK ? NULL : result_name(r));
}

void control_flush_site(struct control_call *c, struct slice name)
{
    enum result r = mailbox_flush_site(c->mailbox, name);
    control_end(c, r != OK, r == OK ? NULL : result_name(r));
}
