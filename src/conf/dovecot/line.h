/* line.h: one logical line of dovecot.conf taken apart, without its context. */
#ifndef CONF_DOVECOT_LINE_H
#define CONF_DOVECOT_LINE_H

#include "conf/dovecot/tree.h"

enum dovecot_line_kind {
    DOVECOT_EMPTY,
    DOVECOT_SETTING, /* key = value */
    DOVECOT_OPEN,    /* key value { */
    DOVECOT_CLOSE,   /* } */
    DOVECOT_INCLUDE, /* !include value; optional: !include_try */
    DOVECOT_WRONG    /* why says what */
};

struct dovecot_line {
    enum dovecot_line_kind kind;
    struct slice key, value;
    bool quoted;    /* $ is no reference */
    bool from_file; /* "= <path" */
    bool optional;
    const char *why;
};

/* Cuts the next logical line off *rest into `joined` (which is emptied first): lines that end with
 * \ are continued, comments are gone, white space around is trimmed. *ret_lines: how many lines it
 * took. LIMIT: longer than DOVECOT_LINE_MAX. */
MUST_USE enum result dovecot_next_line(struct slice *rest, struct buf *joined, unsigned *ret_lines);

/* Slices of the result point into the line or, where quotes were undone, into the arena. */
struct dovecot_line dovecot_parse_line(struct slice line, struct arena *a);

#endif
