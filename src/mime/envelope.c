/* envelope.c: FETCH ENVELOPE (RFC 3501 7.4.2, RFC 9051 7.5.2) from a header. */
#include "mime/address.h"
#include "mime/header.h"
#include "mime/wire.h"

struct fields {
    struct slice date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id;
};

static void collect(struct slice header, struct fields *f)
{
    struct header_field field;
    const struct {
        const char *name;
        struct slice *to;
    } wanted[] = {{"Date", &f->date},
                  {"Subject", &f->subject},
                  {"From", &f->from},
                  {"Sender", &f->sender},
                  {"Reply-To", &f->reply_to},
                  {"To", &f->to},
                  {"Cc", &f->cc},
                  {"Bcc", &f->bcc},
                  {"In-Reply-To", &f->in_reply_to},
                  {"Message-ID", &f->message_id}};
    while (header_next(&header, &field)) {
        if (field.name.len > 11)
            continue;
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (!wanted[i].to->data && slice_is_nocase(field.name, wanted[i].name))
                *wanted[i].to = field.body;
    }
}

struct list_writer {
    struct buf *out;
    size_t from, max; /* where the list began, and how long it may be */
    bool open, in_group;
};

static struct slice or_none(struct slice s)
{
    return s.len ? s : SLICE_NONE;
}

static bool put_address(void *arg, const struct address_item *item)
{
    struct list_writer *w = arg;
    size_t max = w->max / 4 + 16;
    size_t used = buf_len(w->out) - w->from;
    /* A group that was begun is always ended. */
    if (used + item->name.len + item->local.len + item->domain.len > w->max &&
        (w->open || item->kind != ADDRESS_MAILBOX) && item->kind != ADDRESS_GROUP_END)
        return false;
    if (!w->open)
        buf_putc(w->out, '(');
    w->open = true;
    w->in_group = item->kind == ADDRESS_GROUP || (w->in_group && item->kind == ADDRESS_MAILBOX);
    buf_putc(w->out, '(');
    wire_nstring(w->out, item->kind == ADDRESS_MAILBOX ? or_none(item->name) : SLICE_NONE, max);
    buf_putc(w->out, ' ');
    wire_nstring(w->out, or_none(item->route), max);
    buf_putc(w->out, ' ');
    /* RFC 3501 7.4.2: a group has its name as mailbox and no host, its end neither. An address
     * without a domain must not look like one: its host is "". */
    wire_nstring(w->out,
                 item->kind == ADDRESS_MAILBOX ? (item->local.data ? item->local : SLICE(""))
                 : item->kind == ADDRESS_GROUP ? (item->name.data ? item->name : SLICE(""))
                                               : SLICE_NONE,
                 max);
    buf_putc(w->out, ' ');
    wire_nstring(w->out,
                 item->kind == ADDRESS_MAILBOX ? (item->domain.data ? item->domain : SLICE(""))
                                               : SLICE_NONE,
                 max);
    buf_putc(w->out, ')');
    return buf_ok(w->out);
}

static void put_list(struct slice body, size_t max, struct buf *out)
{
    struct list_writer w = {.out = out, .from = buf_len(out), .max = max};
    if (body.data)
        (void)address_list_each(body, put_address, &w);
    if (w.in_group)
        buf_puts(out, "(NIL NIL NIL NIL)");
    buf_puts(out, w.open ? ")" : "NIL");
}

/* Sender and Reply-To that are absent or empty are From's: RFC 3501 7.4.2. */
static void put_list_or(struct slice body, struct slice from, size_t max, struct buf *out)
{
    size_t before = buf_len(out);
    buf_putc(out, ' ');
    put_list(body, max, out);
    if (!buf_ok(out) || !slice_is(slice_from(buf_slice(out), before), " NIL"))
        return;
    buf_truncate(out, before + 1);
    buf_append(out, from);
}

static void put_from(const struct fields *f, size_t max, struct buf *out)
{
    struct buf from;
    buf_init(&from, out->max);
    put_list(f->from, max, &from);
    if (!buf_ok(&from))
        out->failed = true;
    buf_putc(out, ' ');
    buf_append(out, buf_slice(&from));
    put_list_or(f->sender, buf_slice(&from), max, out);
    put_list_or(f->reply_to, buf_slice(&from), max, out);
    buf_release(&from);
}

void envelope_write(struct slice header, size_t field_max, struct buf *out)
{
    struct fields f = {.date = SLICE_NONE};
    collect(header, &f);
    buf_putc(out, '(');
    wire_unfolded(out, f.date, field_max < 128 ? field_max : 128);
    buf_putc(out, ' ');
    wire_unfolded(out, f.subject, field_max);
    put_from(&f, field_max, out);
    const struct slice lists[] = {f.to, f.cc, f.bcc};
    for (size_t i = 0; i < 3; i++) {
        buf_putc(out, ' ');
        put_list(lists[i], field_max, out);
    }
    buf_putc(out, ' ');
    wire_unfolded(out, f.in_reply_to, field_max);
    buf_putc(out, ' ');
    wire_unfolded(out, f.message_id, field_max);
    buf_putc(out, ')');
}
