/* search_parse.c: the keys of SEARCH (RFC 3501 6.4.4). */
#include "mime/encoding.h"
#include "proto/imap/search.h"

struct parsing {
    struct imap_parser *p;
    struct search_program *program;
    struct slice charset;
    unsigned depth, keys;
    unsigned fuzzy; /* so many FUZZY are around */
};

static struct search_key *parse_key(struct parsing *s);

static struct search_key *new_key(struct parsing *s, enum search_kind kind, enum search_cost cost)
{
    struct search_key *k = ARENA_NEW(s->p->arena, struct search_key);
    if (++s->keys > SEARCH_KEYS_MAX || !k) {
        imap_parser_fail(s->p, "Search is too complex");
        return NULL;
    }
    k->kind = kind;
    k->cost = cost;
    return k;
}

/* In order of cost, else in the order given. */
static void add_to(struct search_key *list, struct search_key *k)
{
    struct search_key **at = &list->child;
    while (*at && (*at)->cost <= k->cost)
        at = &(*at)->next;
    k->next = *at;
    *at = k;
    if (k->cost > list->cost)
        list->cost = k->cost;
}

/* Keys that are a word and no more. */
static const struct {
    const char *name;
    enum search_kind kind;
    uint8_t flag;
    bool not ;
} plain_keys[] = {
    {"ALL", SEARCH_ALL, 0, false},
    {"ANSWERED", SEARCH_FLAG, IMAP_ANSWERED, false},
    {"DELETED", SEARCH_FLAG, IMAP_DELETED, false},
    {"DRAFT", SEARCH_FLAG, IMAP_DRAFT, false},
    {"FLAGGED", SEARCH_FLAG, IMAP_FLAGGED, false},
    {"SEEN", SEARCH_FLAG, IMAP_SEEN, false},
    {"UNANSWERED", SEARCH_FLAG, IMAP_ANSWERED, true},
    {"UNDELETED", SEARCH_FLAG, IMAP_DELETED, true},
    {"UNDRAFT", SEARCH_FLAG, IMAP_DRAFT, true},
    {"UNFLAGGED", SEARCH_FLAG, IMAP_FLAGGED, true},
    {"UNSEEN", SEARCH_FLAG, IMAP_SEEN, true},
    /* NEW is RECENT UNSEEN, OLD is NOT RECENT. */
    {"RECENT", SEARCH_NONE, 0, false},
    {"NEW", SEARCH_NONE, 0, false},
    {"OLD", SEARCH_ALL, 0, false},
    /* RFC 8514 4.3: every mailbox keeps it. */
    {"SAVEDATESUPPORTED", SEARCH_ALL, 0, false},
};

static const struct {
    const char *name;
    enum search_kind kind;
    enum search_cost cost;
    enum { ARG_DAY, ARG_SIZE, ARG_SECONDS, ARG_OBJECT, ARG_TEXT, ARG_FIELD } arg;
} argument_keys[] = {
    {"BEFORE", SEARCH_BEFORE, COST_ENTRY, ARG_DAY},
    {"ON", SEARCH_ON, COST_ENTRY, ARG_DAY},
    {"SINCE", SEARCH_SINCE, COST_ENTRY, ARG_DAY},
    {"SAVEDBEFORE", SEARCH_SAVEDBEFORE, COST_ENTRY, ARG_DAY},
    {"SAVEDON", SEARCH_SAVEDON, COST_ENTRY, ARG_DAY},
    {"SAVEDSINCE", SEARCH_SAVEDSINCE, COST_ENTRY, ARG_DAY},
    {"SENTBEFORE", SEARCH_SENTBEFORE, COST_SUMMARY, ARG_DAY},
    {"SENTON", SEARCH_SENTON, COST_SUMMARY, ARG_DAY},
    {"SENTSINCE", SEARCH_SENTSINCE, COST_SUMMARY, ARG_DAY},
    {"OLDER", SEARCH_OLDER, COST_ENTRY, ARG_SECONDS},
    {"YOUNGER", SEARCH_YOUNGER, COST_ENTRY, ARG_SECONDS},
    {"EMAILID", SEARCH_EMAILID, COST_ENTRY, ARG_OBJECT},
    {"THREADID", SEARCH_NONE, COST_ENTRY, ARG_OBJECT},
    {"LARGER", SEARCH_LARGER, COST_ENTRY, ARG_SIZE},
    {"SMALLER", SEARCH_SMALLER, COST_ENTRY, ARG_SIZE},
    {"BODY", SEARCH_BODY, COST_MESSAGE, ARG_TEXT},
    {"TEXT", SEARCH_TEXT, COST_MESSAGE, ARG_TEXT},
    {"BCC", SEARCH_HEADER, COST_HEADER, ARG_FIELD},
    {"CC", SEARCH_HEADER, COST_HEADER, ARG_FIELD},
    {"FROM", SEARCH_HEADER, COST_HEADER, ARG_FIELD},
    {"SUBJECT", SEARCH_HEADER, COST_HEADER, ARG_FIELD},
    {"TO", SEARCH_HEADER, COST_HEADER, ARG_FIELD},
};

static struct search_key *negate(struct parsing *s, struct search_key *k, bool not )
{
    struct search_key *n = k && not ? new_key(s, SEARCH_NOT, k->cost) : k;
    if (n && n != k)
        n->child = k;
    return n;
}

/* The words of a fuzzy text, folded as it is. */
static void split_words(struct parsing *s, struct search_key *k)
{
    struct slice rest = slice_trim(buf_slice(&k->text.folded));
    if (slice_find(rest, ' ') == SIZE_MAX)
        return;
    k->words = arena_alloc_n(s->p->arena, SEARCH_WORDS_MAX, sizeof *k->words);
    while (k->words && rest.len && k->n_words < SEARCH_WORDS_MAX) {
        size_t end = slice_find(rest, ' ');
        struct slice word = slice_sub(rest, 0, end);
        rest = end == SIZE_MAX ? SLICE_NONE : slice_trim(slice_from(rest, end));
        struct buf *folded = &k->words[k->n_words++].folded;
        buf_init(folded, word.len);
        buf_append(folded, word);
        if (!buf_ok(folded))
            imap_parser_fail(s->p, "Search is too complex");
    }
    if (!k->words)
        imap_parser_fail(s->p, "Search is too complex");
}

static void parse_text(struct parsing *s, struct search_key *k)
{
    struct slice text = imap_parse_astring(s->p);
    if (!imap_parser_ok(s->p))
        return;
    k->next_text = s->program->texts;
    s->program->texts = k;
    enum result r = search_text_init(&k->text, s->charset, text);
    if (r == NOT_FOUND)
        s->program->bad_charset = true;
    else if (r != OK)
        imap_parser_fail(s->p, "Search text is too long");
    else if ((k->fuzzy = s->fuzzy > 0))
        split_words(s, k);
}

/* RFC 8474: "M" and the number in hexadecimal; what is not so is of no message. */
static uint64_t parse_email_id(struct parsing *s)
{
    struct slice id = imap_parse_astring(s->p);
    uint64_t n = 0;
    if (id.len < 2 || id.len > 17 || id.data[0] != 'M')
        return 0;
    for (size_t i = 1; i < id.len; i++) {
        const char *digits = "0123456789abcdef",
                   *at = id.data[i] ? strchr(digits, id.data[i]) : NULL;
        if (!at)
            return 0;
        n = n << 4 | (uint64_t)(at - digits);
    }
    return n;
}

static struct search_key *parse_argument_key(struct parsing *s, size_t i)
{
    struct search_key *k = new_key(s, argument_keys[i].kind, argument_keys[i].cost);
    if (!k)
        return NULL;
    imap_parse_space(s->p);
    k->name = slice_cstr(argument_keys[i].name);
    switch (argument_keys[i].arg) {
    case ARG_DAY:
        k->day = imap_parse_day(s->p);
        break;
    case ARG_SECONDS:
        k->size = imap_parse_number(s->p, 1, UINT32_MAX);
        break;
    case ARG_OBJECT:
        k->size = parse_email_id(s);
        break;
    case ARG_SIZE:
        k->size = imap_parse_number(s->p, 0, UINT64_MAX);
        break;
    default:
        parse_text(s, k);
    }
    return k;
}

static struct search_key *parse_header(struct parsing *s)
{
    struct search_key *k = new_key(s, SEARCH_HEADER, COST_HEADER);
    if (!k)
        return NULL;
    imap_parse_space(s->p);
    k->name = imap_parse_astring(s->p);
    imap_parse_space(s->p);
    parse_text(s, k);
    return k;
}

static struct search_key *parse_keyword(struct parsing *s, bool not )
{
    struct search_key *k = new_key(s, SEARCH_KEYWORD, COST_ENTRY);
    if (!k)
        return NULL;
    imap_parse_space(s->p);
    k->name = imap_parse_atom(s->p);
    return negate(s, k, not );
}

static struct search_key *parse_set(struct parsing *s, bool uids)
{
    struct search_key *k = new_key(s, SEARCH_SET, COST_ENTRY);
    if (!k)
        return NULL;
    k->uids = uids;
    imap_parse_seqset(s->p, &k->set);
    s->program->sets = true;
    s->program->fleeting |= !uids || k->set.saved;
    s->program->seqs |= !uids && !k->set.saved;
    return k;
}

/* RFC 7162 3.1.5: MODSEQ ["/flags/\\Draft" all] 7. A message has one MODSEQ for all of it. */
static struct search_key *parse_modseq(struct parsing *s)
{
    struct search_key *k = new_key(s, SEARCH_MODSEQ, COST_ENTRY);
    if (!k)
        return NULL;
    imap_parse_space(s->p);
    if (cursor_peek(&s->p->c) == '"') {
        imap_parse_string(s->p);
        imap_parse_space(s->p);
        if (!imap_accept_word(s->p, "priv") && !imap_accept_word(s->p, "shared") &&
            !imap_accept_word(s->p, "all"))
            imap_parser_fail(s->p, "Unknown entry type");
        imap_parse_space(s->p);
    }
    k->size = imap_parse_modseq(s->p, 0);
    s->program->modseq = true;
    return k;
}

static struct search_key *parse_or(struct parsing *s)
{
    struct search_key *k = new_key(s, SEARCH_OR, COST_ENTRY);
    for (int i = 0; k && i < 2; i++) {
        imap_parse_space(s->p);
        struct search_key *operand = parse_key(s);
        if (!operand)
            return NULL;
        add_to(k, operand);
    }
    return k;
}

static struct search_key *parse_not(struct parsing *s)
{
    imap_parse_space(s->p);
    return negate(s, parse_key(s), true);
}

/* RFC 6203 3. What is no text is matched exactly (5). */
static struct search_key *parse_fuzzy(struct parsing *s)
{
    s->program->fuzzy = true;
    s->fuzzy++;
    imap_parse_space(s->p);
    struct search_key *k = parse_key(s);
    s->fuzzy--;
    return k;
}

static struct search_key *parse_list(struct parsing *s)
{
    struct search_key *list = new_key(s, SEARCH_AND, COST_ENTRY);
    do {
        struct search_key *k = list ? parse_key(s) : NULL;
        if (!k)
            return NULL;
        add_to(list, k);
    } while (imap_parser_ok(s->p) && imap_accept(s->p, ' '));
    return list;
}

static struct search_key *parse_word(struct parsing *s)
{
    for (size_t i = 0; i < sizeof plain_keys / sizeof *plain_keys; i++) {
        if (!imap_accept_word(s->p, plain_keys[i].name))
            continue;
        struct search_key *k = new_key(s, plain_keys[i].kind, COST_ENTRY);
        if (k)
            k->flag = plain_keys[i].flag;
        return negate(s, k, plain_keys[i].not );
    }
    for (size_t i = 0; i < sizeof argument_keys / sizeof *argument_keys; i++)
        if (imap_accept_word(s->p, argument_keys[i].name))
            return parse_argument_key(s, i);
    if (imap_accept_word(s->p, "HEADER"))
        return parse_header(s);
    if (imap_accept_word(s->p, "KEYWORD"))
        return parse_keyword(s, false);
    if (imap_accept_word(s->p, "UNKEYWORD"))
        return parse_keyword(s, true);
    if (imap_accept_word(s->p, "MODSEQ"))
        return parse_modseq(s);
    if (imap_accept_word(s->p, "OR"))
        return parse_or(s);
    if (imap_accept_word(s->p, "NOT"))
        return parse_not(s);
    if (imap_accept_word(s->p, "FUZZY"))
        return parse_fuzzy(s);
    if (imap_accept_word(s->p, "UID")) {
        imap_parse_space(s->p);
        return parse_set(s, true);
    }
    imap_parser_fail(s->p, "Unknown search key");
    return NULL;
}

static struct search_key *parse_key(struct parsing *s)
{
    struct search_key *k;
    int c = cursor_peek(&s->p->c);
    if (s->depth == SEARCH_DEPTH_MAX) {
        imap_parser_fail(s->p, "Search is nested too deeply");
        return NULL;
    }
    s->depth++;
    if (imap_accept(s->p, '(')) {
        k = parse_list(s);
        imap_parse_char(s->p, ')');
    } else if (c == '*' || c == '$' || (c > 0 && ascii_digit((char)c))) {
        k = parse_set(s, false);
    } else {
        k = parse_word(s);
    }
    s->depth--;
    return imap_parser_ok(s->p) ? k : NULL;
}

void search_parse_in(struct imap_parser *p, struct slice charset, struct search_program *ret)
{
    struct parsing s = {.p = p, .program = ret, .charset = charset};
    if (charset.len)
        ret->bad_charset = imap_parser_ok(p) && !charset_known(charset);
    ret->root = parse_list(&s);
}

void search_parse(struct imap_parser *p, struct search_program *ret)
{
    struct slice charset = SLICE_NONE;
    if (imap_accept_word(p, "CHARSET")) {
        imap_parse_space(p);
        charset = imap_parse_astring(p);
        imap_parse_space(p);
        ret->charset = true;
    }
    search_parse_in(p, charset, ret);
}

void search_release(struct search_program *s)
{
    for (struct search_key *k = s->texts; k; k = k->next_text) {
        search_text_release(&k->text);
        for (size_t i = 0; i < k->n_words; i++)
            search_text_release(&k->words[i]);
    }
    s->texts = NULL;
}
