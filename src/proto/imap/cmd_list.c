/* cmd_list.c: LIST with the options of LIST-EXTENDED (RFC 5258), SPECIAL-USE (RFC 6154),
 * LIST-STATUS (RFC 5819) and LIST-METADATA (RFC 9590), and LSUB. The answer is gathered first and
 * told in pieces, since the store's list can't be left half way. */
#include "base/map.h"
#include "proto/imap/list.h"

enum { PATTERN_MAX = 2 * IMAP_NAME_MAX, MAILBOXES_MAX = 1000000 };

enum {
    SELECT_SUBSCRIBED = 1,
    SELECT_SPECIAL = 2,
    SELECT_RECURSIVE = 4,
    RETURN_SUBSCRIBED = 8,
    RETURN_CHILDREN = 16,
    RETURN_SPECIAL = 32
};

struct item {
    struct item *next;
    struct slice name;
    unsigned attrs;
    bool has_children;
    bool childinfo; /* RFC 5258 4: something below it is what is looked for */
    bool as_level;  /* LSUB: only a level above subscribed ones */
};

struct list {
    struct slice *patterns;
    size_t n_patterns;
    unsigned options;
    unsigned status_items;
    struct imap_entries entries; /* annotations */
    bool lsub, extended;
    bool delimiter; /* the name was empty: only the delimiter is asked for */
    bool gathered, failed;
    struct item *first, **end;
    struct item *at;
    char separator;
    struct map by_name; /* of levels that have an item already */
    struct arena *arena;
};

/* ---- arguments ---- */

static void parse_selection(struct imap_parser *p, struct list *l)
{
    while (imap_parser_ok(p) && !imap_accept(p, ')')) {
        if (imap_accept_word(p, "SUBSCRIBED"))
            l->options |= SELECT_SUBSCRIBED | RETURN_SUBSCRIBED;
        else if (imap_accept_word(p, "SPECIAL-USE"))
            l->options |= SELECT_SPECIAL;
        else if (imap_accept_word(p, "RECURSIVEMATCH"))
            l->options |= SELECT_RECURSIVE;
        else if (!imap_accept_word(p, "REMOTE"))
            imap_parser_fail(p, "Unknown selection option");
        if (!imap_accept(p, ' ') && cursor_peek(&p->c) != ')')
            imap_parser_fail(p, "Syntax error");
    }
    /* RFC 5258 3.1: it needs something to match. */
    if ((l->options & SELECT_RECURSIVE) && !(l->options & (SELECT_SUBSCRIBED | SELECT_SPECIAL)))
        imap_parser_fail(p, "RECURSIVEMATCH alone");
}

static void parse_return(struct imap_parser *p, struct list *l)
{
    imap_parse_char(p, '(');
    while (imap_parser_ok(p) && !imap_accept(p, ')')) {
        if (imap_accept_word(p, "SUBSCRIBED")) {
            l->options |= RETURN_SUBSCRIBED;
        } else if (imap_accept_word(p, "CHILDREN")) {
            l->options |= RETURN_CHILDREN;
        } else if (imap_accept_word(p, "SPECIAL-USE")) {
            l->options |= RETURN_SPECIAL;
        } else if (imap_accept_word(p, "STATUS")) {
            imap_parse_space(p);
            l->status_items = imap_parse_status_items(p);
        } else if (imap_accept_word(p, "METADATA")) {
            imap_parse_space(p);
            imap_parse_entries(p, &l->entries);
        } else {
            imap_parser_fail(p, "Unknown return option");
        }
        if (!imap_accept(p, ' ') && cursor_peek(&p->c) != ')')
            imap_parser_fail(p, "Syntax error");
    }
}

static struct slice join(struct imap_parser *p, struct slice reference, struct slice pattern)
{
    char *text = arena_printf(p->arena, "%.*s%.*s", SLICE_ARG(reference), SLICE_ARG(pattern));
    struct slice joined = slice_cstr(text);
    /* INBOX in any case is INBOX; wildcards aside. */
    return slice_is_nocase(joined, "INBOX") ? SLICE("INBOX") : joined;
}

static void add_pattern(struct imap_parser *p, struct list *l, struct slice reference)
{
    struct slice pattern = imap_parse_list_mailbox(p);
    if (l->n_patterns == IMAP_LIST_PATTERNS_MAX)
        imap_parser_fail(p, "Too many patterns");
    if (!imap_parser_ok(p) || !l->patterns)
        return;
    l->delimiter = pattern.len == 0;
    l->patterns[l->n_patterns++] = join(p, reference, pattern);
}

static void parse_patterns(struct imap_parser *p, struct list *l, struct slice reference)
{
    if (!imap_accept(p, '(')) {
        add_pattern(p, l, reference);
        return;
    }
    l->extended = true;
    do
        add_pattern(p, l, reference);
    while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
}

static struct list *new_list(struct imap_command *cmd)
{
    struct list *l = ARENA_NEW(&cmd->arena, struct list);
    cmd->data = l;
    if (!l)
        return NULL;
    l->patterns = arena_alloc_n(&cmd->arena, IMAP_LIST_PATTERNS_MAX, sizeof *l->patterns);
    l->end = &l->first;
    l->arena = &cmd->arena;
    map_init(&l->by_name, MAILBOXES_MAX);
    return l;
}

static void parse_list(struct imap_parser *p, struct imap_command *cmd)
{
    struct list *l = new_list(cmd);
    if (!l)
        return;
    imap_parse_space(p);
    if (imap_accept(p, '(')) {
        l->extended = true;
        parse_selection(p, l);
        imap_parse_space(p);
    }
    struct slice reference = imap_parse_mailbox(p);
    imap_parse_space(p);
    parse_patterns(p, l, reference);
    if (imap_accept(p, ' ')) {
        l->extended = true;
        if (!imap_accept_word(p, "RETURN"))
            imap_parser_fail(p, "Syntax error");
        imap_parse_space(p);
        parse_return(p, l);
    }
}

static void parse_lsub(struct imap_parser *p, struct imap_command *cmd)
{
    struct list *l = new_list(cmd);
    if (!l)
        return;
    l->lsub = true;
    l->options = SELECT_SUBSCRIBED;
    imap_parse_space(p);
    struct slice reference = imap_parse_mailbox(p);
    imap_parse_space(p);
    add_pattern(p, l, reference);
}

/* ---- gathering ---- */

static bool matches(const struct list *l, struct slice name)
{
    for (size_t i = 0; i < l->n_patterns; i++)
        if (imap_list_match(l->patterns[i], name, l->separator))
            return true;
    return false;
}

static bool is_selected(const struct list *l, const struct imap_mailbox_info *m)
{
    if ((l->options & SELECT_SUBSCRIBED) && !(m->attrs & IMAP_SUBSCRIBED))
        return false;
    if ((l->options & SELECT_SPECIAL) && !(m->attrs & IMAP_SPECIAL))
        return false;
    /* A subscription to what is gone is told only to who asks for subscriptions. */
    return (l->options & SELECT_SUBSCRIBED) || !(m->attrs & IMAP_NONEXISTENT);
}

static struct item *add_item(struct list *l, struct slice name)
{
    struct item *item = ARENA_NEW(l->arena, struct item);
    struct slice copy = arena_dup(l->arena, name);
    if (!item || !copy.data) {
        l->failed = true;
        return NULL;
    }
    item->name = copy;
    *l->end = item;
    l->end = &item->next;
    return item;
}

static struct item *item_of(struct list *l, struct slice name)
{
    struct item *item = map_get(&l->by_name, name);
    if (item)
        return item;
    item = add_item(l, name);
    if (item && map_put(&l->by_name, item->name, item) != OK)
        l->failed = true;
    return item;
}

/* RFC 3501 6.3.9 and RFC 5258 3.5: a level that matches while what is looked for lies below it and
 * does not match itself. */
static void add_levels(struct list *l, const struct imap_mailbox_info *m)
{
    for (size_t i = 1; i < m->name.len; i++) {
        struct slice level = slice_sub(m->name, 0, i);
        if (m->name.data[i] != l->separator || !matches(l, level))
            continue;
        struct item *item = item_of(l, level);
        if (!item)
            return;
        if (l->lsub)
            item->as_level = item->attrs == 0;
        else
            item->childinfo = true;
        item->has_children = true;
    }
}

static bool on_mailbox(void *arg, const struct imap_mailbox_info *m)
{
    struct list *l = arg;
    bool match = matches(l, m->name), selected = is_selected(l, m);
    bool levels = l->lsub || (l->options & SELECT_RECURSIVE);
    if (match && selected) {
        struct item *item = levels ? item_of(l, m->name) : add_item(l, m->name);
        if (item) {
            item->attrs = m->attrs;
            item->has_children = m->has_children;
            item->as_level = false;
        }
    } else if (selected && levels) {
        add_levels(l, m);
    }
    return !l->failed;
}

/* The attributes of levels that were added for what lies below them. */
static bool on_level(void *arg, const struct imap_mailbox_info *m)
{
    struct list *l = arg;
    struct item *item = map_get(&l->by_name, m->name);
    if (item && item->childinfo)
        item->attrs = m->attrs;
    return true;
}

static enum result gather(struct imap *im, struct list *l)
{
    enum result r = im->ops->list(im->ctx, on_mailbox, l);
    if (r == OK && (l->options & SELECT_RECURSIVE))
        r = im->ops->list(im->ctx, on_level, l);
    l->at = l->first;
    l->gathered = true;
    return l->failed ? LIMIT : r;
}

/* ---- telling ---- */

static void put_attributes(struct buf *out, const struct list *l, const struct item *item)
{
    buf_putc(out, '(');
    size_t from = buf_len(out);
    bool gone = item->attrs & IMAP_NONEXISTENT;
    if (l->lsub) {
        if (item->as_level)
            buf_puts(out, " \\Noselect");
    } else {
        if (gone)
            buf_puts(out, " \\NonExistent");
        if (item->attrs & IMAP_NOSELECT)
            buf_puts(out, " \\Noselect");
        /* RFC 3348 */
        buf_puts(out, item->has_children ? " \\HasChildren" : " \\HasNoChildren");
        if ((l->options & RETURN_SUBSCRIBED) && (item->attrs & IMAP_SUBSCRIBED))
            buf_puts(out, " \\Subscribed");
        imap_put_special_use(out, item->attrs);
    }
    /* Each was written with a space before it. */
    if (buf_len(out) > from) {
        char *text = out->mem + out->start + from;
        memmove(text, text + 1, buf_len(out) - from - 1);
        buf_truncate(out, buf_len(out) - 1);
    }
    buf_putc(out, ')');
}

static void put_item(struct imap *im, const struct list *l, const struct item *item)
{
    buf_puts(im->out, l->lsub ? "* LSUB " : "* LIST ");
    put_attributes(im->out, l, item);
    buf_putc(im->out, ' ');
    imap_put_separator(im->out, l->separator);
    buf_putc(im->out, ' ');
    imap_put_mailbox(im, item->name);
    if (item->childinfo)
        buf_puts(im->out, l->options & SELECT_SUBSCRIBED ? " (\"CHILDINFO\" (\"SUBSCRIBED\"))"
                                                         : " (\"CHILDINFO\" (\"SPECIAL-USE\"))");
    buf_puts(im->out, "\r\n");
    /* RFC 5819 2, RFC 9590 3: none for what can't be selected. */
    if (item->attrs & (IMAP_NOSELECT | IMAP_NONEXISTENT))
        return;
    if (l->status_items && imap_put_status(im, item->name, l->status_items) != OK)
        return;
    if (l->entries.n && imap_put_metadata(im, item->name, &l->entries) != OK)
        return;
}

/* RFC 3501 6.3.8: an empty name asks for the delimiter. */
static bool asks_delimiter(const struct list *l)
{
    return !l->lsub && !l->extended && l->n_patterns == 1 && l->delimiter;
}

static enum imap_step run_list(struct imap *im, struct imap_command *cmd)
{
    struct list *l = cmd->data;
    l->separator = imap_separator(im->config);
    if (asks_delimiter(l)) {
        buf_puts(im->out, "* LIST (\\Noselect) ");
        imap_put_separator(im->out, l->separator);
        buf_puts(im->out, " \"\"\r\n");
        return imap_completed(cmd);
    }
    enum result r = l->gathered ? OK : gather(im, l);
    if (r != OK)
        return imap_failed(cmd, r);
    for (; l->at; l->at = l->at->next) {
        if (imap_full(im))
            return STEP_FLUSH;
        put_item(im, l, l->at);
    }
    return imap_completed(cmd);
}

static void release_list(struct imap *im, struct imap_command *cmd)
{
    struct list *l = cmd->data;
    (void)im;
    if (l)
        map_release(&l->by_name);
}

const struct imap_command_spec imap_cmd_list = {.name = "LIST",
                                                .states = STATE_ANY,
                                                .parse = parse_list,
                                                .run = run_list,
                                                .release = release_list};
const struct imap_command_spec imap_cmd_lsub = {.name = "LSUB",
                                                .states = STATE_ANY,
                                                .parse = parse_lsub,
                                                .run = run_list,
                                                .release = release_list};
