/* pipe.c: a message for a pipe transport: pipe(8). What is wrong with the configuration defers it:
 * it may be mended before the mail is returned. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "conf/pipe.h"
#include "mime/header.h"
#include "role/agent/agent.h"

enum { ARENA_MAX = 8 << 20, ENVIRONMENT_MAX = 8 };

struct piping {
    const struct pipe_mail *mail;
    struct pipe_transport transport;
    struct identity who;
    char **argv;
};

/* ---- in the command's own process ---- */

static void execute(const void *arg)
{
    const struct piping *p = arg;
    char *environment[ENVIRONMENT_MAX], text[ENVIRONMENT_MAX][512];
    size_t n = 0;
    environment[n++] = (char[]){"PATH=/usr/bin:/bin"};
    for (size_t i = 0; i < 2; i++) { /* Postfix's export_environment */
        const char *name = i ? "LANG" : "TZ", *value = getenv(name);
        if (!value)
            continue;
        snprintf(text[n], sizeof text[n], "%s=%s", name, value);
        environment[n] = text[n];
        n++;
    }
    environment[n] = NULL;
    execvpe(p->argv[0], p->argv, environment);
    printf("cannot execute %s: %s", p->argv[0], strerror(errno));
    fflush(stdout);
    _exit(EX_TEMPFAIL);
}

/* ---- before ---- */

/* A message that its recipient has had before (flag D). */
static bool loops(const struct pipe_mail *m)
{
    struct slice rest = m->message;
    struct header_field f;
    while (header_next(&rest, &f) && f.name.len)
        for (size_t i = 0; slice_is_nocase(f.name, "Delivered-To") && i < m->rcpts.n; i++)
            if (slice_eq_nocase(slice_trim(f.body), m->rcpts.items[i]))
                return true;
    return false;
}

/* False: the answer is given. */
static bool accepts(const struct piping *p, struct buf *answer)
{
    const struct pipe_mail *m = p->mail;
    if (p->transport.size && m->message.len > p->transport.size)
        buf_puts(answer, "F5.2.3 message too large");
    else if ((p->transport.flags & PIPE_DELIVERED_TO) && loops(m))
        buf_printf(answer, "F5.4.6 mail forwarding loop for %.*s", SLICE_ARG(m->rcpts.items[0]));
    return buf_len(answer) == 0;
}

/* pipe(8): queue_directory, unless another one is named, which must be there. */
static bool enter_directory(const struct piping *p, struct buf *answer)
{
    char path[4096];
    bool named = p->transport.directory.len > 0;
    struct slice directory = named ? p->transport.directory : p->mail->conf->queue_directory;
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(directory));
    if (chdir(path) == 0 || (!named && chdir("/") == 0))
        return true;
    buf_printf(answer, "D4.3.5 directory=%s: %s", path, strerror(errno));
    return false;
}

static void run(const struct piping *p, struct buf *answer)
{
    unsigned flags = p->transport.flags;
    char success[160];
    struct local_copy copy = {.message = p->mail->message,
                              .sender =
                                  p->mail->sender.len ? p->mail->sender : p->transport.null_sender,
                              .original = p->mail->originals.items[0],
                              .recipient = p->mail->rcpts.items[0],
                              .eol = p->transport.eol,
                              .from_line = flags & PIPE_FROM_LINE,
                              .quote_from = flags & PIPE_QUOTE_FROM,
                              .without_path = !(flags & PIPE_RETURN_PATH),
                              .without_original = !(flags & PIPE_ORIGINAL_TO),
                              .delivered_to = flags & PIPE_DELIVERED_TO,
                              .dots = flags & PIPE_DOTS,
                              .blank_end = flags & PIPE_BLANK_END};
    snprintf(success, sizeof success, "delivered via %.*s service",
             SLICE_ARG(slice_sub(p->transport.name, 0, 100)));
    struct command_run c = {.copy = &copy,
                            .name = slice_cstr(p->argv[0]),
                            .success = success,
                            .limit_ms = p->mail->conf->command_time_limit * 1000,
                            .execute = execute,
                            .arg = p};
    command_run(&c, answer);
}

static enum result prepare(struct piping *p, struct arena *a, struct error *why)
{
    const struct pipe_mail *m = p->mail;
    enum result r = pipe_transport_find(m->conf, m->transport, a, &p->transport, why);
    if (r == OK)
        r = pipe_argv(&p->transport, m, a, &p->argv, why);
    if (r == OK)
        r = identity_named(m->conf, p->transport.user, p->transport.group, &p->who, why);
    return r == OK ? identity_become(&p->who, why) : r;
}

void local_pipe(const struct pipe_mail *m, struct buf *answer)
{
    struct piping p = {.mail = m};
    struct error why = {""};
    struct arena a;
    arena_init(&a, ARENA_MAX);
    if (prepare(&p, &a, &why) != OK)
        buf_printf(answer, "D4.3.5 %s", why.text);
    else if (accepts(&p, answer) && enter_directory(&p, answer))
        run(&p, answer);
    arena_release(&a);
}
