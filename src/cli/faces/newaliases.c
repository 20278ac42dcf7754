/* newaliases.c: newaliases(1): there is no database to build: the text files of alias_maps are read
 * as they are, and read again when they change. So it checks that they can be read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/faces.h"

/* "hash:/etc/aliases" is the file /etc/aliases. */
static struct slice path_of(struct slice spec)
{
    size_t colon = slice_find(spec, ':');
    return colon == SIZE_MAX ? spec : slice_from(spec, colon + 1);
}

static int check(struct slice spec)
{
    char path[4096];
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(path_of(spec)));
    if (path[0] != '/')
        return EX_OK; /* a table without a file */
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fprintf(stderr, "newaliases: %s: %s\n", path, strerror(errno));
        return EX_NOINPUT;
    }
    close(fd);
    printf("%s: read as it is; a running server has taken changes already\n", path);
    return EX_OK;
}

int face_newaliases(struct cli *c, char **words, int n)
{
    int status = EX_OK;
    (void)words, (void)n; /* sendmail's options, none of which means anything here */
    if (cli_load(c) != 0)
        return EX_CONFIG;
    for (size_t i = 0; i < c->conf->alias_maps.n; i++) {
        int one = check(c->conf->alias_maps.items[i]);
        status = one ? one : status;
    }
    if (c->conf->alias_maps.n == 0)
        printf("alias_maps names no file\n");
    return status;
}
