/* connect.c: the addresses of the route in turn, until one takes the connection; TLS. */
#include "role/relay/conn.h"
#include "role/relay/passwords.h"
#include "role/relay/tls.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <unistd.h>

/* ---- connecting ---- */

static bool is_loopback(const struct address *a)
{
    return slice_starts(slice_cstr(a->text), SLICE("127.")) || strcmp(a->text, "::1") == 0;
}

static int tls_level(const struct outconn *c)
{
    struct slice level =
        c->lmtp ? c->conf->lmtp_tls_security_level : c->conf->smtp_tls_security_level;
    if (c->lmtp && level.len == 0)
        return SMTP_TLS_NONE;
    if (slice_is_nocase(level, "encrypt") ||
        (c->lmtp && !slice_is_nocase(level, "none") && !slice_is_nocase(level, "may")))
        return SMTP_TLS_ENCRYPT;
    if (c->plain || slice_is_nocase(level, "none"))
        return SMTP_TLS_NONE;
    return SMTP_TLS_MAY;
}

/* Who sends to strangers' MX hosts does not know them by a password. */
static enum result find_login(struct outconn *c, const struct address *a, struct error *err)
{
    struct slice transport, nexthop;
    target_route_split(dest_route(c->dest), &transport, &nexthop);
    struct login_peer peer = {.nexthop = nexthop,
                              .host = slice_cstr(a->host),
                              .sender = dest_sender(c->dest),
                              .loopback = is_loopback(a)};
    arena_clear(&c->login);
    if (c->lmtp || transport.len == 0)
        return OK;
    return passwords_find(c->conf, c->tables, &peer, &c->login, &c->config, err);
}

static void session_config(struct outconn *c)
{
    const struct address *a = &c->route->addresses[c->at];
    c->config = (struct smtp_client_config){.helo_name = c->conf->smtp_helo_name,
                                            .lmtp = c->lmtp,
                                            .tls = a->path ? SMTP_TLS_NONE : tls_level(c),
                                            .user = SLICE(""),
                                            .password = SLICE("")};
}

static void look(struct outconn *c)
{
    c->looked_why = (struct error){""};
    c->looked = find_login(c, &c->route->addresses[c->at], &c->looked_why);
}

/* On a helper thread: a table's server is asked. */
static void look_and_wake(void *arg)
{
    struct outconn *c = arg;
    look(c);
    atomic_store(&c->looked_there, true);
    io_wake(&c->task);
}

static void talk_or_try_next(struct outconn *c)
{
    if (c->looked != OK) {
        verdict_set(&c->last, SMTP_DEFERRED, "4.3.0", "%s", c->looked_why.text);
        conn_next_address(c);
        return;
    }
    smtp_client_release(&c->client);
    smtp_client_init(&c->client, &c->config);
    c->messages = 0;
    c->tls[0] = 0;
    c->state = TALKING;
    conn_talk(c);
}

void conn_looked(struct outconn *c)
{
    if (atomic_load(&c->looked_there))
        talk_or_try_next(c);
}

static void start_session(struct outconn *c)
{
    int on = 1; /* a Unix socket knows no such thing */
    (void)setsockopt(c->stream.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    session_config(c);
    if (!passwords_wait(c->conf, c->tables)) {
        look(c);
        talk_or_try_next(c);
        return;
    }
    atomic_store(&c->looked_there, false);
    c->state = LOOKING;
    io_task_deadline(&c->task, 0); /* the wake alone runs it: see io_wake */
    if (io_run_blocking(c->relay->role->engine, look_and_wake, c) == OK)
        return;
    verdict_set(&c->last, SMTP_DEFERRED, "4.3.0", "too many questions to tables wait");
    conn_next_address(c);
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
    snprintf(c->remote, sizeof c->remote, "%.*s[%s]", SLICE_ARG(c->conf->myhostname), a->host);
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

static unsigned port_of(const struct address *a)
{
    return a->sockaddr.ss_family == AF_INET
               ? ntohs(((const struct sockaddr_in *)&a->sockaddr)->sin_port)
               : ntohs(((const struct sockaddr_in6 *)&a->sockaddr)->sin6_port);
}

void conn_connect(struct outconn *c)
{
    for (; c->at < c->route->n; c->at++) {
        const struct address *a = &c->route->addresses[c->at];
        if (a->path) {
            ask_agent(c, a);
            return;
        }
        snprintf(c->remote, sizeof c->remote, "%s[%s]:%u", a->host, a->text, port_of(a));
        int r = start_connect(c, a);
        if (r == EINPROGRESS) {
            c->state = CONNECTING;
            io_task_deadline(&c->task, c->conf->smtp_connect_timeout * 1000);
            io_task_want(&c->task, IO_WRITE);
            return;
        }
        verdict_set(&c->last, SMTP_DEFERRED, "4.4.1", "connect to %s: %s", c->remote, strerror(r));
    }
    conn_finish(c, &c->last);
}

void conn_next_address(struct outconn *c)
{
    conn_close_stream(c);
    c->plain = false;
    c->at++;
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

/* ---- TLS ---- */

void conn_tls_failed(struct outconn *c, const struct error *err)
{
    verdict_set(&c->last, SMTP_DEFERRED, "4.7.5", "TLS with %s: %s", c->remote, err->text);
    if (c->config.tls == SMTP_TLS_MAY && !c->plain && !c->config.user.len) {
        /* RFC 7435: what can't be encrypted still goes, but over a new connection. */
        conn_close_stream(c);
        c->plain = true;
        conn_connect(c);
    } else {
        conn_next_address(c);
    }
}

void conn_handshake(struct outconn *c)
{
    struct error err = {""};
    enum result r = stream_handshake(&c->stream, &err);
    if (r == BUSY) {
        c->state = HANDSHAKING;
        io_task_want(&c->task, c->stream.wants);
        return;
    }
    if (r != OK) {
        conn_tls_failed(c, &err);
        return;
    }
    struct buf text;
    buf_init(&text, sizeof c->tls - 1);
    tls_describe(c->stream.tls, &text);
    snprintf(c->tls, sizeof c->tls, "%.*s", SLICE_ARG(buf_slice(&text)));
    buf_release(&text);
    smtp_client_tls_done(&c->client);
    c->state = TALKING;
    conn_talk(c);
}

void conn_start_tls(struct outconn *c)
{
    struct error err = {""};
    struct tls_context *tls = NULL;
    bool mandatory = c->config.tls == SMTP_TLS_ENCRYPT;
    enum result r = relay_tls_find(c->relay, c->conf, c->lmtp, mandatory, &tls, &err);
    if (r == OK)
        r = stream_start_tls(&c->stream, tls, c->route->addresses[c->at].host, &err);
    tls_context_unref(tls);
    if (r != OK)
        conn_tls_failed(c, &err);
    else
        conn_handshake(c);
}
