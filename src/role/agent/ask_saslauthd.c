/* ask_saslauthd.c: asks a running saslauthd, as Cyrus' libsasl does. */
#include "proto/auth/saslauthd.h"
#include "role/agent/agent.h"

/* user@realm: Cyrus gives saslauthd the two apart. */
static void put_question(const char *user, struct slice local_domain, const char *password,
                         struct buf *out)
{
    struct slice realm = slice_cstr(user);
    struct saslauthd_question q = {.password = slice_cstr(password), .service = SLICE("smtp")};
    q.login = slice_split(&realm, '@');
    q.realm = realm.data ? realm : local_domain;
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
            return AGENT_UNASKED;
        }
        r = saslauthd_parse_answer(buf_slice(&in), &right, &text);
    }
    if (r != OK)
        buf_puts(reason, "saslauthd's answer is malformed");
    else
        buf_append(reason, slice_sub(text, 0, 100));
    buf_release(&in);
    return r != OK ? AGENT_UNASKED : right ? AGENT_RIGHT : AGENT_WRONG;
}

int agent_ask_saslauthd(const char *path, const char *user, struct slice local_domain,
                        const char *password, struct buf *reason)
{
    struct buf out;
    buf_init(&out, SASLAUTHD_QUESTION_MAX);
    put_question(user, local_domain, password, &out);
    return agent_ask_socket(path, &out, read_verdict, reason);
}
