/* address_list.c: the address lists of From, To, Cc and their kin (RFC 5322 3.4, 4.4), as people
 * and programs really write them. One pass; every byte is taken once. */
#include "mime/address.h"
#include "mime/lex.h"

struct list_reader {
    struct cursor in;
    bool (*each)(void *arg, const struct address_item *item);
    void *arg;
    /* The item so far. phrase: all its words as a display name; local and domain: the same words
     * as an address without brackets, should it turn out to be one. */
    struct buf phrase, local, domain, route, comment;
    bool has_at, done, in_group, sound, stopped;
    size_t count;
};

static void begin_item(struct list_reader *r)
{
    buf_reset(&r->phrase);
    buf_reset(&r->local);
    buf_reset(&r->domain);
    buf_reset(&r->route);
    buf_reset(&r->comment);
    r->has_at = r->done = false;
}

static void emit(struct list_reader *r, int kind, struct slice name)
{
    struct address_item item = {.kind = kind, .name = name};
    if (kind == ADDRESS_MAILBOX) {
        item.route = buf_slice(&r->route);
        item.local = buf_slice(&r->local);
        item.domain = buf_slice(&r->domain);
    }
    if (++r->count > ADDRESS_LIST_MAX || !r->each(r->arg, &item))
        r->stopped = true;
}

/* The item ended without angle brackets. */
static void emit_bare(struct list_reader *r)
{
    if (r->done || buf_len(&r->phrase) == 0)
        return;
    if (!r->has_at || buf_len(&r->local) == 0 || buf_len(&r->domain) == 0)
        r->sound = false;
    emit(r, ADDRESS_MAILBOX, buf_slice(&r->comment));
}

/* Words, dots and comments of a local part or a domain, up to a special character. */
static void take_words(struct list_reader *r, struct buf *out)
{
    for (;;) {
        lex_cfws(&r->in, &r->comment);
        int next = cursor_peek(&r->in);
        if (next == '"') {
            lex_quoted(&r->in, out);
        } else if (next == '.' || next == '[') {
            buf_putc(out, (char)cursor_u8(&r->in));
        } else if (next == ']' || (next == ':' && slice_find(buf_slice(out), '[') == 0)) {
            buf_putc(out, (char)cursor_u8(&r->in));
        } else {
            struct slice word = cursor_while(&r->in, lex_is_wordish);
            if (word.len == 0)
                return;
            buf_append(out, word);
        }
    }
}

/* "@a,@b:" in front of the address (RFC 5322 4.4: obs-route). */
static void take_route(struct list_reader *r)
{
    lex_cfws(&r->in, NULL);
    while (cursor_peek(&r->in) == '@' || cursor_peek(&r->in) == ',') {
        buf_putc(&r->route, (char)cursor_u8(&r->in));
        lex_cfws(&r->in, NULL);
        buf_append(&r->route, cursor_while(&r->in, lex_is_wordish));
        while (cursor_accept(&r->in, '.')) {
            buf_putc(&r->route, '.');
            buf_append(&r->route, cursor_while(&r->in, lex_is_wordish));
        }
        lex_cfws(&r->in, NULL);
    }
    if (buf_len(&r->route) && !cursor_accept(&r->in, ':'))
        r->sound = false;
}

static void take_angle(struct list_reader *r)
{
    cursor_u8(&r->in);
    buf_reset(&r->local);
    buf_reset(&r->domain);
    take_route(r);
    take_words(r, &r->local);
    if (cursor_accept(&r->in, '@'))
        take_words(r, &r->domain);
    if (buf_len(&r->local) == 0 || buf_len(&r->domain) == 0)
        r->sound = false;
    while (!cursor_at_end(&r->in) && !cursor_accept(&r->in, '>')) {
        int next = cursor_peek(&r->in);
        r->sound = false;
        if (next == ',' || next == ';')
            break;
        cursor_u8(&r->in);
    }
    if (r->done)
        r->sound = false;
    else
        emit(r, ADDRESS_MAILBOX, buf_slice(buf_len(&r->phrase) ? &r->phrase : &r->comment));
    r->done = true;
}

static void take_at(struct list_reader *r)
{
    cursor_u8(&r->in);
    if (r->has_at)
        r->sound = false;
    r->has_at = true;
    buf_reset(&r->domain);
    take_words(r, &r->domain);
    /* "me@here.example <me@here.example>": what looked like an address is a name. */
    buf_putc(&r->phrase, '@');
    buf_append(&r->phrase, buf_slice(&r->domain));
}

static void begin_group(struct list_reader *r)
{
    cursor_u8(&r->in);
    if (r->in_group || r->done || buf_len(&r->phrase) == 0)
        r->sound = false;
    if (r->in_group)
        emit(r, ADDRESS_GROUP_END, SLICE(""));
    emit(r, ADDRESS_GROUP, buf_slice(&r->phrase));
    r->in_group = true;
    begin_item(r);
}

static void end_group(struct list_reader *r)
{
    cursor_u8(&r->in);
    emit_bare(r);
    if (r->in_group && !r->stopped)
        emit(r, ADDRESS_GROUP_END, SLICE(""));
    else
        r->sound = false;
    r->in_group = false;
    begin_item(r);
}

static void take_phrase(struct list_reader *r, bool spaced)
{
    size_t before = buf_len(&r->phrase);
    if (spaced && before)
        buf_putc(&r->phrase, ' ');
    before = buf_len(&r->phrase);
    if (cursor_peek(&r->in) == '"')
        lex_quoted(&r->in, &r->phrase);
    else if (cursor_accept(&r->in, '.'))
        buf_putc(&r->phrase, '.');
    else
        buf_append(&r->phrase, cursor_while(&r->in, lex_is_wordish));
    if (!r->has_at)
        buf_append(&r->local, slice_from(buf_slice(&r->phrase), before));
    if (r->done)
        r->sound = false;
}

static void take_next(struct list_reader *r)
{
    bool spaced = lex_cfws(&r->in, &r->comment);
    int next = cursor_peek(&r->in);
    if (next == -1)
        return;
    if (next == ',') {
        cursor_u8(&r->in);
        emit_bare(r);
        begin_item(r);
    } else if (next == '<') {
        take_angle(r);
    } else if (next == '@') {
        take_at(r);
    } else if (next == ':') {
        begin_group(r);
    } else if (next == ';') {
        end_group(r);
    } else if (next == '"' || next == '.' || lex_is_wordish((char)next)) {
        take_phrase(r, spaced);
    } else {
        cursor_u8(&r->in);
        r->sound = false;
    }
}

static void bufs_init(struct list_reader *r)
{
    struct buf *all[] = {&r->phrase, &r->local, &r->domain, &r->route, &r->comment};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        buf_init(all[i], ADDRESS_LIST_BYTES_MAX * 2);
}

static bool bufs_release(struct list_reader *r)
{
    struct buf *all[] = {&r->phrase, &r->local, &r->domain, &r->route, &r->comment};
    bool ok = true;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        ok = ok && buf_ok(all[i]);
        buf_release(all[i]);
    }
    return ok;
}

bool address_list_each(struct slice body, bool (*each)(void *arg, const struct address_item *item),
                       void *arg)
{
    struct list_reader r = {
        .in = cursor_of(slice_sub(body, 0, ADDRESS_LIST_BYTES_MAX)), .each = each, .arg = arg};
    r.sound = body.len <= ADDRESS_LIST_BYTES_MAX;
    bufs_init(&r);
    while (!cursor_at_end(&r.in) && !r.stopped)
        take_next(&r);
    if (!r.stopped)
        emit_bare(&r);
    if (r.in_group && !r.stopped) {
        emit(&r, ADDRESS_GROUP_END, SLICE(""));
        r.sound = false;
    }
    return bufs_release(&r) && r.sound;
}
