#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

#include "os/sanitizer.h"

extern char **environ;

static char *title_area;
static size_t title_size;

/* ps shows the memory that argv stood in. The environment lies behind it: it is copied away, so
 * that a title may be longer than the command line was. */
void process_title_init(int argc, char **argv)
{
    char *end = argv[0];
    for (int i = 0; i < argc; i++)
        if (argv[i] == end)
            end = argv[i] + strlen(argv[i]) + 1;
    for (char **e = environ; e && *e; e++) {
        if (*e != end)
            break;
        end = *e + strlen(*e) + 1;
        *e = strdup(*e);
        if (!*e)
            return;
    }
    title_area = argv[0];
    title_size = (size_t)(end - argv[0]);
}

void process_set_title(const char *title)
{
    prctl(PR_SET_NAME, title);
    if (!title_area || title_size < 2)
        return;
    memset(title_area, 0, title_size);
    snprintf(title_area, title_size, "postrider: %s", title);
}

void process_notify(const char *state)
{
    sd_notify(0, state);
}

void process_notify_reloading(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
               (unsigned long long)now.tv_sec * 1000000 + (unsigned long long)now.tv_nsec / 1000);
}

enum result process_signals_fd(int *ret_fd, struct error *err)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* Inherited as ignored (nohup): children would be reaped behind our back. */
    signal(SIGCHLD, SIG_DFL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return error_set(err, FAILED, "signalfd: %s", strerror(errno));
    *ret_fd = fd;
    return OK;
}

int process_next_signal(int fd)
{
    struct signalfd_siginfo info;
    ssize_t n;
    do
        n = read(fd, &info, sizeof info);
    while (n < 0 && errno == EINTR);
    return n == sizeof info ? (int)info.ssi_signo : 0;
}

void process_signals_for_role(void)
{
    sigset_t none;
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

bool process_die_with_parent(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    return getppid() == parent;
}

bool process_limit_memory(uint64_t bytes)
{
    struct rlimit limit = {bytes, bytes};
    return SANITIZER || setrlimit(RLIMIT_AS, &limit) == 0;
}

int process_memory_fd(void)
{
    return open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

uint64_t process_memory(int fd)
{
    char text[128] = "";
    unsigned long long size = 0, resident = 0;
    if (fd < 0 || pread(fd, text, sizeof text - 1, 0) <= 0 ||
        sscanf(text, "%llu %llu", &size, &resident) != 2)
        return 0;
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
