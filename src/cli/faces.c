/* faces.c: which name is which program's. */
#include "cli/faces.h"

#include <getopt.h>
#include <string.h>

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

int face_run(const struct face *f, struct cli *c, char **words, int n)
{
    optind = 0; /* getopt(3): begins anew, though main has read options of its own */
    int status = f->run(c, words, n);
    conf_unref(c->conf);
    c->conf = NULL;
    return status;
}
