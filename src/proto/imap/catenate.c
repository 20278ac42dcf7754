/* catenate.c: see catenate.h. */
#include "proto/imap/catenate.h"

#include "mime/encoding.h"

/* What a URL says; slices in the arena. */
struct url {
    struct slice mailbox; /* data == NULL: the selected one */
    uint32_t uidvalidity; /* 0: any */
    uint32_t uid;
    struct slice section, partial; /* data == NULL: none */
};

static int hex(char c)
{
    if (ascii_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* RFC 3986 2.1; data == NULL: malformed. */
static struct slice percent_decoded(struct arena *a, struct slice s)
{
    char *out = arena_alloc(a, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; out && i < s.len; i++) {
        if (s.data[i] != '%') {
            out[n++] = s.data[i];
            continue;
        }
        if (i + 2 >= s.len || hex(s.data[i + 1]) < 0 || hex(s.data[i + 2]) < 0)
            return SLICE_NONE;
        out[n++] = (char)(hex(s.data[i + 1]) * 16 + hex(s.data[i + 2]));
        i += 2;
    }
    return slice_of(out, out ? n : 0);
}

static bool is_not_semicolon(char c)
{
    return c != ';';
}
static bool is_not_slash(char c)
{
    return c != '/';
}
static bool is_not_delimiter(char c)
{
    return c != '/' && c != ';';
}

/* RFC 5092 11: [ "/" enc-mailbox [";UIDVALIDITY=" n] "/" ] ";UID=" n ["/;SECTION=" …]
 * ["/;PARTIAL=" …]. A mailbox may have '/' in it; ";" it has as %3B. */
static bool parse_url(struct arena *a, struct slice text, struct url *ret)
{
    struct cursor c = cursor_of(text);
    *ret = (struct url){0};
    if (cursor_accept(&c, '/')) {
        struct slice name = cursor_while(&c, is_not_semicolon);
        if (cursor_accept_nocase(&c, ";UIDVALIDITY=")) {
            ret->uidvalidity = (uint32_t)cursor_number(&c, UINT32_MAX);
            if (ret->uidvalidity == 0 || !cursor_accept(&c, '/'))
                return false;
        } else if (name.len && name.data[name.len - 1] == '/') {
            name.len--;
        } else {
            return false;
        }
        ret->mailbox = percent_decoded(a, name);
        if (ret->mailbox.len == 0)
            return false;
    }
    if (!cursor_accept_nocase(&c, ";UID="))
        return false;
    ret->uid = (uint32_t)cursor_number(&c, UINT32_MAX);
    if (cursor_accept_nocase(&c, "/;SECTION=")) {
        ret->section = percent_decoded(a, cursor_while(&c, is_not_slash));
        if (!ret->section.data)
            return false;
    }
    if (cursor_accept_nocase(&c, "/;PARTIAL="))
        ret->partial = cursor_while(&c, is_not_delimiter);
    return ret->uid && cursor_done(&c) && !arena_failed(a);
}

/* As FETCH would name them. False: it is none. */
static bool parse_section(struct arena *a, const struct url *u, struct fetch_items *ret)
{
    struct imap_parser p;
    struct buf item;
    buf_init(&item, 2 * IMAP_COMMAND_MAX);
    buf_puts(&item, "BODY.PEEK[");
    buf_append(&item, u->section);
    buf_putc(&item, ']');
    if (u->partial.data) {
        /* RFC 5092 6.1.1: without a length, all that follows. */
        bool open = slice_find(u->partial, '.') == SIZE_MAX;
        buf_printf(&item, "<%.*s%s>", SLICE_ARG(u->partial), open ? ".4611686018427387904" : "");
    }
    struct slice text = arena_dup(a, buf_slice(&item));
    bool ok = buf_ok(&item) && text.data;
    buf_release(&item);
    imap_parser_init(&p, text, a);
    fetch_parse_items(&p, ret);
    return ok && imap_parser_done(&p) && ret->n == 1;
}

static void keep_summary(void *arg, size_t i, struct slice bytes)
{
    (void)i;
    buf_append(arg, bytes);
}

static enum result locate(struct imap *im, const struct fetch_section *section,
                          const struct imap_entry *e, struct catenate_source *ret)
{
    struct buf bytes;
    struct summary summary;
    buf_init(&bytes, SUMMARY_BYTES_MAX);
    enum result r = im->ops->summaries(im->ctx, &e->message, 1, keep_summary, &bytes);
    if (r == OK)
        r = summary_read(buf_slice(&bytes), e->size, &summary);
    if (r == OK)
        r = fetch_locate(im, section, e, &summary, &ret->built, &ret->at);
    if (r == OK && ret->at.missing)
        r = NOT_FOUND;
    ret->message = e->message;
    buf_release(&bytes);
    return r;
}

static enum result find_in(struct imap *im, struct imap_view *v, const struct url *u,
                           const struct fetch_section *section, struct catenate_source *ret)
{
    struct imap_view_info info;
    im->ops->view_info(v, &info);
    uint32_t seq = im->ops->seek(v, u->uid);
    if ((u->uidvalidity && u->uidvalidity != info.uidvalidity) || seq > info.count ||
        im->ops->entry(v, seq)->uid != u->uid)
        return NOT_FOUND;
    return locate(im, section, im->ops->entry(v, seq), ret);
}

enum result catenate_open(struct imap *im, struct arena *a, struct slice url,
                          struct catenate_source *ret)
{
    struct fetch_items items = {0};
    struct imap_mailbox *m = NULL;
    struct imap_view *v = NULL;
    struct url u;
    *ret = (struct catenate_source){0};
    buf_init(&ret->built, FETCH_HEADER_MAX);
    if (!parse_url(a, url, &u) || !parse_section(a, &u, &items))
        return NOT_FOUND;
    if (!u.mailbox.data)
        return im->view ? find_in(im, im->view, &u, items.sections, ret) : NOT_FOUND;
    if (slice_is_nocase(u.mailbox, "INBOX"))
        u.mailbox = SLICE("INBOX");
    if (!utf8_valid(u.mailbox) || u.mailbox.len > IMAP_NAME_MAX)
        return NOT_FOUND;
    enum result r = im->ops->open(im->ctx, u.mailbox, &m);
    if (r == OK)
        r = im->ops->view(im->ctx, m, &v);
    if (r == OK)
        r = find_in(im, v, &u, items.sections, ret);
    if (v)
        im->ops->view_release(v);
    if (m)
        im->ops->close(im->ctx, m);
    return r == DENIED || r == INVALID ? NOT_FOUND : r;
}

enum result catenate_read(struct imap *im, struct catenate_source *s, struct buf *out)
{
    uint64_t len = s->at.len < IMAP_PIECE ? s->at.len : IMAP_PIECE;
    enum result r = OK;
    if (len == 0)
        return OK;
    if (s->at.in_built)
        buf_append(out, slice_sub(buf_slice(&s->built), (size_t)s->at.from, (size_t)len));
    else
        r = im->ops->read(im->ctx, s->message, s->at.from, len, out);
    s->at.from += len;
    s->at.len -= len;
    if (r == OK && (!buf_ok(out) || buf_len(out) == 0))
        r = FAILED;
    return r;
}

void catenate_release(struct catenate_source *s)
{
    buf_release(&s->built);
}
