/* upkeep.c: what goes on beside the commits: checkpoints, the disk's free space, and (clean.c) the
 * cleaning of segments; one thread that sleeps until it is woken. */
#include "base/clock.h"
#include "kv/engine.h"
#include "os/durable.h"

enum { SPACE_INTERVAL_MS = 1000 };

bool engine_disk_reserved(struct kv *kv)
{
    int64_t now = clock_monotonic_ms();
    int64_t last = atomic_load(&kv->space_checked_ms);
    if (now - last >= SPACE_INTERVAL_MS &&
        atomic_compare_exchange_strong(&kv->space_checked_ms, &last, now))
        atomic_store(&kv->free_space, durable_free_space(kv->journal_fd));
    return atomic_load(&kv->free_space) < kv->reserve_bytes;
}

/* Under upkeep_lock. */
enum result checkpoint(struct kv *kv, struct error *err)
{
    struct index_state flushed;
    pthread_mutex_lock(&kv->lock);
    kv->unflushed_bytes = 0;
    pthread_mutex_unlock(&kv->lock);
    enum result r = index_flush(&kv->index, err);
    if (r != OK)
        return r;
    r = index_get_state(&kv->index, true, &flushed);
    if (r == NOT_FOUND) /* nothing was ever applied */
        return OK;
    if (r == OK) {
        pthread_mutex_lock(&kv->lock);
        kv->flushed_segment = flushed.segment;
        pthread_mutex_unlock(&kv->lock);
    }
    return r;
}

enum result kv_checkpoint(struct kv *kv)
{
    struct error err;
    if (kv->read_only)
        return FAILED;
    pthread_mutex_lock(&kv->upkeep_lock);
    enum result r = checkpoint(kv, &err);
    pthread_mutex_unlock(&kv->upkeep_lock);
    return r;
}

bool upkeep_pause(struct kv *kv, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&kv->lock);
    while (!kv->stopping_upkeep)
        if (pthread_cond_timedwait(&kv->wake_upkeep, &kv->lock, &until) != 0)
            break;
    bool stopping = kv->stopping_upkeep;
    pthread_mutex_unlock(&kv->lock);
    return stopping;
}

static enum result upkeep_round(struct kv *kv)
{
    struct error err;
    pthread_mutex_lock(&kv->upkeep_lock);
    enum result r = checkpoint(kv, &err);
    if (r == OK)
        r = clean_segments(kv, true);
    if (r == OK)
        r = clean_remove(kv);
    pthread_mutex_unlock(&kv->upkeep_lock);
    return r;
}

void *upkeep_main(void *arg)
{
    struct kv *kv = arg;
    pthread_mutex_lock(&kv->lock);
    for (;;) {
        while (!kv->want_upkeep && !kv->stopping_upkeep)
            pthread_cond_wait(&kv->wake_upkeep, &kv->lock);
        if (kv->stopping_upkeep)
            break;
        kv->want_upkeep = false;
        kv->died_bytes = 0;
        pthread_mutex_unlock(&kv->lock);
        if (upkeep_round(kv) == FAILED)
            engine_fail(kv, "upkeep");
        pthread_mutex_lock(&kv->lock);
    }
    pthread_mutex_unlock(&kv->lock);
    return NULL;
}
