/* postconf.h: the parts of the face `postconf`: what it shows of main.cf (postconf.c) and master.cf
 * (postconf_services.c), and what it changes in main.cf (postconf_edit.c) and master.cf
 * (postconf_edit_services.c). */
#ifndef CLI_FACES_POSTCONF_H
#define CLI_FACES_POSTCONF_H

#include "base/arena.h"
#include "cli/faces.h"
#include "conf/postfix/master_cf.h"
#include "conf/scope.h"

struct postconf {
    struct cli *cli;
    struct arena arena;
    struct conf_errors errors;
    struct conf_scope scope;         /* main.cf and what is worked out from it */
    struct conf_assignments of_file; /* main.cf alone */
    const char *dir;                 /* NULL: there is no main.cf */
    bool defaults, set, bare;        /* -d -n -h */
    bool expand, fold;               /* -x -f */
    int mode;                        /* 0, or the letter of what is meant: M P F m a A l */
    int edit;                        /* 0, or what is done to it: e # X */
    struct buf out;
};

/* "postconf: fatal: WHAT: WHY" on stderr; returns 1. */
int postconf_fatal(const char *what, const char *why);

/* -M [NAME[/TYPE]]: lines of master.cf; -P [NAME[/TYPE[/PARAMETER]]]: their -o;
 * -F [NAME[/TYPE[/FIELD]]]: their fields. Exit status. */
int postconf_services(struct postconf *p, char **words, int n);
/* As it stands in master.cf: in columns; folded: each -o in a line of its own. */
void postconf_put_service(const struct master_service *m, bool folded, struct buf *out);
/* A field of master.cf by its name: 0 "service" … 7 "command"; -1: there is none. */
int postconf_field(struct slice name);
enum { POSTCONF_COMMAND = 7 }; /* the field that the arguments follow */

/* -e NAME=VALUE, -# NAME, -X NAME: writes main.cf anew, in one step. Exit status. */
int postconf_edit(struct postconf *p, char **words, int n);
/* -M, -P and -F with one of -e, -#, -X: the same for master.cf. */
int postconf_edit_services(struct postconf *p, char **words, int n);

/* Writes a file anew, with its lines, comments, owner and mode, but for what is edited. */
struct postconf_rewriting {
    /* Of each setting or service, with the lines that continue it: is it edited? What stands for
     * it is appended to `out`. */
    bool (*item)(void *arg, struct slice text, struct buf *out);
    void (*end)(void *arg, struct buf *out); /* what is added behind the last line */
    void *arg;
    const bool *failed; /* told already: nothing is written */
};
/* name: "main.cf". With -#, what is edited stays as a comment. Exit status. */
int postconf_rewrite(struct postconf *p, const char *name, const struct postconf_rewriting *r);

#endif
