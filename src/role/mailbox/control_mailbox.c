/* control_mailbox.c: mailbox list NAME. */
#include "base/json.h"
#include "role/mailbox/control.h"
#include "role/mailbox/mailbox.h"

struct listing {
    struct control_call *call;
    struct account *account;
    bool as_json;
    struct json array;
};

static const struct {
    unsigned attr;
    const char *name;
} attr_names[] = {
    {MAILBOX_DRAFTS, "\\Drafts"},
    {MAILBOX_SENT, "\\Sent"},
    {MAILBOX_JUNK, "\\Junk"},
    {MAILBOX_TRASH, "\\Trash"},
    {MAILBOX_ARCHIVE, "\\Archive"},
    {MAILBOX_ALL, "\\All"},
    {MAILBOX_FLAGGED, "\\Flagged"},
    {MAILBOX_NOSELECT, "\\Noselect"},
    {MAILBOX_SUBSCRIBED, "\\Subscribed"},
    {MAILBOX_NONEXISTENT, "\\NonExistent"},
};

static void put_attrs(struct buf *out, unsigned attrs)
{
    const char *between = "";
    for (size_t i = 0; i < sizeof attr_names / sizeof *attr_names; i++)
        if (attrs & attr_names[i].attr) {
            buf_printf(out, "%s%s", between, attr_names[i].name);
            between = " ";
        }
}

static struct mailbox_status count(struct listing *l, const struct mailbox_info *m)
{
    struct mailbox_status s = {.uidvalidity = m->uidvalidity};
    struct mailbox *box;
    if (m->attrs & (MAILBOX_NOSELECT | MAILBOX_NONEXISTENT) ||
        mailbox_open(l->account, m->name, &box) != OK)
        return s;
    /* One that was deleted meanwhile keeps its zeros. */
    if (mailbox_status(box, &s) != OK)
        s = (struct mailbox_status){.uidvalidity = m->uidvalidity};
    mailbox_unref(box);
    return s;
}

static void put_json(struct listing *l, const struct mailbox_info *m, struct mailbox_status n)
{
    struct buf attrs;
    buf_init(&attrs, 512);
    put_attrs(&attrs, m->attrs);
    json_item(&l->array);
    struct json o = json_begin(&l->call->out, '{');
    json_put_string(&o, "name", m->name);
    json_put_string(&o, "attributes", buf_slice(&attrs));
    json_put_number(&o, "messages", n.count);
    json_put_number(&o, "unseen", n.unseen);
    json_put_number(&o, "bytes", (int64_t)n.bytes);
    json_put_number(&o, "uidnext", n.uidnext);
    json_put_number(&o, "uidvalidity", n.uidvalidity);
    json_end(&o);
    buf_release(&attrs);
}

static bool each(void *arg, const struct mailbox_info *m)
{
    struct listing *l = arg;
    struct mailbox_status n = count(l, m);
    if (l->as_json) {
        put_json(l, m, n);
    } else {
        buf_printf(&l->call->out, "%-24.*s messages=%u unseen=%u bytes=%llu ", SLICE_ARG(m->name),
                   n.count, n.unseen, (unsigned long long)n.bytes);
        put_attrs(&l->call->out, m->attrs);
        buf_putc(&l->call->out, '\n');
    }
    control_flush_some(l->call);
    return true;
}

static void find_name(void *arg, struct slice name)
{
    struct slice *wanted = arg;
    if (slice_eq(name, *wanted))
        *wanted = SLICE_NONE;
}

static bool account_exists(struct store *s, struct slice name)
{
    struct slice wanted = name;
    return account_list(s, find_name, &wanted) == OK && !wanted.data;
}

void control_mailbox(struct control_call *c, const struct slice *words, size_t n)
{
    struct listing l = {.call = c};
    l.as_json = n && slice_is(words[n - 1], "--json");
    n -= l.as_json;
    if (n != 2 || !slice_is(words[0], "list")) {
        control_end(c, 1, "usage: mailbox list ACCOUNT [--json]");
        return;
    }
    /* Opening makes what is not there; a question should not. */
    if (!account_exists(c->mailbox->store, words[1])) {
        control_end(c, 1,
                    "no account of this name has mailboxes: it never got mail nor logged in, or "
                    "the name is an address (see \"user list\")");
        return;
    }
    enum result r = account_open(c->mailbox->store, words[1], &l.account);
    if (r == OK) {
        if (l.as_json)
            l.array = json_begin(&c->out, '[');
        r = mailbox_list(l.account, each, &l);
        if (l.as_json) {
            json_end(&l.array);
            buf_putc(&c->out, '\n');
        }
        account_unref(l.account);
    }
    control_end(c, r != OK, result_name(r));
}
