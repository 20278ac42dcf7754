/* cmd_metadata.c: GETMETADATA and SETMETADATA (RFC 5464), also for LIST … RETURN (METADATA …) (RFC
 * 9590). Entries are kept in lower case, since
 * their case does not count; the mailbox "" is the server, as this account sees it. */
#include "proto/imap/list.h"

enum { ENTRIES_A_COMMAND = 200, VALUE_MAX = 16 * 1024 };

struct metadata {
    struct slice mailbox;
    struct imap_metadata *items;
    size_t n;
    bool has_max_size;
    uint64_t max_size;
    enum { DEPTH_0, DEPTH_1, DEPTH_INFINITY } depth;
    /* While GETMETADATA tells. */
    struct imap *im;
    bool told_some;
    uint64_t longest; /* that was not told, being above max_size */
    bool *told;       /* which of the named ones are there */
};

/* ---- arguments ---- */

/* RFC 5464 4.2.1, 5: "/private/comment". */
static bool is_entry(struct slice name)
{
    if (!slice_starts(name, SLICE("/private/")) && !slice_starts(name, SLICE("/shared/")))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c <= 0x20 || c >= 0x7f || c == '*' || c == '%')
            return false;
        if (c == '/' && (i + 1 == name.len || name.data[i + 1] == '/'))
            return false;
    }
    return name.len <= IMAP_METADATA_NAME_MAX;
}

/* tree: "/private" and "/shared" are good too, for what lies below them. */
static struct slice parse_entry(struct imap_parser *p, bool tree)
{
    struct slice word = imap_parse_astring(p);
    char *text = word.len ? arena_alloc(p->arena, word.len) : NULL;
    for (size_t i = 0; text && i < word.len; i++)
        text[i] = ascii_lower(word.data[i]);
    struct slice name = slice_of(text, text ? word.len : 0);
    tree = tree && (slice_is(name, "/private") || slice_is(name, "/shared"));
    if (imap_parser_ok(p) && !tree && !is_entry(name))
        imap_parser_fail(p, "Invalid entry name");
    return name;
}

static struct metadata *new_metadata(struct imap_command *cmd)
{
    struct metadata *m = ARENA_NEW(&cmd->arena, struct metadata);
    cmd->data = m;
    if (m)
        m->items = arena_alloc_n(&cmd->arena, ENTRIES_A_COMMAND, sizeof *m->items);
    return m && m->items ? m : NULL;
}

static struct imap_metadata *next_item(struct imap_parser *p, struct metadata *m)
{
    static struct imap_metadata nowhere;
    if (m->n < ENTRIES_A_COMMAND)
        return &m->items[m->n++];
    imap_parser_fail(p, "Too many entries");
    return &nowhere;
}

static void parse_options(struct imap_parser *p, struct metadata *m)
{
    do {
        if (imap_accept_word(p, "MAXSIZE")) {
            imap_parse_space(p);
            m->has_max_size = true;
            m->max_size = imap_parse_number(p, 0, UINT32_MAX);
        } else if (imap_accept_word(p, "DEPTH")) {
            imap_parse_space(p);
            if (imap_accept_word(p, "1"))
                m->depth = DEPTH_1;
            else if (imap_accept_word(p, "infinity"))
                m->depth = DEPTH_INFINITY;
            else if (!imap_accept_word(p, "0"))
                imap_parser_fail(p, "Invalid depth");
        } else {
            imap_parser_fail(p, "Unknown option");
        }
    } while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
    imap_parse_space(p);
}

static void parse_get(struct imap_parser *p, struct imap_command *cmd)
{
    struct metadata *m = new_metadata(cmd);
    if (!m)
        return;
    imap_parse_space(p);
    if (imap_accept(p, '('))
        parse_options(p, m);
    m->mailbox = imap_parse_mailbox(p);
    imap_parse_space(p);
    if (!imap_accept(p, '(')) {
        next_item(p, m)->name = parse_entry(p, true);
        return;
    }
    do
        next_item(p, m)->name = parse_entry(p, true);
    while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
}

void imap_parse_entries(struct imap_parser *p, struct imap_entries *ret)
{
    ret->names = arena_alloc_n(p->arena, ENTRIES_A_COMMAND, sizeof *ret->names);
    ret->n = 0;
    imap_parse_char(p, '(');
    do {
        struct slice name = parse_entry(p, false);
        if (ret->n == ENTRIES_A_COMMAND)
            imap_parser_fail(p, "Too many entries");
        else if (ret->names)
            ret->names[ret->n++] = name;
    } while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
}

static struct slice parse_value(struct imap_parser *p)
{
    p->nul_ok = imap_accept(p, '~'); /* literal8 */
    struct slice value = imap_parse_nstring(p);
    p->nul_ok = false;
    return value;
}

static void parse_set(struct imap_parser *p, struct imap_command *cmd)
{
    struct metadata *m = new_metadata(cmd);
    if (!m)
        return;
    imap_parse_space(p);
    m->mailbox = imap_parse_mailbox(p);
    imap_parse_space(p);
    imap_parse_char(p, '(');
    do {
        struct imap_metadata *item = next_item(p, m);
        item->name = parse_entry(p, false);
        imap_parse_space(p);
        item->value = parse_value(p);
    } while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
}

/* ---- GETMETADATA ---- */

/* Is the name asked for: itself, or so many levels below one that is? */
static bool is_wanted(const struct metadata *m, struct slice name)
{
    for (size_t i = 0; i < m->n; i++) {
        struct slice entry = m->items[i].name;
        if (!slice_starts(name, entry))
            continue;
        struct slice below = slice_from(name, entry.len);
        if (below.len == 0) {
            m->told[i] = true;
            return true;
        }
        if (below.data[0] != '/' || m->depth == DEPTH_0)
            continue;
        if (m->depth == DEPTH_INFINITY || slice_find(slice_from(below, 1), '/') == SIZE_MAX)
            return true;
    }
    return false;
}

static void put_entry(struct metadata *m, struct slice name)
{
    struct buf *out = m->im->out;
    if (!m->told_some) {
        buf_puts(out, "* METADATA ");
        imap_put_mailbox(m->im, m->mailbox);
        buf_puts(out, " (");
    } else {
        buf_putc(out, ' ');
    }
    m->told_some = true;
    imap_put_astring(out, name);
    buf_putc(out, ' ');
}

static void on_entry(void *arg, struct slice name, struct slice value)
{
    struct metadata *m = arg;
    if (!is_wanted(m, name))
        return;
    if (m->has_max_size && value.len > m->max_size) {
        m->longest = value.len > m->longest ? value.len : m->longest;
        return;
    }
    put_entry(m, name);
    if (slice_find(value, '\0') != SIZE_MAX)
        buf_putc(m->im->out, '~');
    imap_put_string(m->im->out, value);
}

static enum result tell(struct imap *im, struct arena *a, struct metadata *m)
{
    m->im = im;
    m->told = arena_alloc_n(a, m->n, sizeof *m->told);
    if (!m->told)
        return LIMIT;
    enum result r = im->ops->metadata(im->ctx, m->mailbox, on_entry, m);
    for (size_t i = 0; r == OK && i < m->n; i++) {
        if (m->told[i] || m->depth != DEPTH_0)
            continue;
        put_entry(m, m->items[i].name);
        buf_puts(im->out, "NIL");
    }
    if (m->told_some)
        buf_puts(im->out, ")\r\n");
    return r;
}

enum result imap_put_metadata(struct imap *im, struct slice mailbox,
                              const struct imap_entries *entries)
{
    struct metadata m = {.mailbox = mailbox, .n = entries->n};
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    m.items = arena_alloc_n(&arena, entries->n, sizeof *m.items);
    for (size_t i = 0; m.items && i < entries->n; i++)
        m.items[i].name = entries->names[i];
    enum result r = m.items ? tell(im, &arena, &m) : LIMIT;
    arena_release(&arena);
    return r;
}

static enum imap_step run_get(struct imap *im, struct imap_command *cmd)
{
    struct metadata *m = cmd->data;
    enum result r = tell(im, &cmd->arena, m);
    if (r != OK)
        return imap_failed(cmd, r);
    /* RFC 5464 4.2.1 */
    const char *code = m->longest ? arena_printf(&cmd->arena, "METADATA LONGENTRIES %llu",
                                                 (unsigned long long)m->longest)
                                  : NULL;
    return imap_reply(cmd, IMAP_OK, code, NULL);
}

/* ---- SETMETADATA ---- */

static enum imap_step run_set(struct imap *im, struct imap_command *cmd)
{
    const struct metadata *m = cmd->data;
    for (size_t i = 0; i < m->n; i++)
        if (m->items[i].value.len > VALUE_MAX)
            return imap_reply(cmd, IMAP_NO, "METADATA MAXSIZE 16384", "Value is too long.");
    enum result r = im->ops->set_metadata(im->ctx, m->mailbox, m->items, m->n);
    if (r == LIMIT)
        return imap_reply(cmd, IMAP_NO, "METADATA TOOMANY", "Too many entries.");
    return r == OK ? imap_completed(cmd) : imap_failed(cmd, r);
}

const struct imap_command_spec imap_cmd_getmetadata = {
    .name = "GETMETADATA", .states = STATE_ANY, .parse = parse_get, .run = run_get};
const struct imap_command_spec imap_cmd_setmetadata = {
    .name = "SETMETADATA", .states = STATE_ANY, .parse = parse_set, .run = run_set};
