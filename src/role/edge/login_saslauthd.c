/* login_saslauthd.c: answers saslauthd's questions: programs of this host that ask whether a
 * password is right (Cyrus SASL, OpenLDAP, sendmail, Exim). One question a connection, as saslauthd
 * has it. */
#include "proto/auth/saslauthd.h"
#include "role/edge/login.h"

#include <sys/socket.h>

enum { OUT_MAX = SASLAUTHD_ANSWER_MAX + 1 };

static void open_session(struct conn *c)
{
    c->login.inner_fd = -1;
}

static enum conn_next say(struct conn *c, const char *text)
{
    saslauthd_put_answer(text, &c->out);
    return CONN_CLOSE;
}

/* saslauthd -r: the realm belongs to the login, unless that names its own. */
static bool put_login(const struct saslauthd_question *q, struct buf *out)
{
    buf_append(out, q->login);
    if (q->realm.len && slice_find(q->login, '@') == SIZE_MAX) {
        buf_putc(out, '@');
        buf_append(out, q->realm);
    }
    return buf_ok(out);
}

static enum conn_next work(struct conn *c)
{
    struct saslauthd_question q;
    enum result r = saslauthd_parse(buf_slice(&c->in), &q);
    if (r == BUSY)
        return CONN_INPUT;
    struct buf login;
    buf_init(&login, SASL_NAME_MAX);
    bool asked =
        r == OK && put_login(&q, &login) && login_start_password(c, buf_slice(&login), q.password);
    buf_release(&login);
    if (c->in.mem)
        explicit_bzero(c->in.mem, c->in.size);
    buf_clear(&c->in);
    c->end_reason = asked ? "answered" : "malformed question";
    return asked ? CONN_ANSWER : say(c, "NO");
}

/* An environment that failed is a NO too: the protocol has no other word. */
static enum conn_next answer(struct conn *c, const struct conn_answer *a)
{
    return say(c, login_auth_answered(c, a) == LOGIN_DONE ? "OK" : "NO authentication failed");
}

static void nothing(struct conn *c)
{
    (void)c;
}

static void bye(struct conn *c, const char *why)
{
    (void)c;
    (void)why;
}

const struct conn_protocol conn_saslauthd = {
    .name = "saslauthd",
    .in_max = SASLAUTHD_QUESTION_MAX + 1,
    .out_max = OUT_MAX,
    .open = open_session,
    .work = work,
    .answer = answer,
    .tls_started = nothing,
    .bye = bye,
    .release = nothing,
};
