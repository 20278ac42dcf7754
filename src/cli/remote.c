/* remote.c: commands that the running server answers: passes the words over the control socket and
 * prints what comes. */
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "cli/control.h"
#include "ipc/ipc.h"

enum { ARENA_MAX = 1 << 20 };

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
    struct error err = {""};
    int fd, wrong = check_words(words, n);
    if (wrong != 0)
        return wrong;
    if (control_open(c, &fd, &err) != OK)
        return cli_fail(1, "%s", err.text);
    union {
        char **in;
        const char *const *out;
    } given = {.in = words};
    enum result r = control_ask(fd, given.out, (size_t)n, NULL, &err);
    close(fd);
    return r == OK ? 0 : cli_fail(1, "%s", err.text);
}
