/* conn.c: a connection to a destination: tries the route's addresses in turn, drives the SMTP
 * client core, takes job after job, waits a little for the next, and says QUIT. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "role/relay/passwords.h"
#include "role/relay/relay.h"

enum { IN_MAX = 64 * 1024, READ_MOST = 16 * 1024, VERDICT_MS = 600 * 1000, QUIT_MS = 5000 };

struct outconn {
    struct io_task task;
    struct list_node all;  /* in relay->conns */
    struct list_node idle; /* in dest->idle, else to itself; under the lock */
    struct relay *relay;
    struct dest *dest;
    struct rjob *job; /* under the lock while idle */
    const struct conf *conf;
    struct route *route;
    size_t at; /* the address of the route */
    enum { NEW, CONNECTING, TALKING, HANDSHAKING, IDLE, LEAVING } state;
    bool plain;   /* TLS with this host failed: once more without */
    bool counted; /* the session was ready: the destination is alive */
    struct stream stream;
    bool open;      /* the stream is */
    bool task_open; /* the task is */
    struct smtp_client client;
    struct smtp_client_config config;
    struct buf in;
    struct slice body; /* of the job's message, what is still to go */
    unsigned messages;
    unsigned generation; /* of the settings: relay's when it was made */
    struct verdict last; /* why the last address failed */
    char remote[340];
    char tls[80];
};

static void run(struct io_task *t, unsigned events);
static void talk(struct outconn *c);
static void next_address(struct outconn *c);

static void open_task(struct outconn *c, int fd)
{
    io_task_open(c->relay->role->engine, &c->task, fd, run);
    c->task_open = true;
}

static void close_task(struct outconn *c)
{
    if (c->task_open)
        io_task_close(&c->task);
    c->task_open = false;
}

struct outconn *outconn_new(struct relay *relay, struct dest *d, struct rjob *j)
{
    struct outconn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    list_init(&c->idle);
    c->relay = relay;
    c->dest = d;
    c->job = j;
    c->conf = role_conf(relay->role);
    c->generation = relay->generation;
    c->route = d->route;
    c->route->refs++;
    buf_init(&c->in, IN_MAX);
    verdict_set(&c->last, SMTP_DEFERRED, "4.4.1", "no address to connect to");
    list_push_back(&relay->conns, &c->all);
    open_task(c, -1);
    io_wake(&c->task);
    return c;
}

void outconn_give(struct list_node *idle, struct rjob *j)
{
    struct outconn *c = CONTAINER_OF(list_pop_front(idle), struct outconn, idle);
    c->job = j;
    io_wake(&c->task);
}

/* ---- ends ---- */

static void close_stream(struct outconn *c)
{
    close_task(c);
    if (!c->open)
        return;
    stream_close(&c->stream);
    smtp_client_release(&c->client);
    buf_clear(&c->in);
    c->open = false;
}

static void conn_release(struct outconn *c)
{
    list_remove(&c->all);
    route_unref(c->route);
    conf_unref(c->conf);
    buf_release(&c->in);
    free(c);
}

/* The connection is over. A job that it still has gets `failure`; when no address could be reached,
 * the others that wait do too. */
static void finish(struct outconn *c, const struct verdict *failure)
{
    struct relay *relay = c->relay;
    struct verdict copy = failure ? *failure : (struct verdict){0};
    close_stream(c);
    pthread_mutex_lock(&relay->lock);
    list_remove(&c->idle);
    if (c->job && failure)
        job_finish_all(c->job, failure, c->remote);
    else if (c->job)
        dest_return(c->dest, c->job);
    c->dest->alive -= c->counted;
    dest_conn_gone(c->dest, failure && !c->counted ? &copy : NULL);
    conn_release(c);
    pthread_mutex_unlock(&relay->lock);
}

void outconn_free_all(struct relay *relay)
{
    LIST_FOR_EACH(n, &relay->conns)
    {
        struct outconn *c = CONTAINER_OF(n, struct outconn, all);
        close_stream(c);
        if (c->job)
            job_free(c->job);
        conn_release(c);
    }
}

/* ---- connecting ---- */

static bool is_loopback(const struct address *a)
{
    return slice_starts(slice_cstr(a->text), SLICE("127.")) || strcmp(a->text, "::1") == 0;
}

static int tls_level(const struct outconn *c)
{
    struct slice level = c->conf->smtp_tls_security_level;
    if (slice_is_nocase(level, "encrypt"))
        return SMTP_TLS_ENCRYPT;
    if (c->plain || !c->relay->tls || slice_is_nocase(level, "none"))
        return SMTP_TLS_NONE;
    return SMTP_TLS_MAY;
}

static void session_config(struct outconn *c)
{
    const struct address *a = &c->route->addresses[c->at];
    c->config = (struct smtp_client_config){.helo_name = c->conf->smtp_helo_name,
                                            .tls = tls_level(c),
                                            .plaintext_auth = is_loopback(a)};
    if (c->conf->relayhost.len) /* relay->passwords changes under the lock only */
        passwords_find(c->relay, c->conf->relayhost, slice_cstr(a->host), &c->config.user,
                       &c->config.password);
}

static void start_session(struct outconn *c)
{
    int on = 1;
    (void)setsockopt(c->stream.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    session_config(c);
    smtp_client_release(&c->client);
    smtp_client_init(&c->client, &c->config);
    c->messages = 0;
    c->tls[0] = 0;
    c->state = TALKING;
    talk(c);
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
    stream_init(&c->stream, fd);
    smtp_client_init(&c->client, &c->config);
    c->open = true;
    close_task(c);
    open_task(c, fd);
    return EINPROGRESS;
}

static unsigned port_of(const struct address *a)
{
    return a->sockaddr.ss_family == AF_INET
               ? ntohs(((const struct sockaddr_in *)&a->sockaddr)->sin_port)
               : ntohs(((const struct sockaddr_in6 *)&a->sockaddr)->sin6_port);
}

/* Tries addresses from c->at on until one is on its way. */
static void connect_from(struct outconn *c)
{
    for (; c->at < c->route->n; c->at++) {
        const struct address *a = &c->route->addresses[c->at];
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
    finish(c, &c->last);
}

static void next_address(struct outconn *c)
{
    close_stream(c);
    c->plain = false;
    c->at++;
    connect_from(c);
}

static void connected(struct outconn *c, unsigned events)
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
        next_address(c);
        return;
    }
    start_session(c);
}

/* ---- TLS ---- */

static void tls_failed(struct outconn *c, const struct error *err)
{
    verdict_set(&c->last, SMTP_DEFERRED, "4.7.5", "TLS with %s: %s", c->remote, err->text);
    if (c->config.tls == SMTP_TLS_MAY && !c->plain && !c->config.user.len) {
        /* RFC 7435: what can't be encrypted still goes, but over a new connection. */
        close_stream(c);
        c->plain = true;
        connect_from(c);
    } else {
        next_address(c);
    }
}

static void handshake(struct outconn *c)
{
    struct error err = {""};
    enum result r = stream_handshake(&c->stream, &err);
    if (r == BUSY) {
        c->state = HANDSHAKING;
        io_task_want(&c->task, c->stream.wants);
        return;
    }
    if (r != OK) {
        tls_failed(c, &err);
        return;
    }
    struct buf text;
    buf_init(&text, sizeof c->tls - 1);
    tls_describe(c->stream.tls, &text);
    snprintf(c->tls, sizeof c->tls, "%.*s", SLICE_ARG(buf_slice(&text)));
    buf_release(&text);
    smtp_client_tls_done(&c->client);
    c->state = TALKING;
    talk(c);
}

static void start_tls(struct outconn *c)
{
    struct error err = {"no TLS context"};
    if (!c->relay->tls ||
        stream_start_tls(&c->stream, c->relay->tls, c->route->addresses[c->at].host, &err) != OK)
        tls_failed(c, &err);
    else
        handshake(c);
}

/* ---- talking ---- */

static int64_t patience_ms(const struct outconn *c)
{
    int64_t ms = c->conf->smtp_helo_timeout * 1000;
    if (c->state == LEAVING)
        return QUIT_MS;
    return smtp_client_awaits_verdict(&c->client) && ms < VERDICT_MS ? VERDICT_MS : ms;
}

static void wait_for(struct outconn *c, unsigned interest)
{
    io_task_deadline(&c->task, patience_ms(c));
    io_task_want(&c->task, interest);
}

/* Takes no message any more: it had its share, or other settings apply by now. Lock held. */
static bool is_worn(const struct outconn *c)
{
    return c->messages >= MESSAGES_PER_CONNECTION || c->generation != c->relay->generation;
}

/* Takes the next job where there is one. Otherwise true, and the connection waits for one or for
 * the end of its idle time. False with *ret_worn: it has to leave. */
static bool go_idle(struct outconn *c, bool *ret_worn)
{
    pthread_mutex_lock(&c->relay->lock);
    *ret_worn = is_worn(c);
    if (!c->job && !*ret_worn)
        c->job = dest_next(c->dest);
    bool idle = !c->job && !*ret_worn;
    if (idle) {
        c->state = IDLE;
        list_push_front(&c->dest->idle, &c->idle); /* the warmest is used first */
    }
    pthread_mutex_unlock(&c->relay->lock);
    if (!idle)
        return false;
    buf_clear(&c->in);
    buf_clear(&c->client.out);
    io_task_deadline(&c->task, IDLE_MS);
    io_task_want(&c->task, IO_READ);
    return true;
}

static void leave(struct outconn *c)
{
    c->state = LEAVING;
    smtp_client_quit(&c->client);
}

static void count_alive(struct outconn *c)
{
    if (c->counted)
        return;
    c->counted = true;
    pthread_mutex_lock(&c->relay->lock);
    c->dest->alive++;
    pthread_mutex_unlock(&c->relay->lock);
}

/* In READY. False: the connection waits. */
static bool start_job(struct outconn *c)
{
    bool worn;
    count_alive(c);
    if (go_idle(c, &worn))
        return false;
    if (worn) {
        leave(c); /* finish() gives a job back */
        return true;
    }
    c->body = c->job->message;
    if (smtp_client_send(&c->client, &c->job->mail) != OK) {
        struct verdict v;
        verdict_set(&v, SMTP_DEFERRED, "4.3.0", "out of memory, or too many recipients");
        job_finish_all(c->job, &v, c->remote);
        c->job = NULL;
    }
    return true;
}

/* In DONE. False: the job moves to a new connection. */
static bool end_job(struct outconn *c)
{
    bool stale = smtp_client_untouched(&c->client) && c->client.transactions > 1 &&
                 c->client.failure.status.len;
    c->messages++;
    if (stale)
        return false; /* the server closed an idle connection: the job had no part in it */
    job_finish(c->job, c->client.results, c->remote, c->tls);
    c->job = NULL;
    smtp_client_next(&c->client);
    return true;
}

/* The session could not be used or has ended. */
static void session_over(struct outconn *c)
{
    const struct smtp_client_failure *f = &c->client.failure;
    if (c->state == LEAVING || c->counted) {
        finish(c, NULL);
        return;
    }
    c->last.remote = f->remote;
    c->last.outcome = SMTP_DEFERRED;
    snprintf(c->last.status, sizeof c->last.status, "4%.*s",
             SLICE_ARG(slice_from(f->status.len ? f->status : SLICE("4.4.2"), 1)));
    snprintf(c->last.text, sizeof c->last.text, "%.*s", SLICE_ARG(f->text));
    next_address(c);
}

static void lost(struct outconn *c, const char *why)
{
    char text[500];
    snprintf(text, sizeof text, "%s with %s while waiting for: %s", why, c->remote,
             smtp_client_stage(&c->client));
    smtp_client_lost(&c->client, "4.4.2", text);
}

/* Sends what waits and reads what is there. False: waits, or will. */
static bool exchange(struct outconn *c)
{
    enum result w = stream_write(&c->stream, &c->client.out);
    if (w != OK && w != BUSY) {
        /* What the server said before it closed counts more than that it did. */
        while (stream_read(&c->stream, &c->in, READ_MOST) == OK)
            ;
        if (buf_len(&c->in) == 0)
            lost(c, "connection lost");
        buf_reset(&c->client.out);
        return true;
    }
    unsigned wants = w == BUSY ? c->stream.wants : 0;
    enum result r = stream_read(&c->stream, &c->in, READ_MOST);
    if (r == BUSY) {
        wait_for(c, wants | c->stream.wants | IO_READ);
        return false;
    }
    if (r != OK)
        lost(c, r == LIMIT ? "too much input" : "connection lost");
    return true;
}

/* In BODY. False: waits for the socket. */
static bool send_body(struct outconn *c)
{
    enum result r = smtp_client_body(&c->client, &c->body);
    enum result w = stream_write(&c->stream, &c->client.out);
    if (w == OK || r == OK)
        return true; /* the rest of `out` goes with exchange() */
    return exchange(c);
}

static void talk(struct outconn *c)
{
    for (;;) {
        switch (smtp_client_run(&c->client, &c->in)) {
        case SMTP_CLIENT_INPUT:
            if (!exchange(c))
                return;
            break;
        case SMTP_CLIENT_STARTTLS:
            start_tls(c);
            return;
        case SMTP_CLIENT_READY:
            if (!start_job(c))
                return;
            break;
        case SMTP_CLIENT_BODY:
            if (!send_body(c))
                return;
            break;
        case SMTP_CLIENT_DONE:
            if (!end_job(c)) {
                finish(c, NULL);
                return;
            }
            break;
        case SMTP_CLIENT_CLOSED:
            session_over(c);
            return;
        }
    }
}

/* An idle connection ran: a job came, the time is over, or the server spoke or closed. */
static void run_idle(struct outconn *c, unsigned events)
{
    pthread_mutex_lock(&c->relay->lock);
    bool mine = !list_empty(&c->idle); /* still in the list: nobody gave it a job */
    bool ends = events & (IO_TIMER | IO_READ | IO_HANGUP);
    if (mine && ends)
        list_remove(&c->idle);
    pthread_mutex_unlock(&c->relay->lock);
    if (!mine) {
        c->state = TALKING;
        talk(c);
    } else if (ends && (events & (IO_READ | IO_HANGUP))) {
        finish(c, NULL); /* a 421, or closed */
    } else if (ends) {
        leave(c);
        talk(c);
    } else {
        io_task_want(&c->task, IO_READ);
    }
}

static void run(struct io_task *t, unsigned events)
{
    struct outconn *c = CONTAINER_OF(t, struct outconn, task);
    switch (c->state) {
    case NEW:
        connect_from(c);
        return;
    case CONNECTING:
        connected(c, events);
        return;
    case IDLE:
        run_idle(c, events);
        return;
    case HANDSHAKING:
        if (events & IO_TIMER)
            tls_failed(c, &(struct error){"timed out"});
        else
            handshake(c);
        return;
    case TALKING:
    case LEAVING:
        if ((events & IO_TIMER) && !(events & (IO_READ | IO_WRITE)))
            lost(c, "timed out");
        talk(c);
        return;
    }
}
