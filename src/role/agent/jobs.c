/* jobs.c: auth's questions as jobs of children. A child's answer is one byte, '0' to '2' (the code
 * of the IPC answer), and a reason. */
#include "auth/databases.h"
#include "base/log.h"
#include "role/agent/agent.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_MAX = 1100 };

struct question {
    struct agent_job job;
    struct ipc_channel *channel;
    uint64_t call;
    char driver[16], service[256], user[256], client_ip[64], protocol[16];
    uint64_t first_uid, last_uid;
    const struct conf *conf; /* for the databases; the question's reference */
    uint32_t item;
    bool of_userdb;
    char password[TEXT_MAX];
};

static void free_question(struct question *q)
{
    conf_unref(q->conf);
    explicit_bzero(q, sizeof *q);
    free(q);
}

static bool set_text(char *to, size_t size, struct slice from)
{
    if (from.len >= size || slice_find(from, '\0') != SIZE_MAX)
        return false;
    if (from.len)
        memcpy(to, from.data, from.len);
    to[from.len] = '\0';
    return true;
}

static void write_answer(int out, int code, struct slice reason)
{
    char text[CHILD_OUTPUT_MAX];
    size_t n = reason.len < sizeof text - 1 ? reason.len : sizeof text - 1;
    text[0] = (char)('0' + code);
    if (n)
        memcpy(text + 1, reason.data, n);
    /* One write of less than PIPE_BUF: it is whole or not there. */
    if (write(out, text, n + 1) != (ssize_t)(n + 1))
        _exit(1);
}

static int check_password(const struct question *q, struct buf *reason)
{
    char path[256];
    if (strcmp(q->driver, "saslauthd") == 0) {
        auth_socket_path(q->conf, DRIVER_SASLAUTHD, path, sizeof path);
        return agent_ask_saslauthd(path, q->user, q->conf->smtpd_sasl_local_domain, q->password,
                                   reason);
    }
    if (strcmp(q->driver, "dovecot") == 0) {
        auth_socket_path(q->conf, DRIVER_DOVECOT, path, sizeof path);
        return agent_ask_dovecot(path, q->user, q->password, q->client_ip, reason);
    }
    if (strcmp(q->driver, "pam") == 0)
        return agent_pam_check(NULL, q->service, q->user, q->password, q->client_ip, reason);
    return agent_hash_check(strcmp(q->driver, "shadow") == 0, q->user, q->password, reason);
}

/* Programs of this host, which need no root to be asked and know no user numbers. */
static bool is_neighbour(struct slice driver)
{
    return slice_is(driver, "saslauthd") || slice_is(driver, "dovecot");
}

static bool is_server(const struct question *q)
{
    return strcmp(q->driver, "sql") == 0 || strcmp(q->driver, "ldap") == 0;
}

/* The item of passdb or userdb that auth names: how databases are asked is the configuration's
 * alone. */
static struct slice item_of(const struct question *q)
{
    struct slice_list items = q->of_userdb ? q->conf->userdb : q->conf->passdb;
    return q->item < items.n ? items.items[q->item] : SLICE("");
}

static struct format_names names_of(const struct question *q)
{
    return (struct format_names){.user = slice_cstr(q->user),
                                 .service = slice_cstr(q->protocol),
                                 .client_ip = slice_cstr(q->client_ip),
                                 .password = slice_cstr(q->password)};
}

static void run_password(const struct agent_job *job, int out)
{
    const struct question *q = CONTAINER_OF(job, struct question, job);
    struct buf reason;
    buf_init(&reason, CHILD_OUTPUT_MAX / 2);
    struct format_names names = names_of(q);
    int code = is_server(q) ? agent_lookup_password(item_of(q), &names, &reason)
                            : check_password(q, &reason);
    if (code == 0 && !is_server(q) && !is_neighbour(slice_cstr(q->driver)))
        code = agent_uid_check(q->user, q->first_uid, q->last_uid, &reason);
    write_answer(out, code, buf_slice(&reason));
    buf_release(&reason);
}

static void run_account(const struct agent_job *job, int out)
{
    const struct question *q = CONTAINER_OF(job, struct question, job);
    struct format_names names = names_of(q);
    if (is_server(q)) {
        struct buf reason;
        buf_init(&reason, CHILD_OUTPUT_MAX / 2);
        int code = agent_lookup_account(item_of(q), q->of_userdb, &names, &reason);
        write_answer(out, code, buf_slice(&reason));
        buf_release(&reason);
        return;
    }
    errno = 0;
    const struct passwd *pw = getpwnam(q->user);
    /* POSIX: NULL with errno 0 is "no such user"; some sources say ENOENT and the like. */
    bool unasked = !pw && (errno == EIO || errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
                           errno == EAGAIN || errno == ETIMEDOUT || errno == ECONNREFUSED);
    write_answer(out, pw ? 0 : unasked ? 2 : 1, SLICE(""));
}

/* The child's words, or what became of it. */
static uint8_t read_code(struct slice answer, bool ended, struct slice *ret_reason)
{
    bool good = ended && answer.len && answer.data[0] >= '0' && answer.data[0] <= '2';
    *ret_reason = good ? slice_from(answer, 1) : SLICE("the child was killed or failed");
    return good ? (uint8_t)(answer.data[0] - '0') : 2;
}

static void password_done(struct agent_job *job, struct slice answer, bool ended)
{
    struct question *q = CONTAINER_OF(job, struct question, job);
    struct ipc_message m = {.type = IPC_PASSWORD_RESULT};
    m.PASSWORD_RESULT.code = read_code(answer, ended, &m.PASSWORD_RESULT.reason);
    ipc_answer(q->channel, q->call, &m);
    free_question(q);
}

static void account_done(struct agent_job *job, struct slice answer, bool ended)
{
    struct question *q = CONTAINER_OF(job, struct question, job);
    struct slice reason;
    struct ipc_message m = {.type = IPC_ACCOUNT_RESULT};
    m.ACCOUNT_RESULT.code = read_code(answer, ended, &reason);
    m.ACCOUNT_RESULT.fields = m.ACCOUNT_RESULT.code == 0 ? reason : SLICE("");
    if (m.ACCOUNT_RESULT.code == 2)
        LOG(LOG_ERROR, "account.unavailable", LOG_C("via", q->driver), LOG_S("reason", reason));
    ipc_answer(q->channel, q->call, &m);
    free_question(q);
}

static struct question *new_question(struct ipc_channel *from, uint64_t call)
{
    struct question *q = calloc(1, sizeof *q);
    if (!q) {
        ipc_answer_failure(from, call, "no memory");
        return NULL;
    }
    q->channel = from;
    q->call = call;
    return q;
}

static void run_or_fail(struct agent *a, struct question *q)
{
    if (agent_run(a, &q->job) == OK)
        return;
    ipc_answer_failure(q->channel, q->call, "too many questions wait");
    free_question(q);
}

void agent_password_check(struct agent *a, struct ipc_channel *from, struct ipc_message *m)
{
    const struct ipc_PASSWORD_CHECK *p = &m->PASSWORD_CHECK;
    bool server =
        slice_is(p->driver, "sql") || slice_is(p->driver, "ldap") || is_neighbour(p->driver);
    if (geteuid() != 0 && !server) {
        ipc_answer_failure(from, m->call,
                           "passwords of the system need root: start the server as root, or name "
                           "no pam_service and no passdb of the system");
        return;
    }
    struct question *q = new_question(from, m->call);
    if (!q)
        return;
    q->job.run = run_password;
    q->job.done = password_done;
    q->conf = role_conf(a->role);
    q->item = p->item;
    q->first_uid = p->first_uid;
    q->last_uid = p->last_uid;
    if (!set_text(q->driver, sizeof q->driver, p->driver) ||
        !set_text(q->service, sizeof q->service, p->pam_service) ||
        !set_text(q->user, sizeof q->user, p->user) || q->user[0] == '\0' ||
        !set_text(q->password, sizeof q->password, p->password) ||
        !set_text(q->protocol, sizeof q->protocol, p->service) ||
        !set_text(q->client_ip, sizeof q->client_ip, p->client_ip)) {
        ipc_answer_failure(from, m->call, "a text is too long or holds NUL");
        free_question(q);
        return;
    }
    run_or_fail(a, q);
}

void agent_account_check(struct agent *a, struct ipc_channel *from, struct ipc_message *m)
{
    struct question *q = new_question(from, m->call);
    if (!q)
        return;
    q->job.run = run_account;
    q->job.done = account_done;
    q->conf = role_conf(a->role);
    q->item = m->ACCOUNT_CHECK.item;
    q->of_userdb = m->ACCOUNT_CHECK.of_userdb != 0;
    if (!set_text(q->driver, sizeof q->driver, m->ACCOUNT_CHECK.driver) ||
        !set_text(q->user, sizeof q->user, m->ACCOUNT_CHECK.user) || q->user[0] == '\0') {
        ipc_answer_failure(from, m->call, "the name is empty, too long or holds NUL");
        free_question(q);
        return;
    }
    run_or_fail(a, q);
}
