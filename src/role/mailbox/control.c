/* control.c: accepts the command line's connections and finds the command. Whoever can connect may
 * command: the socket's mode (0600) is the access control. */
#include "role/mailbox/control.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/fds.h"
#include "role/mailbox/mailbox.h"

enum { OUT_MAX = 256 * 1024, PIECE = 32 * 1024, WORDS_MAX = 64 };

struct control {
    struct io_task task;
    struct mailbox_role *mailbox;
    int fd;
};

static void send_output(struct control_call *c)
{
    struct ipc_message m = {.type = IPC_CONTROL_OUTPUT};
    while (buf_len(&c->out)) {
        m.CONTROL_OUTPUT.text = slice_sub(buf_slice(&c->out), 0, PIECE);
        if (ipc_send(c->channel, &m) != OK)
            LOG(LOG_WARNING, "control.output_lost", LOG_U("bytes", buf_len(&c->out)));
        buf_consume(&c->out, m.CONTROL_OUTPUT.text.len);
    }
}

void control_flush_some(struct control_call *c)
{
    if (buf_len(&c->out) >= PIECE)
        send_output(c);
}

void control_end(struct control_call *c, unsigned status, const char *error)
{
    struct ipc_message m = {.type = IPC_CONTROL_END};
    send_output(c);
    m.CONTROL_END.status = (uint8_t)status;
    m.CONTROL_END.error = slice_cstr(error ? error : "");
    ipc_answer(c->channel, c->call, &m);
    buf_release(&c->out);
    fd_close(&c->fd);
    free(c);
}

static const struct {
    const char *name;
    control_command_fn *run;
} commands[] = {
    {"queue", control_queue},   {"mailbox", control_mailbox},   {"status", control_status},
    {"import", control_import}, {"sessions", control_sessions}, {"auth", control_auth},
    {"names", control_names},
};

static void handle(void *arg, struct ipc_channel *channel, struct ipc_message *m)
{
    if (m->type != IPC_CONTROL || m->CONTROL.words.n == 0 || m->CONTROL.words.n > WORDS_MAX) {
        ipc_answer_failure(channel, m->call, "not a command");
        return;
    }
    struct control_call *c = calloc(1, sizeof *c);
    if (!c) {
        ipc_answer_failure(channel, m->call, "no memory");
        return;
    }
    *c = (struct control_call){.mailbox = arg, .channel = channel, .call = m->call, .fd = -1};
    if (m->n_fds) {
        c->fd = m->fds[0];
        m->fds[0] = -1;
    }
    buf_init(&c->out, OUT_MAX);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (slice_is(m->CONTROL.words.items[0], commands[i].name)) {
            commands[i].run(c, m->CONTROL.words.items + 1, m->CONTROL.words.n - 1);
            return;
        }
    control_end(c, 1, "unknown command");
}

static void gone(void *arg, struct ipc_channel *channel)
{
    (void)arg;
    ipc_channel_close(channel);
}

static void accept_some(struct io_task *task, unsigned events)
{
    struct control *c = CONTAINER_OF(task, struct control, task);
    int fd;
    (void)events;
    while ((fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        struct ipc_channel *channel;
        if (ipc_channel_new(task->engine, fd, ROLE_MASTER, handle, c->mailbox, gone, &channel) !=
            OK)
            LOG(LOG_WARNING, "control.refused", LOG_C("reason", "no memory"));
    }
    io_task_want(task, IO_READ);
}

enum result control_new(int listen_fd, struct control **ret)
{
    struct control *c = calloc(1, sizeof *c);
    if (!c)
        return FAILED;
    c->fd = listen_fd;
    *ret = c;
    return OK;
}

enum result control_start(struct mailbox_role *m, struct control *c, struct error *err)
{
    (void)err;
    if (!c)
        return OK;
    c->mailbox = m;
    io_task_open(m->role->engine, &c->task, c->fd, accept_some);
    io_task_want(&c->task, IO_READ);
    return OK;
}

void control_free(struct control *c)
{
    if (!c)
        return;
    close(c->fd);
    free(c);
}
