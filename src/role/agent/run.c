/* run.c: see agent.h. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "os/fds.h"
#include "role/agent/agent.h"

enum { OUTPUT_MAX = 1000, NAME_TOLD = 300 };

/* ---- waiting for it ---- */

struct run {
    pid_t pid;
    int out;
    struct buf output;
    bool timed_out;
    int status;
};

/* All output is read, that a command with much of it goes on; what is over the limit is dropped. */
static bool read_output(struct run *r)
{
    char bytes[4096];
    ssize_t n = read(r->out, bytes, sizeof bytes);
    if (n <= 0)
        return n < 0 && errno == EINTR;
    size_t room = OUTPUT_MAX - buf_len(&r->output);
    buf_append(&r->output, slice_of(bytes, (size_t)n < room ? (size_t)n : room));
    return true;
}

/* Until the command has ended; what it left running may keep the pipe for itself. */
static void wait_for(struct run *r, int64_t limit_ms)
{
    int64_t end = clock_monotonic_ms() + limit_ms;
    bool open = true;
    for (;;) {
        int64_t left = end - clock_monotonic_ms();
        struct pollfd p = {.fd = open ? r->out : -1, .events = POLLIN};
        pid_t gone = waitpid(r->pid, &r->status, WNOHANG);
        if (gone == r->pid || (gone < 0 && errno != EINTR))
            break;
        if (left <= 0) {
            r->timed_out = true;
            kill(-r->pid, SIGKILL);
            waitpid(r->pid, &r->status, 0);
            break;
        }
        if (poll(&p, 1, left > 20 ? 20 : (int)left) > 0 && open)
            open = read_output(r);
    }
    struct pollfd p = {.fd = r->out, .events = POLLIN};
    while (open && poll(&p, 1, 0) > 0)
        open = read_output(r);
}

/* ---- its outcome ---- */

static const struct {
    int status;
    const char *dsn, *text;
} meanings[] = {
    {EX_USAGE, "5.3.0", "command line usage error"},
    {EX_DATAERR, "5.6.0", "data format error"},
    {EX_NOINPUT, "5.3.0", "cannot open input"},
    {EX_NOUSER, "5.1.1", "user unknown"},
    {EX_NOHOST, "5.1.2", "host name unknown"},
    {EX_UNAVAILABLE, "5.3.0", "service unavailable"},
    {EX_SOFTWARE, "5.3.0", "internal software error"},
    {EX_OSERR, "4.3.0", "system resource problem"},
    {EX_OSFILE, "5.3.0", "critical OS file missing"},
    {EX_CANTCREAT, "5.2.0", "can't create user output file"},
    {EX_IOERR, "5.3.0", "input/output error"},
    {EX_TEMPFAIL, "4.3.0", "temporary failure"},
    {EX_PROTOCOL, "5.5.0", "remote error in protocol"},
    {EX_NOPERM, "5.7.0", "permission denied"},
    {EX_CONFIG, "5.3.5", "local configuration error"},
};

/* RFC 3463 2: "5.1.1" in front of the command's own words. */
static bool takes_own_status(struct slice s, struct slice *ret_status, struct slice *ret_text)
{
    size_t i = 0, digits = 0, dots = 0;
    if (s.len < 5 || (s.data[0] != '4' && s.data[0] != '5') || s.data[1] != '.')
        return false;
    for (; i < s.len && (ascii_digit(s.data[i]) || s.data[i] == '.'); i++) {
        bool dot = s.data[i] == '.';
        if (dot && digits == 0)
            return false;
        dots += dot;
        digits = dot ? 0 : digits + 1;
        if (digits > 3 || dots > 2)
            return false;
    }
    if (dots != 2 || digits == 0 || (i < s.len && s.data[i] != ' ' && s.data[i] != '\t'))
        return false;
    *ret_status = slice_sub(s, 0, i);
    *ret_text = slice_trim(slice_from(s, i));
    return true;
}

static void say(struct buf *answer, const char *dsn, const struct command_run *c, const char *what,
                int number, struct slice output)
{
    buf_printf(answer, "%c%s Command ", dsn[0] == '4' ? 'D' : 'F', dsn);
    buf_printf(answer, what, number);
    buf_printf(answer, ": \"%.*s\"", SLICE_ARG(slice_sub(c->name, 0, NAME_TOLD)));
    if (output.len)
        buf_printf(answer, ". Command output: %.*s", SLICE_ARG(output));
}

static void judge(const struct command_run *c, const struct run *r, struct buf *answer)
{
    struct slice output = slice_trim(buf_slice(&r->output)), status, text;
    int code = WIFEXITED(r->status) ? WEXITSTATUS(r->status) : -1;
    if (r->timed_out) {
        buf_printf(answer, "F5.3.0 Command time limit exceeded: \"%.*s\"",
                   SLICE_ARG(slice_sub(c->name, 0, NAME_TOLD)));
        return;
    }
    if (code < 0) {
        say(answer, "4.3.0", c, "died with signal %d", WTERMSIG(r->status), output);
        return;
    }
    if (code == 0) {
        buf_printf(answer, "S2.0.0 %s", c->success);
        return;
    }
    if (takes_own_status(output, &status, &text)) {
        buf_printf(answer, "%c%.*s %.*s", status.data[0] == '4' ? 'D' : 'F', SLICE_ARG(status),
                   SLICE_ARG(text));
        return;
    }
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].status == code) {
            buf_printf(answer, "%c%s %s%s%.*s", meanings[i].dsn[0] == '4' ? 'D' : 'F',
                       meanings[i].dsn, meanings[i].text, output.len ? ". Command output: " : "",
                       SLICE_ARG(output));
            return;
        }
    say(answer, "5.3.0", c, "died with status %d", code, output);
}

static _Noreturn void be_command(const struct command_run *c, int in, int out)
{
    setpgid(0, 0);
    if (dup2(in, 0) != 0 || dup2(out, 1) != 1 || dup2(out, 2) != 2)
        _exit(EX_TEMPFAIL);
    close_range(3, ~0U, 0);
    c->execute(c->arg);
    _exit(EX_TEMPFAIL);
}

void command_run(const struct command_run *c, struct buf *answer)
{
    struct run r = {.pid = -1};
    int ends[2];
    int in = memfd_create("message", MFD_CLOEXEC);
    if (in < 0 || local_copy_write(c->copy, in) != OK || lseek(in, 0, SEEK_SET) != 0 ||
        pipe(ends) != 0) {
        buf_printf(answer, "D4.3.0 no memory file or pipe for the command: %s", strerror(errno));
        return;
    }
    r.pid = fork();
    if (r.pid == 0)
        be_command(c, in, ends[1]);
    close(ends[1]);
    close(in);
    if (r.pid < 0) {
        buf_printf(answer, "D4.3.0 no process for the command: %s", strerror(errno));
        return;
    }
    r.out = ends[0];
    buf_init(&r.output, OUTPUT_MAX);
    wait_for(&r, c->limit_ms);
    judge(c, &r, answer);
    buf_release(&r.output);
}
