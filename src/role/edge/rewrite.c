/* rewrite.c: the header of a message from a client whose headers are ours to complete: Postfix's
 * local_header_rewrite_clients and remote_header_rewrite_domain. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "mime/address.h"
#include "mime/header.h"
#include "mime/submission.h"
#include "role/edge/content.h"

enum { GROWTH_MAX = 1 << 20 };

/* ---- whose headers ---- */

/* The client's address is one of ours where it is the one that it connected to. */
static bool is_ourselves(const struct conn *c)
{
    struct sockaddr_storage ours = {0}, theirs = {0};
    socklen_t n = sizeof ours, m = sizeof theirs;
    if (c->loopback)
        return true;
    if (getsockname(c->stream.fd, (struct sockaddr *)&ours, &n) != 0 ||
        getpeername(c->stream.fd, (struct sockaddr *)&theirs, &m) != 0 ||
        ours.ss_family != theirs.ss_family)
        return false;
    if (ours.ss_family == AF_INET)
        return ((struct sockaddr_in *)&ours)->sin_addr.s_addr ==
               ((struct sockaddr_in *)&theirs)->sin_addr.s_addr;
    return ours.ss_family == AF_INET6 &&
           memcmp(&((struct sockaddr_in6 *)&ours)->sin6_addr,
                  &((struct sockaddr_in6 *)&theirs)->sin6_addr, 16) == 0;
}

static bool matches(const struct conn *c, struct slice word)
{
    struct slice entry;
    if (slice_is(word, "permit_inet_interfaces"))
        return is_ourselves(c);
    if (slice_is(word, "permit_mynetworks"))
        return c->ip[0] &&
               conf_network_match(c->settings->conf->mynetworks, slice_cstr(c->ip), &entry);
    if (slice_is(word, "permit_sasl_authenticated"))
        return c->account != NULL;
    return slice_starts(word, SLICE("static:"));
}

static bool is_local(const struct conn *c)
{
    struct slice_list clients = c->settings->conf->local_header_rewrite_clients;
    if (c->service == LISTEN_SENDMAIL)
        return true;
    for (size_t i = 0; i < clients.n; i++)
        if (matches(c, clients.items[i]))
            return true;
    return false;
}

/* The domain for addresses without one; "": the headers are not ours to complete. */
static struct slice origin_of(const struct conn *c)
{
    const struct conf *conf = c->settings->conf;
    return is_local(c) ? conf->myorigin : conf->remote_header_rewrite_domain;
}

/* ---- what is to be done ---- */

static bool lists(struct slice_list l, const char *a, const char *b)
{
    for (size_t i = 0; i < l.n; i++)
        if (slice_is_nocase(l.items[i], a) || slice_is_nocase(l.items[i], b))
            return true;
    return false;
}

static bool maps_headers(const struct conf *c)
{
    const struct {
        size_t n;
        struct slice_list classes;
    } all[] = {{c->canonical_maps.n, c->canonical_classes},
               {c->sender_canonical_maps.n, c->sender_canonical_classes},
               {c->recipient_canonical_maps.n, c->recipient_canonical_classes},
               {c->masquerade_domains.n, c->masquerade_classes}};
    bool off = conf_overrides(c, "no_address_mappings");
    for (size_t i = 0; !off && i < sizeof all / sizeof *all; i++)
        if (all[i].n && lists(all[i].classes, "header_sender", "header_recipient"))
            return true;
    return false;
}

/* The core has completed these already. */
static bool is_submission(const struct conn *c)
{
    return c->service == LISTEN_SUBMISSION || c->service == LISTEN_SUBMISSIONS ||
           c->service == LISTEN_SENDMAIL;
}

bool rewrite_is_wanted(const struct conn *c)
{
    const struct conf *conf = c->settings->conf;
    if (conf->message_drop_headers.n || conf->always_add_missing_headers)
        return true;
    if (is_submission(c) && !maps_headers(conf))
        return false;
    return origin_of(c).len > 0;
}

/* ---- doing it ---- */

static bool apply(struct conn *c, struct submission *s)
{
    struct smtp_tx *tx = c->smtp.session.tx;
    struct slice all = buf_slice(&tx->message);
    struct buf whole;
    size_t body;
    unsigned changes = 0;
    s->host = c->settings->conf->myhostname;
    s->sender = tx->sender;
    s->id = tx->id;
    s->now = clock_realtime_s();
    s->keep_bcc = true;
    s->drop = c->settings->conf->message_drop_headers;
    buf_init(&whole, all.len + GROWTH_MAX);
    enum result r = submission_complete(all, s, &whole, &body, &changes);
    if (r == OK && changes)
        buf_append(&whole, slice_from(all, body));
    if (r != OK || !buf_ok(&whole)) {
        buf_release(&whole);
        return r == LIMIT; /* a header beyond all measure stays as it is */
    }
    if (!changes) {
        buf_release(&whole);
        return true;
    }
    buf_release(&tx->message);
    tx->message = whole;
    return true;
}

/* ---- canonical maps and masquerading ---- */

static bool complete(struct conn *c, struct rewriting *r)
{
    const struct conf *conf = c->settings->conf;
    struct slice origin = origin_of(c);
    bool add = !is_submission(c) && (origin.len > 0 || conf->always_add_missing_headers);
    struct submission s = {
        .origin = origin, .keep_missing = !add, .map = r ? rewriting_find : NULL, .map_arg = r};
    return apply(c, &s);
}

void rewrite_end(struct edge_work *w)
{
    if (w->rewrite)
        rewriting_release(w->rewrite);
    w->rewrite = NULL;
}

bool rewrite_begin(struct conn *c, struct edge_work *w)
{
    struct slice origin = origin_of(c), message = buf_slice(&c->smtp.session.tx->message);
    if (origin.len == 0 || !maps_headers(c->settings->conf))
        return complete(c, NULL);
    w->rewrite = ARENA_NEW(&w->arena, struct rewriting);
    if (!w->rewrite)
        return false;
    rewriting_init(w->rewrite, &w->arena);
    submission_addresses(slice_sub(message, 0, header_length(message)), origin, rewriting_add,
                         w->rewrite);
    if (w->rewrite->left_out)
        LOG(LOG_WARNING, "message.addresses_kept", LOG_CTX(conn_ctx(c)),
            LOG_C("id", log_id(c->smtp.session.tx->id).text),
            LOG_C("why", "the header has too many for canonical maps"));
    if (w->rewrite->n > 0)
        return true;
    rewrite_end(w);
    return complete(c, NULL);
}

bool rewrite_ask(struct conn *c, struct edge_work *w)
{
    struct ipc_message m = {.type = IPC_REWRITE};
    struct rewriting *r = w->rewrite;
    if (!r)
        return false;
    m.REWRITE.service = slice_cstr(c->label);
    m.REWRITE.classes = (struct slice_list){r->classes, r->n};
    m.REWRITE.addresses = (struct slice_list){r->addresses, r->n};
    conn_request(c, ROLE_AUTH, &m);
    return true;
}

void rewrite_answered(struct conn *c, struct edge_work *w, const struct conn_answer *a)
{
    struct rewriting *r = w->rewrite;
    bool told = a->type == IPC_REWRITE_RESULT && a->rewrite.addresses.n == r->n;
    for (size_t i = 0; told && i < r->n; i++)
        r->made[i] = a->rewrite.addresses.items[i];
    if (!told || !complete(c, r))
        w->failed = true;
    rewrite_end(w);
}
