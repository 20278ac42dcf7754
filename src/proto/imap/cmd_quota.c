/* cmd_quota.c: GETQUOTA, GETQUOTAROOT, SETQUOTA (RFC 9208; RFC 2087 before it). Each account has
 * one quota root, for all of its mailboxes; only the administrator sets it. */
#include "proto/imap/command.h"

struct quota {
    struct slice name; /* of the root, or of a mailbox */
};

static void parse_name(struct imap_parser *p, struct imap_command *cmd, bool mailbox)
{
    struct quota *q = ARENA_NEW(&cmd->arena, struct quota);
    struct quota nowhere;
    cmd->data = q;
    q = q ? q : &nowhere;
    imap_parse_space(p);
    q->name = mailbox ? imap_parse_mailbox(p) : imap_parse_astring(p);
}

static void parse_root(struct imap_parser *p, struct imap_command *cmd)
{
    parse_name(p, cmd, false);
}

static void parse_mailbox(struct imap_parser *p, struct imap_command *cmd)
{
    parse_name(p, cmd, true);
}

static void parse_set(struct imap_parser *p, struct imap_command *cmd)
{
    parse_name(p, cmd, false);
    imap_parse_space(p);
    imap_parse_char(p, '(');
    while (imap_parser_ok(p) && cursor_peek(&p->c) != ')') {
        (void)imap_parse_atom(p);
        imap_parse_space(p);
        (void)imap_parse_number(p, 0, UINT64_MAX);
        (void)imap_accept(p, ' ');
    }
    imap_parse_char(p, ')');
}

static void put_resource(struct buf *out, const char *name, uint64_t used, uint64_t most, bool *any)
{
    if (most == UINT64_MAX)
        return;
    buf_printf(out, "%s%s %llu %llu", *any ? " " : "", name, (unsigned long long)used,
               (unsigned long long)most);
    *any = true;
}

/* RFC 9208 5.1: STORAGE counts in 1024 bytes. */
static void put_quota(struct buf *out, const struct imap_quota *q)
{
    bool any = false;
    buf_puts(out, "* QUOTA ");
    imap_put_string(out, q->root);
    buf_puts(out, " (");
    put_resource(out, "STORAGE", (q->bytes + 1023) / 1024,
                 q->bytes_max == UINT64_MAX ? UINT64_MAX : q->bytes_max / 1024, &any);
    put_resource(out, "MESSAGE", q->messages, q->messages_max, &any);
    buf_puts(out, ")\r\n");
}

static enum imap_step unknown(struct imap_command *cmd)
{
    return imap_reply(cmd, IMAP_BAD, NULL, "Unknown command.");
}

static enum imap_step run_get(struct imap *im, struct imap_command *cmd)
{
    const struct quota *asked = cmd->data;
    struct imap_quota q;
    if (!im->config->quota)
        return unknown(cmd);
    enum result r = im->ops->quota(im->ctx, &q);
    if (r != OK)
        return imap_failed(cmd, r);
    if (!slice_eq(asked->name, q.root))
        return imap_reply(cmd, IMAP_NO, "NONEXISTENT", "There is no such quota root.");
    put_quota(im->out, &q);
    return imap_completed(cmd);
}

/* RFC 9208 4.1.2: the mailbox need not be there. */
static enum imap_step run_root(struct imap *im, struct imap_command *cmd)
{
    const struct quota *asked = cmd->data;
    struct imap_quota q;
    if (!im->config->quota)
        return unknown(cmd);
    enum result r = im->ops->quota(im->ctx, &q);
    if (r != OK)
        return imap_failed(cmd, r);
    buf_puts(im->out, "* QUOTAROOT ");
    imap_put_mailbox(im, asked->name);
    buf_putc(im->out, ' ');
    imap_put_string(im->out, q.root);
    buf_puts(im->out, "\r\n");
    put_quota(im->out, &q);
    return imap_completed(cmd);
}

static enum imap_step run_set(struct imap *im, struct imap_command *cmd)
{
    if (!im->config->quota)
        return unknown(cmd);
    return imap_reply(cmd, IMAP_NO, "NOPERM", "Only the administrator sets quotas.");
}

const struct imap_command_spec imap_cmd_getquota = {
    .name = "GETQUOTA", .states = STATE_ANY, .parse = parse_root, .run = run_get};
const struct imap_command_spec imap_cmd_getquotaroot = {
    .name = "GETQUOTAROOT", .states = STATE_ANY, .parse = parse_mailbox, .run = run_root};
const struct imap_command_spec imap_cmd_setquota = {
    .name = "SETQUOTA", .states = STATE_ANY, .parse = parse_set, .run = run_set};
