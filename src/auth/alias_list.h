/* alias_list.h: lists of recipients as aliases(5) has them: the right-hand side of an alias, and
 * each line of an :include: file and of a .forward. Items are separated by commas:
 *
 *     address             a name here, or user@domain; "Name <address>" too; \name: the account
 *     "|command line"     |"command line" as well; quotes are needed where it holds white space
 *     /file   /folder/    appended in mbox form; one file a message
 *     :include:/file      recipients listed in a file
 *
 * Who calls it: aliases.c and expand.c. Any bytes are taken; each list and item is bounded. */
#ifndef AUTH_ALIAS_LIST_H
#define AUTH_ALIAS_LIST_H

#include "base/arena.h"

enum {
    ALIAS_TARGETS_MAX = 1000, /* items of one list (of one file, for alias_lines) */
    ALIAS_TEXT_MAX = 1800     /* bytes of a command line or path */
};

enum alias_item { ITEM_ADDRESS, ITEM_COMMAND, ITEM_FILE, ITEM_INCLUDE };
/* What an item without its quotes is. */
enum alias_item alias_item_kind(struct slice item);
/* Behind "|" or ":include:"; others as they are. */
struct slice alias_item_text(struct slice item);

/* Takes a word off the front of *rest, up to a byte of `stops` or white space outside quotes,
 * without its quotes. NULL: fine; else what is wrong. */
const char *alias_word(struct slice *rest, const char *stops, struct arena *a, struct slice *ret);

/* Reads "item, item" and adds to items (room for ALIAS_TARGETS_MAX), of which *n are there. The
 * texts live in the arena. NULL: fine; else what is wrong, and nothing was added. An empty list is
 * fine. */
const char *alias_list_parse(struct slice text, struct arena *a, struct slice *items, size_t *n);

/* Reads a file of lists, one a line; # begins a comment line. Lines that are wrong are left out;
 * the first is told in *ret_wrong (NULL: none) with its number. FAILED: no memory. */
MUST_USE enum result alias_lines_parse(struct slice bytes, struct arena *a, struct slice_list *ret,
                                       const char **ret_wrong, unsigned *ret_line);

#endif
