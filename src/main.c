/* main.c: the program's words: options, then `serve` or a command (cli/cli.h). */
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "role/role.h"

#define DEFAULT_CONFIG "/etc/postrider/postrider.conf"

int main(int argc, char **argv)
{
    struct cli c = {.program = "postrider", .config_path = DEFAULT_CONFIG};
    int option;
    /* '+': options end at the first word, so that a command may have its own. */
    while ((option = getopt(argc, argv, "+c:hV")) != -1) {
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
        return master_run(c.config_path);
    return cli_run(&c, argv + optind, argc - optind);
}
