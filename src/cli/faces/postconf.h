/* postconf.h: the parts of the face `postconf`: what it shows of main.cf (postconf.c) and master.cf
 * (postconf_services.c), and what it changes in main.cf (postconf_edit.c). */
#ifndef CLI_FACES_POSTCONF_H
#define CLI_FACES_POSTCONF_H

#include "base/arena.h"
#include "cli/faces.h"
#include "conf/scope.h"

struct postconf {
    struct cli *cli;
    struct arena arena;
    struct conf_errors errors;
    struct conf_scope scope;         /* main.cf and what is worked out from it */
    struct conf_assignments of_file; /* main.cf alone */
    const char *dir;                 /* NULL: there is no main.cf */
    bool defaults, set, bare;        /* -d -n -h */
    bool expand;                     /* -x */
    int mode;                        /* 0, or the letter of another way: M P m a A e # X */
    struct buf out;
};

/* -M [NAME[/TYPE]]: lines of master.cf; -P [NAME[/TYPE[/PARAMETER]]]: their -o. Exit status. */
int postconf_services(struct postconf *p, char **words, int n);
/* -e NAME=VALUE, -# NAME, -X NAME: writes main.cf anew, in one step. Exit status. */
int postconf_edit(struct postconf *p, char **words, int n);

#endif
