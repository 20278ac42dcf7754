/* sendmail.c: sendmail(1), which other programs call to send mail. */
#include "cli/faces/sendmail.h"

#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PROBE_NAMED_MAX = 100, PROBE_BYTES_MAX = 128 * 1024 };

int sendmail_fail(int status, const char *format, ...)
{
    va_list ap;
    fputs("sendmail: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    return status;
}

/* Who calls: the sender, unless -f says another. A uid without a name still has mail to send. */
static const char *login_name(char number[static 32])
{
    const struct passwd *pw = getpwuid(getuid());
    snprintf(number, 32, "uid%u", (unsigned)getuid());
    return pw && pw->pw_name[0] ? pw->pw_name : number;
}

static int set_sender(const struct sendmail *s, const char *login, struct arena *a, struct drop *d)
{
    struct slice one[2];
    struct slice_list list = {one, 0};
    struct slice given = slice_trim(slice_cstr(s->sender ? s->sender : login));
    if (given.len == 0 || slice_is(given, "<>")) {
        d->sender = SLICE("");
        return EX_OK;
    }
    if (faces_addresses(given, a, &list, 2) != OK || list.n != 1)
        return sendmail_fail(EX_USAGE, "-f %.*s: not an address", SLICE_ARG(given));
    d->sender = one[0];
    return EX_OK;
}

static int add_words(const struct sendmail *s, struct arena *a, struct slice_list *list)
{
    for (int i = 0; i < s->n_rcpts; i++) {
        size_t before = list->n;
        if (faces_addresses(slice_cstr(s->rcpts[i]), a, list, SENDMAIL_RCPTS_MAX) != OK)
            return sendmail_fail(EX_DATAERR, "%s: not an address, or too many", s->rcpts[i]);
        if (list->n == before)
            return sendmail_fail(EX_USAGE, "\"%s\": not an address", s->rcpts[i]);
    }
    return EX_OK;
}

/* Does an address need SMTPUTF8 (RFC 6531)? */
static bool needs_utf8(const struct drop *d)
{
    bool ascii = faces_is_ascii(d->sender);
    for (size_t i = 0; ascii && i < d->rcpts.n; i++)
        ascii = faces_is_ascii(d->rcpts.items[i]);
    return !ascii;
}

static void announce(const struct drop *d)
{
    printf("Mail Delivery Status Report will be mailed to <%.*s>.\n", SLICE_ARG(d->sender));
}

/* One -v: of what became of the message; several made Postfix's programs talkative. What -N says
 * stands. */
static bool wants_report(const struct sendmail *s, const struct drop *d)
{
    return s->verbose == 1 && !s->notify && d->sender.len;
}

static int deliver(struct sendmail *s, struct arena *a, struct drop *d)
{
    char number[32];
    struct sendmail_message m = {.rcpts = d->rcpts};
    const char *login = login_name(number);
    int status = set_sender(s, login, a, d);
    if (status != EX_OK)
        return status;
    if (!s->from_headers && s->n_rcpts == 0)
        return sendmail_fail(EX_USAGE,
                             "Recipient addresses must be specified on the command line or "
                             "via the -t option");
    buf_init(&m.bytes, DROP_MESSAGE_MAX);
    status = add_words(s, a, &m.rcpts);
    if (status == EX_OK)
        status = sendmail_read(s, login, a, &m);
    if (status == EX_OK && m.rcpts.n == 0)
        status = sendmail_fail(EX_USAGE, "No recipient addresses found in message header");
    if (status == EX_OK) {
        d->rcpts = m.rcpts;
        d->message = buf_slice(&m.bytes);
        d->eightbit = m.eightbit;
        d->smtputf8 = needs_utf8(d);
        d->notify = wants_report(s, d) ? SLICE("SUCCESS,FAILURE,DELAY") : d->notify;
        status = sendmail_submit(s, d);
        if (status == EX_OK && wants_report(s, d))
            announce(d);
    }
    buf_release(&m.bytes);
    return status;
}

/* What stands in the report as the message that it is about. */
static void put_probe(const struct drop *d, struct buf *out)
{
    buf_puts(out, "Subject: probe\r\n");
    for (size_t i = 0; i < d->rcpts.n && i < PROBE_NAMED_MAX; i++)
        buf_printf(out, "%s%.*s", i ? ",\r\n " : "To: ", SLICE_ARG(d->rcpts.items[i]));
    buf_puts(out, "\r\n\r\n");
}

static int verify(struct sendmail *s, struct arena *a, struct drop *d)
{
    char number[32];
    struct buf message;
    int status = set_sender(s, login_name(number), a, d);
    if (status == EX_OK && (s->n_rcpts == 0 || d->sender.len == 0))
        status = sendmail_fail(EX_USAGE, s->n_rcpts ? "-bv: name a sender, who will get the report"
                                                    : "-bv: name recipients");
    if (status == EX_OK)
        status = add_words(s, a, &d->rcpts);
    if (status != EX_OK)
        return status;
    buf_init(&message, PROBE_BYTES_MAX);
    put_probe(d, &message);
    d->message = buf_slice(&message);
    d->smtputf8 = d->eightbit = needs_utf8(d);
    d->probe = true;
    status = sendmail_probe(s, d);
    buf_release(&message);
    if (status == EX_OK)
        announce(d);
    return status;
}

static int with_envelope(struct sendmail *s)
{
    struct arena a;
    arena_init(&a, SENDMAIL_ARENA_MAX);
    struct slice *room = arena_alloc_n(&a, SENDMAIL_RCPTS_MAX, sizeof *room);
    struct drop d = {.rcpts = {room, 0},
                     .ret = slice_cstr(s->ret),
                     .envid = slice_cstr(s->envid),
                     .notify = slice_cstr(s->notify)};
    int status = !room                         ? sendmail_fail(EX_OSERR, "no memory")
                 : s->mode == SENDMAIL_DELIVER ? deliver(s, &a, &d)
                                               : verify(s, &a, &d);
    arena_release(&a);
    return status;
}

/* Another face, with words of its own. */
static int become(struct sendmail *s, const char *name, const char *option, const char *value)
{
    char *words[] = {(char *)name, (char *)option, (char *)value, NULL};
    const struct face *f = face_find(name);
    return f ? face_run(f, s->cli, words, option ? value ? 3 : 2 : 1) : EX_SOFTWARE;
}

int face_sendmail(struct cli *c, char **words, int n)
{
    struct sendmail s = {.cli = c};
    int status;
    signal(SIGPIPE, SIG_IGN);
    if (!sendmail_options(&s, words, n, &status))
        return status;
    switch (s.mode) {
    case SENDMAIL_DELIVER:
    case SENDMAIL_VERIFY:
        return with_envelope(&s);
    case SENDMAIL_SMTP:
        return sendmail_smtp(&s);
    case SENDMAIL_QUEUE:
        return become(&s, "mailq", NULL, NULL);
    case SENDMAIL_ALIASES:
        return become(&s, "newaliases", NULL, NULL);
    case SENDMAIL_FLUSH:
        return become(&s, "postqueue", "-f", NULL);
    case SENDMAIL_FLUSH_SITE:
        return become(&s, "postqueue", "-s", s.queue_word);
    case SENDMAIL_FLUSH_ID:
        return become(&s, "postqueue", "-i", s.queue_word);
    }
    return EX_SOFTWARE;
}
