#include "conf/cyrus/saslauthd.h"

static struct slice unquoted(struct slice value)
{
    value = slice_trim(value);
    bool quoted = value.len > 1 && (value.data[0] == '"' || value.data[0] == '\'') &&
                  value.data[value.len - 1] == value.data[0];
    return quoted ? slice_sub(value, 1, value.len - 2) : value;
}

/* The word behind -m, or in -mFOLDER. */
static struct slice folder_option(struct slice options)
{
    while (options.data) {
        struct slice word = slice_split(&options, ' ');
        if (!slice_starts(word, SLICE("-m")))
            continue;
        if (word.len > 2)
            return slice_from(word, 2);
        options = slice_trim(options);
        return slice_split(&options, ' ');
    }
    return SLICE_NONE;
}

/* saslauthd(8) -a: these ask the system's accounts, which a passdb with pam or passwd does too. */
static bool is_of_system(struct slice mechanism)
{
    static const char *const names[] = {"pam", "shadow", "getpwent", "sia"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(mechanism, names[i]))
            return true;
    return false;
}

struct saslauthd_start saslauthd_start_read(struct slice text, const char *file,
                                            struct conf_errors *errors)
{
    struct saslauthd_start start = {SLICE_NONE, 0};
    for (unsigned line = 1; text.data; line++) {
        struct slice value = slice_trim(slice_split(&text, '\n'));
        struct slice name = slice_split(&value, '='), folder = SLICE_NONE;
        value = unquoted(value);
        if (slice_is(name, "OPTIONS") || slice_is(name, "FLAGS"))
            folder = folder_option(value);
        else if (slice_is(name, "SOCKETDIR"))
            folder = value;
        else if ((slice_is(name, "MECHANISMS") || slice_is(name, "MECH")) && value.len &&
                 !is_of_system(value))
            conf_warn(errors, file, line,
                      "saslauthd asks `%.*s` here; where Postrider answers at its socket, it asks "
                      "its own passdb: name the same accounts there",
                      SLICE_ARG(slice_sub(value, 0, 40)));
        if (folder.len > 1 && folder.data[0] == '/')
            start = (struct saslauthd_start){folder, line};
    }
    return start;
}
