/* cmd_mailbox.c: CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE (RFC 3501 6.3.3-6.3.7). */
#include "proto/imap/list.h"

struct names {
    struct slice first, second;
    unsigned special_use;
};

static struct names *new_names(struct imap_command *cmd)
{
    return cmd->data = ARENA_NEW(&cmd->arena, struct names);
}

static void parse_name(struct imap_parser *p, struct imap_command *cmd)
{
    struct names *n = new_names(cmd);
    imap_parse_space(p);
    struct slice name = imap_parse_mailbox(p);
    if (n)
        n->first = name;
}

/* RFC 6154 3: CREATE name (USE (\Sent)). */
static void parse_special_use(struct imap_parser *p, struct names *n)
{
    imap_parse_char(p, '(');
    if (!imap_accept_word(p, "USE"))
        imap_parser_fail(p, "Unknown CREATE parameter");
    imap_parse_space(p);
    imap_parse_char(p, '(');
    do {
        imap_parse_char(p, '\\');
        struct slice word = imap_parse_atom(p);
        unsigned use = imap_special_use(word);
        if (!use)
            imap_parser_fail(p, "Unknown special use");
        n->special_use |= use;
    } while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
    imap_parse_char(p, ')');
}

static void parse_create(struct imap_parser *p, struct imap_command *cmd)
{
    parse_name(p, cmd);
    struct names *n = cmd->data;
    if (!n)
        return;
    if (imap_accept(p, ' '))
        parse_special_use(p, n);
}

static void parse_rename(struct imap_parser *p, struct imap_command *cmd)
{
    parse_name(p, cmd);
    struct names *n = cmd->data;
    imap_parse_space(p);
    struct slice name = imap_parse_mailbox(p);
    if (n)
        n->second = name;
}

static enum imap_step reply_result(struct imap_command *cmd, enum result r)
{
    return r == OK ? imap_completed(cmd) : imap_failed(cmd, r);
}

static enum imap_step run_create(struct imap *im, struct imap_command *cmd)
{
    struct names *n = cmd->data;
    /* RFC 3501 6.3.3: the delimiter at the end only says that there will be names below. */
    while (n->first.len > 1 && n->first.data[n->first.len - 1] == imap_separator(im->config))
        n->first.len--;
    struct imap_mailbox *m = NULL;
    enum result r = im->ops->create(im->ctx, n->first, n->special_use);
    if (r != OK || im->ops->open(im->ctx, n->first, &m) != OK)
        return reply_result(cmd, r);
    /* RFC 8474 4.1 */
    const char *code =
        arena_printf(&cmd->arena, "MAILBOXID (F%llx)", (unsigned long long)im->ops->mailbox_id(m));
    im->ops->close(im->ctx, m);
    return imap_reply(cmd, IMAP_OK, code, NULL);
}

static enum imap_step run_delete(struct imap *im, struct imap_command *cmd)
{
    const struct names *n = cmd->data;
    enum result r = im->ops->remove(im->ctx, n->first);
    struct imap_view *v = NULL;
    if (r != OK || !im->mailbox)
        return reply_result(cmd, r);
    /* Who deletes the mailbox that is selected has none afterwards. */
    if (im->ops->view(im->ctx, im->mailbox, &v) == OK)
        im->ops->view_release(v);
    else
        imap_deselect(im);
    return imap_completed(cmd);
}

static enum imap_step run_rename(struct imap *im, struct imap_command *cmd)
{
    const struct names *n = cmd->data;
    return reply_result(cmd, im->ops->rename(im->ctx, n->first, n->second));
}

static enum imap_step run_subscribe(struct imap *im, struct imap_command *cmd)
{
    const struct names *n = cmd->data;
    return reply_result(cmd, im->ops->subscribe(im->ctx, n->first, true));
}

static enum imap_step run_unsubscribe(struct imap *im, struct imap_command *cmd)
{
    const struct names *n = cmd->data;
    return reply_result(cmd, im->ops->subscribe(im->ctx, n->first, false));
}

const struct imap_command_spec imap_cmd_create = {
    .name = "CREATE", .states = STATE_ANY, .parse = parse_create, .run = run_create};
const struct imap_command_spec imap_cmd_delete = {
    .name = "DELETE", .states = STATE_ANY, .parse = parse_name, .run = run_delete};
const struct imap_command_spec imap_cmd_rename = {
    .name = "RENAME", .states = STATE_ANY, .parse = parse_rename, .run = run_rename};
const struct imap_command_spec imap_cmd_subscribe = {
    .name = "SUBSCRIBE", .states = STATE_ANY, .parse = parse_name, .run = run_subscribe};
const struct imap_command_spec imap_cmd_unsubscribe = {
    .name = "UNSUBSCRIBE", .states = STATE_ANY, .parse = parse_name, .run = run_unsubscribe};
