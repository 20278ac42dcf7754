/* drop.h: how a message of a program of this machine comes in (sendmail(1), cron, PHP): over the
 * socket `sendmail` in state_directory while the server runs, else as a file in its folder
 * `maildrop`, which the server looks at when it starts and while it runs. Used by the command line
 * (cli/faces/) and by the agent role, which brings what lies in the folder.
 *
 * Nothing here needs rights of its own. The socket tells the server who its client is
 * (SO_PEERCRED). The folder has mode 1733: anybody can lay a file in it, nobody but root can see
 * what is there, and a file is read and changed by its owner alone (mode 0600, sticky folder). A
 * file that begins with
 * "." is still being written; renamed, it is complete. docs/formats/maildrop.md has the format. */
#ifndef SUBMIT_DROP_H
#define SUBMIT_DROP_H

#include "base/arena.h"
#include "base/buf.h"

enum {
    DROP_RCPTS_MAX = 1000,  /* of one file or dialogue; more are split */
    DROP_ADDRESS_MAX = 900, /* bytes */
    DROP_HEAD_MAX = 2 << 20 /* bytes before the message */
};
#define DROP_MESSAGE_MAX ((size_t)1 << 30)

/* Slices are the caller's (drop_parse: they point into the file). */
struct drop {
    struct slice sender;             /* "": the null sender; the server completes the domain */
    struct slice ret, envid, notify; /* RFC 3461, "" when not given */
    bool smtputf8, eightbit;
    bool probe; /* not to be delivered: the sender is told what would become of it */
    struct slice_list rcpts;
    struct slice message; /* with CRLF line ends */
};

/* May the text stand in an envelope? No control characters, not too long. */
bool drop_address_ok(struct slice address);

/* ---- file.c ---- */

/* The head of a file; the message follows it. LIMIT: too long. */
MUST_USE enum result drop_format_head(const struct drop *d, struct buf *out);
/* A whole file taken apart; lists come from the arena. INVALID: err says what is wrong. */
MUST_USE enum result drop_parse(struct slice file, struct arena *a, struct drop *ret,
                                struct error *err);
/* Lays it into the folder; when it returns OK file and name are durable. */
MUST_USE enum result drop_write(const char *folder, const struct drop *d, struct error *err);

/* ---- dialogue.c ---- */

/* A connection to the socket, with time-outs. NOT_FOUND: nobody listens there. */
MUST_USE enum result drop_connect(const char *path, int *ret_fd, struct error *err);

struct drop_reply {
    unsigned code; /* 250; 4xx: nothing was taken, later; 5xx: refused for good */
    size_t taken;  /* recipients that the message went to, when code is 250 */
    char text[400];
};
/* What was said of a recipient: drop_send calls it for those that are refused for good. */
typedef void drop_told_fn(void *arg, struct slice rcpt, unsigned code, struct slice text);

/* Hands one message over. With a recipient that can't be told about now (4xx) nothing is taken.
 * *ret is set whatever is returned; CLOSED, FAILED: the connection broke, and ret->code is 451. */
enum result drop_send(int fd, const struct drop *d, drop_told_fn *refused, void *arg,
                      struct drop_reply *ret);
/* As drop_send, without a message: are these recipients good? `told` is called with the reply to
 * each of them, whatever it is, as long as the connection holds; ret->taken counts the good ones.
 * Where the sender is refused none is asked for: ret->code says it. */
enum result drop_verify(int fd, const struct drop *d, drop_told_fn *told, void *arg,
                        struct drop_reply *ret);

#endif
