#include "role/edge/peer_name.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "mime/address.h"
#include "role/edge/conn.h"

enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_AAAA = 28 };

struct peer_name {
    atomic_uint refs; /* the connection's, and that of the question under way */
    pthread_mutex_t lock;
    struct conn *conn; /* NULL: gone */
    struct edge *edge;
    char ip[46];
    bool done;
    struct peer_name_found found;
};

static void unref(struct peer_name *p)
{
    if (atomic_fetch_sub(&p->refs, 1) != 1)
        return;
    pthread_mutex_destroy(&p->lock);
    free(p);
}

void peer_name_release(struct peer_name *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->conn = NULL;
    pthread_mutex_unlock(&p->lock);
    unref(p);
}

/* The last answer, or the decision to do without. */
static void finish(struct peer_name *p, enum policy_name_status name,
                   enum policy_name_status reverse)
{
    pthread_mutex_lock(&p->lock);
    if (!p->done) {
        p->done = true;
        p->found.name_status = name;
        p->found.reverse_status = reverse;
        if (name == POLICY_NAME_OK)
            memcpy(p->found.name, p->found.reverse, sizeof p->found.name);
        if (p->conn)
            io_wake(&p->conn->task);
    }
    pthread_mutex_unlock(&p->lock);
}

static enum policy_name_status missing(const struct ipc_message *m)
{
    bool told = m->type == IPC_RESOLVE_RESULT && m->RESOLVE_RESULT.code != 2;
    return told ? POLICY_NAME_NONE : POLICY_NAME_TEMPORARY;
}

static void ask(struct peer_name *p, const char *name, uint32_t type, ipc_answer_fn *fn)
{
    struct ipc_message m = {.type = IPC_RESOLVE, .RESOLVE = {slice_cstr(name), type}};
    atomic_fetch_add(&p->refs, 1);
    ipc_request(p->edge->role->peers[ROLE_RELAY], &m, fn, p);
}

static bool is_found(const struct ipc_message *m)
{
    return m->type == IPC_RESOLVE_RESULT && m->RESOLVE_RESULT.code == 0 &&
           m->RESOLVE_RESULT.answers.n > 0;
}

/* The name's addresses: is the client's among them? */
static void take_addresses(void *arg, struct ipc_message *m)
{
    struct peer_name *p = arg;
    enum policy_name_status status = is_found(m) ? POLICY_NAME_FORGED : missing(m);
    for (size_t i = 0; is_found(m) && i < m->RESOLVE_RESULT.answers.n; i++)
        if (slice_eq_nocase(m->RESOLVE_RESULT.answers.items[i], slice_cstr(p->ip)))
            status = POLICY_NAME_OK;
    finish(p, status, POLICY_NAME_OK);
    unref(p);
}

static void take_name(void *arg, struct ipc_message *m)
{
    struct peer_name *p = arg;
    struct slice name = is_found(m) ? m->RESOLVE_RESULT.answers.items[0] : SLICE("");
    if (!is_found(m)) {
        enum policy_name_status status = missing(m);
        finish(p, status, status);
    } else if (name.len > PEER_NAME_MAX || !domain_valid(name, false)) {
        finish(p, POLICY_NAME_NONE, POLICY_NAME_NONE);
    } else {
        pthread_mutex_lock(&p->lock);
        snprintf(p->found.reverse, sizeof p->found.reverse, "%.*s", SLICE_ARG(name));
        pthread_mutex_unlock(&p->lock);
        ask(p, p->found.reverse, strchr(p->ip, ':') ? TYPE_AAAA : TYPE_A, take_addresses);
    }
    unref(p);
}

/* "1.2.0.192.in-addr.arpa" */
static bool reverse_name(const char *ip, char out[static 80])
{
    unsigned char b[16];
    size_t n = 0;
    if (inet_pton(AF_INET, ip, b) == 1) {
        snprintf(out, 80, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
        return true;
    }
    if (inet_pton(AF_INET6, ip, b) != 1)
        return false;
    for (int i = 15; i >= 0; i--)
        n += (size_t)snprintf(out + n, 80 - n, "%x.%x.", b[i] & 15, b[i] >> 4);
    snprintf(out + n, 80 - n, "ip6.arpa");
    return true;
}

struct peer_name *peer_name_start(struct edge *e, struct conn *c)
{
    char name[80];
    struct peer_name *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    atomic_init(&p->refs, 1);
    pthread_mutex_init(&p->lock, NULL);
    p->edge = e;
    p->conn = c;
    memcpy(p->ip, c->ip, sizeof p->ip);
    if (c->loopback) { /* it needs no DNS to know who that is */
        snprintf(p->found.reverse, sizeof p->found.reverse, "localhost");
        finish(p, POLICY_NAME_OK, POLICY_NAME_OK);
    } else if (!c->settings->conf->smtpd_peername_lookup || !reverse_name(c->ip, name)) {
        finish(p, POLICY_NAME_NONE, POLICY_NAME_NONE);
    } else {
        ask(p, name, TYPE_PTR, take_name);
    }
    return p;
}

bool peer_name_get(struct peer_name *p, struct peer_name_found *ret)
{
    if (!p) {
        *ret = (struct peer_name_found){.name_status = POLICY_NAME_TEMPORARY,
                                        .reverse_status = POLICY_NAME_TEMPORARY};
        return true;
    }
    pthread_mutex_lock(&p->lock);
    bool done = p->done;
    if (done)
        *ret = p->found;
    pthread_mutex_unlock(&p->lock);
    return done;
}

void peer_name_give_up(struct peer_name *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    enum policy_name_status reverse = p->found.reverse[0] ? POLICY_NAME_OK : POLICY_NAME_TEMPORARY;
    pthread_mutex_unlock(&p->lock);
    finish(p, POLICY_NAME_TEMPORARY, reverse);
}
