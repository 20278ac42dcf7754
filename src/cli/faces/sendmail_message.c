/* sendmail_message.c: standard input as a message. Lines end with LF there, some with CRLF (PHP);
 * unless -i was said a line with a dot alone ends it. The header is looked at for recipients (-t)
 * and for From, which the caller's name completes; all else that is missing the server adds. */
#include "cli/faces/sendmail.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mime/header.h"

/* ---- the bytes ---- */

struct reading {
    FILE *in;
    bool keep_dots;
    bool first; /* no line was taken yet */
};

/* A mailbox file's separator on top of a message is none of it (RFC 4155). */
static bool is_separator(const struct reading *r, struct slice line)
{
    return r->first && (slice_starts(line, SLICE("From ")) || slice_starts(line, SLICE(">From ")));
}

/* False: the message ends here. */
static bool take_line(struct reading *r, struct slice line, struct buf *out)
{
    bool ended = line.len && line.data[line.len - 1] == '\n';
    if (ended)
        line = slice_sub(line, 0, line.len - 1);
    if (ended && line.len && line.data[line.len - 1] == '\r')
        line = slice_sub(line, 0, line.len - 1);
    if (!r->keep_dots && slice_is(line, "."))
        return false;
    if (!is_separator(r, line)) {
        buf_append(out, line);
        buf_puts(out, "\r\n");
        r->first = false;
    }
    return true;
}

static int read_all(struct reading *r, struct buf *out)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    while ((n = getline(&line, &size, r->in)) >= 0 && buf_ok(out))
        if (!take_line(r, slice_of(line, (size_t)n), out))
            break;
    bool broken = ferror(r->in);
    free(line);
    if (broken)
        return sendmail_fail(EX_IOERR, "reading standard input: %s", strerror(errno));
    return buf_ok(out) ? EX_OK : sendmail_fail(EX_UNAVAILABLE, "message file too big");
}

/* ---- the header ---- */

static bool is_one_of(struct slice name, const char *const *list)
{
    for (; *list; list++)
        if (slice_is_nocase(name, *list))
            return true;
    return false;
}

static bool has_resent(struct slice message)
{
    struct header_field f;
    while (header_next(&message, &f) && f.name.len)
        if (slice_starts_nocase(f.name, SLICE("Resent-")))
            return true;
    return false;
}

/* RFC 5322 3.6.6: of a message that was sent on, the newer fields tell its recipients. */
static enum result collect(struct slice message, struct arena *a, struct slice_list *list)
{
    static const char *const plain[] = {"To", "Cc", "Bcc", NULL};
    static const char *const resent[] = {"Resent-To", "Resent-Cc", "Resent-Bcc", NULL};
    const char *const *names = has_resent(message) ? resent : plain;
    struct header_field f;
    enum result r = OK;
    while (r == OK && header_next(&message, &f) && f.name.len)
        if (is_one_of(f.name, names))
            r = faces_addresses(f.body, a, list, SENDMAIL_RCPTS_MAX);
    return r;
}

/* The caller's name: -F, $NAME, or the first part of the system account's text, in which & stands
 * for the name of the account. */
static void full_name(const struct sendmail *s, struct buf *out)
{
    const char *from_environment = getenv("NAME");
    const struct passwd *pw = getpwuid(getuid());
    if (s->full_name || (from_environment && *from_environment)) {
        buf_puts(out, s->full_name ? s->full_name : from_environment);
        return;
    }
    for (const char *p = pw ? pw->pw_gecos : ""; *p && *p != ','; p++) {
        if (*p == '&') {
            buf_putc(out, (char)toupper((unsigned char)pw->pw_name[0]));
            buf_puts(out, pw->pw_name + 1);
        } else
            buf_putc(out, *p);
    }
}

/* A name as a quoted-string, or as encoded words. */
static void put_phrase(struct slice name, struct buf *out)
{
    struct buf field;
    if (!faces_is_ascii(name)) {
        static const char prefix[] = "X: ";
        buf_init(&field, 4096);
        header_write_text(&field, "X", name);
        buf_append(out, slice_trim(slice_from(buf_slice(&field), sizeof prefix - 1)));
        buf_release(&field);
        return;
    }
    buf_putc(out, '"');
    for (size_t i = 0; i < name.len; i++) {
        if (strchr("\"\\", name.data[i]))
            buf_putc(out, '\\');
        buf_putc(out, (unsigned char)name.data[i] < 0x20 ? ' ' : name.data[i]);
    }
    buf_putc(out, '"');
}

static void put_from(const struct sendmail *s, const char *login, struct buf *message)
{
    struct header_field f;
    struct buf name, field;
    struct slice sender = slice_cstr(s->sender && *s->sender ? s->sender : login);
    if (header_find(buf_slice(message), "From", &f) == OK || slice_is(sender, "<>"))
        return;
    buf_init(&name, 512);
    buf_init(&field, 8192);
    full_name(s, &name);
    struct slice trimmed = slice_trim(buf_slice(&name));
    if (trimmed.len && buf_ok(&name)) {
        buf_puts(&field, "From: ");
        put_phrase(trimmed, &field);
        buf_printf(&field, " <%.*s>\r\n", SLICE_ARG(sender));
        /* A first line that is no field is text: it must not become part of ours. */
        struct slice rest = buf_slice(message);
        if (header_next(&rest, &f) && !f.name.len)
            buf_puts(&field, "\r\n");
        buf_prepend(message, buf_slice(&field));
    }
    buf_release(&name);
    buf_release(&field);
}

int sendmail_read(const struct sendmail *s, const char *login, struct arena *a,
                  struct sendmail_message *ret)
{
    struct reading r = {.in = stdin, .keep_dots = s->keep_dots, .first = true};
    int status = read_all(&r, &ret->bytes);
    if (status != EX_OK)
        return status;
    if (s->from_headers && collect(buf_slice(&ret->bytes), a, &ret->rcpts) != OK)
        return sendmail_fail(EX_DATAERR,
                             "an address of the header can't be used, or there are more "
                             "than %d",
                             SENDMAIL_RCPTS_MAX);
    put_from(s, login, &ret->bytes);
    if (!buf_ok(&ret->bytes))
        return sendmail_fail(EX_UNAVAILABLE, "message file too big");
    ret->eightbit = s->eightbit || !faces_is_ascii(buf_slice(&ret->bytes));
    return EX_OK;
}
