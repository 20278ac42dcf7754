/* doveconf.c: doveconf(1): dovecot.conf as it is used, in its own form (-n); with -a also what
 * holds where it says nothing; single settings by name (-h: the values alone). Passwords stay
 * hidden. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/faces.h"
#include "conf/dovecot/tree.h"
#include "conf/table.h"

enum { OUT_MAX = 16 << 20, INDENT = 2 };

struct doveconf {
    const struct conf *conf;
    const struct dovecot_node *root;
    const char *path;
    bool all, bare; /* -a, -h */
    struct buf out;
};

static int fatal(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int fatal(const char *format, ...)
{
    va_list ap;
    fputs("doveconf: Fatal: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    return EX_CONFIG;
}

static void put_value(struct doveconf *d, struct slice key, struct slice value)
{
    if (slice_ends_nocase(key, SLICE("password")))
        buf_puts(&d->out, "# hidden");
    else
        cli_put_hidden(&d->out, value);
    buf_putc(&d->out, '\n');
}

static void put_setting(struct doveconf *d, const struct dovecot_node *n, int indent)
{
    if (!d->bare || indent)
        buf_printf(&d->out, "%*s%.*s = ", indent, "", SLICE_ARG(n->key));
    if (n->from_file)
        buf_putc(&d->out, '<');
    put_value(d, n->key, n->value);
}

/* Of a setting that stands there twice the last one counts. */
static bool counts(const struct dovecot_node *n)
{
    return dovecot_find(n->parent, n->key.data) == n;
}

static void put_block(struct doveconf *d, const struct dovecot_node *block, int indent);

static void put_nodes(struct doveconf *d, const struct dovecot_node *block, int indent)
{
    for (const struct dovecot_node *n = block->first; n; n = n->next)
        if (n->block)
            put_block(d, n, indent);
        else if (counts(n))
            put_setting(d, n, indent);
}

/* DOVECOT_NESTING_MAX deep at most. */
static void put_block(struct doveconf *d, const struct dovecot_node *block, int indent)
{
    buf_printf(&d->out, "%*s%.*s%s%.*s {\n", indent, "", SLICE_ARG(block->key),
               block->value.len ? " " : "", SLICE_ARG(block->value));
    put_nodes(d, block, indent + INDENT);
    buf_printf(&d->out, "%*s}\n", indent, "");
}

static bool is_dovecots(const char *name)
{
    size_t i = conf_find(slice_cstr(name));
    return i != SIZE_MAX && strcmp(conf_table[i].origin, "dovecot") == 0;
}

/* What dovecot.conf does not say itself. */
static void put_other(void *arg, const char *name, struct slice value, const char *source)
{
    struct doveconf *d = arg;
    (void)source;
    if (!is_dovecots(name) || dovecot_find(d->root, name))
        return;
    buf_printf(&d->out, "%s = ", name);
    put_value(d, slice_cstr(name), value);
}

struct wanted {
    struct doveconf *d;
    const char *name;
    bool found;
};

static void put_wanted(void *arg, const char *name, struct slice value, const char *source)
{
    struct wanted *w = arg;
    (void)source;
    if (strcmp(name, w->name) != 0 || !is_dovecots(name))
        return;
    w->found = true;
    if (!w->d->bare)
        buf_printf(&w->d->out, "%s = ", name);
    put_value(w->d, slice_cstr(name), value);
}

/* By a name: the setting, or every block of that kind. False: there is none. */
static bool put_named(struct doveconf *d, const char *name)
{
    const struct dovecot_node *setting = dovecot_find(d->root, name);
    struct wanted w = {d, name, false};
    for (const struct dovecot_node *n = d->root->first; n && !setting; n = n->next)
        if (n->block && slice_is(n->key, name)) {
            put_block(d, n, 0);
            w.found = true;
        }
    if (setting)
        put_setting(d, setting, 0);
    else if (!w.found)
        conf_each(d->conf, put_wanted, &w);
    return setting || w.found;
}

static int show(struct doveconf *d, char **names, int n)
{
    if (n == 0) {
        buf_printf(&d->out, "# %s (Postrider): %s\n", POSTRIDER_VERSION, d->path);
        if (d->all)
            conf_each(d->conf, put_other, d);
        put_nodes(d, d->root, 0);
    }
    for (int i = 0; i < n; i++)
        if (!put_named(d, names[i]))
            /* Dovecot says nothing then, and succeeds: scripts ask for what a version may lack. */
            fprintf(stderr, "doveconf: note: unknown setting: %s\n", names[i]);
    fwrite(buf_slice(&d->out).data, 1, buf_len(&d->out), stdout);
    if (!buf_ok(&d->out) || fflush(stdout) != 0)
        return fatal("what was asked for can't be written");
    return EX_OK;
}

static int read_and_show(struct doveconf *d, char **names, int n)
{
    struct arena a;
    struct conf_errors errors;
    struct dovecot_node *root;
    arena_init(&a, DOVECOT_ARENA_MAX);
    conf_errors_init(&errors);
    buf_init(&d->out, OUT_MAX);
    int status;
    if (dovecot_tree(&dovecot_disk, d->path, &a, &errors, &root) != OK || buf_len(&errors.text)) {
        fprintf(stderr, "%.*s", SLICE_ARG(buf_slice(&errors.text)));
        status = fatal("%s can't be used", d->path);
    } else {
        d->root = root;
        status = show(d, names, n);
    }
    buf_release(&d->out);
    conf_errors_release(&errors);
    arena_release(&a);
    return status;
}

int face_doveconf(struct cli *c, char **words, int n)
{
    struct doveconf d = {0};
    int option;
    while ((option = getopt(n, words, "ac:hnN")) != -1) {
        if (option == '?') {
            fputs("usage: doveconf [-a] [-n] [-h] [-c <file>] [<setting> ...]\n", stderr);
            return EX_USAGE;
        }
        d.all |= option == 'a';
        d.bare |= option == 'h';
        if (option == 'c')
            d.path = optarg;
    }
    if (cli_load(c) != 0)
        return EX_CONFIG;
    d.conf = c->conf;
    if (!d.path && c->conf->dovecot_config.len)
        d.path = c->conf->dovecot_config.data;
    if (!d.path)
        return fatal("no dovecot.conf is in use here (dovecot_config names none): \"postrider "
                     "config show\" shows the settings, -c FILE reads a file");
    /* Without a name -h has nothing to leave out. */
    d.bare &= optind < n;
    return read_and_show(&d, words + optind, n - optind);
}
