#include "auth/compiled.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fds.h"
#include "os/process.h"
#include "table/records.h"
#include "table/table.h"

enum { READ_TIMEOUT_MS = 10000, NOBODY = 65534, COPY_MAX = 4 * TABLE_FILE_MAX };
#define MEMORY_MAX (1ULL << 30) /* bytes of a child's memory, libraries included */

static const struct {
    const char *suffix;
    compiled_fn *read;
} kinds[] = {{".db", compiled_read_db}, {".lmdb", compiled_read_lmdb}, {".cdb", compiled_read_cdb}};
enum { KINDS = sizeof kinds / sizeof *kinds };

enum result compiled_path(const char *text_path, char *out, size_t size)
{
    char path[4096], found[4096] = "";
    unsigned n = 0;
    for (size_t i = 0; i < KINDS; i++) {
        int len = snprintf(path, sizeof path, "%s%s", text_path, kinds[i].suffix);
        if (len < 0 || (size_t)len >= sizeof path || (size_t)len >= size || access(path, F_OK) != 0)
            continue;
        memcpy(found, path, (size_t)len + 1);
        n++;
    }
    if (n == 1)
        snprintf(out, size, "%s", found);
    return n == 1 ? OK : n ? CONFLICT : NOT_FOUND;
}

static compiled_fn *kind_of(const char *path)
{
    for (size_t i = 0; i < KINDS; i++)
        if (slice_ends_nocase(slice_cstr(path), slice_cstr(kinds[i].suffix)))
            return kinds[i].read;
    return NULL;
}

/* ---- in the child ---- */

static bool copy_file(const char *path, int to)
{
    char bytes[64 * 1024];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        errno = fd < 0 ? errno : EINVAL;
        return false;
    }
    size_t total = 0;
    for (;;) {
        ssize_t n = read(fd, bytes, sizeof bytes);
        if (n == 0)
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || (total += (size_t)n) > COPY_MAX ||
            !fd_write_all(to, slice_of(bytes, (size_t)n)))
            return errno = n < 0 ? errno : EFBIG, false;
    }
}

static bool give_up_rights(void)
{
    struct rlimit cpu = {READ_TIMEOUT_MS / 1000, READ_TIMEOUT_MS / 1000}, none = {0, 0};
    if (!process_limit_memory(MEMORY_MAX) || setrlimit(RLIMIT_CPU, &cpu) != 0 ||
        setrlimit(RLIMIT_CORE, &none) != 0)
        return false;
    return geteuid() != 0 || (setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 &&
                              setuid(NOBODY) == 0 && setuid(0) != 0);
}

static void read_entries(const char *path, struct buf *out)
{
    char copy_path[64];
    struct error err = {""};
    int copy = memfd_create("database", MFD_CLOEXEC);
    if (copy < 0 || !copy_file(path, copy)) {
        error_set(&err, FAILED, "%s", strerror(errno));
    } else if (!give_up_rights()) {
        error_set(&err, FAILED, "the child can't give up its rights: %s", strerror(errno));
    } else {
        snprintf(copy_path, sizeof copy_path, "/proc/self/fd/%d", copy);
        table_records_begin(out);
        if (kind_of(path)(copy_path, out, &err) == OK && buf_ok(out))
            table_records_end(out);
        else if (!err.text[0])
            error_set(&err, LIMIT, "it holds more than %d MiB", TABLE_FILE_MAX >> 20);
    }
    if (err.text[0]) {
        buf_clear(out);
        table_records_fail(out, err.text);
    }
}

/* Nothing of the caller's is open but the file for the entries; the libraries' own messages go
 * nowhere. `alive` is held open: that it closes tells the end. */
static _Noreturn void be_child(const char *path, int entries, int alive)
{
    struct buf out;
    sigset_t no_signals;
    sigemptyset(&no_signals);
    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL);
    sigprocmask(SIG_SETMASK, &no_signals, NULL);
    int low = fcntl(entries, F_DUPFD, 10), held = fcntl(alive, F_DUPFD, 10);
    int null = open("/dev/null", O_RDWR);
    if (low < 0 || held < 0 || null < 0)
        _exit(1);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    dup2(low, 3);
    dup2(held, 4);
    close_range(5, ~0U, 0);
    buf_init(&out, TABLE_FILE_MAX);
    read_entries(path, &out);
    _exit(fd_write_all(3, buf_slice(&out)) ? 0 : 1);
}

/* ---- in the caller ---- */

/* NULL: it ended well. */
static const char *wait_for(pid_t pid, int alive)
{
    struct pollfd p = {.fd = alive, .events = POLLIN};
    int status = 0, n;
    do
        n = poll(&p, 1, READ_TIMEOUT_MS);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (n <= 0)
        return "reading it took too long";
    if (WIFSIGNALED(status))
        return "it is broken: its library crashed";
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? NULL : "it could not be read";
}

static enum result run_child(const char *path, int entries, const char **ret_why)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return FAILED;
    pid_t pid = fork();
    if (pid == 0)
        be_child(path, entries, ends[1]);
    close(ends[1]);
    if (pid > 0)
        *ret_why = wait_for(pid, ends[0]);
    close(ends[0]);
    return pid > 0 ? OK : FAILED;
}

/* What a child that died wrote so far is replaced. */
static bool say_why(int fd, const char *why)
{
    struct buf out;
    buf_init(&out, 1000);
    table_records_fail(&out, why);
    bool ok =
        ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 && fd_write_all(fd, buf_slice(&out));
    buf_release(&out);
    return ok;
}

/* Commands and files of an alias have the rights of the database's owner, as Postfix has it. */
static bool take_owner(const char *path, int fd)
{
    struct stat st;
    if (geteuid() != 0)
        return true;
    return stat(path, &st) == 0 && fchown(fd, st.st_uid, st.st_gid) == 0;
}

enum result compiled_open(const char *path, int *ret_fd, struct error *err)
{
    const char *why = NULL;
    if (!kind_of(path))
        return error_set(err, FAILED, "%s: not a database of a known kind", path);
    int fd = memfd_create("entries", MFD_CLOEXEC);
    if (fd < 0 || !take_owner(path, fd) || run_child(path, fd, &why) != OK ||
        (why && !say_why(fd, why))) {
        error_set(err, FAILED, "%s: no child or memory to read it: %s", path, strerror(errno));
        fd_close(&fd);
        return FAILED;
    }
    *ret_fd = fd;
    return OK;
}
