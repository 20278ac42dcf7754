/* hidden.c: passwords within values (connections of passdb and userdb, tables of SQL and LDAP) are
 * not for whoever looks over an administrator's shoulder. */
#include "cli/cli.h"

static const char *const words[] = {"password", "passwd", "dnpass", "bind_pw", "secret"};

static bool is_name(char c)
{
    return ascii_alnum(c) || c == '_';
}

/* The length of such a word with its "=" and blanks at the start of `at`; 0: there is none. */
static size_t secret_word(struct slice at)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if (!slice_starts_nocase(at, slice_cstr(words[i])))
            continue;
        while (n < at.len && at.data[n] == ' ')
            n++;
        if (n == at.len || at.data[n] != '=')
            continue;
        n++;
        while (n < at.len && at.data[n] == ' ')
            n++;
        return n;
    }
    return 0;
}

/* To the brace that closes, the same quote again, or a separator. */
static size_t secret_length(struct slice at)
{
    size_t n = 0, depth = 0;
    if (at.len && (at.data[0] == '"' || at.data[0] == '\'')) {
        size_t end = slice_find(slice_from(at, 1), at.data[0]);
        return end == SIZE_MAX ? at.len : end + 2;
    }
    for (; n < at.len; n++) {
        char c = at.data[n];
        if (depth == 0 && strchr(",} \t", c))
            return n;
        depth += c == '{';
        if (c == '}' && --depth == 0)
            return n + 1;
    }
    return n;
}

/* "'%w'" in a query is where the password will stand, not one: % and a letter, or %{name}, alone.
 */
static bool is_variable(struct slice secret)
{
    bool quoted = secret.len > 2 && (secret.data[0] == '\'' || secret.data[0] == '"');
    struct slice s = quoted ? slice_sub(secret, 1, secret.len - 2) : secret;
    if (s.len < 2 || s.data[0] != '%')
        return s.len == 0;
    if (s.data[1] == '{')
        return slice_find(s, '}') == s.len - 1;
    return s.len == 2 && ascii_alpha(s.data[1]);
}

void cli_put_hidden(struct buf *out, struct slice value)
{
    for (size_t i = 0; i < value.len;) {
        bool starts = i == 0 || !is_name(value.data[i - 1]);
        size_t word = starts ? secret_word(slice_from(value, i)) : 0;
        if (!word) {
            buf_putc(out, value.data[i++]);
            continue;
        }
        buf_append(out, slice_sub(value, i, word));
        i += word;
        size_t n = secret_length(slice_from(value, i));
        if (is_variable(slice_sub(value, i, n)))
            buf_append(out, slice_sub(value, i, n));
        else
            buf_puts(out, "****");
        i += n;
    }
}
