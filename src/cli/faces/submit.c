/* submit.c: a message on its way into the server: over its socket where it runs, else into its
 * folder maildrop. */
#include "cli/faces/sendmail.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "cli/control.h"
#include "os/fds.h"

enum { REFUSED_BYTES_MAX = 1 << 20 };

static bool path_of(const struct sendmail *s, const char *name, char out[static CLI_PATH_SIZE])
{
    return cli_state_path(s->cli, name, out);
}

/* ---- refusals ---- */

struct refusals {
    struct arena arena;
    struct slice rcpts[DROP_RCPTS_MAX];
    size_t n;
    int status; /* of the last; EX_NOUSER when there is an unknown user among them */
};

/* sysexits(3) of a reply that refuses for good. */
static int status_of(unsigned code, struct slice text)
{
    if (slice_starts(text, SLICE("5.7")))
        return EX_NOPERM;
    if (code == 552)
        return EX_UNAVAILABLE;
    return slice_starts(text, SLICE("5.1")) ? EX_NOUSER : EX_DATAERR;
}

static void tell_refused(void *arg, struct slice rcpt, unsigned code, struct slice text)
{
    struct refusals *r = arg;
    if (r->n < DROP_RCPTS_MAX)
        r->rcpts[r->n++] = arena_dup(&r->arena, rcpt);
    if (r->status != EX_NOUSER)
        r->status = status_of(code, text);
    fprintf(stderr, "sendmail: %.*s: %u %.*s\n", SLICE_ARG(rcpt), code, SLICE_ARG(text));
}

/* ---- handing over ---- */

static int by_folder(const struct sendmail *s, const struct drop *d)
{
    char path[CLI_PATH_SIZE];
    struct error err = {""};
    if (!path_of(s, "maildrop", path))
        return EX_CONFIG;
    enum result r = drop_write(path, d, &err);
    if (r == OK)
        return EX_OK;
    if (r == LIMIT)
        return sendmail_fail(EX_DATAERR, "%s", err.text);
    return sendmail_fail(EX_TEMPFAIL, "the message can't be kept for the server: %s", err.text);
}

/* The others have the message. These are refused once more when the server takes them from its
 * folder, and their sender gets the bounce that Postfix would send: who called us must not send it
 * again to all. */
static int leave_refused(const struct sendmail *s, const struct drop *d, struct refusals *r)
{
    struct drop rest = *d;
    rest.rcpts = (struct slice_list){r->rcpts, r->n};
    return arena_failed(&r->arena) ? EX_OSERR : by_folder(s, &rest);
}

static int outcome(const struct sendmail *s, const struct drop *d, const struct drop_reply *reply,
                   struct refusals *r)
{
    if (reply->code / 100 == 2)
        return r->n ? leave_refused(s, d, r) : EX_OK;
    if (r->n)
        return r->status;
    return sendmail_fail(status_of(reply->code, slice_cstr(reply->text)), "%u %s", reply->code,
                         reply->text);
}

/* True: *ret_status is the end of it; false: the server is not there, or can't now. */
static bool by_socket(const struct sendmail *s, const struct drop *d, int *ret_status)
{
    char path[CLI_PATH_SIZE];
    struct error err = {""};
    struct drop_reply reply;
    struct refusals refused = {.n = 0};
    int fd;
    if (!path_of(s, "sendmail", path)) {
        *ret_status = EX_CONFIG;
        return true;
    }
    if (drop_connect(path, &fd, &err) != OK)
        return false;
    arena_init(&refused.arena, REFUSED_BYTES_MAX);
    enum result r = drop_send(fd, d, tell_refused, &refused, &reply);
    close(fd);
    bool done = r == OK && reply.code / 100 != 4;
    if (done)
        *ret_status = outcome(s, d, &reply, &refused);
    arena_release(&refused.arena);
    return done;
}

int sendmail_submit(const struct sendmail *s, struct drop *d)
{
    struct slice_list all = d->rcpts;
    int status = EX_OK;
    for (size_t at = 0; at < all.n; at += DROP_RCPTS_MAX) {
        int one;
        d->rcpts.items = all.items + at;
        d->rcpts.n = all.n - at < DROP_RCPTS_MAX ? all.n - at : DROP_RCPTS_MAX;
        if (!by_socket(s, d, &one))
            one = by_folder(s, d);
        status = one == EX_OK ? status : one;
    }
    return status;
}

/* ---- -bv and -bs ---- */

/* The server answers by mail, as Postfix does: now, or when it is started. */
int sendmail_probe(const struct sendmail *s, struct drop *d)
{
    struct slice_list all = d->rcpts;
    int status = EX_OK;
    for (size_t at = 0; at < all.n && status == EX_OK; at += DROP_RCPTS_MAX) {
        d->rcpts.items = all.items + at;
        d->rcpts.n = all.n - at < DROP_RCPTS_MAX ? all.n - at : DROP_RCPTS_MAX;
        status = by_folder(s, d);
    }
    return status;
}

/* Copies what is there; false: the end. */
static bool pass_on(int from, int to)
{
    char bytes[16384];
    ssize_t n = read(from, bytes, sizeof bytes);
    return n > 0 ? fd_write_all(to, slice_of(bytes, (size_t)n)) : n < 0 && errno == EINTR;
}

static int pass_both_ways(int server)
{
    struct pollfd p[2] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    for (;;) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return EX_OSERR;
        if (p[0].revents && !pass_on(STDIN_FILENO, server)) {
            shutdown(server, SHUT_WR);
            p[0].fd = -1;
        }
        if (p[1].revents && !pass_on(server, STDOUT_FILENO))
            return EX_OK;
    }
}

int sendmail_smtp(const struct sendmail *s)
{
    char path[CLI_PATH_SIZE];
    struct error err = {""};
    int fd;
    if (!path_of(s, "sendmail", path))
        return EX_CONFIG;
    if (drop_connect(path, &fd, &err) != OK) {
        printf("421 4.3.2 The mail server does not run\r\n");
        fflush(stdout);
        return sendmail_fail(EX_TEMPFAIL, "the server does not run: %s", err.text);
    }
    int status = pass_both_ways(fd);
    close(fd);
    return status;
}
