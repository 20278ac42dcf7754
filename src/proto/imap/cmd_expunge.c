/* cmd_expunge.c: EXPUNGE (RFC 3501 6.4.3) and UID EXPUNGE (RFC 4315 2.1). */
#include "proto/imap/command.h"

struct expunge {
    struct imap_seqset set; /* UID EXPUNGE */
    bool submitted;
};

/* Of the newest view, which may know of a \Deleted that this client has not been told of. */
uint32_t *imap_deleted_uids(struct imap *im, struct imap_command *cmd, struct imap_seqset *within,
                            size_t *ret_n)
{
    struct imap_view *newest = NULL;
    struct imap_view_info info;
    *ret_n = 0;
    if (im->ops->view(im->ctx, im->mailbox, &newest) != OK)
        return NULL;
    im->ops->view_info(newest, &info);
    if (within)
        imap_saved_fill(im, &cmd->arena, within);
    if (within && !imap_seqset_resolve(within, im->ops, newest, IMAP_UIDS))
        info.count = 0;
    size_t n = 0;
    for (uint32_t seq = 1; seq <= info.count; seq++)
        n += (im->ops->entry(newest, seq)->flags & IMAP_DELETED) != 0;
    uint32_t *uids = n ? arena_alloc_n(&cmd->arena, n, sizeof *uids) : NULL;
    for (uint32_t seq = 1; uids && seq <= info.count; seq++) {
        const struct imap_entry *e = im->ops->entry(newest, seq);
        if ((e->flags & IMAP_DELETED) && (!within || imap_seqset_has(within, seq)))
            uids[(*ret_n)++] = e->uid;
    }
    im->ops->view_release(newest);
    return uids;
}

static void parse_expunge(struct imap_parser *p, struct imap_command *cmd)
{
    struct expunge *e = ARENA_NEW(&cmd->arena, struct expunge);
    cmd->data = e;
    if (!e || !cmd->uid)
        return;
    imap_parse_space(p);
    imap_parse_seqset(p, &e->set);
}

/* RFC 7162 3.2.7, 3.2.8: the client that resynchronises knows up to where it is right. */
static enum imap_step expunged(const struct imap *im, struct imap_command *cmd)
{
    cmd->tell_modseq = im->enabled & IMAP_QRESYNC;
    return imap_completed(cmd);
}

static enum imap_step run_expunge(struct imap *im, struct imap_command *cmd)
{
    struct expunge *e = cmd->data;
    if (im->read_only)
        return imap_reply(cmd, IMAP_NO, NULL, "Mailbox is read-only.");
    if (e->submitted)
        return cmd->answer == OK ? expunged(im, cmd) : imap_failed(cmd, cmd->answer);
    size_t n = 0;
    uint32_t *uids = imap_deleted_uids(im, cmd, cmd->uid ? &e->set : NULL, &n);
    if (n == 0)
        return arena_failed(&cmd->arena) ? imap_failed(cmd, LIMIT) : imap_completed(cmd);
    e->submitted = true;
    enum result r = im->ops->expunge(im->ctx, im->mailbox, uids, n);
    return r == OK ? imap_wait(im) : imap_failed(cmd, r);
}

const struct imap_command_spec imap_cmd_expunge = {.name = "EXPUNGE",
                                                   .states = STATE_SELECTED,
                                                   .flags = CMD_UID,
                                                   .parse = parse_expunge,
                                                   .run = run_expunge};
