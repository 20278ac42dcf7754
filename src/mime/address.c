/* address.c: SMTP's addresses: parsing, normal form, detail. */
#include "mime/address.h"
#include "mime/encoding.h"
#include "mime/lex.h"

static bool is_high(char c)
{
    return (unsigned char)c > 127;
}

static struct slice taken_since(struct slice before, const struct cursor *c)
{
    return slice_sub(before, 0, before.len - c->rest.len);
}

/* RFC 5321 4.1.2: Quoted-string. False when it is not closed or holds what it must not. */
static bool take_quoted(struct cursor *c)
{
    cursor_u8(c);
    while (!cursor_at_end(c)) {
        char byte = (char)cursor_u8(c);
        if (byte == '"')
            return true;
        if (byte == '\\') {
            byte = (char)cursor_u8(c);
            if (is_high(byte))
                return false;
        }
        if (!cursor_ok(c) || (!is_high(byte) && (byte < ' ' || byte > '~')))
            return false;
    }
    return false;
}

/* RFC 5321 4.1.2: Dot-string = Atom *("." Atom). */
static bool take_dot_string(struct cursor *c)
{
    do {
        if (cursor_while(c, lex_is_atext).len == 0)
            return false;
    } while (cursor_accept(c, '.'));
    return true;
}

static bool domain_byte(char c)
{
    return ascii_alnum(c) || c == '-' || c == '_' || c == '.' || is_high(c);
}

static bool literal_byte(char c)
{
    return c != ']' && c > ' ' && c <= '~';
}

static enum result take_domain(struct cursor *c, unsigned options, struct address *a)
{
    if (cursor_peek(c) == '[') {
        struct slice before = c->rest;
        cursor_u8(c);
        cursor_while(c, literal_byte);
        if (!cursor_accept(c, ']'))
            return INVALID;
        a->domain = taken_since(before, c);
        a->literal = true;
        return domain_is_literal(a->domain) ? OK : INVALID;
    }
    a->domain = cursor_while(c, domain_byte);
    a->final_dot = options & ADDRESS_FINAL_DOT && a->domain.len > 1 &&
                   a->domain.data[a->domain.len - 1] == '.';
    a->domain.len -= a->final_dot;
    if (a->domain.len > ADDRESS_DOMAIN_MAX)
        return LIMIT;
    return domain_valid(a->domain, options & ADDRESS_UTF8) ? OK : INVALID;
}

static enum result check_bytes(struct slice whole, unsigned options, struct address *a)
{
    for (size_t i = 0; i < whole.len; i++)
        a->utf8 |= is_high(whole.data[i]);
    /* RFC 6531 3.3: only with SMTPUTF8, and then it is UTF-8. */
    if (a->utf8 && (!(options & ADDRESS_UTF8) || !utf8_valid(whole)))
        return INVALID;
    return whole.len > ADDRESS_MAX ? LIMIT : OK;
}

/* Mailbox = Local-part "@" ( Domain / address-literal ) */
static enum result take_mailbox(struct cursor *c, unsigned options, struct address *ret)
{
    struct address a = {.local = SLICE_NONE};
    struct slice before = c->rest;
    bool ok = cursor_peek(c) == '"' ? take_quoted(c) : take_dot_string(c);
    if (!ok)
        return INVALID;
    a.local = taken_since(before, c);
    if (a.local.len > ADDRESS_LOCAL_MAX)
        return LIMIT;
    if (cursor_accept(c, '@')) {
        enum result r = take_domain(c, options, &a);
        if (r != OK)
            return r;
    } else if (!(options & ADDRESS_NO_DOMAIN)) {
        return INVALID;
    }
    enum result r = check_bytes(taken_since(before, c), options, &a);
    if (r == OK)
        *ret = a;
    return r;
}

enum result address_parse(struct slice text, unsigned options, struct address *ret)
{
    struct cursor c = cursor_of(text);
    struct address a;
    enum result r = take_mailbox(&c, options, &a);
    if (r != OK)
        return r;
    if (!cursor_done(&c))
        return INVALID;
    *ret = a;
    return OK;
}

/* A-d-l = At-domain *( "," At-domain ) ":" (RFC 5321 4.1.2: must be accepted, should be ignored) */
static enum result skip_route(struct cursor *c, unsigned options)
{
    struct address ignored;
    if (cursor_peek(c) != '@')
        return OK;
    while (cursor_accept(c, '@')) {
        enum result r = take_domain(c, options, &ignored);
        if (r != OK)
            return r;
        cursor_accept(c, ',');
    }
    return cursor_accept(c, ':') ? OK : INVALID;
}

static enum result take_path(struct cursor *c, unsigned options, struct address *a)
{
    if (!cursor_accept(c, '<'))
        return options & ADDRESS_BARE ? take_mailbox(c, options, a) : INVALID;
    if (cursor_accept(c, '>')) {
        *a = (struct address){.local = SLICE(""), .domain = SLICE("")};
        return options & ADDRESS_NULL ? OK : INVALID;
    }
    enum result r = skip_route(c, options);
    if (r == OK)
        r = take_mailbox(c, options, a);
    if (r == OK && !cursor_accept(c, '>'))
        r = INVALID;
    return r;
}

enum result address_parse_path(struct cursor *c, unsigned options, struct address *ret)
{
    struct cursor at = *c;
    struct address a;
    enum result r = take_path(&at, options, &a);
    if (r != OK)
        return r;
    if (!cursor_ok(&at))
        return INVALID;
    *c = at;
    *ret = a;
    return OK;
}

void address_unquote(struct slice local, struct buf *out)
{
    struct cursor c = cursor_of(local);
    if (cursor_peek(&c) == '"')
        lex_quoted(&c, out);
    else
        buf_append(out, local);
}

static bool is_dot_string(struct slice s)
{
    struct cursor c = cursor_of(s);
    return take_dot_string(&c) && cursor_done(&c);
}

void address_quote(struct slice unquoted, struct buf *out)
{
    if (is_dot_string(unquoted)) {
        buf_append(out, unquoted);
        return;
    }
    buf_putc(out, '"');
    for (size_t i = 0; i < unquoted.len; i++) {
        if (unquoted.data[i] == '"' || unquoted.data[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, unquoted.data[i]);
    }
    buf_putc(out, '"');
}

static enum result put_normal(const struct address *a, bool fold, struct buf *out)
{
    struct buf plain, folded;
    buf_init(&plain, 1024);
    buf_init(&folded, 4096);
    address_unquote(a->local, &plain);
    if (fold)
        text_fold(buf_slice(&plain), &folded);
    if (a->local.len)
        address_quote(buf_slice(fold ? &folded : &plain), out);
    bool fits = buf_ok(&plain) && buf_ok(&folded);
    buf_release(&plain);
    buf_release(&folded);
    if (a->domain.len == 0)
        return fits && buf_ok(out) ? OK : LIMIT;
    buf_putc(out, '@');
    enum result r = domain_to_ascii(a->domain, out);
    return r == OK && !fits ? LIMIT : r;
}

enum result address_normal(const struct address *a, struct buf *out)
{
    return put_normal(a, false, out);
}

enum result address_folded(const struct address *a, struct buf *out)
{
    return put_normal(a, true, out);
}

static size_t find_delimiter(struct slice local, struct slice delimiters)
{
    for (size_t i = 1; i < local.len; i++)
        if (slice_find(delimiters, local.data[i]) != SIZE_MAX)
            return i;
    return SIZE_MAX;
}

void address_split_detail(struct slice local, struct slice delimiters, struct slice *ret_user,
                          struct slice *ret_detail)
{
    size_t at = find_delimiter(local, delimiters);
    bool whole = slice_is_nocase(local, "postmaster") || slice_is_nocase(local, "mailer-daemon") ||
                 slice_is_nocase(local, "double-bounce");
    if (whole || at == SIZE_MAX) {
        *ret_user = local;
        *ret_detail = SLICE_NONE;
        return;
    }
    *ret_user = slice_sub(local, 0, at);
    *ret_detail = slice_from(local, at + 1);
}
