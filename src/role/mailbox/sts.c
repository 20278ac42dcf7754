/* sts.c: the MTA-STS policies that relay has fetched (docs/formats/sts.md): relay has no disk, and
 * a policy must hold over a restart (RFC 8461 5.1). mailbox knows of them only how long they last.
 */
#include "role/mailbox/sts.h"

#include <stdlib.h>

#include "base/clock.h"
#include "mime/address.h"
#include "proto/sts/sts.h"

enum { DOMAINS_MAX = 100000, ENTRY_MAX = 64 * 1024, FORGET_AT_ONCE = 1000 };

static void put_key(struct buf *key, struct slice domain)
{
    buf_puts(key, "ps");
    buf_append(key, domain);
}

static bool from_relay(struct ipc_channel *from, struct slice domain)
{
    return ipc_channel_peer(from) == ROLE_RELAY && domain_valid(domain, false);
}

void mailbox_sts_ask(struct mailbox_role *m, struct ipc_channel *from, struct ipc_message *msg)
{
    struct slice domain = msg->STS_ASK.domain;
    struct ipc_message answer = {.type = IPC_STS_RESULT};
    struct buf key, value;
    buf_init(&key, KV_KEY_MAX);
    buf_init(&value, ENTRY_MAX);
    put_key(&key, domain);
    enum result r =
        from_relay(from, domain) ? kv_get(m->kv, NULL, buf_slice(&key), &value) : DENIED;
    answer.STS_RESULT.entry = r == OK ? buf_slice(&value) : SLICE("");
    if (r == OK || r == NOT_FOUND)
        ipc_answer(from, msg->call, &answer);
    else
        ipc_answer_failure(from, msg->call, result_name(r));
    buf_release(&key);
    buf_release(&value);
}

struct keeping {
    struct ipc_channel *from;
    uint64_t call;
};

/* From the commit thread; takes k. */
static void kept(void *arg, enum result r)
{
    struct keeping *k = arg;
    struct ipc_message answer = {.type = IPC_STS_KEPT};
    if (r == OK)
        ipc_answer(k->from, k->call, &answer);
    else
        ipc_answer_failure(k->from, k->call, result_name(r));
    free(k);
}

/* OK: kept will be called. */
static enum result submit(struct mailbox_role *m, struct slice domain, struct slice entry,
                          struct keeping *k)
{
    struct buf key;
    struct kv_batch *b = kv_batch_new(m->kv, 0);
    if (!b)
        return FAILED;
    buf_init(&key, KV_KEY_MAX);
    put_key(&key, domain);
    kv_batch_put(b, buf_slice(&key), entry);
    buf_release(&key);
    return kv_submit(b, kept, k);
}

static enum result check(struct mailbox_role *m, struct ipc_channel *from, struct slice domain,
                         struct slice entry)
{
    struct sts_entry e;
    if (!from_relay(from, domain) || entry.len > ENTRY_MAX)
        return DENIED;
    if (sts_entry_read(entry, &e) != OK)
        return INVALID;
    return atomic_fetch_add(&m->sts_domains, 1) < DOMAINS_MAX ? OK : LIMIT;
}

void mailbox_sts_keep(struct mailbox_role *m, struct ipc_channel *from, struct ipc_message *msg)
{
    struct slice domain = msg->STS_KEEP.domain, entry = msg->STS_KEEP.entry;
    struct keeping *k = malloc(sizeof *k);
    enum result r = k ? check(m, from, domain, entry) : FAILED;
    if (r == OK) {
        *k = (struct keeping){from, msg->call};
        r = submit(m, domain, entry, k);
    }
    if (r == OK)
        return;
    free(k);
    LOG(LOG_WARNING, "sts.not_kept", LOG_S("domain", domain), LOG_C("why", result_name(r)));
    ipc_answer_failure(from, msg->call, result_name(r));
}

/* ---- what is forgotten ---- */

static bool is_over(struct slice value, int64_t now)
{
    struct sts_entry e;
    return sts_entry_read(value, &e) != OK || e.until_s < now;
}

/* Deletes some of what is over; *ret_left counts the others. */
static enum result forget_some(struct kv *kv, int64_t now, size_t *ret_n, unsigned *ret_left)
{
    struct slice key, value;
    struct kv_batch *b = kv_batch_new(kv, KV_BATCH_ESSENTIAL);
    struct kv_iter *it = kv_iter_new(kv, NULL, SLICE("ps"), SLICE_NONE);
    size_t n = 0;
    unsigned left = 0;
    while (b && it && kv_iter_next(it, &key, &value))
        if (is_over(value, now) && n < FORGET_AT_ONCE) {
            kv_batch_del(b, key);
            n++;
        } else {
            left++;
        }
    enum result r = b && it ? OK : FAILED;
    if (it && kv_iter_free(it) != OK)
        r = FAILED;
    if (r == OK && n) {
        r = kv_commit(b);
        b = NULL;
    }
    kv_batch_free(b);
    *ret_n = n;
    *ret_left = left;
    return r;
}

void mailbox_sts_forget(struct mailbox_role *m)
{
    enum result r = OK;
    size_t n = FORGET_AT_ONCE;
    unsigned left = 0;
    while (r == OK && n == FORGET_AT_ONCE)
        r = forget_some(m->kv, clock_realtime_s(), &n, &left);
    if (r == OK)
        atomic_store(&m->sts_domains, left);
    else
        LOG(LOG_WARNING, "sts.not_forgotten", LOG_C("why", result_name(r)));
}
