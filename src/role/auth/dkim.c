/* dkim.c: DKIM_SIGN: signs for edge what our users and networks send, for mailbox its reports. The
 * keys are here alone. */
#include <sys/socket.h>

#include "base/clock.h"
#include "conf/dkim.h"
#include "conf/network.h"
#include "dkim/sign.h"
#include "role/auth/auth.h"

enum { SIGNATURES_BYTES_MAX = 32 * 1024, PROOF_ARENA_MAX = 64 * 1024 };

static const struct role_secret *find_file(const struct auth_role *a, struct slice path)
{
    for (size_t i = 0; i < a->n_secrets; i++)
        if (slice_is(a->secrets[i].setting, "dkim_keys") && slice_eq(a->secrets[i].path, path))
            return &a->secrets[i];
    return NULL;
}

static enum result add_key(struct dkim_keys *keys, const struct auth_role *a, struct slice item)
{
    struct error err = {""};
    struct slice domain, selector, path;
    struct dkim_key *key = NULL;
    if (conf_dkim_key(item, &domain, &selector, &path, &err) != OK)
        return INVALID; /* refused when the settings were loaded */
    const struct role_secret *file = find_file(a, path);
    enum result r = file && file->bytes.len ? dkim_key_read(file->bytes, &key, &err)
                                            : error_set(&err, NOT_FOUND, "the file can't be read");
    if (r == OK && (r = dkim_keys_add(keys, domain, selector, key)) != OK)
        error_set(&err, r, "too many keys, or no memory");
    if (r != OK)
        LOG(LOG_ERROR, "dkim.key_left_out", LOG_S("key", item), LOG_C("reason", err.text),
            LOG_C("then", "mail of this domain leaves without this signature"));
    return r;
}

void auth_dkim_build(struct auth_role *a)
{
    const struct conf *c = role_conf(a->role);
    struct dkim_keys *fresh = NULL, *old;
    if (c->dkim_keys.n && dkim_keys_new(&fresh) != OK)
        LOG(LOG_ERROR, "dkim.failed", LOG_C("reason", "no memory"));
    for (size_t i = 0; fresh && i < c->dkim_keys.n; i++)
        (void)add_key(fresh, a, c->dkim_keys.items[i]);
    conf_unref(c);
    pthread_mutex_lock(&a->lock);
    old = a->dkim_keys;
    a->dkim_keys = fresh;
    pthread_mutex_unlock(&a->lock);
    dkim_keys_unref(old);
}

static bool is_logged_in(struct auth_role *a, uint64_t conn)
{
    struct arena arena;
    struct slice account, login;
    arena_init(&arena, PROOF_ARENA_MAX);
    auth_login_of(a, conn, &arena, &account, &login);
    bool yes = account.data != NULL;
    arena_release(&arena);
    return yes;
}

/* Else anybody could have mail signed that only claims to be ours. mailbox asks for reports of our
 * own making. */
static bool is_ours(struct auth_role *a, struct ipc_channel *from, const struct ipc_message *m)
{
    char text[AUTH_IP_TEXT];
    struct slice entry, ip;
    if (ipc_channel_peer(from) == ROLE_MAILBOX)
        return true;
    if (is_logged_in(a, m->DKIM_SIGN.conn))
        return true;
    if (slice_is(m->DKIM_SIGN.service, "sendmail"))
        return m->n_fds > 0 && auth_is_submit_socket(a, m->fds[0]);
    ip = auth_peer_ip(m, text);
    const struct conf *c = role_conf(a->role);
    bool yes = ip.len && conf_network_match(c->mynetworks, ip, &entry);
    conf_unref(c);
    return yes;
}

void auth_dkim_sign(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    const struct dkim_parts parts = {m->DKIM_SIGN.domain, m->DKIM_SIGN.names,
                                     m->DKIM_SIGN.signed_fields, m->DKIM_SIGN.body_hash};
    struct ipc_message answer = {.type = IPC_DKIM_SIGN_RESULT};
    struct buf fields;
    size_t n = 0;
    enum result r = OK;
    buf_init(&fields, SIGNATURES_BYTES_MAX);
    pthread_mutex_lock(&a->lock);
    struct dkim_keys *keys = dkim_keys_ref(a->dkim_keys);
    pthread_mutex_unlock(&a->lock);
    if (keys && is_ours(a, from, m))
        r = dkim_sign(keys, &parts, clock_realtime_s(), &fields, &n);
    dkim_keys_unref(keys);
    answer.DKIM_SIGN_RESULT.n = (uint32_t)n;
    answer.DKIM_SIGN_RESULT.fields = n ? buf_slice(&fields) : SLICE("");
    if (r == OK)
        ipc_answer(from, m->call, &answer);
    else
        ipc_answer_failure(from, m->call, "the message could not be signed");
    buf_release(&fields);
}
