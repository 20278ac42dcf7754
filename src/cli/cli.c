/* cli.c: finds the command, and what all commands share. */
#include "cli/cli.h"

#include <stdio.h>

#include "cli/faces.h"
#include "auth/databases.h"
#include "auth/startable.h"
#include "cli/running.h"
#include "policy/policy.h"

static int version(struct cli *c, char **words, int n)
{
    bool as_json = n == 2 && strcmp(words[1], "--json") == 0;
    (void)c;
    if (n > 1 && !as_json)
        return cli_fail(2, "usage: version [--json]");
    printf(as_json ? "{\"version\":\"%s\"}\n" : "postrider %s\n", POSTRIDER_VERSION);
    return 0;
}

static cli_command_fn help;

static const struct command {
    const char *name, *words, *text;
    cli_command_fn *run;
    bool needs_conf; /* what the running server answers needs no files that can be read */
} commands[] = {
    {"serve", "", "Run the server in the foreground; log on stderr.", NULL, false},
    {"config",
     "check [-v] | show [--json] | route ADDRESS [--sender A] [--json] | import [--output FILE] | "
     "manual",
     "Check the configuration; show effective values and their source, and where mail goes.",
     cli_config, false},
    {"user", "add|del|passwd|test NAME [--password-stdin] | list [--json]",
     "Accounts in users_file.", cli_user, true},
    {"queue",
     "list [FILTER…] [--json] | summary [--json] | show ID [--message] | "
     "flush|hold|release|delete ID|all",
     "Mail that waits to be sent.", cli_remote, false},
    {"trace", "ID|MESSAGE-ID | --from ADDRESS | --to ADDRESS | --since TIME [--limit N] [--json]",
     "What became of a message: every station of its journey.", cli_remote, false},
    {"explain",
     "--client IP --from A --to B [--name HOSTNAME] [--helo H] [--user U] [--service S] [--tls] "
     "[--json]",
     "Why such a recipient would be taken or refused, and where its mail would go.", cli_remote,
     false},
    {"tls-report", "list [--json] | send [DOMAIN]",
     "How mail that left went under TLS, by domain and day; report it now.", cli_remote, false},
    {"mailbox", "list NAME [--json]", "An account's mailboxes.", cli_remote, false},
    {"import",
     "maildir|mbox PATH --user NAME [--mailbox NAME] [--inbox PATH] [--layout fs] | --all",
     "Take over the mail that another server keeps.", cli_import, true},
    {"dkim",
     "new DOMAIN [--selector NAME] [--algorithm rsa|ed25519] [--directory DIR] | show [DOMAIN] "
     "[--json]",
     "Keys that sign what is sent, and their DNS records.", cli_dkim, true},
    {"status", "[--json]", "Connections, queue, store and memory of each role.", cli_remote, false},
    {"reload", "", "Check the configuration and have the running server take it.", cli_reload,
     true},
    {"version", "[--json]", "The version.", version, false},
    {"help", "", "This text.", help, false},
};

static int help(struct cli *c, char **words, int n)
{
    (void)words, (void)n;
    printf("usage: %s [-c FILE] [--postfix DIR] [--dovecot FILE] [--sasl FILE] COMMAND\n\n",
           c->program);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        printf("  %s%s%s\n      %s\n", commands[i].name, *commands[i].words ? " " : "",
               commands[i].words, commands[i].text);
    printf("\nThe old programs' names, as links or as a COMMAND with their own options:\n\n");
    for (size_t i = 0; i < face_count; i++)
        printf("  %-13s %s\n", face_table[i].name, face_table[i].text);
    printf("\nFILE is %s unless given. See postrider(8) and postrider.conf(5).\n", c->config_path);
    return 0;
}

int cli_fail(int status, const char *format, ...)
{
    va_list ap;
    fputs("postrider: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    return status;
}

/* What only those who use the settings can judge. Whether the server could start is asked by those
 * who start it; but who has something to mend is told all of it at once. */
static enum result checked(const struct conf *c, struct conf_errors *errors)
{
    enum result accounts = auth_databases_check(c, errors), policy = policy_check(c, errors);
    enum result worst = accounts != OK ? accounts : policy;
    return worst == OK || auth_startable(c, errors) == OK ? worst : INVALID;
}

int cli_load_told(struct cli *c, struct conf_errors *errors)
{
    cli_use_running(c);
    c->origin.path = c->config_path;
    enum result r = conf_load(&c->origin, &c->conf, errors);
    if (r == OK && (r = checked(c->conf, errors)) != OK) {
        conf_unref(c->conf);
        c->conf = NULL;
    }
    if (r != OK)
        fprintf(stderr, "%.*s", SLICE_ARG(buf_slice(&errors->text)));
    return r == OK ? 0 : 1;
}

int cli_load(struct cli *c)
{
    struct conf_errors errors;
    conf_errors_init(&errors);
    int status = cli_load_told(c, &errors);
    conf_errors_release(&errors);
    return status;
}

int cli_run(struct cli *c, char **words, int n)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct command *k = &commands[i];
        if (strcmp(words[0], k->name) != 0 || !k->run)
            continue;
        if (k->needs_conf && cli_load(c) != 0)
            return 1;
        int status = k->run(c, words, n);
        conf_unref(c->conf);
        return status;
    }
    const struct face *f = face_find(words[0]);
    if (f)
        return face_run(f, c, words, n);
    return cli_fail(2, "unknown command \"%s\": see \"%s help\"", words[0], c->program);
}
