/* parse.c: see parse.h. Lenient where clients are known to err without harm (a bare LF, 8-bit bytes
 * in quoted strings), strict elsewhere. */
#include "proto/imap/parse.h"

#include "mime/date.h"
#include "mime/encoding.h"
#include "mime/utf7.h"

void imap_parser_init(struct imap_parser *p, struct slice text, struct arena *arena)
{
    *p = (struct imap_parser){.c = cursor_of(text), .arena = arena};
}

bool imap_parser_fail(struct imap_parser *p, const char *why)
{
    if (!p->error)
        p->error = why;
    cursor_fail(&p->c);
    return false;
}

bool imap_parser_done(struct imap_parser *p)
{
    if (!p->error && !cursor_at_end(&p->c))
        imap_parser_fail(p, "Unexpected text behind the arguments");
    if (arena_failed(p->arena))
        imap_parser_fail(p, "Command is too complex");
    return !p->error;
}

bool imap_is_atom_char(char c)
{
    return c > 0x20 && c < 0x7f && !strchr("(){%*\"\\]", c);
}

bool imap_is_astring_char(char c)
{
    return c == ']' || imap_is_atom_char(c);
}

static bool is_list_char(char c)
{
    return imap_is_astring_char(c) || c == '%' || c == '*';
}

static bool is_tag_char(char c)
{
    return c != '+' && imap_is_astring_char(c);
}

bool imap_accept(struct imap_parser *p, char c)
{
    return cursor_accept(&p->c, c);
}

bool imap_accept_word(struct imap_parser *p, const char *word)
{
    struct slice rest = p->c.rest;
    size_t n = strlen(word);
    if (!slice_starts_nocase(rest, slice_cstr(word)))
        return false;
    if (rest.len > n && imap_is_atom_char(rest.data[n]))
        return false;
    cursor_take(&p->c, n);
    return true;
}

void imap_parse_char(struct imap_parser *p, char c)
{
    if (!cursor_accept(&p->c, c))
        imap_parser_fail(p, c == ' '   ? "Missing space or argument"
                            : c == '(' ? "Missing ("
                            : c == ')' ? "Missing )"
                                       : "Syntax error");
}

void imap_parse_space(struct imap_parser *p)
{
    imap_parse_char(p, ' ');
}

static struct slice run_of(struct imap_parser *p, bool (*in_class)(char), const char *why)
{
    struct slice s = cursor_while(&p->c, in_class);
    if (s.len == 0)
        imap_parser_fail(p, why);
    return s;
}

struct slice imap_parse_tag(struct imap_parser *p)
{
    return run_of(p, is_tag_char, "Missing tag");
}

struct slice imap_parse_atom(struct imap_parser *p)
{
    return run_of(p, imap_is_atom_char, "Missing word");
}

/* Behind the first quote. Copied only where a backslash must go. */
static struct slice parse_quoted(struct imap_parser *p)
{
    struct slice rest = p->c.rest;
    size_t i = 0, escapes = 0;
    for (; i < rest.len && rest.data[i] != '"'; i++) {
        if (rest.data[i] == '\\') {
            i++;
            escapes++;
            /* RFC 3501 9: only quoted-specials are escaped. */
            if (i >= rest.len || !strchr("\"\\", rest.data[i]) || !rest.data[i])
                break;
        } else if (rest.data[i] == '\0' || rest.data[i] == '\r' || rest.data[i] == '\n') {
            break;
        }
    }
    if (i >= rest.len || rest.data[i] != '"') {
        imap_parser_fail(p, "Invalid quoted string");
        return SLICE_NONE;
    }
    struct slice raw = cursor_take(&p->c, i);
    cursor_take(&p->c, 1);
    if (!escapes)
        return raw;
    char *text = arena_alloc(p->arena, raw.len);
    size_t n = 0;
    for (size_t j = 0; text && j < raw.len; j++) {
        if (raw.data[j] == '\\')
            j++;
        text[n++] = raw.data[j];
    }
    return slice_of(text, n);
}

/* Behind "{": the reader has seen to it that the bytes are there. */
static struct slice parse_literal(struct imap_parser *p)
{
    uint64_t size = cursor_number(&p->c, IMAP_COMMAND_MAX);
    cursor_accept(&p->c, '+');
    bool shaped = cursor_accept(&p->c, '}');
    cursor_accept(&p->c, '\r');
    if (!shaped || !cursor_accept(&p->c, '\n') || !cursor_ok(&p->c)) {
        imap_parser_fail(p, "Invalid literal");
        return SLICE_NONE;
    }
    struct slice s = cursor_take(&p->c, size);
    /* RFC 3501 9: a literal holds no NUL (CHAR8). */
    if (!cursor_ok(&p->c) || (!p->nul_ok && slice_find(s, '\0') != SIZE_MAX))
        imap_parser_fail(p, "Invalid literal");
    return cursor_ok(&p->c) ? s : SLICE_NONE;
}

struct slice imap_parse_string(struct imap_parser *p)
{
    if (imap_accept(p, '"'))
        return parse_quoted(p);
    if (imap_accept(p, '{'))
        return parse_literal(p);
    imap_parser_fail(p, "Missing string");
    return SLICE_NONE;
}

static struct slice string_or(struct imap_parser *p, bool (*in_class)(char))
{
    int c = cursor_peek(&p->c);
    if (c == '"' || c == '{')
        return imap_parse_string(p);
    return run_of(p, in_class, "Missing argument");
}

struct slice imap_parse_astring(struct imap_parser *p)
{
    return string_or(p, imap_is_astring_char);
}

struct slice imap_parse_nstring(struct imap_parser *p)
{
    return imap_accept_word(p, "NIL") ? SLICE_NONE : imap_parse_string(p);
}

uint64_t imap_parse_number(struct imap_parser *p, uint64_t min, uint64_t max)
{
    uint64_t n = cursor_number(&p->c, max);
    if (!cursor_ok(&p->c) || n < min) {
        imap_parser_fail(p, "Invalid number");
        return 0;
    }
    return n;
}

uint64_t imap_parse_modseq(struct imap_parser *p, uint64_t min)
{
    return imap_parse_number(p, min, UINT64_MAX >> 1);
}

static uint32_t partial_number(struct imap_parser *p, bool minus)
{
    if (imap_accept(p, '-') != minus)
        imap_parser_fail(p, "Invalid partial range");
    return (uint32_t)imap_parse_number(p, 1, UINT32_MAX);
}

void imap_parse_partial(struct imap_parser *p, struct imap_partial *ret)
{
    ret->wanted = true;
    ret->from_end = cursor_peek(&p->c) == '-';
    uint32_t a = partial_number(p, ret->from_end);
    imap_parse_char(p, ':');
    uint32_t b = partial_number(p, ret->from_end);
    ret->from = a < b ? a : b;
    ret->to = a < b ? b : a;
}

void imap_partial_ranks(const struct imap_partial *partial, uint32_t n, uint32_t *ret_from,
                        uint32_t *ret_to)
{
    uint32_t from = partial->from, to = partial->to < n ? partial->to : n;
    if (from > n) {
        *ret_from = 1;
        *ret_to = 0;
        return;
    }
    *ret_from = partial->from_end ? n - to + 1 : from;
    *ret_to = partial->from_end ? n - from + 1 : to;
}

static bool is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] > 127)
            return false;
    return true;
}

/* RFC 3501 5.1.3: modified UTF-7 on the wire. What is neither that nor ASCII may be UTF-8, from
 * clients that know no better. */
static struct slice decode_name(struct imap_parser *p, struct slice wire)
{
    struct buf out;
    buf_init(&out, IMAP_NAME_MAX);
    struct slice name = SLICE_NONE;
    if (!imap_parser_ok(p))
        return name;
    if (p->utf8) {
        if (wire.len <= IMAP_NAME_MAX && utf8_valid(wire))
            return arena_dup(p->arena, wire);
        imap_parser_fail(p, "Mailbox name is not UTF-8");
        return name;
    }
    if (imap_utf7_decode(wire, &out) == OK && buf_ok(&out))
        name = arena_dup(p->arena, buf_slice(&out));
    else if (wire.len <= IMAP_NAME_MAX && !is_ascii(wire) && utf8_valid(wire))
        name = arena_dup(p->arena, wire);
    else
        imap_parser_fail(p, "Mailbox name is not valid modified UTF-7");
    buf_release(&out);
    return name;
}

struct slice imap_parse_mailbox(struct imap_parser *p)
{
    struct slice name = decode_name(p, imap_parse_astring(p));
    /* RFC 3501 5.1: INBOX in any case is INBOX. */
    return slice_is_nocase(name, "INBOX") ? SLICE("INBOX") : name;
}

struct slice imap_parse_list_mailbox(struct imap_parser *p)
{
    return decode_name(p, string_or(p, is_list_char));
}

uint8_t imap_system_flag(struct slice name)
{
    static const struct {
        const char *name;
        uint8_t flag;
    } flags[] = {{"\\Seen", IMAP_SEEN},
                 {"\\Answered", IMAP_ANSWERED},
                 {"\\Flagged", IMAP_FLAGGED},
                 {"\\Deleted", IMAP_DELETED},
                 {"\\Draft", IMAP_DRAFT}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (slice_is_nocase(name, flags[i].name))
            return flags[i].flag;
    return 0;
}

static void parse_flag(struct imap_parser *p, struct imap_flag_list *ret)
{
    struct slice start = p->c.rest;
    bool system = imap_accept(p, '\\');
    struct slice word = imap_parse_atom(p);
    if (!imap_parser_ok(p))
        return;
    if (system) {
        uint8_t flag = imap_system_flag(slice_sub(start, 0, word.len + 1));
        /* RFC 3501 2.3.2: \Recent can't be set by a client; others are not defined. */
        if (!flag)
            imap_parser_fail(p, "Invalid system flag");
        ret->system |= flag;
    } else if (ret->n == IMAP_KEYWORDS_MAX) {
        imap_parser_fail(p, "Too many keywords");
    } else if (ret->keywords) {
        ret->keywords[ret->n++] = word;
    }
}

void imap_parse_flags(struct imap_parser *p, bool bare, struct imap_flag_list *ret)
{
    *ret = (struct imap_flag_list){
        .keywords = arena_alloc_n(p->arena, IMAP_KEYWORDS_MAX, sizeof(struct slice))};
    if (!imap_accept(p, '(')) {
        if (!bare) {
            imap_parser_fail(p, "Missing flag list");
            return;
        }
        do
            parse_flag(p, ret);
        while (imap_parser_ok(p) && imap_accept(p, ' '));
        return;
    }
    if (imap_accept(p, ')'))
        return;
    do
        parse_flag(p, ret);
    while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
}

int64_t imap_parse_day(struct imap_parser *p)
{
    int64_t day = 0;
    struct slice text = cursor_peek(&p->c) == '"' ? imap_parse_string(p) : imap_parse_atom(p);
    if (imap_parser_ok(p) && date_parse_day(text, &day) != OK)
        imap_parser_fail(p, "Invalid date");
    return day;
}

int64_t imap_parse_date_time(struct imap_parser *p)
{
    int64_t seconds = 0;
    struct slice text = imap_parse_string(p);
    if (imap_parser_ok(p) && date_parse_internal(text, &seconds, NULL) != OK)
        imap_parser_fail(p, "Invalid date-time");
    return seconds;
}
