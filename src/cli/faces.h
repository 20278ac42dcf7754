/* faces.h: the programs of Postfix, Dovecot and Cyrus SASL that postrider stands for: called by
 * their name (a link to the program) or as `postrider NAME …`, it takes their options, prints what
 * they print and ends with their exit status. A new face is a row here and a file in cli/faces/
 * that defines face_NAME. */
#ifndef CLI_FACES_H
#define CLI_FACES_H

#include "cli/cli.h"

/* X(name, what it does). face_NAME(c, words, n): words[0] is the name, c->conf is not loaded. */
/* clang-format off */
#define FACES(X) \
    X(sendmail, "Hand in a message, whether the server runs or not.") \
    X(doveadm, "Accounts, passwords, sessions and mailboxes, in doveadm's words.") \
    X(doveconf, "Show dovecot.conf as it is used: all of it, or settings by name.") \
    X(testsaslauthd, "Ask saslauthd's socket whether a password is right; with -v, why not.") \
    X(mailq, "The queue, as Postfix and Sendmail list it.") \
    X(newaliases, "Check the files of alias_maps, which are read as they are.") \
    X(postqueue, "The queue (-p, -j), and another attempt (-f, -i ID, -s SITE).") \
    X(postcat, "Show queued mail: -q ID, all of it or -e, -h, -b.") \
    X(postsuper, "Delete (-d), hold (-h), release (-H) or requeue (-r) messages.") \
    X(postfix, "Start, stop or reload the server, or tell whether it runs.") \
    X(postconf, "Show parameters of main.cf and services of master.cf.") \
    X(postalias, "Ask or check alias files: -q NAME TYPE:FILE.") \
    X(postmap, "Ask lookup tables: -q KEY TYPE:NAME.")
/* clang-format on */

#define FACE_DECLARE(name, text) cli_command_fn face_##name;
FACES(FACE_DECLARE)

struct face {
    const char *name, *text;
    cli_command_fn *run;
};
extern const struct face face_table[];
extern const size_t face_count;

/* By the name of a program, with or without folders before it; NULL: none of ours. */
const struct face *face_find(const char *program);
/* Is what -c names the file or folder that the configuration in use names? */
bool face_is_in_use(const char *given, struct slice used);
/* Runs it; getopt may be used as in a program of its own. Returns the exit status. */
int face_run(const struct face *f, struct cli *c, char **words, int n);

#endif
