/* command.c: "|command": its environment and its command line. local(8) "EXTERNAL COMMAND
 * DELIVERY". Runs in a child that has the user's rights already. */
#include "role/agent/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/arena.h"
#include "mime/address.h"

enum { WORDS_MAX = 1000, ENVIRONMENT_MAX = 64, ARENA_MAX = 1 << 20 };

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

/* USER, LOCAL, EXTENSION and DOMAIN are those of the recipient, in lower case as local(8) has them.
 */
static void set_recipient(struct environment *e, struct slice given, struct slice delimiters)
{
    struct slice address = local_folded(given, &e->arena);
    size_t at = slice_rfind(address, '@');
    struct slice local = at == SIZE_MAX ? address : slice_sub(address, 0, at);
    struct slice user, extension;
    address_split_detail(local, delimiters, &user, &extension);
    set(e, "RECIPIENT", given);
    set(e, "LOCAL", local);
    set(e, "USER", user);
    set(e, "LOGNAME", user);
    if (extension.data)
        set(e, "EXTENSION", extension);
    if (at != SIZE_MAX)
        set(e, "DOMAIN", slice_from(address, at + 1));
}

/* Nothing of these for mail of no client, as local(8). */
static void set_origin(struct environment *e, const struct mail_origin *o)
{
    const struct {
        const char *name;
        struct slice value;
    } all[] = {{"CLIENT_ADDRESS", o->client_ip},    {"CLIENT_HELO", o->helo},
               {"CLIENT_HOSTNAME", o->client_name}, {"CLIENT_PROTOCOL", o->protocol},
               {"SASL_METHOD", o->sasl_method},     {"SASL_USERNAME", o->account},
               {"SASL_SENDER", o->sasl_sender}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].value.len)
            set(e, all[i].name, all[i].value);
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
    set_origin(e, d->origin);
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

static void be_command(const void *arg)
{
    const struct local_delivery *d = arg;
    struct environment e;
    fill_environment(&e, d);
    local_limit_files(d->conf); /* not before: the message has a memory file of its own */
    execute(d, &e);
}

void local_command(const struct local_delivery *d, struct buf *answer)
{
    char success[400];
    snprintf(success, sizeof success, "delivered to command: %.*s",
             SLICE_ARG(slice_sub(d->text, 0, 300)));
    struct command_run c = {.copy = &d->copy,
                            .name = d->text,
                            .success = success,
                            .limit_ms = d->conf->command_time_limit * 1000,
                            .execute = be_command,
                            .arg = d};
    if (local_enter_directory(d, answer))
        command_run(&c, answer);
}
