/* uidlist.c: what Dovecot and Courier keep beside the messages of a Maildir: UIDs, keywords' names,
 * subscriptions. All of it is text that their programs rewrite; a line that is not understood costs
 * its message its UID, never the message. */
#include <stdio.h>

#include "cli/import/import.h"

enum { UIDS_MAX = 10000000, KEYWORD_MAX = 64, UIDL_MAX = 70 };
#define MEM_MAX ((size_t)4 << 30)

void uidlist_init(struct uidlist *u)
{
    *u = (struct uidlist){0};
    map_init(&u->uids, UIDS_MAX);
    arena_init(&u->mem, MEM_MAX);
}

void uidlist_release(struct uidlist *u)
{
    map_release(&u->uids);
    arena_release(&u->mem);
}

static bool parse_u32(struct slice s, uint32_t *ret)
{
    uint64_t n;
    if (slice_parse_u64(s, UINT32_MAX, &n) != OK)
        return false;
    *ret = (uint32_t)n;
    return true;
}

static struct slice base_name(struct slice file)
{
    return slice_sub(file, 0, slice_find(file, ':'));
}

static bool add(struct uidlist *u, uint32_t uid, struct slice file, struct slice uidl)
{
    struct uid_entry *e = ARENA_NEW(&u->mem, struct uid_entry);
    if (!e || uid == 0 || file.len == 0)
        return false;
    e->uid = uid;
    if (uidl.len && uidl.len <= UIDL_MAX)
        e->uidl = arena_dup(&u->mem, uidl);
    if (u->uidnext <= uid && uid < UINT32_MAX)
        u->uidnext = uid + 1;
    return map_put(&u->uids, base_name(file), e) == OK;
}

/* ---- Dovecot ----
 * Version 3: "3 V<uidvalidity> N<next uid> G<guid>", then "<uid> [<letter><value> ]…:<file>", of
 * which P is the message's POP3 UIDL. Version 1: "1 <uidvalidity> <next uid>", "<uid> <file>". */

static bool dovecot_header(struct uidlist *u, struct slice line, unsigned *ret_version)
{
    struct slice version = slice_split(&line, ' ');
    if (slice_is(version, "1")) {
        *ret_version = 1;
        return parse_u32(slice_split(&line, ' '), &u->uidvalidity) &&
               parse_u32(slice_split(&line, ' '), &u->uidnext);
    }
    *ret_version = 3;
    if (!slice_is(version, "3"))
        return false;
    while (line.data) {
        struct slice word = slice_split(&line, ' ');
        bool good = true;
        if (word.len && word.data[0] == 'V')
            good = parse_u32(slice_from(word, 1), &u->uidvalidity);
        else if (word.len && word.data[0] == 'N')
            good = parse_u32(slice_from(word, 1), &u->uidnext);
        if (!good)
            return false;
    }
    return u->uidvalidity != 0;
}

static bool dovecot_line(struct uidlist *u, struct slice line, unsigned version)
{
    uint32_t uid;
    struct slice uidl = SLICE_NONE;
    if (!parse_u32(slice_split(&line, ' '), &uid))
        return false;
    if (version == 1)
        return line.data && add(u, uid, line, uidl);
    while (line.data && line.len && line.data[0] != ':') {
        struct slice word = slice_split(&line, ' ');
        if (word.len && word.data[0] == 'P')
            uidl = slice_from(word, 1);
    }
    return line.len && add(u, uid, slice_from(line, 1), uidl);
}

unsigned uidlist_parse_dovecot(struct uidlist *u, struct slice text)
{
    unsigned bad = 0, version = 0;
    if (!text.len || !dovecot_header(u, slice_split(&text, '\n'), &version))
        return 1;
    while (text.data) {
        struct slice line = slice_split(&text, '\n');
        bad += line.len && !dovecot_line(u, line, version);
    }
    return bad;
}

/* "a name": the keyword of the flag with that number, 0 for a. */
unsigned uidlist_parse_keywords(struct uidlist *u, struct slice text)
{
    unsigned bad = 0;
    while (text.data) {
        uint32_t n;
        struct slice line = slice_split(&text, '\n');
        if (line.len == 0)
            continue;
        bool good = parse_u32(slice_split(&line, ' '), &n) && n < 26 && line.len &&
                    line.len <= KEYWORD_MAX && slice_find(line, ' ') == SIZE_MAX;
        if (good)
            u->keywords[n] = arena_dup(&u->mem, line);
        bad += !good;
    }
    return bad;
}

/* ---- Courier: "1 <uidvalidity> <next uid>", then "<uid> <file>" ---- */

unsigned uidlist_parse_courier(struct uidlist *u, struct slice text)
{
    unsigned bad = 0;
    struct slice head = text.len ? slice_split(&text, '\n') : SLICE("");
    if (!slice_is(slice_split(&head, ' '), "1") ||
        !parse_u32(slice_split(&head, ' '), &u->uidvalidity) ||
        !parse_u32(slice_split(&head, ' '), &u->uidnext))
        return 1;
    while (text.data) {
        uint32_t uid;
        struct slice line = slice_split(&text, '\n');
        if (line.len)
            bad += !parse_u32(slice_split(&line, ' '), &uid) || !line.data ||
                   !add(u, uid, line, SLICE_NONE);
    }
    return bad;
}

/* ---- the files ---- */

typedef unsigned parse_fn(struct uidlist *u, struct slice text);

static bool read_one(struct uidlist *u, const char *maildir, const char *file, parse_fn *parse,
                     unsigned *bad)
{
    char path[4096];
    const char *why;
    struct buf text;
    int n = snprintf(path, sizeof path, "%s/%s", maildir, file);
    if (n < 0 || (size_t)n >= sizeof path)
        return false;
    buf_init(&text, IMPORT_MESSAGE_MAX);
    bool there = file_read(path, &text, &why);
    if (there)
        *bad += parse(u, buf_slice(&text));
    buf_release(&text);
    return there;
}

void uidlist_read(struct uidlist *u, const char *maildir, unsigned *ret_bad)
{
    unsigned bad = 0;
    uidlist_init(u);
    if (!read_one(u, maildir, "dovecot-uidlist", uidlist_parse_dovecot, &bad))
        read_one(u, maildir, "courierimapuiddb", uidlist_parse_courier, &bad);
    read_one(u, maildir, "dovecot-keywords", uidlist_parse_keywords, &bad);
    *ret_bad = bad;
}

/* Version 2 of Dovecot begins with "V\t2" and an empty line, and has tabs between levels. */
void subscriptions_parse(struct slice text, void (*each)(void *arg, struct slice name), void *arg)
{
    bool first = true;
    while (text.data) {
        struct slice line = slice_trim(slice_split(&text, '\n'));
        bool version = first && slice_starts(line, SLICE("V\t"));
        first = false;
        if (line.len && !version)
            each(arg, line);
    }
}

/* ---- UIDLs ---- */

struct item {
    char letter;
    int width;
    bool hex, zero;
};

/* "08Xu" behind the %: Dovecot writes hexadecimal digits in lower case for X. */
static struct item take_item(struct slice *f)
{
    struct item i = {.zero = f->len && f->data[0] == '0'};
    while (f->len && ascii_digit(f->data[0]) && i.width < 100) {
        i.width = i.width * 10 + (f->data[0] - '0');
        *f = slice_from(*f, 1);
    }
    i.hex = f->len && ascii_upper(f->data[0]) == 'X';
    if (i.hex)
        *f = slice_from(*f, 1);
    i.letter = f->len ? f->data[0] : 0;
    *f = slice_from(*f, 1);
    return i;
}

static void put_number(struct buf *out, uint32_t n, const struct item *i)
{
    if (i->hex)
        buf_printf(out, i->zero ? "%0*x" : "%*x", i->width, n);
    else
        buf_printf(out, i->zero ? "%0*u" : "%*u", i->width, n);
}

bool uidl_format(struct slice format, uint32_t uid, uint32_t uidvalidity, struct slice file,
                 struct buf *out)
{
    while (format.len) {
        char c = format.data[0];
        format = slice_from(format, 1);
        if (c != '%') {
            buf_putc(out, c);
            continue;
        }
        struct item item = take_item(&format);
        if (item.letter == 'u' && uid)
            put_number(out, uid, &item);
        else if (item.letter == 'v' && uidvalidity)
            put_number(out, uidvalidity, &item);
        else if (item.letter == 'f' && file.len)
            buf_append(out, file);
        else
            return false;
    }
    return buf_ok(out) && buf_len(out) > 0 && buf_len(out) <= UIDL_MAX;
}
