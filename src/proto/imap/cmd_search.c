/* cmd_search.c: SEARCH and UID SEARCH (RFC 3501 6.4.4), with RETURN (RFC 4731). What was found is
 * kept as one bit a message. */
#include "proto/imap/search.h"

enum {
    RETURN_MIN = 1,
    RETURN_MAX = 2,
    RETURN_ALL = 4,
    RETURN_COUNT = 8,
    TURN_WORK = 2 * 1024 * 1024 /* bytes read before others get the thread */
};

struct search {
    struct search_program program;
    bool extended;
    unsigned returns;
    enum { SEARCH_NEW, SEARCH_RUNNING, SEARCH_HEAD, SEARCH_TELL } stage;
    struct search_message message;
    uint8_t *found;
    uint32_t count; /* of the view */
    uint32_t at;    /* the last one looked at, or told */
    uint32_t n, first, last;
    uint64_t modseq; /* the highest of those found */
    bool told_some;
};

static unsigned parse_return(struct imap_parser *p)
{
    static const struct {
        const char *name;
        unsigned bit;
    } options[] = {
        {"MIN", RETURN_MIN}, {"MAX", RETURN_MAX}, {"ALL", RETURN_ALL}, {"COUNT", RETURN_COUNT}};
    unsigned bits = 0;
    imap_parse_char(p, '(');
    while (imap_parser_ok(p) && !imap_accept(p, ')')) {
        struct slice word = imap_parse_atom(p);
        unsigned bit = 0;
        for (size_t i = 0; i < sizeof options / sizeof *options; i++)
            if (slice_is_nocase(word, options[i].name))
                bit = options[i].bit;
        if (!bit || (!imap_accept(p, ' ') && cursor_peek(&p->c) != ')'))
            imap_parser_fail(p, "Unknown RETURN option");
        bits |= bit;
    }
    /* RFC 4731 3.1: RETURN () is RETURN (ALL). */
    return bits ? bits : RETURN_ALL;
}

static void parse_search(struct imap_parser *p, struct imap_command *cmd)
{
    struct search *s = ARENA_NEW(&cmd->arena, struct search);
    cmd->data = s;
    if (!s)
        return;
    search_message_init(&s->message);
    imap_parse_space(p);
    if (imap_accept_word(p, "RETURN")) {
        s->extended = true;
        imap_parse_space(p);
        s->returns = parse_return(p);
        imap_parse_space(p);
    }
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
    if (s->program.bad_charset)
        return imap_reply(cmd, IMAP_NO, "BADCHARSET (US-ASCII UTF-8)", "Unknown charset.");
    im->ops->view_info(im->view, &info);
    s->count = info.count;
    s->found = arena_alloc(&cmd->arena, info.count / 8 + 1);
    if (!s->found)
        return imap_failed(cmd, LIMIT);
    search_bind(&s->program, im->ops, im->view);
    s->stage = SEARCH_RUNNING;
    return STEP_TURN;
}

/* False: others want the thread. */
static bool look(struct imap *im, struct search *s)
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
        if (s->message.work > TURN_WORK)
            return false;
    }
    s->at = 0;
    s->stage = SEARCH_HEAD;
    return true;
}

static uint32_t number_of(const struct imap *im, const struct imap_command *cmd, uint32_t seq)
{
    return cmd->uid ? im->ops->entry(im->view, seq)->uid : seq;
}

static void put_head(struct imap *im, struct imap_command *cmd)
{
    struct search *s = cmd->data;
    struct buf *out = im->out;
    s->stage = SEARCH_TELL;
    if (!s->extended) {
        buf_puts(out, "* SEARCH");
        return;
    }
    buf_puts(out, "* ESEARCH (TAG ");
    imap_put_string(out, cmd->tag);
    buf_puts(out, cmd->uid ? ") UID" : ")");
    if ((s->returns & RETURN_MIN) && s->n)
        buf_printf(out, " MIN %u", number_of(im, cmd, s->first));
    if ((s->returns & RETURN_MAX) && s->n)
        buf_printf(out, " MAX %u", number_of(im, cmd, s->last));
    if (s->returns & RETURN_COUNT)
        buf_printf(out, " COUNT %u", s->n);
    if ((s->returns & RETURN_ALL) && s->n)
        buf_puts(out, " ALL ");
    else
        s->at = s->count;
}

static void put_number(struct imap *im, struct search *s, uint32_t number)
{
    if (!s->extended)
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
static void put_tail(struct imap *im, const struct search *s)
{
    if (s->program.modseq && s->n) {
        uint64_t modseq = s->modseq;
        if (s->extended && !(s->returns & (RETURN_ALL | RETURN_COUNT))) {
            uint64_t first = im->ops->entry(im->view, s->first)->modseq;
            uint64_t last = im->ops->entry(im->view, s->last)->modseq;
            first = s->returns & RETURN_MIN ? first : 0;
            last = s->returns & RETURN_MAX ? last : 0;
            modseq = first > last ? first : last;
        }
        buf_printf(im->out, s->extended ? " MODSEQ %llu" : " (MODSEQ %llu)",
                   (unsigned long long)modseq);
    }
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
        if (s->extended)
            put_run(im, cmd);
        else
            put_number(im, s, number_of(im, cmd, s->at));
    }
    put_tail(im, s);
    return true;
}

static enum imap_step run_search(struct imap *im, struct imap_command *cmd)
{
    struct search *s = cmd->data;
    if (s->stage == SEARCH_NEW && start(im, cmd) == STEP_DONE)
        return STEP_DONE;
    if (s->stage == SEARCH_RUNNING && !look(im, s))
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
