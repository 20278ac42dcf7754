/* lines.h: main.cf's lines: "name = value", continued by lines that begin with white space. */
#ifndef CONF_LINES_H
#define CONF_LINES_H

#include "base/arena.h"
#include "conf/conf.h"

enum { CONF_FILE_MAX = 1 << 20, CONF_ASSIGNMENTS_MAX = 10000, CONF_VALUE_MAX = 64 * 1024 };

struct conf_assignment {
    struct slice name, value; /* value: lines joined by one space, trimmed, not expanded */
    unsigned line;
    bool used; /* its name is a setting, or a value refers to it */
};

struct conf_assignments {
    struct conf_assignment *items;
    size_t n;
};

/* Adds "FILE:LINE: reason, what to do". */
void conf_error(struct conf_errors *e, const char *file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Reads the text into the arena; what is malformed goes to `errors` and is left out. FAILED: no
 * memory. */
MUST_USE enum result conf_read_lines(struct slice text, const char *file, struct arena *a,
                                     struct conf_assignments *ret, struct conf_errors *errors);

#endif
