/* doveadm.c: doveadm(1): its options, its commands; what is not served says so. */
#include "cli/faces/doveadm.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/service.h"

int doveadm_fatal(int status, const char *format, ...)
{
    va_list ap;
    fputs("Fatal: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    return status;
}

static int tell(struct doveadm *d, enum result how(const struct cli *c, struct error *err))
{
    struct error err = {""};
    if (!service_pid(d->cli))
        return doveadm_fatal(EX_TEMPFAIL, "Dovecot is not running (read from %s/postrider.pid)",
                             d->cli->conf->state_directory.data);
    return how(d->cli, &err) == OK ? 0 : doveadm_fatal(EX_TEMPFAIL, "%s", err.text);
}

static int reload(struct doveadm *d, char **words, int n)
{
    (void)words, (void)n;
    return tell(d, service_reload);
}

static int stop(struct doveadm *d, char **words, int n)
{
    (void)words, (void)n;
    return tell(d, service_stop);
}

static const struct {
    const char *name, *words;
    doveadm_fn *run;
} commands[] = {
    {"auth", "test|login [-x <auth info>] <user> [<password>]", doveadm_auth},
    {"kick", "<user mask>[|]<ip/bits> ...", doveadm_kick},
    {"mailbox", "list|status|create|delete|rename|subscribe|unsubscribe [-u <user>|-A] ...",
     doveadm_mailbox},
    {"pw", "[-l] [-p plaintext] [-r rounds] [-s scheme] [-t hash] [-u user] [-V]", doveadm_pw},
    {"quota", "get|recalc [-u <user>|-A]", doveadm_quota},
    {"reload", "", reload},
    {"stop", "", stop},
    {"user", "[-f field] [-u] <user mask> [<user mask> [...]]", doveadm_user},
    {"who", "[-1] [<user mask>] [<ip/bits>]", doveadm_who},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static int usage(void)
{
    fputs("usage: doveadm [-Dv] [-f <formatter>] <command> [<args>]\n\n", stderr);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(stderr, "  %-12s %s\n", commands[i].name, commands[i].words);
    return EX_USAGE;
}

static bool take_format(struct doveadm *d, const char *word)
{
    static const char *const names[] = {
        [DOVEADM_FLOW] = "flow",   [DOVEADM_TAB] = "tab",   [DOVEADM_TABLE] = "table",
        [DOVEADM_PAGER] = "pager", [DOVEADM_JSON] = "json",
    };
    for (int i = DOVEADM_FLOW; i <= DOVEADM_JSON; i++)
        if (strcmp(word, names[i]) == 0) {
            d->format = (enum doveadm_format)i;
            return true;
        }
    return false;
}

/* -c names the file that is in use, or nothing; else told. */
static bool is_ours(const struct cli *c, const char *file)
{
    struct slice used = c->conf->dovecot_config;
    if (!file || face_is_in_use(file, used))
        return true;
    if (used.len)
        doveadm_fatal(EX_CONFIG,
                      "-c %s: the configuration in use is %.*s; for another one name postrider's "
                      "own file: \"postrider -c FILE doveadm ...\", where FILE has "
                      "\"dovecot_config = %s\"",
                      file, SLICE_ARG(used), file);
    else
        doveadm_fatal(EX_CONFIG,
                      "-c %s: the configuration in use (%s) has no dovecot.conf: write "
                      "\"dovecot_config = %s\" into it, or leave -c out",
                      file, c->config_path, file);
    return false;
}

int face_doveadm(struct cli *c, char **words, int n)
{
    struct doveadm d = {.cli = c};
    const char *file = NULL;
    int option;
    while ((option = getopt(n, words, "+Dvc:f:o:")) != -1) {
        if (option == 'f' && !take_format(&d, optarg))
            return doveadm_fatal(EX_USAGE, "Unknown formatter: %s", optarg);
        if (option == '?')
            return usage();
        if (option == 'c')
            file = optarg;
        if (option == 'o')
            return doveadm_fatal(EX_USAGE, "-o is not served: write the setting into the "
                                           "configuration");
    }
    words += optind;
    n -= optind;
    if (n == 0)
        return usage();
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(words[0], commands[i].name) != 0)
            continue;
        if (cli_load(c) != 0 || !is_ours(c, file))
            return EX_CONFIG;
        optind = 0;
        return commands[i].run(&d, words, n);
    }
    fprintf(stderr, "doveadm %s is not served by Postrider.\n", words[0]);
    return usage();
}
