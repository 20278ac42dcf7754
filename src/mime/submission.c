#include "mime/submission.h"
#include "mime/address.h"
#include "mime/date.h"
#include "mime/header.h"

#include "base/log.h"

/* What there is of the fields that must be there. */
enum { HAS_DATE = 1, HAS_MESSAGE_ID = 2, HAS_FROM = 4 };

static const struct {
    const char *name;
    bool sender;
} address_fields[] = {
    {"From", true},
    {"Sender", true},
    {"Reply-To", true},
    {"To", false},
    {"Cc", false},
    {"Resent-From", true},
    {"Resent-Sender", true},
    {"Resent-Reply-To", true},
    {"Resent-To", false},
    {"Resent-Cc", false},
    {"Apparently-To", false},
    {"Errors-To", true},
    {"Mail-Followup-To", true},
    {"Return-Receipt-To", true},
    {"Disposition-Notification-To", true},
};

static bool is_address_field(struct slice name, bool *ret_sender)
{
    for (size_t i = 0; i < sizeof address_fields / sizeof *address_fields; i++)
        if (slice_is_nocase(name, address_fields[i].name)) {
            *ret_sender = address_fields[i].sender;
            return true;
        }
    return false;
}

static bool is_named(struct slice_list names, struct slice name)
{
    for (size_t i = 0; i < names.n; i++)
        if (slice_eq_nocase(names.items[i], name))
            return true;
    return false;
}

/* RFC 5322 3.6.3: nobody else sees who got a blind copy. */
static bool is_bcc(struct slice name)
{
    return slice_is_nocase(name, "Bcc") || slice_is_nocase(name, "Resent-Bcc");
}

static unsigned presence(struct slice name)
{
    return slice_is_nocase(name, "Date")         ? HAS_DATE
           : slice_is_nocase(name, "Message-ID") ? HAS_MESSAGE_ID
           : slice_is_nocase(name, "From")       ? HAS_FROM
                                                 : 0;
}

static bool lacks_domain(const struct address_item *item)
{
    return item->kind == ADDRESS_MAILBOX && item->local.len && !item->domain.len;
}

static bool find_incomplete(void *arg, const struct address_item *item)
{
    bool *found = arg;
    *found = lacks_domain(item);
    return !*found;
}

/* What must be written anew of a field's addresses. */
struct look {
    const struct submission *s;
    bool sender, incomplete, mapped;
};

static bool look_at(void *arg, const struct address_item *item)
{
    struct look *l = arg;
    struct slice whole, domain = item->domain.len ? item->domain : l->s->origin;
    bool mailbox = item->kind == ADDRESS_MAILBOX && item->local.len;
    l->incomplete = l->incomplete || (l->s->origin.len && lacks_domain(item));
    if (mailbox && domain.len && l->s->map)
        l->mapped = l->mapped || l->s->map(l->s->map_arg, l->sender, item->local, domain, &whole);
    return true;
}

/* ---- writing a list of addresses again ---- */

struct list_writer {
    const struct submission *s;
    struct buf text;
    bool first, sender;
};

/* A phrase of atoms (and of RFC 2047 words, which are atoms) stays bare. */
static void put_phrase(struct buf *out, struct slice name)
{
    bool bare = true;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bare = bare && (ascii_alnum(c) || (unsigned char)c > 127 ||
                        (c && strchr(" !#$%&'*+-/=?^_`{|}~", c)));
    }
    if (bare) {
        buf_append(out, name);
        return;
    }
    buf_putc(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] == '"' || name.data[i] == '\\')
            buf_putc(out, '\\');
        buf_putc(out, name.data[i]);
    }
    buf_putc(out, '"');
}

static bool put_item(void *arg, const struct address_item *item)
{
    struct list_writer *w = arg;
    if (item->kind == ADDRESS_GROUP_END) {
        buf_putc(&w->text, ';');
        w->first = false;
        return true;
    }
    if (!w->first)
        buf_puts(&w->text, ", ");
    put_phrase(&w->text, item->name);
    w->first = item->kind == ADDRESS_GROUP;
    if (item->kind == ADDRESS_GROUP) {
        buf_puts(&w->text, ": ");
        return true;
    }
    struct slice whole, domain = item->domain.len ? item->domain : w->s->origin;
    buf_puts(&w->text, item->name.len ? " <" : "<");
    if (domain.len && w->s->map &&
        w->s->map(w->s->map_arg, w->sender, item->local, domain, &whole)) {
        buf_append(&w->text, whole);
    } else {
        address_quote(item->local, &w->text);
        buf_puts(&w->text, domain.len ? "@" : "");
        buf_append(&w->text, domain);
    }
    buf_putc(&w->text, '>');
    return true;
}

/* True when the field was written with its addresses completed; false: leave it as it is. */
static bool write_addresses(const struct header_field *f, const struct submission *s, bool sender,
                            struct buf *out, unsigned *changes)
{
    struct look l = {.s = s, .sender = sender};
    char name[32];
    (void)address_list_each(f->body, look_at, &l);
    if ((!l.incomplete && !l.mapped) || f->name.len >= sizeof name)
        return false;
    *changes |= l.incomplete ? SUBMISSION_COMPLETED_ADDRESSES : 0;
    *changes |= l.mapped ? SUBMISSION_MAPPED_ADDRESSES : 0;
    struct list_writer w = {.s = s, .first = true, .sender = sender};
    buf_init(&w.text, ADDRESS_LIST_BYTES_MAX * 3);
    (void)address_list_each(f->body, put_item, &w);
    memcpy(name, f->name.data, f->name.len);
    name[f->name.len] = 0;
    bool fits = buf_ok(&w.text);
    if (fits)
        header_write(out, name, buf_slice(&w.text));
    buf_release(&w.text);
    return fits;
}

/* ---- the header ---- */

static void put_raw(struct slice raw, struct buf *out)
{
    buf_append(out, raw);
    if (raw.len == 0 || raw.data[raw.len - 1] != '\n')
        buf_puts(out, "\r\n");
}

static void copy_field(const struct header_field *f, const struct submission *s, struct buf *out,
                       unsigned *changes)
{
    bool sender;
    if (!s->keep_bcc && is_bcc(f->name))
        *changes |= SUBMISSION_DROPPED_BCC;
    else if (is_named(s->drop, f->name))
        *changes |= SUBMISSION_DROPPED_FIELDS;
    else if (!is_address_field(f->name, &sender) || !write_addresses(f, s, sender, out, changes))
        put_raw(f->raw, out);
}

static void add_date(const struct submission *s, struct buf *out)
{
    buf_puts(out, "Date: ");
    date_format(s->now, date_local_zone(s->now), out);
    buf_puts(out, "\r\n");
}

static void add_from(const struct submission *s, struct buf *out)
{
    bool complete = slice_find(s->sender, '@') != SIZE_MAX;
    buf_printf(out, "From: <%.*s%s%.*s>\r\n", SLICE_ARG(s->sender), complete ? "" : "@",
               SLICE_ARG(complete ? SLICE("") : s->origin));
}

/* RFC 6409 8.1 to 8.3 and RFC 5322 3.6 */
static void add_missing(unsigned has, const struct submission *s, struct buf *out,
                        unsigned *changes)
{
    if (!(has & HAS_FROM) && s->sender.len) {
        add_from(s, out);
        *changes |= SUBMISSION_ADDED_FROM;
    }
    if (!(has & HAS_DATE)) {
        add_date(s, out);
        *changes |= SUBMISSION_ADDED_DATE;
    }
    if (!(has & HAS_MESSAGE_ID)) {
        buf_printf(out, "Message-ID: <%s@%.*s>\r\n", log_id(s->id).text, SLICE_ARG(s->host));
        *changes |= SUBMISSION_ADDED_MESSAGE_ID;
    }
}

/* Behind the fields: the empty line, or, when a line that is no field ends the header, that line.
 */
static size_t body_start(struct slice message, size_t at)
{
    struct slice rest = slice_from(message, at);
    if (slice_starts(rest, SLICE("\r\n")))
        return at + 2;
    return slice_starts(rest, SLICE("\n")) ? at + 1 : at;
}

enum result submission_complete(struct slice message, const struct submission *s, struct buf *out,
                                size_t *ret_body_from, unsigned *ret_changes)
{
    struct slice rest = message;
    struct header_field f;
    unsigned has = 0, changes = 0;
    size_t before = buf_len(out), at = 0;
    while (header_next(&rest, &f) && f.name.len) {
        has |= presence(f.name);
        copy_field(&f, s, out, &changes);
        at = message.len - rest.len;
        if (buf_len(out) - before > SUBMISSION_HEADER_MAX)
            return LIMIT;
    }
    if (!s->keep_missing)
        add_missing(has, s, out, &changes);
    buf_puts(out, "\r\n");
    if (!buf_ok(out))
        return LIMIT;
    *ret_body_from = body_start(message, at);
    *ret_changes = changes;
    return OK;
}

struct collecting {
    struct slice origin;
    bool sender;
    void (*each)(void *arg, bool sender, struct slice local, struct slice domain);
    void *arg;
};

static bool collect(void *arg, const struct address_item *item)
{
    struct collecting *c = arg;
    struct slice domain = item->domain.len ? item->domain : c->origin;
    if (item->kind == ADDRESS_MAILBOX && item->local.len && domain.len)
        c->each(c->arg, c->sender, item->local, domain);
    return true;
}

void submission_addresses(struct slice message, struct slice origin,
                          void (*each)(void *arg, bool sender, struct slice local,
                                       struct slice domain),
                          void *arg)
{
    struct collecting c = {.origin = origin, .each = each, .arg = arg};
    struct header_field f;
    while (header_next(&message, &f) && f.name.len)
        if (is_address_field(f.name, &c.sender))
            (void)address_list_each(f.body, collect, &c);
}

unsigned submission_check(struct slice message)
{
    struct slice rest = message;
    struct header_field f;
    unsigned has = 0, changes = 0;
    while (header_next(&rest, &f) && f.name.len) {
        bool incomplete = false;
        has |= presence(f.name);
        if (is_bcc(f.name))
            changes |= SUBMISSION_DROPPED_BCC;
        bool sender;
        if (is_address_field(f.name, &sender))
            (void)address_list_each(f.body, find_incomplete, &incomplete);
        if (incomplete)
            changes |= SUBMISSION_COMPLETED_ADDRESSES;
    }
    changes |= has & HAS_DATE ? 0 : SUBMISSION_ADDED_DATE;
    changes |= has & HAS_MESSAGE_ID ? 0 : SUBMISSION_ADDED_MESSAGE_ID;
    changes |= has & HAS_FROM ? 0 : SUBMISSION_ADDED_FROM;
    return changes;
}
