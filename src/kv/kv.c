/* kv.c: opening and closing, statistics. */
#include "kv/kv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "kv/clone.h"
#include "kv/engine.h"
#include "os/durable.h"

enum {
    DEFAULT_SEGMENT = 128 << 20,
    DEFAULT_RESERVE = 128 << 20,
    DEFAULT_CLEAN_BELOW = 50,
    STREAMS_MAX = 1 << 20,
    PATH_LENGTH_MAX = 4096,
};

uint64_t engine_new_blob_id(struct kv *kv)
{
    return atomic_fetch_add(&kv->next_blob, 1);
}

static enum result open_dir(const char *path, bool make, int *ret_fd, struct error *err)
{
    if (make && durable_make_dir(path) != OK)
        return error_set(err, FAILED, "make %s: %s", path, strerror(errno));
    *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*ret_fd < 0)
        return error_set(err, FAILED, "open %s: %s", path, strerror(errno));
    return OK;
}

static enum result take_lock(struct kv *kv, struct error *err)
{
    kv->lock_fd = openat(kv->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (kv->lock_fd < 0)
        return error_set(err, FAILED, "open %s/lock: %s", kv->directory, strerror(errno));
    enum result r = durable_lock(kv->lock_fd);
    if (r == BUSY)
        return error_set(err, BUSY, "%s: another process has it", kv->directory);
    return r == OK ? OK : error_set(err, r, "lock %s: %s", kv->directory, strerror(errno));
}

static enum result open_index(struct kv *kv, const struct kv_options *options, struct error *err)
{
    char path[PATH_LENGTH_MAX];
    snprintf(path, sizeof path, "%s/index", kv->directory);
    if (kv->read_only) {
        kv->cloned = true;
        enum result r = clone_index(path, kv->clone, err);
        if (r != OK)
            return r;
        memcpy(path, kv->clone, strlen(kv->clone) + 1);
    }
    return index_open(&kv->index, path, options->cache_bytes, err);
}

static enum result open_files(struct kv *kv, const struct kv_options *options, struct error *err)
{
    char path[PATH_LENGTH_MAX];
    bool make = !options->read_only;
    if (strlen(kv->directory) > PATH_LENGTH_MAX - sizeof "/index.read-only")
        return error_set(err, LIMIT, "%.100s...: path too long", kv->directory);
    enum result r = open_dir(kv->directory, make, &kv->dir_fd, err);
    if (r == OK)
        r = take_lock(kv, err);
    if (r != OK)
        return r;
    snprintf(path, sizeof path, "%s/journal", kv->directory);
    r = open_dir(path, make, &kv->journal_fd, err);
    kv->segments.dir_fd = kv->journal_fd;
    if (r == OK)
        r = segments_list(&kv->segments, err);
    return r == OK ? open_index(kv, options, err) : r;
}

static struct kv *new_kv(const struct kv_options *options)
{
    struct kv *kv = calloc(1, sizeof *kv);
    char *directory = strdup(options->directory), *clone = NULL;
    if (!kv || !directory || asprintf(&clone, "%s/index.read-only", directory) < 0) {
        free(kv);
        free(directory);
        return NULL;
    }
    kv->directory = directory;
    kv->clone = clone;
    kv->dir_fd = kv->journal_fd = kv->lock_fd = -1;
    kv->read_only = options->read_only;
    kv->segment_bytes = options->segment_bytes ? options->segment_bytes : DEFAULT_SEGMENT;
    kv->clean_below = options->clean_below ? options->clean_below : DEFAULT_CLEAN_BELOW;
    kv->reserve_bytes = options->reserve_bytes ? options->reserve_bytes : DEFAULT_RESERVE;
    kv->space_checked_ms = INT64_MIN / 2;
    kv->free_space = UINT64_MAX;
    list_init(&kv->waiting);
    list_init(&kv->groups);
    list_init(&kv->snapshots);
    map_init(&kv->streams, STREAMS_MAX);
    overlay_init(&kv->overlay);
    segments_init(&kv->segments, -1);
    pthread_mutex_init(&kv->lock, NULL);
    pthread_mutex_init(&kv->stream_lock, NULL);
    pthread_mutex_init(&kv->upkeep_lock, NULL);
    pthread_cond_init(&kv->wake_committer, NULL);
    pthread_cond_init(&kv->wake_applier, NULL);
    pthread_cond_init(&kv->wake_upkeep, NULL);
    pthread_cond_init(&kv->idle, NULL);
    return kv;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void free_kv(struct kv *kv)
{
    if (kv->index.db)
        index_close(&kv->index);
    if (kv->cloned)
        clone_remove(kv->clone);
    free(kv->clone);
    writer_release(&kv->writer);
    streams_release(kv);
    segments_release(&kv->segments);
    overlay_release(&kv->overlay);
    close_fd(kv->journal_fd);
    close_fd(kv->dir_fd);
    close_fd(kv->lock_fd); /* last: another process may come now */
    pthread_mutex_destroy(&kv->lock);
    pthread_mutex_destroy(&kv->stream_lock);
    pthread_mutex_destroy(&kv->upkeep_lock);
    pthread_cond_destroy(&kv->wake_committer);
    pthread_cond_destroy(&kv->wake_applier);
    pthread_cond_destroy(&kv->wake_upkeep);
    pthread_cond_destroy(&kv->idle);
    free(kv->directory);
    free(kv);
}

/* Upkeep first: it may be waiting for a commit of its own. */
static void stop_threads(struct kv *kv)
{
    pthread_mutex_lock(&kv->lock);
    kv->stopping_upkeep = true;
    pthread_cond_broadcast(&kv->wake_upkeep);
    pthread_mutex_unlock(&kv->lock);
    if (kv->threads > 2)
        pthread_join(kv->upkeep, NULL);
    pthread_mutex_lock(&kv->lock);
    kv->stopping = true;
    pthread_cond_broadcast(&kv->wake_committer);
    pthread_mutex_unlock(&kv->lock);
    if (kv->threads > 0)
        pthread_join(kv->committer, NULL);
    if (kv->threads > 1)
        pthread_join(kv->applier, NULL);
    kv->threads = 0;
}

/* Signals are the role's business, not these threads'. */
static enum result start_threads(struct kv *kv, struct error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int e = pthread_create(&kv->committer, NULL, committer_main, kv);
    kv->threads += e == 0;
    if (e == 0)
        e = pthread_create(&kv->applier, NULL, applier_main, kv);
    kv->threads += e == 0 && kv->threads == 1;
    if (e == 0)
        e = pthread_create(&kv->upkeep, NULL, upkeep_main, kv);
    kv->threads += e == 0 && kv->threads == 2;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e == 0)
        return OK;
    stop_threads(kv);
    return error_set(err, FAILED, "start thread: %s", strerror(e));
}

enum result kv_open(const struct kv_options *options, struct kv **ret,
                    struct kv_recovery *ret_recovery, struct error *err)
{
    int64_t began = clock_realtime_us();
    struct kv_recovery stats = {0};
    struct kv *kv = new_kv(options);
    if (!kv)
        return error_set(err, FAILED, "out of memory");
    enum result r = open_files(kv, options, err);
    writer_init(&kv->writer, &kv->segments, kv->journal_fd, kv->segment_bytes);
    if (r == OK)
        r = recover(kv, &stats, err);
    /* Before anybody asks: who comes while another one is looking takes the figure that is there.
     */
    (void)engine_disk_reserved(kv);
    /* What a run before has left to clean. */
    kv->want_upkeep = segments_to_clean(&kv->segments, kv->flushed_segment, kv->clean_below) != 0;
    if (r == OK && !kv->read_only)
        r = start_threads(kv, err);
    if (r != OK) {
        free_kv(kv);
        return r;
    }
    stats.segments = kv->segments.n;
    stats.elapsed_us = clock_realtime_us() - began;
    if (ret_recovery)
        *ret_recovery = stats;
    *ret = kv;
    return OK;
}

void kv_close(struct kv *kv)
{
    if (!kv)
        return;
    if (!kv->read_only) {
        stop_threads(kv);
        /* When it fails, the next start replays a little more. */
        if (!engine_failed(kv))
            (void)!kv_checkpoint(kv);
    }
    free_kv(kv);
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
    enum result r;
};

static void wake_waiter(void *arg, enum result r)
{
    struct waiter *w = arg;
    pthread_mutex_lock(&w->lock);
    w->r = r;
    w->done = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

enum result kv_commit(struct kv_batch *b)
{
    struct waiter w = {.done = false};
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.wake, NULL);
    enum result r = kv_submit(b, wake_waiter, &w);
    if (r == OK) {
        pthread_mutex_lock(&w.lock);
        while (!w.done)
            pthread_cond_wait(&w.wake, &w.lock);
        pthread_mutex_unlock(&w.lock);
        r = w.r;
    }
    pthread_cond_destroy(&w.wake);
    pthread_mutex_destroy(&w.lock);
    return r;
}

static void count_segment(struct segment *seg, void *arg)
{
    struct kv_stats *s = arg;
    s->segments++;
    s->live_bytes += seg->live;
    if (seg->size > seg->live)
        s->dead_bytes += seg->size - seg->live;
}

void kv_stats_get(struct kv *kv, struct kv_stats *ret)
{
    struct kv_stats s = {0};
    segments_each(&kv->segments, count_segment, &s);
    s.disk_reserved = engine_disk_reserved(kv);
    s.free_disk_bytes = atomic_load(&kv->free_space);
    pthread_mutex_lock(&kv->lock);
    s.batches = kv->batches;
    s.groups = kv->n_committed_groups;
    s.cleaned_segments = kv->cleaned_segments;
    s.moved_bytes = kv->moved_bytes;
    pthread_mutex_unlock(&kv->lock);
    *ret = s;
}
