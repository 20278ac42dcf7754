#include "auth/grant.h"

#include "auth/mac.h"
#include "base/map.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/* A grant's bytes: KIND VERSION expiry(8, big-endian) nonce(16) mac(32). */
enum { EXPIRY_AT = 2, NONCE_AT = 10, NONCE_LEN = 16, MAC_AT = 26, VERSION = '1' };
static_assert((int)MAC_AT + (int)MAC_LEN == (int)GRANT_LEN, "layout of a grant");
static_assert((int)GRANT_KEY_LEN == (int)MAC_KEY_LEN, "length of the key");

enum grant_kind { KIND_LOGIN = 'L', KIND_RCPT = 'R' };

enum result grant_key_new(struct grant_key *ret)
{
    return random_bytes(ret->bytes, sizeof ret->bytes);
}

enum result grant_key_read(struct slice bytes, struct grant_key *ret)
{
    if (bytes.len != GRANT_KEY_LEN)
        return INVALID;
    memcpy(ret->bytes, bytes.data, GRANT_KEY_LEN);
    return OK;
}

void grant_key_wipe(struct grant_key *k)
{
    explicit_bzero(k, sizeof *k);
}

static void put_u64(char *out, uint64_t n)
{
    for (int i = 0; i < 8; i++)
        out[i] = (char)(n >> (56 - 8 * i));
}

static uint64_t get_u64(const char *in)
{
    uint64_t n = 0;
    for (int i = 0; i < 8; i++)
        n = n << 8 | (unsigned char)in[i];
    return n;
}

/* What a grant is about; unused fields are empty. */
struct subject {
    enum grant_kind kind;
    uint64_t conn;
    struct slice account, service;
    struct slice rcpt;
    struct slice_list targets;
};

/* head: the grant's bytes before its MAC. */
static enum result compute(const struct grant_key *k, const char *head, const struct subject *s,
                           unsigned char ret[MAC_LEN])
{
    struct mac m;
    mac_init(&m);
    mac_add(&m, slice_of(head, MAC_AT));
    mac_add_u64(&m, s->conn);
    mac_add(&m, s->account);
    mac_add(&m, s->service);
    mac_add(&m, s->rcpt);
    mac_add_u64(&m, s->targets.n);
    for (size_t i = 0; i < s->targets.n; i++)
        mac_add(&m, s->targets.items[i]);
    return mac_finish(&m, k->bytes, ret);
}

static enum result make(const struct grant_key *k, const struct subject *s, int64_t expiry_s,
                        struct grant *ret)
{
    struct grant g;
    unsigned char mac[MAC_LEN];
    g.bytes[0] = (char)s->kind;
    g.bytes[1] = VERSION;
    put_u64(g.bytes + EXPIRY_AT, (uint64_t)expiry_s);
    if (random_bytes(g.bytes + NONCE_AT, NONCE_LEN) != OK || compute(k, g.bytes, s, mac) != OK)
        return FAILED;
    memcpy(g.bytes + MAC_AT, mac, MAC_LEN);
    *ret = g;
    return OK;
}

static enum result check(const struct grant_key *k, const struct subject *s, struct slice grant,
                         int64_t now_s)
{
    unsigned char mac[MAC_LEN];
    if (grant.len != GRANT_LEN || grant.data[0] != (char)s->kind || grant.data[1] != VERSION)
        return INVALID;
    if (compute(k, grant.data, s, mac) != OK || !mac_equal(mac, grant.data + MAC_AT))
        return DENIED;
    return now_s < (int64_t)get_u64(grant.data + EXPIRY_AT) ? OK : DENIED;
}

enum result grant_login_make(const struct grant_key *k, uint64_t conn, struct slice account,
                             struct slice service, int64_t now_s, struct grant *ret)
{
    struct subject s = {.kind = KIND_LOGIN, .conn = conn, .account = account, .service = service};
    return make(k, &s, now_s + GRANT_LOGIN_LIFE_S, ret);
}

enum result grant_rcpt_make(const struct grant_key *k, uint64_t conn, struct slice rcpt,
                            struct slice_list targets, int64_t now_s, struct grant *ret)
{
    struct subject s = {.kind = KIND_RCPT, .conn = conn, .rcpt = rcpt, .targets = targets};
    return make(k, &s, now_s + GRANT_RCPT_LIFE_S, ret);
}

enum result grant_rcpt_check(const struct grant_key *k, struct slice grant, uint64_t conn,
                             struct slice rcpt, struct slice_list targets, int64_t now_s)
{
    struct subject s = {.kind = KIND_RCPT, .conn = conn, .rcpt = rcpt, .targets = targets};
    return check(k, &s, grant, now_s);
}

/* The used tokens stand in a ring in the order of their use, and in a map by nonce. Those at the
 * front are dropped when they have expired. */
struct seen_token {
    char nonce[NONCE_LEN];
    int64_t expiry_s;
};

struct grant_seen {
    pthread_mutex_t lock;
    struct map by_nonce;
    struct seen_token *ring;
    size_t first, n, max;
};

enum result grant_seen_new(size_t max, struct grant_seen **ret)
{
    struct grant_seen *s = calloc(1, sizeof *s);
    if (!s)
        return FAILED;
    s->ring = calloc(max, sizeof *s->ring);
    if (!s->ring) {
        free(s);
        return FAILED;
    }
    s->max = max;
    pthread_mutex_init(&s->lock, NULL);
    map_init(&s->by_nonce, max);
    *ret = s;
    return OK;
}

void grant_seen_free(struct grant_seen *s)
{
    if (!s)
        return;
    map_release(&s->by_nonce);
    pthread_mutex_destroy(&s->lock);
    free(s->ring);
    free(s);
}

static void forget_expired(struct grant_seen *s, int64_t now_s)
{
    while (s->n && s->ring[s->first].expiry_s <= now_s) {
        map_remove(&s->by_nonce, slice_of(s->ring[s->first].nonce, NONCE_LEN));
        s->first = (s->first + 1) % s->max;
        s->n--;
    }
}

/* DENIED when the nonce was used already, BUSY when there is no room to remember it. */
static enum result use_once(struct grant_seen *s, struct slice nonce, int64_t expiry_s)
{
    if (map_get(&s->by_nonce, nonce))
        return DENIED;
    if (s->n == s->max)
        return BUSY;
    struct seen_token *t = &s->ring[(s->first + s->n) % s->max];
    if (map_put(&s->by_nonce, nonce, t) != OK)
        return BUSY;
    memcpy(t->nonce, nonce.data, NONCE_LEN);
    t->expiry_s = expiry_s;
    s->n++;
    return OK;
}

enum result grant_login_check(const struct grant_key *k, struct grant_seen *seen,
                              struct slice grant, uint64_t conn, struct slice account,
                              struct slice service, int64_t now_s)
{
    struct subject s = {.kind = KIND_LOGIN, .conn = conn, .account = account, .service = service};
    enum result r = check(k, &s, grant, now_s);
    if (r != OK)
        return r;
    pthread_mutex_lock(&seen->lock);
    forget_expired(seen, now_s);
    r = use_once(seen, slice_sub(grant, NONCE_AT, NONCE_LEN),
                 (int64_t)get_u64(grant.data + EXPIRY_AT));
    pthread_mutex_unlock(&seen->lock);
    return r;
}
