/* imap.c: drives the IMAP core of a session. */
#include "role/mailbox/imap.h"

#include <stdio.h>
#include <stdlib.h>

#include "role/mailbox/mailbox.h"
#include "role/role.h"

enum { TIMEOUT_MS = 30 * 60 * 1000 }; /* RFC 9051 5.4: at least 30 minutes */

void imap_begin(struct imap_session *i)
{
    atomic_store(&i->ended, false);
    session_begin(i->session);
}

void imap_done(void *arg, enum result r)
{
    struct imap_session *i = arg;
    i->result = r;
    atomic_store(&i->ended, true);
    session_finish(i->session);
}

enum result imap_not_begun(struct imap_session *i, enum result r)
{
    session_finish(i->session);
    return r;
}

static enum result start(struct session *s, struct slice tag)
{
    struct imap_session *i = calloc(1, sizeof *i);
    if (!i)
        return FAILED;
    const struct conf *c = role_conf(s->role);
    i->config.append_max = (uint64_t)c->message_size_limit;
    if (c->quota_max_mail_size &&
        (!i->config.append_max || (uint64_t)c->quota_max_mail_size < i->config.append_max))
        i->config.append_max = (uint64_t)c->quota_max_mail_size;
    i->config.save_max = (uint32_t)c->imap_save_limit;
    i->config.quota = c->imap_quota;
    snprintf(i->quota_root, sizeof i->quota_root, "%.*s", SLICE_ARG(c->quota_root));
    conf_unref(c);
    i->names = mailbox_names_of_now(s->role->state);
    i->config.separator = i->names->spaces[0].separator;
    i->config.prefix = i->names->spaces[0].prefix;
    names_make_missing(i->names, s->account);
    i->session = s;
    s->state = i;
    imap_open(&i->core, &i->config, &imap_store_ops, i, tag, &s->out);
    return OK;
}

static void run(struct session *s)
{
    struct imap_session *i = s->state;
    if (atomic_exchange(&i->ended, false))
        imap_answer(&i->core, i->result);
    struct slice in = buf_slice(&s->in);
    enum imap_next next = imap_run(&i->core, &in, &s->out);
    buf_consume(&s->in, buf_len(&s->in) - in.len);
    s->again = next == IMAP_NEED_FLUSH || next == IMAP_NEED_TURN;
    if (next == IMAP_NEED_COMPRESSION)
        session_compress(s);
    if (next == IMAP_NEED_CLOSE)
        session_close(s);
}

static void timeout(struct session *s)
{
    struct imap_session *i = s->state;
    imap_bye(&i->core, "Disconnected for inactivity.", &s->out);
}

static void end(struct session *s)
{
    struct imap_session *i = s->state;
    imap_append_abandon(i);
    imap_release(&i->core);
    names_unref(i->names);
    free(i);
    s->state = NULL;
}

const struct session_protocol session_imap = {
    .name = "imap",
    .in_max = IMAP_IN_MAX,
    .timeout_ms = TIMEOUT_MS,
    .start = start,
    .run = run,
    .timeout = timeout,
    .end = end,
};
