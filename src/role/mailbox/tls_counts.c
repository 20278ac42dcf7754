/* tls_counts.c: see tls_counts.h. */
#include "role/mailbox/tls_counts.h"

#include <stdlib.h>

#include "base/clock.h"
#include "role/mailbox/drop.h"

enum { GATHERED_MAX = 5000, ROWS_MAX = 200000, KEY_SIZE = 700, VALUE_SIZE = 8192 };

/* What has gathered of one row: its value as tlsrpt_row_value has it. */
struct gathered {
    struct buf value;
    uint64_t count;
};

struct tls_counts {
    struct mailbox_role *mailbox;
    pthread_mutex_t lock;    /* of `map` and `rows` */
    struct map map;          /* key -> struct gathered */
    uint64_t rows;           /* that are written, or more */
    pthread_mutex_t writing; /* one at a time; taken before `lock` */
};

uint32_t tls_counts_today(void)
{
    return (uint32_t)(clock_realtime_s() / 86400);
}

enum result tls_counts_new(struct mailbox_role *m, struct tls_counts **ret)
{
    struct tls_counts *t = calloc(1, sizeof *t);
    if (!t)
        return FAILED;
    t->mailbox = m;
    pthread_mutex_init(&t->lock, NULL);
    pthread_mutex_init(&t->writing, NULL);
    map_init(&t->map, GATHERED_MAX);
    *ret = t;
    return OK;
}

static void gathered_free(struct gathered *g)
{
    buf_release(&g->value);
    free(g);
}

static void release_map(struct map *map)
{
    struct slice key;
    void *value;
    size_t at = 0;
    while (map_next(map, &at, &key, &value))
        gathered_free(value);
    map_release(map);
}

void tls_counts_free(struct tls_counts *t)
{
    if (!t)
        return;
    release_map(&t->map);
    pthread_mutex_destroy(&t->lock);
    pthread_mutex_destroy(&t->writing);
    free(t);
}

/* ---- gathering ---- */

/* Lock held. NULL: there is no room, or no memory. */
static struct gathered *gathered_get(struct tls_counts *t, struct slice key)
{
    struct gathered *g = map_get(&t->map, key);
    if (g)
        return g;
    g = t->rows < ROWS_MAX ? calloc(1, sizeof *g) : NULL;
    if (!g)
        return NULL;
    buf_init(&g->value, VALUE_SIZE);
    if (map_put(&t->map, key, g) == OK)
        return g;
    gathered_free(g);
    return NULL;
}

static void gather(struct tls_counts *t, struct tlsrpt_row *r)
{
    struct buf key;
    buf_init(&key, KEY_SIZE);
    tlsrpt_row_key(r, &key);
    pthread_mutex_lock(&t->lock);
    struct gathered *g = buf_ok(&key) ? gathered_get(t, buf_slice(&key)) : NULL;
    if (g) {
        r->count = ++g->count;
        buf_reset(&g->value);
        tlsrpt_row_value(r, &g->value);
    }
    pthread_mutex_unlock(&t->lock);
    buf_release(&key);
    if (!g)
        LOG(LOG_WARNING, "tls_report.not_counted", LOG_S("domain", r->domain),
            LOG_C("why", "too much is counted, or no memory"));
}

void tls_counts_take(struct tls_counts *t, struct ipc_channel *from, struct ipc_message *msg)
{
    const struct ipc_TLS_RESULT *m = &msg->TLS_RESULT;
    struct tlsrpt_row r = {.day = tls_counts_today(),
                           .domain = m->domain,
                           .type = m->policy_type,
                           .mx = m->mx,
                           .result = m->result,
                           .policy = m->policy,
                           .sender_ip = m->sender_ip,
                           .mx_ip = m->mx_ip,
                           .reason = m->reason};
    if (ipc_channel_peer(from) == ROLE_RELAY && tlsrpt_row_valid(&r))
        gather(t, &r);
}

/* ---- writing ---- */

static void add_row(struct tls_counts *t, struct kv_batch *b, struct slice key,
                    const struct gathered *g)
{
    struct buf full, before, after;
    struct tlsrpt_row r, old;
    buf_init(&full, KV_KEY_MAX);
    buf_init(&before, VALUE_SIZE);
    buf_init(&after, VALUE_SIZE);
    buf_puts(&full, TLS_COUNTS_PREFIX);
    buf_append(&full, key);
    if (tlsrpt_row_read(key, buf_slice(&g->value), &r) == OK) {
        bool there = kv_get(t->mailbox->kv, NULL, buf_slice(&full), &before) == OK &&
                     tlsrpt_row_read(key, buf_slice(&before), &old) == OK;
        r.count = g->count + (there ? old.count : 0);
        t->rows += !there;
        tlsrpt_row_value(&r, &after);
        kv_batch_put(b, buf_slice(&full), buf_slice(&after));
    }
    buf_release(&full);
    buf_release(&before);
    buf_release(&after);
}

static enum result write_map(struct tls_counts *t, struct map *map)
{
    struct kv_batch *b = kv_batch_new(t->mailbox->kv, 0);
    struct slice key;
    void *value;
    size_t at = 0;
    if (!b)
        return FAILED;
    while (map_next(map, &at, &key, &value))
        add_row(t, b, key, value);
    return kv_commit(b);
}

void tls_counts_write(struct tls_counts *t)
{
    struct map map;
    pthread_mutex_lock(&t->writing);
    pthread_mutex_lock(&t->lock);
    map = t->map;
    map_init(&t->map, GATHERED_MAX);
    pthread_mutex_unlock(&t->lock);
    enum result r = map.used ? write_map(t, &map) : OK;
    pthread_mutex_unlock(&t->writing);
    if (r != OK)
        LOG(LOG_WARNING, "tls_report.not_counted", LOG_U("rows", map.used),
            LOG_C("why", result_name(r)));
    release_map(&map);
}

/* ---- reading and dropping ---- */

static struct slice behind_prefix(struct slice key)
{
    return slice_from(key, strlen(TLS_COUNTS_PREFIX));
}

enum result tls_counts_each(struct mailbox_role *m,
                            bool (*each)(void *arg, const struct tlsrpt_row *r), void *arg)
{
    struct slice key, value;
    struct tlsrpt_row r;
    struct kv_iter *it = kv_iter_new(m->kv, NULL, SLICE(TLS_COUNTS_PREFIX), SLICE_NONE);
    bool more = true;
    while (it && more && kv_iter_next(it, &key, &value))
        if (tlsrpt_row_read(behind_prefix(key), value, &r) == OK)
            more = each(arg, &r);
    return it ? kv_iter_free(it) : FAILED;
}

/* The rows of a domain's day; without a domain, those of all days before it. */
struct dropped {
    struct slice domain;
    uint32_t day;
};

static bool is_dropped(void *arg, struct slice key, struct slice value)
{
    const struct dropped *d = arg;
    struct tlsrpt_row r;
    if (tlsrpt_row_read(behind_prefix(key), value, &r) != OK)
        return d->domain.len == 0;
    return d->domain.len ? r.day == d->day && slice_eq(r.domain, d->domain) : r.day < d->day;
}

enum result tls_counts_drop(struct mailbox_role *m, struct slice domain, uint32_t day)
{
    struct dropped what = {domain, day};
    size_t left;
    enum result r = drop_records(m->kv, SLICE(TLS_COUNTS_PREFIX), is_dropped, &what, &left);
    if (r != OK)
        return r;
    pthread_mutex_lock(&m->tls_counts->lock);
    m->tls_counts->rows = left;
    pthread_mutex_unlock(&m->tls_counts->lock);
    return OK;
}
