/* tell.c: how a connection went under TLS, for the reports of RFC 8460: told to mailbox, which
 * counts. A connection is told of once for each host that it tries, whatever number of messages it
 * takes. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/clock.h"
#include "role/relay/conn.h"

enum { REASON_MAX = 200, POLICY_MAX = 4000 };

/* Mail to a domain by its MX records, as its owner sees it; not to the next hops of ours. */
static bool counts(const struct outconn *c)
{
    struct slice nexthop = slice_cstr(conn_address(c)->nexthop);
    return c->conf->tls_report && !c->lmtp && !conn_address(c)->path && nexthop.len &&
           nexthop.data[0] != '[' && slice_find(dest_route(c->dest), ':') == SIZE_MAX;
}

static void put_tlsa(const struct outconn *c, struct buf *out)
{
    for (size_t i = 0; i < c->dane.n; i++) {
        const unsigned char *r = (const unsigned char *)c->dane.records[i].data;
        buf_printf(out, "%s%u %u %u ", i ? "\n" : "", r[0], r[1], r[2]);
        for (size_t k = 3; k < c->dane.records[i].len; k++)
            buf_printf(out, "%02x", r[k]);
    }
}

/* Cut at a line's end where it is too long. */
static void put_policy(const struct outconn *c, struct slice type, struct buf *out)
{
    struct sts_entry e;
    if (slice_is(type, "tlsa"))
        put_tlsa(c, out);
    else if (slice_is(type, "sts") && sts_entry_read(buf_slice(&c->sts.kept), &e) == OK &&
             sts_entry_holds(&e, clock_realtime_s()))
        buf_append(out, slice_sub(e.policy, 0, POLICY_MAX));
    if (buf_len(out) > POLICY_MAX)
        buf_truncate(out, POLICY_MAX);
    size_t end = slice_rfind(buf_slice(out), '\n');
    if (buf_len(out) == POLICY_MAX && end != SIZE_MAX)
        buf_truncate(out, end);
}

static struct slice own_address(const struct outconn *c, char text[static INET6_ADDRSTRLEN])
{
    struct sockaddr_storage a;
    socklen_t len = sizeof a;
    text[0] = 0;
    if (!c->open || getsockname(c->stream.fd, (struct sockaddr *)&a, &len) != 0)
        return SLICE("");
    const void *bytes = a.ss_family == AF_INET6
                            ? (const void *)&((struct sockaddr_in6 *)&a)->sin6_addr
                            : (const void *)&((struct sockaddr_in *)&a)->sin_addr;
    return slice_cstr(inet_ntop(a.ss_family, bytes, text, INET6_ADDRSTRLEN) ? text : "");
}

static void tell_mailbox(struct outconn *c, struct ipc_TLS_RESULT *t)
{
    struct ipc_message m = {.type = IPC_TLS_RESULT, .TLS_RESULT = *t};
    if (ipc_send(c->relay->role->peers[ROLE_MAILBOX], &m) != OK)
        LOG(LOG_WARNING, "relay.tls_not_counted", LOG_C("remote", c->remote));
}

static const char *type_of(const struct outconn *c)
{
    bool dane = c->policy.level == TLS_LEVEL_DANE || c->policy.level == TLS_LEVEL_DANE_ONLY;
    return dane ? "tlsa" : c->sts.mode != STS_MODE_NONE ? "sts" : "no-policy-found";
}

void conn_tell(struct outconn *c, const char *result, const char *reason)
{
    const struct address *a = conn_address(c);
    char domain[STS_DOMAIN_SIZE], ip[INET6_ADDRSTRLEN];
    struct slice type = slice_cstr(type_of(c));
    struct buf policy;
    if (!counts(c) || !conn_domain(c, domain))
        return;
    buf_init(&policy, 64 * 1024);
    put_policy(c, type, &policy);
    tell_mailbox(c,
                 &(struct ipc_TLS_RESULT){.domain = slice_cstr(domain),
                                          .policy_type = type,
                                          .policy = buf_slice(&policy),
                                          .mx = slice_cstr(a->host),
                                          .result = slice_cstr(result),
                                          .sender_ip = own_address(c, ip),
                                          .mx_ip = slice_cstr(a->text),
                                          .reason = slice_sub(slice_cstr(reason), 0, REASON_MAX)});
    buf_release(&policy);
}

void conn_tell_fetch(struct outconn *c)
{
    if (!counts(c))
        return;
    tell_mailbox(c, &(struct ipc_TLS_RESULT){
                        .domain = slice_cstr(c->sts.domain),
                        .policy_type = SLICE("sts"),
                        .policy = SLICE(""),
                        .mx = SLICE(""),
                        .result = slice_cstr(c->sts.problem),
                        .sender_ip = SLICE(""),
                        .mx_ip = SLICE(""),
                        .reason = slice_sub(slice_cstr(c->sts.why.text), 0, REASON_MAX)});
}
