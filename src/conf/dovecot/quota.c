/* quota.c: limits of accounts, of the quota plugin (2.3 and before: plugin { quota_rule = … }) and
 * of 2.4 (quota NAME { storage_size = … }, settings in the root and in mailbox blocks), as our
 * quota_rule and its like. */
#include <stdio.h>

#include "conf/dovecot/map.h"
#include "conf/quota.h"
#include "conf/size.h"

enum { RULES_TEXT_MAX = 16 * 1024, ONE_RULE_MAX = 1024 };

struct quotas {
    struct map_dovecot *map;
    struct buf rules;
    const struct dovecot_node *from; /* the first rule */
    struct buf base;                 /* of 2.4: limits of all, under way */
    const struct dovecot_node *base_from;
};

static void add_rule(struct quotas *q, const struct dovecot_node *n, struct slice rule)
{
    struct conf_quota_rule parsed;
    struct error why = {""};
    if (conf_quota_rule_parse(rule, &parsed, &why) != OK) {
        map_error(q->map, n, "%s", why.text);
        return;
    }
    buf_printf(&q->rules, "%s{%.*s}", buf_len(&q->rules) ? ", " : "", SLICE_ARG(rule));
    q->from = q->from ? q->from : n;
}

/* In which blocks is the plugin loaded? */
static bool loaded(const struct dovecot_node *in, const char *plugin)
{
    MAP_EACH(n, in)
    {
        bool list = slice_is(n->key, "mail_plugins");
        struct slice rest = n->value;
        while (list && !n->block && rest.data)
            if (slice_is(slice_split(&rest, ' '), plugin))
                return true;
        if (n->block && list && dovecot_find(n, plugin))
            return true;
        if (n->block && slice_is(n->key, "protocol") && loaded(n, plugin))
            return true;
    }
    return false;
}

static void set_size(struct quotas *q, const struct dovecot_node *n, const char *name)
{
    uint64_t bytes = 0;
    if (!slice_is(n->value, "unlimited") && conf_size_parse(n->value, 1, &bytes) != OK) {
        map_error(q->map, n, "`%.*s` is no size", SLICE_ARG(n->value));
        return;
    }
    const char *text = arena_printf(q->map->arena, "%llu", (unsigned long long)bytes);
    if (text)
        map_set(q->map, n, name, slice_cstr(text));
}

/* Dovecot's % is written twice where one of them would begin a variable. */
static void set_grace(struct quotas *q, const struct dovecot_node *n)
{
    struct conf_quota_amount a;
    struct error why = {""};
    if (conf_quota_amount_parse(n->value, 1, &a, &why) != OK)
        map_error(q->map, n, "%.*s: %s", SLICE_ARG(n->key), why.text);
    else
        map_set(q->map, n, "quota_grace", n->value);
}

/* "maildir:User quota", "count:User quota:ns=": what is counted how is ours, the name is taken. */
static void take_root(struct quotas *q, const struct dovecot_node *n)
{
    struct slice rest = n->value;
    (void)slice_split(&rest, ':');
    struct slice name = rest.data ? slice_split(&rest, ':') : SLICE("");
    if (name.len)
        map_set(q->map, n, "quota_root", name);
}

/* What all versions have under one name. True: it was one of them. */
static bool take_common(struct quotas *q, const struct dovecot_node *n)
{
    if (slice_is(n->key, "quota_grace") || slice_is(n->key, "quota_storage_grace") ||
        slice_is(n->key, "storage_grace"))
        set_grace(q, n);
    else if (slice_is(n->key, "quota_max_mail_size") || slice_is(n->key, "quota_mail_size"))
        set_size(q, n, "quota_max_mail_size");
    else if (slice_is(n->key, "quota_exceeded_message"))
        map_set(q->map, n, "quota_exceeded_message", map_value(q->map, n));
    else if (slice_is(n->key, "quota_full_tempfail"))
        map_set(q->map, n, "quota_full_tempfail",
                map_yes(q->map, n, false) ? SLICE("yes") : SLICE("no"));
    else
        return false;
    return true;
}

/* quota_rule, quota_rule2 … */
static bool is_rule(struct slice key)
{
    uint64_t number;
    return slice_is(key, "quota_rule") ||
           (slice_starts(key, SLICE("quota_rule")) &&
            slice_parse_u64(slice_from(key, 10), 999, &number) == OK);
}

static void take_plugin(struct quotas *q, const struct dovecot_node *block, bool on)
{
    const struct dovecot_node *root = dovecot_find(block, "quota");
    MAP_EACH(n, block)
    {
        if (is_rule(n->key) && on && root)
            add_rule(q, n, n->value);
        else if (is_rule(n->key) && on)
            map_note(q->map, n, "%.*s has no effect without `quota = count:User quota`",
                     SLICE_ARG(n->key));
        else if (is_rule(n->key))
            map_note(q->map, n, "%.*s has no effect without the quota plugin in mail_plugins",
                     SLICE_ARG(n->key));
        else if (n == root)
            take_root(q, n);
        else if (!take_common(q, n))
            map_not_served(q->map, "plugin", n);
    }
}

/* ---- 2.4 ---- */

static bool take_base(struct quotas *q, const struct dovecot_node *n)
{
    bool size = slice_is(n->key, "quota_storage_size") || slice_is(n->key, "storage_size");
    bool count = slice_is(n->key, "quota_message_count") || slice_is(n->key, "message_count");
    if (!size && !count)
        return false;
    buf_printf(&q->base, ":%s=%.*s", size ? "bytes" : "messages", SLICE_ARG(n->value));
    q->base_from = q->base_from ? q->base_from : n;
    return true;
}

static void take_block(struct quotas *q, const struct dovecot_node *block)
{
    if (block->value.len)
        map_set(q->map, block, "quota_root", block->value);
    MAP_EACH(n, block)
    if (!slice_is(n->key, "driver") && !slice_is(n->key, "quota_driver") && !take_base(q, n) &&
        !take_common(q, n))
        map_not_served(q->map, "quota", n);
}

/* What a mailbox block says of its part. */
static void take_mailbox(struct quotas *q, const struct dovecot_node *box)
{
    const struct dovecot_node *extra = dovecot_find(box, "quota_storage_extra");
    const struct dovecot_node *percent = dovecot_find(box, "quota_storage_percentage");
    const struct dovecot_node *ignore = dovecot_find(box, "quota_ignore");
    char rule[ONE_RULE_MAX];
    uint64_t n = 0;
    if (extra) {
        snprintf(rule, sizeof rule, "%.*s:bytes=+%.*s", SLICE_ARG(box->value),
                 SLICE_ARG(extra->value));
        add_rule(q, extra, arena_dup(q->map->arena, slice_cstr(rule)));
    }
    if (percent && slice_parse_u64(percent->value, 10000, &n) == OK && n > 100) {
        snprintf(rule, sizeof rule, "%.*s:bytes=+%u%%", SLICE_ARG(box->value), (unsigned)n - 100);
        add_rule(q, percent, arena_dup(q->map->arena, slice_cstr(rule)));
    } else if (percent && !slice_is(percent->value, "100")) {
        map_note(q->map, percent, "quota_storage_percentage below 100 is not served: remove it");
    }
    if (ignore && map_yes(q->map, ignore, false)) {
        snprintf(rule, sizeof rule, "%.*s:ignore", SLICE_ARG(box->value));
        add_rule(q, ignore, arena_dup(q->map->arena, slice_cstr(rule)));
    }
}

static void take_mailboxes(struct quotas *q, const struct dovecot_node *in)
{
    MAP_EACH(n, in)
    {
        if (n->block && slice_is(n->key, "mailbox"))
            take_mailbox(q, n);
        else if (n->block && slice_is(n->key, "namespace"))
            take_mailboxes(q, n);
    }
}

static void end_base(struct quotas *q)
{
    struct buf rule;
    if (!q->base_from)
        return;
    buf_init(&rule, ONE_RULE_MAX);
    buf_printf(&rule, "*%.*s", SLICE_ARG(buf_slice(&q->base)));
    add_rule(q, q->base_from, arena_dup(q->map->arena, buf_slice(&rule)));
    buf_release(&rule);
}

void map_quota(struct map_dovecot *m)
{
    struct quotas q = {.map = m};
    bool on = loaded(m->root, "quota");
    buf_init(&q.rules, RULES_TEXT_MAX);
    buf_init(&q.base, ONE_RULE_MAX);
    MAP_EACH(n, m->root)
    {
        if (n->block && slice_is(n->key, "plugin"))
            take_plugin(&q, n, on);
        else if (n->block && slice_is(n->key, "quota"))
            take_block(&q, n);
        else if (!n->block && !take_base(&q, n))
            (void)take_common(&q, n);
    }
    end_base(&q);
    take_mailboxes(&q, m->root);
    if (!buf_ok(&q.rules))
        map_error(m, q.from, "the quota rules are too many");
    if (q.from)
        map_set(m, q.from, "quota_rule", buf_slice(&q.rules));
    if (loaded(m->root, "imap_quota"))
        map_set(m, m->root, "imap_quota", SLICE("yes"));
    buf_release(&q.rules);
    buf_release(&q.base);
}
