/* newaliases.c: newaliases(1): there is no database to build: the text files of alias_maps are read
 * as they are, and read again when they change. So it checks that they can be read, and their
 * lines.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "auth/aliases.h"
#include "cli/faces.h"
#include "os/fds.h"

/* "hash:/etc/aliases" is the file /etc/aliases. */
static struct slice path_of(struct slice spec)
{
    size_t colon = slice_find(spec, ':');
    return colon == SIZE_MAX ? spec : slice_from(spec, colon + 1);
}

static void tell(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg;
    fprintf(stderr, "newaliases: warning: %.*s:%u: %s\n", SLICE_ARG(file), line, reason);
}

/* Lines that lead nowhere are warned of, as postalias(1) does. */
static void check_lines(int fd, const char *path)
{
    struct aliases *t = NULL;
    struct buf bytes;
    buf_init(&bytes, ALIASES_BYTES_MAX);
    if (fd_read_all(fd, ALIASES_BYTES_MAX, &bytes) != OK || aliases_new(&t) != OK ||
        aliases_add(t, slice_cstr(path), 0, buf_slice(&bytes), tell, NULL) != OK)
        fprintf(stderr, "newaliases: warning: %s: can't be checked\n", path);
    aliases_free(t);
    buf_release(&bytes);
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
    check_lines(fd, path);
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
