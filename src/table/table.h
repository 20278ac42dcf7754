/* table.h: Postfix's lookup tables: "type:name" maps a key to a value.
 *
 * Who calls it: auth (recipients, restrictions, credentials), edge (header_checks), and the command
 * line (`postmap -q`). Tables of files are read whole when they are opened and never open a file
 * themselves: the caller reads for them (a role gets its files from the master, the command line
 * opens them), and asks servers for them (auth/server.h). The text file is the truth:
 * hash:/etc/aliases reads /etc/aliases, not aliases.db. Where there is no text, the reader may give
 * what its database holds instead (records.h).
 *
 * An opened table is immutable and may be shared by threads. Tables that ask a server wait for it:
 * table_waits tells, so that a role calls them on a helper thread, never on the engine's. */
#ifndef TABLE_TABLE_H
#define TABLE_TABLE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/result.h"

enum {
    TABLE_KEY_MAX = 4096,               /* bytes; a longer key is in no table of exact keys */
    TABLE_PATTERN_KEY_MAX = 128 * 1024, /* bytes; a longer text matches no pattern, and no server
                                           is asked about it */
    TABLE_VALUE_MAX = 64 * 1024,        /* bytes of one value */
    TABLE_FILE_MAX = 64 * 1024 * 1024   /* bytes of one file */
};

struct table;

/* Reads a file that the table is made of, into `out`. NOT_FOUND: there is none. */
struct table_reader {
    enum result (*read)(void *arg, struct slice path, struct buf *out, struct error *err);
    void *arg;
    /* unix:passwd.byname (user) and unix:group.byname: is there one of this name? May wait. Lives
     * as long as the tables. NULL: such tables fail. */
    enum result (*account)(void *arg, bool group, struct slice name, struct error *err);
    void *account_arg;
    /* A table of a server, "pgsql:/etc/postfix/x.cf": the value of the key, in the arena. Waits. As
     * long-lived. NULL: such tables are refused. */
    enum result (*ask)(void *arg, struct slice table, struct slice key, struct arena *a,
                       struct slice *ret, struct error *err);
    void *ask_arg;
};

/* The files that a table reads when it is opened, members of unionmap and pipemap included:
 * "/etc/postfix/virtual". INVALID: no table of that form. */
MUST_USE enum result table_files(struct slice spec, void (*each)(void *arg, struct slice path),
                                 void *arg, struct error *err);

/* The types that there are, for lists; NULL behind the last. */
const char *table_type_name(size_t i);

/* The tables of a spec that ask a server, members included: "pgsql:/etc/postfix/x.cf". INVALID as
 * above. */
MUST_USE enum result table_servers(struct slice spec, void (*each)(void *arg, struct slice table),
                                   void *arg, struct error *err);
/* "tcp:host:port", "socketmap:inet:host:port:name" and so on: is the form right? */
MUST_USE enum result table_server_check(struct slice table, struct error *err);

/* spec: "hash:/etc/aliases", "inline:{a=b, {c = d e}}", "unionmap:{static:x, hash:/y}" … A spec
 * without a type is a text file. Lines of a file that are wrong are told to `problem` (may be NULL)
 * and left out, as postmap does. INVALID: the spec's form or type, with a proposal; FAILED: a file
 * or no memory. */
typedef void table_problem_fn(void *arg, struct slice file, unsigned line, const char *reason);
/* One that logs them. */
void table_log_skipped(void *arg, struct slice file, unsigned line, const char *reason);
MUST_USE enum result table_open(struct slice spec, const struct table_reader *reader,
                                table_problem_fn *problem, void *arg, const struct table **ret,
                                struct error *err);
void table_close(const struct table *t);

/* The spec as given. */
struct slice table_name(const struct table *t);
/* Asks a server (tcp, socketmap, SQL, LDAP, memcache). */
bool table_waits(const struct table *t);
/* Patterns see the whole key: no partial keys are asked of regexp, pcre, cidr, static … */
bool table_has_patterns(const struct table *t);

struct table_match {
    struct slice value; /* in the arena */
    struct slice where; /* "/etc/postfix/virtual:12" or the table's name: for the log */
};

/* Keys of exact tables are compared without regard to ASCII case, as Postfix does; patterns decide
 * for themselves. NOT_FOUND: not in the table. FAILED: can't be told now (a temporary failure;
 * `err` says why). */
MUST_USE enum result table_find(const struct table *t, struct slice key, struct arena *a,
                                struct table_match *ret, struct error *err);

/* Every key with its value, for a list; INVALID: this type can't tell them. */
MUST_USE enum result table_each(const struct table *t,
                                void (*each)(void *arg, struct slice key, struct slice value),
                                void *arg);

/* Every value that is written down in the table, with the place of its line (line 0: it has none):
 * of files, inline tables and static, of what a unionmap is made of, and of a pipemap's last table.
 * Those of patterns have their $n. Nothing of tables that are asked. */
typedef void table_value_fn(void *arg, struct slice file, unsigned line, struct slice value);
void table_each_value(const struct table *t, table_value_fn *each, void *arg);

/* Several tables, in order: the first that has the key (or fails) decides. */
struct tables {
    const struct table **items;
    size_t n;
};
MUST_USE enum result tables_find(const struct tables *ts, struct slice key, struct arena *a,
                                 struct table_match *ret, struct error *err);
/* The same for a key that is a part of what is looked up (a parent domain, a user without domain):
 * tables of patterns are not asked. */
MUST_USE enum result tables_find_partial(const struct tables *ts, struct slice key, struct arena *a,
                                         struct table_match *ret, struct error *err);
/* The "+detail" at the end of a local part, delimiter (any of these characters) included; "" none.
 * postmaster, mailer-daemon and double-bounce are never taken apart, nor owner-x and x-request at
 * a '-' (postconf(5)). */
struct slice table_address_detail(struct slice local, struct slice delimiter);
/* An address, as Postfix looks it up: user+detail@domain, user@domain, user+detail, user (the last
 * two where `local_domain`), @domain. delimiter: recipient_delimiter, may be empty. *ret_detail is
 * the "+detail" that the key lacked, delimiter included ("" none): Postfix appends it to the
 * result. The address is without quotes; the quoted form is tried first where it differs.
 * postmap(1), virtual(5), canonical(5). */
MUST_USE enum result tables_find_address(const struct tables *ts, struct slice address,
                                         struct slice delimiter, bool local_domain, struct arena *a,
                                         struct table_match *ret, struct slice *ret_detail,
                                         struct error *err);

#endif
