#include "role/edge/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "role/edge/peer_name.h"

enum {
    HANDSHAKE_MS = 60 * 1000,
    LOGIN_MS = 180 * 1000, /* longest silence of POP3 and IMAP before the login */
    CLOSING_MS = 10 * 1000,
    IN_PIECE = 32 * 1024 /* most bytes read at a time */
};

static void conn_run(struct io_task *t, unsigned events);

bool conn_secured(const struct conn *c)
{
    return c->loopback || c->stream.tls;
}

enum offer_link conn_link(const struct conn *c)
{
    if (c->stream.tls)
        return c->identity[0] ? OFFER_CERTIFICATE : OFFER_TLS;
    return c->loopback ? OFFER_LOCAL : OFFER_CLEAR;
}

unsigned conn_login_config(const struct conn *c)
{
    enum offer_link link = conn_link(c);
    return link == OFFER_CERTIFICATE ? 2 : link == OFFER_TLS;
}

/* ---- begin and end ---- */

static const struct conn_protocol *protocol_of(enum listen_service s)
{
    if (s == LISTEN_POP3 || s == LISTEN_POP3S)
        return &conn_pop3;
    if (s == LISTEN_SASLAUTHD)
        return &conn_saslauthd;
    if (s == LISTEN_DOVECOT_AUTH)
        return &conn_dovecot;
    return s == LISTEN_IMAP || s == LISTEN_IMAPS ? &conn_imap : &conn_smtp;
}

static _Atomic uint64_t *gauge(const struct conn *c)
{
    struct edge_counters *n = &c->edge->count;
    if (c->protocol == &conn_saslauthd || c->protocol == &conn_dovecot)
        return &n->askers;
    return c->protocol == &conn_pop3 ? &n->pop3 : c->protocol == &conn_imap ? &n->imap : &n->smtp;
}

static void count_in(struct conn *c)
{
    struct edge *e = c->edge;
    atomic_fetch_add(&e->count.connections, 1);
    atomic_fetch_add(&e->count.accepted_total, 1);
    atomic_fetch_add(gauge(c), 1);
    pthread_mutex_lock(&e->lock);
    list_push_back(&e->conns, &c->node);
    pthread_mutex_unlock(&e->lock);
}

/* Before the last reply is written: a client that reads it may open its next connection at once. */
static void leave_address(struct conn *c)
{
    char key[46];
    if (c->counted)
        edge_count_out(c->edge, conn_count_key(c->ip, c->uid, key));
    c->counted = false;
}

static void begin_handshake(struct conn *c)
{
    struct error err = {"no certificate"};
    struct tls_context *tls = edge_tls_for(c->settings, conn_tls_kind(c), c->stream.fd);
    c->phase = PHASE_HANDSHAKE;
    if (tls && stream_start_tls(&c->stream, tls, NULL, &err) == OK)
        return;
    LOG(LOG_ERROR, "tls.unavailable", LOG_CTX(conn_ctx(c)), LOG_C("why", err.text));
    c->phase = PHASE_CLOSING;
    c->end_reason = "no TLS";
}

struct slice conn_count_key(const char *ip, unsigned uid, char out[static 46])
{
    if (ip[0])
        return slice_cstr(ip);
    snprintf(out, 46, "uid %u", uid);
    return slice_cstr(out);
}

static void set_context(struct conn *c)
{
    char who[48];
    if (c->service == LISTEN_SENDMAIL)
        snprintf(who, sizeof who, "uid:%u", c->uid);
    else
        snprintf(who, sizeof who, "%s", c->ip[0] ? c->ip : "local");
    snprintf(c->context, sizeof c->context, " conn=%s client=%s", log_id(c->id).text, who);
}

/* Dovecot: clients of these networks are as good as this host. */
static bool is_trusted(const struct conn *c, const char *ip)
{
    struct slice entry;
    return (c->protocol == &conn_pop3 || c->protocol == &conn_imap) && *ip &&
           conf_network_match(c->settings->conf->login_trusted_networks, slice_cstr(ip), &entry);
}

enum result edge_conn_new(struct edge *e, int fd, const struct conn_client *client)
{
    struct conn *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return FAILED;
    }
    c->protocol = protocol_of(client->service);
    c->edge = e;
    c->settings = edge_settings_get(e, client->label);
    c->service = client->service;
    snprintf(c->label, sizeof c->label, "%s", client->label);
    c->loopback = client->loopback || is_trusted(c, client->ip);
    c->counted = client->counted;
    c->uid = client->uid;
    c->id = log_id_new();
    c->began_ms = clock_monotonic_ms();
    c->end_reason = "client left";
    memcpy(c->ip, client->ip, sizeof c->ip);
    memcpy(c->port, client->port, sizeof c->port);
    set_context(c);
    pthread_mutex_init(&c->lock, NULL);
    buf_init(&c->in, c->protocol->in_max);
    buf_init(&c->out, c->protocol->out_max);
    stream_init(&c->stream, fd);
    c->phase = PHASE_WORK;
    count_in(c);
    LOG(LOG_INFO, "connect", LOG_CTX(conn_ctx(c)),
        LOG_C("service", listen_service_name(c->service)));
    io_task_open(e->role->engine, &c->task, fd, conn_run);
    if (conn_tls_first(c->service))
        begin_handshake(c);
    io_wake(&c->task);
    return OK;
}

static void forget_login(struct conn *c)
{
    free(c->account);
    free(c->login_name);
    free((char *)c->grant.data);
    c->account = c->login_name = NULL;
    c->grant = SLICE_NONE;
}

/* Frees all but what a request under way will still touch. */
static void release(struct conn *c)
{
    struct edge *e = c->edge;
    pthread_mutex_lock(&e->lock);
    list_remove(&c->node);
    pthread_mutex_unlock(&e->lock);
    atomic_fetch_sub(gauge(c), 1);
    atomic_fetch_sub(&e->count.connections, 1);
    leave_address(c);
    if (c->auth_known)
        conn_auth_cancel(c, true);
    if (c->opened)
        c->protocol->release(c);
    buf_release(&c->in);
    buf_release(&c->out);
    forget_login(c);
    edge_settings_unref(c->settings);
}

static void free_conn(struct conn *c)
{
    /* Whoever brought the last answer has left the lock behind by then. */
    pthread_mutex_lock(&c->lock);
    pthread_mutex_unlock(&c->lock);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void log_disconnect(const struct conn *c)
{
    LOG(LOG_INFO, "disconnect", LOG_CTX(conn_ctx(c)),
        LOG_C("service", listen_service_name(c->service)), LOG_C("reason", c->end_reason),
        LOG_U("ms", clock_monotonic_ms() - c->began_ms));
}

/* Whoever finds the client's name would wake a task that is no more. */
static void close_task(struct conn *c)
{
    peer_name_release(c->peer_name);
    c->peer_name = NULL;
    io_task_close(&c->task);
}

void conn_dissolve(struct conn *c)
{
    close_task(c);
    if (c->stream.fd >= 0)
        stream_close(&c->stream); /* our copy of the descriptor; the connection goes on */
    release(c);
    free_conn(c);
}

/* What the client still sent would make close() reset the connection and take our last words from
 * the client's hands; so it is read and dropped. */
static void drop_input(struct conn *c)
{
    char away[4096];
    for (int i = 0; i < 16 && recv(c->stream.fd, away, sizeof away, MSG_DONTWAIT) > 0; i++)
        ;
}

static void end(struct conn *c)
{
    if (c->waiting) { /* the answer comes first */
        c->phase = PHASE_CLOSING;
        buf_clear(&c->out);
        io_task_want(&c->task, 0);
        return;
    }
    log_disconnect(c);
    close_task(c);
    if (!c->stream.tls)
        drop_input(c);
    stream_close(&c->stream);
    release(c);
    free_conn(c);
}

void edge_conn_free_all(struct edge *e)
{
    LIST_FOR_EACH(n, &e->conns)
    {
        struct conn *c = CONTAINER_OF(n, struct conn, node);
        if (c->phase == PHASE_WORK && c->opened && !c->waiting) {
            c->protocol->bye(c, "shutdown");
            if (stream_write(&c->stream, &c->out) != OK)
                (void)0; /* it is told as far as it listens */
        }
        close_task(c);
        stream_close(&c->stream);
        release(c);
        pthread_mutex_lock(&c->lock);
        bool later = c->waiting && !c->answer; /* the channel's end brings the answer */
        c->abandoned = later;
        pthread_mutex_unlock(&c->lock);
        if (!later) {
            conn_answer_free(c->answer);
            free_conn(c);
        }
    }
}

/* ---- requests to other roles ---- */

/* Runs in the channel's thread. */
static void on_answer(void *arg, struct ipc_message *m)
{
    struct conn *c = arg;
    struct conn_answer *a = conn_answer_copy(m);
    pthread_mutex_lock(&c->lock);
    bool abandoned = c->abandoned;
    c->answer = a;
    if (!abandoned)
        io_wake(&c->task);
    pthread_mutex_unlock(&c->lock);
    if (abandoned) {
        conn_answer_free(a);
        free_conn(c);
    }
}

void conn_request(struct conn *c, enum ipc_role peer, struct ipc_message *m)
{
    c->waiting = true;
    ipc_request(c->edge->role->peers[peer], m, on_answer, c);
}

void conn_answer_myself(struct conn *c, struct ipc_message *m)
{
    c->waiting = true;
    on_answer(c, m);
}

static struct conn_answer *take_answer(struct conn *c)
{
    if (!c->waiting)
        return NULL;
    pthread_mutex_lock(&c->lock);
    struct conn_answer *a = c->answer;
    c->answer = NULL;
    pthread_mutex_unlock(&c->lock);
    c->waiting = a == NULL;
    return a;
}

/* ---- bytes ---- */

static int64_t patience_ms(const struct conn *c)
{
    if (c->phase == PHASE_HANDSHAKE)
        return HANDSHAKE_MS;
    if (c->next == CONN_CLOSE)
        return CLOSING_MS;
    if (c->protocol == &conn_dovecot)
        return 0; /* a server of this host, which keeps its connection */
    return c->protocol->patience_ms ? c->protocol->patience_ms(c) : LOGIN_MS;
}

static void wait_for(struct conn *c, unsigned interest)
{
    io_task_want(&c->task, interest);
    io_task_deadline(&c->task, patience_ms(c));
}

/* An idle connection holds no buffers. */
static void go_idle(struct conn *c)
{
    if (buf_len(&c->in) == 0)
        buf_clear(&c->in);
    buf_clear(&c->out);
    wait_for(c, c->stream.tls && c->stream.wants ? c->stream.wants : IO_READ);
}

/* OK: bytes came. BUSY: none are there. Else the end of the connection. */
static enum result read_some(struct conn *c)
{
    if (!c->readable && !stream_pending(&c->stream)) {
        c->stream.wants = IO_READ;
        return BUSY;
    }
    size_t before = buf_len(&c->in), room = 0;
    size_t want = c->in.size >= IN_PIECE ? IN_PIECE : 1;
    if (!buf_reserve(&c->in, want, &room))
        return c->in.failed && buf_len(&c->in) >= c->in.max ? LIMIT : FAILED;
    enum result r = stream_read(&c->stream, &c->in, IN_PIECE);
    /* Less than asked for: no more is there now. epoll tells when that was wrong. */
    if (r != OK || buf_len(&c->in) - before < 4096)
        c->readable = false;
    return r;
}

/* OK: all is written, or BUSY; else the connection is broken. */
static enum result write_out(struct conn *c)
{
    if (buf_len(&c->out) == 0)
        return OK;
    return stream_write(&c->stream, &c->out);
}

/* ---- the handshake ---- */

static void open_protocol(struct conn *c)
{
    c->opened = true;
    c->protocol->open(c);
    c->next = CONN_FLUSH; /* it may want more than input: what auth says of the client */
}

/* True: go on with c->next. */
static bool shake_hands(struct conn *c)
{
    struct error err = {""};
    enum result r = stream_handshake(&c->stream, &err);
    if (r == BUSY) {
        wait_for(c, c->stream.wants);
        return false;
    }
    if (r != OK) {
        LOG(LOG_INFO, "tls.failed", LOG_CTX(conn_ctx(c)), LOG_C("why", err.text));
        c->end_reason = "TLS handshake failed";
        end(c);
        return false;
    }
    atomic_fetch_add(&c->edge->count.tls_handshakes, 1);
    conn_shook_hands(c);
    c->phase = PHASE_WORK;
    c->readable = true;
    if (c->opened) {
        c->protocol->tls_started(c);
        c->next = CONN_INPUT;
    }
    return true;
}

/* ---- the run ---- */

/* One turn after what was to be written went (w: or waits). False: the connection waits or has
 * ended. */
static bool turn(struct conn *c, enum result w)
{
    if (w == BUSY && c->next != CONN_ANSWER) {
        wait_for(c, c->stream.wants);
        return false;
    }
    switch ((enum conn_next)c->next) {
    case CONN_INPUT: {
        enum result r = read_some(c);
        if (r == BUSY) {
            go_idle(c);
            return false;
        }
        if (r != OK) {
            c->end_reason = r == CLOSED ? c->end_reason : result_name(r);
            end(c);
            return false;
        }
        c->next = (uint8_t)c->protocol->work(c);
        return true;
    }
    case CONN_FLUSH:
        c->next = (uint8_t)c->protocol->work(c);
        return true;
    case CONN_ANSWER:
        io_task_want(&c->task, w == BUSY ? c->stream.wants : 0);
        return false;
    case CONN_NAME:
    case CONN_PAUSE:
        wait_for(c, 0);
        return false;
    case CONN_STARTTLS:
        buf_clear(&c->in); /* RFC 3207 4.2: nothing that came in clear counts any more */
        begin_handshake(c);
        return true;
    case CONN_WRITTEN:
        c->next = (uint8_t)c->protocol->written(c);
        return true;
    case CONN_CLOSE:
    case CONN_GONE:
        break;
    }
    end(c);
    return false;
}

static void drive(struct conn *c)
{
    for (;;) {
        if (c->next == CONN_GONE)
            return;
        if (c->phase == PHASE_HANDSHAKE && !shake_hands(c))
            return;
        if (c->phase == PHASE_CLOSING) {
            end(c);
            return;
        }
        if (!c->opened)
            open_protocol(c);
        if (c->next == CONN_CLOSE)
            leave_address(c);
        enum result w = write_out(c);
        if (w != OK && w != BUSY) {
            c->end_reason = "broken connection";
            end(c);
            return;
        }
        if (!turn(c, w))
            return;
    }
}

static void time_out(struct conn *c)
{
    bool mute = c->phase != PHASE_WORK || c->next == CONN_CLOSE || buf_len(&c->out) > 0;
    c->end_reason = "timeout";
    if (mute) {
        c->phase = PHASE_CLOSING;
        return;
    }
    c->protocol->bye(c, "timeout");
    c->next = CONN_CLOSE;
}

static void conn_run(struct io_task *t, unsigned events)
{
    struct conn *c = CONTAINER_OF(t, struct conn, task);
    if (events & (IO_READ | IO_HANGUP))
        c->readable = true;
    struct conn_answer *a = take_answer(c);
    if (a) {
        enum conn_next next = CONN_CLOSE;
        if (c->phase != PHASE_CLOSING)
            next = c->protocol->answer(c, a);
        conn_answer_free(a);
        if (next == CONN_GONE)
            return;
        c->next = (uint8_t)next;
    } else if (c->next == CONN_NAME && c->phase == PHASE_WORK) {
        c->next = (uint8_t)c->protocol->named(c, !(events & IO_TIMER));
    } else if (c->next == CONN_PAUSE && (events & IO_TIMER)) {
        c->next = CONN_FLUSH;
    } else if ((events & IO_TIMER) && !c->waiting) {
        time_out(c);
    }
    drive(c);
}
