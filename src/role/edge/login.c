#include "role/edge/login.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "role/edge/proxy.h"

bool login_start_password(struct conn *c, struct slice user, struct slice password)
{
    struct buf plain;
    if (slice_find(user, 0) != SIZE_MAX || slice_find(password, 0) != SIZE_MAX)
        return false;
    buf_init(&plain, 32 * 1024);
    size_t room;
    char *at = buf_reserve(&plain, user.len + password.len + 2, &room);
    if (!at)
        return false;
    buf_putc(&plain, 0);
    buf_append(&plain, user);
    buf_putc(&plain, 0);
    buf_append(&plain, password);
    conn_auth_start(c, c->protocol->name, SLICE("PLAIN"), true, buf_slice(&plain));
    explicit_bzero(plain.mem, plain.size);
    buf_release(&plain);
    return true;
}

enum login_step login_auth_answered(struct conn *c, const struct conn_answer *a)
{
    bool answered = a->type == IPC_AUTH_RESULT;
    if (answered && a->auth.outcome == AUTH_CHALLENGE)
        return LOGIN_CHALLENGE;
    conn_log_auth(c, a);
    if (answered && a->auth.outcome == AUTH_OK && conn_set_login(c, &a->auth))
        return LOGIN_DONE;
    return LOGIN_REFUSED;
}

/* The fd that mailbox gets: the socket, or one end of a pair when TLS stays here. */
static int fd_to_give(struct conn *c)
{
    int pair[2];
    c->login.inner_fd = -1;
    if (!c->stream.tls)
        return c->stream.fd;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    c->login.inner_fd = pair[0];
    return pair[1];
}

enum conn_next login_hand_over(struct conn *c, struct slice tag, struct slice client_id)
{
    struct ipc_message m = {.type = IPC_LOGGED_IN, .n_fds = 1};
    struct buf tls;
    buf_init(&tls, 256);
    if (c->stream.tls)
        tls_describe(c->stream.tls, &tls);
    m.LOGGED_IN = (struct ipc_LOGGED_IN){
        .conn = c->id,
        .service = slice_cstr(c->protocol->name),
        .account = slice_cstr(c->account),
        .login = slice_cstr(c->login_name),
        .grant = c->grant,
        .client_ip = slice_cstr(c->ip),
        .tag = tag,
        .tls = buf_slice(&tls),
        .pending = buf_slice(&c->in),
        .client_id = client_id,
    };
    m.fds[0] = fd_to_give(c);
    c->login.handing_over = true;
    if (m.fds[0] >= 0) {
        conn_request(c, ROLE_MAILBOX, &m);
        if (c->stream.tls)
            close(m.fds[0]);
    } else {
        struct ipc_message failed = {.type = IPC_FAILURE};
        conn_answer_myself(c, &failed);
    }
    buf_release(&tls);
    return CONN_ANSWER;
}

enum conn_next login_handed_over(struct conn *c, const struct conn_answer *a, bool *ret_limit)
{
    bool answered = a->type == IPC_LOGGED_IN_RESULT;
    c->login.handing_over = false;
    *ret_limit = answered && a->logged_in.code == LOGIN_TOO_MANY;
    if (!answered || a->logged_in.code != LOGIN_TAKEN) {
        LOG(LOG_WARNING, "login.refused", LOG_CTX(conn_ctx(c)),
            LOG_S("account", slice_cstr(c->account)),
            LOG_S("why", answered ? a->logged_in.text : SLICE("mailbox did not answer")));
        if (c->login.inner_fd >= 0)
            close(c->login.inner_fd);
        c->login.inner_fd = -1;
        return CONN_INPUT;
    }
    LOG(LOG_INFO, "login", LOG_CTX(conn_ctx(c)), LOG_C("service", c->protocol->name),
        LOG_S("account", slice_cstr(c->account)), LOG_U("tls", c->stream.tls != NULL));
    if (c->stream.tls) {
        proxy_take(c, c->login.inner_fd);
        return CONN_GONE;
    }
    conn_dissolve(c);
    return CONN_GONE;
}
