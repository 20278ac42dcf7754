/* cmd_sort.c: SORT and UID SORT (RFC 5256), with DISPLAYFROM and DISPLAYTO (RFC 5957) and RETURN
 * (RFC 5267). Keys are made once, from the entries and the summaries; no message is read. */
#include <stdlib.h>

#include "mime/encoding.h"
#include "mime/subject.h"
#include "proto/imap/sort.h"

enum { SORT_KEYS_MAX = 10, SORT_TEXT_MAX = 300 };

enum sort_by {
    BY_ARRIVAL,
    BY_CC,
    BY_DATE,
    BY_DISPLAYFROM,
    BY_DISPLAYTO,
    BY_FROM,
    BY_SIZE,
    BY_SUBJECT,
    BY_TO
};

static const char *const sort_names[] = {"ARRIVAL", "CC",   "DATE",    "DISPLAYFROM", "DISPLAYTO",
                                         "FROM",    "SIZE", "SUBJECT", "TO"};

union sort_value {
    int64_t number;
    struct slice text;
};

struct sort {
    struct search_scan scan;
    struct search_returns returns;
    struct {
        enum sort_by by;
        bool reverse;
    } keys[SORT_KEYS_MAX];
    size_t n_keys;
    enum { SORT_NEW, SORT_SEARCHING, SORT_READING, SORT_TELLING } stage;
    struct sort_walk walk;
    union sort_value *values; /* n_keys for each message */
    uint32_t *order;          /* places in walk.seqs */
    uint32_t from, to;        /* of the order: what is told */
    bool told_some;
    struct arena *arena;
    struct buf text, raw;
};

/* ---- arguments ---- */

static void parse_sort_key(struct imap_parser *p, struct sort *s)
{
    if (s->n_keys == SORT_KEYS_MAX) {
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
        s->keys[s->n_keys].by = (enum sort_by)i;
        s->keys[s->n_keys++].reverse = reverse;
        return;
    }
    imap_parser_fail(p, "Unknown sort key");
}

static void parse_sort(struct imap_parser *p, struct imap_command *cmd)
{
    struct sort *s = ARENA_NEW(&cmd->arena, struct sort);
    cmd->data = s;
    if (!s)
        return;
    s->arena = &cmd->arena;
    search_message_init(&s->scan.message);
    buf_init(&s->text, 64 * 1024);
    buf_init(&s->raw, 64 * 1024);
    imap_parse_space(p);
    search_parse_returns(p, &s->returns);
    search_no_contexts(p, &s->returns);
    s->returns.extended = s->returns.asked;
    imap_parse_char(p, '(');
    do
        parse_sort_key(p, s);
    while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
    sort_parse_search(p, &s->scan.program);
    cmd->uses |= s->scan.program.modseq ? IMAP_CONDSTORE : 0;
}

/* ---- keys ---- */

/* As RFC 5051 orders it: letters count as capitals, so that they stand before "[" and "_". */
static struct slice text_key(struct sort *s)
{
    struct slice from = slice_sub(buf_slice(&s->text), 0, SORT_TEXT_MAX);
    char *text = from.len ? arena_alloc(s->arena, from.len) : NULL;
    for (size_t i = 0; text && i < from.len; i++)
        text[i] = ascii_upper(from.data[i]);
    return slice_of(text, text ? from.len : 0);
}

/* What is in s->raw, as RFC 5255 compares it. */
static struct slice folded(struct sort *s, bool words)
{
    buf_reset(&s->text);
    if (words) {
        struct buf decoded;
        buf_init(&decoded, 64 * 1024);
        words_decode(buf_slice(&s->raw), &decoded);
        text_fold(buf_slice(&decoded), &s->text);
        buf_release(&decoded);
    } else {
        text_fold(buf_slice(&s->raw), &s->text);
    }
    return text_key(s);
}

static struct slice mailbox_key(struct sort *s, struct slice list)
{
    buf_reset(&s->raw);
    envelope_first(list, ENVELOPE_MAILBOX, &s->raw);
    return folded(s, false);
}

/* RFC 5957 3: the name, or else the address. */
static struct slice display_key(struct sort *s, struct slice list)
{
    buf_reset(&s->raw);
    envelope_first(list, ENVELOPE_NAME, &s->raw);
    if (buf_len(&s->raw))
        return folded(s, true);
    envelope_first(list, ENVELOPE_MAILBOX, &s->raw);
    if (buf_len(&s->raw))
        buf_putc(&s->raw, '@');
    envelope_first(list, ENVELOPE_HOST, &s->raw);
    return folded(s, false);
}

static struct slice subject_key(struct sort *s, struct slice subject)
{
    buf_reset(&s->raw);
    buf_reset(&s->text);
    envelope_string(subject, &s->raw);
    subject_base(buf_slice(&s->raw), &s->text);
    return text_key(s);
}

static union sort_value make_value(struct sort *s, enum sort_by by, const struct imap_entry *e,
                                   const struct summary *sum, const struct envelope *env)
{
    switch (by) {
    case BY_ARRIVAL:
        return (union sort_value){.number = e->internaldate};
    case BY_DATE:
        return (union sort_value){.number = sort_date(e, sum)};
    case BY_SIZE:
        return (union sort_value){.number = (int64_t)e->size};
    case BY_CC:
        return (union sort_value){.text = mailbox_key(s, env->cc)};
    case BY_FROM:
        return (union sort_value){.text = mailbox_key(s, env->from)};
    case BY_TO:
        return (union sort_value){.text = mailbox_key(s, env->to)};
    case BY_DISPLAYFROM:
        return (union sort_value){.text = display_key(s, env->from)};
    case BY_DISPLAYTO:
        return (union sort_value){.text = display_key(s, env->to)};
    default:
        return (union sort_value){.text = subject_key(s, env->subject)};
    }
}

static bool is_number(enum sort_by by)
{
    return by == BY_ARRIVAL || by == BY_DATE || by == BY_SIZE;
}

static void on_message(void *arg, uint32_t i, const struct imap_entry *e, const struct summary *sum)
{
    struct sort *s = arg;
    struct envelope env = {0};
    if (sum)
        envelope_read(sum->envelope, &env);
    for (size_t k = 0; k < s->n_keys; k++)
        s->values[i * s->n_keys + k] = make_value(s, s->keys[k].by, e, sum, &env);
}

static int compare(const void *a, const void *b, void *arg)
{
    const struct sort *s = arg;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    for (size_t k = 0; k < s->n_keys; k++) {
        const union sort_value *v = &s->values[x * s->n_keys + k],
                               *w = &s->values[y * s->n_keys + k];
        int order = is_number(s->keys[k].by) ? (v->number > w->number) - (v->number < w->number)
                                             : slice_cmp(v->text, w->text);
        if (order)
            return s->keys[k].reverse ? -order : order;
    }
    /* RFC 5256 3: at last, the order in the mailbox. */
    return (x > y) - (x < y);
}

/* ---- the command ---- */

static enum result begin_reading(struct imap *im, struct imap_command *cmd, struct sort *s)
{
    enum result r = sort_walk_begin(im, cmd, &s->scan, &s->walk);
    s->walk.each = on_message;
    s->walk.arg = s;
    s->values = arena_alloc_n(&cmd->arena, (size_t)s->walk.n * s->n_keys + 1, sizeof *s->values);
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
    if (s->returns.partial.wanted)
        buf_puts(im->out, s->told_some ? ")" : "NIL)");
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
    buf_release(&s->text);
    buf_release(&s->raw);
}

const struct imap_command_spec imap_cmd_sort = {.name = "SORT",
                                                .states = STATE_SELECTED,
                                                .flags = CMD_UID | CMD_NO_EXPUNGE,
                                                .parse = parse_sort,
                                                .run = run_sort,
                                                .release = release_sort};
