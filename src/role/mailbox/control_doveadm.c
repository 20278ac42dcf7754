/* control_doveadm.c: what `postrider doveadm` asks: sessions, their end, a login, names of
 * mailboxes. Answers are lines of fields with a TAB between them; the command line makes Dovecot's
 * output of them. */
#include <stdlib.h>
#include <unistd.h>

#include "conf/conf.h"
#include "role/mailbox/control.h"
#include "role/mailbox/mailbox.h"

enum { MASKS_MAX = 32 };

/* ---- sessions list|kick [NAME|ADDRESS|NETWORK …] ---- */

struct choosing {
    struct control_call *call;
    const struct slice *masks;
    size_t n;
    bool kick;
};

static bool name_matches(struct slice mask, struct slice name)
{
    size_t star = slice_find(mask, '*');
    if (star == SIZE_MAX)
        return slice_eq_nocase(mask, name);
    struct slice head = slice_sub(mask, 0, star), tail = slice_from(mask, star + 1);
    return name.len >= head.len + tail.len && slice_starts_nocase(name, head) &&
           slice_ends_nocase(name, tail);
}

/* A mask is a name, an address or a network. */
static bool chosen(const struct choosing *c, const struct session_seen *s)
{
    for (size_t i = 0; i < c->n; i++) {
        struct slice mask = c->masks[i];
        struct slice_list one = {&mask, 1};
        if (name_matches(mask, s->login) || name_matches(mask, s->account) ||
            conf_network_match(one, s->client_ip, NULL))
            return true;
    }
    return c->n == 0;
}

static bool one_session(void *arg, const struct session_seen *s)
{
    struct choosing *c = arg;
    if (!chosen(c, s))
        return false;
    buf_printf(&c->call->out, "%.*s\t%.*s\t%ld\t%.*s\n", SLICE_ARG(s->account),
               SLICE_ARG(s->service), (long)getpid(), SLICE_ARG(s->client_ip));
    return c->kick;
}

void control_sessions(struct control_call *c, const struct slice *words, size_t n)
{
    struct choosing choice = {.call = c, .masks = words + 1, .n = n ? n - 1 : 0};
    choice.kick = n && slice_is(words[0], "kick");
    if (n == 0 || n > MASKS_MAX || (!choice.kick && !slice_is(words[0], "list")) ||
        (choice.kick && n == 1)) {
        control_end(c, 1, "usage: sessions list [MASK ...] | sessions kick MASK ...");
        return;
    }
    session_each(c->mailbox, one_session, &choice);
    if (choice.kick && buf_len(&c->out))
        LOG(LOG_INFO, "session.kicked", LOG_S("mask", words[1]));
    control_end(c, 0, NULL);
}

/* ---- auth SERVICE ADDRESS NAME PASSWORD ---- */

static void auth_answered(void *arg, struct ipc_message *m)
{
    struct control_call *c = arg;
    if (m->type != IPC_AUTH_RESULT || m->AUTH_RESULT.outcome == AUTH_UNAVAILABLE) {
        control_end(c, 1, "the password can't be checked now: see the log");
        return;
    }
    bool right = m->AUTH_RESULT.outcome == AUTH_OK;
    buf_printf(&c->out, "%s\t%.*s\n", right ? "right" : "wrong", SLICE_ARG(m->AUTH_RESULT.account));
    control_end(c, 0, NULL);
}

void control_auth(struct control_call *c, const struct slice *words, size_t n)
{
    struct ipc_message m = {.type = IPC_AUTH_TEST};
    if (n != 4) {
        control_end(c, 1, "usage: auth SERVICE ADDRESS NAME PASSWORD");
        return;
    }
    m.AUTH_TEST = (struct ipc_AUTH_TEST){
        .service = words[0], .client_ip = words[1], .user = words[2], .password = words[3]};
    ipc_request(c->mailbox->role->peers[ROLE_AUTH], &m, auth_answered, c);
}

/* ---- names ACCOUNT: its mailboxes as clients name them ---- */

struct naming {
    struct control_call *call;
    struct mailbox_names *names;
    struct account *account;
};

static struct mailbox_status status_of(struct account *a, const struct mailbox_info *m)
{
    struct mailbox_status s = {.uidvalidity = m->uidvalidity};
    struct mailbox *box;
    if ((m->attrs & MAILBOX_NOSELECT) || mailbox_open(a, m->name, &box) != OK)
        return s;
    if (mailbox_status(box, &s) != OK)
        s = (struct mailbox_status){.uidvalidity = m->uidvalidity};
    mailbox_unref(box);
    return s;
}

static bool one_name(void *arg, const struct mailbox_info *m)
{
    struct naming *n = arg;
    struct buf name;
    if (m->attrs & MAILBOX_NONEXISTENT)
        return true;
    buf_init(&name, 2 * MAILBOX_NAME_MAX);
    if (names_to_client(n->names, m->name, &name) == OK) {
        struct mailbox_status s = status_of(n->account, m);
        buf_printf(&n->call->out, "%.*s\t%d\t%u\t0\t%u\t%u\t%u\t%llu\t%llu\t%032llx\n",
                   SLICE_ARG(buf_slice(&name)), (m->attrs & MAILBOX_SUBSCRIBED) != 0, s.count,
                   s.uidnext, s.uidvalidity, s.unseen, (unsigned long long)s.highest_modseq,
                   (unsigned long long)s.bytes, (unsigned long long)m->id);
    }
    buf_release(&name);
    control_flush_some(n->call);
    return true;
}

void control_names(struct control_call *c, const struct slice *words, size_t n)
{
    struct naming naming = {.call = c};
    if (n != 1) {
        control_end(c, 1, "usage: names ACCOUNT");
        return;
    }
    /* Whoever asks has made sure that there is such an account: its mailboxes come with it. */
    enum result r = account_open(c->mailbox->store, words[0], &naming.account);
    if (r == OK) {
        naming.names = mailbox_names_of_now(c->mailbox);
        r = mailbox_list(naming.account, one_name, &naming);
        names_unref(naming.names);
        account_unref(naming.account);
    }
    control_end(c, r != OK, result_name(r));
}
