/* control.c: accepts the command line's connections, asks who they are and finds the command.
 * Everybody may connect; root and the server's own user may command, others may see or flush the
 * queue as authorized_mailq_users and authorized_flush_users say. */
#include "role/mailbox/control.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "conf/users.h"
#include "io/line.h"
#include "os/fds.h"
#include "role/mailbox/mailbox.h"

enum {
    OUT_MAX = 8 * 1024 * 1024, /* one message with QUEUE_INFO_RCPTS and their reasons */
    PIECE = 32 * 1024,
    WORDS_MAX = 64,
    STRANGERS_MAX = 100,
    ROOM = 1024 * 1024, /* of output waits for a slow reader */
    SLOW_S = 60,        /* so long may it read nothing */
    HELPERS = 2,        /* for the owner's long commands, and as many for all others' */
};

struct control {
    struct io_task task;
    struct mailbox_role *mailbox;
    atomic_uint clients;
    struct io_line owners, others; /* long commands; open when mailbox is set */
    pthread_mutex_t lock;
    int fd;
};

/* A connection: the kernel says whose. It stays as long as one of its commands is being answered.
 */
struct control_client {
    struct mailbox_role *mailbox;
    struct control *control;
    struct ipc_channel *channel; /* set when it is gone */
    unsigned uid;
    unsigned calls; /* under way; guarded by control->lock, as is `gone` */
    bool gone;
};

static void client_free(struct control_client *who)
{
    atomic_fetch_sub(&who->control->clients, 1);
    ipc_channel_close(who->channel);
    free(who);
}

static void call_ended(struct control_client *who)
{
    pthread_mutex_lock(&who->control->lock);
    bool last = --who->calls == 0 && who->gone;
    pthread_mutex_unlock(&who->control->lock);
    if (last)
        client_free(who);
}

static bool has_room(struct control_call *c)
{
    struct io_engine *engine = c->mailbox->role->engine;
    enum result r = OK;
    for (int s = 0; c->waits && s < SLOW_S; s++) {
        r = ipc_wait_room(c->channel, ROOM, 1000);
        if (r != BUSY || !io_engine_running(engine))
            break;
    }
    return r == OK;
}

static void send_output(struct control_call *c)
{
    struct ipc_message m = {.type = IPC_CONTROL_OUTPUT};
    while (buf_len(&c->out) && !c->cut) {
        m.CONTROL_OUTPUT.text = slice_sub(buf_slice(&c->out), 0, PIECE);
        c->cut = !has_room(c) || ipc_send(c->channel, &m) != OK;
        buf_consume(&c->out, m.CONTROL_OUTPUT.text.len);
    }
    buf_reset(&c->out);
}

bool control_flush_some(struct control_call *c)
{
    if (buf_len(&c->out) >= PIECE)
        send_output(c);
    return !c->cut && io_engine_running(c->mailbox->role->engine);
}

void control_end(struct control_call *c, unsigned status, const char *error)
{
    struct ipc_message m = {.type = IPC_CONTROL_END};
    send_output(c);
    m.CONTROL_END.status = c->cut ? 1 : (uint8_t)status;
    m.CONTROL_END.error = slice_cstr(c->cut  ? "the answer is cut short: it was not read in time"
                                     : error ? error
                                             : "");
    ipc_answer(c->channel, c->call, &m);
    buf_release(&c->out);
    fd_close(&c->fd);
    call_ended(c->client);
    free(c);
}

static const struct {
    const char *name;
    control_command_fn *run;
} commands[] = {
    {"queue", control_queue},   {"mailbox", control_mailbox},   {"status", control_status},
    {"import", control_import}, {"sessions", control_sessions}, {"auth", control_auth},
    {"names", control_names},   {"trace", control_trace},       {"quota", control_quota},
    {"change", control_change}, {"explain", control_explain},   {"tls-report", control_tls_report},
};

/* ---- who may ---- */

/* The setting that lets other users than root give this command; false: none. */
static bool allowed_by(const struct conf *c, const struct slice_list *words, struct slice_list *ret)
{
    static const char *const flushing[] = {"flush", "site"};
    if (words->n < 2 || !slice_is(words->items[0], "queue"))
        return false;
    if (slice_is(words->items[1], "mailq")) {
        *ret = c->authorized_mailq_users;
        return true;
    }
    for (size_t i = 0; i < sizeof flushing / sizeof *flushing; i++)
        if (slice_is(words->items[1], flushing[i])) {
            *ret = c->authorized_flush_users;
            return true;
        }
    return false;
}

/* root, and who runs the server (which is root's store otherwise). */
static bool is_owner(unsigned uid)
{
    return uid == 0 || uid == geteuid();
}

static void run_command(struct control_call *c, const struct slice *words, size_t n)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (slice_is(words[0], commands[i].name)) {
            commands[i].run(c, words + 1, n - 1);
            return;
        }
    control_end(c, 1, "unknown command");
}

/* A command that waits: for agent to say whether its user may, or for a helper thread. */
struct later {
    struct control_call *call;
    control_command_fn *run;
    struct arena arena;
    struct slice_list words;
};

static void later_free(struct later *l)
{
    arena_release(&l->arena);
    free(l);
}

/* NULL: no memory, and the command has ended. */
static struct later *later_new(struct control_call *c, const struct slice *words, size_t n)
{
    struct later *l = calloc(1, sizeof *l);
    if (l) {
        l->call = c;
        arena_init(&l->arena, 64 * 1024);
        l->words.items = arena_alloc_n(&l->arena, n ? n : 1, sizeof *l->words.items);
        for (size_t i = 0; l->words.items && i < n; i++)
            l->words.items[l->words.n++] = arena_dup(&l->arena, words[i]);
    }
    if (l && !arena_failed(&l->arena))
        return l;
    if (l)
        later_free(l);
    control_end(c, 1, "no memory");
    return NULL;
}

static void run_later(void *arg)
{
    struct later *l = arg;
    l->run(l->call, l->words.items, l->words.n);
    later_free(l);
}

static void drop_later(void *arg)
{
    struct later *l = arg;
    control_end(l->call, 1, "the server stops");
    later_free(l);
}

void control_later(struct control_call *c, control_command_fn *run, const struct slice *words,
                   size_t n)
{
    struct control *control = c->client->control;
    struct io_line *line = is_owner(c->client->uid) ? &control->owners : &control->others;
    struct later *l = later_new(c, words, n);
    if (!l)
        return;
    l->run = run;
    c->waits = true;
    if (io_line_put(line, run_later, l) == OK)
        return;
    c->waits = false;
    later_free(l);
    control_end(c, 1, "too many commands at a time");
}

static void told(void *arg, struct ipc_message *m)
{
    struct later *l = arg;
    if (m->type == IPC_USER_RESULT && m->USER_RESULT.code == 0)
        run_command(l->call, l->words.items, l->words.n);
    else
        control_end(l->call, 1,
                    "not permitted: see authorized_mailq_users and "
                    "authorized_flush_users in postrider.conf(5)");
    later_free(l);
}

static void ask_agent(struct control_call *c, const struct slice_list *words,
                      struct slice_list allowed, unsigned uid)
{
    struct ipc_message m = {.type = IPC_USER_CHECK, .USER_CHECK = {uid, allowed}};
    struct later *l = later_new(c, words->items, words->n);
    if (l)
        ipc_request(c->mailbox->role->peers[ROLE_AGENT], &m, told, l);
}

static void permit_or_refuse(struct control_call *c, const struct control_client *who,
                             const struct slice_list *words)
{
    const struct conf *conf = role_conf(c->mailbox->role);
    struct slice_list allowed = {NULL, 0};
    bool listed = allowed_by(conf, words, &allowed);
    if (is_owner(who->uid) || (listed && conf_users_anyone(allowed)))
        run_command(c, words->items, words->n);
    else if (listed && allowed.n)
        ask_agent(c, words, allowed, who->uid);
    else
        control_end(c, 1,
                    "not permitted: only root and the user that started the server may ask "
                    "this");
    conf_unref(conf);
}

/* ---- connections ---- */

static void handle(void *arg, struct ipc_channel *channel, struct ipc_message *m)
{
    struct control_client *who = arg;
    if (m->type != IPC_CONTROL || m->CONTROL.words.n == 0 || m->CONTROL.words.n > WORDS_MAX) {
        ipc_answer_failure(channel, m->call, "not a command");
        return;
    }
    struct control_call *c = calloc(1, sizeof *c);
    if (!c) {
        ipc_answer_failure(channel, m->call, "no memory");
        return;
    }
    *c = (struct control_call){
        .mailbox = who->mailbox, .client = who, .channel = channel, .call = m->call, .fd = -1};
    pthread_mutex_lock(&who->control->lock);
    who->calls++;
    pthread_mutex_unlock(&who->control->lock);
    if (m->n_fds) {
        c->fd = m->fds[0];
        m->fds[0] = -1;
    }
    buf_init(&c->out, OUT_MAX);
    permit_or_refuse(c, who, &m->CONTROL.words);
}

static void gone(void *arg, struct ipc_channel *channel)
{
    struct control_client *who = arg;
    pthread_mutex_lock(&who->control->lock);
    who->channel = channel;
    who->gone = true;
    bool last = who->calls == 0;
    pthread_mutex_unlock(&who->control->lock);
    if (last)
        client_free(who);
}

static unsigned uid_of(int fd)
{
    struct ucred who;
    socklen_t len = sizeof who;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 ? who.uid : UINT_MAX;
}

/* Takes the fd. */
static void admit(struct control *c, int fd)
{
    struct ipc_channel *channel;
    struct control_client *who = calloc(1, sizeof *who);
    unsigned uid = uid_of(fd);
    unsigned before = atomic_fetch_add(&c->clients, 1);
    if (!who || (before >= STRANGERS_MAX && !is_owner(uid))) {
        LOG(LOG_WARNING, "control.refused", LOG_U("uid", uid),
            LOG_C("reason", who ? "too many connections" : "no memory"));
        atomic_fetch_sub(&c->clients, 1);
        close(fd);
        free(who);
        return;
    }
    *who = (struct control_client){.mailbox = c->mailbox, .control = c, .uid = uid};
    if (ipc_channel_new(c->task.engine, fd, ROLE_MASTER, handle, who, gone, &channel) == OK)
        return;
    LOG(LOG_WARNING, "control.refused", LOG_C("reason", "no memory"));
    atomic_fetch_sub(&c->clients, 1);
    free(who);
}

static void accept_some(struct io_task *task, unsigned events)
{
    struct control *c = CONTAINER_OF(task, struct control, task);
    int fd;
    (void)events;
    while ((fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
        admit(c, fd);
    io_task_want(task, IO_READ);
}

enum result control_new(int listen_fd, struct control **ret)
{
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        return FAILED;
    c->fd = listen_fd;
    pthread_mutex_init(&c->lock, NULL);
    *ret = c;
    return OK;
}

enum result control_start(struct mailbox_role *m, struct control *c, struct error *err)
{
    (void)err;
    if (!c)
        return OK;
    c->mailbox = m;
    io_line_init(&c->owners, m->role->engine, HELPERS);
    io_line_init(&c->others, m->role->engine, HELPERS);
    io_task_open(m->role->engine, &c->task, c->fd, accept_some);
    io_task_want(&c->task, IO_READ);
    return OK;
}

void control_stop(struct control *c)
{
    if (!c || !c->mailbox)
        return;
    io_line_stop(&c->owners);
    io_line_stop(&c->others);
}

void control_free(struct control *c)
{
    if (!c)
        return;
    bool idle = !c->mailbox || io_line_release(&c->owners, drop_later);
    idle = (!c->mailbox || io_line_release(&c->others, drop_later)) && idle;
    if (!idle)
        LOG(LOG_INFO, "control.stopped", LOG_C("reason", "commands that were not begun"));
    close(c->fd);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
