/* test_master.c: the real master and runtime with stub roles: start, rights, death of each role,
 * mended channels, changed files, reload, orderly stop. The stubs tell what they see through shared
 * memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "role/role.h"

enum { PATIENCE_MS = 20000 };

struct shared {
    atomic_int pid[ROLE_COUNT], starts[ROLE_COUNT], configured[ROLE_COUNT];
    atomic_int peer_ups, listeners, control_listeners;
    atomic_int secret_sets, secrets_in_set;
    atomic_uint users_hash;
    atomic_int hold;                      /* auth keeps requests instead of answering */
    atomic_int held, ask, answers, fails; /* mailbox asks auth `ask` times */
    atomic_int break_channel;             /* mailbox sends edge what it must not */
    atomic_int open_errno, socket_errno, connect_errno, sendto_errno, ptrace_errno, tried;
    atomic_int uid, try_exec;
};
static struct shared *shared;
static char folder[64], conf_path[128], users_path[128];
static pid_t master;
static unsigned port;

/* --- the stubs --- */

static struct io_task ticker; /* one process, one role: its poll of the shared memory */
static struct role *this_role;

static void count(void *arg, struct ipc_message *m)
{
    (void)arg;
    if (m->type == IPC_FAILURE)
        shared->fails++;
    else
        shared->answers++;
}

static void ask_auth(void)
{
    struct ipc_message m = {.type = IPC_EXPAND};
    ipc_request(this_role->peers[ROLE_AUTH], &m, count, NULL);
}

/* The calls that a sandboxed edge must not make. */
static void try_to_escape(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int pair[2];
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    shared->open_errno = open("/etc/passwd", O_RDONLY) < 0 ? errno : 0;
    shared->socket_errno = socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0) {
        shared->connect_errno =
            connect(pair[0], (const struct sockaddr *)&a, sizeof a) < 0 ? errno : 0;
        shared->sendto_errno =
            sendto(pair[0], "x", 1, 0, (const struct sockaddr *)&a, sizeof a) < 0 ? errno : 0;
    }
    shared->ptrace_errno = kill(getppid(), 0) < 0 ? errno : 0;
    shared->uid = (int)getuid();
    shared->tried = 1;
}

static void tick(struct io_task *t, unsigned events)
{
    (void)events;
    enum ipc_role self = this_role->ops->role;
    if (self == ROLE_MAILBOX)
        for (int n = atomic_exchange(&shared->ask, 0); n > 0; n--)
            ask_auth();
    if (self == ROLE_MAILBOX && atomic_exchange(&shared->break_channel, 0)) {
        /* An answer to nothing: edge ends the channel. */
        struct ipc_message m = {.type = IPC_EXPAND_RESULT};
        ipc_answer(this_role->peers[ROLE_EDGE], (uint64_t)1 << 46 | 5, &m);
        ipc_answer(this_role->peers[ROLE_EDGE], 5, &m);
    }
    if (self == ROLE_EDGE && !shared->tried)
        try_to_escape();
    if (self == ROLE_EDGE && atomic_exchange(&shared->try_exec, 0))
        execl("/bin/true", "true", (char *)NULL);
    io_task_deadline(t, 5);
}

static enum result start(struct role *r, struct error *err)
{
    (void)err;
    this_role = r;
    shared->pid[r->ops->role] = getpid();
    shared->starts[r->ops->role]++;
    io_task_open(r->engine, &ticker, -1, tick);
    io_task_deadline(&ticker, 5);
    return OK;
}

static void stop(struct role *r)
{
    (void)r;
    io_task_close(&ticker);
}

static void configured(struct role *r)
{
    shared->configured[r->ops->role]++;
}

static void secrets(struct role *r, const struct role_secret *s, size_t n)
{
    (void)r;
    shared->secrets_in_set = (int)n;
    for (size_t i = 0; i < n; i++)
        if (slice_is(s[i].setting, "users_file"))
            shared->users_hash = (unsigned)s[i].bytes.len;
    shared->secret_sets++;
}

static void take_listeners(struct role *r, const struct slice *urls, int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (slice_starts(urls[i], SLICE("control:")))
            shared->control_listeners = (int)n;
        close(fds[i]);
    }
    if (r->ops->role == ROLE_EDGE)
        shared->listeners = (int)n;
}

static void request(struct role *r, struct ipc_channel *c, struct ipc_message *m)
{
    (void)r;
    if (m->type != IPC_EXPAND)
        return;
    if (shared->hold) {
        shared->held++;
        return;
    }
    struct ipc_message answer = {.type = IPC_EXPAND_RESULT};
    ipc_answer(c, m->call, &answer);
}

static void peer_up(struct role *r, enum ipc_role peer)
{
    (void)r;
    (void)peer;
    shared->peer_ups++;
}

#define STUB(id, ...)                                                                              \
    {                                                                                              \
        .role = id, .start = start, .stop = stop, .configured = configured, .request = request,    \
        .peer_up = peer_up, __VA_ARGS__                                                            \
    }
const struct role_ops role_auth = STUB(ROLE_AUTH, .secrets = secrets);
const struct role_ops role_edge = STUB(ROLE_EDGE, .listeners = take_listeners);
const struct role_ops role_mailbox = STUB(ROLE_MAILBOX, .listeners = take_listeners);
const struct role_ops role_relay = STUB(ROLE_RELAY, .secrets = NULL);
const struct role_ops role_agent = STUB(ROLE_AGENT, .secrets = NULL);

/* --- the test's side --- */

#define WAIT_FOR(condition)                                                                        \
    do {                                                                                           \
        for (int waited = 0; !(condition) && waited < PATIENCE_MS; waited += 5)                    \
            usleep(5000);                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

static void write_text(const char *path, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void write_text(const char *path, const char *format, ...)
{
    char temporary[200];
    va_list ap;
    snprintf(temporary, sizeof temporary, "%s.tmp", path);
    FILE *f = fopen(temporary, "w");
    assert_non_null(f);
    va_start(ap, format);
    vfprintf(f, format, ap);
    va_end(ap);
    fclose(f);
    assert_int_equal(rename(temporary, path), 0);
}

static void write_conf(const char *extra)
{
    write_text(conf_path,
               "listen = smtp://127.0.0.1:%u, pop3://127.0.0.1:%u\n"
               "state_directory = %s/state\nusers_file = %s\n"
               "auth_user = 61001\nedge_user = 61002\nmailbox_user = 61003\nrelay_user = 61004\n"
               "myhostname = mail.example.org\nlog_level = error\n%s",
               port, port + 1, folder, users_path, extra);
}

static bool is_free(unsigned number)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)number)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool ok = bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
    close(fd);
    return ok;
}

/* Two neighbours, below those that the kernel gives to clients: nobody takes them meanwhile. */
static unsigned free_port_pair(void)
{
    unsigned number = 10000 + (unsigned)getpid() * 2 % 20000;
    while (!is_free(number) || !is_free(number + 1))
        number = number < 30000 ? number + 2 : 10000;
    return number;
}

static pid_t run_master(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        int quiet = open("/dev/null", O_WRONLY);
        if (!getenv("VERBOSE"))
            dup2(quiet, 2);
        _exit(master_run(&(struct conf_origin){.path = conf_path}));
    }
    return pid;
}

static int end_of(pid_t pid)
{
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static bool all_started(void)
{
    bool all = true;
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++)
        all = all && shared->starts[r] > 0;
    return all;
}

static int setup(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-master-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    chmod(folder, 0755);
    snprintf(conf_path, sizeof conf_path, "%s/postrider.conf", folder);
    snprintf(users_path, sizeof users_path, "%s/users", folder);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(shared, 0, sizeof *shared);
    port = free_port_pair();
    write_text(users_path, "alice:x\n");
    write_conf("");
    master = run_master();
    WAIT_FOR(all_started());
    return 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    if (master > 0) {
        kill(master, SIGTERM);
        end_of(master);
    }
    master = 0;
    munmap(shared, sizeof *shared);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void everything_is_handed_over(void **state)
{
    char path[200];
    struct stat st;
    (void)state;
    assert_int_equal(shared->listeners, 3); /* and sendmail's */
    assert_int_equal(shared->control_listeners, 1);
    assert_int_equal(shared->secrets_in_set, 1);
    assert_int_equal(shared->users_hash, 8);
    WAIT_FOR(shared->peer_ups == 18); /* nine channels, both ends */
    snprintf(path, sizeof path, "%s/state/self-signed.key", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(path, sizeof path, "%s/state/control", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0666); /* the kernel says who asks */
    snprintf(path, sizeof path, "%s/state/store", folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    if (geteuid() == 0)
        assert_int_equal(st.st_uid, 61003);
    shared->ask = 10;
    WAIT_FOR(shared->answers == 10);
    kill(master, SIGTERM);
    assert_int_equal(end_of(master), 0);
    master = 0;
}

/* From inside edge: no file, no socket, no connection, no other process. */
static void edge_cannot_get_out(void **state)
{
    (void)state;
    WAIT_FOR(shared->tried);
    assert_in_set(shared->open_errno, ((const unsigned long[]){EPERM, EACCES, ENOENT}), 3);
    assert_int_equal(shared->socket_errno, EPERM);
    assert_int_equal(shared->connect_errno, EPERM);
    assert_int_equal(shared->sendto_errno, EPERM);
    assert_int_equal(shared->ptrace_errno, EPERM);
    if (geteuid() == 0)
        assert_int_equal(shared->uid, 61002);
    /* exec ends the process (or, in a sanitizer's build, is refused); it is never another program.
     */
    int before = shared->starts[ROLE_EDGE], pid = shared->pid[ROLE_EDGE];
    shared->try_exec = 1;
    WAIT_FOR(shared->try_exec == 0);
    usleep(50000);
    if (kill(pid, 0) == 0)
        assert_int_equal(shared->starts[ROLE_EDGE], before);
    else
        WAIT_FOR(shared->starts[ROLE_EDGE] == before + 1);
}

static void what_dies_is_started_again(void **state)
{
    (void)state;
    WAIT_FOR(shared->peer_ups == 18);
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++) {
        int before = shared->starts[r], answers = shared->answers;
        kill(shared->pid[r], SIGKILL);
        WAIT_FOR(shared->starts[r] == before + 1);
        /* The survivors' channels work again. Requests that fall into the gap are answered too. */
        for (int waited = 0; shared->answers == answers && waited < PATIENCE_MS; waited += 20) {
            shared->ask = 1;
            usleep(20000);
        }
        assert_true(shared->answers > answers);
    }
}

static void outstanding_requests_fail_when_the_peer_dies(void **state)
{
    (void)state;
    shared->hold = 1;
    shared->ask = 50;
    WAIT_FOR(shared->held == 50);
    kill(shared->pid[ROLE_AUTH], SIGKILL);
    WAIT_FOR(shared->fails == 50);
    assert_int_equal(shared->answers, 0);
}

static void a_broken_channel_is_mended(void **state)
{
    (void)state;
    WAIT_FOR(shared->peer_ups == 18);
    shared->break_channel = 1;
    WAIT_FOR(shared->peer_ups >= 20);
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++)
        assert_int_equal(shared->starts[r], 1);
}

static void changed_files_are_sent_again(void **state)
{
    (void)state;
    assert_int_equal(shared->secret_sets, 1);
    write_text(users_path, "alice:x\nbob:yy\n");
    WAIT_FOR(shared->secret_sets == 2);
    assert_int_equal(shared->users_hash, 15);
}

static void reload_takes_all_or_nothing(void **state)
{
    (void)state;
    WAIT_FOR(shared->peer_ups == 18);
    write_conf("message_size_limit = many\n");
    kill(master, SIGHUP);
    usleep(200000);
    assert_int_equal(shared->configured[ROLE_EDGE], 0);
    write_conf("message_size_limit = 5000\n");
    kill(master, SIGHUP);
    WAIT_FOR(shared->configured[ROLE_EDGE] == 1 && shared->configured[ROLE_RELAY] == 1);
    WAIT_FOR(shared->secret_sets == 2);
    assert_int_equal(shared->starts[ROLE_EDGE], 1);
}

static void a_second_master_is_refused(void **state)
{
    (void)state;
    assert_int_equal(end_of(run_master()), 1); /* same state_directory */
    WAIT_FOR(shared->peer_ups == 18);
    assert_int_equal(shared->starts[ROLE_EDGE], 1);
}

static void roles_do_not_outlive_the_master(void **state)
{
    (void)state;
    kill(master, SIGKILL);
    end_of(master);
    master = 0;
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++)
        WAIT_FOR(kill(shared->pid[r], 0) != 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(everything_is_handed_over),       TEST(edge_cannot_get_out),
        TEST(what_dies_is_started_again),      TEST(outstanding_requests_fail_when_the_peer_dies),
        TEST(a_broken_channel_is_mended),      TEST(changed_files_are_sent_again),
        TEST(reload_takes_all_or_nothing),     TEST(a_second_master_is_refused),
        TEST(roles_do_not_outlive_the_master),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
