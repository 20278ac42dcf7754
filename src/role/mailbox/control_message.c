/* control_message.c: what postcat(1) and `queue show` print of one queued message: its envelope
 * (queue envelope ID) and its bytes, a piece at a time (queue bytes ID FROM). */
#include <time.h>

#include "role/mailbox/control.h"
#include "role/mailbox/mailbox.h"

enum { READ_MAX = 64 * 1024, READS = 16 }; /* 1 MiB a call: the client asks for the next */

static void end(struct control_call *c, enum result r)
{
    control_end(c, r != OK, r == NOT_FOUND ? "no such message in the queue" : result_name(r));
}

/* ---- the envelope, its records named as Postfix names them ---- */

static void put(struct buf *out, const char *name, struct slice value)
{
    if (value.len)
        buf_printf(out, "%s%.*s\n", name, SLICE_ARG(value));
}

static void put_arrival(struct buf *out, int64_t seconds)
{
    char text[40];
    struct tm tm;
    time_t t = (time_t)seconds;
    localtime_r(&t, &tm);
    strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &tm);
    buf_printf(out, "message_arrival_time: %s\n", text);
}

static void put_envelope(void *arg, const struct queue_info *i)
{
    struct control_call *c = arg;
    struct buf *out = &c->out;
    buf_printf(out, "%s\nmessage_size: %llu\n",
               i->state == QUEUE_STATE_ACTIVE ? "active"
               : i->state == QUEUE_STATE_HOLD ? "hold"
                                              : "deferred",
               (unsigned long long)i->size);
    put_arrival(out, i->arrived_s);
    put(out, "named_attribute: client_address=", i->client_ip);
    put(out, "named_attribute: sasl_username=", i->account);
    buf_printf(out, "sender: %.*s\n", SLICE_ARG(i->sender));
    for (size_t k = 0; k < i->n_rcpts; k++) {
        put(out, "named_attribute: dsn_orig_rcpt=", i->rcpts[k].dsn_orcpt);
        put(out, "original_recipient: ", i->rcpts[k].original);
        buf_printf(out, "recipient: %.*s\n", SLICE_ARG(i->rcpts[k].address));
        control_flush_some(c);
    }
}

void control_envelope(struct control_call *c, uint64_t message)
{
    end(c, queue_show(c->mailbox->queue, message, put_envelope, c));
}

/* ---- the bytes ---- */

static void found(void *arg, const struct queue_info *i)
{
    *(uint64_t *)arg = i->size;
}

/* Only of what is in the queue: the store's other messages are nobody's business here. */
void control_bytes(struct control_call *c, uint64_t message, struct slice from_word)
{
    uint64_t from, size;
    if (slice_parse_u64(from_word, UINT64_MAX / 2, &from) != OK) {
        control_end(c, 1, "that is no place in a message");
        return;
    }
    enum result r = queue_show(c->mailbox->queue, message, found, &size);
    for (unsigned i = 0; r == OK && i < READS; i++) {
        r = message_read(c->mailbox->store, message, from, READ_MAX, &c->out);
        from += READ_MAX;
        if (!control_flush_some(c))
            break;
    }
    end(c, r);
}
