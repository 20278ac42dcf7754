/* faces.c: which name is which program's. */
#include "cli/faces.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FACE_ROW(name, text) {#name, text, face_##name},
const struct face face_table[] = {FACES(FACE_ROW)};
const size_t face_count = sizeof face_table / sizeof *face_table;

const struct face *face_find(const char *program)
{
    const char *slash = strrchr(program, '/');
    const char *name = slash ? slash + 1 : program;
    /* Where several mail systems share a name each has its own with a suffix (alternatives). */
    const char *suffix = strstr(name, ".postrider");
    size_t len =
        suffix && strcmp(suffix, ".postrider") == 0 ? (size_t)(suffix - name) : strlen(name);
    for (size_t i = 0; i < face_count; i++)
        if (strlen(face_table[i].name) == len && strncmp(face_table[i].name, name, len) == 0)
            return &face_table[i];
    return NULL;
}

bool face_is_in_use(const char *given, struct slice used)
{
    struct stat a, b;
    char path[4096];
    if (used.len == 0 || used.len >= sizeof path)
        return false;
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(used));
    return stat(given, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

int face_run(const struct face *f, struct cli *c, char **words, int n)
{
    optind = 0; /* getopt(3): begins anew, though main has read options of its own */
    int status = f->run(c, words, n);
    conf_unref(c->conf);
    c->conf = NULL;
    return status;
}
