/* import.h: `postrider import`: mail that another server keeps (Maildir, mbox) goes into the store
 * of the running server, over its control socket.
 *
 *     command.c   the words; what has to be in place before it begins
 *     all.c       --all: the accounts that the configuration names
 *     location.c  where the mail of an account is, by mail_location and its like
 *     maildir.c   Maildir++ and LAYOUT=fs, with what Dovecot and Courier keep beside the messages
 *     uidlist.c   those files: dovecot-uidlist, dovecot-keywords, courierimapuiddb, subscriptions
 *     mbox.c      mbox files and folders of them
 *     lines.c     files whole, paths, line ends
 *     sink.c      what was read, to the server; the report
 *
 * Nothing is changed where the mail comes from. A repeated import takes up only what is not there
 * yet (each message has an origin, see store.h), so one that was broken off is simply started
 * again. */
#ifndef CLI_IMPORT_IMPORT_H
#define CLI_IMPORT_IMPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"

enum { IMPORT_MESSAGE_MAX = 1 << 30, IMPORT_ORIGIN_MAX = 200, PATH_BYTES = 4096 };

struct import_sink;

struct import_folder {
    struct slice name;             /* UTF-8 with '/' between levels */
    uint32_t uidvalidity, uidnext; /* 0: unknown */
    unsigned attrs;                /* 2: subscribed (enum mailbox_attr of store/store.h) */
    size_t messages;               /* how many are to come, for the progress bar */
};

struct import_message {
    struct slice origin;   /* names it in its folder: 1 to IMPORT_ORIGIN_MAX bytes */
    struct slice uidl;     /* empty: unknown */
    struct slice keywords; /* with spaces between */
    uint32_t uid;          /* 0: unknown */
    uint8_t flags;         /* enum message_flag of store/store.h */
    int64_t date;          /* seconds since 1970 UTC */
    struct slice bytes;    /* with CRLF */
};

/* What an import counts; every message that was found is in exactly one of imported, there and
 * failed. */
struct import_counts {
    uint64_t folders, found, imported, there, failed;
    uint64_t new_uids; /* of the imported, those whose UID could not be kept */
    uint64_t bytes;
};

/* ---- sink.c ---- */

/* Connects; the reason of a failure is printed. NULL then. */
struct import_sink *import_sink_open(const char *state_directory, bool quiet);
/* Waits for all answers; what it has counted. */
struct import_counts import_sink_close(struct import_sink *s);
/* What comes next belongs to this account. */
void import_sink_account(struct import_sink *s, struct slice account);
/* The functions that return bool say false when the server is gone or refuses all: give up. */
MUST_USE bool import_folder_begin(struct import_sink *s, const struct import_folder *f);
MUST_USE bool import_message(struct import_sink *s, const struct import_message *m);
/* Waits for the folder's answers, raises UIDNEXT, prints the folder's line. */
MUST_USE bool import_folder_end(struct import_sink *s);
/* A message that can't be read, or a folder, with its path: counted and printed. */
void import_failed(struct import_sink *s, const char *path, const char *why);
/* Prints something that does not count. */
void import_note(struct import_sink *s, const char *path, const char *what);

/* ---- the sources ---- */

struct import_options {
    struct slice uidl_format; /* Dovecot's pop3_uidl_format: %u %v (with width and X), %f */
    bool fs_layout;           /* LAYOUT=fs */
    const char *mailbox;      /* of a single mbox file; NULL: INBOX */
    const char *inbox; /* the mbox file or Maildir of INBOX, when not in the folder; or NULL */
};

/* path: the Maildir of INBOX, with its folders below. False: give up. */
MUST_USE bool import_maildir(struct import_sink *s, const char *path,
                             const struct import_options *o);
/* looks.c: says on stderr what the folder looks like, where import_maildir found nothing.
 * Returns 1. */
int import_tell_no_maildir(const char *path, bool fs_layout);
/* path: a file, or a folder of files. */
MUST_USE bool import_mbox(struct import_sink *s, const char *path, const struct import_options *o);

/* ---- location.c ---- */

/* An account, and where its mail is. Paths are in the arena. */
struct import_account {
    struct slice user;
    struct slice home; /* empty: unknown */
    struct slice mail; /* its own mail_location; empty: the configuration's */
};
struct import_location {
    bool maildir; /* else mbox */
    const char *path;
    struct import_options options;
};
struct conf;
/* INVALID: it can't be told, and *ret_why says why. */
MUST_USE enum result import_locate(const struct conf *c, const struct import_account *account,
                                   struct arena *a, struct import_location *ret,
                                   const char **ret_why);

/* ---- all.c ---- */

/* Imports every account that has mail; false: given up. */
MUST_USE bool import_all(struct import_sink *s, const struct conf *c);

/* ---- uidlist.c ---- */

struct uidlist {
    uint32_t uidvalidity, uidnext; /* 0: there is none */
    struct map uids;               /* base name of the file -> struct uid_entry */
    struct slice keywords[26];     /* of the flags a to z; data NULL: none */
    struct arena mem;
};
struct uid_entry {
    uint32_t uid;
    struct slice uidl; /* data NULL: by format */
};
/* Reads what stands beside the messages of one Maildir. Lines that can't be understood are counted
 * in *ret_bad. */
void uidlist_read(struct uidlist *u, const char *maildir, unsigned *ret_bad);
void uidlist_release(struct uidlist *u);
/* From the text of a file; for tests and the fuzzer too. Returns the lines not understood. */
unsigned uidlist_parse_dovecot(struct uidlist *u, struct slice text);
unsigned uidlist_parse_courier(struct uidlist *u, struct slice text);
unsigned uidlist_parse_keywords(struct uidlist *u, struct slice text);
void uidlist_init(struct uidlist *u);
/* Calls each with a subscribed name as the file has it. */
void subscriptions_parse(struct slice text, void (*each)(void *arg, struct slice name), void *arg);
/* The UIDL that Dovecot would give by the format; false: not by this format. */
bool uidl_format(struct slice format, uint32_t uid, uint32_t uidvalidity, struct slice file,
                 struct buf *out);

/* ---- lines.c ---- */

/* Appends with CRLF ends of lines. */
void crlf_append(struct buf *out, struct slice text);
/* The whole file; the reason of a failure in *ret_why. */
MUST_USE bool file_read(const char *path, struct buf *out, const char **ret_why);
/* "a/b"; false: too long. */
MUST_USE bool path_join(char out[static PATH_BYTES], const char *a, const char *b);
/* As scandir(3): all entries by name; each and the list are the caller's to free. */
struct dirent;
int list_names(const char *path, struct dirent ***ret);

/* ---- mbox.c, for tests and the fuzzer ---- */

struct mbox_message {
    struct slice from_line; /* without its end */
    struct slice header, body;
    int64_t date; /* of the From_ line, UTC */
};
/* Cuts the next message off *rest. False: no more (or no mbox: then nothing was cut). */
bool mbox_next(struct slice *rest, struct mbox_message *ret);

#endif
