#include "mime/lex.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool lex_is_atext(char c)
{
    return ascii_alnum(c) || (unsigned char)c > 127 || (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

bool lex_is_wordish(char c)
{
    return !is_space(c) && (c == 0 || !strchr("()<>[]:;@\\,\".", c));
}

/* The byte behind a backslash, or the byte itself; folding's line ends are no content. */
static void take_content(struct cursor *c, char first, struct buf *out)
{
    char byte = first;
    if (byte == '\\' && !cursor_at_end(c))
        byte = (char)cursor_u8(c);
    if (byte != '\r' && byte != '\n' && out)
        buf_putc(out, byte);
}

static void comment_text(struct cursor *c, struct buf *out)
{
    unsigned depth = 1;
    cursor_u8(c);
    if (out)
        buf_reset(out);
    while (!cursor_at_end(c)) {
        char byte = (char)cursor_u8(c);
        if (byte == '(') {
            depth++;
        } else if (byte == ')' && --depth == 0) {
            return;
        }
        take_content(c, byte, out);
    }
}

bool lex_cfws(struct cursor *c, struct buf *comment)
{
    size_t before = c->rest.len;
    for (;;) {
        cursor_while(c, is_space);
        if (cursor_peek(c) != '(')
            return c->rest.len != before;
        comment_text(c, comment);
    }
}

void lex_quoted(struct cursor *c, struct buf *out)
{
    cursor_u8(c);
    while (!cursor_at_end(c)) {
        char byte = (char)cursor_u8(c);
        if (byte == '"')
            return;
        take_content(c, byte, out);
    }
}
