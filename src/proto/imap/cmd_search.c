/* cmd_search.c: SEARCH and UID SEARCH (RFC 3501 6.4.4), with RETURN (RFC 4731), SAVE (RFC 5182) and
 * PARTIAL (RFC 9394). What was found is kept as one bit a message. */
#include "proto/imap/ranges.h"
#include "proto/imap/search.h"

enum {
    TURN_WORK = 2 * 1024 * 1024,     /* bytes read before others get the thread */
    PROGRESS_WORK = 64 * 1024 * 1024 /* and before the client is told how far it is */
};

struct search {
    struct search_program program;
    struct search_returns returns;
    enum { SEARCH_NEW, SEARCH_RUNNING, SEARCH_HEAD, SEARCH_TELL } stage;
    struct search_message message;
    uint8_t *found;
    uint32_t count; /* of the view */
    uint32_t at;    /* the last one looked at, or told */
    uint32_t n, first, last;
    uint64_t modseq; /* the highest of those found */
    uint64_t work;   /* since the client was told of progress */
    bool told_some;
};

static void parse_search(struct imap_parser *p, struct imap_command *cmd)
{
    struct search *s = ARENA_NEW(&cmd->arena, struct search);
    cmd->data = s;
    if (!s)
        return;
    search_message_init(&s->message);
    imap_parse_space(p);
    search_parse_returns(p, &s->returns);
    search_parse(p, &s->program);
    cmd->uses |= s->program.modseq ? IMAP_CONDSTORE : 0;
}

static bool is_found(const struct search *s, uint32_t seq)
{
    return s->found[seq / 8] >> (seq % 8) & 1;
}

static enum imap_step start(struct imap *im, struct imap_command *cmd)
{
    struct search *s = cmd->data;
    struct imap_view_info info;
    if (!search_admit(im, cmd, &s->program, &s->returns))
        return STEP_DONE;
    im->ops->view_info(im->view, &info);
    s->count = info.count;
    s->found = arena_alloc(&cmd->arena, info.count / 8 + 1);
    search_bind(&s->program, im, &cmd->arena);
    if (arena_failed(&cmd->arena))
        return imap_failed(cmd, LIMIT);
    s->stage = SEARCH_RUNNING;
    return STEP_TURN;
}

/* RFC 9585: so that neither side takes the silence for an end. */
static void tell_progress(struct imap *im, const struct imap_command *cmd, struct search *s)
{
    s->work += s->message.work;
    if (s->work < PROGRESS_WORK)
        return;
    s->work = 0;
    buf_puts(im->out, "* OK [INPROGRESS (");
    imap_put_string(im->out, cmd->tag);
    buf_printf(im->out, " %u %u)] Still searching.\r\n", s->at, s->count);
}

/* False: others want the thread. */
static bool look(struct imap *im, const struct imap_command *cmd, struct search *s)
{
    s->message.work = 0;
    while (s->at < s->count) {
        uint32_t seq = ++s->at;
        search_message_next(&s->message, seq, im->ops->entry(im->view, seq));
        if (search_match(im, s->program.root, &s->message)) {
            s->found[seq / 8] |= (uint8_t)(1 << seq % 8);
            s->first = s->first ? s->first : seq;
            s->last = seq;
            s->n++;
            if (s->message.entry->modseq > s->modseq)
                s->modseq = s->message.entry->modseq;
        }
        if (s->message.work > TURN_WORK) {
            tell_progress(im, cmd, s);
            return false;
        }
    }
    s->at = 0;
    s->stage = SEARCH_HEAD;
    return true;
}

/* ---- what is kept of the result ---- */

/* RFC 5182 2.1: with MIN or MAX and neither ALL nor COUNT, only these are saved. */
static void save(struct imap *im, const struct search *s)
{
    struct imap_ranges uids = {0};
    unsigned some = s->returns.items & (RETURN_MIN | RETURN_MAX);
    if (s->returns.items & (RETURN_ALL | RETURN_COUNT | RETURN_PARTIAL))
        some = 0;
    for (uint32_t seq = 1; seq <= s->count; seq++) {
        if (!is_found(s, seq))
            continue;
        if (some && !((some & RETURN_MIN) && seq == s->first) &&
            !((some & RETURN_MAX) && seq == s->last))
            continue;
        uint32_t uid = im->ops->entry(im->view, seq)->uid;
        imap_ranges_add(&uids, uid, uid);
    }
    imap_saved_set(im, &uids);
}

/* Leaves the bits of the wanted ranks. */
static void cut_partial(struct search *s)
{
    uint32_t from, to, rank = 0;
    imap_partial_ranks(&s->returns.partial, s->n, &from, &to);
    for (uint32_t seq = 1; seq <= s->count; seq++) {
        if (!is_found(s, seq))
            continue;
        rank++;
        if (rank < from || rank > to)
            s->found[seq / 8] &= (uint8_t) ~(1 << seq % 8);
    }
    s->n = from <= to ? to - from + 1 : 0;
}

/* ---- telling ---- */

static uint32_t number_of(const struct imap *im, const struct imap_command *cmd, uint32_t seq)
{
    return cmd->uid ? im->ops->entry(im->view, seq)->uid : seq;
}

static void put_head(struct imap *im, struct imap_command *cmd)
{
    struct search *s = cmd->data;
    s->stage = SEARCH_TELL;
    if (s->returns.items & RETURN_SAVE)
        save(im, s);
    if (!s->returns.extended) {
        buf_puts(im->out, "* SEARCH");
        return;
    }
    s->at = s->count;
    if (s->returns.items == RETURN_SAVE)
        return; /* RFC 5182 2: nothing is told */
    struct search_numbers numbers = {s->n, 0, 0};
    if (s->n) {
        numbers.min = number_of(im, cmd, s->first);
        numbers.max = number_of(im, cmd, s->last);
    }
    search_put_head(im, cmd, &s->returns, &numbers);
    if (s->returns.partial.wanted)
        cut_partial(s);
    if ((s->returns.items & (RETURN_ALL | RETURN_PARTIAL)) && s->n)
        s->at = 0;
}

static void put_number(struct imap *im, struct search *s, uint32_t number)
{
    if (!s->returns.extended)
        buf_putc(im->out, ' ');
    else if (s->told_some)
        buf_putc(im->out, ',');
    s->told_some = true;
    buf_put_u64(im->out, number);
}

/* Contracted to runs, since a set may be. */
static void put_run(struct imap *im, struct imap_command *cmd)
{
    struct search *s = cmd->data;
    uint32_t from = number_of(im, cmd, s->at), to = from;
    while (s->at < s->count && is_found(s, s->at + 1) && number_of(im, cmd, s->at + 1) == to + 1) {
        s->at++;
        to++;
    }
    put_number(im, s, from);
    if (to > from) {
        buf_putc(im->out, ':');
        buf_put_u64(im->out, to);
    }
}

/* RFC 7162 3.1.5, 3.1.10: the highest MODSEQ of what is told; of MIN and MAX alone, of these. */
static uint64_t told_modseq(const struct imap *im, const struct search *s)
{
    if (!s->returns.extended || (s->returns.items & (RETURN_ALL | RETURN_COUNT | RETURN_PARTIAL)))
        return s->modseq;
    uint64_t first = im->ops->entry(im->view, s->first)->modseq;
    uint64_t last = im->ops->entry(im->view, s->last)->modseq;
    first = s->returns.items & RETURN_MIN ? first : 0;
    last = s->returns.items & RETURN_MAX ? last : 0;
    return first > last ? first : last;
}

static void put_tail(struct imap *im, const struct search *s)
{
    if (s->returns.partial.wanted)
        buf_puts(im->out, s->told_some ? ")" : "NIL)");
    if (s->program.modseq && s->first)
        buf_printf(im->out, s->returns.extended ? " MODSEQ %llu" : " (MODSEQ %llu)",
                   (unsigned long long)told_modseq(im, s));
    buf_puts(im->out, "\r\n");
}

/* False: output is full. */
static bool tell(struct imap *im, struct imap_command *cmd)
{
    struct search *s = cmd->data;
    while (s->at < s->count) {
        if (imap_full(im))
            return false;
        if (!is_found(s, ++s->at))
            continue;
        if (s->returns.extended)
            put_run(im, cmd);
        else
            put_number(im, s, number_of(im, cmd, s->at));
    }
    if (s->returns.items != RETURN_SAVE)
        put_tail(im, s);
    return true;
}

static enum imap_step run_search(struct imap *im, struct imap_command *cmd)
{
    struct search *s = cmd->data;
    if (s->stage == SEARCH_NEW && start(im, cmd) == STEP_DONE)
        return STEP_DONE;
    if (s->stage == SEARCH_RUNNING && !look(im, cmd, s))
        return STEP_TURN;
    if (s->stage == SEARCH_HEAD)
        put_head(im, cmd);
    return tell(im, cmd) ? imap_completed(cmd) : STEP_FLUSH;
}

static void release_search(struct imap *im, struct imap_command *cmd)
{
    struct search *s = cmd->data;
    (void)im;
    if (!s)
        return;
    search_release(&s->program);
    search_message_release(&s->message);
}

const struct imap_command_spec imap_cmd_search = {.name = "SEARCH",
                                                  .states = STATE_SELECTED,
                                                  .flags = CMD_UID | CMD_NO_EXPUNGE,
                                                  .parse = parse_search,
                                                  .run = run_search,
                                                  .release = release_search};
