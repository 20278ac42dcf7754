/* cmd_store.c: STORE and UID STORE (RFC 3501 6.4.6), UNCHANGEDSINCE (RFC 7162 3.1.3). */
#include "proto/imap/command.h"

enum { MODIFIED_MAX = 512 * 1024 };

struct store {
    struct imap_seqset set;
    struct imap_flag_list flags;
    struct imap_change change;
    bool silent;
    enum { STORE_NEW, STORE_SUBMITTED, STORE_SYNC, STORE_TELL } stage;
    uint32_t *uids, *refused; /* refused: UNCHANGEDSINCE did not let them be changed */
    size_t n, told, n_refused;
    struct imap_view *newest; /* where the flags are told from */
};

static void parse_modifiers(struct imap_parser *p, struct imap_command *cmd, struct store *s)
{
    if (!imap_accept_word(p, "UNCHANGEDSINCE"))
        imap_parser_fail(p, "Unknown STORE modifier");
    imap_parse_space(p);
    s->change.unchanged_since = imap_parse_modseq(p, 0);
    imap_parse_char(p, ')');
    imap_parse_space(p);
    cmd->uses |= IMAP_CONDSTORE;
}

static void parse_store(struct imap_parser *p, struct imap_command *cmd)
{
    struct store *s = ARENA_NEW(&cmd->arena, struct store);
    struct store nowhere = {0};
    cmd->data = s;
    s = s ? s : &nowhere;
    imap_parse_space(p);
    imap_parse_seqset(p, &s->set);
    imap_parse_space(p);
    s->change.unchanged_since = UINT64_MAX;
    if (imap_accept(p, '('))
        parse_modifiers(p, cmd, s);
    s->change.op = imap_accept(p, '+')   ? IMAP_FLAGS_ADD
                   : imap_accept(p, '-') ? IMAP_FLAGS_REMOVE
                                         : IMAP_FLAGS_SET;
    s->silent = imap_accept_word(p, "FLAGS.SILENT");
    if (!s->silent && !imap_accept_word(p, "FLAGS"))
        imap_parser_fail(p, "Unknown item to store");
    imap_parse_space(p);
    imap_parse_flags(p, true, &s->flags);
    s->change.flags = s->flags.system;
}

/* Will the client know of this change without being told? It asked for silence and nobody else
 * touched the message, or it is told with the others in STORE_TELL. */
static bool knows(void *arg, const struct imap_view *before, uint32_t old_seq,
                  const struct imap_entry *now)
{
    struct imap_command *cmd = ((void **)arg)[0];
    const struct imap *im = ((void **)arg)[1];
    const struct store *s = cmd->data;
    if (!imap_seqset_has(&s->set, old_seq))
        return false;
    if (!s->silent)
        return true;
    const struct imap_entry *was = im->ops->entry(before, old_seq);
    const struct imap_change *c = &s->change;
    uint8_t flags = c->op == IMAP_FLAGS_SET   ? c->flags
                    : c->op == IMAP_FLAGS_ADD ? was->flags | c->flags
                                              : was->flags & ~c->flags;
    uint64_t keywords = c->op == IMAP_FLAGS_SET   ? c->keywords
                        : c->op == IMAP_FLAGS_ADD ? was->keywords | c->keywords
                                                  : was->keywords & ~c->keywords;
    return now->flags == flags && now->keywords == keywords;
}

/* One that is to be taken away need not be made. */
static enum result find_keywords(struct imap *im, struct store *s)
{
    enum result r = OK;
    for (size_t i = 0; i < s->flags.n && r == OK; i++) {
        uint32_t bit = 0;
        if (s->change.op == IMAP_FLAGS_REMOVE)
            bit = imap_find_keyword(im->ops, im->view, s->flags.keywords[i]);
        else
            r = im->ops->keyword_bit(im->ctx, im->mailbox, s->flags.keywords[i], &bit);
        if (r == OK && bit < 64)
            s->change.keywords |= 1ull << bit;
    }
    return r;
}

static void on_refused(void *arg, uint32_t uid)
{
    struct store *s = arg;
    if (s->n_refused < s->n)
        s->refused[s->n_refused++] = uid;
}

static enum imap_step submit(struct imap *im, struct imap_command *cmd)
{
    struct store *s = cmd->data;
    if (im->read_only)
        return imap_reply(cmd, IMAP_NO, NULL, "Mailbox is read-only.");
    if (!imap_resolve(im, cmd, &s->set))
        return STEP_DONE;
    s->uids = imap_seqset_uids(&s->set, im->ops, im->view, &cmd->arena, &s->n);
    s->refused = arena_alloc_n(&cmd->arena, s->n, sizeof *s->refused);
    void **arg = arena_alloc_n(&cmd->arena, 2, sizeof(void *));
    if (arena_failed(&cmd->arena))
        return imap_failed(cmd, LIMIT);
    if (s->n == 0)
        return imap_completed(cmd);
    enum result r = find_keywords(im, s);
    if (r != OK)
        return imap_reply(cmd, IMAP_NO, r == LIMIT || r == INVALID ? "LIMIT" : "UNAVAILABLE",
                          "The keyword can't be stored.");
    arg[0] = cmd;
    arg[1] = im;
    cmd->quiet = (struct imap_quiet){knows, arg};
    r = im->ops->change(im->ctx, im->mailbox, &s->change, s->uids, s->n, on_refused, s);
    if (r != OK)
        return imap_failed(cmd, r);
    s->stage = STORE_SUBMITTED;
    return imap_wait(im);
}

static enum imap_step submitted(struct imap *im, struct imap_command *cmd)
{
    struct store *s = cmd->data;
    if (cmd->answer != OK)
        return imap_failed(cmd, cmd->answer);
    if (s->silent && !(im->enabled & IMAP_CONDSTORE))
        return imap_completed(cmd); /* command.c tells the rest */
    enum result r = im->ops->view(im->ctx, im->mailbox, &s->newest);
    if (r == OK)
        r = imap_sync_begin(im, cmd->uid, cmd->uid, &cmd->quiet);
    if (r != OK)
        return imap_failed(cmd, r);
    cmd->synced = true;
    s->stage = STORE_SYNC;
    return STEP_DONE;
}

/* Both lists ascend. */
static bool is_refused(const struct store *s, uint32_t uid)
{
    size_t low = 0, high = s->n_refused;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (s->refused[middle] < uid)
            low = middle + 1;
        else
            high = middle;
    }
    return low < s->n_refused && s->refused[low] == uid;
}

/* RFC 7162 3.1.3: silence leaves the MODSEQ to be told, of those that were changed. */
static void tell_one(struct imap *im, const struct imap_command *cmd, uint32_t seq,
                     const struct imap_entry *e)
{
    const struct store *s = cmd->data;
    if (!s->silent) {
        imap_put_flags_response(im, s->newest, seq, e, cmd->uid);
        return;
    }
    if (is_refused(s, e->uid))
        return;
    imap_put_fetch_head(im, seq, e);
    if (cmd->uid || (im->enabled & IMAP_QRESYNC))
        buf_printf(im->out, "UID %u ", e->uid);
    imap_put_modseq(im->out, e->modseq);
    buf_puts(im->out, ")\r\n");
}

/* RFC 3501 6.4.6: the new value of each message's flags, changed or not. */
static bool tell(struct imap *im, struct imap_command *cmd)
{
    struct store *s = cmd->data;
    struct imap_view_info mine, theirs;
    im->ops->view_info(im->view, &mine);
    im->ops->view_info(s->newest, &theirs);
    for (; s->told < s->n; s->told++) {
        if (imap_full(im))
            return false;
        uint32_t uid = s->uids[s->told];
        uint32_t seq = im->ops->seek(im->view, uid), now = im->ops->seek(s->newest, uid);
        if (seq > mine.count || now > theirs.count || im->ops->entry(im->view, seq)->uid != uid)
            continue;
        const struct imap_entry *e = im->ops->entry(s->newest, now);
        if (e->uid == uid)
            tell_one(im, cmd, seq, e);
    }
    return true;
}

/* "MODIFIED 7,9": in the numbers that the client used. */
static enum imap_step modified(struct imap *im, struct imap_command *cmd)
{
    const struct store *s = cmd->data;
    struct buf text;
    for (size_t i = 0; !cmd->uid && i < s->n_refused; i++)
        s->refused[i] = im->ops->seek(im->view, s->refused[i]);
    buf_init(&text, MODIFIED_MAX);
    buf_puts(&text, "MODIFIED ");
    imap_put_set(&text, s->refused, s->n_refused);
    struct slice code = buf_ok(&text) ? arena_dup(&cmd->arena, buf_slice(&text)) : SLICE_NONE;
    buf_release(&text);
    /* An OK without the code would say that all were changed. */
    if (!code.data)
        return imap_failed(cmd, LIMIT);
    return imap_reply(cmd, IMAP_OK, code.data, "Conditional STORE failed.");
}

static enum imap_step run_store(struct imap *im, struct imap_command *cmd)
{
    struct store *s = cmd->data;
    if (s->stage == STORE_NEW)
        return submit(im, cmd);
    if (s->stage == STORE_SUBMITTED) {
        submitted(im, cmd);
        if (s->stage == STORE_SUBMITTED)
            return STEP_DONE;
    }
    if (s->stage == STORE_SYNC) {
        if (!imap_sync_step(im))
            return STEP_FLUSH;
        s->stage = STORE_TELL;
    }
    if (!tell(im, cmd))
        return STEP_FLUSH;
    return s->n_refused ? modified(im, cmd) : imap_completed(cmd);
}

static void release_store(struct imap *im, struct imap_command *cmd)
{
    struct store *s = cmd->data;
    if (s && s->newest)
        im->ops->view_release(s->newest);
}

const struct imap_command_spec imap_cmd_store = {.name = "STORE",
                                                 .states = STATE_SELECTED,
                                                 .flags = CMD_UID | CMD_NO_EXPUNGE,
                                                 .parse = parse_store,
                                                 .run = run_store,
                                                 .release = release_store};
