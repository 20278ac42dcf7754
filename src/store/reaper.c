/* reaper.c: a background thread that gives back what nothing refers to any more.
 *
 * Who takes a reference away writes a maybe-dead record for the message in the same batch, with a
 * value that was never there before. The reaper reads that record, then looks for references. None
 * left: message and blobs go. It can't miss one: a new reference is only made while an older one is
 * live, under the account's lock, so it commits before the older one's removal. In both cases it
 * removes the maybe-dead record on the condition that it is still the one it read, so that a
 * removal in between is looked at again. Deleted mailboxes are emptied here too, in pieces. What a
 * crash leaves is found at the next start, without delaying it. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/cursor.h"
#include "store/internal.h"

enum {
    HINTS_MAX = 65536,
    GROUP = 256,
    PIECE = 1000,
    TRIES_MAX = 20,
    GATHER_MS = 20,
    WAIT_MS = 100
};

struct hint {
    uint64_t message;
    uint32_t tries; /* left, in case the record is not committed yet */
};

struct reaper {
    struct store *store;
    pthread_t thread;
    pthread_mutex_t lock; /* what follows */
    pthread_cond_t wake, idle;
    bool stop, busy, scan_messages, scan_mailboxes;
    struct hint *hints;
    size_t n_hints, cap_hints;
};

struct dead {
    uint64_t message;
    uint64_t token;
};

static void add_hint(struct reaper *rp, struct hint h)
{
    if (rp->n_hints == rp->cap_hints) {
        size_t cap = rp->cap_hints ? rp->cap_hints * 2 : 64;
        struct hint *more = cap <= HINTS_MAX ? realloc(rp->hints, cap * sizeof *more) : NULL;
        if (!more) {
            rp->scan_messages = true;
            return;
        }
        rp->hints = more;
        rp->cap_hints = cap;
    }
    rp->hints[rp->n_hints++] = h;
}

void reaper_hint(struct store *s, const uint64_t *messages, size_t n, bool not_yet)
{
    struct reaper *rp = s->reaper;
    if (!rp)
        return;
    pthread_mutex_lock(&rp->lock);
    for (size_t i = 0; i < n; i++)
        add_hint(rp, (struct hint){messages[i], not_yet ? TRIES_MAX : 0});
    pthread_cond_signal(&rp->wake);
    pthread_mutex_unlock(&rp->lock);
}

void reaper_wake(struct store *s)
{
    struct reaper *rp = s->reaper;
    if (!rp)
        return;
    pthread_mutex_lock(&rp->lock);
    rp->scan_mailboxes = true;
    pthread_cond_signal(&rp->wake);
    pthread_mutex_unlock(&rp->lock);
}

static bool stopping(struct reaper *rp)
{
    pthread_mutex_lock(&rp->lock);
    bool stop = rp->stop;
    pthread_mutex_unlock(&rp->lock);
    return stop;
}

/* ---- messages ---- */

static enum result read_token(struct store *s, uint64_t message, uint64_t *ret)
{
    char mem[64];
    struct buf value = {.mem = mem, .size = sizeof mem, .max = sizeof mem};
    struct key key = key_maybe_dead(message);
    enum result r = kv_get(s->kv, NULL, key_slice(&key), &value);
    if (r != OK)
        return r;
    struct cursor c = cursor_of(buf_slice(&value));
    *ret = cursor_le64(&c);
    return cursor_done(&c) ? OK : CORRUPT;
}

static enum result has_reference(struct store *s, uint64_t message, bool *ret)
{
    struct key prefix = key_references(message);
    struct kv_iter *it = kv_iter_new(s->kv, NULL, key_slice(&prefix), SLICE_NONE);
    if (!it)
        return FAILED;
    struct slice key, value;
    bool found = kv_iter_next(it, &key, &value);
    enum result r = kv_iter_free(it);
    if (r == OK)
        *ret = found;
    return r;
}

/* A record that can't be read leaves its blobs behind: they are not known. */
static enum result put_deletion(struct store *s, struct kv_batch *b, uint64_t message)
{
    struct buf hold;
    buf_init(&hold, KV_VALUE_MAX);
    struct message_record m;
    enum result r = message_record_read(s, message, &m, &hold);
    if (r == OK) {
        for (size_t i = 0; i < m.n_blobs; i++)
            kv_batch_blob_del(b, message_record_blob(&m, i));
        struct key key = key_message(message);
        kv_batch_del(b, key_slice(&key));
    } else if (r == CORRUPT) {
        atomic_fetch_add(&s->damaged, 1);
    }
    buf_release(&hold);
    return r == NOT_FOUND || r == CORRUPT ? OK : r;
}

static enum result put_judgement(struct store *s, struct kv_batch *b, const struct dead *d)
{
    bool alive = false;
    enum result r = has_reference(s, d->message, &alive);
    if (r == OK && !alive)
        r = put_deletion(s, b, d->message);
    struct key key = key_maybe_dead(d->message);
    kv_batch_expect(b, key_slice(&key), slice_of(&d->token, sizeof d->token));
    kv_batch_del(b, key_slice(&key));
    return r;
}

static enum result judge(struct store *s, const struct dead *list, size_t n)
{
    struct kv_batch *b = kv_batch_new(s->kv, KV_BATCH_ESSENTIAL);
    if (!b)
        return FAILED;
    enum result r = OK;
    for (size_t i = 0; r == OK && i < n; i++)
        r = put_judgement(s, b, &list[i]);
    if (r != OK) {
        kv_batch_free(b);
        return r;
    }
    return kv_commit(b);
}

static int by_message(const void *a, const void *b)
{
    const struct dead *x = a, *y = b;
    return (x->message > y->message) - (x->message < y->message);
}

static size_t drop_repeated(struct dead *list, size_t n)
{
    if (n == 0)
        return 0;
    qsort(list, n, sizeof *list, by_message);
    size_t kept = 1;
    for (size_t i = 1; i < n; i++)
        if (list[i].message != list[kept - 1].message)
            list[kept++] = list[i];
    return kept;
}

/* One of them that changed meanwhile spoils the batch: then one by one. One that changed will be
 * hinted at by who changed it. */
static enum result judge_group(struct store *s, struct dead *list, size_t n)
{
    n = drop_repeated(list, n);
    if (n == 0)
        return OK;
    enum result r = judge(s, list, n);
    if (r != CONFLICT && r != LIMIT)
        return r;
    for (size_t i = 0; i < n; i++) {
        r = judge(s, &list[i], 1);
        if (r != OK && r != CONFLICT && r != LIMIT)
            return r;
    }
    return OK;
}

static void retry_later(struct reaper *rp, struct hint h)
{
    if (h.tries == 0)
        return;
    h.tries--;
    pthread_mutex_lock(&rp->lock);
    add_hint(rp, h);
    pthread_mutex_unlock(&rp->lock);
}

static enum result follow_hints(struct reaper *rp, const struct hint *hints, size_t n)
{
    enum result r = OK;
    struct dead group[GROUP];
    while (r == OK && n && !stopping(rp)) {
        size_t in_group = 0;
        for (; n && in_group < GROUP && r == OK; hints++, n--) {
            group[in_group].message = hints->message;
            r = read_token(rp->store, hints->message, &group[in_group].token);
            if (r == NOT_FOUND)
                retry_later(rp, *hints);
            in_group += r == OK;
            r = r == NOT_FOUND || r == CORRUPT ? OK : r;
        }
        if (r == OK)
            r = judge_group(rp->store, group, in_group);
    }
    return r;
}

/* The next group of maybe-dead records from *from on. */
static enum result read_group(struct store *s, uint64_t *from, struct dead *group, size_t *ret_n)
{
    struct key start = key_maybe_dead(*from);
    struct kv_iter *it = kv_iter_new(s->kv, NULL, SLICE("d"), key_slice(&start));
    if (!it)
        return FAILED;
    size_t n = 0;
    struct slice key, value;
    while (n < GROUP && kv_iter_next(it, &key, &value)) {
        struct cursor k = cursor_of(slice_from(key, 1)), v = cursor_of(value);
        group[n] = (struct dead){cursor_be64(&k), cursor_le64(&v)};
        *from = group[n].message + 1;
        n += cursor_done(&k) && cursor_done(&v);
    }
    enum result r = kv_iter_free(it);
    *ret_n = n;
    return r;
}

static enum result scan_all(struct reaper *rp)
{
    struct dead group[GROUP];
    uint64_t from = 0;
    size_t n = GROUP;
    enum result r = OK;
    while (r == OK && n && !stopping(rp)) {
        r = read_group(rp->store, &from, group, &n);
        if (r == OK)
            r = judge_group(rp->store, group, n);
    }
    return r;
}

/* ---- deleted mailboxes ---- */

static void put_entry_removal(struct store *s, struct kv_batch *b, uint64_t mailbox,
                              struct slice key, struct slice value, struct hint *hint, size_t *n)
{
    struct cursor c = cursor_of(slice_from(key, 9));
    uint32_t uid = cursor_be32(&c);
    struct entry e;
    kv_batch_del(b, key);
    if (!cursor_done(&c) || entry_decode(value, uid, &e) != OK) {
        atomic_fetch_add(&s->damaged, 1);
        return;
    }
    struct key ref = key_reference(e.message, mailbox, uid);
    kv_batch_del(b, key_slice(&ref));
    maybe_dead_put(b, e.message);
    hint[(*n)++] = (struct hint){e.message, 0};
}

/* Removes up to PIECE keys below the prefix; entries with their references. */
static enum result remove_piece(struct store *s, struct slice prefix, uint64_t mailbox,
                                struct hint *hints, size_t *ret_hints, size_t *ret_removed)
{
    struct kv_batch *b = kv_batch_new(s->kv, KV_BATCH_ESSENTIAL);
    struct kv_iter *it = b ? kv_iter_new(s->kv, NULL, prefix, SLICE_NONE) : NULL;
    if (!it) {
        kv_batch_free(b);
        return FAILED;
    }
    size_t n = 0;
    *ret_hints = 0;
    struct slice key, value;
    for (; n < PIECE && kv_iter_next(it, &key, &value); n++) {
        if (prefix.data[0] == 'e')
            put_entry_removal(s, b, mailbox, key, value, hints, ret_hints);
        else
            kv_batch_del(b, key);
    }
    enum result r = kv_iter_free(it);
    *ret_removed = n;
    if (r == OK && n)
        return kv_commit(b);
    kv_batch_free(b);
    return r;
}

static enum result empty_prefix(struct reaper *rp, struct key prefix, uint64_t mailbox)
{
    struct hint *hints = malloc(PIECE * sizeof *hints);
    if (!hints)
        return FAILED;
    enum result r = OK;
    for (size_t n = PIECE, n_hints; r == OK && n == PIECE && !stopping(rp);) {
        r = remove_piece(rp->store, key_slice(&prefix), mailbox, hints, &n_hints, &n);
        if (r == OK)
            r = follow_hints(rp, hints, n_hints);
    }
    free(hints);
    return r;
}

static enum result purge_mailbox(struct reaper *rp, uint64_t mailbox)
{
    enum result r = empty_prefix(rp, key_entries(mailbox), mailbox);
    if (r == OK)
        r = empty_prefix(rp, key_tombstones(mailbox), mailbox);
    if (r == OK)
        r = empty_prefix(rp, key_uidls(mailbox), mailbox);
    if (r == OK)
        r = empty_prefix(rp, key_origins(mailbox), mailbox);
    if (r == OK)
        r = empty_prefix(rp, key_annotations(mailbox), mailbox);
    if (r != OK || stopping(rp))
        return r;
    struct kv_batch *b = kv_batch_new(rp->store->kv, KV_BATCH_ESSENTIAL);
    if (!b)
        return FAILED;
    struct key key = key_dead_mailbox(mailbox);
    kv_batch_del(b, key_slice(&key));
    return kv_commit(b);
}

static enum result next_dead_mailbox(struct store *s, uint64_t *ret)
{
    struct kv_iter *it = kv_iter_new(s->kv, NULL, SLICE("z"), SLICE_NONE);
    if (!it)
        return FAILED;
    struct slice key, value;
    bool found = kv_iter_next(it, &key, &value);
    struct cursor c = cursor_of(found ? slice_from(key, 1) : SLICE(""));
    uint64_t id = found ? cursor_be64(&c) : 0;
    enum result r = kv_iter_free(it);
    if (r != OK)
        return r;
    if (!found)
        return NOT_FOUND;
    *ret = id;
    return OK;
}

static enum result purge_mailboxes(struct reaper *rp)
{
    enum result r = OK;
    while (r == OK && !stopping(rp)) {
        uint64_t id;
        r = next_dead_mailbox(rp->store, &id);
        if (r == OK)
            r = purge_mailbox(rp, id);
    }
    return r == NOT_FOUND ? OK : r;
}

/* ---- the thread ---- */

static void wait_ms(struct reaper *rp, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)ms * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (!rp->stop && pthread_cond_timedwait(&rp->wake, &rp->lock, &until) != ETIMEDOUT) {
    }
}

static bool only_retries(const struct reaper *rp)
{
    for (size_t i = 0; i < rp->n_hints; i++)
        if (rp->hints[i].tries == 0 || rp->hints[i].tries == TRIES_MAX)
            return false;
    return !rp->scan_messages && !rp->scan_mailboxes;
}

static bool has_work(const struct reaper *rp)
{
    return rp->n_hints || rp->scan_messages || rp->scan_mailboxes;
}

/* With the lock, which it gives away while it works. */
static enum result work(struct reaper *rp)
{
    struct hint *hints = rp->hints;
    size_t n = rp->n_hints;
    bool messages = rp->scan_messages, mailboxes = rp->scan_mailboxes;
    rp->hints = NULL;
    rp->n_hints = rp->cap_hints = 0;
    rp->scan_messages = rp->scan_mailboxes = false;
    pthread_mutex_unlock(&rp->lock);
    enum result r = mailboxes ? purge_mailboxes(rp) : OK;
    if (r == OK && messages)
        r = scan_all(rp);
    if (r == OK)
        r = follow_hints(rp, hints, n);
    free(hints);
    pthread_mutex_lock(&rp->lock);
    /* All that may have been missed is looked for again. */
    if (r != OK && r != FAILED)
        rp->scan_messages = rp->scan_mailboxes = true;
    return r;
}

/* A failure of kv ends it: the role is about to restart. */
static void *run(void *arg)
{
    struct reaper *rp = arg;
    enum result r = OK;
    pthread_mutex_lock(&rp->lock);
    while (!rp->stop && r != FAILED) {
        if (!has_work(rp)) {
            rp->busy = false;
            pthread_cond_broadcast(&rp->idle);
            pthread_cond_wait(&rp->wake, &rp->lock);
            continue;
        }
        rp->busy = true;
        wait_ms(rp, r != OK ? 10 * WAIT_MS : only_retries(rp) ? WAIT_MS : GATHER_MS);
        if (!rp->stop)
            r = work(rp);
    }
    rp->stop = true;
    pthread_cond_broadcast(&rp->idle);
    pthread_mutex_unlock(&rp->lock);
    return NULL;
}

enum result reaper_start(struct store *s)
{
    struct reaper *rp = calloc(1, sizeof *rp);
    if (!rp)
        return FAILED;
    rp->store = s;
    rp->scan_messages = rp->scan_mailboxes = true;
    pthread_mutex_init(&rp->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&rp->wake, &attr);
    pthread_condattr_destroy(&attr);
    pthread_cond_init(&rp->idle, NULL);
    s->reaper = rp;
    if (pthread_create(&rp->thread, NULL, run, rp) == 0)
        return OK;
    s->reaper = NULL;
    free(rp);
    return FAILED;
}

void reaper_stop(struct store *s)
{
    struct reaper *rp = s->reaper;
    if (!rp)
        return;
    pthread_mutex_lock(&rp->lock);
    rp->stop = true;
    pthread_cond_broadcast(&rp->wake);
    pthread_mutex_unlock(&rp->lock);
    pthread_join(rp->thread, NULL);
    pthread_cond_destroy(&rp->wake);
    pthread_cond_destroy(&rp->idle);
    pthread_mutex_destroy(&rp->lock);
    free(rp->hints);
    free(rp);
    s->reaper = NULL;
}

void store_settle(struct store *s)
{
    struct reaper *rp = s->reaper;
    if (!rp)
        return;
    pthread_mutex_lock(&rp->lock);
    while (!rp->stop && (rp->busy || has_work(rp)))
        pthread_cond_wait(&rp->idle, &rp->lock);
    pthread_mutex_unlock(&rp->lock);
}
