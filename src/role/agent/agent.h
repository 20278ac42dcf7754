/* agent.h: the agent role: what no sandbox allows. Each job runs in a child of its own: PAM's
 * modules and the name services may load code, open files and sockets, hang and crash; commands and
 * files get their mail with the rights of the user that they belong to. agent itself parses nothing
 * from the network; it takes requests of auth (questions) and mailbox (local deliveries) alone.
 *
 *   child.c     children: lines, places, deadlines      jobs.c      auth's questions
 *   pam.c       one question to PAM                     identity.c  whose rights, and taking them
 *   local.c     LOCAL_JOB: from the message to its result
 *   command.c   "|command"        append.c  "/file"     maildir.c   "/folder/"
 *   pipe.c      a pipe transport  pipe_argv.c  its command line
 *   surroundings.c  where a |command runs, and how much it may write
 *   run.c       a command, from its start to what came of it
 *   copy.c      the message in the form that these get  read.c      FILE_READ
 *   table.c     TABLE_ASK */
#ifndef ROLE_AGENT_AGENT_H
#define ROLE_AGENT_AGENT_H

#include "auth/format.h"
#include "base/buf.h"
#include "role/role.h"

#include <pthread.h>

enum {
    CHILDREN_MAX = 16,    /* at a time, of each line */
    LINE_MAX_JOBS = 2000, /* that wait for a place */
    CHILD_TIMEOUT_MS = 30000,
    CHILD_OUTPUT_MAX = 2048, /* bytes of a child's answer */
};

/* A slow delivery or a table's slow server takes no place from a login. */
enum agent_line { AGENT_QUESTIONS, AGENT_TABLES, AGENT_DELIVERIES, AGENT_LINES };

/* A job for a child. */
struct agent_job {
    /* In the child: does the work and writes its answer to `out`; then the child ends. */
    void (*run)(const struct agent_job *job, int out);
    /* In agent, once, from an engine thread: the child's answer, complete only when `ended` is
     * true (it was not killed and did not crash). Frees the job. */
    void (*done)(struct agent_job *job, struct slice answer, bool ended);
    struct agent_job *next;
    enum agent_line line;
    int64_t timeout_ms; /* 0: CHILD_TIMEOUT_MS */
    size_t answer_max;  /* 0: CHILD_OUTPUT_MAX */
    int fd;             /* stays open in the child, as 4; 0: none */
};

struct agent_queue {
    struct agent_job *first, **last;
    size_t waiting, running;
};

struct pickup;

struct agent {
    struct role *role;
    struct pickup *pickup;
    pthread_mutex_t lock;
    struct agent_queue lines[AGENT_LINES];
    struct list_node children;
    uint64_t jobs, killed, delivered, not_delivered;
};

static inline struct agent *agent_state(struct role *r)
{
    return r->state;
}

/* child.c: runs the job now or when there is room. BUSY: too many wait (done is not called). */
MUST_USE enum result agent_run(struct agent *a, struct agent_job *job);
/* When the engine has stopped: kills what runs, gives up what waits (done is called for all). */
void agent_end_children(struct agent *a);

/* pam.c: runs in a child. Asks PAM about user and password; the texts are NUL-terminated. confdir:
 * where the service's file is, NULL: the system's. Returns 0 right, 1 wrong, 2 could not be asked;
 * the reason is appended. */
int agent_pam_check(const char *confdir, const char *service, const char *user,
                    const char *password, const char *client_ip, struct buf *reason);

/* pickup.c: brings what lies in the folder maildrop (submit/drop.h) to the server's socket. */
MUST_USE enum result pickup_start(struct agent *a, struct pickup **ret, struct error *err);
void pickup_stop(struct pickup *p); /* the engine has stopped; jobs may still end */
void pickup_free(struct pickup *p); /* no job is left */
/* identity.c: with whose rights something is done. Runs in a child. */
struct identity {
    unsigned uid, gid;
    bool whole;   /* a user of this system: name, home and shell are known */
    bool context; /* and the recipient themselves */
    char name[256], home[1024], shell[256];
};
/* user: as in a target (ipc.h); "-" or root: default_privs, which must not be root. NOT_FOUND: no
 * such user; BUSY: can't be told now; DENIED: not possible without root, or not permitted. */
MUST_USE enum result identity_find(struct slice user, struct slice default_privs,
                                   struct identity *ret, struct error *err);
/* "user" or "user" with a group of its own, for a pipe transport: never root, never one of the
 * server's own users, as pipe(8). Results as above. */
MUST_USE enum result identity_named(const struct conf *c, struct slice user, struct slice group,
                                    struct identity *ret, struct error *err);
/* For good; groups other than the user's own are left. */
MUST_USE enum result identity_become(const struct identity *who, struct error *err);

/* copy.c: a message on its way to a command or a file: own fields on top, line ends of theirs. */
struct local_copy {
    struct slice message; /* CRLF */
    struct slice sender, original, recipient;
    struct slice delivered; /* what Delivered-To says; data NULL: the recipient */
    struct slice eol;       /* "": LF */
    bool from_line;         /* "From sender date" first */
    bool quote_from;        /* ">From " */
    bool without_path;      /* no Return-Path */
    bool without_original;  /* no X-Original-To */
    bool delivered_to;      /* Delivered-To */
    bool dots;              /* ".." for a line that begins with a dot */
    bool blank_end;         /* an empty line behind it */
};
/* FAILED: errno tells. */
MUST_USE enum result local_copy_write(const struct local_copy *c, int fd);

/* run.c: a command as a child with its own process group: the message on its standard input, its
 * output (within a limit) as the reason of a failure, its exit status by <sysexits.h> as the
 * outcome. All that it started is killed when its time is over. */
struct command_run {
    const struct local_copy *copy;
    struct slice name;   /* in the words of a failure */
    const char *success; /* in those of success: "delivered to command: …" */
    int64_t limit_ms;
    void (*execute)(const void *arg); /* in the child, its descriptors set; must not return */
    const void *arg;
};
/* Appends the answer, as below. */
void command_run(const struct command_run *c, struct buf *answer);

/* In lower case, in the arena; data NULL: no memory. */
struct slice local_folded(struct slice s, struct arena *a);

/* Who brought the message, as in IPC LOCAL_JOB; "" where not known. */
struct mail_origin {
    struct slice client_ip, client_name, helo, protocol, account, sasl_method, client_port,
        sasl_sender;
};

/* What came of an attempt, in the child's words: 'S', 'D' or 'F', then "4.3.0 text". */
enum { LOCAL_ANSWER_MAX = 2048 };
struct local_delivery {
    const struct conf *conf;
    const struct identity *who;
    struct local_copy copy;
    struct slice text; /* command line, or path */
    const struct mail_origin *origin;
};
/* A message for a pipe transport. */
struct pipe_mail {
    const struct conf *conf;
    struct slice transport, nexthop, sender, message;
    const struct mail_origin *origin;
    struct slice_list rcpts, originals;
    uint64_t id;
};
/* pipe.c: runs in a child, as root where the agent is: takes the rights of the transport's user. */
void local_pipe(const struct pipe_mail *m, struct buf *answer);
/* pipe_argv.c: the command's words, their macros expanded, NULL behind the last. INVALID with the
 * reason. */
struct pipe_transport;
MUST_USE enum result pipe_argv(const struct pipe_transport *t, const struct pipe_mail *m,
                               struct arena *a, char ***ret, struct error *why);
/* These run in a child, with the rights of `who` already taken, and append such an answer. */
void local_command(const struct local_delivery *d, struct buf *answer);
void local_append(const struct local_delivery *d, struct buf *answer);
void local_maildir(const struct local_delivery *d, struct buf *answer);

/* surroundings.c: the working folder of a |command: command_execution_directory, else the home of
 * who has one, else "/". False: the answer is given, a deferral. */
bool local_enter_directory(const struct local_delivery *d, struct buf *answer);
/* From now on this process and what it starts make no file longer than mailbox_size_limit (0: no
 * limit): writes beyond it fail with EFBIG. */
void local_limit_files(const struct conf *c);

/* local.c: IPC LOCAL_JOB. read.c: IPC FILE_READ. */
void agent_local_job(struct agent *a, struct ipc_channel *from, struct ipc_message *m);
void agent_file_read(struct agent *a, struct ipc_channel *from, struct ipc_message *m);

/* lookup.c: run in a child, with the same answers: by SQL or LDAP, as the item of passdb or userdb
 * says. With 0 the reason is what is known of the account. */
int agent_lookup_password(struct slice item, const struct format_names *names, struct buf *reason);
int agent_lookup_account(struct slice item, bool of_userdb, const struct format_names *names,
                         struct buf *reason);

/* hash.c: run in a child too, with the same answers. The account's own hash, of shadow or passwd;
 * is its user number within the bounds (last 0: none)? */
int agent_hash_check(bool shadow, const char *user, const char *password, struct buf *reason);
int agent_uid_check(const char *user, uint64_t first, uint64_t last, struct buf *reason);

/* ask_saslauthd.c, ask_dovecot.c: run in a child. Ask a running saslauthd or Dovecot about user and
 * password over its Unix socket; results as agent_pam_check. */
int agent_ask_saslauthd(const char *path, const char *user, struct slice local_domain,
                        const char *password, struct buf *reason);
int agent_ask_dovecot(const char *path, const char *user, const char *password,
                      const char *client_ip, struct buf *reason);
/* ask_socket.c: for both: sends the question over a new connection with time-outs and returns what
 * read_verdict makes of the answer; the question is wiped and released. AGENT_UNASKED: it could not
 * be asked, and why is in `reason`. */
enum { AGENT_RIGHT = 0, AGENT_WRONG = 1, AGENT_UNASKED = 2 };
int agent_ask_socket(const char *path, struct buf *question,
                     int (*read_verdict)(int fd, struct buf *reason), struct buf *reason);
/* More bytes read behind those in `in`. */
MUST_USE bool agent_read(int fd, struct buf *in, struct buf *reason);
/* listed.c: IPC USER_CHECK. */
void agent_user_check(struct agent *a, struct ipc_channel *from, struct ipc_message *m);

/* jobs.c: IPC PASSWORD_CHECK and ACCOUNT_CHECK. */
void agent_password_check(struct agent *a, struct ipc_channel *from, struct ipc_message *m);
void agent_account_check(struct agent *a, struct ipc_channel *from, struct ipc_message *m);

/* table.c: IPC TABLE_ASK. */
void agent_table_ask(struct agent *a, struct ipc_channel *from, struct ipc_message *m);

/* connect.c: CONNECT of relay: a connection to a Unix socket of a local mail server. */
void agent_connect_socket(struct agent *a, struct ipc_channel *from, struct ipc_message *m);

#endif
