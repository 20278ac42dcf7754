/* syscall_filter.c: what each profile may ask of the kernel. */
#include "os/syscall_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/sanitizer.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

/* Memory, threads, time, descriptors that are open: what any program does. */
static const int always[] = {
    SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mprotect), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(brk), SCMP_SYS(mincore), SCMP_SYS(membarrier), SCMP_SYS(memfd_create), SCMP_SYS(futex),
    SCMP_SYS(set_robust_list), SCMP_SYS(get_robust_list), SCMP_SYS(rseq), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(getcpu), SCMP_SYS(exit), SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getppid),
    SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getrusage),
    SCMP_SYS(getrlimit), SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(times), SCMP_SYS(read), SCMP_SYS(write),
    SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(preadv),
    SCMP_SYS(pwritev), SCMP_SYS(preadv2), SCMP_SYS(pwritev2), SCMP_SYS(lseek), SCMP_SYS(close),
    SCMP_SYS(close_range), SCMP_SYS(dup), SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(fcntl),
    SCMP_SYS(fstat), SCMP_SYS(pipe2), SCMP_SYS(pipe), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_pwait2), SCMP_SYS(eventfd2),
    SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime),
    SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(recvmmsg), SCMP_SYS(shutdown),
    SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
    SCMP_SYS(socketpair), SCMP_SYS(ftruncate),
    /* Paths, but nothing is opened: glibc's fstat is newfstatat. */
    SCMP_SYS(newfstatat), SCMP_SYS(statx)};

/* No part of ours makes them. */
static const int deadly[] = {SCMP_SYS(execve),
                             SCMP_SYS(execveat),
                             SCMP_SYS(ptrace),
                             SCMP_SYS(process_vm_readv),
                             SCMP_SYS(process_vm_writev),
                             SCMP_SYS(kexec_load),
                             SCMP_SYS(init_module),
                             SCMP_SYS(finit_module),
                             SCMP_SYS(delete_module),
                             SCMP_SYS(bpf),
                             SCMP_SYS(mount),
                             SCMP_SYS(umount2),
                             SCMP_SYS(pivot_root),
                             SCMP_SYS(unshare),
                             SCMP_SYS(setns),
                             SCMP_SYS(userfaultfd),
                             SCMP_SYS(io_uring_setup),
                             SCMP_SYS(pidfd_getfd)};

static const int files[] = {SCMP_SYS(open),
                            SCMP_SYS(openat),
                            SCMP_SYS(creat),
                            SCMP_SYS(unlink),
                            SCMP_SYS(unlinkat),
                            SCMP_SYS(rename),
                            SCMP_SYS(renameat),
                            SCMP_SYS(renameat2),
                            SCMP_SYS(mkdir),
                            SCMP_SYS(mkdirat),
                            SCMP_SYS(rmdir),
                            SCMP_SYS(link),
                            SCMP_SYS(linkat),
                            SCMP_SYS(truncate),
                            SCMP_SYS(fallocate),
                            SCMP_SYS(fsync),
                            SCMP_SYS(fdatasync),
                            SCMP_SYS(sync_file_range),
                            SCMP_SYS(syncfs),
                            SCMP_SYS(flock),
                            SCMP_SYS(getdents64),
                            SCMP_SYS(fadvise64),
                            SCMP_SYS(readahead),
                            SCMP_SYS(stat),
                            SCMP_SYS(lstat),
                            SCMP_SYS(access),
                            SCMP_SYS(faccessat),
                            SCMP_SYS(faccessat2),
                            SCMP_SYS(readlink),
                            SCMP_SYS(readlinkat),
                            SCMP_SYS(statfs),
                            SCMP_SYS(fstatfs),
                            SCMP_SYS(getcwd),
                            SCMP_SYS(fchmod),
                            SCMP_SYS(chmod),
                            SCMP_SYS(fchmodat),
                            SCMP_SYS(copy_file_range),
                            SCMP_SYS(utimensat),
                            SCMP_SYS(umask),
                            SCMP_SYS(ioprio_set),
                            SCMP_SYS(msync)};

static const int outward[] = {SCMP_SYS(connect), SCMP_SYS(bind)};
static const int accepting[] = {SCMP_SYS(accept), SCMP_SYS(accept4)};

struct filter {
    scmp_filter_ctx ctx;
    int failed; /* the first error, as -errno */
};

static void allow_all(struct filter *f, uint32_t action, const int *calls, size_t n)
{
    for (size_t i = 0; i < n && !f->failed; i++)
        f->failed = seccomp_rule_add(f->ctx, action, calls[i], 0);
}
#define ALLOW(f, list) allow_all(f, SCMP_ACT_ALLOW, list, sizeof list / sizeof *(list))

static void allow_if(struct filter *f, int call, struct scmp_arg_cmp test)
{
    if (!f->failed)
        f->failed = seccomp_rule_add(f->ctx, SCMP_ACT_ALLOW, call, 1, test);
}

static void fail_with(struct filter *f, int call, int error)
{
    if (!f->failed)
        f->failed = seccomp_rule_add(f->ctx, SCMP_ACT_ERRNO((uint32_t)error), call, 0);
}

static struct scmp_arg_cmp is(unsigned arg, uint64_t value)
{
    return (struct scmp_arg_cmp){arg, SCMP_CMP_EQ, value, 0};
}

static struct scmp_arg_cmp has_bits(unsigned arg, uint64_t mask, uint64_t value)
{
    return (struct scmp_arg_cmp){arg, SCMP_CMP_MASKED_EQ, mask, value};
}

/* Threads yes, processes no. clone3 keeps its flags in memory where no filter can look: told that
 * the kernel has none, glibc uses clone. */
static void allow_threads(struct filter *f)
{
    allow_if(f, SCMP_SYS(clone), has_bits(0, CLONE_THREAD, CLONE_THREAD));
    fail_with(f, SCMP_SYS(clone3), ENOSYS);
    /* abort() and raise(): signals to itself alone. */
    allow_if(f, SCMP_SYS(tgkill), is(0, (uint64_t)getpid()));
    allow_if(f, SCMP_SYS(prctl), is(0, PR_SET_NAME));
    allow_if(f, SCMP_SYS(prctl), is(0, PR_GET_NAME));
    allow_if(f, SCMP_SYS(prctl), is(0, PR_SET_VMA));
    allow_if(f, SCMP_SYS(prlimit64), is(2, 0)); /* reading limits */
}

static void allow_ioctls(struct filter *f)
{
    static const unsigned long harmless[] = {FIONREAD, FIONBIO, FIOCLEX, TCGETS, TIOCGWINSZ};
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        allow_if(f, SCMP_SYS(ioctl), is(1, harmless[i]));
}

/* Sending: where connecting is forbidden, an address or MSG_FASTOPEN must not do it by the way. The
 * name inside sendmsg's header can't be seen here; without socket() there is no socket that could
 * use it. */
static void allow_sending(struct filter *f, bool may_connect)
{
    static const int calls[] = {SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg)};
    if (may_connect) {
        ALLOW(f, calls);
        return;
    }
    if (!f->failed)
        f->failed = seccomp_rule_add(f->ctx, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 2, is(4, 0),
                                     has_bits(3, MSG_FASTOPEN, 0));
    allow_if(f, SCMP_SYS(sendmsg), has_bits(2, MSG_FASTOPEN, 0));
    allow_if(f, SCMP_SYS(sendmmsg), has_bits(3, MSG_FASTOPEN, 0));
}

static void allow_profile(struct filter *f, enum sandbox_profile profile)
{
    bool may_connect = profile == SANDBOX_RELAY || profile == SANDBOX_AUTH;
    allow_sending(f, may_connect);
    if (may_connect) {
        ALLOW(f, outward);
        allow_if(f, SCMP_SYS(socket), is(0, AF_INET));
        allow_if(f, SCMP_SYS(socket), is(0, AF_INET6));
    } else {
        ALLOW(f, accepting);
    }
    if (profile == SANDBOX_AUTH) /* lookup sources may be local sockets */
        allow_if(f, SCMP_SYS(socket), is(0, AF_UNIX));
    if (profile == SANDBOX_MAILBOX)
        ALLOW(f, files);
}

/* What the sanitizers' runtimes do beyond. */
static void allow_sanitizer(struct filter *f)
{
    static const int calls[] = {SCMP_SYS(openat),      SCMP_SYS(open),  SCMP_SYS(readlink),
                                SCMP_SYS(personality), SCMP_SYS(prctl), SCMP_SYS(setrlimit)};
    ALLOW(f, calls);
}

enum result seccomp_confine(enum sandbox_profile profile, struct error *err)
{
    struct filter f = {.ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM))};
    if (!f.ctx)
        return error_set(err, FAILED, "no memory for the seccomp filter");
    f.failed = seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_TSYNC, 1);
    /* A binary tree instead of a list of comparisons: a dozen steps a call. */
    if (!f.failed)
        f.failed = seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    ALLOW(&f, always);
    allow_threads(&f);
    allow_ioctls(&f);
    allow_profile(&f, profile);
    if (SANITIZER)
        allow_sanitizer(&f);
    else
        allow_all(&f, SCMP_ACT_KILL_PROCESS, deadly, sizeof deadly / sizeof *deadly);
    if (!f.failed)
        f.failed = seccomp_load(f.ctx);
    seccomp_release(f.ctx);
    if (f.failed)
        return error_set(err, FAILED, "loading the seccomp filter: %s", strerror(-f.failed));
    return OK;
}
