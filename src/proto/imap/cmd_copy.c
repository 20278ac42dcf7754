/* cmd_copy.c: COPY and MOVE (RFC 3501 6.4.7, RFC 6851), with COPYUID (RFC 4315 3) and SAVELIMIT
 * (RFC 9738). All or nothing: the store makes one batch of it. */
#include "proto/imap/command.h"

enum { COPYUID_MAX = 512 * 1024 };

struct copy {
    struct imap_seqset set;
    struct slice target;
    struct imap_mailbox *to;
    uint32_t *uids, *new_uids;
    size_t n;
    uint32_t uidvalidity;
    bool submitted;
};

static void parse_copy(struct imap_parser *p, struct imap_command *cmd)
{
    struct copy *c = ARENA_NEW(&cmd->arena, struct copy);
    struct copy nowhere = {0};
    cmd->data = c;
    c = c ? c : &nowhere;
    imap_parse_space(p);
    imap_parse_seqset(p, &c->set);
    imap_parse_space(p);
    c->target = imap_parse_mailbox(p);
}

/* RFC 9738 3.1: COPY is all or nothing, so what is too much fails; it names the UID that it would
 * have come down to. */
static enum imap_step too_many(const struct imap *im, struct imap_command *cmd)
{
    const struct copy *c = cmd->data;
    uint32_t most = im->config->save_max;
    const char *code = arena_printf(&cmd->arena, "MESSAGELIMIT %u %u", most, c->uids[c->n - most]);
    return imap_reply(cmd, IMAP_NO, code, "Too many messages to copy, try fewer at a time.");
}

static enum imap_step submit(struct imap *im, struct imap_command *cmd, bool move)
{
    struct copy *c = cmd->data;
    if (move && im->read_only)
        return imap_reply(cmd, IMAP_NO, NULL, "Mailbox is read-only.");
    if (!imap_resolve(im, cmd, &c->set))
        return STEP_DONE;
    enum result r = im->ops->open(im->ctx, c->target, &c->to);
    /* RFC 3501 6.4.7: the client may create it and try again. */
    if (r == NOT_FOUND)
        return imap_reply(cmd, IMAP_NO, "TRYCREATE", "There is no such mailbox.");
    if (r != OK)
        return imap_failed(cmd, r);
    c->uids = imap_seqset_uids(&c->set, im->ops, im->view, &cmd->arena, &c->n);
    c->new_uids = arena_alloc_n(&cmd->arena, c->n, sizeof *c->new_uids);
    if (arena_failed(&cmd->arena))
        return imap_failed(cmd, LIMIT);
    if (c->n == 0)
        return imap_reply(cmd, IMAP_OK, NULL, "No messages found.");
    if (!move && im->config->save_max && c->n > im->config->save_max)
        return too_many(im, cmd);
    c->submitted = true;
    r = im->ops->copy(im->ctx, im->mailbox, c->to, move, c->uids, c->n, c->new_uids,
                      &c->uidvalidity);
    if (r == LIMIT)
        return imap_reply(cmd, IMAP_NO, "OVERQUOTA", "Quota exceeded.");
    return r == OK ? imap_wait(im) : imap_failed(cmd, r);
}

/* Messages that another session has removed meanwhile have no new UID. Returns how many have. */
static size_t drop_missing(struct copy *c)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++) {
        if (!c->new_uids[i])
            continue;
        c->uids[kept] = c->uids[i];
        c->new_uids[kept++] = c->new_uids[i];
    }
    return kept;
}

/* "COPYUID 38505 304,319:320 3956:3958", or NULL when it would be too long. */
static const char *copyuid(struct imap_command *cmd, size_t n)
{
    const struct copy *c = cmd->data;
    struct buf text;
    buf_init(&text, COPYUID_MAX);
    buf_printf(&text, "COPYUID %u ", c->uidvalidity);
    imap_put_set(&text, c->uids, n);
    buf_putc(&text, ' ');
    imap_put_set(&text, c->new_uids, n);
    struct slice copy = buf_ok(&text) ? arena_dup(&cmd->arena, buf_slice(&text)) : SLICE_NONE;
    buf_release(&text);
    return copy.data;
}

static enum imap_step run(struct imap *im, struct imap_command *cmd, bool move)
{
    struct copy *c = cmd->data;
    if (!c->submitted)
        return submit(im, cmd, move);
    if (cmd->answer == LIMIT)
        return imap_reply(cmd, IMAP_NO, "OVERQUOTA", "Quota exceeded.");
    if (cmd->answer != OK)
        return imap_failed(cmd, cmd->answer);
    size_t n = drop_missing(c);
    if (n == 0)
        return imap_reply(cmd, IMAP_NO, "EXPUNGEISSUED", "The messages are gone.");
    const char *code = copyuid(cmd, n);
    if (!move)
        return imap_reply(cmd, IMAP_OK, code, "COPY completed.");
    /* RFC 6851 4.3: told before the EXPUNGE responses. */
    if (code) {
        buf_puts(im->out, "* OK [");
        buf_puts(im->out, code);
        buf_puts(im->out, "] Moved.\r\n");
    }
    return imap_completed(cmd);
}

static enum imap_step run_copy(struct imap *im, struct imap_command *cmd)
{
    return run(im, cmd, false);
}

static enum imap_step run_move(struct imap *im, struct imap_command *cmd)
{
    return run(im, cmd, true);
}

static void release_copy(struct imap *im, struct imap_command *cmd)
{
    struct copy *c = cmd->data;
    if (c && c->to)
        im->ops->close(im->ctx, c->to);
}

const struct imap_command_spec imap_cmd_copy = {.name = "COPY",
                                                .states = STATE_SELECTED,
                                                .flags = CMD_UID,
                                                .parse = parse_copy,
                                                .run = run_copy,
                                                .release = release_copy};
const struct imap_command_spec imap_cmd_move = {.name = "MOVE",
                                                .states = STATE_SELECTED,
                                                .flags = CMD_UID,
                                                .parse = parse_copy,
                                                .run = run_move,
                                                .release = release_copy};
