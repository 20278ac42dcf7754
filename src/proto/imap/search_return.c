/* search_return.c: what SEARCH and SORT return: RETURN options and the head of ESEARCH (RFC 4731,
 * RFC 5182, RFC 9394, RFC 5267). */
#include "proto/imap/search.h"

static const struct {
    const char *name;
    unsigned bit;
} options[] = {{"MIN", RETURN_MIN},     {"MAX", RETURN_MAX},   {"ALL", RETURN_ALL},
               {"COUNT", RETURN_COUNT}, {"SAVE", RETURN_SAVE}, {"PARTIAL", RETURN_PARTIAL}};

static unsigned parse_option(struct imap_parser *p, struct search_returns *ret)
{
    struct slice word = imap_parse_atom(p);
    if (slice_is_nocase(word, "UPDATE") || slice_is_nocase(word, "CONTEXT")) {
        ret->update |= slice_is_nocase(word, "UPDATE");
        ret->context |= slice_is_nocase(word, "CONTEXT");
        return 0;
    }
    if (slice_is_nocase(word, "RELEVANCY")) {
        ret->relevancy = true;
        return 0;
    }
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!slice_is_nocase(word, options[i].name))
            continue;
        if (options[i].bit == RETURN_PARTIAL) {
            imap_parse_space(p);
            imap_parse_partial(p, &ret->partial);
        }
        return options[i].bit;
    }
    imap_parser_fail(p, "Unknown RETURN option");
    return 0;
}

void search_parse_returns(struct imap_parser *p, struct search_returns *ret)
{
    /* RFC 9051 6.4.4: then RETURN (ALL) is meant. */
    ret->extended = p->enabled & IMAP_REV2;
    ret->items = RETURN_ALL;
    if (!imap_accept_word(p, "RETURN"))
        return;
    ret->asked = ret->extended = true;
    ret->items = 0;
    imap_parse_space(p);
    imap_parse_char(p, '(');
    while (imap_parser_ok(p) && !imap_accept(p, ')')) {
        ret->items |= parse_option(p, ret);
        if (!imap_accept(p, ' ') && cursor_peek(&p->c) != ')')
            imap_parser_fail(p, "Unknown RETURN option");
    }
    imap_parse_space(p);
    /* RFC 4731 3.1: RETURN () is RETURN (ALL). */
    if (!ret->items)
        ret->items = RETURN_ALL;
    /* RFC 9394 3.1 */
    if ((ret->items & RETURN_PARTIAL) && (ret->items & RETURN_ALL))
        imap_parser_fail(p, "PARTIAL and ALL");
}

void search_no_contexts(struct imap_parser *p, const struct search_returns *r)
{
    if (r->update || r->context)
        imap_parser_fail(p, "Unknown RETURN option");
}

void search_check_relevancy(struct imap_parser *p, const struct search_program *program,
                            bool wanted)
{
    if (wanted && !program->fuzzy)
        imap_parser_fail(p, "RELEVANCY without FUZZY");
}

bool search_admit(struct imap *im, struct imap_command *cmd, const struct search_program *program,
                  const struct search_returns *returns)
{
    /* RFC 6855 3 */
    if (program->charset && (im->enabled & IMAP_UTF8))
        imap_reply(cmd, IMAP_BAD, NULL, "No charset after ENABLE UTF8=ACCEPT.");
    else if ((!cmd->uid || program->seqs) && (im->enabled & IMAP_UIDONLY))
        imap_reply(cmd, IMAP_BAD, "UIDREQUIRED", "Only UIDs can be used.");
    else if (program->bad_charset)
        imap_reply(cmd, IMAP_NO, "BADCHARSET (US-ASCII UTF-8)", "Unknown charset.");
    else
        return true;
    /* RFC 5182 2.1: a search that fails leaves nothing saved. */
    if ((returns->items & RETURN_SAVE) && cmd->status == IMAP_NO)
        imap_saved_clear(im);
    return false;
}

void search_put_head(struct imap *im, const struct imap_command *cmd,
                     const struct search_returns *returns, const struct search_place *place,
                     const struct search_numbers *n)
{
    struct buf *out = im->out;
    buf_puts(out, "* ESEARCH (TAG ");
    imap_put_string(out, cmd->tag);
    if (place) {
        buf_puts(out, " MAILBOX ");
        imap_put_mailbox(im, place->mailbox);
        buf_printf(out, " UIDVALIDITY %u", place->uidvalidity);
    }
    buf_puts(out, cmd->uid ? ") UID" : ")");
    if ((returns->items & RETURN_MIN) && n->n)
        buf_printf(out, " MIN %u", n->min);
    if ((returns->items & RETURN_MAX) && n->n)
        buf_printf(out, " MAX %u", n->max);
    if (returns->items & RETURN_COUNT)
        buf_printf(out, " COUNT %u", n->n);
    const char *sign = returns->partial.from_end ? "-" : "";
    if (returns->partial.wanted)
        buf_printf(out, " PARTIAL (%s%u:%s%u ", sign, returns->partial.from, sign,
                   returns->partial.to);
    if ((returns->items & RETURN_ALL) && n->n)
        buf_puts(out, " ALL ");
}

void search_put_end(struct imap *im, const struct search_returns *returns, bool some)
{
    if (returns->partial.wanted)
        buf_puts(im->out, some ? ")" : "NIL)");
    if (returns->relevancy)
        buf_puts(im->out, " RELEVANCY (");
}
