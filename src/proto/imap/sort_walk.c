/* sort_walk.c: see sort.h. */
#include "proto/imap/sort.h"

enum { BATCHES_A_TURN = 32 };

enum result sort_walk_begin(struct imap *im, struct imap_command *cmd, const struct search_scan *s,
                            struct sort_walk *ret)
{
    ret->im = im;
    ret->n = ret->at = 0;
    ret->seqs = arena_alloc_n(&cmd->arena, s->n + 1u, sizeof *ret->seqs);
    if (!ret->seqs)
        return LIMIT;
    for (uint32_t seq = 1; seq <= s->count; seq++)
        if (search_is_found(s, seq))
            ret->seqs[ret->n++] = seq;
    return OK;
}

static void on_summary(void *arg, size_t i, struct slice bytes)
{
    struct sort_walk *w = arg;
    uint32_t place = w->at + (uint32_t)i;
    const struct imap_entry *e = w->im->ops->entry(w->im->view, w->seqs[place]);
    struct summary s;
    bool there = bytes.data && summary_read(bytes, e->size, &s) == OK;
    w->each(w->arg, place, e, there ? &s : NULL);
}

static enum result take_batch(struct sort_walk *w)
{
    uint64_t messages[IMAP_SUMMARY_BATCH];
    uint32_t n = w->n - w->at < IMAP_SUMMARY_BATCH ? w->n - w->at : IMAP_SUMMARY_BATCH;
    for (uint32_t i = 0; i < n; i++)
        messages[i] = w->im->ops->entry(w->im->view, w->seqs[w->at + i])->message;
    enum result r = w->im->ops->summaries(w->im->ctx, messages, n, on_summary, w);
    w->at += n;
    return r;
}

enum result sort_walk_step(struct sort_walk *w)
{
    for (int i = 0; w->at < w->n; i++) {
        if (i == BATCHES_A_TURN)
            return BUSY;
        enum result r = take_batch(w);
        if (r != OK)
            return r == BUSY ? FAILED : r;
    }
    return OK;
}

int64_t sort_date(const struct imap_entry *e, const struct summary *s)
{
    return s && s->date != INT64_MIN ? s->date : e->internaldate;
}

void sort_parse_search(struct imap_parser *p, struct search_program *ret)
{
    imap_parse_space(p);
    struct slice charset = imap_parse_astring(p);
    imap_parse_space(p);
    search_parse_in(p, charset, ret);
}
