/* search_scan.c: the walk over the mailbox that SEARCH, SORT and THREAD share. What was found is
 * one bit a message. */
#include "proto/imap/ranges.h"
#include "proto/imap/search.h"

enum { PROGRESS_WORK = 64 * 1024 * 1024 }; /* bytes read before the client is told how far it is */

bool search_scan_begin(struct imap *im, struct imap_command *cmd, struct search_scan *s,
                       const struct search_returns *returns)
{
    struct imap_view_info info;
    if (!search_admit(im, cmd, &s->program, returns))
        return false;
    im->ops->view_info(im->view, &info);
    s->count = info.count;
    s->found = arena_alloc(&cmd->arena, info.count / 8 + 1);
    if (s->program.fuzzy)
        s->scores = arena_alloc(&cmd->arena, info.count + 1u);
    search_bind(&s->program, im, &cmd->arena);
    if (arena_failed(&cmd->arena)) {
        imap_failed(cmd, LIMIT);
        return false;
    }
    return true;
}

/* RFC 9585: so that neither side takes the silence for an end. */
static void tell_progress(struct imap *im, const struct imap_command *cmd, struct search_scan *s)
{
    s->work += s->message.work;
    if (s->work < PROGRESS_WORK)
        return;
    s->work = 0;
    buf_puts(im->out, "* OK [INPROGRESS (");
    imap_put_string(im->out, cmd->tag);
    buf_printf(im->out, " %u %u)] Still searching.\r\n", s->at, s->count);
}

bool search_scan_step(struct imap *im, const struct imap_command *cmd, struct search_scan *s)
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
            if (s->scores && s->message.n_scores)
                s->scores[seq] = (uint8_t)(s->message.scores / s->message.n_scores);
            else if (s->scores)
                s->scores[seq] = 100;
            if (s->message.entry->modseq > s->modseq)
                s->modseq = s->message.entry->modseq;
        }
        if (s->message.work > IMAP_TURN_WORK) {
            tell_progress(im, cmd, s);
            return false;
        }
    }
    return true;
}

bool search_scan_save(struct imap *im, const struct search_scan *s, unsigned items, uint32_t first,
                      uint32_t last)
{
    struct imap_ranges uids = {0};
    /* RFC 5182 2.1: with MIN or MAX and neither ALL nor COUNT, only these are saved. */
    unsigned some = items & (RETURN_MIN | RETURN_MAX);
    if (items & (RETURN_ALL | RETURN_COUNT | RETURN_PARTIAL))
        some = 0;
    for (uint32_t seq = 1; seq <= s->count; seq++) {
        if (!search_is_found(s, seq))
            continue;
        if (some && !((some & RETURN_MIN) && seq == first) && !((some & RETURN_MAX) && seq == last))
            continue;
        uint32_t uid = im->ops->entry(im->view, seq)->uid;
        imap_ranges_add(&uids, uid, uid);
    }
    return imap_saved_set(im, &uids);
}

/* RFC 5182 2.1: the client must not go on with "$" as if it held all. */
enum imap_step search_not_saved(struct imap_command *cmd)
{
    return imap_reply(cmd, IMAP_NO, "NOTSAVED", "The result can't be saved.");
}

/* Of MIN and MAX alone, of these. */
static uint64_t told_modseq(const struct imap *im, const struct search_scan *s,
                            const struct search_returns *returns, uint32_t first, uint32_t last)
{
    if (!returns->extended || (returns->items & (RETURN_ALL | RETURN_COUNT | RETURN_PARTIAL)))
        return s->modseq;
    uint64_t a = returns->items & RETURN_MIN ? im->ops->entry(im->view, first)->modseq : 0;
    uint64_t b = returns->items & RETURN_MAX ? im->ops->entry(im->view, last)->modseq : 0;
    return a > b ? a : b;
}

void search_put_tail(struct imap *im, const struct search_scan *s,
                     const struct search_returns *returns, uint32_t first, uint32_t last)
{
    if (s->program.modseq && s->n)
        buf_printf(im->out, returns->extended ? " MODSEQ %llu" : " (MODSEQ %llu)",
                   (unsigned long long)told_modseq(im, s, returns, first, last));
    buf_puts(im->out, "\r\n");
}

void search_scan_release(struct search_scan *s)
{
    search_release(&s->program);
    search_message_release(&s->message);
}
