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

/* ---- quota ACCOUNT: root, used bytes and their limit, messages and theirs; "-": none ---- */

static void put_limit(struct buf *out, uint64_t limit)
{
    if (limit == UINT64_MAX)
        buf_puts(out, "\t-");
    else
        buf_printf(out, "\t%llu", (unsigned long long)limit);
}

void control_quota(struct control_call *c, const struct slice *words, size_t n)
{
    struct account *a;
    struct store_limits l;
    uint64_t bytes = 0, messages = 0;
    if (n != 1) {
        control_end(c, 1, "usage: quota ACCOUNT");
        return;
    }
    /* As with names: whoever asks has made sure that there is such an account. */
    enum result r = account_open(c->mailbox->store, words[0], &a);
    if (r == OK) {
        r = account_quota(a, &l, &bytes, &messages);
        account_unref(a);
    }
    if (r == OK) {
        const struct conf *conf = role_conf(c->mailbox->role);
        buf_printf(&c->out, "%.*s\t%llu", SLICE_ARG(conf->quota_root), (unsigned long long)bytes);
        conf_unref(conf);
        put_limit(&c->out, l.bytes);
        buf_printf(&c->out, "\t%llu", (unsigned long long)messages);
        put_limit(&c->out, l.messages);
        buf_putc(&c->out, '\n');
    }
    control_end(c, r != OK, result_name(r));
}

/* ---- change ACCOUNT create|delete|rename|subscribe|unsubscribe MAILBOX [TO] ---- */

static enum result change_one(struct account *a, struct slice verb, struct slice name,
                              struct slice to)
{
    if (slice_is(verb, "create"))
        return mailbox_create(a, name, 0);
    if (slice_is(verb, "delete"))
        return mailbox_delete(a, name);
    if (slice_is(verb, "rename"))
        return mailbox_rename(a, name, to);
    if (slice_is(verb, "subscribe"))
        return mailbox_subscribe(a, name, true);
    return slice_is(verb, "unsubscribe") ? mailbox_subscribe(a, name, false) : INVALID;
}

static const char *reason_of(enum result r)
{
    return r == NOT_FOUND ? "Mailbox doesn't exist"
           : r == EXISTS  ? "Mailbox already exists"
           : r == DENIED  ? "INBOX can't be deleted."
           : r == INVALID ? "Invalid mailbox name"
                          : result_name(r);
}

/* What was refused is one line of the answer; none: done. Names as clients write them. */
void control_change(struct control_call *c, const struct slice *words, size_t n)
{
    struct account *a;
    struct buf from, to;
    if (n != 3 && n != 4) {
        control_end(c, 1, "usage: change ACCOUNT VERB MAILBOX [TO]");
        return;
    }
    enum result r = account_open(c->mailbox->store, words[0], &a);
    if (r != OK) {
        control_end(c, 1, result_name(r));
        return;
    }
    struct mailbox_names *names = mailbox_names_of_now(c->mailbox);
    buf_init(&from, MAILBOX_NAME_MAX);
    buf_init(&to, MAILBOX_NAME_MAX);
    r = names_to_store(names, words[2], &from);
    if (r == OK && n == 4)
        r = names_to_store(names, words[3], &to);
    if (r == OK)
        r = change_one(a, words[1], buf_slice(&from), buf_slice(&to));
    if (r != OK)
        buf_printf(&c->out, "%s\n", reason_of(r));
    buf_release(&from);
    buf_release(&to);
    names_unref(names);
    account_unref(a);
    control_end(c, 0, NULL);
}
