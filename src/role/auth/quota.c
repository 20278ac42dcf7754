/* quota.c: tells mailbox which accounts have limits of their own: fields quota_rule, quota_rule2 …
 * (with userdb_ before them in a passwd-file or a passdb), as Dovecot's userdb has them. Those of
 * files are told whenever the files are read; those of databases when one was asked. */
#include "role/auth/auth.h"

enum { BATCH = 200, RULES_MAX = 2048, BATCH_BYTES = 100 * 1024 };

/* Appends the rules among the fields, one a line. */
static void put_rules(struct slice fields, struct buf *out)
{
    while (fields.data) {
        struct slice value = slice_split(&fields, ' ');
        struct slice name = slice_split(&value, '=');
        if (slice_starts(name, SLICE("userdb_")))
            name = slice_from(name, 7);
        if (value.len && slice_starts(name, SLICE("quota_rule")))
            buf_printf(out, "%s%.*s", buf_len(out) ? "\n" : "", SLICE_ARG(value));
    }
}

struct telling {
    struct auth_role *auth;
    struct arena arena;
    struct slice accounts[BATCH], rules[BATCH];
    size_t n;
    bool reset;
};

static void send_some(struct telling *t)
{
    struct ipc_message m = {.type = IPC_QUOTA};
    m.QUOTA.reset = t->reset;
    m.QUOTA.accounts = (struct slice_list){t->accounts, t->n};
    m.QUOTA.rules = (struct slice_list){t->rules, t->n};
    if (ipc_send(t->auth->role->peers[ROLE_MAILBOX], &m) != OK)
        LOG(LOG_WARNING, "ipc.unsent", LOG_C("message", "QUOTA"), LOG_C("to", "mailbox"));
    arena_release(&t->arena);
    arena_init(&t->arena, BATCH_BYTES);
    t->n = 0;
    t->reset = false;
}

/* No: there is no room for it. */
static bool add(struct telling *t, struct slice account, struct slice rules)
{
    t->accounts[t->n] = arena_dup(&t->arena, account);
    t->rules[t->n] = arena_dup(&t->arena, rules);
    bool taken = !arena_failed(&t->arena);
    t->n += taken;
    return taken;
}

/* none_too: told that it has none, when it has none. */
static void tell(struct telling *t, struct slice account, struct slice fields, bool none_too)
{
    struct buf rules;
    buf_init(&rules, RULES_MAX);
    put_rules(fields, &rules);
    if (!buf_ok(&rules))
        LOG(LOG_WARNING, "quota.dropped", LOG_S("account", account),
            LOG_C("why", "its rules are longer than 2048 bytes; those behind do not count"));
    bool some = buf_len(&rules) || none_too;
    if (some && !add(t, account, buf_slice(&rules))) {
        send_some(t);
        if (!add(t, account, buf_slice(&rules)))
            LOG(LOG_ERROR, "quota.dropped", LOG_S("account", account), LOG_C("why", "no memory"));
    }
    if (t->n == BATCH)
        send_some(t);
    buf_release(&rules);
}

void auth_send_quotas(struct auth_role *a)
{
    struct telling t = {.auth = a, .reset = true};
    const struct directory *d = auth_directory(a);
    const struct auth_databases *all = d ? directory_userdbs(d) : NULL;
    arena_init(&t.arena, BATCH_BYTES);
    for (size_t i = 0; all && i < all->n; i++)
        for (size_t k = 0; all->items[i].file && k < passwd_file_count(all->items[i].file); k++) {
            const struct passwd_user *u = passwd_file_at(all->items[i].file, k);
            tell(&t, u->name, u->extra, false);
        }
    send_some(&t);
    arena_release(&t.arena);
    directory_unref(d);
}

void auth_send_quota(struct auth_role *a, struct slice account, struct slice fields, bool all)
{
    struct telling t = {.auth = a, .reset = false};
    if (!all && slice_search(fields, SLICE("quota_rule")) == SIZE_MAX)
        return;
    arena_init(&t.arena, BATCH_BYTES);
    tell(&t, account, fields, all);
    if (t.n)
        send_some(&t);
    arena_release(&t.arena);
}
