/* test_os.c: what each profile of the sandbox lets through, tried in a child process; users; files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fds.h"
#include "os/process.h"
#include "os/sandbox.h"
#include "os/secret.h"
#include "os/users.h"

/* A build with a sanitizer has a wider filter: its runtime reads /proc, asks prctl, and an
 * intruder's calls are refused there, not deadly. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

static char folder[64];
static int listening; /* a TCP socket on loopback */
static struct sockaddr_in its_address;

/* --- in the child: each check says what failed by its line as exit status --- */

#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "line %d: %s (errno %d)\n", __LINE__, #condition, errno);              \
            _exit(99);                                                                             \
        }                                                                                          \
    } while (0)
/* Refused by the filter or by Landlock. */
#define REFUSED(call) NEED((call) < 0 && (errno == EPERM || errno == EACCES))

static void enter(enum sandbox_profile profile, const char *only)
{
    struct sandbox s = {.profile = profile,
                        .change_user = user_is_root(),
                        .user = {61009, 61009},
                        .empty_root = only == NULL,
                        .folder = only};
    struct sandbox_state state = {0};
    struct error err = {""};
    NEED(sandbox_prepare(&s, &state, &err) == OK);
    NEED(sandbox_lock(&s, &state, &err) == OK);
    NEED(state.seccomp);
}

static void *return_argument(void *arg)
{
    return arg;
}

/* What every role needs: threads, memory, time, its sockets. */
static void check_ordinary_life(void)
{
    pthread_t thread;
    int pair[2], fd;
    NEED(pthread_create(&thread, NULL, return_argument, NULL) == 0);
    NEED(pthread_join(thread, NULL) == 0);
    NEED(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
    NEED(send(pair[0], "x", 1, MSG_NOSIGNAL) == 1);
    fd = memfd_create("x", MFD_ALLOW_SEALING | MFD_CLOEXEC);
    NEED(fd >= 0 && ftruncate(fd, 10) == 0);
    void *mem = malloc(10 << 20);
    NEED(mem);
    free(mem);
    struct rlimit limit;
    NEED(getrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* What none may: other programs, other processes, other rights. */
static void check_walls(void)
{
    struct rlimit limit = {100, 100};
    NEED(fork() < 0);
    REFUSED(kill(getppid(), 0));
    if (!SANITIZED)
        REFUSED(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
    REFUSED(setuid(0));
    NEED(setrlimit(RLIMIT_CORE, &limit) < 0);
    REFUSED(listen(listening, 5));
    REFUSED(syscall(SYS_chroot, "/"));
}

static void check_no_files(void)
{
    REFUSED(syscall(SYS_openat, AT_FDCWD, "x", O_RDWR | O_CREAT, 0600));
    REFUSED(syscall(SYS_mkdirat, AT_FDCWD, "x", 0700));
    REFUSED(syscall(SYS_unlinkat, AT_FDCWD, "x", 0));
}

static void check_no_outward(void)
{
    int pair[2];
    const struct sockaddr *a = (const struct sockaddr *)&its_address;
    NEED(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    REFUSED(socket(AF_INET, SOCK_STREAM, 0));
    REFUSED(socket(AF_INET6, SOCK_DGRAM, 0));
    REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
    REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
    REFUSED(connect(pair[0], a, sizeof its_address));
    REFUSED(bind(pair[0], a, sizeof its_address));
    REFUSED(sendto(pair[0], "x", 1, 0, a, sizeof its_address));
    REFUSED(send(pair[0], "x", 1, MSG_FASTOPEN));
    struct msghdr h = {0};
    REFUSED(sendmsg(pair[0], &h, MSG_FASTOPEN));
}

static void in_edge(void)
{
    enter(SANDBOX_EDGE, NULL);
    check_ordinary_life();
    check_walls();
    check_no_outward();
    REFUSED(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_WRONLY | O_CREAT, 0600));
    NEED(accept4(listening, NULL, NULL, SOCK_NONBLOCK) >= 0 || errno == EAGAIN);
}

static void in_relay(void)
{
    enter(SANDBOX_RELAY, NULL);
    check_ordinary_life();
    check_walls();
    REFUSED(accept4(listening, NULL, NULL, SOCK_NONBLOCK));
    REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
    REFUSED(socket(AF_NETLINK, SOCK_RAW, 0));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    NEED(fd >= 0 && connect(fd, (const struct sockaddr *)&its_address, sizeof its_address) == 0);
    struct sockaddr_in any = {.sin_family = AF_INET};
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    NEED(fd >= 0 && bind(fd, (const struct sockaddr *)&any, sizeof any) == 0);
}

static void in_auth(void)
{
    enter(SANDBOX_AUTH, NULL);
    check_ordinary_life();
    check_walls();
    REFUSED(accept4(listening, NULL, NULL, SOCK_NONBLOCK));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    NEED(fd >= 0 && connect(fd, (const struct sockaddr *)&its_address, sizeof its_address) == 0);
}

static void in_mailbox(void)
{
    char path[200];
    enter(SANDBOX_MAILBOX, folder);
    check_ordinary_life();
    check_walls();
    check_no_outward();
    NEED(accept4(listening, NULL, NULL, SOCK_NONBLOCK) >= 0 || errno == EAGAIN);
    snprintf(path, sizeof path, "%s/file", folder);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    NEED(fd >= 0 && write(fd, "x", 1) == 1 && fdatasync(fd) == 0);
    NEED(rename(path, "other") == 0 && unlink("other") == 0); /* the folder is where we are */
    NEED(mkdir("sub", 0700) == 0 && rmdir("sub") == 0);
    /* Landlock: nothing outside. Without it the user's rights are what is left. */
    if (syscall(444, NULL, 0, 1) >= 1) {
        REFUSED(open("/etc/passwd", O_RDONLY));
        REFUSED(open("/tmp", O_RDONLY | O_DIRECTORY));
    }
}

static void make_exec(void)
{
    enter(SANDBOX_EDGE, NULL);
    execl("/bin/true", "true", (char *)NULL);
}

static void make_ptrace(void)
{
    enter(SANDBOX_MAILBOX, folder);
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

/* --- in the parent --- */

static int run(void (*fn)(void))
{
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        fn();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void profiles_let_through_what_they_must(void **state)
{
    (void)state;
    assert_int_equal(run(in_edge), 0);
    assert_int_equal(run(in_relay), 0);
    assert_int_equal(run(in_auth), 0);
    assert_int_equal(run(in_mailbox), 0);
}

static void no_profile_but_mailbox_touches_files(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    static const enum sandbox_profile profiles[] = {SANDBOX_EDGE, SANDBOX_RELAY, SANDBOX_AUTH};
    for (size_t i = 0; i < 3; i++) {
        int status = -1;
        pid_t pid = fork();
        if (pid == 0) {
            enter(profiles[i], NULL);
            check_no_files();
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
}

static void intruders_calls_are_deadly(void **state)
{
    (void)state;
    int end = SANITIZED ? 0 : 1000 + SIGSYS; /* 0: refused, and the child went on */
    assert_int_equal(run(make_exec), end);
    assert_int_equal(run(make_ptrace), end);
}

static void users_are_found_or_explained(void **state)
{
    struct os_user u = {7, 7};
    struct error err = {""};
    (void)state;
    assert_int_equal(user_find(SLICE("61009"), &u, &err), OK);
    assert_int_equal(u.uid, 61009);
    assert_int_equal(u.gid, 61009);
    assert_int_equal(user_find(SLICE("no-such-user-here"), &u, &err), NOT_FOUND);
    assert_non_null(strstr(err.text, "useradd --system"));
    assert_int_equal(user_find(SLICE("root"), &u, &err), DENIED);
    assert_int_equal(user_find(SLICE("0"), &u, &err), DENIED);
    assert_int_equal(user_find(SLICE(""), &u, &err), INVALID);
    assert_int_equal(user_find(SLICE("4294967295"), &u, &err), NOT_FOUND);
    assert_int_equal(u.uid, 61009);
}

static void files_are_read_and_watched(void **state)
{
    char path[200];
    struct buf b;
    (void)state;
    snprintf(path, sizeof path, "%s/watched", folder);
    struct file_stamp absent = file_stamp(path);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    struct file_stamp first = file_stamp(path);
    assert_false(file_stamp_eq(absent, first));
    assert_true(file_stamp_eq(first, file_stamp(path)));
    buf_init(&b, 100000);
    assert_int_equal(fd_read_all(fd, 10, &b), OK);
    assert_true(slice_is(buf_slice(&b), "0123456789"));
    assert_int_equal(fd_read_all(fd, 9, &b), LIMIT);
    assert_int_equal(write(fd, "x", 1), 1);
    assert_false(file_stamp_eq(first, file_stamp(path)));
    buf_release(&b);
    fd_close(&fd);
    assert_int_equal(fd, -1);
    fd_close(&fd);
    unlink(path);
}

static void close_all_but_one(void)
{
    int a = dup(2), keep = dup(2), c = dup(2);
    fd_close_others(keep);
    NEED(fcntl(a, F_GETFD) < 0 && fcntl(c, F_GETFD) < 0);
    NEED(fcntl(keep, F_GETFD) >= 0 && fcntl(1, F_GETFD) >= 0);
}

static void descriptors_are_not_inherited(void **state)
{
    (void)state;
    assert_int_equal(run(close_all_but_one), 0);
}

static void memory_is_measured(void **state)
{
    int fd = process_memory_fd();
    (void)state;
    assert_true(process_memory(fd) > 100000);
    assert_true(process_memory(-1) == 0);
    fd_close(&fd);
}

enum { SECRET_SIZE = 5000 };

static char *secret;

static void secret_is_empty(void)
{
    NEED(secret[0] == 0 && secret[SECRET_SIZE - 1] == 0);
}

static void a_secret_is_not_inherited(void **state)
{
    (void)state;
    secret = secret_new(SECRET_SIZE);
    assert_non_null(secret);
    assert_int_equal(secret[SECRET_SIZE - 1], 0);
    memset(secret, 'x', SECRET_SIZE);
    assert_int_equal(run(secret_is_empty), 0);
    assert_int_equal(secret[SECRET_SIZE - 1], 'x');
    secret_free(secret, SECRET_SIZE);
    secret_free(NULL, SECRET_SIZE);
}

static int setup(void **state)
{
    socklen_t len = sizeof its_address;
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/test-os-XXXXXX");
    if (!mkdtemp(folder) || (user_is_root() && chown(folder, 61009, 61009) != 0))
        return -1;
    its_address = (struct sockaddr_in){.sin_family = AF_INET};
    its_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    return bind(listening, (struct sockaddr *)&its_address, sizeof its_address) ||
           listen(listening, 50) || getsockname(listening, (struct sockaddr *)&its_address, &len);
}

static int teardown(void **state)
{
    (void)state;
    close(listening);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_let_through_what_they_must),
        cmocka_unit_test(no_profile_but_mailbox_touches_files),
        cmocka_unit_test(intruders_calls_are_deadly),
        cmocka_unit_test(users_are_found_or_explained),
        cmocka_unit_test(files_are_read_and_watched),
        cmocka_unit_test(descriptors_are_not_inherited),
        cmocka_unit_test(memory_is_measured),
        cmocka_unit_test(a_secret_is_not_inherited),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
