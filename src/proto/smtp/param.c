#include "proto/smtp/param.h"

#include "proto/smtp/smtp.h"

const char smtp_unsupported[] = "555 5.5.4 Unsupported option: ";

struct slice smtp_param_text(const struct smtp_param *p)
{
    size_t len = p->keyword.len + (p->has_value ? 1 + p->value.len : 0);
    return slice_of(p->keyword.data, len);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Any but blanks and controls; beyond ASCII for UTF-8 addresses (RFC 6531 3.3). What a parameter
 * may hold is said where it is taken; the others are named in the refusal. */
static bool is_value(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f;
}

static bool is_keyword(char c)
{
    return is_value(c) && c != '=';
}

bool smtp_param_next(struct cursor *c, struct smtp_param *ret)
{
    struct slice blanks = cursor_while(c, is_blank);
    if (cursor_at_end(c))
        return false;
    struct slice keyword = cursor_while(c, is_keyword);
    bool has_value = cursor_accept(c, '=');
    struct slice value = has_value ? cursor_while(c, is_value) : SLICE_NONE;
    bool ends = cursor_at_end(c) || is_blank((char)cursor_peek(c));
    if (blanks.len == 0 || !ends) {
        cursor_fail(c);
        return false;
    }
    *ret = (struct smtp_param){keyword, value, has_value};
    return true;
}

static bool is_upper_hex(char c)
{
    return ascii_digit(c) || (c >= 'A' && c <= 'F');
}

bool smtp_xtext_valid(struct slice s, size_t max)
{
    if (s.len == 0 || s.len > max)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (c < '!' || c > '~' || c == '=')
            return false;
        if (c == '+') {
            if (s.len - i < 3 || !is_upper_hex(s.data[i + 1]) || !is_upper_hex(s.data[i + 2]))
                return false;
            i += 2;
        }
    }
    return true;
}

bool smtp_notify_valid(struct slice s)
{
    static const char *const conditions[] = {"SUCCESS", "FAILURE", "DELAY"};
    unsigned seen = 0;
    if (slice_is_nocase(s, "NEVER"))
        return true;
    do {
        struct slice one = slice_split(&s, ',');
        unsigned bit = 0;
        for (unsigned i = 0; i < 3; i++)
            if (slice_is_nocase(one, conditions[i]))
                bit = 1u << i;
        if (!bit || seen & bit)
            return false;
        seen |= bit;
    } while (s.data);
    return true;
}

/* An address type is an atom: "rfc822", "utf-8". */
static bool is_type(char c)
{
    return ascii_alnum(c) || c == '-' || c == '.';
}

bool smtp_orcpt_valid(struct slice s)
{
    if (s.len > SMTP_ORCPT_MAX)
        return false;
    struct cursor c = cursor_of(s);
    struct slice type = cursor_while(&c, is_type);
    if (type.len == 0 || !cursor_accept(&c, ';'))
        return false;
    if (!slice_is_nocase(type, "utf-8"))
        return smtp_xtext_valid(c.rest, SMTP_ORCPT_MAX);
    /* RFC 6533 3: UTF-8 as it is, or \x{HEX}; what it says is not ours to judge. */
    return c.rest.len > 0 && cursor_while(&c, is_value).len > 0 && cursor_at_end(&c);
}
