/* session.c: a logged-in connection: reading, writing, silence, end. What is said is its protocol's
 * (session.h). An idle session holds no buffers. */
#include "role/mailbox/session.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "role/mailbox/mailbox.h"

enum { OUT_MAX = 8 << 20, READ_AT_ONCE = 16 * 1024 };

/* under_way counts operations in its lower half; in the upper half those that are just waking the
 * session, after which they touch it no more. */
#define WAKING 0x10000u
#define OPERATIONS(n) ((n) & (WAKING - 1))

struct session_object {
    struct session session;
    struct list_node node; /* in mailbox_role.sessions */
    struct mailbox_role *mailbox;
    int64_t heard_ms; /* when the peer was last heard */
};

static struct session_object *object_of(struct session *s)
{
    return CONTAINER_OF(s, struct session_object, session);
}

void session_begin(struct session *s)
{
    atomic_fetch_add(&s->under_way, 1);
}

void session_finish(struct session *s)
{
    atomic_fetch_add(&s->under_way, WAKING - 1);
    io_wake(&s->task);
    atomic_fetch_sub(&s->under_way, WAKING);
}

void session_wake(struct session *s)
{
    io_wake(&s->task);
}

void session_compress(struct session *s)
{
    s->compress = true;
}

void session_close(struct session *s)
{
    s->closing = true;
}

static void free_session(struct session *s)
{
    struct session_object *o = object_of(s);
    /* Whoever is between its wake and its last touch is so for a moment only. */
    while (atomic_load(&s->under_way))
        sched_yield();
    if (s->state)
        s->protocol->end(s);
    session_count_out(o->mailbox, slice_cstr(s->protocol->name), account_name(s->account),
                      slice_cstr(s->client_ip));
    LOG(LOG_INFO, "session.closed", LOG_CTX(s->log_context), LOG_C("service", s->protocol->name));
    pthread_mutex_lock(&o->mailbox->lock);
    list_remove(&o->node);
    pthread_mutex_unlock(&o->mailbox->lock);
    account_unref(s->account);
    stream_close(&s->stream);
    buf_release(&s->in);
    buf_release(&s->out);
    free(s->login); /* one allocation holds all texts */
    free(o);
}

/* False when the peer is gone. */
static bool read_input(struct session *s)
{
    while (buf_len(&s->in) < s->in.max && !s->input_ended) {
        size_t room = s->in.max - buf_len(&s->in);
        enum result r = stream_read(&s->stream, &s->in, room < READ_AT_ONCE ? room : READ_AT_ONCE);
        if (r == BUSY || r == LIMIT)
            return true;
        if (r == CLOSED)
            s->input_ended = true;
        else if (r != OK)
            return false;
        object_of(s)->heard_ms = clock_monotonic_ms();
    }
    return true;
}

static bool has_output(const struct session *s)
{
    return buf_len(&s->out) || stream_unsent(&s->stream);
}

/* What the client sent behind its command is compressed. False: no memory, or the peer is gone. */
static bool begin_compression(struct session *s)
{
    s->compress = false;
    bool ok = stream_start_deflate(&s->stream, buf_slice(&s->in)) == OK;
    buf_clear(&s->in);
    return ok && read_input(s);
}

/* Runs the protocol and writes, until the one waits for input or the other for the peer. False when
 * the peer is gone. */
static bool work(struct session *s)
{
    for (;;) {
        if (!s->closing && !session_full(s) && !s->compress)
            s->protocol->run(s);
        bool stopped_full = session_full(s);
        if (!buf_ok(&s->out))
            return false; /* the protocol overran the limit that it should have kept */
        enum result r = has_output(s) ? stream_write(&s->stream, &s->out) : OK;
        if (r == BUSY)
            return true;
        if (r != OK)
            return false;
        if (s->compress) {
            if (!begin_compression(s))
                return false;
        } else if (!stopped_full) {
            return true;
        }
    }
}

static bool is_finished(struct session *s)
{
    bool operations = OPERATIONS(atomic_load(&s->under_way)) != 0;
    /* What the protocol left of the input when the peer has ended it is no whole command. */
    if (s->input_ended && !operations && !s->again)
        s->closing = true;
    return s->closing && !has_output(s) && !operations;
}

static void check_silence(struct session *s)
{
    int64_t silent = clock_monotonic_ms() - object_of(s)->heard_ms;
    if (silent < s->protocol->timeout_ms || s->closing)
        return;
    if (OPERATIONS(atomic_load(&s->under_way)) == 0 && !has_output(s))
        s->protocol->timeout(s);
    s->closing = true;
}

static void wait_for_more(struct session *s)
{
    unsigned interest = 0;
    if (has_output(s))
        interest |= s->stream.wants ? s->stream.wants : IO_WRITE;
    if (!s->closing && !s->input_ended && buf_len(&s->in) < s->in.max)
        interest |= IO_READ;
    if (buf_len(&s->in) == 0)
        buf_clear(&s->in);
    if (buf_len(&s->out) == 0)
        buf_clear(&s->out);
    /* What compression holds back no event will tell of. */
    if (s->again || ((interest & IO_READ) && stream_pending(&s->stream)))
        io_wake(&s->task);
    else if (!has_output(s) && buf_len(&s->in) == 0)
        stream_rest(&s->stream);
    int64_t left = object_of(s)->heard_ms + s->protocol->timeout_ms - clock_monotonic_ms();
    io_task_deadline(&s->task, left > 1 ? left : 1);
    io_task_want(&s->task, interest);
}

static void run(struct io_task *task, unsigned events)
{
    struct session *s = CONTAINER_OF(task, struct session, task);
    bool alive = !(events & IO_HANGUP) || (events & IO_READ);
    if (alive && ((events & (IO_READ | IO_WRITE)) || stream_pending(&s->stream)))
        alive = read_input(s);
    if (alive && (events & IO_TIMER))
        check_silence(s);
    if (alive)
        alive = work(s);
    if (!alive) {
        s->closing = s->input_ended = true;
        buf_clear(&s->out);
        buf_clear(&s->in);
    }
    if (is_finished(s)) {
        io_task_close(task);
        free_session(s);
    } else if (alive) {
        wait_for_more(s);
    }
}

/* All texts of a session in one allocation. */
static enum result copy_texts(struct session *s, const struct ipc_LOGGED_IN *l)
{
    struct buf context;
    buf_init(&context, 2048);
    log_format_field(&context, LOG_C("conn", log_id(l->conn).text));
    log_format_field(&context, LOG_S("account", l->account));
    struct slice texts[] = {l->login, l->client_ip, l->tls, l->client_id, buf_slice(&context)};
    char **fields[] = {&s->login, &s->client_ip, &s->tls, &s->client_id};
    size_t total = 0;
    for (size_t i = 0; i < 5; i++)
        total += texts[i].len + 1;
    char *at = calloc(1, total);
    if (at) {
        for (size_t i = 0; i < 5; i++) {
            if (texts[i].len)
                memcpy(at, texts[i].data, texts[i].len);
            if (i < 4)
                *fields[i] = at;
            else
                s->log_context = slice_of(at, texts[i].len);
            at += texts[i].len + 1;
        }
    }
    buf_release(&context);
    return at ? OK : FAILED;
}

enum result session_new(struct mailbox_role *m, int fd, const struct session_protocol *p,
                        struct account *account, const struct ipc_LOGGED_IN *l)
{
    struct session_object *o = calloc(1, sizeof *o);
    if (!o || copy_texts(&o->session, l) != OK) {
        free(o);
        close(fd);
        account_unref(account);
        session_count_out(m, slice_cstr(p->name), l->account, l->client_ip);
        return FAILED;
    }
    struct session *s = &o->session;
    o->mailbox = m;
    o->heard_ms = clock_monotonic_ms();
    stream_init(&s->stream, fd);
    buf_init(&s->in, p->in_max);
    buf_init(&s->out, OUT_MAX);
    s->protocol = p;
    s->role = m->role;
    s->store = m->store;
    s->account = account;
    s->conn = l->conn;
    pthread_mutex_lock(&m->lock);
    list_push_back(&m->sessions, &o->node);
    pthread_mutex_unlock(&m->lock);
    LOG(LOG_INFO, "session.opened", LOG_CTX(s->log_context), LOG_C("service", p->name),
        LOG_C("client", s->client_ip), LOG_C("tls", s->tls));
    buf_append(&s->in, l->pending);
    io_task_open(m->role->engine, &s->task, fd, run);
    if (p->start(s, l->tag) != OK || !buf_ok(&s->in))
        s->closing = true;
    io_wake(&s->task);
    return OK;
}

/* A session is in the list as long as its socket is open. */
void session_each(struct mailbox_role *m, bool (*each)(void *arg, const struct session_seen *s),
                  void *arg)
{
    pthread_mutex_lock(&m->lock);
    LIST_FOR_EACH(n, &m->sessions)
    {
        const struct session *s = &CONTAINER_OF(n, struct session_object, node)->session;
        const struct session_seen seen = {account_name(s->account), slice_cstr(s->login),
                                          slice_cstr(s->protocol->name), slice_cstr(s->client_ip)};
        if (each(arg, &seen))
            shutdown(s->stream.fd, SHUT_RD);
    }
    pthread_mutex_unlock(&m->lock);
}

void session_end_all(struct mailbox_role *m)
{
    while (!list_empty(&m->sessions))
        free_session(&CONTAINER_OF(m->sessions.next, struct session_object, node)->session);
}

/* ---- how many sessions a user has from one address ---- */

static void counter_key(struct buf *key, struct slice service, struct slice account,
                        struct slice ip)
{
    buf_init(key, 1024);
    buf_append(key, service);
    buf_putc(key, 0);
    buf_append(key, account);
    buf_putc(key, 0);
    buf_append(key, ip);
}

enum result session_count_in(struct mailbox_role *m, struct slice service, struct slice account,
                             struct slice ip, int64_t most)
{
    struct buf key;
    enum result r = OK;
    counter_key(&key, service, account, ip);
    pthread_mutex_lock(&m->lock);
    uintptr_t n = (uintptr_t)map_get(&m->sessions_of, buf_slice(&key));
    if (most && n >= (uintptr_t)most)
        r = LIMIT;
    else if (n)
        (void)map_remove(&m->sessions_of, buf_slice(&key));
    if (r == OK)
        r = map_put(&m->sessions_of, buf_slice(&key), (void *)(n + 1));
    if (r == OK)
        m->session_count++;
    pthread_mutex_unlock(&m->lock);
    buf_release(&key);
    return r;
}

void session_count_out(struct mailbox_role *m, struct slice service, struct slice account,
                       struct slice ip)
{
    struct buf key;
    counter_key(&key, service, account, ip);
    pthread_mutex_lock(&m->lock);
    uintptr_t n = (uintptr_t)map_remove(&m->sessions_of, buf_slice(&key));
    if (n > 1 && map_put(&m->sessions_of, buf_slice(&key), (void *)(n - 1)) != OK)
        LOG(LOG_WARNING, "session.count_lost", LOG_S("account", account));
    if (n)
        m->session_count--;
    pthread_mutex_unlock(&m->lock);
    buf_release(&key);
}
