/* filter.c: see filter.h. */
#include "proto/imap/filter.h"

enum { NAMES_MAX = 1000 };

static const struct {
    const char *name;
    enum imap_filter_kind kind;
    bool names;
} kinds[] = {
    {"selected", FILTER_SELECTED, false},      {"selected-delayed", FILTER_SELECTED_DELAYED, false},
    {"inboxes", FILTER_INBOXES, false},        {"personal", FILTER_PERSONAL, false},
    {"subscribed", FILTER_SUBSCRIBED, false},  {"subtree", FILTER_SUBTREE, true},
    {"subtree-one", FILTER_SUBTREE_ONE, true}, {"mailboxes", FILTER_MAILBOXES, true}};

static void parse_name(struct imap_parser *p, struct imap_filter *f)
{
    struct slice name = imap_parse_mailbox(p);
    if (f->n == NAMES_MAX)
        imap_parser_fail(p, "Too many mailboxes");
    if ((f->n & (f->n - 1)) == 0) { /* full at each power of two */
        struct slice *more = arena_alloc_n(p->arena, f->n ? f->n * 2 : 1, sizeof *more);
        if (more && f->n)
            memcpy(more, f->names, f->n * sizeof *more);
        f->names = more;
    }
    if (f->names && imap_parser_ok(p))
        f->names[f->n++] = name;
}

static void parse_names(struct imap_parser *p, struct imap_filter *f)
{
    imap_parse_space(p);
    if (!imap_accept(p, '(')) {
        parse_name(p, f);
        return;
    }
    do
        parse_name(p, f);
    while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
}

struct imap_filter *imap_filter_parse(struct imap_parser *p)
{
    struct imap_filter *f = ARENA_NEW(p->arena, struct imap_filter);
    struct slice word = imap_parse_atom(p);
    for (size_t i = 0; f && i < sizeof kinds / sizeof *kinds; i++) {
        if (!slice_is_nocase(word, kinds[i].name))
            continue;
        f->kind = kinds[i].kind;
        if (kinds[i].names)
            parse_names(p, f);
        return imap_parser_ok(p) && !arena_failed(p->arena) ? f : NULL;
    }
    imap_parser_fail(p, "Unknown mailbox filter");
    return NULL;
}

/* How many levels the name lies below `top`: 0: it is it; -1: elsewhere. */
static int levels_below(struct slice top, struct slice name, char separator)
{
    if (!slice_starts(name, top))
        return -1;
    struct slice below = slice_from(name, top.len);
    if (below.len && below.data[0] != separator)
        return -1;
    int levels = 0;
    for (size_t i = 0; i < below.len; i++)
        levels += below.data[i] == separator;
    return levels;
}

static bool names_match(const struct imap_filter *f, int most, char separator, struct slice name)
{
    for (size_t i = 0; i < f->n; i++) {
        int levels = levels_below(f->names[i], name, separator);
        if (levels >= 0 && levels <= most)
            return true;
    }
    return false;
}

bool imap_filter_matches(const struct imap_filter *f, char separator,
                         const struct imap_mailbox_info *m)
{
    switch (f->kind) {
    case FILTER_SELECTED:
    case FILTER_SELECTED_DELAYED:
        return false;
    case FILTER_INBOXES:
        return slice_is(m->name, "INBOX");
    case FILTER_PERSONAL:
        return true;
    case FILTER_SUBSCRIBED:
        return m->attrs & IMAP_SUBSCRIBED;
    case FILTER_SUBTREE:
        return names_match(f, IMAP_NAME_MAX, separator, m->name);
    case FILTER_SUBTREE_ONE:
        return names_match(f, 1, separator, m->name);
    case FILTER_MAILBOXES:
        return names_match(f, 0, separator, m->name);
    }
    return false;
}
