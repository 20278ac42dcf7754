/* command.c: "|command": the message on its standard input, its output (within a limit) as the
 * reason of a failure, its exit status by <sysexits.h> as the outcome. local(8) "EXTERNAL COMMAND
 * DELIVERY". Runs in a child that has the user's rights already; the command is its child, in a
 * process group of its own, and is killed with all that it started when its time is over. */
#include "role/agent/agent.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "mime/address.h"
#include "os/fds.h"

enum { OUTPUT_MAX = 1000, WORDS_MAX = 1000, ENVIRONMENT_MAX = 64, ARENA_MAX = 1 << 20 };

static const char path_of_commands[] = "/usr/bin:/bin";

/* ---- its environment ---- */

struct environment {
    struct arena arena;
    char *items[ENVIRONMENT_MAX + 1];
    size_t n;
    struct slice filter; /* command_expansion_filter: bytes that may stand in a value */
};

static void set(struct environment *e, const char *name, struct slice value)
{
    char *text = arena_printf(&e->arena, "%s=%.*s", name, SLICE_ARG(value));
    if (!text || e->n == ENVIRONMENT_MAX)
        return;
    for (char *p = text + strlen(name) + 1; *p; p++)
        if (slice_find(e->filter, *p) == SIZE_MAX)
            *p = '_';
    e->items[e->n++] = text;
}

static void set_as_is(struct environment *e, const char *name, const char *value)
{
    char *text = arena_printf(&e->arena, "%s=%s", name, value);
    if (text && e->n < ENVIRONMENT_MAX)
        e->items[e->n++] = text;
}

/* USER, LOCAL, EXTENSION and DOMAIN are those of the recipient. */
static void set_recipient(struct environment *e, struct slice address, struct slice delimiters)
{
    size_t at = slice_rfind(address, '@');
    struct slice local = at == SIZE_MAX ? address : slice_sub(address, 0, at);
    struct slice user, extension;
    address_split_detail(local, delimiters, &user, &extension);
    set(e, "RECIPIENT", address);
    set(e, "LOCAL", local);
    set(e, "USER", user);
    set(e, "LOGNAME", user);
    if (extension.data)
        set(e, "EXTENSION", extension);
    if (at != SIZE_MAX)
        set(e, "DOMAIN", slice_from(address, at + 1));
}

static void fill_environment(struct environment *e, const struct local_delivery *d)
{
    arena_init(&e->arena, ARENA_MAX);
    e->n = 0;
    e->filter = d->conf->command_expansion_filter;
    set_as_is(e, "PATH", path_of_commands);
    for (size_t i = 0; i < 2; i++) { /* Postfix's export_environment */
        const char *name = i ? "LANG" : "TZ", *value = getenv(name);
        if (value)
            set_as_is(e, name, value);
    }
    set(e, "SENDER", d->copy.sender);
    set_recipient(e, d->copy.recipient, d->conf->recipient_delimiter);
    set(e, "ORIGINAL_RECIPIENT", d->copy.original);
    if (d->who->context) {
        set(e, "HOME", slice_cstr(d->who->home));
        set(e, "SHELL", slice_cstr(d->who->shell));
    }
    if (d->client_ip.len) {
        set(e, "CLIENT_ADDRESS", d->client_ip);
        set(e, "CLIENT_PROTOCOL", SLICE("ESMTP"));
    }
    if (d->account.len)
        set(e, "SASL_USERNAME", d->account);
    e->items[e->n] = NULL;
}

/* ---- the command itself ---- */

/* Words that mean the same to us as to a shell. */
static bool is_plain(struct slice command)
{
    static const char others[] = "!@%-_=+:,./ \t";
    for (size_t i = 0; i < command.len; i++)
        if (!ascii_alnum(command.data[i]) && !strchr(others, command.data[i]))
            return false;
    return true;
}

static void split_words(struct slice command, struct arena *a, char **words)
{
    size_t n = 0, i = 0;
    while (i < command.len && n < WORDS_MAX) {
        size_t from = i;
        while (i < command.len && command.data[i] != ' ' && command.data[i] != '\t')
            i++;
        if (i > from)
            words[n++] = arena_printf(a, "%.*s", (int)(i - from), command.data + from);
        i += i < command.len;
    }
    words[n] = NULL;
}

/* A plain command line is executed as it is; the shell serves the others, and its own words. */
static _Noreturn void execute(const struct local_delivery *d, struct environment *e)
{
    static char *words[WORDS_MAX + 1];
    char *line = arena_printf(&e->arena, "%.*s", SLICE_ARG(d->text));
    struct slice shell = d->conf->local_command_shell;
    if (!line)
        _exit(EX_TEMPFAIL);
    if (shell.len) {
        split_words(slice_cstr(arena_printf(&e->arena, "%.*s -c", SLICE_ARG(shell))), &e->arena,
                    words);
        size_t n = 0;
        while (words[n])
            n++;
        words[n] = line;
        words[n + 1] = NULL;
        execve(words[0], words, e->items);
        _exit(EX_TEMPFAIL);
    }
    if (is_plain(d->text)) {
        split_words(d->text, &e->arena, words);
        if (words[0])
            execvpe(words[0], words, e->items);
        /* Not found, or perhaps only hidden by a closed folder of PATH: a word of the shell's. */
        bool word = words[0] && !strchr(words[0], '/') && (errno == ENOENT || errno == EACCES);
        if (!word) {
            fprintf(stderr, "cannot execute %s: %s", words[0] ? words[0] : "", strerror(errno));
            fflush(stderr);
            _exit(EX_TEMPFAIL);
        }
    }
    execle("/bin/sh", "sh", "-c", line, (char *)NULL, e->items);
    _exit(EX_TEMPFAIL);
}

static _Noreturn void be_command(const struct local_delivery *d, int in, int out)
{
    struct environment e;
    setpgid(0, 0);
    fill_environment(&e, d);
    if (dup2(in, 0) != 0 || dup2(out, 1) != 1 || dup2(out, 2) != 2)
        _exit(EX_TEMPFAIL);
    close_range(3, ~0U, 0);
    if (d->who->context && d->who->home[0] && chdir(d->who->home) == 0)
        execute(d, &e);
    if (chdir("/") != 0)
        _exit(EX_TEMPFAIL);
    execute(d, &e);
}

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

static void say(struct buf *answer, const char *dsn, const struct local_delivery *d,
                const char *what, int number, struct slice output)
{
    buf_printf(answer, "%c%s Command ", dsn[0] == '4' ? 'D' : 'F', dsn);
    buf_printf(answer, what, number);
    buf_printf(answer, ": \"%.*s\"", SLICE_ARG(slice_sub(d->text, 0, 300)));
    if (output.len)
        buf_printf(answer, ". Command output: %.*s", SLICE_ARG(output));
}

static void judge(const struct local_delivery *d, const struct run *r, struct buf *answer)
{
    struct slice output = slice_trim(buf_slice(&r->output)), status, text;
    int code = WIFEXITED(r->status) ? WEXITSTATUS(r->status) : -1;
    if (r->timed_out) {
        buf_printf(answer, "F5.3.0 Command time limit exceeded: \"%.*s\"",
                   SLICE_ARG(slice_sub(d->text, 0, 300)));
        return;
    }
    if (code < 0) {
        say(answer, "4.3.0", d, "died with signal %d", WTERMSIG(r->status), output);
        return;
    }
    if (code == 0) {
        buf_printf(answer, "S2.0.0 delivered to command: %.*s",
                   SLICE_ARG(slice_sub(d->text, 0, 300)));
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
    say(answer, "5.3.0", d, "died with status %d", code, output);
}

void local_command(const struct local_delivery *d, struct buf *answer)
{
    struct run r = {.pid = -1};
    int ends[2];
    int in = memfd_create("message", MFD_CLOEXEC);
    if (in < 0 || local_copy_write(&d->copy, in) != OK || lseek(in, 0, SEEK_SET) != 0 ||
        pipe(ends) != 0) {
        buf_printf(answer, "D4.3.0 no memory file or pipe for the command: %s", strerror(errno));
        return;
    }
    r.pid = fork();
    if (r.pid == 0)
        be_command(d, in, ends[1]);
    close(ends[1]);
    close(in);
    if (r.pid < 0) {
        buf_printf(answer, "D4.3.0 no process for the command: %s", strerror(errno));
        return;
    }
    r.out = ends[0];
    buf_init(&r.output, OUTPUT_MAX);
    wait_for(&r, d->conf->command_time_limit * 1000);
    judge(d, &r, answer);
    buf_release(&r.output);
}
