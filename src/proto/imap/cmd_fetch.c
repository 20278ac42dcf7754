/* cmd_fetch.c: FETCH and UID FETCH (RFC 3501 6.4.5): the walk over the messages.
 *
 * Three ways, by what was asked for. Items that the view knows (UID, FLAGS …) are one tight loop.
 * ENVELOPE and its like are copied from summaries that the store hands out many at a time. Body
 * sections go message by message and piece by piece, so that memory does not grow with them. \Seen
 * is submitted first and told with the data; its durability is awaited before the tagged OK. */
#include "proto/imap/fetch.h"
#include "proto/imap/ranges.h"

struct fetch {
    struct imap_seqset set;
    struct fetch_items items;
    struct fetch_modifiers modifiers;
    struct imap_seqset plain; /* the set before it was resolved, for VANISHED */
    struct imap_ranges vanished;
    struct imap_walk walk;
    enum { FETCH_NEW, FETCH_VANISHED, FETCH_RUNNING, FETCH_SEEN } stage;
    bool marks_seen;       /* a change is under way */
    bool some_gone;        /* messages that another session has removed */
    bool unknown_encoding; /* a part that BINARY can't decode */
    bool broken;           /* a literal could not be finished */
    uint64_t work;         /* bytes decoded in this turn */
    /* Of a batch of summaries. */
    uint32_t batch[IMAP_SUMMARY_BATCH];
    size_t n_batch, batch_at;
    /* Of the message whose sections are told. */
    uint32_t seq;
    bool in_message, in_section, streaming;
    size_t section;
    struct buf summary_bytes, built;
    struct summary summary;
    struct fetch_source source;
    struct imap *im;
    struct imap_command *cmd;
};

static void parse_fetch(struct imap_parser *p, struct imap_command *cmd)
{
    struct fetch *f = ARENA_NEW(&cmd->arena, struct fetch);
    cmd->data = f;
    if (!f)
        return;
    buf_init(&f->summary_bytes, SUMMARY_BYTES_MAX);
    buf_init(&f->built, FETCH_HEADER_MAX + 2);
    f->cmd = cmd;
    imap_parse_space(p);
    imap_parse_seqset(p, &f->set);
    imap_parse_space(p);
    fetch_parse_items(p, &f->items);
    /* RFC 3501 6.4.8: UID FETCH answers with the UID, asked for or not. */
    if (cmd->uid)
        f->items.simple |= FETCH_UID;
    if (imap_accept(p, ' '))
        fetch_parse_modifiers(p, &f->modifiers);
    if (f->modifiers.vanished)
        imap_seqset_plain(&f->set, p->arena, &f->plain);
    /* RFC 7162 3.1.4.1: CHANGEDSINCE asks for MODSEQ too. */
    if (f->modifiers.changed)
        f->items.simple |= FETCH_MODSEQ;
    if (f->items.simple & FETCH_MODSEQ)
        cmd->uses |= IMAP_CONDSTORE;
}

/* The next message that is asked for; 0 at the end. */
static uint32_t next_message(const struct imap *im, const struct fetch *f, struct imap_walk *w)
{
    uint32_t seq;
    while ((seq = imap_walk_next(&f->set, w)))
        if (!f->modifiers.changed ||
            im->ops->entry(im->view, seq)->modseq > f->modifiers.changed_since)
            return seq;
    return 0;
}

/* ---- \Seen ---- */

static bool knows_seen(void *arg, const struct imap_view *before, uint32_t old_seq,
                       const struct imap_entry *now)
{
    const struct fetch *f = arg;
    const struct imap_entry *was = f->im->ops->entry(before, old_seq);
    return imap_seqset_has(&f->set, old_seq) && now->keywords == was->keywords &&
           now->flags == (was->flags | IMAP_SEEN);
}

static enum result mark_seen(struct imap *im, struct imap_command *cmd)
{
    struct fetch *f = cmd->data;
    struct imap_change change = {IMAP_FLAGS_ADD, IMAP_SEEN, 0, UINT64_MAX};
    struct imap_walk w = {0};
    size_t n = 0, size = imap_seqset_count(&f->set);
    uint32_t *uids = size ? arena_alloc_n(&cmd->arena, size, sizeof *uids) : NULL;
    if (!uids)
        return size ? LIMIT : OK;
    for (uint32_t seq; (seq = next_message(im, f, &w));) {
        const struct imap_entry *e = im->ops->entry(im->view, seq);
        if (!(e->flags & IMAP_SEEN))
            uids[n++] = e->uid;
    }
    if (n == 0)
        return OK;
    enum result r = im->ops->change(im->ctx, im->mailbox, &change, uids, n, NULL, NULL);
    if (r != OK)
        return r;
    f->marks_seen = true;
    im->pending = true;
    f->items.simple |= FETCH_FLAGS | FETCH_MARKED_SEEN;
    /* With CONDSTORE the new MODSEQ is told when it is known. */
    if (!(im->enabled & IMAP_CONDSTORE))
        cmd->quiet = (struct imap_quiet){knows_seen, f};
    return OK;
}

/* ---- items of the view ---- */

static bool run_simple(struct imap *im, struct fetch *f)
{
    while (!imap_full(im)) {
        char separator;
        uint32_t seq = next_message(im, f, &f->walk);
        if (!seq)
            return true;
        fetch_put_simple(im, f->items.simple, seq, im->ops->entry(im->view, seq), &separator);
        buf_append(im->out, SLICE(")\r\n"));
    }
    return false;
}

/* ---- items of summaries ---- */

/* Stops to take them when output is full; those are asked for again. */
static void on_summary(void *arg, size_t i, struct slice bytes)
{
    struct fetch *f = arg;
    struct imap *im = f->im;
    struct summary s;
    char separator;
    if (imap_full(im))
        return;
    uint32_t seq = f->batch[f->batch_at + i];
    const struct imap_entry *e = im->ops->entry(im->view, seq);
    f->n_batch--;
    if (!bytes.data || summary_read(bytes, e->size, &s) != OK) {
        f->some_gone = true;
        return;
    }
    fetch_put_simple(im, f->items.simple, seq, e, &separator);
    fetch_put_summary(im->out, f->items.simple, &s, &separator);
    buf_append(im->out, SLICE(")\r\n"));
}

static enum result ask_batch(struct imap *im, struct fetch *f)
{
    uint64_t messages[IMAP_SUMMARY_BATCH];
    size_t n = f->n_batch, before = n;
    for (size_t i = 0; i < n; i++)
        messages[i] = im->ops->entry(im->view, f->batch[f->batch_at + i])->message;
    enum result r = im->ops->summaries(im->ctx, messages, n, on_summary, f);
    f->batch_at += before - f->n_batch;
    return r == OK && f->n_batch == before ? FAILED : r;
}

/* OK: all told; BUSY: output is full. */
static enum result run_summaries(struct imap *im, struct fetch *f)
{
    while (!imap_full(im)) {
        if (f->n_batch == 0) {
            f->batch_at = 0;
            uint32_t seq;
            while (f->n_batch < IMAP_SUMMARY_BATCH && (seq = next_message(im, f, &f->walk)))
                f->batch[f->n_batch++] = seq;
            if (f->n_batch == 0)
                return OK;
        }
        enum result r = ask_batch(im, f);
        if (r != OK)
            return r;
    }
    return BUSY;
}

/* ---- sections ---- */

static void on_one_summary(void *arg, size_t i, struct slice bytes)
{
    struct fetch *f = arg;
    (void)i;
    buf_reset(&f->summary_bytes);
    if (bytes.data)
        buf_append(&f->summary_bytes, bytes);
}

static bool needs_summary(const struct fetch *f)
{
    bool needs = f->items.simple & FETCH_OF_SUMMARY;
    for (size_t i = 0; i < f->items.n; i++)
        needs = needs || fetch_needs_summary(&f->items.sections[i]);
    return needs;
}

/* NOT_FOUND: it is gone, or can't be read. */
static enum result load_summary(struct imap *im, struct fetch *f, const struct imap_entry *e)
{
    enum result r = im->ops->summaries(im->ctx, &e->message, 1, on_one_summary, f);
    if (r == OK)
        r = summary_read(buf_slice(&f->summary_bytes), e->size, &f->summary);
    return r == OK ? OK : NOT_FOUND;
}

/* Nothing of a message is written before it is known that its sections can be found. */
static enum result begin_message(struct imap *im, struct fetch *f)
{
    const struct imap_entry *e = im->ops->entry(im->view, f->seq);
    char separator;
    enum result r = needs_summary(f) ? load_summary(im, f, e) : OK;
    f->section = 0;
    if (r == OK)
        r = fetch_locate(im, &f->items.sections[0], e, &f->summary, &f->built, &f->source);
    /* One byte shows whether the message is still there. */
    struct buf probe;
    buf_init(&probe, 1);
    if (r == OK && !f->source.in_built && !f->source.decoded && f->source.len)
        r = im->ops->read(im->ctx, e->message, f->source.from, 1, &probe);
    buf_release(&probe);
    if (r != OK)
        return r;
    f->work += f->source.work;
    fetch_put_simple(im, f->items.simple, f->seq, e, &separator);
    fetch_put_summary(im->out, f->items.simple, &f->summary, &separator);
    if (separator)
        buf_putc(im->out, separator);
    f->in_message = true;
    return OK;
}

static void put_section_head(struct imap *im, struct fetch *f)
{
    if (f->section)
        buf_putc(im->out, ' ');
    buf_append(im->out, f->items.sections[f->section].label);
    if (f->items.sections[f->section].kind == PART_BINARY_SIZE) {
        buf_putc(im->out, ' ');
        buf_put_u64(im->out, f->source.missing ? 0 : f->source.len);
        f->source.len = 0;
        return;
    }
    if (f->source.missing) {
        buf_puts(im->out, " NIL");
        return;
    }
    buf_puts(im->out, f->source.has_nul ? " ~{" : " {");
    buf_put_u64(im->out, f->source.len);
    buf_puts(im->out, "}\r\n");
}

/* BUSY: output is full. */
static enum result stream_section(struct imap *im, struct fetch *f)
{
    const struct imap_entry *e = im->ops->entry(im->view, f->seq);
    while (f->source.len && !f->source.missing) {
        if (imap_full(im))
            return BUSY;
        uint64_t n = f->source.len < IMAP_PIECE ? f->source.len : IMAP_PIECE;
        if (f->source.decoded) {
            enum result r = fetch_read_binary(im, e->message, &f->source, im->out);
            if (r != OK)
                return r == BUSY ? FAILED : r;
            continue;
        }
        size_t before = buf_len(im->out);
        enum result r = OK;
        if (f->source.in_built)
            buf_append(im->out, slice_sub(buf_slice(&f->built), (size_t)f->source.from, (size_t)n));
        else
            r = im->ops->read(im->ctx, e->message, f->source.from, n, im->out);
        if (r != OK || buf_len(im->out) - before != n)
            return r == OK || r == BUSY ? FAILED : r;
        f->source.from += n;
        f->source.len -= n;
    }
    return OK;
}

/* BUSY: output is full, or others get the thread, between one part and the next. */
static enum result run_message(struct imap *im, struct fetch *f)
{
    const struct imap_entry *e = im->ops->entry(im->view, f->seq);
    for (; f->section < f->items.n; f->section++) {
        enum result r = OK;
        if (!f->streaming) {
            if (f->section && f->work > IMAP_TURN_WORK)
                return BUSY;
            if (f->section)
                r = fetch_locate(im, &f->items.sections[f->section], e, &f->summary, &f->built,
                                 &f->source);
            if (r != OK)
                return r;
            f->work += f->section ? f->source.work : 0;
            f->unknown_encoding |= f->source.unknown_encoding;
            put_section_head(im, f);
            f->streaming = true;
        }
        r = stream_section(im, f);
        if (r != OK)
            return r;
        f->streaming = false;
    }
    buf_puts(im->out, ")\r\n");
    f->in_message = false;
    return OK;
}

static enum result run_sections(struct imap *im, struct fetch *f)
{
    for (;;) {
        if (imap_full(im) || f->work > IMAP_TURN_WORK)
            return BUSY;
        if (!f->in_message) {
            f->seq = next_message(im, f, &f->walk);
            if (!f->seq)
                return OK;
            enum result r = begin_message(im, f);
            f->some_gone |= r != OK;
        }
        enum result r = f->in_message ? run_message(im, f) : OK;
        if (r == BUSY)
            return BUSY;
        /* In the middle of a response there is no way to tell: the connection ends. */
        f->broken |= r != OK;
        if (f->broken)
            return FAILED;
    }
}

/* ---- the command ---- */

/* Leaves the wanted ones of those that are asked for in the set. */
static void cut_partial(const struct imap *im, struct fetch *f)
{
    struct imap_walk w = {0};
    uint32_t n = 0, from, to, rank = 0, first = 0, last = 0;
    if (!f->modifiers.partial.wanted)
        return;
    while (next_message(im, f, &w))
        n++;
    imap_partial_ranks(&f->modifiers.partial, n, &from, &to);
    w = (struct imap_walk){0};
    for (uint32_t seq; rank < to && (seq = next_message(im, f, &w));) {
        rank++;
        first = rank == from ? seq : first;
        last = seq;
    }
    imap_seqset_clip(&f->set, first ? first : 1, first ? last : 0);
}

static enum imap_step start(struct imap *im, struct imap_command *cmd)
{
    struct fetch *f = cmd->data;
    /* RFC 7162 3.2.6 */
    if (f->modifiers.vanished && (!cmd->uid || !(im->enabled & IMAP_QRESYNC)))
        return imap_reply(cmd, IMAP_BAD, NULL, "VANISHED needs UID FETCH and QRESYNC.");
    if (f->modifiers.partial.wanted && !cmd->uid)
        return imap_reply(cmd, IMAP_BAD, NULL, "PARTIAL needs UID FETCH.");
    if (!imap_resolve(im, cmd, &f->set))
        return STEP_DONE;
    cut_partial(im, f);
    if (f->modifiers.vanished) {
        enum result r =
            imap_vanished_since(im, f->modifiers.changed_since, &f->plain, 1, &f->vanished);
        if (r != OK)
            return imap_failed(cmd, r);
    }
    /* Where \Seen can't be stored, reading goes on (a full disk, say). */
    if (f->items.sets_seen && !im->read_only && !cmd->own && mark_seen(im, cmd) != OK)
        f->marks_seen = false;
    f->stage = FETCH_VANISHED;
    return STEP_INPUT;
}

static enum imap_step finish(struct imap_command *cmd)
{
    const struct fetch *f = cmd->data;
    /* RFC 2180 4.1.2, with RFC 5530's code. */
    if (f->some_gone)
        return imap_reply(cmd, IMAP_NO, "EXPUNGEISSUED", "Some messages are gone.");
    if (f->unknown_encoding)
        return imap_reply(cmd, IMAP_NO, "UNKNOWN-CTE", "A part has an unknown encoding.");
    if (f->marks_seen && cmd->answer != OK)
        return imap_failed(cmd, cmd->answer);
    return imap_completed(cmd);
}

static enum imap_step run_fetch(struct imap *im, struct imap_command *cmd)
{
    struct fetch *f = cmd->data;
    f->im = im;
    if (f->stage == FETCH_NEW) {
        enum imap_step step = start(im, cmd);
        if (step == STEP_DONE)
            return step;
    }
    if (f->stage == FETCH_SEEN)
        return finish(cmd);
    if (f->stage == FETCH_VANISHED) {
        if (!imap_ranges_tell(im, "* VANISHED (EARLIER) ", &f->vanished))
            return STEP_FLUSH;
        f->stage = FETCH_RUNNING;
    }
    enum result r;
    f->work = 0;
    if (f->items.n)
        r = run_sections(im, f);
    else if (f->items.simple & FETCH_OF_SUMMARY)
        r = run_summaries(im, f);
    else
        r = run_simple(im, f) ? OK : BUSY;
    if (r == BUSY)
        return f->work > IMAP_TURN_WORK ? STEP_TURN : STEP_FLUSH;
    if (f->broken)
        im->closing = cmd->mute = true;
    if (r != OK)
        return imap_failed(cmd, r);
    f->stage = FETCH_SEEN;
    return im->pending ? imap_wait(im) : finish(cmd);
}

static void release_fetch(struct imap *im, struct imap_command *cmd)
{
    struct fetch *f = cmd->data;
    (void)im;
    if (!f)
        return;
    imap_ranges_release(&f->vanished);
    buf_release(&f->summary_bytes);
    buf_release(&f->built);
}

const struct imap_command_spec imap_cmd_fetch = {.name = "FETCH",
                                                 .states = STATE_SELECTED,
                                                 .flags = CMD_UID | CMD_NO_EXPUNGE,
                                                 .parse = parse_fetch,
                                                 .run = run_fetch,
                                                 .release = release_fetch};
