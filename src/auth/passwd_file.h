/* passwd_file.h: accounts in Dovecot's passwd-file format,
 *
 *     user:password:uid:gid:gecos:home:shell:extra fields
 *
 * where all but the name may be missing. Lines that are empty or begin with # are kept and ignored.
 * A malformed line is reported and skipped; it never hides the other accounts. Names are compared
 * lower-cased (ASCII). An account without a password gets mail but can't log in.
 *
 * Reading: passwd_file_parse from bytes (the auth role, which may not open files) or
 * passwd_file_load. The result is immutable and may be shared by threads. Changing: passwd_file_set
 * and passwd_file_remove work on the file: under a lock, by a new file that is synced and renamed
 * over the old one, with its owner and mode; all other lines stay as they are, byte by byte. */
#ifndef AUTH_PASSWD_FILE_H
#define AUTH_PASSWD_FILE_H

#include "base/buf.h"

enum {
    PASSWD_FILE_MAX = 16 * 1024 * 1024, /* bytes */
    PASSWD_LINE_MAX = 8192,
    PASSWD_USERS_MAX = 200000,
    PASSWD_NAME_MAX = 254 /* RFC 5321 4.5.3.1.3, as names may be addresses */
};

/* The extra field that keeps a SCRAM-SHA-256 verifier (password_scram_sha256) beside the hash. */
#define PASSWD_SCRAM_FIELD "postrider_scram"

struct passwd_user {
    struct slice name;     /* lower-cased */
    struct slice password; /* "{SCHEME}data", or "" */
    struct slice uid, gid, gecos, home, shell;
    struct slice extra; /* "key=value key2=value2" */
    unsigned line;      /* from 1 */
};

struct passwd_file;

/* A line that was skipped and why ("the name holds a space"); never with its password. */
typedef void passwd_problem_fn(void *arg, unsigned line, const char *reason);

/* problem may be NULL. Bytes are copied. LIMIT: file too large. FAILED: no memory. */
MUST_USE enum result passwd_file_parse(struct slice bytes, passwd_problem_fn *problem, void *arg,
                                       struct passwd_file **ret);
/* NOT_FOUND when there is no such file, else as above. */
MUST_USE enum result passwd_file_load(const char *path, passwd_problem_fn *problem, void *arg,
                                      struct passwd_file **ret, struct error *err);
void passwd_file_free(struct passwd_file *f);

/* NULL when absent. The user lives as long as the file. */
const struct passwd_user *passwd_file_find(const struct passwd_file *f, struct slice name);
size_t passwd_file_count(const struct passwd_file *f);
/* In the file's order. */
void passwd_file_each(const struct passwd_file *f,
                      void (*each)(void *arg, const struct passwd_user *u), void *arg);
const struct passwd_user *passwd_file_at(const struct passwd_file *f, size_t i);

/* The value of an extra field ("nologin" alone has the value "y"); data == NULL when absent. */
struct slice passwd_user_extra(const struct passwd_user *u, const char *key);

/* Is this a name that an account may have? INVALID with the reason: empty, longer than
 * PASSWD_NAME_MAX, or with a control character, space, ':', '/' or backslash, or beginning with #
 * or a dot. */
MUST_USE enum result passwd_name_check(struct slice name, struct error *err);

enum passwd_mode { PASSWD_ADD, PASSWD_CHANGE };
/* ADD: a new line at the end (EXISTS when the account is there; the file is made with mode 0600
 * when it is missing). CHANGE: another password in its line (NOT_FOUND when absent). password: the
 * stored form (password_hash). scram: the verifier for PASSWD_SCRAM_FIELD, "" to keep none (an old
 * one is always removed). INVALID: the name can't be one, or a field can't stand in a line. */
MUST_USE enum result passwd_file_set(const char *path, enum passwd_mode mode, struct slice name,
                                     struct slice password, struct slice scram, struct error *err);
/* NOT_FOUND when absent. */
MUST_USE enum result passwd_file_remove(const char *path, struct slice name, struct error *err);

#endif
