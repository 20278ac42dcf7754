/* postconf.c: postconf(1): what main.cf and Postfix's defaults say, as scripts parse it. Without a
 * main.cf it shows what holds in Postrider. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/faces/postconf.h"
#include "cli/running.h"
#include "conf/postfix/parameters.h"
#include "conf/postfix/postfix.h"
#include "conf/table.h"
#include "table/table.h"

enum { ARENA_MAX = 16 << 20, NAMES_MAX = 4096, OUT_MAX = 4 << 20 };

/* Runs of white space are one space, as postconf prints them. */
static void put_folded(struct buf *out, struct slice value)
{
    bool space = false;
    for (size_t i = 0; i < value.len; i++) {
        bool now = value.data[i] == ' ' || value.data[i] == '\t';
        if (!now && space)
            buf_putc(out, ' ');
        if (!now)
            buf_putc(out, value.data[i]);
        space = now;
    }
}

static void put(struct postconf *p, struct slice name, struct slice value)
{
    if (!p->bare)
        buf_printf(&p->out, value.len ? "%.*s = " : "%.*s =", SLICE_ARG(name));
    put_folded(&p->out, value);
    buf_putc(&p->out, '\n');
}

/* ---- values ---- */

static void find_in_conf(void *arg, const char *name, struct slice value, const char *source)
{
    struct conf_assignment *want = arg;
    (void)source;
    if (slice_is(want->name, name))
        want->value = value;
}

/* Without main.cf: the value that holds here. */
static bool value_here(const struct postconf *p, struct slice name, struct slice *ret)
{
    struct conf_assignment want = {.name = name};
    if (p->dir || p->defaults || !p->cli->conf)
        return false;
    conf_each(p->cli->conf, find_in_conf, &want);
    *ret = want.value;
    return want.value.data != NULL;
}

static bool raw_value(struct postconf *p, struct slice name, struct conf_raw *ret)
{
    struct conf_assignment *a = p->defaults ? NULL : conf_layer_find(&p->of_file, name);
    if (a) {
        *ret = (struct conf_raw){a->value, CONF_POSTFIX, a, NULL};
        return true;
    }
    if (slice_is(name, "config_directory") && p->dir && !p->defaults) {
        *ret = (struct conf_raw){slice_cstr(p->dir), CONF_LITERAL, NULL, ""};
        return true;
    }
    /* What our own settings are called is no parameter of Postfix. */
    return (postfix_parameter_find(name) || conf_scope_assignment(&p->scope, name)) &&
           conf_scope_find(&p->scope, name, ret);
}

static bool show_value(struct postconf *p, struct slice name)
{
    struct conf_raw raw;
    struct slice value;
    struct error why = {""};
    if (value_here(p, name, &value)) {
        put(p, name, value);
        return true;
    }
    if (!raw_value(p, name, &raw))
        return false;
    if (p->expand &&
        conf_scope_expand(&p->scope, raw.value, raw.grammar, &p->arena, &raw.value, &why) != OK)
        fprintf(stderr, "postconf: warning: %.*s: %s\n", SLICE_ARG(name), why.text);
    /* TLS levels mean something where they are empty; shown is what is written. */
    if (!p->expand && raw.from == NULL && postfix_when_empty(name))
        raw.value = SLICE("");
    put(p, name, raw.value);
    return true;
}

/* ---- lists of names ---- */

struct names {
    struct slice items[NAMES_MAX];
    size_t n;
};

static void add_name(struct names *to, struct slice name)
{
    for (size_t i = 0; i < to->n; i++)
        if (slice_eq(to->items[i], name))
            return;
    if (to->n < NAMES_MAX)
        to->items[to->n++] = name;
}

static int by_name(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

struct wanted {
    struct slice name;
    bool found;
};

static void is_wanted(void *arg, struct slice name)
{
    struct wanted *w = arg;
    w->found = w->found || slice_eq(w->name, name);
}

/* A name of one's own counts where a value refers to it, or it is a restriction class. */
static bool referred(const struct postconf *p, struct slice name)
{
    struct wanted w = {name, false};
    for (size_t i = 0; i < p->of_file.n && !w.found; i++) {
        const struct conf_assignment *a = &p->of_file.items[i];
        conf_references(a->value, is_wanted, &w);
        if (slice_is(a->name, "smtpd_restriction_classes"))
            w.found = w.found || slice_search(a->value, name) != SIZE_MAX;
    }
    return w.found;
}

static void names_of_file(struct postconf *p, struct names *to)
{
    for (size_t i = 0; i < p->of_file.n; i++) {
        const struct conf_assignment *a = &p->of_file.items[i];
        if (postfix_parameter_find(a->name) || referred(p, a->name))
            add_name(to, a->name);
        else
            fprintf(stderr, "postconf: warning: %s: unused parameter: %.*s=%.*s\n", a->file,
                    SLICE_ARG(a->name), SLICE_ARG(a->value));
    }
    if (p->dir && strcmp(p->dir, "/etc/postfix") != 0)
        add_name(to, SLICE("config_directory"));
}

static void add_set_here(void *arg, const char *name, struct slice value, const char *source)
{
    (void)value;
    if (postfix_parameter_find(slice_cstr(name)) && !strstr(source, "default"))
        add_name(arg, slice_cstr(name));
}

static void all_names(struct names *to)
{
    for (size_t i = 0; postfix_parameter_at(i); i++)
        add_name(to, slice_cstr(postfix_parameter_at(i)->name));
}

static void show_all(struct postconf *p)
{
    struct names *names = calloc(1, sizeof *names);
    if (!names)
        return;
    if (p->set && p->dir)
        names_of_file(p, names);
    else if (p->set && p->cli->conf)
        conf_each(p->cli->conf, add_set_here, names);
    else
        all_names(names);
    if (!p->set && !p->defaults && p->dir)
        for (size_t i = 0; i < p->of_file.n; i++)
            if (referred(p, p->of_file.items[i].name))
                add_name(names, p->of_file.items[i].name);
    qsort(names->items, names->n, sizeof *names->items, by_name);
    for (size_t i = 0; i < names->n; i++)
        show_value(p, names->items[i]);
    free(names);
}

/* With -n only those that main.cf has. */
static void show_names(struct postconf *p, char **words, int n)
{
    for (int i = 0; i < n; i++) {
        struct slice name = slice_cstr(words[i]);
        if (p->set && p->dir && !conf_layer_find(&p->of_file, name)) {
            if (!postfix_parameter_find(name))
                fprintf(stderr, "postconf: warning: %s: unknown parameter\n", words[i]);
            continue;
        }
        if (!show_value(p, name))
            fprintf(stderr, "postconf: warning: %s: unknown parameter\n", words[i]);
    }
}

/* ---- options ---- */

static bool there(const char *dir, struct arena *a)
{
    struct slice text;
    const char *path = arena_printf(a, "%s/main.cf", dir);
    return path && conf_read_file(path, a, &text) == OK;
}

/* -c, then MAIL_CONFIG, postrider.conf's postfix_config, /etc/postfix where there is a main.cf. */
static void choose_folder(struct postconf *p, const char *given)
{
    struct conf_errors quiet;
    const char *env = getenv("MAIL_CONFIG");
    conf_errors_init(&quiet);
    if (!given && !env)
        cli_use_running(p->cli);
    p->cli->origin.path = p->cli->config_path;
    if (!given && !env && conf_load(&p->cli->origin, &p->cli->conf, &quiet) != OK)
        p->cli->conf = NULL;
    conf_errors_release(&quiet);
    if (given || env)
        p->dir = given ? given : env;
    else if (p->cli->conf && p->cli->conf->postfix_config.len)
        p->dir = p->cli->conf->postfix_config.data;
    else if (!p->cli->conf && there("/etc/postfix", &p->arena))
        p->dir = "/etc/postfix";
}

static int open_files(struct postconf *p)
{
    struct conf_reading r = {.arena = &p->arena, .errors = &p->errors};
    enum result result = p->dir ? postfix_read_main(slice_cstr(p->dir), &r) : OK;
    p->of_file = r.found;
    p->scope.postfix = true;
    p->scope.service = SLICE("");
    if (!p->defaults)
        p->scope.layers[CONF_LAYER_POSTFIX] = r.found;
    else
        r.found = (struct conf_assignments){0};
    if (result == OK)
        result = conf_scope_names(&p->scope, &p->arena);
    if (result == OK)
        result = postfix_derive(&p->scope, &r);
    if (result == OK && p->errors.count == 0)
        return 0;
    fprintf(stderr, "postconf: fatal: %.*s", SLICE_ARG(buf_slice(&p->errors.text)));
    return 1;
}

static int take_option(struct postconf *p, int option, const char **dir)
{
    switch (option) {
    case 'c':
        *dir = optarg;
        return 0;
    case 'd':
        p->defaults = true;
        return 0;
    case 'n':
        p->set = true;
        return 0;
    case 'h':
        p->bare = true;
        return 0;
    case 'x':
        p->expand = true;
        return 0;
    case 'M':
    case 'P':
    case 'F':
    case 'm':
    case 'a':
    case 'A':
    case 'l':
        p->mode = option;
        return 0;
    case 'e':
    case '#':
    case 'X':
        p->edit = option;
        return 0;
    case 'f':
        p->fold = true;
        return 0;
    case 'p':
    case 'v':
        return 0; /* main.cf is shown anyway; verbosity changes no value */
    case 'b':
    case 't':
        return postconf_fatal((char[]){'-', (char)option, 0},
                              "the texts of bounces are no templates here");
    case 'C':
    case 'o':
    case 'T':
    case 'H':
        return postconf_fatal((char[]){'-', (char)option, 0}, "not served: see postconf -?");
    default:
        fprintf(stderr,
                "usage: postconf [-c DIR] [-d] [-h] [-n] [-x] [NAME...] | "
                "postconf [-c DIR] -e NAME=VALUE... | -# NAME... | -X NAME... | "
                "-M|-P|-F [-f] [NAME[/TYPE[/PARAMETER or FIELD]]...] | "
                "-M NAME/TYPE=LINE... | -MX|-M# NAME/TYPE... | -P NAME/TYPE/PARAMETER=VALUE... | "
                "-PX NAME/TYPE/PARAMETER... | -F NAME/TYPE/FIELD=VALUE... | "
                "postconf -a|-A|-l|-m\n");
        return 1;
    }
}

/* What there is, one a line. */
static bool show_list(struct postconf *p)
{
    static const char sasl[] = "cyrus\ndovecot\n", client[] = "cyrus\n";
    static const char locks[] = "flock\nfcntl\ndotlock\n";
    if (p->mode == 'm')
        for (size_t i = 0; table_type_name(i); i++)
            buf_printf(&p->out, "%s\n", table_type_name(i));
    else if (p->mode == 'a' || p->mode == 'A')
        buf_puts(&p->out, p->mode == 'a' ? sasl : client);
    else if (p->mode == 'l')
        buf_puts(&p->out, locks);
    else
        return false;
    return true;
}

/* What can't be edited so, and how it can. */
static int check_edit(const struct postconf *p, int n)
{
    bool services = p->mode == 'M' || p->mode == 'P' || p->mode == 'F';
    if (p->mode == 'F' && p->edit && p->edit != 'e')
        return postconf_fatal("-F", "a field is changed (-e), not taken away");
    if (p->mode == 'P' && p->edit == '#')
        return postconf_fatal("-P", "an -o is taken away (-X), not commented out");
    if (p->edit && (p->defaults || p->set || p->bare || p->expand || (p->mode && !services)))
        return postconf_fatal((char[]){'-', (char)p->edit, 0}, "it goes with -M, -P and -F alone");
    if (p->edit && n == 0)
        return postconf_fatal((char[]){'-', (char)p->edit, 0}, "name what is to be changed");
    return 0;
}

static int run(struct postconf *p, char **words, int n)
{
    const char *dir = NULL;
    int option;
    while ((option = getopt(n, words, "c:dnhxMPFmaAle#Xfpvbto:C:TH")) != -1)
        if (take_option(p, option, &dir) != 0)
            return 1;
    for (int i = optind; i < n && !p->edit; i++)
        if (strchr(words[i], '='))
            p->edit = 'e'; /* as Postfix takes it since 2.11 */
    if (check_edit(p, n - optind) != 0)
        return 1;
    if (show_list(p))
        return 0;
    choose_folder(p, dir);
    if (p->edit)
        return (p->mode ? postconf_edit_services : postconf_edit)(p, words + optind, n - optind);
    if (p->mode)
        return postconf_services(p, words + optind, n - optind);
    if (open_files(p) != 0)
        return 1;
    if (optind < n)
        show_names(p, words + optind, n - optind);
    else
        show_all(p);
    return 0;
}

int face_postconf(struct cli *c, char **words, int n)
{
    struct postconf p = {.cli = c};
    arena_init(&p.arena, ARENA_MAX);
    conf_errors_init(&p.errors);
    buf_init(&p.out, OUT_MAX);
    int status = run(&p, words, n);
    fwrite(buf_slice(&p.out).data, 1, buf_len(&p.out), stdout);
    buf_release(&p.out);
    conf_errors_release(&p.errors);
    arena_release(&p.arena);
    return fflush(stdout) == 0 ? status : 1;
}
