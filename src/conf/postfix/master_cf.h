/* master_cf.h: master.cf as a list of services; what they mean is services.c's. master(5). */
#ifndef CONF_POSTFIX_MASTER_CF_H
#define CONF_POSTFIX_MASTER_CF_H

#include "conf/source.h"

enum {
    POSTFIX_SERVICES_MAX = 500,
    POSTFIX_WORDS_MAX = 400 /* of one service's line */
};

struct master_word {
    struct slice text; /* without the { } around it */
    unsigned line;
    bool grouped; /* it stood in { } */
};

struct master_service {
    struct slice fields[8]; /* as they stand: name, type, private, unpriv, chroot, … command */
    struct slice name, type, command;
    struct master_word *words; /* behind the command */
    size_t n_words;
    unsigned line;
};

struct master_services {
    struct master_service *items;
    size_t n;
};

/* Of two with the same name and type the last one is there. What is malformed is told as errors
 * and left out. Slices live in the arena. LIMIT, FAILED: told too. */
MUST_USE enum result master_cf_parse(struct slice text, const char *file, struct arena *a,
                                     struct conf_errors *errors, struct master_services *ret);

#endif
