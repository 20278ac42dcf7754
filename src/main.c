/* main.c: the program's words: options, then `serve` or a command (cli/cli.h); or the name of a
 * program of the old stack that it was called by (cli/faces.h). */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/faces.h"
#include "os/process.h"
#include "role/role.h"

#define DEFAULT_CONFIG "/etc/postrider/postrider.conf"

/* The title that ps shows is written over argv, so what the words say must not lie there. */
static const char *kept(const char *text, bool *failed)
{
    char *copy = text ? strdup(text) : NULL;
    *failed = *failed || (text && !copy);
    return copy;
}

static int serve(const struct cli *c, int argc, char **argv)
{
    bool failed = false;
    static struct conf_origin origin; /* as long as the process, in its children too */
    origin = (struct conf_origin){
        .path = kept(c->config_path, &failed),
        .optional = c->origin.optional,
        .postfix = kept(c->origin.postfix, &failed),
        .dovecot = kept(c->origin.dovecot, &failed),
        .sasl = kept(c->origin.sasl, &failed),
    };
    if (failed)
        return 1;
    process_title_init(argc, argv);
    return master_run(&origin);
}

/* The options that may stand before the command's word and behind it. */
static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {"postfix", required_argument, NULL, 'P'},
    {"dovecot", required_argument, NULL, 'D'},
    {"sasl", required_argument, NULL, 'S'},
    {0},
};

/* False: the option is not one of the files'. */
static bool take_file(struct cli *c, int option, const char *value)
{
    const char **to = option == 'P'   ? &c->origin.postfix
                      : option == 'D' ? &c->origin.dovecot
                      : option == 'S' ? &c->origin.sasl
                      : option == 'c' ? &c->config_path
                                      : NULL;
    if (!to)
        return false;
    *to = value;
    *(option == 'c' ? &c->config_given : &c->files_given) = true;
    return true;
}

/* `serve` and `config` take the files' options behind their words too: they are moved to the
 * front. Returns the number of words left. */
static int take_file_words(struct cli *c, char **words, int n)
{
    int left = 0;
    for (int i = 0; i < n; i++) {
        int option = 0;
        for (const struct option *o = long_options; o->name; o++)
            if (o->has_arg && strncmp(words[i], "--", 2) == 0 && strcmp(words[i] + 2, o->name) == 0)
                option = o->val;
        if (option && i + 1 < n && take_file(c, option, words[i + 1]))
            i++;
        else
            words[left++] = words[i];
    }
    return left;
}

int main(int argc, char **argv)
{
    struct cli c = {.program = "postrider", .config_path = DEFAULT_CONFIG};
    const struct face *face = argc > 0 ? face_find(argv[0]) : NULL;
    if (face)
        return face_run(face, &c, argv, argc);
    int option;
    /* '+': options end at the first word, so that a command may have its own. */
    while ((option = getopt_long(argc, argv, "+c:hV", long_options, NULL)) != -1) {
        if (take_file(&c, option, optarg))
            continue;
        if (option == 'h')
            return cli_run(&c, (char *[]){"help"}, 1);
        if (option == 'V')
            return cli_run(&c, (char *[]){"version"}, 1);
        return 2;
    }
    if (optind == argc) {
        cli_run(&c, (char *[]){"help"}, 1);
        return 2;
    }
    char **words = argv + optind;
    int n = argc - optind;
    if (strcmp(words[0], "serve") == 0 || strcmp(words[0], "config") == 0)
        n = take_file_words(&c, words, n);
    /* On the old stack's files the own one need not be there. */
    c.origin.optional = !c.config_given && c.files_given;
    if (strcmp(words[0], "serve") == 0 && n == 1)
        return serve(&c, argc, argv);
    return cli_run(&c, words, n);
}
