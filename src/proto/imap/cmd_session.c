/* cmd_session.c: the commands that say something of the session and change no mailbox: NOOP, CHECK,
 * LOGOUT, ID, NAMESPACE, COMPRESS. */
#include "proto/imap/command.h"
#include "proto/imap/id.h"
#include "proto/imap/list.h"

static enum imap_step run_noop(struct imap *im, struct imap_command *cmd)
{
    (void)im;
    return imap_completed(cmd);
}

/* RFC 3501 6.1.3: BYE before the tagged OK. */
static enum imap_step run_logout(struct imap *im, struct imap_command *cmd)
{
    buf_puts(im->out, "* BYE Logging out\r\n");
    im->closing = true;
    return imap_completed(cmd);
}

static void parse_id(struct imap_parser *p, struct imap_command *cmd)
{
    struct buf text;
    buf_init(&text, 400);
    imap_parse_id(p, &text);
    struct slice *copy = ARENA_NEW(&cmd->arena, struct slice);
    if (copy)
        *copy = arena_dup(&cmd->arena, buf_slice(&text));
    buf_release(&text);
    cmd->data = copy;
}

static enum imap_step run_id(struct imap *im, struct imap_command *cmd)
{
    const struct slice *text = cmd->data;
    if (text->len)
        im->ops->client_id(im->ctx, *text);
    imap_put_id(im->out);
    return imap_completed(cmd);
}

static enum imap_step run_namespace(struct imap *im, struct imap_command *cmd)
{
    buf_puts(im->out, "* NAMESPACE ((");
    if (im->config->prefix.len)
        imap_put_mailbox(im, im->config->prefix);
    else
        buf_puts(im->out, "\"\"");
    buf_putc(im->out, ' ');
    imap_put_separator(im->out, imap_separator(im->config));
    buf_puts(im->out, ")) NIL NIL\r\n");
    return imap_completed(cmd);
}

static void parse_compress(struct imap_parser *p, struct imap_command *cmd)
{
    (void)cmd;
    imap_parse_space(p);
    if (!slice_is_nocase(imap_parse_atom(p), "DEFLATE"))
        imap_parser_fail(p, "Unknown compression");
}

/* RFC 4978: from behind the tagged OK, and behind the command, on. */
static enum imap_step run_compress(struct imap *im, struct imap_command *cmd)
{
    if (im->compressed)
        return imap_reply(cmd, IMAP_NO, "COMPRESSIONACTIVE", "DEFLATE is active already.");
    im->compressed = im->compress = true;
    return imap_reply(cmd, IMAP_OK, NULL, "DEFLATE active.");
}

const struct imap_command_spec imap_cmd_noop = {
    .name = "NOOP", .states = STATE_ANY, .run = run_noop};
const struct imap_command_spec imap_cmd_check = {
    .name = "CHECK", .states = STATE_SELECTED, .run = run_noop};
const struct imap_command_spec imap_cmd_logout = {
    .name = "LOGOUT", .states = STATE_ANY, .flags = CMD_NO_SYNC, .run = run_logout};
const struct imap_command_spec imap_cmd_id = {
    .name = "ID", .states = STATE_ANY, .parse = parse_id, .run = run_id};
const struct imap_command_spec imap_cmd_namespace = {
    .name = "NAMESPACE", .states = STATE_ANY, .run = run_namespace};
const struct imap_command_spec imap_cmd_compress = {
    .name = "COMPRESS", .states = STATE_ANY, .parse = parse_compress, .run = run_compress};
