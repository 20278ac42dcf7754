/* cmd_sort.c: SORT and UID SORT (RFC 5256), with RETURN and UPDATE (RFC 5267). Keys are made once,
 * from the entries and the summaries; no message is read. */
#include <stdlib.h>

#include "proto/imap/search_update.h"

struct sort {
    struct search_scan scan;
    struct search_returns returns;
    struct sort_keys keys;
    struct slice text; /* the program's, for UPDATE */
    enum { SORT_NEW, SORT_SEARCHING, SORT_READING, SORT_TELLING } stage;
    struct sort_walk walk;
    union sort_value *values; /* keys.n for each message */
    uint32_t *order;          /* places in walk.seqs */
    uint32_t from, to;        /* of the order: what is told */
    uint32_t score_from;      /* of the order: whose score is told */
    bool told_some, told_score;
    bool ended; /* what stands between numbers and scores is told */
    struct sort_maker maker;
};

/* ---- arguments ---- */

static void parse_sort(struct imap_parser *p, struct imap_command *cmd)
{
    struct sort *s = ARENA_NEW(&cmd->arena, struct sort);
    cmd->data = s;
    if (!s)
        return;
    sort_maker_init(&s->maker, &cmd->arena);
    search_message_init(&s->scan.message);
    imap_parse_space(p);
    search_parse_returns(p, &s->returns);
    s->returns.extended = s->returns.asked;
    sort_parse_keys(p, &s->keys);
    s->text = p->c.rest;
    sort_parse_search(p, &s->scan.program);
    search_check_relevancy(p, &s->scan.program,
                           s->returns.relevancy || sort_by_relevancy(&s->keys));
    /* What comes later has no score to be placed by. */
    s->scan.program.fleeting |= sort_by_relevancy(&s->keys);
    cmd->uses |= s->scan.program.modseq ? IMAP_CONDSTORE : 0;
}

/* ---- keys ---- */

static void on_message(void *arg, uint32_t i, const struct imap_entry *e, const struct summary *sum)
{
    struct sort *s = arg;
    union sort_value *values = &s->values[i * s->keys.n];
    sort_make(&s->maker, &s->keys, e, sum, values);
    /* RFC 6203 6: the highest score first. */
    for (size_t k = 0; k < s->keys.n; k++)
        if (s->keys.items[k].by == BY_RELEVANCY)
            values[k].number = -(int64_t)search_score(&s->scan, s->walk.seqs[i]);
}

static int compare(const void *a, const void *b, void *arg)
{
    const struct sort *s = arg;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    int order = sort_compare(&s->keys, &s->values[x * s->keys.n], &s->values[y * s->keys.n]);
    /* RFC 5256 3: at last, the order in the mailbox. */
    return order ? order : (x > y) - (x < y);
}

/* ---- the command ---- */

static enum result begin_reading(struct imap *im, struct imap_command *cmd, struct sort *s)
{
    enum result r = sort_walk_begin(im, cmd, &s->scan, &s->walk);
    s->walk.each = on_message;
    s->walk.arg = s;
    s->values = arena_alloc_n(&cmd->arena, (size_t)s->walk.n * s->keys.n + 1, sizeof *s->values);
    s->order = arena_alloc_n(&cmd->arena, s->walk.n + 1u, sizeof *s->order);
    for (uint32_t i = 0; s->order && i < s->walk.n; i++)
        s->order[i] = i;
    s->stage = SORT_READING;
    return r == OK && arena_failed(&cmd->arena) ? LIMIT : r;
}

static uint32_t seq_at(const struct sort *s, uint32_t rank)
{
    return s->walk.seqs[s->order[rank]];
}

static uint32_t number_at(const struct imap *im, const struct imap_command *cmd, uint32_t rank)
{
    const struct sort *s = cmd->data;
    return cmd->uid ? im->ops->entry(im->view, seq_at(s, rank))->uid : seq_at(s, rank);
}

static bool save(struct imap *im, const struct sort *s)
{
    uint32_t n = s->walk.n;
    if (!(s->returns.items & RETURN_SAVE))
        return true;
    if (n)
        return search_scan_save(im, &s->scan, s->returns.items, seq_at(s, 0), seq_at(s, n - 1));
    imap_saved_clear(im);
    return true;
}

/* RFC 5267 4.3.1 */
static void keep(struct imap *im, struct imap_command *cmd, const struct sort *s)
{
    uint32_t *uids = arena_alloc_n(&cmd->arena, s->walk.n + 1u, sizeof *uids);
    for (uint32_t i = 0; uids && i < s->walk.n; i++)
        uids[i] = im->ops->entry(im->view, seq_at(s, i))->uid;
    search_update_add(im, cmd, &s->scan, s->text, &(struct search_sorted){&s->keys, uids});
}

static void put_head(struct imap *im, struct imap_command *cmd)
{
    struct sort *s = cmd->data;
    uint32_t n = s->walk.n;
    s->stage = SORT_TELLING;
    s->from = 0;
    s->to = n;
    if (!s->returns.extended) {
        buf_puts(im->out, "* SORT");
        return;
    }
    if (!(s->returns.items & (RETURN_ALL | RETURN_PARTIAL)))
        s->to = 0;
    if (s->returns.items == RETURN_SAVE)
        return;
    struct search_numbers numbers = {n, n ? number_at(im, cmd, 0) : 0,
                                     n ? number_at(im, cmd, n - 1) : 0};
    search_put_head(im, cmd, &s->returns, NULL, &numbers);
    if (s->returns.partial.wanted) {
        imap_partial_ranks(&s->returns.partial, n, &s->from, &s->to);
        s->from--;
    }
    s->score_from = s->from;
}

static void end_numbers(struct imap *im, struct sort *s)
{
    if (s->ended)
        return;
    s->ended = true;
    search_put_end(im, &s->returns, s->told_some);
}

static bool tell_scores(struct imap *im, struct sort *s)
{
    for (; s->score_from < s->to; s->score_from++) {
        if (imap_full(im))
            return false;
        if (s->told_score)
            buf_putc(im->out, ' ');
        s->told_score = true;
        buf_put_u64(im->out, search_score(&s->scan, seq_at(s, s->score_from)));
    }
    buf_putc(im->out, ')');
    return true;
}

static bool tell(struct imap *im, struct imap_command *cmd)
{
    struct sort *s = cmd->data;
    for (; s->from < s->to; s->from++) {
        if (imap_full(im))
            return false;
        if (!s->returns.extended)
            buf_putc(im->out, ' ');
        else if (s->told_some)
            buf_putc(im->out, ',');
        s->told_some = true;
        buf_put_u64(im->out, number_at(im, cmd, s->from));
    }
    if (s->returns.items == RETURN_SAVE)
        return true;
    end_numbers(im, s);
    if (s->returns.relevancy && !tell_scores(im, s))
        return false;
    uint32_t n = s->walk.n;
    search_put_tail(im, &s->scan, &s->returns, n ? seq_at(s, 0) : 0, n ? seq_at(s, n - 1) : 0);
    return true;
}

static enum imap_step run_sort(struct imap *im, struct imap_command *cmd)
{
    struct sort *s = cmd->data;
    enum result r = OK;
    if (s->stage == SORT_NEW) {
        if (!search_scan_begin(im, cmd, &s->scan, &s->returns))
            return STEP_DONE;
        s->stage = SORT_SEARCHING;
    }
    if (s->stage == SORT_SEARCHING) {
        if (!search_scan_step(im, cmd, &s->scan))
            return STEP_TURN;
        r = begin_reading(im, cmd, s);
    }
    if (s->stage == SORT_READING && r == OK) {
        r = sort_walk_step(&s->walk);
        if (r == BUSY)
            return STEP_TURN;
        if (r == OK && arena_failed(&cmd->arena))
            r = LIMIT;
        if (r == OK) {
            qsort_r(s->order, s->walk.n, sizeof *s->order, compare, s);
            if (!save(im, s))
                return search_not_saved(cmd);
            if (s->returns.update)
                keep(im, cmd, s);
            put_head(im, cmd);
        }
    }
    if (r != OK)
        return imap_failed(cmd, r);
    return tell(im, cmd) ? imap_completed(cmd) : STEP_FLUSH;
}

static void release_sort(struct imap *im, struct imap_command *cmd)
{
    struct sort *s = cmd->data;
    (void)im;
    if (!s)
        return;
    search_scan_release(&s->scan);
    sort_maker_release(&s->maker);
}

const struct imap_command_spec imap_cmd_sort = {.name = "SORT",
                                                .states = STATE_SELECTED,
                                                .flags = CMD_UID | CMD_NO_EXPUNGE,
                                                .parse = parse_sort,
                                                .run = run_sort,
                                                .release = release_sort};
