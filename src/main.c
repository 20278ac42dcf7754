/* main.c: the program's words: options, then `serve` or a command (cli/cli.h); or the name of a
 * program of the old stack that it was called by (cli/faces.h). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/faces.h"
#include "os/process.h"
#include "role/role.h"

#define DEFAULT_CONFIG "/etc/postrider/postrider.conf"

/* The title that ps shows is written over argv, so the path must not lie there. */
static int serve(const struct cli *c, int argc, char **argv)
{
    char *path = strdup(c->config_path);
    if (!path)
        return 1;
    process_title_init(argc, argv);
    int status = master_run(path);
    free(path);
    return status;
}

int main(int argc, char **argv)
{
    struct cli c = {.program = "postrider", .config_path = DEFAULT_CONFIG};
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {0},
    };
    const struct face *face = argc > 0 ? face_find(argv[0]) : NULL;
    if (face)
        return face_run(face, &c, argv, argc);
    int option;
    /* '+': options end at the first word, so that a command may have its own. */
    while ((option = getopt_long(argc, argv, "+c:hV", long_options, NULL)) != -1) {
        if (option == 'c')
            c.config_path = optarg;
        else if (option == 'h')
            return cli_run(&c, (char *[]){"help"}, 1);
        else if (option == 'V')
            return cli_run(&c, (char *[]){"version"}, 1);
        else
            return 2;
    }
    if (optind == argc) {
        cli_run(&c, (char *[]){"help"}, 1);
        return 2;
    }
    if (strcmp(argv[optind], "serve") == 0 && optind + 1 == argc)
        return serve(&c, argc, argv);
    return cli_run(&c, argv + optind, argc - optind);
}
