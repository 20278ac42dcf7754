/* remote.c: commands that the running server answers: passes the words over the control socket and
 * prints what comes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/arena.h"
#include "cli/cli.h"
#include "ipc/ipc.h"

enum { WORDS_MAX = 16, ARENA_MAX = 1 << 20 };

int cli_connect(const char *state_directory)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int n = snprintf(addr.sun_path, sizeof addr.sun_path, "%s/control", state_directory);
    if (n < 0 || (size_t)n >= sizeof addr.sun_path)
        return cli_fail(-1, "the path of the control socket is too long: %s/control",
                        state_directory);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return cli_fail(-1, "socket: %s", strerror(errno));
    if (connect(fd, (struct sockaddr *)&addr, sizeof addr) != 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            cli_fail(1, "the server is not running (%s)", addr.sun_path);
        else if (errno == EACCES)
            cli_fail(1, "%s: only root and the user that started the server may ask it",
                     addr.sun_path);
        else
            cli_fail(1, "%s: %s", addr.sun_path, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

/* Prints output until the end comes; the exit status. */
static int receive(int fd)
{
    struct arena a;
    struct buf packet;
    struct ipc_message m;
    int status = -1;
    arena_init(&a, ARENA_MAX);
    buf_init(&packet, IPC_PACKET_MAX);
    while (status < 0) {
        arena_clear(&a);
        buf_reset(&packet);
        if (ipc_receive_blocking(fd, &a, &packet, &m) != OK)
            status = cli_fail(1, "the server closed the connection before its answer was complete");
        else if (m.type == IPC_CONTROL_OUTPUT)
            fwrite(m.CONTROL_OUTPUT.text.data, 1, m.CONTROL_OUTPUT.text.len, stdout);
        else if (m.type == IPC_CONTROL_END && m.CONTROL_END.status == 0)
            status = 0;
        else if (m.type == IPC_CONTROL_END)
            status = cli_fail(1, "%.*s", SLICE_ARG(m.CONTROL_END.error));
        else
            status = cli_fail(1, "the server gave no answer");
    }
    arena_release(&a);
    buf_release(&packet);
    return status;
}

static int take_answer(int fd, struct buf *out, struct error *err)
{
    struct arena a;
    struct buf packet;
    struct ipc_message m = {0};
    int status = -1;
    arena_init(&a, ARENA_MAX);
    buf_init(&packet, IPC_PACKET_MAX);
    while (status < 0) {
        arena_clear(&a);
        buf_reset(&packet);
        if (ipc_receive_blocking(fd, &a, &packet, &m) != OK) {
            (void)error_set(err, CLOSED, "the server closed the connection");
            status = 1;
        } else if (m.type == IPC_CONTROL_OUTPUT) {
            buf_append(out, m.CONTROL_OUTPUT.text);
        } else {
            struct slice why = m.type == IPC_CONTROL_END ? m.CONTROL_END.error : SLICE("no answer");
            status = m.type == IPC_CONTROL_END && m.CONTROL_END.status == 0 ? 0 : 1;
            if (status)
                (void)error_set(err, FAILED, "%.*s", SLICE_ARG(why));
        }
    }
    arena_release(&a);
    buf_release(&packet);
    return status;
}

int cli_ask(struct cli *c, const struct slice_list *words, struct buf *out, struct error *err)
{
    struct ipc_message m = {.type = IPC_CONTROL, .call = 1};
    m.CONTROL.words = *words;
    int fd = cli_connect(c->conf->state_directory.data);
    if (fd < 0)
        return 1;
    int status = ipc_send_blocking(fd, &m) == OK ? take_answer(fd, out, err) : 1;
    close(fd);
    return status;
}

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

/* Are these the words of a command? Told here, so that it is told without a running server too. */
static int check_words(char **words, int n)
{
    static const char *const on_id[] = {"show", "hold", "release", "delete", NULL};
    bool json = n > 1 && strcmp(words[n - 1], "--json") == 0;
    int plain = json ? n - 1 : n;
    if (strcmp(words[0], "queue") == 0) {
        if ((plain == 2 && strcmp(words[1], "list") == 0) ||
            (!json && (plain == 2 || plain == 3) && strcmp(words[1], "flush") == 0) ||
            (plain == 3 && is_one_of(words[1], on_id)))
            return 0;
        return cli_fail(2, "usage: queue list [--json] | queue show ID [--json] | "
                           "queue flush [ID|all] | queue hold|release|delete ID|all");
    }
    if (strcmp(words[0], "mailbox") == 0)
        return plain == 3 && strcmp(words[1], "list") == 0
                   ? 0
                   : cli_fail(2, "usage: mailbox list NAME [--json]");
    return plain == 1 ? 0 : cli_fail(2, "usage: %s [--json]", words[0]);
}

int cli_remote(struct cli *c, char **words, int n)
{
    struct slice items[WORDS_MAX];
    struct ipc_message m = {.type = IPC_CONTROL, .call = 1};
    int wrong = check_words(words, n);
    if (wrong != 0)
        return wrong;
    if (n > WORDS_MAX)
        return cli_fail(2, "too many words");
    for (int i = 0; i < n; i++)
        items[i] = slice_cstr(words[i]);
    m.CONTROL.words = (struct slice_list){items, (size_t)n};
    int fd = cli_connect(c->conf->state_directory.data);
    if (fd < 0)
        return 1;
    int status =
        ipc_send_blocking(fd, &m) == OK ? receive(fd) : cli_fail(1, "the server did not listen");
    close(fd);
    return status;
}
