/* master.h: what the files of the master share. The master is one thread with a poll loop; it forks
 * the roles from itself, so it keeps out of libraries that could leave something behind in them
 * (OpenSSL, RocksDB, threads), and it parses nothing that comes from the network. */
#ifndef ROLE_MASTER_MASTER_H
#define ROLE_MASTER_MASTER_H

#include "conf/conf.h"
#include "conf/outcome.h"
#include "ipc/ipc.h"
#include "os/fds.h"
#include "role/role.h"

#include <sys/types.h>
#include <sys/un.h>

enum {
    LISTENERS_MAX = IPC_FDS_MAX,
    FILES_MAX = 512,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_MAX_MS = 10000,
    HEALTHY_MS = 10000, /* alive so long, a role starts with the first back-off again */
    STOP_MS = 10000,    /* then a role that did not stop is killed */
    WATCH_MS = 1000,
    FIRST_GENERATION = 1, /* of the settings: of the start; each reload counts one up */
    MEND_MS = 1000        /* a channel is mended at most so often */
};

struct child {
    pid_t pid;   /* 0: not running */
    int control; /* our end; -1 */
    bool ready;
    int64_t started_ms;
    int64_t restart_at_ms; /* while not running */
    int64_t backoff_ms;
    unsigned restarts;
};

struct listener {
    char url[256]; /* as configured */
    char key[300]; /* what it is bound to: the same over a reload when nothing changed */
    int fd;
};

struct listener_set {
    struct listener items[LISTENERS_MAX];
    size_t n;
};

/* A file that is opened for a role. */
struct watched_file {
    enum ipc_role role;
    char setting[64];
    char path[1024];
    struct file_stamp stamp;
};

struct master {
    const struct conf_origin *origin;
    const struct conf *conf;
    uint64_t generation;
    uint64_t in_force;                 /* the generation that all roles said to have taken */
    uint64_t reloads;                  /* asked for since the start */
    struct child children[ROLE_COUNT]; /* [ROLE_MASTER] is unused */
    struct listener_set listeners;
    int control_fd; /* listens on state_directory/control */
    int signal_fd, pid_fd;
    struct watched_file files[FILES_MAX];
    size_t n_files;
    int64_t watched_ms; /* last look at the files */
    int64_t mend_at_ms[ROLE_COUNT][ROLE_COUNT];
    int64_t mended_ms[ROLE_COUNT][ROLE_COUNT];
    bool announced; /* all roles were ready once */
    bool stopping;
    int64_t stop_at_ms;
    int exit_status;
    int64_t started_ms;
    struct grant_key *grant_key; /* in secret memory: no role inherits it by its fork */
};

/* listen.c: binds what the configuration names; what `before` (may be NULL) has bound already is
 * taken over. On failure nothing is taken; of listen_if_free, what fails is logged and left out. */
MUST_USE enum result listen_open(const struct conf *c, const struct listener_set *before,
                                 struct listener_set *ret, struct error *err);
/* Closes those of `set` that `kept` (may be NULL) does not have. */
void listen_close(struct listener_set *set, const struct listener_set *kept);

/* unix_socket.c. A socket left behind by a former run is removed; one that somebody answers on is
 * not: false, with errno. */
bool unix_socket_clear(const struct sockaddr_un *a);
/* saslauthd's folder, which is gone after each boot: for the members of group sasl where there is
 * one, as Debian has it. */
void unix_socket_make_folder(const char *path);
/* Gives the bound socket to whom `socket_access` says, or to who may enter its folder. */
void unix_socket_give(const struct conf *c, const char *path);

/* state.c: state_directory with what lies in it. */
MUST_USE enum result state_prepare(struct master *m, struct error *err);
void state_release(struct master *m);
/* For who asked for the reload that is under way; errors: of a refused one. */
void state_tell_reload(const struct master *m, enum conf_outcome_step step, struct slice errors);
/* Makes the self-signed certificate when none is configured and none is there yet. */
MUST_USE enum result state_make_certificate(const struct conf *c, struct error *err);

/* certificates.c: the files of certificates and of who vouches for those of clients, for edge. */
typedef void certificate_file_fn(void *arg, struct slice path);
void certificate_files(const struct conf *c, certificate_file_fn *each, void *arg);
/* Is it a table that names such files (tls_server_sni_maps)? */
bool certificate_table(const struct conf *c, const char *path);

/* The files and folders of those who vouch for other servers, for relay. */
void authority_files(const struct conf *c, certificate_file_fn *each, void *arg);

/* authorities.c: smtpd_tls_CApath, a folder of authorities' certificates. */
bool authorities_is_folder(const char *path);
/* Changes with the folder and with each of its files. All zero when there is no such folder. */
struct file_stamp authorities_stamp(const char *path);
/* All of them in one file without a name (role/file_list.h), to be closed. -1 with errno: EFBIG:
 * more than 1024, or than 2 MiB. What can't be read is logged and left out. */
int authorities_open(const char *path);
/* The file with all authorities that the system has, or "". */
const char *authorities_of_system(void);

/* files.c: files that roles may not open themselves. */
MUST_USE enum result files_list(struct master *m, const struct conf *c, struct error *err);
/* Opens and sends a role's whole set. */
void files_send(struct master *m, enum ipc_role role);
/* Looks whether one changed, and sends the sets that did. */
void files_watch(struct master *m);

/* children.c: starting, feeding and mending roles. */
void children_start_all(struct master *m);
void children_start_due(struct master *m, int64_t now);
/* After a reload. */
void children_configure(struct master *m, bool listeners_changed);
/* Waits for those that ended. */
void children_reap(struct master *m);
/* A message of a role. */
void children_receive(struct master *m, enum ipc_role role);
void children_mend_due(struct master *m, int64_t now);
void children_stop(struct master *m);
void children_kill(struct master *m);
bool children_all_gone(const struct master *m);
MUST_USE enum result child_send(struct master *m, enum ipc_role role,
                                const struct ipc_message *msg);

#endif
