/* source.h: what a reader of configuration files gives: assignments of our settings (or of names
 * that values refer to), each with its own file and line, errors, and notes.
 *
 * Who calls it: lines.c (postrider.conf, main.cf) and the readers of the old stack's files in
 * conf/postfix/, conf/dovecot/ and conf/cyrus/. Everything lives in the reading's arena. */
#ifndef CONF_SOURCE_H
#define CONF_SOURCE_H

#include "base/arena.h"
#include "conf/conf.h"

enum {
    CONF_FILE_MAX = 1 << 20,      /* bytes of one file */
    CONF_ASSIGNMENTS_MAX = 10000, /* of one layer */
    CONF_VALUE_MAX = 64 * 1024    /* bytes of one value */
};

/* How the text of a value is meant. */
enum conf_grammar {
    CONF_OWN,     /* $name must be defined */
    CONF_POSTFIX, /* an undefined $name is empty, as in main.cf */
    CONF_LITERAL  /* as it stands: the reader has expanded what there was */
};

struct conf_assignment {
    struct slice name, value; /* value: one line, trimmed */
    struct slice service;     /* the listener or service it holds for alone; "": for all */
    struct slice written;     /* what the file calls it; data NULL: name */
    const char *file;
    unsigned line; /* 0: of no line (a program's default, the command line) */
    enum conf_grammar grammar;
    bool used; /* its name is a setting, or a value refers to it */
};

struct conf_assignments {
    struct conf_assignment *items;
    size_t n, room;
};

/* A reader's work: what it found goes to `found`, its program's own defaults (those that differ
 * from ours; `file` says whose they are: "Dovecot's default") to `defaults`. */
struct conf_reading {
    struct arena *arena;
    struct conf_errors *errors;
    struct conf_assignments found, defaults;
};

/* Adds an assignment; the name and value are borrowed (from the arena). LIMIT when there are too
 * many, FAILED without memory; both told as errors. The last of the same name wins. */
MUST_USE enum result conf_assign(struct conf_reading *r, struct conf_assignments *to,
                                 struct conf_assignment a);

/* Adds "FILE:LINE: reason, what to do" (without the line when it is 0), unless it is there. */
void conf_error(struct conf_errors *e, const char *file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for what is taken, but not served as it says: its effect and what to do. */
void conf_warn(struct conf_errors *e, const char *file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* And for what is known and means nothing here. */
void conf_note(struct conf_errors *e, const char *file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The whole of a regular file into the arena. NOT_FOUND: there is none; LIMIT: too large; FAILED:
 * errno says why. Nothing is reported. */
MUST_USE enum result conf_read_file(const char *path, struct arena *a, struct slice *ret);

#endif
