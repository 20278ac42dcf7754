/* dialogue.c: SMTP over the server's own socket, one command at a time, the message as one chunk
 * (RFC 3030), so that nothing in it can be taken for a command. Blocking, with time-outs: its users
 * are programs that do nothing else. */
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "submit/drop.h"

enum { TIMEOUT_S = 300, REPLY_MAX = 16 * 1024, REPLY_LINES_MAX = 100 };

struct talk {
    int fd;
    struct buf in;
    struct drop_reply *reply; /* of the last command */
};

enum result drop_connect(const char *path, int *ret_fd, struct error *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = TIMEOUT_S};
    if (strlen(path) >= sizeof a.sun_path)
        return error_set(err, LIMIT, "the path of the socket is too long: %s", path);
    memcpy(a.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(err, FAILED, "no socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0) {
        *ret_fd = fd;
        return OK;
    }
    int why = errno;
    close(fd);
    return error_set(err, why == ENOENT || why == ECONNREFUSED ? NOT_FOUND : FAILED, "%s: %s", path,
                     strerror(why));
}

static enum result send_all(struct talk *t, struct slice s)
{
    while (s.len) {
        ssize_t n = send(t->fd, s.data, s.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return errno == EPIPE || errno == ECONNRESET ? CLOSED : FAILED;
        s = slice_from(s, (size_t)n);
    }
    return OK;
}

static enum result read_line(struct talk *t, struct slice *ret)
{
    for (;;) {
        struct slice all = buf_slice(&t->in);
        size_t end = slice_find(all, '\n'), room;
        if (end != SIZE_MAX) {
            *ret = slice_sub(all, 0, end + 1);
            return OK;
        }
        char *p = buf_reserve(&t->in, 512, &room);
        if (!p)
            return LIMIT;
        ssize_t n = recv(t->fd, p, room, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? CLOSED : FAILED;
        buf_commit(&t->in, (size_t)n);
    }
}

/* "250-text", "250 text"; the last line's text is kept. */
static enum result read_reply(struct talk *t)
{
    struct slice line;
    for (unsigned n = 0; n < REPLY_LINES_MAX; n++) {
        enum result r = read_line(t, &line);
        if (r != OK)
            return r;
        uint64_t code = 0;
        struct slice text = slice_trim(slice_from(line, 4));
        bool more = line.len > 3 && line.data[3] == '-';
        bool good = slice_parse_u64(slice_sub(line, 0, 3), 599, &code) == OK && code >= 200;
        t->reply->code = (unsigned)code;
        snprintf(t->reply->text, sizeof t->reply->text, "%.*s", SLICE_ARG(text));
        buf_consume(&t->in, line.len);
        if (!good)
            return INVALID;
        if (!more)
            return OK;
    }
    return LIMIT;
}

/* One command and its reply; the command's bytes are in `out`. */
static enum result ask(struct talk *t, struct buf *out)
{
    enum result r = buf_ok(out) ? send_all(t, buf_slice(out)) : LIMIT;
    buf_reset(out);
    return r == OK ? read_reply(t) : r;
}

static bool is_good(const struct talk *t)
{
    return t->reply->code / 100 == 2;
}

/* The greeting, EHLO and MAIL. OK with a code that is not 2xx: refused. */
static enum result begin(struct talk *t, const struct drop *d, struct buf *out)
{
    enum result r = read_reply(t);
    if (r != OK || !is_good(t))
        return r;
    buf_puts(out, "EHLO localhost\r\n");
    r = ask(t, out);
    if (r != OK || !is_good(t))
        return r;
    buf_printf(out, "MAIL FROM:<%.*s>", SLICE_ARG(d->sender));
    if (d->message.len)
        buf_printf(out, " SIZE=%zu", d->message.len);
    if (d->ret.len)
        buf_printf(out, " RET=%.*s", SLICE_ARG(d->ret));
    if (d->envid.len)
        buf_printf(out, " ENVID=%.*s", SLICE_ARG(d->envid));
    buf_puts(out, d->smtputf8 ? " SMTPUTF8" : "");
    buf_puts(out, d->eightbit ? " BODY=8BITMIME\r\n" : "\r\n");
    return ask(t, out);
}

/* All recipients. With a message to follow it stops at the first that can't be told about now. */
static enum result name_rcpts(struct talk *t, const struct drop *d, bool verify, struct buf *out,
                              drop_told_fn *told, void *arg, size_t *taken)
{
    for (size_t i = 0; i < d->rcpts.n; i++) {
        buf_printf(out, "RCPT TO:<%.*s>", SLICE_ARG(d->rcpts.items[i]));
        if (d->notify.len)
            buf_printf(out, " NOTIFY=%.*s", SLICE_ARG(d->notify));
        buf_puts(out, "\r\n");
        enum result r = ask(t, out);
        if (r != OK)
            return r;
        if (verify || t->reply->code / 100 == 5)
            told(arg, d->rcpts.items[i], t->reply->code, slice_cstr(t->reply->text));
        if (is_good(t))
            ++*taken;
        else if (!verify && t->reply->code / 100 != 5)
            return OK;
    }
    return OK;
}

static enum result say(struct talk *t, const struct drop *d, bool verify, struct buf *out,
                       drop_told_fn *told, void *arg)
{
    size_t taken = 0;
    enum result r = begin(t, d, out);
    if (r != OK || !is_good(t))
        return r;
    r = name_rcpts(t, d, verify, out, told, arg, &taken);
    bool later = !verify && !is_good(t) && t->reply->code / 100 != 5;
    if (r != OK || later || verify || taken == 0) {
        t->reply->taken = later ? 0 : taken;
        return r;
    }
    buf_printf(out, "BDAT %zu LAST\r\n", d->message.len);
    r = send_all(t, buf_slice(out));
    if (r == OK)
        r = send_all(t, d->message);
    if (r == OK)
        r = read_reply(t);
    t->reply->taken = r == OK && is_good(t) ? taken : 0;
    return r;
}

static enum result converse(int fd, const struct drop *d, bool verify, drop_told_fn *told,
                            void *arg, struct drop_reply *ret)
{
    struct talk t = {.fd = fd, .reply = ret};
    struct buf out;
    *ret = (struct drop_reply){.code = 451, .text = "no answer"};
    buf_init(&t.in, REPLY_MAX);
    buf_init(&out, REPLY_MAX);
    enum result r = say(&t, d, verify, &out, told, arg);
    if (r != OK) {
        ret->code = 451;
        ret->taken = 0;
        snprintf(ret->text, sizeof ret->text, "4.3.0 the connection to the server broke: %s",
                 result_name(r));
    } else if (send_all(&t, SLICE("QUIT\r\n")) == OK) {
        shutdown(fd, SHUT_WR);
    }
    buf_release(&t.in);
    buf_release(&out);
    return r;
}

enum result drop_send(int fd, const struct drop *d, drop_told_fn *told, void *arg,
                      struct drop_reply *ret)
{
    return converse(fd, d, false, told, arg, ret);
}

enum result drop_verify(int fd, const struct drop *d, drop_told_fn *told, void *arg,
                        struct drop_reply *ret)
{
    return converse(fd, d, true, told, arg, ret);
}
