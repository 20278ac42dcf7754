/* talk.c: the SMTP client core over a connection's stream, job after job. */
#include "role/relay/conn.h"

#include <stdio.h>

#include "base/clock.h"

enum { READ_MOST = 16 * 1024 };

int64_t conn_patience_ms(const struct outconn *c)
{
    const struct conf *s = c->conf;
    const int64_t seconds[][2] = {
        [SMTP_CLIENT_WAIT_HELO] = {s->smtp_helo_timeout, s->lmtp_lhlo_timeout},
        [SMTP_CLIENT_WAIT_STARTTLS] = {s->smtp_starttls_timeout, s->lmtp_starttls_timeout},
        [SMTP_CLIENT_WAIT_RSET] = {s->smtp_rset_timeout, s->lmtp_rset_timeout},
        [SMTP_CLIENT_WAIT_MAIL] = {s->smtp_mail_timeout, s->lmtp_mail_timeout},
        [SMTP_CLIENT_WAIT_RCPT] = {s->smtp_rcpt_timeout, s->lmtp_rcpt_timeout},
        [SMTP_CLIENT_WAIT_DATA] = {s->smtp_data_init_timeout, s->lmtp_data_init_timeout},
        [SMTP_CLIENT_WAIT_BODY] = {s->smtp_data_xfer_timeout, s->lmtp_data_xfer_timeout},
        [SMTP_CLIENT_WAIT_VERDICT] = {s->smtp_data_done_timeout, s->lmtp_data_done_timeout},
        [SMTP_CLIENT_WAIT_QUIT] = {s->smtp_quit_timeout, s->lmtp_quit_timeout},
    };
    return 1000 * seconds[smtp_client_waits(&c->client)][c->lmtp];
}

static void wait_for(struct outconn *c, unsigned interest)
{
    io_task_deadline(&c->task, conn_patience_ms(c));
    io_task_want(&c->task, interest);
}

/* Takes no message any more: it had its share, or other settings apply by now. Lock held. */
static bool is_worn(const struct outconn *c)
{
    const struct conf *s = c->conf;
    int64_t most =
        c->lmtp ? s->lmtp_connection_reuse_count_limit : s->smtp_connection_reuse_count_limit;
    int64_t age =
        c->lmtp ? s->lmtp_connection_reuse_time_limit : s->smtp_connection_reuse_time_limit;
    return (most && c->messages >= most) || c->generation != c->relay->generation ||
           (c->messages && clock_monotonic_ms() - c->opened_ms >= age * 1000);
}

static int64_t idle_ms(const struct outconn *c)
{
    return 1000 * (c->lmtp ? c->conf->lmtp_connection_cache_time_limit
                           : c->conf->smtp_connection_cache_time_limit);
}

/* Takes the next job where there is one. Otherwise true, and the connection waits for one or for
 * the end of its idle time. False with *ret_worn: it has to leave. */
static bool go_idle(struct outconn *c, bool *ret_worn)
{
    pthread_mutex_lock(&c->relay->lock);
    *ret_worn = is_worn(c);
    if (!c->job && !*ret_worn)
        c->job = dest_next(c->dest);
    *ret_worn = *ret_worn || (!c->job && idle_ms(c) == 0);
    bool idle = !c->job && !*ret_worn;
    if (idle) {
        c->state = IDLE;
        list_push_front(&c->dest->idle, &c->idle); /* the warmest is used first */
    }
    pthread_mutex_unlock(&c->relay->lock);
    if (!idle)
        return false;
    buf_clear(&c->in);
    buf_clear(&c->client.out);
    io_task_deadline(&c->task, idle_ms(c));
    io_task_want(&c->task, IO_READ);
    return true;
}

void conn_leave(struct outconn *c)
{
    c->state = LEAVING;
    smtp_client_quit(&c->client);
}

static void note_ready(struct outconn *c)
{
    if (!c->ready && !c->tls[0] && !c->plain && c->policy.level != TLS_LEVEL_NONE)
        conn_tell(c, "starttls-not-supported", "");
    c->ready = true;
}

/* In READY. False: the connection waits. */
static bool start_job(struct outconn *c)
{
    bool worn;
    note_ready(c);
    if (go_idle(c, &worn))
        return false;
    if (worn) {
        conn_leave(c); /* finish() gives a job back */
        return true;
    }
    c->body = c->job->message;
    if (smtp_client_send(&c->client, &c->job->mail) != OK) {
        struct verdict v;
        verdict_set(&v, SMTP_DEFERRED, "4.3.0", "out of memory, or too many recipients");
        job_finish_all(c->job, &v, c->remote);
        c->job = NULL;
    }
    return true;
}

/* In DONE. False: the job moves to a new connection. */
static bool end_job(struct outconn *c)
{
    bool stale = smtp_client_untouched(&c->client) && c->client.transactions > 1 &&
                 c->client.failure.status.len;
    c->messages++;
    if (stale)
        return false; /* the server closed an idle connection: the job had no part in it */
    c->job->reports = smtp_client_takes_dsn(&c->client);
    c->job->missed = c->client.failure.status.len > 0; /* the session ended under it */
    job_finish(c->job, c->client.results, c->remote, c->tls);
    c->job = NULL;
    smtp_client_next(&c->client);
    return true;
}

/* The session could not be used or has ended. */
static void session_over(struct outconn *c)
{
    const struct smtp_client_failure *f = &c->client.failure;
    if (c->state == LEAVING || c->ready) {
        conn_finish(c, NULL);
        return;
    }
    if (!f->remote && slice_is(f->status, "4.7.4")) /* client_ehlo.c: TLS is not offered */
        conn_tell(c, "starttls-not-supported", "");
    c->last.remote = f->remote;
    c->last.outcome = f->final ? SMTP_FAILED : SMTP_DEFERRED;
    snprintf(c->last.status, sizeof c->last.status, "%c%.*s", f->final ? '5' : '4',
             SLICE_ARG(slice_from(f->status.len ? f->status : SLICE("4.4.2"), 1)));
    snprintf(c->last.text, sizeof c->last.text, "%.*s", SLICE_ARG(f->text));
    conn_next_address(c);
}

void conn_lost(struct outconn *c, const char *why)
{
    char text[900];
    snprintf(text, sizeof text, "%s with %s while waiting for: %s", why, c->remote,
             smtp_client_stage(&c->client));
    smtp_client_lost(&c->client, "4.4.2", text);
}

/* To QUIT, which was all that was left to say. */
static bool skips_the_answer(const struct outconn *c)
{
    return c->state == LEAVING &&
           (c->lmtp ? c->conf->lmtp_skip_quit_response : c->conf->smtp_skip_quit_response);
}

/* Sends what waits and reads what is there. False: waits, or will. */
static bool exchange(struct outconn *c)
{
    enum result w = stream_write(&c->stream, &c->client.out);
    if (w != OK && w != BUSY) {
        /* What the server said before it closed counts more than that it did. */
        while (stream_read(&c->stream, &c->in, READ_MOST) == OK)
            ;
        if (buf_len(&c->in) == 0)
            conn_lost(c, "connection lost");
        buf_reset(&c->client.out);
        return true;
    }
    if (w == OK && skips_the_answer(c)) {
        conn_lost(c, "left");
        return true;
    }
    unsigned wants = w == BUSY ? c->stream.wants : 0;
    enum result r = stream_read(&c->stream, &c->in, READ_MOST);
    if (r == BUSY) {
        wait_for(c, wants | c->stream.wants | IO_READ);
        return false;
    }
    if (r != OK)
        conn_lost(c, r == LIMIT ? "too much input" : "connection lost");
    return true;
}

/* In BODY. False: waits for the socket. */
static bool send_body(struct outconn *c)
{
    enum result r = smtp_client_body(&c->client, &c->body);
    enum result w = stream_write(&c->stream, &c->client.out);
    if (w == OK || r == OK)
        return true; /* the rest of `out` goes with exchange() */
    return exchange(c);
}

void conn_talk(struct outconn *c)
{
    for (;;) {
        switch (smtp_client_run(&c->client, &c->in)) {
        case SMTP_CLIENT_INPUT:
            if (!exchange(c))
                return;
            break;
        case SMTP_CLIENT_STARTTLS:
            conn_start_tls(c);
            return;
        case SMTP_CLIENT_READY:
            if (!start_job(c))
                return;
            break;
        case SMTP_CLIENT_BODY:
            if (!send_body(c))
                return;
            break;
        case SMTP_CLIENT_DONE:
            if (!end_job(c)) {
                conn_finish(c, NULL);
                return;
            }
            break;
        case SMTP_CLIENT_CLOSED:
            session_over(c);
            return;
        }
    }
}
