/* login.c: edge hands over a connection whose user has proven who they are to auth. Its token is
 * checked here: edge is not believed. */
#include <unistd.h>

#include "base/clock.h"
#include "role/mailbox/mailbox.h"

static const struct session_protocol *protocol_of(struct slice service)
{
    if (slice_is(service, session_imap.name))
        return &session_imap;
    if (slice_is(service, session_pop3.name))
        return &session_pop3;
    return NULL;
}

static enum result check_token(struct mailbox_role *m, const struct ipc_LOGGED_IN *l)
{
    return grant_login_check(&m->role->grant_key, m->seen_logins, l->grant, l->conn, l->account,
                             l->service, clock_realtime_s());
}

static enum result admit(struct mailbox_role *m, const struct ipc_LOGGED_IN *l,
                         struct account **ret, const char **ret_why)
{
    enum result r = check_token(m, l);
    if (r != OK) {
        *ret_why = "Internal error: the login could not be confirmed.";
        return r;
    }
    const struct conf *c = role_conf(m->role);
    int64_t most = c->mail_max_userip_connections;
    conf_unref(c);
    r = session_count_in(m, l->service, l->account, l->client_ip, most);
    if (r != OK) {
        *ret_why = "Maximum number of connections from user+IP exceeded "
                   "(mail_max_userip_connections).";
        return r;
    }
    r = account_open(m->store, l->account, ret);
    if (r != OK) {
        *ret_why = "Internal error: the mailbox could not be opened. Try again later.";
        session_count_out(m, l->service, l->account, l->client_ip);
    }
    return r;
}

void mailbox_logged_in(struct mailbox_role *m, struct ipc_channel *from, struct ipc_message *msg)
{
    const struct ipc_LOGGED_IN *l = &msg->LOGGED_IN;
    const struct session_protocol *p = protocol_of(l->service);
    struct ipc_message answer = {.type = IPC_LOGGED_IN_RESULT};
    struct account *account = NULL;
    const char *why = "Internal error.";
    enum result r = p && msg->n_fds == 1 ? admit(m, l, &account, &why) : INVALID;
    if (r == OK) {
        int fd = msg->fds[0];
        msg->fds[0] = -1;
        r = session_new(m, fd, p, account, l);
    }
    if (r != OK) {
        LOG(r == LIMIT ? LOG_WARNING : LOG_ERROR, "session.refused",
            LOG_C("conn", log_id(l->conn).text), LOG_S("account", l->account),
            LOG_S("service", l->service), LOG_S("client", l->client_ip),
            LOG_C("result", result_name(r)), LOG_C("reason", why));
        answer.LOGGED_IN_RESULT = (struct ipc_LOGGED_IN_RESULT){
            r == LIMIT ? LOGIN_TOO_MANY : LOGIN_UNAVAILABLE, slice_cstr(why)};
    }
    ipc_answer(from, msg->call, &answer);
}
