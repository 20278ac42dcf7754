/* pickup_child.c: one file of the folder maildrop. Whoever laid it there may try to have somebody
 * else's file read (a link) or to keep us waiting (a pipe): so it must be a plain file with one
 * name, and all that is read of it is read with its owner's rights. */
#include "role/agent/pickup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "mime/header.h"
#include "os/fds.h"
#include "queue/dsn.h"
#include "submit/drop.h"

enum { ARENA_MAX = 64 << 20, TOLD_MAX = DROP_RCPTS_MAX };

/* What was said of a recipient that the sender is to be told of. */
struct told {
    enum dsn_action action;
    struct slice rcpt, status, text;
};

struct picking {
    const struct conf *conf;
    struct arena arena;
    struct buf bytes;
    struct drop drop;
    struct told *told;
    size_t n_told;
    unsigned uid;
    char socket[4096];
};

static void say(struct buf *answer, char verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void say(struct buf *answer, char verdict, const char *format, ...)
{
    va_list ap;
    buf_reset(answer);
    buf_putc(answer, verdict);
    va_start(ap, format);
    buf_vprintf(answer, format, ap);
    va_end(ap);
}

/* ---- the file ---- */

static bool open_file(struct picking *p, const char *name, int *ret_fd, struct buf *answer)
{
    char path[4096];
    struct stat st;
    snprintf(path, sizeof path, "%.*s/maildrop/%s", SLICE_ARG(p->conf->state_directory), name);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int why = errno;
        fd_close(&fd);
        say(answer, why == ELOOP || why == ENXIO ? 'X' : 'L', "open: %s", strerror(why));
        return false;
    }
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1) {
        close(fd);
        say(answer, 'X', "uid %u: not a plain file with one name", (unsigned)st.st_uid);
        return false;
    }
    p->uid = st.st_uid;
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(st.st_gid, st.st_gid, st.st_gid) ||
                           setresuid(st.st_uid, st.st_uid, st.st_uid) != 0)) {
        say(answer, 'L', "becoming uid %u: %s", p->uid, strerror(errno));
        close(fd);
        return false;
    }
    *ret_fd = fd;
    return true;
}

static size_t most_bytes(const struct conf *c)
{
    size_t limit = c->message_size_limit ? (size_t)c->message_size_limit : DROP_MESSAGE_MAX;
    return (limit < DROP_MESSAGE_MAX ? limit : DROP_MESSAGE_MAX) + DROP_HEAD_MAX;
}

static bool read_file(struct picking *p, int fd, struct buf *answer)
{
    struct error err = {""};
    buf_init(&p->bytes, most_bytes(p->conf));
    enum result r = fd_read_all(fd, most_bytes(p->conf), &p->bytes);
    if (r == LIMIT)
        say(answer, 'X', "uid %u: larger than message_size_limit", p->uid);
    else if (r != OK)
        say(answer, 'L', "uid %u: read: %s", p->uid, strerror(errno));
    else if (drop_parse(buf_slice(&p->bytes), &p->arena, &p->drop, &err) != OK)
        say(answer, 'X', "uid %u: %s", p->uid, err.text);
    else
        return true;
    return false;
}

/* ---- handing over ---- */

/* "5.1.1 text": the status and the words. */
static void tell(struct picking *p, enum dsn_action action, struct slice rcpt, struct slice text)
{
    if (p->n_told == TOLD_MAX)
        return;
    struct slice words = arena_dup(&p->arena, text);
    struct slice status = slice_sub(words, 0, slice_find(words, ' '));
    p->told[p->n_told++] = (struct told){action, rcpt, status, words};
}

static void refuse(void *arg, struct slice rcpt, unsigned code, struct slice text)
{
    (void)code;
    tell(arg, DSN_FAILED, rcpt, text);
}

static void judge(void *arg, struct slice rcpt, unsigned code, struct slice text)
{
    tell(arg, code / 100 == 2 ? DSN_DELIVERABLE : DSN_UNDELIVERABLE, rcpt, text);
}

/* The same reply holds for all. */
static void tell_all(struct picking *p, enum dsn_action action, const struct drop_reply *reply)
{
    p->n_told = 0;
    for (size_t i = 0; i < p->drop.rcpts.n; i++)
        tell(p, action, p->drop.rcpts.items[i], slice_cstr(reply->text));
}

static struct slice completed(struct picking *p, struct slice address)
{
    if (slice_find(address, '@') != SIZE_MAX)
        return address;
    return slice_cstr(
        arena_printf(&p->arena, "%.*s@%.*s", SLICE_ARG(address), SLICE_ARG(p->conf->myorigin)));
}

static enum result build_notice(struct picking *p, bool expired, struct buf *out)
{
    struct dsn_rcpt *rcpts = arena_alloc_n(&p->arena, p->n_told, sizeof *rcpts);
    int64_t now = clock_realtime_s();
    if (!rcpts)
        return FAILED;
    for (size_t i = 0; i < p->n_told; i++)
        rcpts[i] = (struct dsn_rcpt){.action = p->told[i].action,
                                     .address = completed(p, p->told[i].rcpt),
                                     .status = p->told[i].status,
                                     .reply = p->told[i].text,
                                     .attempted_s = now,
                                     .expired = expired};
    struct dsn d = {
        .id = log_id_new(),
        .message = log_id_new(),
        .reporting_mta = p->conf->myhostname,
        .system = p->conf->mail_name,
        .mailer_domain = p->conf->myorigin,
        .sender = completed(p, p->drop.sender),
        .envid = p->drop.envid,
        .arrived_s = now,
        .now_s = now,
        .smtputf8 = p->drop.smtputf8,
        .rcpts = rcpts,
        .n_rcpts = p->n_told,
        .returned = slice_sub(p->drop.message, 0, header_length(p->drop.message)),
    };
    d.whole = p->drop.message.len <= DSN_RETURN_DEFAULT && !slice_is_nocase(p->drop.ret, "HDRS");
    if (d.whole)
        d.returned = p->drop.message;
    return dsn_build(&d, out);
}

static void ignore_refusal(void *arg, struct slice rcpt, unsigned code, struct slice text)
{
    (void)arg, (void)rcpt, (void)code, (void)text;
}

/* False: it could not be sent for now. *ret_words: for the log, what became of the notice. */
static bool send_notice(struct picking *p, bool expired, const char **ret_words)
{
    struct buf message;
    struct drop_reply reply = {.code = 451};
    struct error err;
    int fd;
    bool wanted = p->drop.probe || dsn_wants(p->drop.notify, DSN_WISH_FAILURE);
    if (p->drop.sender.len == 0 || !wanted) {
        *ret_words = "nobody wants a notice";
        return true;
    }
    buf_init(&message, DSN_RETURN_MAX * 4);
    enum result r = build_notice(p, expired, &message);
    if (r == OK)
        r = drop_connect(p->socket, &fd, &err);
    if (r == OK) {
        struct drop notice = {.sender = SLICE(""),
                              .smtputf8 = p->drop.smtputf8,
                              .eightbit = p->drop.eightbit,
                              .rcpts = {&p->drop.sender, 1},
                              .message = buf_slice(&message)};
        r = drop_send(fd, &notice, ignore_refusal, NULL, &reply);
        close(fd);
    }
    buf_release(&message);
    *ret_words = r == OK && reply.taken ? "a notice went to the sender" : "no notice could be sent";
    return r == OK && reply.code / 100 != 4;
}

static void hand_over(struct picking *p, bool last_try, struct buf *answer)
{
    struct error err = {""};
    struct drop_reply reply;
    int fd;
    if (drop_connect(p->socket, &fd, &err) != OK) {
        say(answer, 'L', "%s", err.text);
        return;
    }
    enum result r = drop_send(fd, &p->drop, refuse, p, &reply);
    close(fd);
    bool later = r != OK || reply.code / 100 == 4;
    if (later && !last_try) {
        say(answer, 'L', "uid %u: %u %s", p->uid, reply.code, reply.text);
        return;
    }
    if (later || (reply.taken == 0 && p->n_told == 0))
        tell_all(p, DSN_FAILED, &reply);
    const char *notice = "";
    if (p->n_told)
        (void)send_notice(p, later, &notice);
    say(answer, 'K', "uid %u: %zu recipients taken, %zu refused %s (%.200s)", p->uid, reply.taken,
        p->n_told, notice, reply.text);
}

/* Asks about the recipients, and sends what was said to the sender. */
static void probe(struct picking *p, bool last_try, struct buf *answer)
{
    struct error err = {""};
    struct drop_reply reply;
    int fd;
    if (drop_connect(p->socket, &fd, &err) != OK) {
        say(answer, 'L', "%s", err.text);
        return;
    }
    p->n_told = 0;
    enum result r = drop_verify(fd, &p->drop, judge, p, &reply);
    close(fd);
    if (r != OK && !last_try) {
        say(answer, 'L', "uid %u: %u %s", p->uid, reply.code, reply.text);
        return;
    }
    if (r != OK || p->n_told == 0)
        tell_all(p, DSN_UNDELIVERABLE, &reply);
    const char *notice;
    bool done = send_notice(p, false, &notice) || last_try;
    say(answer, done ? 'K' : 'L', "uid %u: %zu recipients asked about, %s", p->uid, p->n_told,
        notice);
}

void pickup_run(const struct pickup_file *f, struct buf *answer)
{
    struct picking p = {.conf = f->conf};
    int fd = -1;
    arena_init(&p.arena, ARENA_MAX);
    p.told = arena_alloc_n(&p.arena, TOLD_MAX, sizeof *p.told);
    snprintf(p.socket, sizeof p.socket, "%.*s/sendmail", SLICE_ARG(f->conf->state_directory));
    if (!p.told) {
        say(answer, 'L', "no memory");
        return;
    }
    if (open_file(&p, f->name, &fd, answer) && read_file(&p, fd, answer))
        (p.drop.probe ? probe : hand_over)(&p, f->last_try, answer);
    /* The child ends here: what it holds ends with it. */
}
