/* cmd_select.c: SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 6.3.1, 6.3.2, 6.4.2; RFC 3691). */
#include "proto/imap/command.h"

struct select {
    struct slice mailbox;
};

void imap_deselect(struct imap *im)
{
    imap_sync_abandon(im);
    if (im->idle_tag)
        im->ops->unwatch(im->ctx, im->mailbox);
    if (im->view)
        im->ops->view_release(im->view);
    if (im->mailbox)
        im->ops->close(im->ctx, im->mailbox);
    im->view = NULL;
    im->mailbox = NULL;
}

enum result imap_select(struct imap *im, struct slice name, bool read_only)
{
    if (im->mailbox)
        imap_deselect(im);
    enum result r = im->ops->open(im->ctx, name, &im->mailbox);
    if (r != OK)
        return r;
    im->read_only = read_only;
    r = im->ops->view(im->ctx, im->mailbox, &im->view);
    if (r != OK)
        imap_deselect(im);
    return r;
}

static void parse_select(struct imap_parser *p, struct imap_command *cmd)
{
    struct select *s = ARENA_NEW(&cmd->arena, struct select);
    cmd->data = s;
    imap_parse_space(p);
    struct slice name = imap_parse_mailbox(p);
    if (s)
        s->mailbox = name;
}

static void tell_mailbox(struct imap *im)
{
    struct imap_view_info info;
    im->ops->view_info(im->view, &info);
    imap_put_flag_lists(im, true);
    buf_printf(im->out, "* %u EXISTS\r\n* 0 RECENT\r\n", info.count);
    if (info.first_unseen)
        buf_printf(im->out, "* OK [UNSEEN %u] First unseen.\r\n", info.first_unseen);
    buf_printf(im->out,
               "* OK [UIDVALIDITY %u] UIDs valid.\r\n"
               "* OK [UIDNEXT %u] Predicted next UID.\r\n",
               info.uidvalidity, info.uidnext);
}

static enum imap_step select_as(struct imap *im, struct imap_command *cmd, bool read_only)
{
    const struct select *s = cmd->data;
    /* RFC 3501 6.3.1: whatever comes of it, the one before is left. */
    enum result r = imap_select(im, s->mailbox, read_only);
    if (r != OK)
        return imap_failed(cmd, r);
    tell_mailbox(im);
    return imap_reply(cmd, IMAP_OK, read_only ? "READ-ONLY" : "READ-WRITE",
                      read_only ? "EXAMINE completed." : "SELECT completed.");
}

static enum imap_step run_select(struct imap *im, struct imap_command *cmd)
{
    return select_as(im, cmd, false);
}

static enum imap_step run_examine(struct imap *im, struct imap_command *cmd)
{
    return select_as(im, cmd, true);
}

static enum imap_step run_unselect(struct imap *im, struct imap_command *cmd)
{
    imap_deselect(im);
    return imap_completed(cmd);
}

/* RFC 3501 6.4.2: removes what is \Deleted and says nothing of it. */
static enum imap_step run_close(struct imap *im, struct imap_command *cmd)
{
    if (!cmd->data && !im->read_only) {
        cmd->data = cmd;
        size_t n = 0;
        uint32_t *uids = imap_deleted_uids(im, cmd, NULL, &n);
        if (n && im->ops->expunge(im->ctx, im->mailbox, uids, n) == OK)
            return imap_wait(im);
    }
    imap_deselect(im);
    return imap_completed(cmd);
}

const struct imap_command_spec imap_cmd_select = {.name = "SELECT",
                                                  .states = STATE_ANY,
                                                  .flags = CMD_NO_SYNC,
                                                  .parse = parse_select,
                                                  .run = run_select};
const struct imap_command_spec imap_cmd_examine = {.name = "EXAMINE",
                                                   .states = STATE_ANY,
                                                   .flags = CMD_NO_SYNC,
                                                   .parse = parse_select,
                                                   .run = run_examine};
const struct imap_command_spec imap_cmd_close = {
    .name = "CLOSE", .states = STATE_SELECTED, .flags = CMD_NO_SYNC, .run = run_close};
const struct imap_command_spec imap_cmd_unselect = {
    .name = "UNSELECT", .states = STATE_SELECTED, .flags = CMD_NO_SYNC, .run = run_unselect};
