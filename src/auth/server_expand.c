/* server_expand.c: what stands in queries and results for parts of the key and of the value
 * (mysql_table(5), "QUERY SUBSTITUTION"), and the value of a whole result. */
#include "auth/server.h"

#include <string.h>

bool server_next_word(struct slice *rest, struct slice *ret)
{
    size_t from = 0, end;
    while (from < rest->len && strchr(", \t\r\n", rest->data[from]))
        from++;
    for (end = from; end < rest->len && !strchr(", \t\r\n", rest->data[end]);)
        end++;
    *ret = slice_sub(*rest, from, end - from);
    *rest = slice_from(*rest, end);
    return ret->len > 0;
}

bool server_key_allowed(const struct server_table *t, struct slice key)
{
    struct slice rest = t->domain, word;
    size_t at = slice_rfind(key, '@');
    if (!rest.len)
        return true;
    if (at == SIZE_MAX || at == 0)
        return false;
    while (server_next_word(&rest, &word))
        if (slice_eq_nocase(word, slice_from(key, at + 1)))
            return true;
    return false;
}

static struct slice domain_of(struct slice address)
{
    size_t at = slice_rfind(address, '@');
    return at == SIZE_MAX ? SLICE("") : slice_from(address, at + 1);
}

static struct slice local_of(struct slice address)
{
    return slice_sub(address, 0, slice_rfind(address, '@'));
}

/* The nth part of the domain, from its end; "": there is none. */
static struct slice label_of(struct slice address, int n)
{
    struct slice domain = domain_of(address);
    while (n > 1 && domain.len) {
        size_t dot = slice_rfind(domain, '.');
        domain = dot == SIZE_MAX ? SLICE("") : slice_sub(domain, 0, dot);
        n--;
    }
    size_t dot = slice_rfind(domain, '.');
    return dot == SIZE_MAX ? domain : slice_from(domain, dot + 1);
}

/* False: no such expansion. */
static bool part_of(char letter, struct slice key, struct slice value, struct slice *ret)
{
    struct slice of = letter >= 'a' && value.data ? value : key;
    if (letter == 's' || letter == 'S')
        *ret = of;
    else if (letter == 'u' || letter == 'U')
        *ret = local_of(of);
    else if (letter == 'd' || letter == 'D')
        *ret = domain_of(of);
    else if (letter >= '1' && letter <= '9')
        *ret = label_of(key, letter - '0');
    else
        return false;
    return true;
}

enum result server_expand(struct slice format, struct slice key, struct slice value,
                          format_escape_fn *escape, void *arg, struct buf *out, struct error *err)
{
    struct slice part;
    for (size_t i = 0; i < format.len; i++) {
        char next = i + 1 < format.len ? format.data[i + 1] : '\0';
        if (format.data[i] != '%' || next == '%') {
            buf_putc(out, format.data[i]);
            i += format.data[i] == '%';
            continue;
        }
        if (!part_of(next, key, value, &part))
            return error_set(err, INVALID, "`%%%c` is none of %%s %%u %%d %%S %%U %%D %%1 to %%9",
                             next > ' ' && next < 127 ? next : '?');
        if (part.len == 0)
            return NOT_FOUND;
        if (escape)
            escape(arg, part, out);
        else
            buf_append(out, part);
        i++;
    }
    return buf_ok(out) ? OK : error_set(err, LIMIT, "it becomes too long");
}

bool server_result_add(struct server_result *r, struct slice value)
{
    struct buf one;
    if (value.len == 0 || r->too_many)
        return !r->too_many;
    buf_init(&one, SERVER_VALUE_MAX);
    enum result made =
        server_expand(r->table->result_format, r->key, value, NULL, NULL, &one, NULL);
    if (made == OK) {
        r->too_many = r->table->expansion_limit && r->n == r->table->expansion_limit;
        if (r->n++)
            buf_putc(&r->text, ',');
        buf_append(&r->text, buf_slice(&one));
    } else if (made != NOT_FOUND) {
        r->too_many = true;
    }
    buf_release(&one);
    r->too_many = r->too_many || !buf_ok(&r->text);
    return !r->too_many;
}

enum result server_result_end(struct server_result *r, struct arena *a, struct slice *ret,
                              struct error *err)
{
    struct slice value = SLICE_NONE;
    enum result done = OK;
    if (r->too_many)
        done = error_set(err, FAILED, "more or longer values than expansion_limit or we take");
    else if (buf_len(&r->text) == 0)
        done = NOT_FOUND;
    else if (!(value = arena_dup(a, buf_slice(&r->text))).data)
        done = error_set(err, FAILED, "no memory");
    buf_release(&r->text);
    if (done == OK)
        *ret = value;
    return done;
}
