/* postfix.c: postfix(1): start, stop, reload, status, check, abort, flush. Says what postfix-script
 * says, so that scripts which look for its words find them. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/faces.h"
#include "cli/looked_at.h"
#include "cli/service.h"

enum { EXIT_BAD = 1 };

static int say(int status, const char *text)
{
    fprintf(stderr, "postfix/postfix-script: %s%s\n", status ? "fatal: " : "", text);
    return status;
}

static int ended(enum result r, const struct error *err)
{
    return r == OK ? 0 : say(EXIT_BAD, err->text);
}

static int say_lines(int status, struct slice lines)
{
    while (lines.len) {
        struct slice line = slice_split(&lines, '\n');
        fprintf(stderr, "postfix: %s: %.*s\n", status ? "fatal" : "warning", SLICE_ARG(line));
    }
    return status;
}

/* Could the server start? What the settings themselves have wrong was said before this is called.
 */
static int look(struct cli *c, struct conf_errors *errors)
{
    return cli_look(c, errors) == OK ? 0 : say_lines(EXIT_BAD, buf_slice(&errors->text));
}

static int start(struct cli *c)
{
    struct error err = {""};
    struct conf_errors errors;
    if (service_pid(c))
        return say(EXIT_BAD, "the Postrider mail system is already running");
    conf_errors_init(&errors);
    int status = look(c, &errors);
    conf_errors_release(&errors);
    if (status != 0)
        return status;
    say(0, "starting the Postrider mail system");
    return ended(service_start(c, &err), &err);
}

static int stop_by(struct cli *c, const char *text,
                   enum result (*how)(const struct cli *c, struct error *err))
{
    struct error err = {""};
    if (!service_pid(c))
        return say(EXIT_BAD, "the Postrider mail system is not running");
    say(0, text);
    return ended(how(c, &err), &err);
}

static int stop(struct cli *c)
{
    return stop_by(c, "stopping the Postrider mail system", service_stop);
}

static int abort_now(struct cli *c)
{
    return stop_by(c, "aborting the Postrider mail system", service_abort);
}

static int reload(struct cli *c)
{
    return stop_by(c, "refreshing the Postrider mail system", service_reload);
}

static int status(struct cli *c)
{
    pid_t pid = service_pid(c);
    char text[80] = "the Postrider mail system is not running";
    if (pid)
        snprintf(text, sizeof text, "the Postrider mail system is running: PID: %d", (int)pid);
    fprintf(stderr, "postfix/postfix-script: %s\n", text);
    return pid ? 0 : EXIT_BAD;
}

/* Read once more: now the warnings count too. */
static int check(struct cli *c)
{
    struct conf_errors errors;
    conf_errors_init(&errors);
    conf_unref(c->conf);
    c->conf = NULL;
    int status = cli_load_told(c, &errors) == 0 ? look(c, &errors) : EXIT_BAD;
    say_lines(0, buf_slice(&errors.warnings));
    conf_errors_release(&errors);
    return status;
}

static int flush(struct cli *c)
{
    char *words[] = {(char[]){"queue"}, (char[]){"flush"}, NULL};
    if (!service_pid(c))
        return say(EXIT_BAD, "the Postrider mail system is not running");
    return cli_remote(c, words, 2);
}

static const struct {
    const char *name;
    int (*run)(struct cli *c);
} commands[] = {
    {"start", start}, {"stop", stop},       {"reload", reload}, {"status", status},
    {"check", check}, {"abort", abort_now}, {"flush", flush},
};

/* What postfix(1) has beyond these, and why there is nothing to do. */
static const char *excuse(const char *word)
{
    static const struct {
        const char *name, *why;
    } known[] = {
        {"start-fg", "run \"postrider serve\""},
        {"logrotate", "there is no log file to rotate: the log goes to stderr or syslog"},
        {"set-permissions", "the server makes what it needs with the right owners"},
        {"upgrade-configuration", "no file needs to be changed"},
        {"tls", "name certificates with smtpd_tls_cert_file or smtpd_tls_chain_files"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].name, word) == 0)
            return known[i].why;
    return "start, stop, reload, status, check, abort or flush";
}

/* -c names the folder that is in use, or nothing; else told. */
static bool is_ours(const struct cli *c, const char *folder)
{
    struct slice used = c->conf->postfix_config;
    if (!folder || face_is_in_use(folder, used))
        return true;
    if (used.len)
        cli_fail(EXIT_BAD,
                 "postfix -c %s: the configuration in use is in %.*s; for another one name "
                 "postrider's own file: \"postrider -c FILE postfix ...\", where FILE has "
                 "\"postfix_config = %s\"",
                 folder, SLICE_ARG(used), folder);
    else
        cli_fail(EXIT_BAD,
                 "postfix -c %s: the configuration in use (%s) has no main.cf: write "
                 "\"postfix_config = %s\" into it, or leave -c out",
                 folder, c->config_path, folder);
    return false;
}

int face_postfix(struct cli *c, char **words, int n)
{
    const char *folder = NULL;
    int option;
    while ((option = getopt(n, words, "+c:Dv")) != -1) {
        if (option == 'c')
            folder = optarg;
        if (option == '?')
            return EXIT_BAD;
    }
    if (optind + 1 != n)
        return cli_fail(EXIT_BAD, "usage: postfix start|stop|reload|status|check|abort|flush");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, words[optind]) == 0)
            return cli_load(c) == 0 && is_ours(c, folder) ? commands[i].run(c) : EXIT_BAD;
    return cli_fail(EXIT_BAD, "postfix %s: %s", words[optind], excuse(words[optind]));
}
