/* postconf_edit.c: postconf -e, -#, -X: main.cf with parameters set, commented out or taken away.
 * The rest of the file stays as it is, byte by byte; the new one takes the old one's place in one
 * step, with its owner and mode. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/faces/postconf.h"
#include "conf/source.h"
#include "os/fds.h"

enum { EDITS_MAX = 200 };

struct edit {
    struct slice name, value;
    bool found;
};

struct editing {
    struct postconf *p;
    struct edit items[EDITS_MAX];
    size_t n;
    struct buf out;
};

static int fatal(const char *path, const char *why)
{
    fprintf(stderr, "postconf: fatal: %s: %s\n", path, why);
    return 1;
}

static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_alnum(s.data[i]) && s.data[i] != '_')
            return false;
    return s.len > 0;
}

/* NAME=VALUE to set, NAME otherwise. */
static int take_words(struct editing *e, char **words, int n)
{
    for (int i = 0; i < n; i++) {
        struct slice value = slice_cstr(words[i]);
        struct slice name = slice_trim(slice_split(&value, '='));
        bool set = e->p->mode == 'e';
        if (!is_name(name) || set != (value.data != NULL)) {
            fprintf(stderr, "postconf: fatal: %s: %s\n", words[i],
                    set ? "write NAME=VALUE" : "write the name of a parameter alone");
            return 1;
        }
        if (slice_find(slice_cstr(words[i]), '\n') != SIZE_MAX)
            return fatal(words[i], "a value is one line");
        if (e->n == EDITS_MAX)
            return fatal(words[i], "too many at a time");
        e->items[e->n++] = (struct edit){name, value.data ? slice_trim(value) : value, false};
    }
    return 0;
}

static struct edit *find(struct editing *e, struct slice line)
{
    struct slice name = slice_trim(slice_split(&line, '='));
    for (size_t i = 0; line.data && i < e->n; i++)
        if (slice_eq(e->items[i].name, name))
            return &e->items[i];
    return NULL;
}

static void put_setting(struct editing *e, const struct edit *x)
{
    buf_printf(&e->out, "%.*s = %.*s\n", SLICE_ARG(x->name), SLICE_ARG(x->value));
}

static void put_line(struct editing *e, struct slice line, bool end)
{
    buf_append(&e->out, line);
    if (end)
        buf_putc(&e->out, '\n');
}

/* A line that begins with white space goes on with the one before; comments may stand between. */
static bool goes_on(struct slice line)
{
    return line.len && (line.data[0] == ' ' || line.data[0] == '\t');
}

static void edit_lines(struct editing *e, struct slice text)
{
    struct edit *under = NULL;
    while (text.len) {
        size_t newline = slice_find(text, '\n');
        struct slice line = slice_sub(text, 0, newline);
        bool end = newline != SIZE_MAX;
        text = end ? slice_from(text, newline + 1) : SLICE_NONE;
        struct slice trimmed = slice_trim(line);
        bool comment = trimmed.len == 0 || trimmed.data[0] == '#';
        bool first = !comment && !goes_on(line);
        if (first)
            under = find(e, line);
        if (comment || !under) {
            put_line(e, line, end);
            continue;
        }
        if (e->p->mode == '#')
            buf_putc(&e->out, '#');
        if (e->p->mode == '#')
            put_line(e, line, true);
        else if (e->p->mode == 'e' && first && !under->found)
            put_setting(e, under);
        under->found = under->found || first;
    }
}

/* New ones stand at the end. */
static void add_missing(struct editing *e)
{
    struct slice so_far = buf_slice(&e->out);
    if (e->p->mode != 'e')
        return;
    if (so_far.len && so_far.data[so_far.len - 1] != '\n')
        buf_putc(&e->out, '\n');
    for (size_t i = 0; i < e->n; i++)
        if (!e->items[i].found)
            put_setting(e, &e->items[i]);
}

static int replace(const char *path, struct slice bytes)
{
    char fresh[4096];
    struct stat st;
    if (stat(path, &st) != 0)
        return fatal(path, strerror(errno));
    snprintf(fresh, sizeof fresh, "%s.XXXXXX", path);
    int fd = mkstemp(fresh);
    if (fd < 0)
        return fatal(fresh, strerror(errno));
    bool owned = fchown(fd, st.st_uid, st.st_gid) == 0 || geteuid() != 0;
    bool ok = owned && fchmod(fd, st.st_mode & 07777) == 0 && fd_write_all(fd, bytes) &&
              fsync(fd) == 0 && rename(fresh, path) == 0;
    int error = errno;
    close(fd);
    if (ok)
        return 0;
    unlink(fresh);
    return fatal(path, strerror(error));
}

int postconf_edit(struct postconf *p, char **words, int n)
{
    struct editing *e = calloc(1, sizeof *e);
    struct slice text;
    const char *path = arena_printf(&p->arena, "%s/main.cf", p->dir ? p->dir : "/etc/postfix");
    if (!e || !path) {
        free(e);
        return fatal("main.cf", "no memory");
    }
    e->p = p;
    buf_init(&e->out, 2 * CONF_FILE_MAX);
    int status = take_words(e, words, n);
    if (status == 0 && conf_read_file(path, &p->arena, &text) != OK)
        status = fatal(path, "it can't be read; without Postfix's files settings are written into "
                             "postrider.conf");
    if (status == 0) {
        edit_lines(e, text);
        add_missing(e);
        status = buf_ok(&e->out) ? replace(path, buf_slice(&e->out))
                                 : fatal(path, "the file is too large");
    }
    buf_release(&e->out);
    free(e);
    return status;
}
