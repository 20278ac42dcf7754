/* local.c: LOCAL_JOB: a message for a command, a file or a pipe transport. Its child takes the
 * rights that the target names and does it; its answer is one letter (sent, deferred, failed), a
 * status and words. */
#include "role/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "os/fds.h"

enum { TEXTS_MAX = 1 << 20, LABEL_SIZE = 80, GRACE_MS = 20 * 1000, MESSAGE_FD = 4 };

struct local_job {
    struct agent_job job;
    struct agent *agent;
    struct ipc_channel *channel;
    uint64_t call, message_id, size;
    const struct conf *held, *conf; /* the reference; what of it holds */
    struct arena arena;
    struct target target;            /* without a transport */
    struct slice transport, nexthop; /* of a pipe; "": none */
    struct slice sender;
    struct mail_origin origin;
    struct slice_list rcpts, originals; /* rcpts: of a pipe */
};

static void free_job(struct local_job *j)
{
    if (j->job.fd)
        close(j->job.fd);
    conf_unref(j->held);
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
                 .original = j->originals.items[0],
                 .recipient = j->target.address,
                 .delivered = j->target.delivered,
                 .from_line = !maildir,
                 .quote_from = file && !maildir,
                 .delivered_to =
                     lists(j->conf->prepend_delivered_header, file ? "file" : "command"),
                 .blank_end = file && !maildir},
        .text = j->target.text,
        .origin = &j->origin,
    };
    if (maildir)
        local_maildir(&d, answer);
    else if (file)
        local_append(&d, answer);
    else
        local_command(&d, answer);
}

static void deliver_to_pipe(const struct local_job *j, struct slice message, struct buf *answer)
{
    struct pipe_mail m = {.conf = j->conf,
                          .transport = j->transport,
                          .nexthop = j->nexthop,
                          .sender = j->sender,
                          .origin = &j->origin,
                          .message = message,
                          .rcpts = j->rcpts,
                          .originals = j->originals,
                          .id = j->message_id};
    local_pipe(&m, answer);
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
    if (j->transport.len) {
        deliver_to_pipe(j, message, answer);
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

static void log_attempt(const struct local_job *j, struct slice to, char outcome, const char *word,
                        struct slice status, struct slice text)
{
    bool pipe = j->transport.len > 0;
    LOG(outcome == 'S' ? LOG_INFO : LOG_WARNING, "local.attempt",
        LOG_C("id", log_id(j->message_id).text), LOG_S("from", j->sender), LOG_S("to", to),
        LOG_C("kind", pipe                            ? "pipe"
                      : j->target.kind == TARGET_FILE ? "file"
                                                      : "command"),
        LOG_S("target", pipe ? j->transport : j->target.text),
        LOG_S("user", pipe ? SLICE("") : j->target.user), LOG_S("dsn", status),
        LOG_C("status", outcome == 'F' ? "bounced" : word), LOG_S("reply", text));
}

static void reply(struct local_job *j, char outcome, struct slice status, struct slice text)
{
    const char *word = outcome == 'S' ? "sent" : outcome == 'F' ? "failed" : "deferred";
    struct ipc_message m = {.type = IPC_LOCAL_RESULT};
    m.LOCAL_RESULT.outcome = slice_cstr(word);
    m.LOCAL_RESULT.status = status;
    m.LOCAL_RESULT.reply = text;
    for (size_t i = 0; i < j->rcpts.n; i++)
        log_attempt(j, j->rcpts.items[i], outcome, word, status, text);
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

static struct slice_list keep_list(struct arena *a, struct slice_list l)
{
    struct slice_list kept = {arena_alloc_n(a, l.n + 1, sizeof *kept.items), l.n};
    for (size_t i = 0; kept.items && i < l.n; i++)
        kept.items[i] = arena_dup(a, l.items[i]);
    return kept;
}

static enum result take_target(struct local_job *j, struct slice text)
{
    enum result r = target_parse(arena_dup(&j->arena, text), &j->target);
    if (r == OK && j->target.kind != TARGET_COMMAND && j->target.kind != TARGET_FILE)
        return INVALID;
    j->rcpts = (struct slice_list){&j->target.address, 1};
    return r;
}

static enum result take_route(struct local_job *j, const struct ipc_LOCAL_JOB *l)
{
    target_route_split(arena_dup(&j->arena, l->route), &j->transport, &j->nexthop);
    j->rcpts = keep_list(&j->arena, l->rcpts);
    return j->transport.len && l->rcpts.n && l->rcpts.n == l->originals.n ? OK : INVALID;
}

static enum result take_texts(struct local_job *j, const struct ipc_LOCAL_JOB *l)
{
    arena_init(&j->arena, TEXTS_MAX);
    enum result r = l->route.len ? take_route(j, l) : take_target(j, l->target);
    j->sender = arena_dup(&j->arena, l->sender);
    j->originals = keep_list(&j->arena, l->originals);
    j->origin = (struct mail_origin){.client_ip = arena_dup(&j->arena, l->client_ip),
                                     .client_name = arena_dup(&j->arena, l->client_name),
                                     .helo = arena_dup(&j->arena, l->helo),
                                     .protocol = arena_dup(&j->arena, l->protocol),
                                     .account = arena_dup(&j->arena, l->account),
                                     .sasl_method = arena_dup(&j->arena, l->sasl_method),
                                     .client_port = arena_dup(&j->arena, l->client_port),
                                     .sasl_sender = arena_dup(&j->arena, l->sasl_sender)};
    if (j->origin.client_ip.len && j->origin.client_name.len == 0)
        j->origin.client_name = SLICE("unknown"); /* as smtpd calls who has no name */
    if (r == OK && l->originals.n == 0)
        r = INVALID;
    return r == OK && arena_failed(&j->arena) ? LIMIT : r;
}

/* A transport's service may have settings of its own: its time limit. */
static void choose_conf(struct local_job *j)
{
    char label[LABEL_SIZE];
    snprintf(label, sizeof label, "%.*s/unix", SLICE_ARG(j->transport));
    if (j->transport.len)
        j->conf = conf_for_service(j->held, slice_cstr(label));
    j->job.timeout_ms = j->conf->command_time_limit * 1000 + GRACE_MS;
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
    j->conf = j->held = role_conf(a->role);
    j->job = (struct agent_job){
        .run = run, .done = done, .line = AGENT_DELIVERIES, .answer_max = LOCAL_ANSWER_MAX};
    enum result r = take_texts(j, &m->LOCAL_JOB);
    choose_conf(j);
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
