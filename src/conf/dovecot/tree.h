/* tree.h: dovecot.conf as a tree: settings and blocks in the order of the files, includes in their
 * place. Who calls it: the mapping to our own settings (map.c), tests and the fuzzer.
 *
 * One grammar takes all versions: 0.99's and 1.x's flat lines and blocks, 2.x's nested blocks with
 * `!include`, `!include_try` and `<file` values, 2.4's named blocks and lists in braces. What a
 * line means is the mapping's business. doc.dovecot.org: "config file syntax".
 *
 * Everything that is counted has a limit; a file that breaks the grammar is an error with its
 * line. */
#ifndef CONF_DOVECOT_TREE_H
#define CONF_DOVECOT_TREE_H

#include "base/arena.h"
#include "conf/conf.h"

enum {
    DOVECOT_FILE_MAX = 1 << 20,   /* bytes */
    DOVECOT_FILES_MAX = 200,      /* includes in all */
    DOVECOT_INCLUDE_DEPTH = 10,   /* of files in files */
    DOVECOT_NESTING_MAX = 16,     /* of blocks in blocks */
    DOVECOT_NODES_MAX = 20000,    /* settings and blocks */
    DOVECOT_LINE_MAX = 64 * 1024, /* bytes, lines continued with \ together */
    DOVECOT_NAME_MAX = 255,       /* bytes of a setting's or a block's name */
    DOVECOT_ARENA_MAX = 32 << 20
};

/* A setting "key = value", or a block "key value { … }". */
struct dovecot_node {
    struct slice key;
    struct slice value; /* without quotes, $names replaced; the block's name; may be "" */
    bool block;
    bool from_file; /* the value is the path of the file that holds it: "= </etc/ssl/x.pem" */
    const char *file;
    unsigned line;
    struct dovecot_node *parent, *first, *last, *next;
};

/* Where files come from; the command line and the master use dovecot_disk. */
struct dovecot_source {
    /* NOT_FOUND: there is none. LIMIT: larger than DOVECOT_FILE_MAX. */
    enum result (*read)(void *arg, const char *path, struct buf *out, struct error *err);
    /* The files that a pattern names, sorted; a path without wildcards is itself, if it is there.
     */
    enum result (*glob)(void *arg, const char *pattern, void (*each)(void *arg, const char *path),
                        void *each_arg);
    void *arg;
};
extern const struct dovecot_source dovecot_disk;

/* The root is a block without key. What is wrong is in `errors`; the rest of the tree is there.
 * FAILED: no memory. */
MUST_USE enum result dovecot_tree(const struct dovecot_source *source, const char *path,
                                  struct arena *a, struct conf_errors *errors,
                                  struct dovecot_node **ret);

/* The last setting of that name in the block (not in blocks within), or NULL. */
const struct dovecot_node *dovecot_find(const struct dovecot_node *block, const char *key);
/* The same for a chain of blocks outwards: the innermost that has it. */
const struct dovecot_node *dovecot_find_outwards(const struct dovecot_node *block, const char *key);

#endif
