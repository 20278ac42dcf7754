/* doveadm.h: the parts of the face `doveadm`. Exit statuses are Dovecot's (sysexits.h): 64 the
 * words are wrong, 67 no such user, 68 no such mailbox or session, 75 try again, 77 a wrong
 * password. */
#ifndef CLI_FACES_DOVEADM_H
#define CLI_FACES_DOVEADM_H

#include "base/arena.h"
#include "cli/faces.h"

enum doveadm_format { DOVEADM_DEFAULT, DOVEADM_FLOW, DOVEADM_TAB, DOVEADM_TABLE, DOVEADM_JSON };

struct doveadm {
    struct cli *cli;
    enum doveadm_format format;
};

/* words[0] is the command. Each ends with the exit status. */
typedef int doveadm_fn(struct doveadm *d, char **words, int n);
doveadm_fn doveadm_user, doveadm_pw, doveadm_auth, doveadm_who, doveadm_kick, doveadm_mailbox;

/* "Fatal: …" on stderr; returns the status. */
int doveadm_fatal(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Does the account exist, and what is known of it? Asked here, without the server. OK; NOT_FOUND;
 * FAILED: told. The fields are "name\tvalue\n" lines. */
MUST_USE enum result doveadm_find_user(struct doveadm *d, struct slice name, struct buf *fields);

/* Asks the running server; *out is initialised, the caller's, whatever is returned. 0, or 75 with
 * the reason told. */
int doveadm_ask(struct doveadm *d, const char *const *words, size_t n, struct buf *out);
/* Is the word one of those in the text, which single blanks divide? */
bool doveadm_has_word(struct slice text, struct slice word);

#endif
