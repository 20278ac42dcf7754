/* fetch_parse.c: the items of FETCH (RFC 3501 6.4.5). */
#include "proto/imap/fetch.h"

/* One item's name and its bit. Longer names first where one begins like another. */
static const struct {
    const char *name;
    unsigned bit;
} simple_items[] = {{"UID", FETCH_UID},
                    {"FLAGS", FETCH_FLAGS},
                    {"INTERNALDATE", FETCH_INTERNALDATE},
                    {"RFC822.SIZE", FETCH_SIZE},
                    {"MODSEQ", FETCH_MODSEQ},
                    {"EMAILID", FETCH_EMAILID},
                    {"SAVEDATE", FETCH_SAVEDATE},
                    {"THREADID", FETCH_THREADID},
                    {"ENVELOPE", FETCH_ENVELOPE},
                    {"BODYSTRUCTURE", FETCH_BODYSTRUCTURE}};

static struct fetch_section *add_section(struct imap_parser *p, struct fetch_items *f)
{
    if (f->n == FETCH_SECTIONS_MAX) {
        imap_parser_fail(p, "Too many body sections");
        return NULL;
    }
    if (!f->sections)
        f->sections = arena_alloc_n(p->arena, FETCH_SECTIONS_MAX, sizeof *f->sections);
    return f->sections ? &f->sections[f->n++] : NULL;
}

/* "1.2.3"; a dot behind it is taken when a word follows. True: a word must follow. */
static bool parse_path(struct imap_parser *p, struct fetch_section *s)
{
    s->path = arena_alloc_n(p->arena, SUMMARY_DEPTH_MAX, sizeof *s->path);
    while (ascii_digit((char)cursor_peek(&p->c)) && cursor_peek(&p->c) >= 0) {
        uint32_t n = (uint32_t)imap_parse_number(p, 1, UINT32_MAX);
        if (s->depth == SUMMARY_DEPTH_MAX || !s->path) {
            imap_parser_fail(p, "Section is too deep");
            return false;
        }
        s->path[s->depth++] = n;
        if (!imap_accept(p, '.'))
            return false;
    }
    return s->depth > 0;
}

static void parse_fields(struct imap_parser *p, struct fetch_section *s)
{
    s->fields = arena_alloc_n(p->arena, FETCH_FIELDS_MAX, sizeof *s->fields);
    imap_parse_space(p);
    imap_parse_char(p, '(');
    do {
        struct slice name = imap_parse_astring(p);
        if (s->n_fields == FETCH_FIELDS_MAX)
            imap_parser_fail(p, "Too many header fields");
        else if (s->fields)
            s->fields[s->n_fields++] = name;
    } while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
}

/* Behind "[", with "]". */
static void parse_section(struct imap_parser *p, struct fetch_section *s)
{
    bool word = parse_path(p, s);
    if (imap_accept_word(p, "HEADER.FIELDS.NOT")) {
        s->kind = PART_FIELDS_NOT;
        parse_fields(p, s);
    } else if (imap_accept_word(p, "HEADER.FIELDS")) {
        s->kind = PART_FIELDS;
        parse_fields(p, s);
    } else if (imap_accept_word(p, "HEADER")) {
        s->kind = PART_HEADER;
    } else if (imap_accept_word(p, "TEXT")) {
        s->kind = PART_TEXT;
    } else if (s->depth && imap_accept_word(p, "MIME")) {
        s->kind = PART_MIME;
    } else if (word) {
        imap_parser_fail(p, "Invalid section");
    }
    imap_parse_char(p, ']');
}

static void parse_partial(struct imap_parser *p, struct fetch_section *s)
{
    if (!imap_accept(p, '<'))
        return;
    s->partial = true;
    s->from = imap_parse_number(p, 0, UINT64_MAX / 2);
    imap_parse_char(p, '.');
    s->len = imap_parse_number(p, 1, UINT64_MAX / 2);
    imap_parse_char(p, '>');
}

static void put_fields(struct buf *out, const struct fetch_section *s)
{
    for (size_t i = 0; i < s->n_fields; i++) {
        buf_putc(out, i ? ' ' : '(');
        imap_put_astring(out, s->fields[i]);
    }
    buf_putc(out, ')');
}

/* The item as the response repeats it (RFC 3501 7.4.2). */
static void make_label(struct imap_parser *p, struct fetch_section *s)
{
    static const char *const words[] = {[PART_ALL] = "",
                                        [PART_HEADER] = "HEADER",
                                        [PART_TEXT] = "TEXT",
                                        [PART_MIME] = "MIME",
                                        [PART_FIELDS] = "HEADER.FIELDS ",
                                        [PART_FIELDS_NOT] = "HEADER.FIELDS.NOT ",
                                        [PART_BINARY] = "",
                                        [PART_BINARY_SIZE] = ""};
    struct buf label;
    buf_init(&label, 2 * IMAP_COMMAND_MAX);
    buf_puts(&label, s->kind == PART_BINARY        ? "BINARY["
                     : s->kind == PART_BINARY_SIZE ? "BINARY.SIZE["
                                                   : "BODY[");
    for (size_t i = 0; i < s->depth; i++)
        buf_printf(&label, i ? ".%u" : "%u", s->path[i]);
    if (s->depth && *words[s->kind])
        buf_putc(&label, '.');
    buf_puts(&label, words[s->kind]);
    if (s->kind == PART_FIELDS || s->kind == PART_FIELDS_NOT)
        put_fields(&label, s);
    buf_putc(&label, ']');
    if (s->partial)
        buf_printf(&label, "<%llu>", (unsigned long long)s->from);
    s->label = arena_dup(p->arena, buf_slice(&label));
    if (!buf_ok(&label))
        imap_parser_fail(p, "Section is too long");
    buf_release(&label);
}

/* Behind "BODY[" or "BODY.PEEK[". */
static void parse_body_section(struct imap_parser *p, struct fetch_items *f)
{
    struct fetch_section *s = add_section(p, f);
    if (!s)
        return;
    parse_section(p, s);
    parse_partial(p, s);
    if (imap_parser_ok(p))
        make_label(p, s);
}

/* Behind "BINARY[" and the like (RFC 3516 4.2): only part numbers. */
static void parse_binary(struct imap_parser *p, struct fetch_items *f, unsigned kind)
{
    struct fetch_section *s = add_section(p, f);
    if (!s)
        return;
    s->kind = kind;
    if (parse_path(p, s))
        imap_parser_fail(p, "Invalid section");
    imap_parse_char(p, ']');
    if (kind == PART_BINARY)
        parse_partial(p, s);
    if (imap_parser_ok(p))
        make_label(p, s);
}

/* PREVIEW, PREVIEW (LAZY): it is always made at once (RFC 8970 3.1). */
static void parse_preview(struct imap_parser *p, struct fetch_items *f)
{
    struct fetch_section *s = add_section(p, f);
    if (s) {
        s->kind = PART_PREVIEW;
        s->label = SLICE("PREVIEW");
    }
    if (cursor_accept_nocase(&p->c, " (") && (!imap_accept_word(p, "LAZY") || !imap_accept(p, ')')))
        imap_parser_fail(p, "Unknown PREVIEW modifier");
}

static void add_rfc822(struct imap_parser *p, struct fetch_items *f, const char *label,
                       unsigned kind)
{
    struct fetch_section *s = add_section(p, f);
    if (!s)
        return;
    s->label = slice_cstr(label);
    s->kind = kind;
    f->sets_seen |= kind != PART_HEADER;
}

static bool parse_simple(struct imap_parser *p, struct fetch_items *f)
{
    for (size_t i = 0; i < sizeof simple_items / sizeof *simple_items; i++) {
        if (imap_accept_word(p, simple_items[i].name)) {
            f->simple |= simple_items[i].bit;
            return true;
        }
    }
    return false;
}

static void parse_item(struct imap_parser *p, struct fetch_items *f)
{
    if (cursor_accept_nocase(&p->c, "BODY[")) {
        f->sets_seen = true;
        parse_body_section(p, f);
    } else if (cursor_accept_nocase(&p->c, "BODY.PEEK[")) {
        parse_body_section(p, f);
    } else if (cursor_accept_nocase(&p->c, "BINARY[")) {
        f->sets_seen = true;
        parse_binary(p, f, PART_BINARY);
    } else if (cursor_accept_nocase(&p->c, "BINARY.PEEK[")) {
        parse_binary(p, f, PART_BINARY);
    } else if (cursor_accept_nocase(&p->c, "BINARY.SIZE[")) {
        parse_binary(p, f, PART_BINARY_SIZE);
    } else if (imap_accept_word(p, "PREVIEW")) {
        parse_preview(p, f);
    } else if (parse_simple(p, f)) {
        return;
    } else if (imap_accept_word(p, "BODY")) {
        f->simple |= FETCH_BODY;
    } else if (imap_accept_word(p, "RFC822.HEADER")) {
        add_rfc822(p, f, "RFC822.HEADER", PART_HEADER);
    } else if (imap_accept_word(p, "RFC822.TEXT")) {
        add_rfc822(p, f, "RFC822.TEXT", PART_TEXT);
    } else if (imap_accept_word(p, "RFC822")) {
        add_rfc822(p, f, "RFC822", PART_ALL);
    } else {
        imap_parser_fail(p, "Unknown item to fetch");
    }
}

static bool parse_macro(struct imap_parser *p, struct fetch_items *f)
{
    const unsigned fast = FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE;
    if (imap_accept_word(p, "FAST"))
        f->simple = fast;
    else if (imap_accept_word(p, "ALL"))
        f->simple = fast | FETCH_ENVELOPE;
    else if (imap_accept_word(p, "FULL"))
        f->simple = fast | FETCH_ENVELOPE | FETCH_BODY;
    return f->simple != 0;
}

void fetch_parse_modifiers(struct imap_parser *p, struct fetch_modifiers *ret)
{
    imap_parse_char(p, '(');
    do {
        if (imap_accept_word(p, "CHANGEDSINCE")) {
            imap_parse_space(p);
            ret->changed_since = imap_parse_modseq(p, 0);
            ret->changed = true;
        } else if (imap_accept_word(p, "VANISHED")) {
            ret->vanished = true;
        } else if (imap_accept_word(p, "PARTIAL")) {
            imap_parse_space(p);
            imap_parse_partial(p, &ret->partial);
        } else {
            imap_parser_fail(p, "Unknown FETCH modifier");
        }
    } while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
    if (ret->vanished && !ret->changed)
        imap_parser_fail(p, "VANISHED without CHANGEDSINCE");
}

void fetch_parse_items(struct imap_parser *p, struct fetch_items *ret)
{
    if (imap_accept(p, '(')) {
        do
            parse_item(p, ret);
        while (imap_parser_ok(p) && imap_accept(p, ' '));
        imap_parse_char(p, ')');
    } else if (!parse_macro(p, ret)) {
        parse_item(p, ret);
    }
}
