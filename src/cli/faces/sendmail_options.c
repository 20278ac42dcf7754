/* sendmail_options.c: the words of sendmail(1). What Sendmail had and nobody needs any more is
 * taken and dropped, as Postfix does; what would change where mail goes is refused or noted. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/faces/sendmail.h"

/* -b: the mode. */
static bool take_mode(struct sendmail *s, const char *value, int *ret_status)
{
    static const enum sendmail_mode modes[] = {
        ['m'] = SENDMAIL_DELIVER, ['s'] = SENDMAIL_SMTP,    ['v'] = SENDMAIL_VERIFY,
        ['p'] = SENDMAIL_QUEUE,   ['i'] = SENDMAIL_ALIASES,
    };
    char c = value[0];
    if (c == 'd' || c == 'D' || c == 'l') {
        *ret_status = sendmail_fail(EX_USAGE,
                                    "-b%c: the server is started by the system's service manager, "
                                    "or by \"postfix start\"; nothing was done",
                                    c);
        return false;
    }
    if (!c || !strchr("msvpi", c)) {
        *ret_status = sendmail_fail(EX_USAGE, "-b%s: not supported", value);
        return false;
    }
    s->mode = modes[(unsigned char)c];
    return true;
}

/* -q: alone, all of the queue; with a letter, a part of it; with a time, what a daemon would do. */
static void take_queue(struct sendmail *s, const char *value)
{
    if (!value) {
        s->mode = SENDMAIL_FLUSH;
        return;
    }
    if (value[0] == 'I' || value[0] == 'S' || value[0] == 'R') {
        s->mode = value[0] == 'I' ? SENDMAIL_FLUSH_ID : SENDMAIL_FLUSH_SITE;
        s->queue_word = value + 1;
    }
}

/* -o: old single-letter options; -oi is the one that matters. */
static void take_old(struct sendmail *s, const char *value)
{
    if (value[0] == 'i')
        s->keep_dots = true;
    else if (value[0] == '8')
        s->eightbit = true;
    else if (value[0] == 'A')
        fprintf(stderr, "sendmail: note: -o%s is ignored: aliases are those of alias_maps\n",
                value);
    else if (value[0] && strchr("QC", value[0]))
        fprintf(stderr, "sendmail: note: -o%s is ignored: the configuration names the queue\n",
                value);
}

/* -O Name=value */
static void take_long(struct sendmail *s, const char *value)
{
    static const char *const noted[] = {"AliasFile", "QueueDirectory"};
    if (strcasecmp(value, "IgnoreDots=true") == 0 || strcasecmp(value, "IgnoreDots") == 0)
        s->keep_dots = true;
    for (size_t i = 0; i < sizeof noted / sizeof *noted; i++)
        if (strncasecmp(value, noted[i], strlen(noted[i])) == 0)
            fprintf(stderr, "sendmail: note: -O %s is ignored: see postrider.conf(5)\n", value);
}

/* RFC 3461: checked here, where the person is; an unknown -R is dropped, as Postfix does. */
static bool take_dsn(struct sendmail *s, int option, const char *value, int *ret_status)
{
    if (option == 'N')
        s->notify = value;
    else if (option == 'V')
        s->envid = value;
    else if (strcasecmp(value, "full") == 0 || strcasecmp(value, "hdrs") == 0)
        s->ret = strcasecmp(value, "full") == 0 ? "FULL" : "HDRS";
    else
        fprintf(stderr, "sendmail: warning: -R %s is ignored: full or hdrs\n", value);
    if (value[strcspn(value, " \t\r\n<>")])
        *ret_status = sendmail_fail(EX_USAGE, "-%c %s: not understood", option, value);
    return *ret_status == EX_OK;
}

static bool take(struct sendmail *s, int option, const char *value, int *ret_status)
{
    switch (option) {
    case 'b':
        return take_mode(s, value, ret_status);
    case 'N':
    case 'R':
    case 'V':
        return take_dsn(s, option, value, ret_status);
    case 'I':
        s->mode = SENDMAIL_ALIASES;
        return true;
    case 'q':
        take_queue(s, value);
        return true;
    case 'o':
        take_old(s, value);
        return true;
    case 'O':
        take_long(s, value);
        return true;
    case 'B':
        s->eightbit = strcasecmp(value, "8BITMIME") == 0;
        return true;
    case 'F':
        s->full_name = value;
        return true;
    case 'f':
    case 'r':
        s->sender = value;
        return true;
    case 'i':
        s->keep_dots = true;
        return true;
    case 'v':
        s->verbose++;
        return true;
    case 't':
        s->from_headers = true;
        return true;
    case 'C':
        fprintf(stderr, "sendmail: note: -C %s is ignored: it names another program's file\n",
                value);
        return true;
    case '?':
        *ret_status = EX_USAGE;
        return false;
    default: /* -A -G -L -U -X -c -e -h -m -n -p -x: harmless, and without effect */
        return true;
    }
}

bool sendmail_options(struct sendmail *s, char **words, int n, int *ret_status)
{
    int option;
    *ret_status = EX_OK;
    /* As with Sendmail, options end at the first recipient. */
    while ((option = getopt(n, words, "+A:B:C:F:GIL:N:O:R:UV:X:b:ce:f:h:imno:p:q::r:tvx:")) != -1)
        if (!take(s, option, optarg, ret_status))
            return false;
    s->rcpts = words + optind;
    s->n_rcpts = n - optind;
    return true;
}
