/* local.c: LOCAL_JOB: a message for a command or a file. Its child takes the rights that the target
 * names and does it; its answer is one letter (sent, deferred, failed), a status and words. */
#include "role/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "os/fds.h"

enum { TEXTS_MAX = 32 * 1024, GRACE_MS = 20 * 1000, MESSAGE_FD = 4 };

struct local_job {
    struct agent_job job;
    struct agent *agent;
    struct ipc_channel *channel;
    uint64_t call, message_id, size;
    const struct conf *conf;
    struct arena arena;
    struct target target;
    struct slice sender, original, account, client_ip;
    struct slice whom; /* for the log */
};

static void free_job(struct local_job *j)
{
    if (j->job.fd)
        close(j->job.fd);
    conf_unref(j->conf);
    arena_release(&j->arena);
    free(j);
}

static bool lists(struct slice_list l, const char *word)
{
    for (size_t i = 0; i < l.n; i++)
        if (slice_is_nocase(l.items[i], word))
            return true;
    return false;
}

/* ---- in the child ---- */

static void deliver(const struct local_job *j, const struct identity *who, struct slice message,
                    struct buf *answer)
{
    bool file = j->target.kind == TARGET_FILE;
    bool maildir = file && j->target.text.data[j->target.text.len - 1] == '/';
    struct local_delivery d = {
        .conf = j->conf,
        .who = who,
        .copy = {.message = message,
                 .sender = j->sender,
                 .original = j->original,
                 .recipient = j->target.address,
                 .from_line = !maildir,
                 .quote_from = file && !maildir,
                 .delivered_to =
                     lists(j->conf->prepend_delivered_header, file ? "file" : "command"),
                 .blank_end = file && !maildir},
        .text = j->target.text,
        .account = j->account,
        .client_ip = j->client_ip,
    };
    if (maildir)
        local_maildir(&d, answer);
    else if (file)
        local_append(&d, answer);
    else
        local_command(&d, answer);
}

static void attempt(const struct local_job *j, struct buf *answer)
{
    struct identity who;
    struct error err = {""};
    struct slice message;
    enum result r = ipc_memfd_map(MESSAGE_FD, j->size, &message);
    if (r != OK) {
        buf_puts(answer, "D4.3.0 the message could not be read");
        return;
    }
    r = identity_find(j->target.user, j->conf->default_privs, &who, &err);
    if (r == OK)
        r = identity_become(&who, &err);
    if (r != OK) /* a matter of the configuration: it may be mended before the mail is returned */
        buf_printf(answer, "D4.3.5 %s", err.text);
    else
        deliver(j, &who, message, answer);
}

static void run(const struct agent_job *job, int out)
{
    const struct local_job *j = CONTAINER_OF(job, struct local_job, job);
    struct buf answer;
    buf_init(&answer, LOCAL_ANSWER_MAX);
    attempt(j, &answer);
    /* One write of less than PIPE_BUF: it is whole or not there. */
    struct slice s = buf_slice(&answer);
    if (!buf_ok(&answer) || s.len == 0 || write(out, s.data, s.len) != (ssize_t)s.len)
        _exit(1);
}

/* ---- in agent ---- */

static void reply(struct local_job *j, char outcome, struct slice status, struct slice text)
{
    const char *word = outcome == 'S' ? "sent" : outcome == 'F' ? "failed" : "deferred";
    struct ipc_message m = {.type = IPC_LOCAL_RESULT};
    m.LOCAL_RESULT.outcome = slice_cstr(word);
    m.LOCAL_RESULT.status = status;
    m.LOCAL_RESULT.reply = text;
    LOG(outcome == 'S' ? LOG_INFO : LOG_WARNING, "local.attempt",
        LOG_C("id", log_id(j->message_id).text), LOG_S("from", j->sender),
        LOG_S("to", j->target.address),
        LOG_C("kind", j->target.kind == TARGET_FILE ? "file" : "command"),
        LOG_S("target", j->target.text), LOG_S("user", j->target.user), LOG_S("dsn", status),
        LOG_C("status", outcome == 'F' ? "bounced" : word), LOG_S("reply", text));
    pthread_mutex_lock(&j->agent->lock);
    j->agent->delivered += outcome == 'S';
    j->agent->not_delivered += outcome != 'S';
    pthread_mutex_unlock(&j->agent->lock);
    ipc_answer(j->channel, j->call, &m);
}

static void done(struct agent_job *job, struct slice answer, bool ended)
{
    struct local_job *j = CONTAINER_OF(job, struct local_job, job);
    struct slice text = answer;
    char outcome = answer.len ? answer.data[0] : 0;
    if (!ended || answer.len < 6) {
        reply(j, 'D', SLICE("4.3.0"), SLICE("the delivery was killed or failed"));
    } else {
        struct slice rest = slice_from(text, 1), status = slice_split(&rest, ' ');
        reply(j, outcome, status, rest.data ? rest : SLICE(""));
    }
    free_job(j);
}

/* The child reads the message from a memfd in either case. */
static enum result take_message(struct local_job *j, struct ipc_message *m)
{
    j->size = m->LOCAL_JOB.size;
    if (m->n_fds == 0)
        return m->LOCAL_JOB.message.len == j->size ? ipc_memfd(m->LOCAL_JOB.message, &j->job.fd)
                                                   : INVALID;
    j->job.fd = m->fds[0];
    m->fds[0] = -1;
    return OK;
}

static enum result take_texts(struct local_job *j, const struct ipc_LOCAL_JOB *l)
{
    arena_init(&j->arena, TEXTS_MAX);
    enum result r = target_parse(arena_dup(&j->arena, l->target), &j->target);
    j->sender = arena_dup(&j->arena, l->sender);
    j->original = arena_dup(&j->arena, l->original);
    j->account = arena_dup(&j->arena, l->account);
    j->client_ip = arena_dup(&j->arena, l->client_ip);
    if (r == OK && arena_failed(&j->arena))
        r = LIMIT;
    if (r == OK && j->target.kind != TARGET_COMMAND && j->target.kind != TARGET_FILE)
        r = INVALID;
    return r;
}

void agent_local_job(struct agent *a, struct ipc_channel *from, struct ipc_message *m)
{
    struct local_job *j = calloc(1, sizeof *j);
    if (!j) {
        ipc_answer_failure(from, m->call, "no memory");
        return;
    }
    j->agent = a;
    j->channel = from;
    j->call = m->call;
    j->message_id = m->LOCAL_JOB.message_id;
    j->conf = role_conf(a->role);
    j->job = (struct agent_job){.run = run,
                                .done = done,
                                .line = AGENT_DELIVERIES,
                                .timeout_ms = j->conf->command_time_limit * 1000 + GRACE_MS,
                                .answer_max = LOCAL_ANSWER_MAX};
    enum result r = take_texts(j, &m->LOCAL_JOB);
    if (r == OK)
        r = take_message(j, m);
    if (r == OK)
        r = agent_run(a, &j->job);
    if (r != OK) {
        ipc_answer_failure(from, m->call,
                           r == BUSY ? "too many deliveries wait" : "malformed LOCAL_JOB");
        free_job(j);
    }
}
