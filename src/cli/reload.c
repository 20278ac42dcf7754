/* reload.c: tells the master to read the configuration again, after checking it here, where the
 * errors can be seen; what only the server can find out, it tells. */
#include <stdio.h>

#include "cli/service.h"

int cli_reload(struct cli *c, char **words, int n)
{
    struct error err = {""};
    (void)words;
    if (n != 1)
        return cli_fail(2, "usage: reload");
    if (service_reload(c, &err) != OK)
        return cli_fail(1, "%s", err.text);
    printf("the server uses the new configuration\n");
    return 0;
}
