/* cmd_select.c: SELECT, EXAMINE, CLOSE, UNSELECT (RFC 3501 6.3.1, 6.3.2, 6.4.2; RFC 3691), and what
 * a client that comes back has missed (QRESYNC, RFC 7162 3.2.5). */
#include "proto/imap/list.h"
#include "proto/imap/ranges.h"
#include "proto/imap/search_update.h"

struct resync {
    bool wanted;
    uint32_t uidvalidity;
    uint64_t modseq;
    bool has_known;
    struct imap_seqset known;                  /* UIDs that the client knows of */
    struct imap_seqset match_seqs, match_uids; /* what it believes of sequence numbers */
};

struct select {
    struct slice mailbox;
    struct resync resync;
    bool read_only;
    enum { SELECT_NEW, SELECT_VANISHED, SELECT_CHANGED } stage;
    struct imap_ranges vanished;
    uint32_t at; /* the last message that was looked at for a change */
};

void imap_deselect(struct imap *im)
{
    imap_sync_abandon(im);
    search_update_clear(im);
    imap_saved_clear(im);
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
    if (im->mailbox) {
        imap_deselect(im);
        /* RFC 7162 3.2.11: what follows is of the other one. */
        buf_puts(im->out, "* OK [CLOSED] Previous mailbox closed.\r\n");
    }
    enum result r = im->ops->open(im->ctx, name, &im->mailbox);
    if (r != OK)
        return r;
    im->read_only = read_only;
    r = im->ops->view(im->ctx, im->mailbox, &im->view);
    if (r != OK)
        imap_deselect(im);
    return r;
}

/* ---- arguments ---- */

static void parse_plain_set(struct imap_parser *p, struct imap_seqset *ret)
{
    struct imap_seqset set;
    imap_parse_seqset(p, &set);
    imap_seqset_plain(&set, p->arena, ret);
}

/* "(uidvalidity modseq [known-uids] [(seqs uids)])" */
static void parse_resync(struct imap_parser *p, struct resync *r)
{
    r->wanted = true;
    imap_parse_space(p);
    imap_parse_char(p, '(');
    r->uidvalidity = (uint32_t)imap_parse_number(p, 1, UINT32_MAX);
    imap_parse_space(p);
    r->modseq = imap_parse_modseq(p, 1);
    bool more = imap_accept(p, ' ');
    if (more && cursor_peek(&p->c) != '(') {
        r->has_known = true;
        parse_plain_set(p, &r->known);
        more = imap_accept(p, ' ');
    }
    if (more) {
        imap_parse_char(p, '(');
        parse_plain_set(p, &r->match_seqs);
        imap_parse_space(p);
        parse_plain_set(p, &r->match_uids);
        imap_parse_char(p, ')');
    }
    imap_parse_char(p, ')');
}

static void parse_parameters(struct imap_parser *p, struct select *s)
{
    imap_parse_char(p, '(');
    do {
        if (imap_accept_word(p, "QRESYNC"))
            parse_resync(p, &s->resync);
        else if (!imap_accept_word(p, "CONDSTORE"))
            imap_parser_fail(p, "Unknown SELECT parameter");
    } while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
}

static void parse_select(struct imap_parser *p, struct imap_command *cmd)
{
    struct select *s = ARENA_NEW(&cmd->arena, struct select);
    struct select nowhere = {0};
    cmd->data = s;
    s = s ? s : &nowhere;
    imap_parse_space(p);
    s->mailbox = imap_parse_mailbox(p);
    if (!imap_accept(p, ' '))
        return;
    parse_parameters(p, s);
    cmd->uses |= IMAP_CONDSTORE;
}

/* ---- what the client has missed ---- */

/* RFC 7162 3.2.5.2: behind the last pair that is right, what the client believes may be wrong. The
 * pairs are walked together. */
static uint32_t first_in_doubt(const struct imap *im, const struct resync *r, uint32_t count)
{
    struct imap_walk seqs = {0}, uids = {0};
    uint32_t first = 1;
    for (;;) {
        uint32_t seq = imap_walk_next(&r->match_seqs, &seqs);
        uint32_t uid = imap_walk_next(&r->match_uids, &uids);
        if (!seq || !uid || seq > count || im->ops->entry(im->view, seq)->uid != uid)
            return first;
        first = uid + 1;
    }
}

static enum result begin_resync(struct imap *im, struct select *s)
{
    const struct resync *r = &s->resync;
    struct imap_view_info info;
    im->ops->view_info(im->view, &info);
    s->at = info.count;
    if (!r->wanted || r->uidvalidity != info.uidvalidity)
        return OK; /* RFC 7162 3.2.5: the client's knowledge is of another mailbox */
    s->at = 0;
    return imap_vanished_since(im, r->modseq, r->has_known ? &r->known : NULL,
                               first_in_doubt(im, r, info.count), &s->vanished);
}

static bool tell_changed(struct imap *im, struct select *s)
{
    const struct resync *r = &s->resync;
    struct imap_view_info info;
    im->ops->view_info(im->view, &info);
    while (s->at < info.count) {
        if (imap_full(im))
            return false;
        const struct imap_entry *e = im->ops->entry(im->view, ++s->at);
        if (e->modseq > r->modseq && (!r->has_known || imap_seqset_has(&r->known, e->uid)))
            imap_put_flags_response(im, im->view, s->at, e, true);
    }
    return true;
}

/* ---- the commands ---- */

static void tell_mailbox(struct imap *im, struct slice name)
{
    struct imap_view_info info;
    im->ops->view_info(im->view, &info);
    bool rev2 = im->enabled & IMAP_REV2;
    imap_put_flag_lists(im, true);
    buf_printf(im->out, rev2 ? "* %u EXISTS\r\n" : "* %u EXISTS\r\n* 0 RECENT\r\n", info.count);
    if (info.first_unseen && !rev2 && !(im->enabled & IMAP_UIDONLY))
        buf_printf(im->out, "* OK [UNSEEN %u] First unseen.\r\n", info.first_unseen);
    buf_printf(im->out,
               "* OK [UIDVALIDITY %u] UIDs valid.\r\n"
               "* OK [UIDNEXT %u] Predicted next UID.\r\n"
               "* OK [HIGHESTMODSEQ %llu] Highest.\r\n",
               info.uidvalidity, info.uidnext, (unsigned long long)info.highest_modseq);
    buf_puts(im->out, "* OK [");
    imap_put_object_id(im->out, "MAILBOXID", 'F', im->ops->mailbox_id(im->mailbox));
    buf_puts(im->out, "] Ok.\r\n");
    if (!rev2)
        return;
    /* RFC 9051 6.3.2: the name as it is. */
    buf_puts(im->out, "* LIST () ");
    imap_put_separator(im->out, imap_separator(im->config));
    buf_putc(im->out, ' ');
    imap_put_mailbox(im, name);
    buf_puts(im->out, "\r\n");
}

static enum imap_step begin(struct imap *im, struct imap_command *cmd)
{
    struct select *s = cmd->data;
    /* RFC 7162 3.2.5: only after ENABLE QRESYNC. */
    if (s->resync.wanted && !(im->enabled & IMAP_QRESYNC))
        return imap_reply(cmd, IMAP_BAD, NULL, "QRESYNC is not enabled.");
    /* RFC 3501 6.3.1: whatever comes of it, the one before is left. */
    enum result r = imap_select(im, s->mailbox, s->read_only);
    if (r == OK) {
        tell_mailbox(im, s->mailbox);
        r = begin_resync(im, s);
        if (r != OK)
            imap_deselect(im);
    }
    s->stage = SELECT_VANISHED;
    return r == OK ? STEP_TURN : imap_failed(cmd, r);
}

static enum imap_step select_as(struct imap *im, struct imap_command *cmd, bool read_only)
{
    struct select *s = cmd->data;
    s->read_only = read_only;
    if (s->stage == SELECT_NEW && begin(im, cmd) == STEP_DONE)
        return STEP_DONE;
    if (s->stage == SELECT_VANISHED) {
        if (!imap_ranges_tell(im, "* VANISHED (EARLIER) ", &s->vanished))
            return STEP_FLUSH;
        s->stage = SELECT_CHANGED;
    }
    if (!tell_changed(im, s))
        return STEP_FLUSH;
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

static void release_select(struct imap *im, struct imap_command *cmd)
{
    struct select *s = cmd->data;
    (void)im;
    if (s)
        imap_ranges_release(&s->vanished);
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
                                                  .run = run_select,
                                                  .release = release_select};
const struct imap_command_spec imap_cmd_examine = {.name = "EXAMINE",
                                                   .states = STATE_ANY,
                                                   .flags = CMD_NO_SYNC,
                                                   .parse = parse_select,
                                                   .run = run_examine,
                                                   .release = release_select};
const struct imap_command_spec imap_cmd_close = {
    .name = "CLOSE", .states = STATE_SELECTED, .flags = CMD_NO_SYNC, .run = run_close};
const struct imap_command_spec imap_cmd_unselect = {
    .name = "UNSELECT", .states = STATE_SELECTED, .flags = CMD_NO_SYNC, .run = run_unselect};
