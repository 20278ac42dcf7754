#include "table/replace.h"

static bool name_char(char c)
{
    return ascii_alnum(c) || c == '_';
}

/* Takes the name behind a '$': bare or in braces; empty: there is none. */
static struct slice take_name(struct slice *rest)
{
    char open = rest->len ? rest->data[0] : '\0';
    size_t n = 0;
    if (open == '{' || open == '(') {
        size_t end = slice_find(*rest, open == '{' ? '}' : ')');
        if (end == SIZE_MAX)
            return SLICE_NONE;
        struct slice name = slice_sub(*rest, 1, end - 1);
        *rest = slice_from(*rest, end + 1);
        return name;
    }
    while (n < rest->len && name_char(rest->data[n]))
        n++;
    struct slice name = slice_sub(*rest, 0, n);
    *rest = slice_from(*rest, n);
    return name;
}

const char *replace_parse(struct slice value, const struct replace_parts *to)
{
    while (value.len) {
        size_t dollar = slice_find(value, '$');
        uint64_t n;
        to->literal(to->arg, slice_sub(value, 0, dollar));
        if (dollar == SIZE_MAX)
            return NULL;
        value = slice_from(value, dollar + 1);
        if (value.len && value.data[0] == '$') {
            to->literal(to->arg, SLICE("$"));
            value = slice_from(value, 1);
            continue;
        }
        struct slice name = take_name(&value);
        if (name.len == 0)
            return "a $ without a number behind it (write $$ for the character)";
        if (slice_parse_u64(name, TABLE_GROUPS_MAX, &n) != OK || n == 0)
            return "a $ with something else than the number of a group";
        to->group(to->arg, (unsigned)n);
    }
    return NULL;
}

static void no_literal(void *arg, struct slice text)
{
    (void)arg, (void)text;
}

static void highest(void *arg, unsigned n)
{
    unsigned *most = arg;
    if (n > *most)
        *most = n;
}

const char *replace_check(struct slice value, unsigned *ret_highest)
{
    unsigned most = 0;
    const char *why = replace_parse(value, &(struct replace_parts){no_literal, highest, &most});
    if (!why)
        *ret_highest = most;
    return why;
}

struct expansion {
    struct slice (*group)(void *arg, unsigned n);
    void *arg;
    struct buf *out;
};

static void put_literal(void *arg, struct slice text)
{
    buf_append(((struct expansion *)arg)->out, text);
}

static void put_group(void *arg, unsigned n)
{
    struct expansion *e = arg;
    buf_append(e->out, e->group(e->arg, n));
}

void replace_expand(struct slice value, struct slice (*group)(void *arg, unsigned n), void *arg,
                    struct buf *out)
{
    struct expansion e = {group, arg, out};
    (void)!replace_parse(value, &(struct replace_parts){put_literal, put_group, &e});
}
