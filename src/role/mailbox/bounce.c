/* bounce.c: a bounce that the queue made, to its sender: auth says where that is; then it is
 * delivered or queued like any message, with the null sender. */
#include <stdlib.h>

#include "base/arena.h"
#include "mime/summary.h"
#include "role/mailbox/feed.h"
#include "role/mailbox/journey.h"
#include "role/mailbox/mailbox.h"

enum { ARENA_MAX = 16 << 20 };

struct bounce {
    struct mailbox_role *mailbox;
    struct arena arena;
    struct slice rcpt, message;
    bool smtputf8, require_tls, queued;
    uint64_t id, about; /* the message that bounced; 0: none, this is a report of another kind */
    void (*finished)(void *arg, enum result r);
    void *arg;
};

static void finish(struct bounce *b, enum result r)
{
    const char *stored = b->about ? "bounce.stored" : "report.stored";
    const char *failed = b->about ? "bounce.failed" : "report.failed";
    LOG(r == OK ? LOG_INFO : LOG_ERROR, r == OK ? stored : failed, LOG_C("id", log_id(b->id).text),
        LOG_S("rcpt", b->rcpt), LOG_C("result", result_name(r)));
    b->finished(b->arg, r);
    arena_release(&b->arena);
    free(b);
}

static void committed(void *arg, enum result r)
{
    struct bounce *b = arg;
    if (b->queued) {
        queue_added(b->mailbox->queue, b->id, r);
        feed_kick(b->mailbox->feed);
    }
    finish(b, r);
}

static enum result add_remote(struct bounce *b, struct delivery *d, const struct queue_rcpt *rcpts,
                              size_t n)
{
    struct queue_envelope e = {.message = b->id,
                               .sender = SLICE(""),
                               .smtputf8 = b->smtputf8,
                               .require_tls = b->require_tls,
                               .bounce = true,
                               .size = b->message.len,
                               .rcpts = rcpts,
                               .n_rcpts = n};
    enum result r = n ? queue_add(b->mailbox->queue, d, &e) : OK;
    b->queued = n && r == OK;
    return r;
}

static enum result add_targets(struct bounce *b, struct delivery *d, struct slice_list targets)
{
    size_t n_remote = 0;
    struct queue_rcpt *remote = arena_alloc_n(&b->arena, targets.n + 1, sizeof *remote);
    enum result r = remote ? OK : FAILED;
    for (size_t i = 0; r == OK && i < targets.n; i++) {
        struct target t;
        r = target_parse(targets.items[i], &t);
        if (r == OK && t.local)
            r = mailbox_add_local(b->mailbox, d, t.account);
        else if (r == OK && t.kind == TARGET_VIA)
            continue; /* a bounce has the null sender, whatever leads it on */
        else if (r == OK && t.kind != TARGET_REMOTE)
            remote[n_remote++] = mailbox_served(targets.items[i], &t, b->rcpt);
        else if (r == OK)
            remote[n_remote++] = (struct queue_rcpt){.address = t.address,
                                                     .original = b->rcpt,
                                                     .route = t.route,
                                                     .dsn_notify = SLICE("NEVER"),
                                                     .dsn_orcpt = SLICE("")};
    }
    return r == OK ? add_remote(b, d, remote, n_remote) : r;
}

static enum result write_message(struct bounce *b, struct delivery *d)
{
    struct buf summary;
    buf_init(&summary, SUMMARY_BYTES_MAX);
    enum result r = summary_build(b->message, &summary);
    if (r == OK)
        r = delivery_write(d, b->message);
    if (r == OK)
        delivery_summary(d, buf_slice(&summary));
    buf_release(&summary);
    return r;
}

static enum result store_bounce(struct bounce *b, struct slice_list targets)
{
    struct delivery *d;
    enum result r = delivery_new(b->mailbox->store, b->id, &d);
    if (r != OK)
        return r;
    r = write_message(b, d);
    if (r == OK)
        r = add_targets(b, d, targets);
    if (r == OK)
        journey_put_bounce(b->mailbox->store, delivery_batch(d), b->about, b->id, b->rcpt);
    if (r == OK)
        r = delivery_submit(d, committed, b);
    else
        delivery_abandon(d);
    if (r != OK && b->queued)
        queue_added(b->mailbox->queue, b->id, r);
    return r;
}

static void expanded(void *arg, struct ipc_message *m)
{
    struct bounce *b = arg;
    enum result r = FAILED;
    if (m->type == IPC_EXPAND_RESULT && m->EXPAND_RESULT.code / 100 == 2) {
        r = store_bounce(b, m->EXPAND_RESULT.targets);
        if (r == OK)
            return; /* committed() finishes */
    } else if (m->type == IPC_EXPAND_RESULT && m->EXPAND_RESULT.code / 100 == 5) {
        r = NOT_FOUND; /* the sender does not exist (any more): nobody to tell */
    }
    finish(b, r);
}

/* Stored messages begin so (role/edge/deliver.c). */
static struct slice with_return_path(struct arena *a, struct slice message)
{
    const struct slice field = SLICE("Return-Path: <>\r\n");
    char *bytes = arena_alloc(a, field.len + message.len);
    if (!bytes)
        return SLICE_NONE;
    memcpy(bytes, field.data, field.len);
    memcpy(bytes + field.len, message.data, message.len);
    return slice_of(bytes, field.len + message.len);
}

void mailbox_bounce(void *owner, const struct queue_bounce *q,
                    void (*finished)(void *arg, enum result r), void *arg)
{
    struct mailbox_role *m = owner;
    struct bounce *b = calloc(1, sizeof *b);
    if (!b) {
        finished(arg, FAILED);
        return;
    }
    *b = (struct bounce){.mailbox = m,
                         .smtputf8 = q->smtputf8,
                         .require_tls = q->require_tls,
                         .id = log_id_new(),
                         .about = q->about,
                         .finished = finished,
                         .arg = arg};
    arena_init(&b->arena, ARENA_MAX);
    b->rcpt = arena_dup(&b->arena, q->rcpt);
    b->message = with_return_path(&b->arena, q->message);
    if (arena_failed(&b->arena)) {
        finish(b, FAILED);
        return;
    }
    struct ipc_message ask = {.type = IPC_EXPAND};
    ask.EXPAND.address = b->rcpt;
    ipc_request(m->role->peers[ROLE_AUTH], &ask, expanded, b);
}
