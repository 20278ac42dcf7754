/* postconf_rewrite.c: main.cf or master.cf with a few of its settings or services edited. The rest
 * stays as it is, byte by byte; the new file takes the old one's place in one step, with its owner
 * and mode. */
#include <stdio.h>

#include "cli/faces/postconf.h"
#include "cli/replace.h"
#include "conf/source.h"

int postconf_fatal(const char *what, const char *why)
{
    fprintf(stderr, "postconf: fatal: %s: %s\n", what, why);
    return 1;
}

static struct slice next_line(struct slice text, bool *ret_end)
{
    size_t newline = slice_find(text, '\n');
    *ret_end = newline != SIZE_MAX;
    return slice_sub(text, 0, newline);
}

static bool is_comment(struct slice line)
{
    struct slice trimmed = slice_trim(line);
    return trimmed.len == 0 || trimmed.data[0] == '#';
}

/* A line that begins with white space goes on with the one before; comments may stand between. */
static bool goes_on(struct slice line)
{
    return line.len && (line.data[0] == ' ' || line.data[0] == '\t');
}

/* The item that begins here, up to where the next one does. */
static struct slice whole_item(struct slice text)
{
    size_t at = 0;
    bool end = true;
    while (end && at < text.len) {
        struct slice line = next_line(slice_from(text, at), &end);
        if (at && !is_comment(line) && !goes_on(line))
            break;
        at += line.len + end;
    }
    return slice_sub(text, 0, at);
}

static void put_line(struct slice line, bool end, struct buf *out)
{
    buf_append(out, line);
    if (end)
        buf_putc(out, '\n');
}

static void rewrite_lines(const struct postconf_rewriting *r, bool keep, struct slice text,
                          struct buf *out)
{
    bool edited = false, end;
    while (text.len) {
        struct slice line = next_line(text, &end);
        bool comment = is_comment(line);
        if (!comment && !goes_on(line))
            edited = r->item(r->arg, whole_item(text), out);
        if (comment || !edited) {
            put_line(line, end, out);
        } else if (keep) {
            buf_putc(out, '#');
            put_line(line, true, out);
        }
        text = slice_from(text, line.len + end);
    }
    struct slice so_far = buf_slice(out);
    if (so_far.len && so_far.data[so_far.len - 1] != '\n')
        buf_putc(out, '\n');
    r->end(r->arg, out);
}

static int replace(const char *path, struct slice bytes)
{
    struct error err = {""};
    if (cli_replace(path, 0644, bytes, &err) == OK)
        return 0;
    fprintf(stderr, "postconf: fatal: %s\n", err.text);
    return 1;
}

int postconf_rewrite(struct postconf *p, const char *name, const struct postconf_rewriting *r)
{
    struct slice text;
    struct buf out;
    const char *path = arena_printf(&p->arena, "%s/%s", p->dir ? p->dir : "/etc/postfix", name);
    if (!path)
        return postconf_fatal(name, "no memory");
    if (conf_read_file(path, &p->arena, &text) != OK)
        return postconf_fatal(path, "it can't be read; without Postfix's files settings are "
                                    "written into postrider.conf");
    buf_init(&out, 2 * CONF_FILE_MAX);
    rewrite_lines(r, p->edit == '#', text, &out);
    int status = *r->failed     ? 1
                 : buf_ok(&out) ? replace(path, buf_slice(&out))
                                : postconf_fatal(path, "the file is too large");
    buf_release(&out);
    return status;
}
