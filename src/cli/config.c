/* config.c: config check | show | manual. */
#include <stdio.h>

#include "base/json.h"
#include "cli/cli.h"

enum { OUT_MAX = 4 << 20 };

static void show_text(void *arg, const char *name, struct slice value, const char *source)
{
    buf_printf(arg, "%s = %.*s    # %s\n", name, SLICE_ARG(value), source);
}

static void show_json(void *arg, const char *name, struct slice value, const char *source)
{
    struct json *list = arg;
    json_item(list);
    struct json o = json_begin(list->out, '{');
    json_put_string(&o, "name", slice_cstr(name));
    json_put_string(&o, "value", value);
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

int cli_config(struct cli *c, char **words, int n)
{
    struct buf out;
    bool as_json = n == 3 && strcmp(words[2], "--json") == 0;
    bool check = n == 2 && strcmp(words[1], "check") == 0;
    bool manual = n == 2 && strcmp(words[1], "manual") == 0;
    if (!check && !manual && !(n >= 2 && strcmp(words[1], "show") == 0 && (n == 2 || as_json)))
        return cli_fail(2, "usage: config check | config show [--json] | config manual");
    if (!manual && cli_load(c) != 0)
        return 1;
    buf_init(&out, OUT_MAX);
    if (manual)
        cli_manual(&out);
    else if (check)
        buf_printf(&out, "%s: ok\n", c->config_path);
    else
        show(c, as_json, &out);
    fwrite(buf_slice(&out).data, 1, buf_len(&out), stdout);
    buf_release(&out);
    return fflush(stdout) == 0 ? 0 : cli_fail(1, "cannot write the output");
}
