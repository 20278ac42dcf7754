/* engine.h: what the parts of the engine share. Inside src/kv/ only.
 *
 * The way of a batch: kv_submit puts it into the queue; the committer thread (commit.c) takes all
 * that waits as one group, checks preconditions, writes the records (writer.c), syncs once; the
 * applier (apply.c) puts them into the index and calls `done`, while the committer is at the next
 * group. The upkeep thread (upkeep.c) makes checkpoints and cleans. recover.c does at start what
 * the applier had not yet done. */
#ifndef KV_ENGINE_H
#define KV_ENGINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/list.h"
#include "base/map.h"
#include "kv/batch.h"
#include "kv/index.h"
#include "kv/overlay.h"
#include "kv/segments.h"
#include "kv/writer.h"

enum {
    CHECKPOINT_BYTES = 64 << 20, /* of journal between checkpoints: what a replay has to read */
};

/* Batches that are written and synced together. */
struct group {
    struct list_node node;
    struct list_node batches;
    struct index_state end; /* the journal's end after it */
    uint64_t bytes, died_bytes;
    size_t n;
    bool durable;  /* something in it was written and synced */
    bool has_refs; /* of one of its batches */
};

struct kv {
    char *directory;
    char *clone; /* the index's path when read_only */
    int dir_fd, journal_fd, lock_fd;
    bool read_only, cloned;
    size_t segment_bytes;
    unsigned clean_below;
    uint64_t reserve_bytes;

    struct index index;
    struct segments segments;
    struct writer writer; /* the committer's */
    struct overlay overlay;
    _Atomic uint64_t next_blob;

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake_committer, wake_applier, wake_upkeep, idle;
    struct list_node waiting; /* batches */
    size_t n_waiting;
    struct list_node groups; /* durable, not applied */
    size_t n_groups;
    bool applying, committing;
    bool stopping_upkeep, stopping, committer_gone;
    uint64_t flushed_segment; /* all before it is in the flushed index */
    uint64_t tick;            /* orders snapshots and condemnations of segments */
    uint64_t died_bytes;      /* of blobs, since the upkeep thread last looked */
    uint64_t unflushed_bytes; /* of journal, applied since the last checkpoint */
    uint64_t batches, n_committed_groups, cleaned_segments, moved_bytes;
    struct list_node snapshots;
    bool want_upkeep;

    pthread_mutex_t stream_lock;
    struct map streams; /* blob id to struct stream: written, not yet adopted */

    pthread_mutex_t upkeep_lock; /* one checkpoint or cleaning at a time */
    atomic_bool failed;          /* nothing is taken any more */
    atomic_bool index_failed;    /* not even what is durable can be applied */
    struct error failure;        /* under `lock` */
    _Atomic int64_t space_checked_ms;
    _Atomic uint64_t free_space;

    pthread_t committer, applier, upkeep;
    unsigned threads;
};

struct kv_snapshot {
    struct list_node node;
    struct kv *kv;
    const rocksdb_snapshot_t *snapshot;
    rocksdb_readoptions_t *read;
    uint64_t tick;
};

uint64_t engine_new_blob_id(struct kv *kv);
/* From now on nothing is taken any more; keeps the first reason. */
void engine_fail(struct kv *kv, const char *what);
static inline bool engine_failed(struct kv *kv)
{
    return atomic_load(&kv->failed);
}

/* streams.c: takes a streamed blob's place for adoption (or to abandon it). */
bool stream_take(struct kv *kv, uint64_t blob, struct blob_ref *ret);
void streams_release(struct kv *kv);

/* commit.c */
void *committer_main(void *arg);
void engine_enqueue(struct kv *kv, struct kv_batch *b);

/* apply.c: one use applies some records atomically. */
struct apply {
    struct kv *kv;
    rocksdb_writebatch_t *wb;
    bool track;        /* `places` is in use */
    struct map places; /* blobs touched by this apply: what the index does not know yet */
    struct live_delta {
        uint64_t segment;
        int64_t bytes;
    } * deltas; /* changes of live bytes */
    size_t n_deltas, deltas_size;
    uint64_t died_bytes;
    uint64_t next_blob; /* above every id seen */
    enum result r;
};
void apply_begin(struct apply *a, struct kv *kv, bool track);
void apply_record(struct apply *a, struct slice meta, uint64_t segment, uint64_t blob_offset);
MUST_USE enum result apply_end(struct apply *a, const struct index_state *end);
void apply_group(struct kv *kv, struct group *g);
void *applier_main(void *arg);

/* recover.c: replays the journal's tail into the index and sets up the writer. */
MUST_USE enum result recover(struct kv *kv, struct kv_recovery *ret, struct error *err);

/* upkeep.c */
void *upkeep_main(void *arg);
/* Flushes the index and notes up to which segment that goes. Under upkeep_lock. */
MUST_USE enum result checkpoint(struct kv *kv, struct error *err);
/* Looks at the free space, at most once a second. */
bool engine_disk_reserved(struct kv *kv);
/* Waits so many milliseconds, or until the engine stops; true when it stops. */
bool upkeep_pause(struct kv *kv, int64_t ms);

/* clean.c: under upkeep_lock. */
/* Moves what lives out of the segments that are worth it. gently: in the background, leaving half
 * of the time to others and ending when the engine stops. */
MUST_USE enum result clean_segments(struct kv *kv, bool gently);
/* Removes the segments to which nothing refers. Makes a checkpoint when there are any. */
MUST_USE enum result clean_remove(struct kv *kv);

#endif
