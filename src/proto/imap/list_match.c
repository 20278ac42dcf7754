/* list_match.c: wildcards of LIST, and the names of special uses. */
#include "proto/imap/list.h"

/* Each "*" and "%" takes as little as it can. Where that fails, the last "%" takes one more, as
 * long as that is no separator; otherwise the last "*" does. Going back further never helps: what a
 * later wildcard can reach from a later start it can reach from an earlier one as well. */
bool imap_list_match(struct slice pattern, struct slice name, char separator)
{
    const size_t none = SIZE_MAX;
    const bool inbox = slice_is(name, "INBOX"); /* in any case: RFC 3501 5.1 */
    size_t p = 0, n = 0;
    size_t star_p = none, star_n = 0, percent_p = none, percent_n = 0;
    for (;;) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star_p = ++p;
            star_n = n;
            percent_p = none;
        } else if (p < pattern.len && pattern.data[p] == '%') {
            percent_p = ++p;
            percent_n = n;
        } else if (p < pattern.len && n < name.len &&
                   (pattern.data[p] == name.data[n] ||
                    (inbox && ascii_upper(pattern.data[p]) == name.data[n]))) {
            p++;
            n++;
        } else if (p == pattern.len && n == name.len) {
            return true;
        } else if (percent_p != none && percent_n < name.len && name.data[percent_n] != separator) {
            p = percent_p;
            n = ++percent_n;
        } else if (star_p != none && star_n < name.len) {
            p = star_p;
            n = ++star_n;
            percent_p = none;
        } else {
            return false;
        }
    }
}

void imap_put_separator(struct buf *out, char separator)
{
    bool special = separator == '"' || separator == '\\';
    buf_printf(out, "\"%s%c\"", special ? "\\" : "", separator);
}

static const struct {
    const char *name;
    unsigned attr;
} uses[] = {{"Drafts", IMAP_DRAFTS},      {"Sent", IMAP_SENT},       {"Junk", IMAP_JUNK},
            {"Trash", IMAP_TRASH},        {"Archive", IMAP_ARCHIVE}, {"All", IMAP_ALL},
            {"Flagged", IMAP_FLAGGED_BOX}};

unsigned imap_special_use(struct slice word)
{
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        if (slice_is_nocase(word, uses[i].name))
            return uses[i].attr;
    return 0;
}

void imap_put_special_use(struct buf *out, unsigned attrs)
{
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        if (!(attrs & uses[i].attr))
            continue;
        buf_puts(out, " \\");
        buf_puts(out, uses[i].name);
    }
}
