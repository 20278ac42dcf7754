/* cmd_thread.c: THREAD and UID THREAD (RFC 5256; REFS: draft-ietf-morg-inthread). Ids and subjects
 * come from the summaries; only References is read from the messages' headers, as no summary has
 * it. */
#include "mime/header.h"
#include "mime/subject.h"
#include "proto/imap/sort.h"
#include "proto/imap/thread.h"

enum { THREAD_HEADER_MAX = 64 * 1024, THREAD_SUBJECT_MAX = 300 };

struct thread {
    struct search_scan scan;
    enum { ORDEREDSUBJECT, REFERENCES, REFS } algorithm;
    enum { THREAD_NEW, THREAD_SEARCHING, THREAD_READING, THREAD_TELLING } stage;
    struct sort_walk walk;
    struct thread_forest forest;
    struct arena *arena;
    struct thread_node *at; /* the next to be told */
    bool after_number;
    struct buf text, raw, header;
};

static void parse_thread(struct imap_parser *p, struct imap_command *cmd)
{
    struct thread *t = ARENA_NEW(&cmd->arena, struct thread);
    cmd->data = t;
    if (!t)
        return;
    t->arena = &cmd->arena;
    search_message_init(&t->scan.message);
    thread_init(&t->forest, &cmd->arena);
    buf_init(&t->text, 64 * 1024);
    buf_init(&t->raw, 64 * 1024);
    buf_init(&t->header, THREAD_HEADER_MAX);
    imap_parse_space(p);
    if (imap_accept_word(p, "ORDEREDSUBJECT"))
        t->algorithm = ORDEREDSUBJECT;
    else if (imap_accept_word(p, "REFERENCES"))
        t->algorithm = REFERENCES;
    else if (imap_accept_word(p, "REFS"))
        t->algorithm = REFS;
    else
        imap_parser_fail(p, "Unknown threading algorithm");
    sort_parse_search(p, &t->scan.program);
    cmd->uses |= t->scan.program.modseq ? IMAP_CONDSTORE : 0;
}

/* ---- reading ---- */

/* The ids in a field, in their order; of too many the last ones. */
static size_t take_ids(struct slice text, struct slice *ids, size_t most)
{
    size_t n = 0;
    for (;;) {
        size_t open = slice_find(text, '<');
        if (open == SIZE_MAX)
            return n;
        text = slice_from(text, open + 1);
        size_t end = slice_find(text, '>');
        if (end == SIZE_MAX)
            return n;
        struct slice id = slice_sub(text, 0, end);
        if (id.len == 0 || id.len > THREAD_ID_MAX || slice_find(id, '@') == SIZE_MAX)
            continue;
        if (n == most) {
            memmove(ids, ids + 1, (n - 1) * sizeof *ids);
            n--;
        }
        ids[n++] = id;
    }
}

static struct slice references_of(const struct thread *t)
{
    struct slice header = buf_slice(&t->header);
    struct header_field field;
    while (header_next(&header, &field))
        if (slice_is_nocase(field.name, "References"))
            return field.body;
    return SLICE_NONE;
}

/* RFC 5256 3: those of References, or else the first of In-Reply-To. */
static size_t find_references(struct thread *t, const struct imap_entry *e, const struct summary *s,
                              const struct envelope *env, struct slice *ids)
{
    const struct imap *im = t->walk.im;
    uint64_t len = s->header_len < THREAD_HEADER_MAX ? s->header_len : THREAD_HEADER_MAX;
    buf_reset(&t->header);
    size_t n = 0;
    if (im->ops->read(im->ctx, e->message, 0, len, &t->header) == OK)
        n = take_ids(references_of(t), ids, THREAD_REFERENCES_MAX);
    if (n)
        return n;
    buf_reset(&t->raw);
    envelope_string(env->in_reply_to, &t->raw);
    n = take_ids(buf_slice(&t->raw), ids, THREAD_REFERENCES_MAX);
    return n ? 1 : 0;
}

static void add_by_references(struct thread *t, const struct thread_node *message,
                              const struct imap_entry *e, const struct summary *s,
                              const struct envelope *env)
{
    struct slice ids[THREAD_REFERENCES_MAX], own = SLICE_NONE;
    struct buf text;
    size_t n = s ? find_references(t, e, s, env, ids) : 0;
    buf_init(&text, 2 * THREAD_ID_MAX);
    envelope_string(env->message_id, &text);
    if (take_ids(buf_slice(&text), &own, 1) == 0)
        own = SLICE_NONE;
    thread_add(&t->forest, message, own, ids, n);
    buf_release(&text);
}

static void on_message(void *arg, uint32_t i, const struct imap_entry *e, const struct summary *s)
{
    struct thread *t = arg;
    struct envelope env = {0};
    struct thread_node message = {.seq = t->walk.seqs[i], .date = sort_date(e, s)};
    if (s)
        envelope_read(s->envelope, &env);
    if (t->algorithm != REFS) {
        buf_reset(&t->raw);
        buf_reset(&t->text);
        envelope_string(env.subject, &t->raw);
        message.reply = subject_base(buf_slice(&t->raw), &t->text);
        message.subject =
            arena_dup(t->arena, slice_sub(buf_slice(&t->text), 0, THREAD_SUBJECT_MAX));
    }
    if (t->algorithm == ORDEREDSUBJECT)
        thread_add_alone(&t->forest, &message);
    else
        add_by_references(t, &message, e, s, &env);
}

/* ---- telling ---- */

static bool in_parentheses(const struct thread *t, const struct thread_node *n)
{
    return n->parent == &t->forest.root || n->parent->child->next;
}

static void put_node(struct imap *im, const struct imap_command *cmd, struct thread *t,
                     const struct thread_node *n)
{
    if (in_parentheses(t, n)) {
        buf_puts(im->out, t->after_number ? " (" : "(");
        t->after_number = false;
    }
    if (!n->seq)
        return;
    if (t->after_number)
        buf_putc(im->out, ' ');
    buf_put_u64(im->out, cmd->uid ? im->ops->entry(im->view, n->seq)->uid : n->seq);
    t->after_number = true;
}

/* Ends what ends with this node; the node that comes then. */
static struct thread_node *leave(struct imap *im, struct thread *t, struct thread_node *n)
{
    for (; n != &t->forest.root; n = n->parent) {
        if (in_parentheses(t, n)) {
            buf_putc(im->out, ')');
            t->after_number = false;
        }
        if (n->next)
            return n->next;
    }
    return NULL;
}

/* False: output is full. */
static bool tell(struct imap *im, struct imap_command *cmd)
{
    struct thread *t = cmd->data;
    while (t->at) {
        if (imap_full(im))
            return false;
        put_node(im, cmd, t, t->at);
        t->at = t->at->child ? t->at->child : leave(im, t, t->at);
    }
    if (t->scan.program.modseq && t->scan.n)
        buf_printf(im->out, " (MODSEQ %llu)", (unsigned long long)t->scan.modseq);
    buf_puts(im->out, "\r\n");
    return true;
}

/* ---- the command ---- */

/* Nothing is told before it is known that all can be. */
static enum result finish(struct imap *im, struct thread *t)
{
    if (t->algorithm == ORDEREDSUBJECT)
        thread_by_subject(&t->forest);
    else
        thread_finish(&t->forest, t->algorithm == REFS);
    if (arena_failed(t->arena) || t->forest.failed)
        return LIMIT;
    t->at = t->forest.root.child;
    t->stage = THREAD_TELLING;
    buf_puts(im->out, t->at ? "* THREAD " : "* THREAD");
    return OK;
}

static enum imap_step run_thread(struct imap *im, struct imap_command *cmd)
{
    static const struct search_returns none = {0};
    struct thread *t = cmd->data;
    enum result r = OK;
    if (t->stage == THREAD_NEW) {
        if (!search_scan_begin(im, cmd, &t->scan, &none))
            return STEP_DONE;
        t->stage = THREAD_SEARCHING;
    }
    if (t->stage == THREAD_SEARCHING) {
        if (!search_scan_step(im, cmd, &t->scan))
            return STEP_TURN;
        r = sort_walk_begin(im, cmd, &t->scan, &t->walk);
        t->walk.each = on_message;
        t->walk.arg = t;
        t->stage = THREAD_READING;
    }
    if (t->stage == THREAD_READING && r == OK) {
        r = sort_walk_step(&t->walk);
        if (r == BUSY)
            return STEP_TURN;
        if (arena_failed(&cmd->arena))
            r = LIMIT;
        if (r == OK)
            r = finish(im, t);
    }
    if (r != OK)
        return imap_failed(cmd, r);
    return tell(im, cmd) ? imap_completed(cmd) : STEP_FLUSH;
}

static void release_thread(struct imap *im, struct imap_command *cmd)
{
    struct thread *t = cmd->data;
    (void)im;
    if (!t)
        return;
    search_scan_release(&t->scan);
    thread_release(&t->forest);
    buf_release(&t->text);
    buf_release(&t->raw);
    buf_release(&t->header);
}

const struct imap_command_spec imap_cmd_thread = {.name = "THREAD",
                                                  .states = STATE_SELECTED,
                                                  .flags = CMD_UID | CMD_NO_EXPUNGE,
                                                  .parse = parse_thread,
                                                  .run = run_thread,
                                                  .release = release_thread};
