/* config.c: config check | show | import | manual. */
#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/looked_at.h"
#include "cli/replace.h"
#include "conf/source.h"

enum { OUT_MAX = 4 << 20 };

static void show_text(void *arg, const char *name, struct slice value, const char *source)
{
    buf_printf(arg, "%s = ", name);
    cli_put_hidden(arg, value);
    buf_printf(arg, "    # %s\n", source);
}

static void show_json(void *arg, const char *name, struct slice value, const char *source)
{
    struct json *list = arg;
    json_item(list);
    struct json o = json_begin(list->out, '{');
    json_put_string(&o, "name", slice_cstr(name));
    struct buf shown;
    buf_init(&shown, 2 * OUT_MAX);
    cli_put_hidden(&shown, value);
    json_put_string(&o, "value", buf_slice(&shown));
    buf_release(&shown);
    json_put_string(&o, "source", slice_cstr(source));
    json_end(&o);
}

static void show(struct cli *c, bool as_json, struct buf *out)
{
    if (!as_json) {
        conf_each(c->conf, show_text, out);
        return;
    }
    struct json list = json_begin(out, '[');
    conf_each(c->conf, show_json, &list);
    json_end(&list);
    buf_putc(out, '\n');
}

/* ---- import ---- */

/* A value as it is written into postrider.conf: a $ stands for itself. */
static void put_value(struct buf *out, struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '$')
            buf_putc(out, '$');
        buf_putc(out, value.data[i]);
    }
}

static void import_class(void *arg, const char *name, struct slice value)
{
    buf_printf(arg, "%s = ", name);
    put_value(arg, value);
    buf_putc(arg, '\n');
}

/* All that is not our default; the files that it came from are no longer needed. */
static void import_one(void *arg, const char *name, struct slice value, const char *source)
{
    if (strcmp(source, "default") == 0 || strcmp(name, "postfix_config") == 0 ||
        strcmp(name, "dovecot_config") == 0 || strcmp(name, "sasl_config") == 0)
        return;
    buf_printf(arg, "# %s\n%s = ", source, name);
    put_value(arg, value);
    buf_putc(arg, '\n');
}

static void put_comments(struct buf *out, const char *before, struct slice lines)
{
    while (lines.len) {
        struct slice line = slice_split(&lines, '\n');
        if (line.len)
            buf_printf(out, "%s%.*s\n", before, SLICE_ARG(line));
    }
}

static void import(struct cli *c, const struct conf_errors *errors, struct buf *out)
{
    buf_puts(out, "# postrider.conf, made by `postrider config import`: every value that is not "
                  "Postrider's default,\n# with the place it comes from. Passwords of databases "
                  "are in it as they were: let nobody else read it.\n");
    if (buf_len(&errors->warnings))
        buf_puts(out, "#\n# Not taken over:\n");
    put_comments(out, "#   ", buf_slice(&errors->warnings));
    buf_putc(out, '\n');
    conf_each(c->conf, import_one, out);
    conf_each_class(c->conf, import_class, out);
}

/* ---- the command ---- */

/* Every setting of one's own, and what the old stack's files have that is not served. */
static void check(struct cli *c, const struct conf_errors *errors, bool verbose, struct buf *out)
{
    put_comments(out, "warning: ", buf_slice(&errors->warnings));
    if (verbose)
        put_comments(out, "note: ", buf_slice(&errors->notes));
    if (access(c->config_path, F_OK) == 0)
        buf_printf(out, "%s: ok\n", c->config_path);
    else
        buf_puts(out, "the configuration is ok\n");
}

/* False: the server could not use what is named; told. */
static bool look(struct cli *c, struct conf_errors *errors)
{
    if (cli_look(c, errors) == OK)
        return true;
    fprintf(stderr, "%.*s", SLICE_ARG(buf_slice(&errors->text)));
    return false;
}

enum action { CHECK, CHECK_VERBOSE, SHOW, SHOW_JSON, IMPORT, MANUAL, ACTIONS };

static enum action action_of(char **words, int n)
{
    static const struct {
        const char *first, *second;
    } rows[] = {[CHECK] = {"check", NULL},   [CHECK_VERBOSE] = {"check", "-v"},
                [SHOW] = {"show", NULL},     [SHOW_JSON] = {"show", "--json"},
                [IMPORT] = {"import", NULL}, [MANUAL] = {"manual", NULL}};
    for (int i = 0; i < ACTIONS; i++)
        if (n == (rows[i].second ? 3 : 2) && strcmp(words[1], rows[i].first) == 0 &&
            (!rows[i].second || strcmp(words[2], rows[i].second) == 0))
            return (enum action)i;
    return ACTIONS;
}

static void act(struct cli *c, enum action a, const struct conf_errors *errors, struct buf *out)
{
    if (a == MANUAL)
        cli_manual(out);
    else if (a == IMPORT)
        import(c, errors, out);
    else if (a == SHOW || a == SHOW_JSON)
        show(c, a == SHOW_JSON, out);
    else
        check(c, errors, a == CHECK_VERBOSE, out);
}

static int route(struct cli *c, char **words, int n)
{
    struct route_words w;
    if (!cli_route_words(words, n, &w))
        return cli_fail(2, "usage: config route ADDRESS [--sender ADDRESS] [--json]");
    c->files_given = true;
    if (cli_load(c) != 0)
        return 1;
    int status = cli_route(c, &w);
    conf_unref(c->conf);
    c->conf = NULL;
    return status;
}

/* config import --output FILE. The file may be the one that is read: it is replaced when all is
 * known. Passwords may be in it: a new one is for its owner alone. */
static int write_to(const char *path, const struct buf *out)
{
    struct error err = {""};
    if (!buf_ok(out))
        return cli_fail(1, "%s: the text is too long", path);
    return cli_replace(path, 0600, buf_slice(out), &err) == OK ? 0 : cli_fail(1, "%s", err.text);
}

static const char *take_output(char **words, int *n)
{
    if (*n != 4 || strcmp(words[1], "import") != 0 || strcmp(words[2], "--output") != 0)
        return NULL;
    *n = 2;
    return words[3];
}

int cli_config(struct cli *c, char **words, int n)
{
    const char *output = take_output(words, &n);
    if (n > 1 && strcmp(words[1], "route") == 0)
        return route(c, words + 2, n - 2);
    struct buf out;
    struct conf_errors errors;
    enum action a = action_of(words, n);
    if (a == ACTIONS)
        return cli_fail(2,
                        "usage: config check [-v] | config show [--json] | config route ADDRESS | "
                        "config import [--output FILE] | config manual [--postfix DIR] [--dovecot "
                        "FILE] [--sasl FILE]");
    conf_errors_init(&errors);
    buf_init(&out, OUT_MAX);
    c->files_given = true; /* these look at files before a server is started on them */
    bool ok = a == MANUAL || cli_load_told(c, &errors) == 0;
    if (ok && (a == CHECK || a == CHECK_VERBOSE))
        ok = look(c, &errors);
    if (ok)
        act(c, a, &errors, &out);
    else if (a == CHECK || a == CHECK_VERBOSE)
        put_comments(&out, "warning: ", buf_slice(&errors.warnings));
    if (!ok && a == CHECK_VERBOSE)
        put_comments(&out, "note: ", buf_slice(&errors.notes));
    int status = ok ? 0 : 1;
    if (ok && output)
        status = write_to(output, &out);
    else
        fwrite(buf_slice(&out).data, 1, buf_len(&out), stdout);
    buf_release(&out);
    conf_errors_release(&errors);
    if (fflush(stdout) != 0)
        return cli_fail(1, "cannot write the output");
    return status;
}
