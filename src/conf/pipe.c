#include "conf/pipe.h"

#include <stdio.h>

#include "conf/fields.h"

enum { SCRATCH = 64 * 1024, EOL_MAX = 16 };

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static enum result parse_flags(struct slice text, unsigned *ret, struct error *why)
{
    static const struct {
        char letter;
        unsigned flag;
    } all[] = {{'B', PIPE_BLANK_END},   {'D', PIPE_DELIVERED_TO}, {'F', PIPE_FROM_LINE},
               {'O', PIPE_ORIGINAL_TO}, {'R', PIPE_RETURN_PATH},  {'X', PIPE_FINAL},
               {'h', PIPE_FOLD_DOMAIN}, {'q', PIPE_QUOTE},        {'u', PIPE_FOLD_USER},
               {'.', PIPE_DOTS},        {'>', PIPE_QUOTE_FROM}};
    unsigned flags = 0;
    for (size_t i = 0; i < text.len; i++) {
        size_t k = 0;
        while (k < sizeof all / sizeof *all && all[k].letter != text.data[i])
            k++;
        if (k == sizeof all / sizeof *all)
            return error_set(why, INVALID, "flags: `%c` is none of pipe(8)'s BDFORXhqu.>",
                             text.data[i] > ' ' && text.data[i] < 127 ? text.data[i] : '?');
        flags |= all[k].flag;
    }
    *ret = flags;
    return OK;
}

/* One of C's escapes behind the backslash at text[*at]; up to three octal digits. */
static char unescape(struct slice text, size_t *at)
{
    static const char letters[] = "abfnrtv", meant[] = "\a\b\f\n\r\t\v";
    unsigned octal = 0, digits = 0;
    while (digits < 3 && *at < text.len && text.data[*at] >= '0' && text.data[*at] <= '7') {
        octal = octal * 8 + (unsigned)(text.data[(*at)++] - '0');
        digits++;
    }
    if (digits || *at >= text.len)
        return digits ? (char)octal : '\\';
    char c = text.data[(*at)++];
    const char *found = strchr(letters, c);
    return found && c ? meant[found - letters] : c;
}

static enum result parse_eol(struct slice text, struct arena *a, struct slice *ret,
                             struct error *why)
{
    char out[EOL_MAX];
    size_t n = 0;
    for (size_t i = 0; i < text.len;) {
        if (n == sizeof out)
            return error_set(why, INVALID, "eol: too long");
        char c = text.data[i++];
        out[n++] = c == '\\' ? unescape(text, &i) : c;
    }
    *ret = arena_dup(a, slice_of(out, n));
    return ret->data ? OK : FAILED;
}

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Words, those with white space in { }. */
static enum result parse_argv(struct slice text, struct arena *a, struct slice_list *ret,
                              struct error *why)
{
    struct slice *items = arena_alloc_n(a, PIPE_WORDS_MAX, sizeof *items);
    size_t n = 0, depth;
    if (!items)
        return error_set(why, FAILED, "out of memory");
    for (size_t i = 0; i < text.len;) {
        size_t from = i;
        if (blank(text.data[i])) {
            i++;
            continue;
        }
        bool grouped = text.data[i] == '{';
        for (depth = 0; i < text.len && (depth || !blank(text.data[i])); i++) {
            depth += text.data[i] == '{';
            depth -= text.data[i] == '}' && depth;
        }
        struct slice word = slice_sub(text, from, i - from);
        if (n == PIPE_WORDS_MAX)
            return error_set(why, INVALID, "argv: more than %d words", PIPE_WORDS_MAX);
        items[n++] = grouped && word.data[word.len - 1] == '}'
                         ? slice_trim(slice_sub(word, 1, word.len - 2))
                         : word;
    }
    *ret = (struct slice_list){items, n};
    return n ? OK : error_set(why, INVALID, "`argv` names no command");
}

static enum result parse_user(struct slice text, struct pipe_transport *t, struct error *why)
{
    t->user = slice_split(&text, ':');
    t->group = text.data ? text : SLICE("");
    if (t->user.len == 0)
        return error_set(why, INVALID, "`user` is missing: whose rights does the command get?");
    if (slice_is(t->user, "root") || slice_is(t->user, "0"))
        return error_set(why, INVALID, "user=root: no command gets root's rights");
    return OK;
}

enum result pipe_transport_parse(struct slice item, struct arena *a, struct pipe_transport *ret,
                                 struct error *why)
{
    struct slice eol = conf_field(item, "eol"), size = conf_field(item, "size");
    struct slice null_sender = conf_field(item, "null_sender");
    struct slice directory = conf_field(item, "directory");
    struct pipe_transport t = {.name = conf_field(item, "name"),
                               .directory = directory.data ? directory : SLICE(""),
                               .null_sender =
                                   null_sender.data ? null_sender : SLICE("MAILER-DAEMON")};
    if (conf_field(item, "chroot").data)
        return error_set(why, INVALID,
                         "chroot is not served: leave it out, or have the command change its root");
    enum result r = conf_fields_check(
        item, WORDS("name", "flags", "user", "directory", "eol", "null_sender", "size", "argv"),
        why);
    if (r == OK && t.name.len == 0)
        r = error_set(why, INVALID, "`name` is missing");
    if (r == OK)
        r = parse_flags(conf_field(item, "flags"), &t.flags, why);
    if (r == OK)
        r = parse_user(conf_field(item, "user"), &t, why);
    if (r == OK)
        r = parse_eol(eol.data ? eol : SLICE("\\n"), a, &t.eol, why);
    if (r == OK && size.data && slice_parse_u64(size, INT64_MAX, &t.size) != OK)
        r = error_set(why, INVALID, "`size` is no number of bytes");
    if (r == OK)
        r = parse_argv(conf_field(item, "argv"), a, &t.argv, why);
    if (r == OK)
        *ret = t;
    return r;
}

enum result pipe_transport_find(const struct conf *c, struct slice name, struct arena *a,
                                struct pipe_transport *ret, struct error *why)
{
    for (size_t i = 0; i < c->pipe_transports.n; i++)
        if (slice_eq(conf_field(c->pipe_transports.items[i], "name"), name))
            return pipe_transport_parse(c->pipe_transports.items[i], a, ret, why);
    return error_set(why, NOT_FOUND, "pipe_transports (or master.cf) has no transport %.*s",
                     SLICE_ARG(name));
}

uint32_t pipe_recipient_limit(const struct conf *c, struct slice name)
{
    char label[80];
    struct pipe_transport t;
    struct error why = {""};
    struct arena a;
    snprintf(label, sizeof label, "%.*s/unix", SLICE_ARG(name));
    uint32_t limit =
        (uint32_t)conf_for_service(c, slice_cstr(label))->default_destination_recipient_limit;
    arena_init(&a, SCRATCH);
    if (pipe_transport_find(c, name, &a, &t, &why) == OK &&
        (t.flags & (PIPE_DELIVERED_TO | PIPE_ORIGINAL_TO)))
        limit = 1;
    arena_release(&a);
    return limit;
}
