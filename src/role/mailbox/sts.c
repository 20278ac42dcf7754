/* sts.c: the MTA-STS policies that relay has fetched (docs/formats/sts.md): relay has no disk, and
 * a policy must hold over a restart (RFC 8461 5.1). mailbox knows of them only how long they last.
 */
#include "role/mailbox/sts.h"

#include <stdlib.h>

#include "base/clock.h"
#include "mime/address.h"
#include "proto/sts/sts.h"
#include "role/mailbox/drop.h"

enum { DOMAINS_MAX = 100000, ENTRY_MAX = 64 * 1024 };

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

static bool is_over(void *arg, struct slice key, struct slice value)
{
    const int64_t *now = arg;
    struct sts_entry e;
    (void)key;
    return sts_entry_read(value, &e) != OK || e.until_s < *now;
}

void mailbox_sts_forget(struct mailbox_role *m)
{
    int64_t now = clock_realtime_s();
    size_t left;
    enum result r = drop_records(m->kv, SLICE("ps"), is_over, &now, &left);
    if (r == OK)
        atomic_store(&m->sts_domains, (unsigned)left);
    else
        LOG(LOG_WARNING, "sts.not_forgotten", LOG_C("why", result_name(r)));
}
