#include "auth/format.h"

struct formatting {
    const struct format_names *names;
    format_escape_fn *escape;
    void *arg;
    struct buf *out;
    struct error *why;
};

static struct slice user_part(struct slice user)
{
    return slice_sub(user, 0, slice_find(user, '@'));
}

static struct slice domain_part(struct slice user)
{
    size_t at = slice_find(user, '@');
    return at == SIZE_MAX ? SLICE("") : slice_from(user, at + 1);
}

/* The value of a variable by its long name; data NULL: there is none. */
static struct slice value_of(const struct format_names *n, struct slice name)
{
    const struct {
        const char *name;
        struct slice value;
    } known[] = {
        {"user", n->user},
        {"username", user_part(n->user)},
        {"domain", domain_part(n->user)},
        {"service", n->service},
        {"protocol", n->service},
        {"rip", n->client_ip},
        {"remote_ip", n->client_ip},
        {"lip", n->local_ip},
        {"local_ip", n->local_ip},
        {"password", n->password},
        {"orig_user", n->user},
        {"auth_user", n->user},
        {"login_user", n->user},
        {"owner_user", n->user},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_is(name, known[i].name))
            return known[i].value.data ? known[i].value : SLICE("");
    return SLICE_NONE;
}

static const char *long_name(char letter)
{
    static const struct {
        char letter;
        const char *name;
    } letters[] = {{'u', "user"}, {'n', "username"}, {'d', "domain"},  {'s', "service"},
                   {'r', "rip"},  {'l', "lip"},      {'w', "password"}};
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (letters[i].letter == letter)
            return letters[i].name;
    return NULL;
}

/* One change of a value; INVALID: there is no such filter. `value` is replaced. */
static enum result filter(struct slice name, struct buf *value)
{
    char *p = value->mem + value->start;
    struct slice now = buf_slice(value);
    if (slice_is(name, "lower") || slice_is(name, "L")) {
        for (size_t i = 0; i < now.len; i++)
            p[i] = ascii_lower(p[i]);
    } else if (slice_is(name, "upper") || slice_is(name, "U")) {
        for (size_t i = 0; i < now.len; i++)
            p[i] = ascii_upper(p[i]);
    } else if (slice_is(name, "username")) {
        buf_truncate(value, user_part(now).len);
    } else if (slice_is(name, "domain")) {
        buf_consume(value, now.len - domain_part(now).len);
    } else if (slice_is(name, "D")) {
        struct buf dn;
        buf_init(&dn, FORMAT_VALUE_MAX);
        for (size_t i = 0; i < now.len; i++)
            if (now.data[i] == '.')
                buf_puts(&dn, ",dc=");
            else
                buf_putc(&dn, now.data[i]);
        buf_reset(value);
        buf_append(value, buf_slice(&dn));
        buf_release(&dn);
    } else {
        return INVALID;
    }
    return OK;
}

static void put_value(const struct formatting *f, struct slice value)
{
    if (f->escape)
        f->escape(f->arg, value, f->out);
    else
        buf_append(f->out, value);
}

/* A variable with its filters, separated by `separator`. */
static enum result put_variable(const struct formatting *f, struct slice name, struct slice filters,
                                char separator)
{
    struct buf value;
    struct slice found = value_of(f->names, name);
    if (!found.data)
        return error_set(f->why, INVALID, "there is no variable %%{%.*s}", SLICE_ARG(name));
    buf_init(&value, FORMAT_VALUE_MAX);
    buf_append(&value, found);
    enum result r = buf_ok(&value) ? OK : error_set(f->why, LIMIT, "the value is too long");
    while (r == OK && filters.len) {
        struct slice one =
            separator ? slice_trim(slice_split(&filters, separator)) : slice_sub(filters, 0, 1);
        if (!separator)
            filters = slice_from(filters, 1);
        if (buf_len(&value) && filter(one, &value) != OK)
            r = error_set(f->why, INVALID, "there is no filter `%.*s`", SLICE_ARG(one));
    }
    if (r == OK)
        put_value(f, buf_slice(&value));
    buf_release(&value);
    return r;
}

/* %{name}, %{name | filter}; *rest begins behind the brace. */
static enum result put_braced(const struct formatting *f, struct slice *rest)
{
    size_t end = slice_find(*rest, '}');
    if (end == SIZE_MAX)
        return error_set(f->why, INVALID, "a %%{ is not closed with }");
    struct slice filters = slice_sub(*rest, 0, end);
    struct slice name = slice_trim(slice_split(&filters, '|'));
    *rest = slice_from(*rest, end + 1);
    return put_variable(f, name, filters, '|');
}

/* %u, %Lu; *rest begins behind the %. */
static enum result put_letter(const struct formatting *f, struct slice *rest)
{
    size_t n = 0;
    while (n < rest->len && (strchr("LUDET", rest->data[n])) && rest->data[n])
        n++;
    const char *name = n < rest->len ? long_name(rest->data[n]) : NULL;
    if (!name)
        return error_set(f->why, INVALID, "there is no variable %%%.*s",
                         SLICE_ARG(slice_sub(*rest, 0, n + 1)));
    struct slice filters = slice_sub(*rest, 0, n);
    *rest = slice_from(*rest, n + 1);
    return put_variable(f, slice_cstr(name), filters, 0);
}

enum result format_put(struct slice format, const struct format_names *n, format_escape_fn *escape,
                       void *arg, struct buf *out, struct error *why)
{
    const struct formatting f = {n, escape, arg, out, why};
    enum result r = OK;
    while (r == OK && format.len) {
        size_t at = slice_find(format, '%');
        buf_append(out, slice_sub(format, 0, at));
        if (at == SIZE_MAX)
            break;
        format = slice_from(format, at + 1);
        bool percent = format.len && format.data[0] == '%';
        bool brace = format.len && format.data[0] == '{';
        if (percent || brace)
            format = slice_from(format, 1);
        if (percent)
            buf_putc(out, '%');
        else
            r = brace ? put_braced(&f, &format) : put_letter(&f, &format);
    }
    if (r == OK && !buf_ok(out))
        r = error_set(why, LIMIT, "the value is too long");
    return r;
}

enum result format_check(struct slice format, struct error *why)
{
    const struct format_names sample = {.user = SLICE("user@example.org"),
                                        .service = SLICE("imap")};
    struct buf out;
    buf_init(&out, FORMAT_VALUE_MAX);
    enum result r = format_put(format, &sample, NULL, NULL, &out, why);
    buf_release(&out);
    return r;
}
