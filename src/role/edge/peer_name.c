#include "role/edge/peer_name.h"

#include <stdio.h>
#include <stdlib.h>

#include "role/edge/conn.h"

struct peer_name {
    atomic_uint refs; /* the connection's, and that of the question under way */
    pthread_mutex_t lock;
    struct conn *conn; /* NULL: gone */
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

static void take_found(void *arg, const struct client_name *found, bool done)
{
    struct peer_name *p = arg;
    pthread_mutex_lock(&p->lock);
    if (!p->done)
        memcpy(p->found.reverse, found->reverse, sizeof p->found.reverse);
    pthread_mutex_unlock(&p->lock);
    if (!done)
        return;
    finish(p, found->name_status, found->reverse_status);
    unref(p);
}

struct peer_name *peer_name_start(struct edge *e, struct conn *c)
{
    struct peer_name *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    atomic_init(&p->refs, 1);
    pthread_mutex_init(&p->lock, NULL);
    p->conn = c;
    memcpy(p->ip, c->ip, sizeof p->ip);
    if (c->loopback) { /* it needs no DNS to know who that is */
        snprintf(p->found.reverse, sizeof p->found.reverse, "localhost");
        finish(p, POLICY_NAME_OK, POLICY_NAME_OK);
    } else if (!c->settings->conf->smtpd_peername_lookup) {
        finish(p, POLICY_NAME_NONE, POLICY_NAME_NONE);
    } else {
        atomic_fetch_add(&p->refs, 1);
        client_name_find(e->role, p->ip, take_found, p);
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
