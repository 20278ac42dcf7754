/* dsn.c: see dsn.h. Whatever a remote said is folded into printable text before it goes into a
 * header-like field, so that nobody can add a line to the report. */
#include "queue/dsn.h"

#include "base/log.h"
#include "mime/date.h"

enum { FOLD_AT = 76, WORDS_MAX = 2000 };

static const char *action_name(enum dsn_action a)
{
    switch (a) {
    case DSN_FAILED:
        return "failed";
    case DSN_DELAYED:
        return "delayed";
    case DSN_DELIVERED:
        return "delivered";
    case DSN_RELAYED:
        return "relayed";
    case DSN_EXPANDED:
        return "expanded";
    case DSN_DELIVERABLE:
        return "deliverable";
    case DSN_UNDELIVERABLE:
        return "undeliverable";
    }
    return "failed";
}

static bool is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] >= 0x80)
            return false;
    return true;
}

/* RFC 6533: the report's own forms are used only when they are needed. */
static bool needs_utf8(const struct dsn *d)
{
    bool ascii = is_ascii(d->sender);
    for (size_t i = 0; ascii && i < d->n_rcpts; i++)
        ascii = is_ascii(d->rcpts[i].address) && is_ascii(d->rcpts[i].original);
    return d->smtputf8 && !ascii;
}

/* ---- text ---- */

static char printable(char c, bool utf8)
{
    unsigned char u = (unsigned char)c;
    if (u < 0x20 || u == 0x7f)
        return ' ';
    return u >= 0x80 && !utf8 ? '?' : c;
}

static void put_word(struct buf *out, struct slice word, bool utf8)
{
    for (size_t i = 0; i < word.len; i++)
        buf_putc(out, printable(word.data[i], utf8));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice next_word(struct slice *rest)
{
    size_t from = 0, end;
    while (from < rest->len && is_space(rest->data[from]))
        from++;
    for (end = from; end < rest->len && end - from < 700 && !is_space(rest->data[end]);)
        end++;
    struct slice word = slice_sub(*rest, from, end - from);
    *rest = slice_from(*rest, end);
    return word;
}

/* Words separated by one space, lines folded; `column` is where the line stands, `indent` begins
 * every further line. */
static void put_folded(struct buf *out, struct slice text, size_t column, const char *indent,
                       bool utf8)
{
    struct slice rest = slice_sub(text, 0, WORDS_MAX), word;
    bool first = true;
    while ((word = next_word(&rest)).len) {
        if (!first && column + 1 + word.len > FOLD_AT) {
            buf_puts(out, "\r\n");
            buf_puts(out, indent);
            column = strlen(indent);
        } else if (!first) {
            buf_putc(out, ' ');
            column++;
        }
        put_word(out, word, utf8);
        column += word.len;
        first = false;
    }
    buf_puts(out, "\r\n");
}

static void put_field(struct buf *out, const char *name, struct slice type, struct slice text,
                      bool utf8)
{
    buf_puts(out, name);
    buf_puts(out, ": ");
    if (type.len) {
        put_word(out, type, false);
        buf_puts(out, "; ");
    }
    put_folded(out, text, strlen(name) + 2 + type.len, "    ", utf8);
}

static void put_date(struct buf *out, const char *name, int64_t seconds)
{
    buf_printf(out, "%s: ", name);
    date_format(seconds, date_local_zone(seconds), out);
    buf_puts(out, "\r\n");
}

static int hex(char c)
{
    return ascii_digit(c) ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void dsn_xtext(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        int high = i + 2 < text.len && text.data[i] == '+' ? hex(text.data[i + 1]) : -1;
        int low = high >= 0 ? hex(text.data[i + 2]) : -1;
        if (low >= 0) {
            buf_putc(out, (char)(high * 16 + low));
            i += 2;
        } else {
            buf_putc(out, text.data[i]);
        }
    }
}

bool dsn_wants(struct slice notify, enum dsn_wish wish)
{
    static const char *const words[] = {"FAILURE", "DELAY", "SUCCESS"};
    struct slice rest = notify;
    if (notify.len == 0)
        return wish != DSN_WISH_SUCCESS;
    while (rest.data)
        if (slice_is_nocase(slice_trim(slice_split(&rest, ',')), words[wish]))
            return true;
    return false;
}

/* ---- the header ---- */

static void put_boundary(const struct dsn *d, struct buf *out)
{
    buf_printf(out, "=_%s_dsn", log_id(d->id).text);
}

static void put_delimiter(const struct dsn *d, const char *end, struct buf *out)
{
    buf_puts(out, "\r\n--");
    put_boundary(d, out);
    buf_puts(out, end);
    buf_puts(out, "\r\n");
}

/* What the report is in all: a report of one failure among others is one of failure. */
static enum dsn_action gist_of(const struct dsn *d)
{
    enum dsn_action gist = d->n_rcpts ? d->rcpts[0].action : DSN_FAILED;
    for (size_t i = 0; i < d->n_rcpts; i++)
        if (d->rcpts[i].action == DSN_FAILED)
            gist = DSN_FAILED;
    return gist;
}

static const char *subject_of(enum dsn_action gist)
{
    switch (gist) {
    case DSN_FAILED:
        return "Undelivered Mail Returned to Sender";
    case DSN_DELAYED:
        return "Delayed Mail (still being retried)";
    case DSN_DELIVERABLE:
    case DSN_UNDELIVERABLE:
        return "Mail Delivery Status Report";
    default:
        return "Successful Mail Delivery Report";
    }
}

static void put_header(const struct dsn *d, bool eightbit, bool utf8, struct buf *out)
{
    buf_puts(out, "From: Mail Delivery System <MAILER-DAEMON@");
    put_word(out, d->mailer_domain, utf8);
    buf_puts(out, ">\r\nTo: <");
    put_word(out, d->sender, utf8);
    buf_puts(out, ">\r\n");
    buf_printf(out, "Subject: %s\r\n", subject_of(gist_of(d)));
    put_date(out, "Date", d->now_s);
    buf_printf(out, "Message-ID: <%s@", log_id(d->id).text);
    put_word(out, d->reporting_mta, utf8);
    /* RFC 3834 5: no vacation program may answer. */
    buf_puts(out, ">\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
                  "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"");
    put_boundary(d, out);
    buf_puts(out, "\"\r\n");
    buf_printf(out, "Content-Transfer-Encoding: %s\r\n\r\n", eightbit ? "8bit" : "7bit");
    buf_puts(out, "This is a report in MIME format about mail.\r\n");
}

/* ---- for people ---- */

static void put_human_rcpt(const struct dsn_rcpt *r, bool utf8, struct buf *out)
{
    buf_puts(out, "\r\n<");
    put_word(out, r->address, utf8);
    buf_putc(out, '>');
    if (r->original.len && !slice_eq(r->original, r->address)) {
        buf_puts(out, " (written as <");
        put_word(out, r->original, utf8);
        buf_puts(out, ">)");
    }
    buf_puts(out, ":\r\n");
    if (r->expired)
        buf_puts(out, "    given up after repeated attempts; the last one ended so:\r\n");
    buf_puts(out, "    ");
    if (r->remote.len && slice_is_nocase(r->diag_type, "smtp")) {
        buf_puts(out, "host ");
        put_word(out, r->remote, utf8);
        buf_puts(out, " said:\r\n    ");
    }
    bool well =
        r->action != DSN_FAILED && r->action != DSN_DELAYED && r->action != DSN_UNDELIVERABLE;
    struct slice unsaid = well ? slice_cstr(action_name(r->action)) : SLICE("no reason was given");
    put_folded(out, r->reply.len ? r->reply : unsaid, 4, "    ", utf8);
}

static const char *words_of(enum dsn_action gist)
{
    switch (gist) {
    case DSN_FAILED:
        return "I'm sorry to have to tell you that your message could not be "
               "delivered to\r\none or more recipients. What is known about it "
               "follows, and your message\r\n(or its header) is attached below.\r\n";
    case DSN_DELAYED:
        return "Your message could not be delivered yet to the recipients below. It "
               "will be\r\ntried again; you need not send it again.\r\n";
    case DSN_DELIVERABLE:
    case DSN_UNDELIVERABLE:
        return "This is the report that you asked for. Nothing was delivered, and no other\r\n"
               "server was asked.\r\n";
    default:
        return "Your message was delivered to the recipients below, or passed on to a "
               "server\r\nor a list from which no further report may come.\r\n";
    }
}

static void put_human(const struct dsn *d, bool utf8, struct buf *out)
{
    buf_printf(out,
               "Content-Description: Notification\r\nContent-Type: text/plain; charset=%s\r\n"
               "Content-Transfer-Encoding: %s\r\n\r\n",
               utf8 ? "utf-8" : "us-ascii", utf8 ? "8bit" : "7bit");
    buf_puts(out, "This is the mail system at host ");
    put_word(out, d->reporting_mta, utf8);
    buf_puts(out, ".\r\n\r\n");
    buf_puts(out, words_of(gist_of(d)));
    for (size_t i = 0; i < d->n_rcpts; i++)
        put_human_rcpt(&d->rcpts[i], utf8, out);
}

/* ---- for programs ---- */

static bool is_status(struct slice s)
{
    unsigned dots = 0;
    for (size_t i = 0; i < s.len; i++) {
        dots += s.data[i] == '.';
        if (s.data[i] != '.' && !ascii_digit(s.data[i]))
            return false;
    }
    return s.len >= 5 && s.len <= 9 && dots == 2 && s.data[1] == '.' &&
           (s.data[0] == '2' || s.data[0] == '4' || s.data[0] == '5');
}

/* RFC 3464 2.3.4: the class of the status goes with the action; a recipient that was given up keeps
 * the temporary status that it was given up with, as does one that could not be told about now. */
static void put_status(const struct dsn_rcpt *r, struct buf *out)
{
    bool failed = r->action == DSN_FAILED || r->action == DSN_UNDELIVERABLE;
    char class = failed ? '5' : r->action == DSN_DELAYED ? '4' : '2';
    bool kept = r->expired || r->action == DSN_UNDELIVERABLE;
    bool good = is_status(r->status) && (r->status.data[0] == class || kept);
    buf_puts(out, "Status: ");
    if (good)
        buf_append(out, r->status);
    else
        buf_printf(out, "%c.0.0", class);
    buf_puts(out, "\r\n");
}

static void put_original(const struct dsn_rcpt *r, const char *type, bool utf8, struct buf *out)
{
    size_t semicolon = slice_find(r->orcpt, ';');
    if (semicolon != SIZE_MAX) {
        struct buf decoded;
        buf_init(&decoded, 1024);
        dsn_xtext(slice_from(r->orcpt, semicolon + 1), &decoded);
        put_field(out, "Original-Recipient", slice_sub(r->orcpt, 0, semicolon), buf_slice(&decoded),
                  utf8);
        buf_release(&decoded);
    } else if (r->original.len && !slice_eq(r->original, r->address)) {
        put_field(out, "Original-Recipient", slice_cstr(type), r->original, utf8);
    }
}

static void put_status_rcpt(const struct dsn_rcpt *r, bool utf8, struct buf *out)
{
    const char *type = utf8 ? "utf-8" : "rfc822"; /* RFC 6533 3 */
    buf_puts(out, "\r\n");
    put_original(r, type, utf8, out);
    put_field(out, "Final-Recipient", slice_cstr(type), r->address, utf8);
    buf_printf(out, "Action: %s\r\n", action_name(r->action));
    put_status(r, out);
    if (r->remote.len) {
        size_t end = slice_find(r->remote, '[');
        put_field(out, "Remote-MTA", SLICE("dns"), slice_sub(r->remote, 0, end), utf8);
    }
    put_field(out, "Diagnostic-Code", r->diag_type.len ? r->diag_type : SLICE("x-postrider"),
              r->reply.len ? r->reply : SLICE("none"), utf8);
    put_date(out, "Last-Attempt-Date", r->attempted_s);
}

/* Postfix's field, named by mail_name: what a field's name can't have in it becomes a hyphen. */
static void put_queue_id(const struct dsn *d, struct buf *out)
{
    buf_puts(out, "X-");
    for (size_t i = 0; i < d->system.len; i++)
        buf_putc(out, ascii_alnum(d->system.data[i]) ? d->system.data[i] : '-');
    buf_printf(out, "-Queue-ID: %s\r\n", log_id(d->message).text);
}

static void put_report(const struct dsn *d, bool utf8, struct buf *out)
{
    buf_printf(out, "Content-Description: Delivery report\r\nContent-Type: message/%s\r\n",
               utf8 ? "global-delivery-status" : "delivery-status");
    if (utf8)
        buf_puts(out, "Content-Transfer-Encoding: 8bit\r\n");
    buf_puts(out, "\r\n");
    put_field(out, "Reporting-MTA", SLICE("dns"), d->reporting_mta, utf8);
    if (d->envid.len) {
        struct buf decoded;
        buf_init(&decoded, 1024);
        dsn_xtext(d->envid, &decoded);
        put_field(out, "Original-Envelope-Id", SLICE_NONE, buf_slice(&decoded), utf8);
        buf_release(&decoded);
    }
    put_queue_id(d, out);
    put_date(out, "Arrival-Date", d->arrived_s);
    for (size_t i = 0; i < d->n_rcpts; i++)
        put_status_rcpt(&d->rcpts[i], utf8, out);
}

static void put_returned(const struct dsn *d, bool eightbit, bool utf8, struct buf *out)
{
    const char *type = d->whole ? (utf8 ? "message/global" : "message/rfc822")
                                : (utf8 ? "message/global-headers" : "text/rfc822-headers");
    buf_printf(out, "Content-Description: %s Message%s\r\nContent-Type: %s\r\n",
               gist_of(d) == DSN_FAILED ? "Undelivered" : "Original", d->whole ? "" : " Headers",
               type);
    if (eightbit)
        buf_puts(out, "Content-Transfer-Encoding: 8bit\r\n");
    buf_puts(out, "\r\n");
    buf_append(out, d->returned);
    if (!slice_ends_nocase(d->returned, SLICE("\r\n")))
        buf_puts(out, "\r\n");
}

enum result dsn_build(const struct dsn *d, struct buf *out)
{
    bool utf8 = needs_utf8(d), eightbit = !is_ascii(d->returned);
    put_header(d, eightbit || utf8, utf8, out);
    put_delimiter(d, "", out);
    put_human(d, utf8, out);
    put_delimiter(d, "", out);
    put_report(d, utf8, out);
    put_delimiter(d, "", out);
    put_returned(d, eightbit, utf8, out);
    put_delimiter(d, "--", out);
    return buf_ok(out) ? OK : LIMIT;
}
