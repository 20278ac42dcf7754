/* doveadm.h: the parts of the face `doveadm`. Exit statuses are Dovecot's (sysexits.h): 64 the
 * words are wrong, 67 no such user, 68 no such mailbox or session, 75 try again, 77 a wrong
 * password. */
#ifndef CLI_FACES_DOVEADM_H
#define CLI_FACES_DOVEADM_H

#include "base/arena.h"
#include "cli/faces.h"

enum doveadm_format {
    DOVEADM_DEFAULT,
    DOVEADM_FLOW,
    DOVEADM_TAB,
    DOVEADM_TABLE,
    DOVEADM_PAGER,
    DOVEADM_JSON
};

struct doveadm {
    struct cli *cli;
    enum doveadm_format format;
};

/* words[0] is the command. Each ends with the exit status. */
typedef int doveadm_fn(struct doveadm *d, char **words, int n);
doveadm_fn doveadm_user, doveadm_pw, doveadm_auth, doveadm_who, doveadm_kick, doveadm_mailbox,
    doveadm_quota;

/* "Fatal: …" on stderr; returns the status. */
int doveadm_fatal(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Does the account exist, and what is known of it? Asked here, without the server. OK; NOT_FOUND;
 * FAILED: told. The fields are "name\tvalue\n" lines. */
MUST_USE enum result doveadm_find_user(struct doveadm *d, struct slice name, struct buf *fields);

/* Calls each with the names of the accounts that can be listed and fit the mask. 0, or 75: told. */
int doveadm_each_user(struct doveadm *d, const char *mask,
                      void (*each)(void *arg, const char *user), void *arg);

/* doveadm_server.c: asks the running server; `out` is to be released in any case. 0, or 75 with the
 * reason told. */
int doveadm_ask(struct doveadm *d, const char *const *words, size_t n, struct buf *out);
bool doveadm_has_word(struct slice text, struct slice word);

/* Whom a command is for: -u NAME, where NAME may be a mask; -A. */
struct doveadm_users {
    const char *name; /* NULL: not told */
    bool all;
};
bool doveadm_many(const struct doveadm_users *users);
/* One user's turn; `many`: there may be others. */
typedef int doveadm_turn_fn(struct doveadm *d, const char *user, bool many, void *arg);
/* The status of the last one that failed; 67 where the one user is not there. */
int doveadm_turns(struct doveadm *d, const struct doveadm_users *users, doveadm_turn_fn *turn,
                  void *arg);

/* doveadm_print.c: rows of cells in the format asked for. `bare`: flow leaves its name out. */
enum { DOVEADM_COLUMNS_MAX = 16 };
struct doveadm_column {
    const char *name;
    bool number, bare;
};
struct doveadm_table {
    enum doveadm_format format;
    struct doveadm_column columns[DOVEADM_COLUMNS_MAX];
    size_t n, count;
    struct buf cells;
};
void doveadm_table_begin(struct doveadm_table *t, enum doveadm_format format,
                         const struct doveadm_column *columns, size_t n);
void doveadm_table_put(struct doveadm_table *t, struct slice cell);
void doveadm_table_number(struct doveadm_table *t, uint64_t n);
void doveadm_table_printf(struct doveadm_table *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Prints it. */
void doveadm_table_end(struct doveadm_table *t);

#endif
