/* control.c: see control.h. The words go over as one message, the answer comes in pieces. */
#include "cli/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "conf/lines.h"
#include "ipc/ipc.h"
#include "os/fds.h"

enum { WORDS_MAX = 40, ARENA_MAX = 1 << 20 };
static const char default_state[] = "/var/lib/postrider";

/* state_directory as the file has it: the last one counts. */
static void find_state(const char *config_path, char *out, size_t size)
{
    struct arena a;
    struct buf text;
    struct conf_errors errors;
    struct conf_reading reading = {.arena = &a, .errors = &errors};
    arena_init(&a, 8 * CONF_FILE_MAX);
    buf_init(&text, CONF_FILE_MAX);
    conf_errors_init(&errors);
    int fd = open(config_path, O_RDONLY | O_CLOEXEC);
    snprintf(out, size, "%s", default_state);
    if (fd >= 0 && fd_read_all(fd, CONF_FILE_MAX, &text) == OK &&
        conf_read_lines(buf_slice(&text), config_path, CONF_OWN, &reading) == OK)
        for (size_t i = 0; i < reading.found.n; i++)
            if (slice_is(reading.found.items[i].name, "state_directory"))
                snprintf(out, size, "%.*s", SLICE_ARG(reading.found.items[i].value));
    fd_close(&fd);
    conf_errors_release(&errors);
    buf_release(&text);
    arena_release(&a);
}

bool cli_state_path(struct cli *c, const char *name, char out[static CLI_PATH_SIZE])
{
    char state[CLI_PATH_SIZE / 2];
    if (!c->conf)
        find_state(c->config_path, state, sizeof state);
    /* Where it refers to another parameter all must be read. */
    if (!c->conf && strchr(state, '$') && cli_load(c) != 0)
        return false;
    if (c->conf)
        snprintf(state, sizeof state, "%.*s", SLICE_ARG(c->conf->state_directory));
    snprintf(out, CLI_PATH_SIZE, "%s/%s", state, name);
    return true;
}

static enum result connect_to(const char *path, int *ret_fd, struct error *err)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof addr.sun_path)
        return error_set(err, LIMIT, "the path of the control socket is too long: %s", path);
    memcpy(addr.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(err, FAILED, "socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) == 0) {
        *ret_fd = fd;
        return OK;
    }
    int why = errno;
    close(fd);
    if (why == ENOENT || why == ECONNREFUSED)
        return error_set(err, NOT_FOUND, "the server is not running (%s)", path);
    return error_set(err, FAILED, "%s: %s", path, strerror(why));
}

enum result control_open(struct cli *c, int *ret_fd, struct error *err)
{
    char path[CLI_PATH_SIZE];
    if (!cli_state_path(c, "control", path))
        return error_set(err, INVALID, "the configuration can't be read");
    return connect_to(path, ret_fd, err);
}

int cli_connect(const char *state_directory)
{
    char path[CLI_PATH_SIZE];
    struct error err = {""};
    int fd;
    snprintf(path, sizeof path, "%s/control", state_directory);
    return connect_to(path, &fd, &err) == OK ? fd : cli_fail(-1, "%s", err.text);
}

static void take_output(struct slice text, struct buf *out)
{
    if (out)
        buf_append(out, text);
    else
        fwrite(text.data, 1, text.len, stdout);
}

/* Takes output until the end comes. */
static enum result receive(int fd, struct buf *out, struct error *err)
{
    struct arena a;
    struct buf packet;
    struct ipc_message m;
    enum result r = BUSY;
    arena_init(&a, ARENA_MAX);
    buf_init(&packet, IPC_PACKET_MAX);
    while (r == BUSY) {
        arena_clear(&a);
        buf_reset(&packet);
        if (ipc_receive_blocking(fd, &a, &packet, &m) != OK)
            r = error_set(err, CLOSED,
                          "the server closed the connection before its answer was complete");
        else if (m.type == IPC_CONTROL_OUTPUT)
            take_output(m.CONTROL_OUTPUT.text, out);
        else if (m.type != IPC_CONTROL_END)
            r = error_set(err, FAILED, "the server gave no answer");
        else if (m.CONTROL_END.status == 0)
            r = OK;
        else
            r = error_set(err, DENIED, "%.*s", SLICE_ARG(m.CONTROL_END.error));
    }
    arena_release(&a);
    buf_release(&packet);
    return r;
}

enum result control_ask(int fd, const char *const *words, size_t n, struct buf *out,
                        struct error *err)
{
    struct slice items[WORDS_MAX];
    struct ipc_message m = {.type = IPC_CONTROL, .call = 1};
    if (n > WORDS_MAX)
        return error_set(err, LIMIT, "too many words");
    for (size_t i = 0; i < n; i++)
        items[i] = slice_cstr(words[i]);
    m.CONTROL.words = (struct slice_list){items, n};
    if (ipc_send_blocking(fd, &m) != OK)
        return error_set(err, CLOSED, "the server did not listen");
    return receive(fd, out, err);
}
