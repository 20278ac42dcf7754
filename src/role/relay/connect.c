/* connect.c: the addresses of the route in turn, until one takes the connection. For each, how much
 * TLS it must have and who logs in there is known first. */
#include "role/relay/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

const struct address *conn_address(const struct outconn *c)
{
    return &c->route->addresses[c->at];
}

/* ---- what is to be known first ---- */

bool conn_loopback(const struct address *a)
{
    return slice_starts(slice_cstr(a->text), SLICE("127.")) || strcmp(a->text, "::1") == 0;
}

/* Who sends to strangers' MX hosts does not know them by a password. */
static enum result find_login(struct outconn *c, const struct address *a, struct error *err)
{
    struct slice transport, nexthop;
    target_route_split(dest_route(c->dest), &transport, &nexthop);
    struct login_peer peer = {.nexthop = slice_cstr(a->nexthop),
                              .host = slice_cstr(a->host),
                              .sender = dest_sender(c->dest)};
    c->login = (struct relay_login){.conf = c->conf, .loopback = conn_loopback(a)};
    if (c->lmtp || (transport.len == 0 && !a->fallback))
        return OK;
    enum result r = passwords_find(c->conf, c->tables, &peer, &c->texts, &c->login, err);
    c->sasl = relay_login_sasl(&c->login);
    c->config.sasl = c->login.there ? &c->sasl : NULL;
    return r;
}

static void look(struct outconn *c)
{
    c->looked_why = (struct error){""};
    arena_clear(&c->texts);
    c->config = (struct smtp_client_config){.helo_name = c->conf->smtp_helo_name, .lmtp = c->lmtp};
    c->looked = conn_policy(c, &c->looked_why);
    if (c->looked == OK)
        c->looked = find_login(c, conn_address(c), &c->looked_why);
}

/* On a helper thread: a table's server is asked. */
static void look_and_wake(void *arg)
{
    struct outconn *c = arg;
    look(c);
    atomic_store(&c->looked_there, true);
    io_wake(&c->task);
}

static void go_on_or_try_next(struct outconn *c)
{
    if (c->looked == OK) {
        conn_dane(c);
        return;
    }
    verdict_set(&c->last, SMTP_DEFERRED, c->looked == INVALID ? "4.7.5" : "4.3.0", "%s",
                c->looked_why.text);
    conn_next_address(c);
}

void conn_looked(struct outconn *c)
{
    if (atomic_load(&c->looked_there))
        go_on_or_try_next(c);
}

static void start_session(struct outconn *c)
{
    int on = 1; /* a Unix socket knows no such thing */
    (void)setsockopt(c->stream.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bool mandatory = c->policy.level > TLS_LEVEL_MAY;
    c->config.tls = mandatory                                       ? SMTP_TLS_ENCRYPT
                    : c->policy.level == TLS_LEVEL_NONE || c->plain ? SMTP_TLS_NONE
                                                                    : SMTP_TLS_MAY;
    c->messages = 0;
    c->opened_ms = clock_monotonic_ms();
    c->tls[0] = 0;
    c->state = TALKING;
    conn_talk(c);
}

static void take_fd(struct outconn *c, int fd)
{
    stream_init(&c->stream, fd);
    smtp_client_init(&c->client, &c->config);
    c->open = true;
    conn_close_task(c);
    conn_open_task(c, fd);
}

/* ---- a Unix socket, which agent connects to ---- */

static void given(void *arg, struct ipc_message *m)
{
    struct outconn *c = arg;
    c->given_fd = -1;
    c->given[0] = 0;
    if (m->type == IPC_CONNECT_RESULT && m->CONNECT_RESULT.reason.len == 0 && m->n_fds == 1) {
        c->given_fd = m->fds[0];
        m->fds[0] = -1;
    } else {
        struct slice why = m->type == IPC_CONNECT_RESULT ? m->CONNECT_RESULT.reason
                                                         : SLICE("the agent did not answer");
        snprintf(c->given, sizeof c->given, "%.*s", SLICE_ARG(why));
    }
    atomic_store(&c->given_there, true);
    io_wake(&c->task);
}

static void ask_agent(struct outconn *c, const struct address *a)
{
    struct ipc_message m = {.type = IPC_CONNECT, .CONNECT = {.path = slice_cstr(a->host)}};
    atomic_store(&c->given_there, false);
    c->state = ASKING;
    ipc_request(c->relay->role->peers[ROLE_AGENT], &m, given, c);
}

void conn_given(struct outconn *c)
{
    if (!atomic_load(&c->given_there))
        return;
    if (c->given_fd >= 0) {
        take_fd(c, c->given_fd);
        start_session(c);
        return;
    }
    verdict_set(&c->last, SMTP_DEFERRED, "4.4.1", "connect to %s: %s", c->remote, c->given);
    conn_next_address(c);
}

/* Returns errno, EINPROGRESS included. */
static int start_connect(struct outconn *c, const struct address *a)
{
    int fd = socket(a->sockaddr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    int r = connect(fd, (const struct sockaddr *)&a->sockaddr, a->len) == 0 ? 0 : errno;
    if (r != 0 && r != EINPROGRESS) {
        close(fd);
        return r;
    }
    take_fd(c, fd);
    return EINPROGRESS;
}

unsigned conn_port(const struct address *a)
{
    return a->sockaddr.ss_family == AF_INET
               ? ntohs(((const struct sockaddr_in *)&a->sockaddr)->sin_port)
               : ntohs(((const struct sockaddr_in6 *)&a->sockaddr)->sin6_port);
}

void conn_reach(struct outconn *c)
{
    const struct address *a = conn_address(c);
    if (conn_demand(c) != OK) {
        verdict_set(&c->last, SMTP_DEFERRED, "4.3.0", "no memory");
        conn_next_address(c);
        return;
    }
    if (a->path) {
        ask_agent(c, a);
        return;
    }
    int r = start_connect(c, a);
    if (r == EINPROGRESS) {
        c->state = CONNECTING;
        io_task_deadline(&c->task, c->conf->smtp_connect_timeout * 1000);
        io_task_want(&c->task, IO_WRITE);
        return;
    }
    verdict_set(&c->last, SMTP_DEFERRED, "4.4.1", "connect to %s: %s", c->remote, strerror(r));
    conn_next_address(c);
}

void conn_connect(struct outconn *c)
{
    if (c->at == c->route->n) {
        if (c->waits && c->last.outcome == SMTP_FAILED) {
            c->last.outcome = SMTP_DEFERRED;
            c->last.status[0] = '4';
        }
        conn_finish(c, &c->last);
        return;
    }
    const struct address *a = conn_address(c);
    if (a->path)
        snprintf(c->remote, sizeof c->remote, "%.*s[%s]", SLICE_ARG(c->conf->myhostname), a->host);
    else
        snprintf(c->remote, sizeof c->remote, "%s[%s]:%u", a->host, a->text, conn_port(a));
    if (!passwords_wait(c->conf, c->tables) && !conn_policy_waits(c)) {
        look(c);
        go_on_or_try_next(c);
        return;
    }
    atomic_store(&c->looked_there, false);
    c->state = LOOKING;
    if (io_run_blocking(c->relay->role->engine, look_and_wake, c) == OK)
        return;
    verdict_set(&c->last, SMTP_DEFERRED, "4.3.0", "too many questions to tables wait");
    conn_next_address(c);
}

/* The task stays open without a descriptor, for wakes. */
static void reopen(struct outconn *c)
{
    conn_close_stream(c);
    conn_open_task(c, -1);
}

void conn_next_address(struct outconn *c)
{
    reopen(c);
    c->plain = false;
    c->waits = c->waits || c->last.outcome == SMTP_DEFERRED;
    c->at++;
    conn_connect(c);
}

void conn_in_clear(struct outconn *c)
{
    reopen(c);
    c->plain = true;
    conn_connect(c);
}

void conn_connected(struct outconn *c, unsigned events)
{
    int failed = 0;
    socklen_t len = sizeof failed;
    if ((events & IO_TIMER) && !(events & (IO_WRITE | IO_HANGUP)))
        failed = ETIMEDOUT;
    else if (!(events & (IO_WRITE | IO_HANGUP))) {
        io_task_want(&c->task, IO_WRITE);
        return;
    } else if (getsockopt(c->stream.fd, SOL_SOCKET, SO_ERROR, &failed, &len) != 0) {
        failed = errno;
    }
    if (failed) {
        verdict_set(&c->last, SMTP_DEFERRED, "4.4.1", "connect to %s: %s", c->remote,
                    strerror(failed));
        conn_next_address(c);
        return;
    }
    start_session(c);
}
