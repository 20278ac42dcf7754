/* lists.c: :include: files and .forward, which a sandbox may not open: agent reads them as the user
 * whose rights count. What it read is kept for two seconds, so that a burst of mail reads it once
 * and a change counts at once for people. */
#include <stdlib.h>

#include "base/clock.h"
#include "role/auth/auth.h"

enum { FILES_MAX = 2000, KEEP_MS = 2000, KEY_MAX = 12 * 1024, BYTES_ALL_MAX = 32 << 20 };

struct known_file {
    int64_t expiry_ms;
    bool there;
    unsigned owner;
    struct slice path, bytes, refused; /* behind the struct */
    size_t size;
    char text[];
};

struct file_cache {
    pthread_mutex_t lock;
    struct map by_key;
    size_t bytes;
};

enum result file_cache_new(struct file_cache **ret)
{
    struct file_cache *c = calloc(1, sizeof *c);
    if (!c)
        return FAILED;
    pthread_mutex_init(&c->lock, NULL);
    map_init(&c->by_key, FILES_MAX);
    *ret = c;
    return OK;
}

/* Lock held. */
static void drop(struct file_cache *c, int64_t expired_by_ms)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&c->by_key, &at, &key, &value)) {
        struct known_file *f = value;
        if (f->expiry_ms > expired_by_ms)
            continue;
        c->bytes -= f->size;
        (void)map_remove(&c->by_key, key);
        free(f);
    }
}

void file_cache_free(struct file_cache *c)
{
    if (!c)
        return;
    drop(c, INT64_MAX);
    map_release(&c->by_key);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* Who reads what. False: too long for one. */
static bool key_of(const struct directory_wish *w, struct buf *out)
{
    buf_init(out, KEY_MAX);
    buf_putc(out, w->forward ? 'f' : 'i');
    buf_append(out, w->user);
    buf_putc(out, '\0');
    buf_append(out, w->path);
    return buf_ok(out);
}

enum account_known system_file_known(void *arg, const struct directory_wish *wish, struct arena *a,
                                     struct directory_found *ret)
{
    struct file_cache *c = system_accounts_files(arg);
    enum account_known known = ACCOUNT_ASK;
    struct buf key;
    if (key_of(wish, &key)) {
        pthread_mutex_lock(&c->lock);
        const struct known_file *f = map_get(&c->by_key, buf_slice(&key));
        if (f && clock_monotonic_ms() < f->expiry_ms) {
            known = f->there ? ACCOUNT_THERE : ACCOUNT_ABSENT;
            *ret = (struct directory_found){.path = arena_dup(a, f->path),
                                            .bytes = arena_dup(a, f->bytes),
                                            .owner = f->owner,
                                            .refused = arena_dup(a, f->refused)};
        }
        pthread_mutex_unlock(&c->lock);
    }
    buf_release(&key);
    return known;
}

static struct slice put_text(char **at, struct slice s)
{
    struct slice kept = slice_of(*at, s.len);
    if (s.len)
        memcpy(*at, s.data, s.len);
    *at += s.len;
    return kept;
}

static struct known_file *new_file(const struct ipc_FILE_RESULT *r)
{
    size_t size = r->path.len + r->bytes.len + r->reason.len;
    struct known_file *f = malloc(sizeof *f + size + 1);
    if (!f)
        return NULL;
    char *at = f->text;
    *f = (struct known_file){.expiry_ms = clock_monotonic_ms() + KEEP_MS,
                             .there = r->code != 1,
                             .owner = r->owner,
                             .size = size};
    f->path = put_text(&at, r->path);
    f->bytes = put_text(&at, r->bytes);
    f->refused = r->code == 2 ? put_text(&at, r->reason) : SLICE("");
    return f;
}

static bool keep(struct file_cache *c, struct slice key, struct known_file *f)
{
    pthread_mutex_lock(&c->lock);
    drop(c, c->by_key.used >= FILES_MAX || c->bytes > BYTES_ALL_MAX ? INT64_MAX
                                                                    : clock_monotonic_ms());
    struct known_file *old = map_remove(&c->by_key, key);
    if (old)
        c->bytes -= old->size;
    bool kept = map_put(&c->by_key, key, f) == OK;
    if (kept)
        c->bytes += f->size;
    pthread_mutex_unlock(&c->lock);
    free(old);
    return kept;
}

struct question {
    struct file_cache *cache;
    void (*done)(void *arg, bool told);
    void *arg;
    struct buf key;
};

static void take_answer(void *arg, struct ipc_message *m)
{
    struct question *q = arg;
    bool told = m->type == IPC_FILE_RESULT;
    struct known_file *f = told ? new_file(&m->FILE_RESULT) : NULL;
    told = f && keep(q->cache, buf_slice(&q->key), f);
    if (!told)
        free(f);
    q->done(q->arg, told);
    buf_release(&q->key);
    free(q);
}

void system_file_ask(struct auth_role *a, const struct directory_wish *wish,
                     void (*done)(void *arg, bool told), void *arg)
{
    struct question *q = calloc(1, sizeof *q);
    struct ipc_message m = {.type = IPC_FILE_READ};
    if (!q || !key_of(wish, &q->key)) {
        if (q)
            buf_release(&q->key);
        free(q);
        done(arg, false);
        return;
    }
    q->cache = system_accounts_files(a->system);
    q->done = done;
    q->arg = arg;
    m.FILE_READ.kind = wish->forward ? SLICE("forward") : SLICE("include");
    m.FILE_READ.user = wish->user;
    m.FILE_READ.path = wish->path;
    ipc_request(a->role->peers[ROLE_AGENT], &m, take_answer, q);
}
