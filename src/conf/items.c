#include "conf/items.h"

#include "conf/fields.h"
#include "conf/pipe.h"

enum { PIPE_SCRATCH = 64 * 1024 };

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static bool is_octal(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '7')
            return false;
    return text.len > 0 && text.len <= 4;
}

static bool is_one_of(struct slice text, const char *const *words)
{
    while (*words && !slice_is_nocase(text, *words))
        words++;
    return *words != NULL;
}

/* A key that may be missing has one of the words. */
static enum result check_word(struct slice item, const char *key, const char *const *words,
                              struct error *why)
{
    struct slice value = conf_field(item, key);
    if (value.data && !is_one_of(value, words))
        return error_set(why, INVALID, "`%s=%.*s` is not known: write %s=%s, or leave it out", key,
                         SLICE_ARG(slice_sub(value, 0, 60)), key, words[0]);
    return OK;
}

enum result conf_check_socket_access(struct slice item, struct error *why)
{
    enum result r = conf_fields_check(item, WORDS("path", "mode", "user", "group"), why);
    struct slice path = conf_field(item, "path"), mode = conf_field(item, "mode");
    if (r == OK && (path.len == 0 || path.data[0] != '/'))
        r = error_set(why, INVALID, "`path` must begin with /");
    if (r == OK && mode.data && !is_octal(mode))
        r = error_set(why, INVALID, "mode `%.*s` is no octal number such as 0660",
                      SLICE_ARG(slice_sub(mode, 0, 20)));
    return r;
}

enum result conf_check_namespace(struct slice item, struct error *why)
{
    enum result r = conf_fields_check(item, WORDS("prefix", "separator", "inbox", "hidden"), why);
    struct slice separator = conf_field(item, "separator");
    if (r == OK && separator.data && separator.len != 1)
        r = error_set(why, INVALID, "`separator` must be one character");
    if (r == OK)
        r = check_word(item, "inbox", WORDS("yes", "no"), why);
    if (r == OK)
        r = check_word(item, "hidden", WORDS("no", "yes"), why);
    return r;
}

enum result conf_check_mailbox(struct slice item, struct error *why)
{
    enum result r = conf_fields_check(item, WORDS("name", "auto", "special_use"), why);
    struct slice uses = conf_field(item, "special_use");
    if (r == OK && conf_field(item, "name").len == 0)
        r = error_set(why, INVALID, "`name` is missing");
    if (r == OK)
        r = check_word(item, "auto", WORDS("subscribe", "create", "no"), why);
    while (r == OK && uses.len) {
        struct slice word = slice_split(&uses, ' ');
        struct slice name = word.len && word.data[0] == '\\' ? slice_from(word, 1) : word;
        if (word.len && !is_one_of(name, WORDS("All", "Archive", "Drafts", "Flagged", "Important",
                                               "Junk", "Sent", "Trash")))
            r = error_set(why, INVALID, "special_use `%.*s` is not known: see RFC 6154",
                          SLICE_ARG(slice_sub(word, 0, 40)));
    }
    return r;
}

enum result conf_check_pipe(struct slice item, struct error *why)
{
    struct pipe_transport t;
    struct arena a;
    arena_init(&a, PIPE_SCRATCH);
    enum result r = pipe_transport_parse(item, &a, &t, why);
    arena_release(&a);
    return r;
}
