/* sort_key.c: the keys by which SORT orders (RFC 5256, with DISPLAYFROM and DISPLAYTO of RFC 5957):
 * their names, their values of a message, and which of two comes first. See sort.h. */
#include "mime/encoding.h"
#include "mime/subject.h"
#include "proto/imap/sort.h"

enum { SORT_TEXT_MAX = 300 };

static const char *const sort_names[] = {"ARRIVAL", "CC",   "DATE",    "DISPLAYFROM", "DISPLAYTO",
                                         "FROM",    "SIZE", "SUBJECT", "TO",          "RELEVANCY"};

/* ---- arguments ---- */

static void parse_key(struct imap_parser *p, struct sort_keys *ret)
{
    if (ret->n == SORT_KEYS_MAX) {
        imap_parser_fail(p, "Too many sort keys");
        return;
    }
    bool reverse = imap_accept_word(p, "REVERSE");
    if (reverse)
        imap_parse_space(p);
    struct slice word = imap_parse_atom(p);
    for (size_t i = 0; i < sizeof sort_names / sizeof *sort_names; i++) {
        if (!slice_is_nocase(word, sort_names[i]))
            continue;
        ret->items[ret->n].by = (enum sort_by)i;
        ret->items[ret->n++].reverse = reverse;
        return;
    }
    imap_parser_fail(p, "Unknown sort key");
}

void sort_parse_keys(struct imap_parser *p, struct sort_keys *ret)
{
    imap_parse_char(p, '(');
    do
        parse_key(p, ret);
    while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
}

/* ---- values ---- */

void sort_maker_init(struct sort_maker *m, struct arena *a)
{
    m->arena = a;
    buf_init(&m->text, 64 * 1024);
    buf_init(&m->raw, 64 * 1024);
}

void sort_maker_release(struct sort_maker *m)
{
    buf_release(&m->text);
    buf_release(&m->raw);
}

/* As RFC 5051 orders it: letters count as capitals, so that they stand before "[" and "_". */
static struct slice text_key(struct sort_maker *m)
{
    struct slice from = slice_sub(buf_slice(&m->text), 0, SORT_TEXT_MAX);
    char *text = from.len ? arena_alloc(m->arena, from.len) : NULL;
    for (size_t i = 0; text && i < from.len; i++)
        text[i] = ascii_upper(from.data[i]);
    return slice_of(text, text ? from.len : 0);
}

/* What is in raw, as RFC 5255 compares it. */
static struct slice folded(struct sort_maker *m, bool words)
{
    buf_reset(&m->text);
    if (words) {
        struct buf decoded;
        buf_init(&decoded, 64 * 1024);
        words_decode(buf_slice(&m->raw), &decoded);
        text_fold(buf_slice(&decoded), &m->text);
        buf_release(&decoded);
    } else {
        text_fold(buf_slice(&m->raw), &m->text);
    }
    return text_key(m);
}

static struct slice mailbox_key(struct sort_maker *m, struct slice list)
{
    buf_reset(&m->raw);
    envelope_first(list, ENVELOPE_MAILBOX, &m->raw);
    return folded(m, false);
}

/* RFC 5957 3: the name, or else the address. */
static struct slice display_key(struct sort_maker *m, struct slice list)
{
    buf_reset(&m->raw);
    envelope_first(list, ENVELOPE_NAME, &m->raw);
    if (buf_len(&m->raw))
        return folded(m, true);
    envelope_first(list, ENVELOPE_MAILBOX, &m->raw);
    if (buf_len(&m->raw))
        buf_putc(&m->raw, '@');
    envelope_first(list, ENVELOPE_HOST, &m->raw);
    return folded(m, false);
}

static struct slice subject_key(struct sort_maker *m, struct slice subject)
{
    buf_reset(&m->raw);
    buf_reset(&m->text);
    envelope_string(subject, &m->raw);
    subject_base(buf_slice(&m->raw), &m->text);
    return text_key(m);
}

static union sort_value make_value(struct sort_maker *m, enum sort_by by,
                                   const struct imap_entry *e, const struct summary *sum,
                                   const struct envelope *env)
{
    switch (by) {
    case BY_ARRIVAL:
        return (union sort_value){.number = e->internaldate};
    case BY_DATE:
        return (union sort_value){.number = sort_date(e, sum)};
    case BY_SIZE:
        return (union sort_value){.number = (int64_t)e->size};
    case BY_CC:
        return (union sort_value){.text = mailbox_key(m, env->cc)};
    case BY_FROM:
        return (union sort_value){.text = mailbox_key(m, env->from)};
    case BY_TO:
        return (union sort_value){.text = mailbox_key(m, env->to)};
    case BY_DISPLAYFROM:
        return (union sort_value){.text = display_key(m, env->from)};
    case BY_DISPLAYTO:
        return (union sort_value){.text = display_key(m, env->to)};
    case BY_RELEVANCY:
        return (union sort_value){.number = 0};
    default:
        return (union sort_value){.text = subject_key(m, env->subject)};
    }
}

static bool is_number(enum sort_by by)
{
    return by == BY_ARRIVAL || by == BY_DATE || by == BY_SIZE || by == BY_RELEVANCY;
}

void sort_make(struct sort_maker *m, const struct sort_keys *keys, const struct imap_entry *e,
               const struct summary *sum, union sort_value *ret)
{
    struct envelope env = {0};
    if (sum)
        envelope_read(sum->envelope, &env);
    for (size_t k = 0; k < keys->n; k++)
        ret[k] = make_value(m, keys->items[k].by, e, sum, &env);
}

bool sort_by_relevancy(const struct sort_keys *keys)
{
    for (size_t k = 0; k < keys->n; k++)
        if (keys->items[k].by == BY_RELEVANCY)
            return true;
    return false;
}

int sort_compare(const struct sort_keys *keys, const union sort_value *v, const union sort_value *w)
{
    for (size_t k = 0; k < keys->n; k++) {
        int order = is_number(keys->items[k].by)
                        ? (v[k].number > w[k].number) - (v[k].number < w[k].number)
                        : slice_cmp(v[k].text, w[k].text);
        if (order)
            return keys->items[k].reverse ? -order : order;
    }
    return 0;
}
