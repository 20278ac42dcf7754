/* impl.h: what the table types share. A type opens from what follows "type:" in the spec; an opened
 * table is an object that begins with struct table and lives in its own arena. */
#ifndef TABLE_IMPL_H
#define TABLE_IMPL_H

#include "table/table.h"

enum {
    TABLE_ARENA_MAX = 4 * TABLE_FILE_MAX, /* text, entries and names of one table */
    TABLE_DEPTH_MAX = 8,                  /* unionmap in pipemap in unionmap … */
    TABLE_MEMBERS_MAX = 64                /* of one unionmap or pipemap */
};

struct table_ops {
    bool waits, patterns;
    bool folds; /* keys are compared without regard to case */
    /* The key has no NUL byte and is already folded where `folds`. */
    enum result (*find)(const struct table *t, struct slice key, struct arena *a,
                        struct table_match *ret, struct error *err);
    void (*each)(const struct table *t,
                 void (*each)(void *arg, struct slice key, struct slice value),
                 void *arg); /* may be NULL */
    /* table_each_value; may be NULL. */
    void (*values)(const struct table *t, table_value_fn *each, void *arg);
    void (*release)(struct table *t); /* what is not in the arena; may be NULL */
};

struct table {
    const struct table_ops *ops;
    struct arena arena;
    struct slice name; /* the spec */
    bool waits, patterns;
};

/* What a type opens with. */
struct opening {
    const struct table_reader *reader;
    table_problem_fn *problem; /* never NULL */
    void *arg;
    struct error *err;
    unsigned depth;
    struct slice spec; /* "hash:/etc/aliases", trimmed */
    struct slice rest; /* what follows the type: "/etc/aliases" or "{a=b}" */
};

/* Allocates an object of `size` bytes that begins with struct table. NULL: no memory (err says it).
 */
void *table_new(const struct opening *o, const struct table_ops *ops, size_t size);
/* The end of an open function: NULL when r is not OK, and then frees t. */
enum result table_opened(enum result r, struct table *t, struct table **ret);

/* A kind of table. */
struct table_type {
    const char *name;
    enum result (*open)(const struct opening *o, struct table **ret);
    enum {
        PARTS_NONE,
        PARTS_FILE,
        PARTS_RULES,
        PARTS_TABLES,
        PARTS_SERVER
    } parts; /* what `rest` names */
};

typedef enum result table_open_fn(const struct opening *o, struct table **ret);
table_open_fn table_open_text, table_open_database, table_open_inline, table_open_static,
    table_open_environ, table_open_fail, table_open_cidr, table_open_regexp, table_open_pcre,
    table_open_union, table_open_pipe, table_open_unix, table_open_server, table_open_server_whole;

/* A table that fails with this text whoever asks it. */
MUST_USE enum result table_open_broken(struct slice spec, const char *why,
                                       const struct table **ret);

/* Opens a member of a table; the caller's to close. */
enum result table_open_member(const struct opening *o, struct slice spec, struct table **ret);

/* Reads the file named (bounded by TABLE_FILE_MAX) and gives it with its error text. */
enum result table_read(const struct opening *o, struct slice path, struct buf *out);
/* The rules of a pattern table: the file's text, or that of "{ {rule}, {rule} }", one a line. *ret
 * is in the arena; *ret_file names it in messages. */
enum result table_rules(const struct opening *o, struct arena *a, struct slice *ret,
                        struct slice *ret_file);

/* "file:line" in the arena. */
struct slice table_where(struct arena *a, struct slice file, unsigned line);

#endif
