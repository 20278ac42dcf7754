/* search_match.c: does a message match? What has to be read of it is read once, when a key needs
 * it; what can't be read matches nothing. */
#include "mime/date.h"
#include "proto/imap/search.h"

static void bind_key(struct search_key *k, const struct imap *im, struct arena *a)
{
    if (k->kind == SEARCH_KEYWORD) {
        uint32_t bit = imap_find_keyword(im->ops, im->view, k->name);
        k->keyword_bit = bit < 64 ? 1ull << bit : 0;
    } else if (k->kind == SEARCH_SET) {
        bool uids = imap_saved_fill(im, a, &k->set) || k->uids;
        if (!imap_seqset_resolve(&k->set, im->ops, im->view, uids ? IMAP_UIDS : IMAP_SEQS_FOUND))
            k->set.n = 0;
    } else if (k->kind == SEARCH_OLDER || k->kind == SEARCH_YOUNGER) {
        k->day = im->ops->now(im->ctx) - (int64_t)k->size;
    }
    for (struct search_key *c = k->child; c; c = c->next)
        bind_key(c, im, a);
}

void search_bind(struct search_program *s, const struct imap *im, struct arena *a)
{
    bind_key(s->root, im, a);
}

void search_message_init(struct search_message *m)
{
    buf_init(&m->summary_bytes, SUMMARY_BYTES_MAX);
    buf_init(&m->header, SEARCH_HEADER_MAX);
    buf_init(&m->bytes, SEARCH_MESSAGE_MAX);
}

void search_message_release(struct search_message *m)
{
    buf_release(&m->summary_bytes);
    buf_release(&m->header);
    buf_release(&m->bytes);
}

void search_message_next(struct search_message *m, uint32_t seq, const struct imap_entry *e)
{
    m->seq = seq;
    m->entry = e;
    m->scores = m->n_scores = 0;
    m->have_summary = m->have_header = m->have_bytes = m->unreadable = false;
}

static void on_summary(void *arg, size_t i, struct slice bytes)
{
    struct search_message *m = arg;
    (void)i;
    buf_reset(&m->summary_bytes);
    if (bytes.data)
        buf_append(&m->summary_bytes, bytes);
}

static bool need_summary(struct imap *im, struct search_message *m)
{
    if (m->have_summary || m->unreadable)
        return m->have_summary;
    m->have_summary = im->ops->summaries(im->ctx, &m->entry->message, 1, on_summary, m) == OK &&
                      summary_read(buf_slice(&m->summary_bytes), m->entry->size, &m->summary) == OK;
    m->unreadable = !m->have_summary;
    m->work += buf_len(&m->summary_bytes) + 1000;
    return m->have_summary;
}

static bool read_into(struct imap *im, struct search_message *m, uint64_t len, struct buf *out)
{
    buf_reset(out);
    if (len > out->max)
        len = out->max;
    m->work += len + 1000;
    m->unreadable = im->ops->read(im->ctx, m->entry->message, 0, len, out) != OK || !buf_ok(out);
    return !m->unreadable;
}

static bool need_header(struct imap *im, struct search_message *m)
{
    if (m->have_header)
        return true;
    m->have_header = need_summary(im, m) && read_into(im, m, m->summary.header_len, &m->header);
    return m->have_header;
}

static bool need_bytes(struct imap *im, struct search_message *m)
{
    if (m->have_bytes)
        return true;
    m->have_bytes = need_summary(im, m) && read_into(im, m, m->entry->size, &m->bytes);
    return m->have_bytes;
}

/* RFC 3501 6.4.4: the day of the Date field as its writer saw it, whatever the zone. */
static bool sent_day(struct imap *im, struct search_message *m, int64_t *ret)
{
    if (!need_summary(im, m) || m->summary.date == INT64_MIN)
        return false;
    *ret = date_day(m->summary.date, m->summary.date_zone);
    return true;
}

static bool compare_day(enum search_kind kind, int64_t day, int64_t with)
{
    switch (kind) {
    case SEARCH_BEFORE:
    case SEARCH_SAVEDBEFORE:
    case SEARCH_SENTBEFORE:
        return day < with;
    case SEARCH_ON:
    case SEARCH_SAVEDON:
    case SEARCH_SENTON:
        return day == with;
    default:
        return day >= with;
    }
}

/* RFC 8514 4.3: where it is not known, the internal date stands for it. */
static int64_t saved_at(const struct imap_entry *e)
{
    return e->savedate ? e->savedate : e->internaldate;
}

static bool match_dates(struct imap *im, const struct search_key *k, struct search_message *m)
{
    int64_t day;
    if (k->kind == SEARCH_BEFORE || k->kind == SEARCH_ON || k->kind == SEARCH_SINCE)
        day = date_day(m->entry->internaldate, 0);
    else if (k->kind >= SEARCH_SAVEDBEFORE && k->kind <= SEARCH_SAVEDSINCE)
        day = date_day(saved_at(m->entry), 0);
    else if (!sent_day(im, m, &day))
        return false;
    return compare_day(k->kind, day, k->day);
}

static bool has_text(struct imap *im, const struct search_key *k, const struct search_text *text,
                     struct search_message *m)
{
    switch (k->kind) {
    case SEARCH_HEADER:
        return need_header(im, m) && search_header(buf_slice(&m->header), k->name, text);
    case SEARCH_BODY:
        return need_bytes(im, m) && search_body(buf_slice(&m->bytes), &m->summary, text);
    default:
        return need_bytes(im, m) && search_message(buf_slice(&m->bytes), &m->summary, text);
    }
}

static bool match_text(struct imap *im, const struct search_key *k, struct search_message *m)
{
    enum { WHOLE = 100, WORDS = 90 }; /* scores: as it stands, all its words */
    size_t found = 0;
    bool whole = has_text(im, k, &k->text, m);
    for (size_t i = 0; !whole && i < k->n_words; i++)
        found += has_text(im, k, &k->words[i], m);
    if (!whole && (!found || found * 2 < k->n_words))
        return false;
    if (k->fuzzy) {
        m->scores += whole ? WHOLE : (unsigned)(WORDS * found / k->n_words);
        m->n_scores++;
    }
    return true;
}

/* What is not there says nothing of how well the rest fits. */
static bool match_not(struct imap *im, const struct search_key *k, struct search_message *m)
{
    unsigned scores = m->scores, n = m->n_scores;
    bool found = search_match(im, k->child, m);
    m->scores = scores;
    m->n_scores = n;
    return !found;
}

static bool match_all(struct imap *im, const struct search_key *k, struct search_message *m)
{
    unsigned scores = m->scores, n = m->n_scores;
    for (const struct search_key *c = k->child; c; c = c->next) {
        if (search_match(im, c, m))
            continue;
        m->scores = scores;
        m->n_scores = n;
        return false;
    }
    return true;
}

static bool match_any(struct imap *im, const struct search_key *k, struct search_message *m)
{
    for (const struct search_key *c = k->child; c; c = c->next)
        if (search_match(im, c, m))
            return true;
    return false;
}

bool search_match(struct imap *im, const struct search_key *k, struct search_message *m)
{
    switch (k->kind) {
    case SEARCH_ALL:
        return true;
    case SEARCH_NONE:
        return false;
    case SEARCH_FLAG:
        return (m->entry->flags & k->flag) != 0;
    case SEARCH_KEYWORD:
        return (m->entry->keywords & k->keyword_bit) != 0;
    case SEARCH_SET:
        return imap_seqset_has(&k->set, m->seq);
    case SEARCH_LARGER:
        return m->entry->size > k->size;
    case SEARCH_SMALLER:
        return m->entry->size < k->size;
    case SEARCH_OLDER: /* RFC 5032 */
        return m->entry->internaldate <= k->day;
    case SEARCH_YOUNGER:
        return m->entry->internaldate >= k->day;
    case SEARCH_EMAILID:
        return m->entry->message == k->size;
    case SEARCH_MODSEQ:
        return m->entry->modseq >= k->size;
    case SEARCH_AND:
        return match_all(im, k, m);
    case SEARCH_OR:
        return match_any(im, k, m);
    case SEARCH_NOT:
        return match_not(im, k, m);
    case SEARCH_HEADER:
    case SEARCH_BODY:
    case SEARCH_TEXT:
        return match_text(im, k, m);
    default:
        return match_dates(im, k, m);
    }
}
