#include "mime/submission.h"
#include "mime/address.h"
#include "mime/date.h"
#include "mime/header.h"

#include "base/log.h"

/* What there is of the fields that must be there. */
enum { HAS_DATE = 1, HAS_MESSAGE_ID = 2, HAS_FROM = 4 };

static const char *const address_fields[] = {
    "From",        "Sender",        "Reply-To",  "To",       "Cc",
    "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc"};

static bool is_address_field(struct slice name)
{
    for (size_t i = 0; i < sizeof address_fields / sizeof *address_fields; i++)
        if (slice_is_nocase(name, address_fields[i]))
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

/* ---- writing a list of addresses again ---- */

struct list_writer {
    struct slice origin;
    struct buf text;
    bool first;
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
    buf_puts(&w->text, item->name.len ? " <" : "<");
    address_quote(item->local, &w->text);
    buf_putc(&w->text, '@');
    buf_append(&w->text, item->domain.len ? item->domain : w->origin);
    buf_putc(&w->text, '>');
    return true;
}

/* True when the field was written with its addresses completed; false: leave it as it is. */
static bool complete_addresses(const struct header_field *f, const struct submission *s,
                               struct buf *out)
{
    bool incomplete = false;
    char name[16];
    (void)address_list_each(f->body, find_incomplete, &incomplete);
    if (!incomplete || f->name.len >= sizeof name)
        return false;
    struct list_writer w = {.origin = s->origin, .first = true};
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
    if (is_bcc(f->name))
        *changes |= SUBMISSION_DROPPED_BCC;
    else if (is_address_field(f->name) && complete_addresses(f, s, out))
        *changes |= SUBMISSION_COMPLETED_ADDRESSES;
    else
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
    add_missing(has, s, out, &changes);
    buf_puts(out, "\r\n");
    if (!buf_ok(out))
        return LIMIT;
    *ret_body_from = body_start(message, at);
    *ret_changes = changes;
    return OK;
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
        if (is_address_field(f.name))
            (void)address_list_each(f.body, find_incomplete, &incomplete);
        if (incomplete)
            changes |= SUBMISSION_COMPLETED_ADDRESSES;
    }
    changes |= has & HAS_DATE ? 0 : SUBMISSION_ADDED_DATE;
    changes |= has & HAS_MESSAGE_ID ? 0 : SUBMISSION_ADDED_MESSAGE_ID;
    changes |= has & HAS_FROM ? 0 : SUBMISSION_ADDED_FROM;
    return changes;
}
