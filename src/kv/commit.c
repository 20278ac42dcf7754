/* commit.c: kv_submit and the committer thread: group commit.
 *
 * States of a batch: waiting → admitted (its preconditions hold, its keys are in the overlay) →
 * written → durable (the group's one fdatasync has returned) → applied (in the index) → done. What
 * fails a precondition goes from waiting to done without touching the disk. A write that fails for
 * lack of space is taken back, and its group fails with FULL; every other failure stops the engine,
 * because after it nobody knows what the disk holds. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "kv/engine.h"
#include "os/durable.h"

enum {
    GROUP_BYTES_MAX = 32 << 20,
    GROUP_BATCHES_MAX = 2048,
    GROUPS_MAX = 4,          /* durable ones that wait for the applier */
    UNSYNCED_MAX = 16 << 20, /* of streamed blobs, before they are synced on their own */
};

void engine_fail(struct kv *kv, const char *what)
{
    int error = errno;
    pthread_mutex_lock(&kv->lock);
    if (!atomic_exchange(&kv->failed, true))
        error_set(&kv->failure, FAILED, "%s: %s", what, strerror(error));
    pthread_mutex_unlock(&kv->lock);
}

void engine_enqueue(struct kv *kv, struct kv_batch *b)
{
    pthread_mutex_lock(&kv->lock);
    list_push_back(&kv->waiting, &b->node);
    kv->n_waiting++;
    pthread_mutex_unlock(&kv->lock);
    /* After the unlock: who is woken shall not find the lock taken and sleep again. */
    pthread_cond_signal(&kv->wake_committer);
}

enum result kv_submit(struct kv_batch *b, kv_done_fn *done, void *arg)
{
    if (!b)
        return FAILED;
    struct kv *kv = b->kv;
    enum result r = batch_seal(b);
    if (r == OK && (engine_failed(kv) || kv->read_only))
        r = FAILED;
    if (r == OK && !(b->flags & KV_BATCH_ESSENTIAL) && engine_disk_reserved(kv))
        r = FULL;
    if (r != OK) {
        kv_batch_free(b);
        return r;
    }
    b->done = done;
    b->arg = arg;
    engine_enqueue(kv, b);
    return OK;
}

/* Whether the index or a batch before holds what the batch expects. */
static enum result check_expects(struct kv *kv, const struct kv_batch *b)
{
    if (buf_len(&b->expects) == 0)
        return OK;
    struct cursor c = cursor_of(buf_slice(&b->expects));
    struct slice key, expected;
    while (batch_next_expect(&c, &key, &expected)) {
        bool as_expected = false;
        if (!overlay_check(&kv->overlay, key, expected, &as_expected)) {
            struct buf value;
            buf_init(&value, KV_VALUE_MAX);
            enum result r = index_get(&kv->index, NULL, key, &value);
            if (r == OK)
                as_expected = expected.data && slice_eq(buf_slice(&value), expected);
            else if (r == NOT_FOUND)
                as_expected = !expected.data;
            buf_release(&value);
            if (r != OK && r != NOT_FOUND)
                return r;
        }
        if (!as_expected)
            return CONFLICT;
    }
    return OK;
}

static void admit(struct kv *kv, struct group *g)
{
    LIST_FOR_EACH(n, &g->batches)
    {
        struct kv_batch *b = CONTAINER_OF(n, struct kv_batch, node);
        b->r = engine_failed(kv) ? FAILED : check_expects(kv, b);
        if (b->r == OK)
            overlay_add(&kv->overlay, b->keys, b->n_keys);
    }
}

/* Fails every batch of the group that was to be written. */
static void fail_group(struct kv *kv, struct group *g, enum result r)
{
    LIST_FOR_EACH(n, &g->batches)
    {
        struct kv_batch *b = CONTAINER_OF(n, struct kv_batch, node);
        if (b->r != OK)
            continue;
        overlay_remove(&kv->overlay, b->keys, b->n_keys);
        b->r = r;
    }
    g->durable = false;
}

static enum result write_group(struct kv *kv, struct group *g)
{
    struct writer *w = &kv->writer;
    enum result r = OK;
    writer_mark(w);
    LIST_FOR_EACH(n, &g->batches)
    {
        struct kv_batch *b = CONTAINER_OF(n, struct kv_batch, node);
        if (r != OK || b->r != OK)
            continue;
        r = writer_add(w, b);
        if (b->type == RECORD_BATCH)
            g->durable = true;
        if (b->has_refs)
            g->has_refs = true;
    }
    if (r == OK)
        r = writer_flush(w);
    if (r == OK && (g->durable || w->unsynced > UNSYNCED_MAX))
        r = writer_sync(w);
    g->end = (struct index_state){.seq = w->seq, .segment = w->number, .offset = w->offset};
    return r;
}

static void commit_group(struct kv *kv, struct group *g)
{
    admit(kv, g);
    enum result r = write_group(kv, g);
    if (r == FULL && writer_rollback(&kv->writer) != OK)
        r = FAILED;
    if (r == FAILED)
        engine_fail(kv, "write journal");
    if (r != OK)
        fail_group(kv, g, r == FULL ? FULL : FAILED);
}

/* Streamed blobs are done when they are written; nothing of them is applied. */
static void finish_streams(struct group *g)
{
    LIST_FOR_EACH(n, &g->batches)
    {
        struct kv_batch *b = CONTAINER_OF(n, struct kv_batch, node);
        if (b->type != RECORD_STREAM)
            continue;
        list_remove(n);
        b->done(b->arg, b->r); /* which frees it */
    }
}

/* Waits for work and takes it; NULL when the engine stops and none is left. */
static struct group *take_group(struct kv *kv)
{
    struct group *g = calloc(1, sizeof *g);
    while (!g) { /* A few bytes are missing: with what others free this ends. */
        struct timespec pause = {.tv_nsec = 1000000};
        nanosleep(&pause, NULL);
        g = calloc(1, sizeof *g);
    }
    list_init(&g->batches);
    pthread_mutex_lock(&kv->lock);
    while ((list_empty(&kv->waiting) && !kv->stopping) || kv->n_groups >= GROUPS_MAX)
        pthread_cond_wait(&kv->wake_committer, &kv->lock);
    while (!list_empty(&kv->waiting) && g->bytes < GROUP_BYTES_MAX && g->n < GROUP_BATCHES_MAX) {
        struct list_node *n = list_pop_front(&kv->waiting);
        list_push_back(&g->batches, n);
        g->bytes += batch_size(CONTAINER_OF(n, struct kv_batch, node));
        g->n++;
    }
    kv->n_waiting -= g->n;
    kv->committing = g->n > 0;
    pthread_mutex_unlock(&kv->lock);
    if (g->n == 0) {
        free(g);
        return NULL;
    }
    return g;
}

/* Gives the group to the applier, or applies it here when nobody waits: with one client this saves
 * a change of threads. */
static void pass_on(struct kv *kv, struct group *g)
{
    pthread_mutex_lock(&kv->lock);
    bool here = !kv->applying && kv->n_groups == 0 && list_empty(&kv->waiting);
    if (here) {
        kv->applying = true;
    } else {
        list_push_back(&kv->groups, &g->node);
        kv->n_groups++;
    }
    kv->committing = false;
    pthread_mutex_unlock(&kv->lock);
    if (here)
        apply_group(kv, g);
    else
        pthread_cond_signal(&kv->wake_applier);
}

void *committer_main(void *arg)
{
    struct kv *kv = arg;
    struct group *g;
    while ((g = take_group(kv))) {
        commit_group(kv, g);
        finish_streams(g);
        pass_on(kv, g);
    }
    pthread_mutex_lock(&kv->lock);
    kv->committer_gone = true;
    pthread_cond_broadcast(&kv->wake_applier);
    pthread_mutex_unlock(&kv->lock);
    return NULL;
}
