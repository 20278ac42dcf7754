/* accept.c: listeners, and who is let in. Who is not gets a sentence in the protocol's own form. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "role/edge/conn.h"

enum { BATCH = 32, PAUSE_MS = 100 };

struct listener {
    struct io_task task;
    struct list_node node;
    struct edge *edge;
    enum listen_service service;
    char label[SERVICE_TEXT_MAX];
    int fd;
    bool open;   /* its task is */
    bool paused; /* after a failure, until the deadline */
    atomic_bool closing;
};

static bool is_smtp(enum listen_service s)
{
    return s == LISTEN_SMTP || s == LISTEN_SMTPS || s == LISTEN_SUBMISSION ||
           s == LISTEN_SUBMISSIONS;
}

/* The address as text, IPv4 in IPv6 as IPv4, and the port; *ret_loopback also for Unix sockets. */
static void describe(const struct sockaddr_storage *ss, char ip[static 46], char port[static 6],
                     bool *ret_loopback)
{
    const struct sockaddr_in6 *six = (const void *)ss;
    const struct sockaddr_in *four = (const void *)ss;
    struct in_addr a = four->sin_addr;
    bool mapped = ss->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr);
    ip[0] = port[0] = 0;
    *ret_loopback = ss->ss_family == AF_UNIX;
    if (mapped)
        memcpy(&a, six->sin6_addr.s6_addr + 12, 4);
    if (ss->ss_family == AF_INET || mapped) {
        inet_ntop(AF_INET, &a, ip, 46);
        *ret_loopback = ntohl(a.s_addr) >> 24 == 127;
    } else if (ss->ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &six->sin6_addr, ip, 46);
        *ret_loopback = IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
    }
    if (ip[0])
        snprintf(port, 6, "%u", ntohs(ss->ss_family == AF_INET6 ? six->sin6_port : four->sin_port));
}

/* The kernel's word for who connected; nobody's where it has none. */
static unsigned peer_uid(int fd)
{
    struct ucred who;
    socklen_t len = sizeof who;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 ? who.uid : UINT_MAX;
}

/* ---- refusals ---- */

static void put_refusal(const struct listener *l, const struct conf *c, const char *ip,
                        struct buf *out)
{
    if (l->service == LISTEN_SASLAUTHD || l->service == LISTEN_DOVECOT_AUTH)
        return;
    if (l->service == LISTEN_POP3)
        buf_puts(out, "-ERR [SYS/TEMP] Too many connections.\r\n");
    else if (l->service == LISTEN_IMAP)
        imap_refuse_connection("[UNAVAILABLE] Too many connections.", out);
    else
        buf_printf(out, "421 4.7.0 %.*s Error: too many connections from %s\r\n",
                   SLICE_ARG(c->myhostname), ip);
}

static bool in_clear(enum listen_service s)
{
    return s != LISTEN_SMTPS && s != LISTEN_SUBMISSIONS && s != LISTEN_POP3S && s != LISTEN_IMAPS;
}

static void refuse(struct listener *l, const struct conf *c, int fd, const char *ip,
                   const char *rule)
{
    struct buf out;
    buf_init(&out, 1024);
    if (in_clear(l->service))
        put_refusal(l, c, ip, &out);
    struct slice text = buf_slice(&out);
    if (text.len && send(fd, text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        (void)0; /* then it is not told */
    close(fd);
    buf_release(&out);
    atomic_fetch_add(&l->edge->count.refused_connections, 1);
    const char *where = conf_source(c, rule);
    LOG(LOG_WARNING, "connect.refused", LOG_C("client", ip),
        LOG_C("service", listen_service_name(l->service)), LOG_C("rule", rule),
        LOG_C("where", where ? where : ""));
}

/* Everybody but root. */
static bool is_limited_user(const struct listener *l, const struct conf *c, unsigned uid)
{
    return l->service == LISTEN_SENDMAIL && uid != 0 && c->smtpd_client_connection_count_limit;
}

/* Clients of mynetworks may have as many connections as they like, as with Postfix
 * (smtpd_client_event_limit_exceptions). */
static bool is_limited(const struct listener *l, const struct conf *c, struct slice ip)
{
    struct slice entry;
    if (!is_smtp(l->service) || ip.len == 0)
        return false;
    if (!c->smtpd_client_connection_count_limit && !c->smtpd_client_connection_rate_limit)
        return false;
    return !conf_network_match(c->smtpd_client_event_limit_exceptions, ip, &entry);
}

static void admit(struct listener *l, const struct conf *c, int fd,
                  const struct sockaddr_storage *from)
{
    struct edge *e = l->edge;
    struct conn_client who = {.service = l->service, .label = l->label, .uid = UINT_MAX};
    char text[46];
    const char *rule = "client_limit";
    describe(from, who.ip, who.port, &who.loopback);
    if (l->service == LISTEN_SENDMAIL)
        who.uid = peer_uid(fd);
    struct slice key = conn_count_key(who.ip, who.uid, text);
    if (c->client_limit && atomic_load(&e->count.connections) >= (uint64_t)c->client_limit) {
        refuse(l, c, fd, who.ip, rule);
        return;
    }
    who.counted = is_limited(l, c, slice_cstr(who.ip)) || is_limited_user(l, c, who.uid);
    if (who.counted && edge_count_in(e, c, key, &rule) != OK) {
        refuse(l, c, fd, who.ip[0] ? who.ip : key.data, rule);
        return;
    }
    int on = 1;
    if (from->ss_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (edge_conn_new(e, fd, &who) != OK && who.counted)
        edge_count_out(e, key);
}

/* ---- the listener's task ---- */

static void close_listener(struct listener *l)
{
    if (l->open)
        io_task_close(&l->task);
    close(l->fd);
    free(l);
}

/* False: nothing more to accept now. */
static bool accept_one(struct listener *l, const struct conf *c)
{
    struct sockaddr_storage from = {0};
    socklen_t len = sizeof from;
    int fd = accept4(l->fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        admit(l, c, fd, &from);
        return true;
    }
    if (errno == ECONNABORTED || errno == EINTR)
        return true;
    if (errno != EAGAIN) {
        LOG(LOG_ERROR, "accept.failed", LOG_C("why", strerror(errno)));
        l->paused = true; /* no descriptors or no memory: let some connections end first */
    }
    return false;
}

static void listener_run(struct io_task *t, unsigned events)
{
    struct listener *l = CONTAINER_OF(t, struct listener, task);
    (void)events;
    if (atomic_load(&l->closing)) {
        close_listener(l);
        return;
    }
    struct edge_settings *s = edge_settings_get(l->edge, l->label);
    int n = 0;
    l->paused = false;
    while (n < BATCH && accept_one(l, s->conf))
        n++;
    edge_settings_unref(s);
    if (l->paused)
        io_task_deadline(t, PAUSE_MS);
    else
        io_task_want(t, IO_READ);
}

static void add_listener(struct edge *e, struct slice url, int fd, struct list_node *to)
{
    struct listen_url parsed;
    struct listener *l = calloc(1, sizeof *l);
    if (!l || listen_parse(url, &parsed) != OK) {
        LOG(LOG_ERROR, "listen.failed", LOG_S("url", url));
        free(l);
        close(fd);
        return;
    }
    l->edge = e;
    l->service = parsed.service;
    snprintf(l->label, sizeof l->label, "%.*s", SLICE_ARG(parsed.label));
    l->fd = fd;
    list_push_back(to, &l->node);
}

void edge_take_listeners(struct edge *e, const struct slice *urls, int *fds, size_t n)
{
    pthread_mutex_lock(&e->lock);
    for (struct list_node *node; (node = list_pop_front(&e->listeners));) {
        struct listener *l = CONTAINER_OF(node, struct listener, node);
        if (!l->open) {
            close_listener(l);
            continue;
        }
        atomic_store(&l->closing, true);
        io_wake(&l->task);
    }
    for (size_t i = 0; i < n; i++) {
        add_listener(e, urls[i], fds[i], &e->listeners);
        fds[i] = -1;
    }
    pthread_mutex_unlock(&e->lock);
}

void edge_open_listeners(struct edge *e)
{
    pthread_mutex_lock(&e->lock);
    LIST_FOR_EACH(node, &e->listeners)
    {
        struct listener *l = CONTAINER_OF(node, struct listener, node);
        if (l->open)
            continue;
        l->open = true;
        io_task_open(e->role->engine, &l->task, l->fd, listener_run);
        io_task_want(&l->task, IO_READ);
    }
    pthread_mutex_unlock(&e->lock);
}

void edge_free_listeners(struct edge *e)
{
    for (struct list_node *node; (node = list_pop_front(&e->listeners));)
        close_listener(CONTAINER_OF(node, struct listener, node));
}
