/* submit.c: may a program of this machine send this (service "sendmail")? Its client is a user that
 * the kernel names, so it may send anywhere, as with Postfix's pickup, whose mail passes no
 * restriction of smtpd's. */
#include "role/auth/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "conf/users.h"

bool auth_is_submit_socket(const struct auth_role *a, int fd)
{
    struct sockaddr_un name = {0};
    char expected[sizeof name.sun_path + 1];
    socklen_t len = sizeof name;
    const struct conf *c = role_conf(a->role);
    snprintf(expected, sizeof expected, "%.*s/sendmail", SLICE_ARG(c->state_directory));
    conf_unref(c);
    return getsockname(fd, (struct sockaddr *)&name, &len) == 0 && name.sun_family == AF_UNIX &&
           strncmp(name.sun_path, expected, sizeof name.sun_path) == 0;
}

static struct slice_list allowed(const struct conf *c)
{
    return c->authorized_submit_users;
}

enum submitter auth_submitter(const struct auth_role *a, const struct ipc_message *m,
                              unsigned *ret_uid)
{
    struct ucred who;
    socklen_t len = sizeof who;
    if (m->n_fds == 0 || !slice_is(m->RCPT_CHECK.service, "sendmail") ||
        !auth_is_submit_socket(a, m->fds[0]) ||
        getsockopt(m->fds[0], SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
        return SUBMITTER_UNPROVEN;
    const struct conf *c = role_conf(a->role);
    bool anyone = conf_users_anyone(allowed(c)), none = allowed(c).n == 0;
    conf_unref(c);
    *ret_uid = who.uid;
    if (anyone || who.uid == 0)
        return SUBMITTER_MAY;
    return none ? SUBMITTER_DENIED : SUBMITTER_ASK;
}

struct submitter_question {
    void (*done)(void *arg, enum submitter s);
    void *arg;
};

static void told(void *arg, struct ipc_message *m)
{
    struct submitter_question *q = arg;
    enum submitter s = SUBMITTER_LATER;
    if (m->type == IPC_USER_RESULT && m->USER_RESULT.code <= 1)
        s = m->USER_RESULT.code == 0 ? SUBMITTER_MAY : SUBMITTER_DENIED;
    q->done(q->arg, s);
    free(q);
}

void auth_submitter_ask(struct auth_role *a, unsigned uid,
                        void (*done)(void *arg, enum submitter s), void *arg)
{
    struct submitter_question *q = malloc(sizeof *q);
    if (!q) {
        done(arg, SUBMITTER_LATER);
        return;
    }
    *q = (struct submitter_question){done, arg};
    const struct conf *c = role_conf(a->role);
    struct ipc_message m = {.type = IPC_USER_CHECK, .USER_CHECK = {uid, allowed(c)}};
    ipc_request(a->role->peers[ROLE_AGENT], &m, told, q);
    conf_unref(c);
}

static struct decision refuse(unsigned code, const char *enhanced, struct slice rcpt,
                              const char *why, const char *rule, struct slice where,
                              struct arena *a)
{
    const char *text =
        arena_printf(a, "<%.*s>: Recipient address rejected: %s", SLICE_ARG(rcpt), why);
    return (struct decision){.code = code,
                             .enhanced = slice_cstr(enhanced),
                             .text = slice_cstr(text ? text : why),
                             .rule = slice_cstr(rule),
                             .where = where};
}

struct decision auth_submission_decide(const struct resolved *r, enum submitter who,
                                       struct slice rcpt, struct arena *a)
{
    if (who == SUBMITTER_LATER)
        return refuse(451, "4.3.0", rcpt, "Temporary lookup failure", "authorized_submit_users",
                      SLICE(""), a);
    if (who != SUBMITTER_MAY)
        return refuse(554, "5.7.1", rcpt, "you may not send mail from here",
                      "authorized_submit_users", SLICE(""), a);
    switch (r->kind) {
    case RESOLVE_LOCAL:
    case RESOLVE_FOREIGN:
        return (struct decision){.code = 250,
                                 .enhanced = SLICE("2.1.5"),
                                 .text = SLICE("Ok"),
                                 .rule = SLICE("local_submission"),
                                 .where = r->where};
    case RESOLVE_UNKNOWN:
        return refuse(550, "5.1.1", rcpt, "User unknown", "reject_unlisted_recipient", r->where, a);
    case RESOLVE_MALFORMED:
        return refuse(501, "5.1.3", rcpt, "Bad recipient address syntax",
                      "reject_malformed_recipient", SLICE(""), a);
    case RESOLVE_BROKEN:
        return refuse(451, "4.3.5", rcpt, "Server configuration error", "alias_maps", r->where, a);
    default:
        return refuse(451, "4.3.0", rcpt, "Temporary lookup failure", "local_recipient", SLICE(""),
                      a);
    }
}
