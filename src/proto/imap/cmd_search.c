/* cmd_search.c: SEARCH and UID SEARCH (RFC 3501 6.4.4), with RETURN (RFC 4731), SAVE (RFC 5182),
 * PARTIAL (RFC 9394) and UPDATE (RFC 5267). */
#include "proto/imap/search_update.h"

static void parse_search(struct imap_parser *p, struct imap_command *cmd)
{
    struct search *s = ARENA_NEW(&cmd->arena, struct search);
    cmd->data = s;
    if (!s)
        return;
    search_message_init(&s->scan.message);
    imap_parse_space(p);
    search_parse_returns(p, &s->returns);
    s->text = p->c.rest;
    search_parse(p, &s->scan.program);
    search_check_relevancy(p, &s->scan.program, s->returns.relevancy);
    cmd->uses |= s->scan.program.modseq ? IMAP_CONDSTORE : 0;
}

/* Leaves the bits of the wanted ranks; how many there are. */
static uint32_t cut_partial(struct search *s)
{
    struct search_scan *scan = &s->scan;
    uint32_t from, to, rank = 0;
    imap_partial_ranks(&s->returns.partial, scan->n, &from, &to);
    for (uint32_t seq = 1; seq <= scan->count; seq++) {
        if (!search_is_found(scan, seq))
            continue;
        rank++;
        if (rank < from || rank > to)
            scan->found[seq / 8] &= (uint8_t) ~(1 << seq % 8);
    }
    return from <= to ? to - from + 1 : 0;
}

static uint32_t number_of(const struct imap *im, const struct imap_command *cmd, uint32_t seq)
{
    return cmd->uid ? im->ops->entry(im->view, seq)->uid : seq;
}

static bool save(struct imap *im, const struct search *s)
{
    return !(s->returns.items & RETURN_SAVE) ||
           search_scan_save(im, &s->scan, s->returns.items, s->scan.first, s->scan.last);
}

/* RFC 5182 2; RFC 7377 2.1: where nothing was found, nothing is told. */
static bool is_silent(const struct search *s)
{
    return s->returns.items == RETURN_SAVE || (s->place && s->scan.n == 0);
}

static void put_head(struct imap *im, struct imap_command *cmd, struct search *s)
{
    const struct search_scan *scan = &s->scan;
    uint32_t n = scan->n;
    s->stage = SEARCH_TELL;
    if (!s->returns.extended) {
        buf_puts(im->out, "* SEARCH");
        return;
    }
    s->at = s->score_at = scan->count;
    if (is_silent(s))
        return;
    struct search_numbers numbers = {n, 0, 0};
    if (n) {
        numbers.min = number_of(im, cmd, scan->first);
        numbers.max = number_of(im, cmd, scan->last);
    }
    search_put_head(im, cmd, &s->returns, s->place, &numbers);
    if (s->returns.partial.wanted)
        n = cut_partial(s);
    if ((s->returns.items & (RETURN_ALL | RETURN_PARTIAL)) && n)
        s->at = s->score_at = 0;
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
static void put_run(struct imap *im, struct imap_command *cmd, struct search *s)
{
    uint32_t from = number_of(im, cmd, s->at), to = from;
    while (s->at < s->scan.count && search_is_found(&s->scan, s->at + 1) &&
           number_of(im, cmd, s->at + 1) == to + 1) {
        s->at++;
        to++;
    }
    put_number(im, s, from);
    if (to > from) {
        buf_putc(im->out, ':');
        buf_put_u64(im->out, to);
    }
}

static void end_numbers(struct imap *im, struct search *s)
{
    if (s->ended)
        return;
    s->ended = true;
    search_put_end(im, &s->returns, s->told_some);
}

/* In the order of the numbers. False: output is full. */
static bool tell_scores(struct imap *im, struct search *s)
{
    while (s->score_at < s->scan.count) {
        if (imap_full(im))
            return false;
        if (!search_is_found(&s->scan, ++s->score_at))
            continue;
        if (s->told_score)
            buf_putc(im->out, ' ');
        s->told_score = true;
        buf_put_u64(im->out, search_score(&s->scan, s->score_at));
    }
    buf_putc(im->out, ')');
    return true;
}

/* False: output is full. */
static bool tell(struct imap *im, struct imap_command *cmd, struct search *s)
{
    const struct search_scan *scan = &s->scan;
    while (s->at < scan->count) {
        if (imap_full(im))
            return false;
        if (!search_is_found(scan, ++s->at))
            continue;
        if (s->returns.extended)
            put_run(im, cmd, s);
        else
            put_number(im, s, number_of(im, cmd, s->at));
    }
    if (is_silent(s))
        return true;
    end_numbers(im, s);
    if (s->returns.relevancy && !tell_scores(im, s))
        return false;
    search_put_tail(im, scan, &s->returns, scan->first, scan->last);
    return true;
}

enum imap_step search_step(struct imap *im, struct imap_command *cmd, struct search *s)
{
    if (s->stage == SEARCH_NEW) {
        if (!search_scan_begin(im, cmd, &s->scan, &s->returns))
            return STEP_DONE;
        s->stage = SEARCH_RUNNING;
    }
    if (s->stage == SEARCH_RUNNING) {
        if (!search_scan_step(im, cmd, &s->scan))
            return STEP_TURN;
        if (!save(im, s))
            return search_not_saved(cmd);
        if (s->returns.update)
            search_update_add(im, cmd, &s->scan, s->text, NULL);
        put_head(im, cmd, s);
    }
    return tell(im, cmd, s) ? imap_completed(cmd) : STEP_FLUSH;
}

static enum imap_step run_search(struct imap *im, struct imap_command *cmd)
{
    return search_step(im, cmd, cmd->data);
}

static void release_search(struct imap *im, struct imap_command *cmd)
{
    struct search *s = cmd->data;
    (void)im;
    if (s)
        search_scan_release(&s->scan);
}

const struct imap_command_spec imap_cmd_search = {.name = "SEARCH",
                                                  .states = STATE_SELECTED,
                                                  .flags = CMD_UID | CMD_NO_EXPUNGE,
                                                  .parse = parse_search,
                                                  .run = run_search,
                                                  .release = release_search};
