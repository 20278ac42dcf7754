/* ask_saslauthd.c: asks a running saslauthd, as Cyrus' libsasl does. */
#include "proto/auth/saslauthd.h"
#include "role/agent/agent.h"

#include <unistd.h>

enum { RIGHT = 0, WRONG = 1, UNASKED = 2 };

/* user@realm: Cyrus gives saslauthd the two apart. */
static void put_question(const char *user, const char *password, struct buf *out)
{
    struct slice realm = slice_cstr(user);
    struct saslauthd_question q = {.password = slice_cstr(password), .service = SLICE("smtp")};
    q.login = slice_split(&realm, '@');
    q.realm = realm.data ? realm : SLICE("");
    saslauthd_put_question(&q, out);
}

static int read_verdict(int fd, struct buf *reason)
{
    struct buf in;
    bool right = false;
    struct slice text;
    buf_init(&in, SASLAUTHD_ANSWER_MAX + 1);
    enum result r = BUSY;
    while (r == BUSY) {
        if (!agent_read(fd, &in, reason)) {
            buf_release(&in);
            return UNASKED;
        }
        r = saslauthd_parse_answer(buf_slice(&in), &right, &text);
    }
    if (r != OK)
        buf_puts(reason, "saslauthd's answer is malformed");
    else
        buf_append(reason, slice_sub(text, 0, 100));
    buf_release(&in);
    return r != OK ? UNASKED : right ? RIGHT : WRONG;
}

int agent_ask_saslauthd(const char *path, const char *user, const char *password,
                        struct buf *reason)
{
    struct buf out;
    int code = UNASKED, fd = agent_connect(path, reason);
    if (fd < 0)
        return UNASKED;
    buf_init(&out, SASLAUTHD_QUESTION_MAX);
    put_question(user, password, &out);
    if (buf_ok(&out) && agent_write(fd, buf_slice(&out), reason))
        code = read_verdict(fd, reason);
    if (out.mem)
        explicit_bzero(out.mem, out.size);
    buf_release(&out);
    close(fd);
    return code;
}
