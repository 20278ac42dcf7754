/* sendmail.h: what the files of the face `sendmail` share.
 *
 *     sendmail.c          the modes: -bm -bs -bv -bp -bi -q, and the way of a message
 *     sendmail_options.c  the words, as Postfix's and Sendmail's sendmail(1) take them
 *     sendmail_message.c  standard input as a message: line ends, dot, header, From
 *     submit.c            to the server, or into the maildrop folder
 *     address.c           addresses as people write them */
#ifndef CLI_FACES_SENDMAIL_H
#define CLI_FACES_SENDMAIL_H

#include <sysexits.h>

#include "cli/faces.h"
#include "submit/drop.h"

enum { SENDMAIL_RCPTS_MAX = 100000, SENDMAIL_ARENA_MAX = 64 << 20 };

enum sendmail_mode {
    SENDMAIL_DELIVER,    /* -bm */
    SENDMAIL_SMTP,       /* -bs */
    SENDMAIL_VERIFY,     /* -bv */
    SENDMAIL_QUEUE,      /* -bp */
    SENDMAIL_ALIASES,    /* -bi */
    SENDMAIL_FLUSH,      /* -q */
    SENDMAIL_FLUSH_SITE, /* -qSdomain, -qRdomain */
    SENDMAIL_FLUSH_ID,   /* -qIid */
};

struct sendmail {
    struct cli *cli;
    enum sendmail_mode mode;
    bool from_headers;     /* -t */
    bool keep_dots;        /* -i */
    bool eightbit;         /* -B8BITMIME */
    unsigned verbose;      /* how many -v: one asks for a report */
    const char *sender;    /* -f; NULL: the caller */
    const char *full_name; /* -F */
    const char *ret, *envid, *notify;
    const char *queue_word; /* of -q */
    char **rcpts;           /* behind the options */
    int n_rcpts;
};

/* False: an error was told; *ret_status says how to end. */
bool sendmail_options(struct sendmail *s, char **words, int n, int *ret_status);

/* The message from standard input. message: CRLF line ends. rcpts: of the header, with -t. Returns
 * an exit status. */
struct sendmail_message {
    struct buf bytes;
    bool eightbit;
    struct slice_list rcpts; /* room for SENDMAIL_RCPTS_MAX */
};
int sendmail_read(const struct sendmail *s, const char *login, struct arena *a,
                  struct sendmail_message *ret);

/* submit.c: hands over, in pieces of DROP_RCPTS_MAX recipients; an exit status. */
int sendmail_submit(const struct sendmail *s, struct drop *d);
/* -bv: lays it into the folder maildrop, for a report to its sender. */
int sendmail_probe(const struct sendmail *s, struct drop *d);
/* -bs: passes bytes both ways. */
int sendmail_smtp(const struct sendmail *s);

/* address.c: adds the addresses of a list to `list`. INVALID: one can't stand in an envelope. */
MUST_USE enum result faces_addresses(struct slice text, struct arena *a, struct slice_list *list,
                                     size_t room);
bool faces_is_ascii(struct slice s);

/* "sendmail: ..." on stderr; returns the status. */
int sendmail_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
