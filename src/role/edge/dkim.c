#include "role/edge/dkim.h"

#include "conf/network.h"
#include "dkim/gather.h"
#include "role/edge/deliver.h"

enum { PARTS_ARENA_MAX = 256 * 1024 };

/* auth decides; this spares the question about everybody's mail. */
static bool may_be_ours(const struct conn *c)
{
    const struct conf *conf = c->settings->conf;
    struct slice entry;
    if (conf->dkim_keys.n == 0 || c->service == LISTEN_LMTP)
        return false;
    return c->account || c->service == LISTEN_SENDMAIL ||
           (c->ip[0] && conf_network_match(conf->mynetworks, slice_cstr(c->ip), &entry));
}

static void log_unsigned(struct conn *c, enum result why)
{
    LOG(LOG_WARNING, "dkim.unsigned", LOG_CTX(conn_ctx(c)),
        LOG_C("id", log_id(c->smtp.session.tx->id).text),
        LOG_C("reason", why == NOT_FOUND ? "From has no address with a domain"
                        : why == LIMIT   ? "too many or too long header fields"
                                         : "no memory"));
}

bool edge_dkim_ask(struct conn *c)
{
    struct ipc_message m = {.type = IPC_DKIM_SIGN};
    struct dkim_parts parts;
    struct arena a;
    if (!may_be_ours(c))
        return false;
    arena_init(&a, PARTS_ARENA_MAX);
    enum result r = dkim_gather(buf_slice(&c->smtp.session.tx->message), &a, &parts);
    if (r == OK) {
        m.DKIM_SIGN = (struct ipc_DKIM_SIGN){.conn = c->id,
                                             .service = slice_cstr(smtp_service_name(c)),
                                             .domain = parts.domain,
                                             .names = parts.names,
                                             .signed_fields = parts.fields,
                                             .body_hash = parts.body_hash};
        m.fds[0] = c->stream.fd;
        m.n_fds = 1;
        conn_request(c, ROLE_AUTH, &m);
    } else {
        log_unsigned(c, r);
    }
    arena_release(&a);
    return r == OK;
}

bool edge_dkim_answered(struct conn *c, const struct conn_answer *a)
{
    struct smtp_tx *tx = c->smtp.session.tx;
    if (a->type != IPC_DKIM_SIGN_RESULT)
        return false;
    if (a->dkim.n)
        LOG(LOG_INFO, "dkim.signed", LOG_CTX(conn_ctx(c)), LOG_C("id", log_id(tx->id).text),
            LOG_U("signatures", a->dkim.n));
    buf_prepend(&tx->message, a->dkim.fields);
    return buf_ok(&tx->message);
}
