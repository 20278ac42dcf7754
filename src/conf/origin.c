#include "conf/origin.h"

#include <unistd.h>

static enum result put_path(struct buf *out, const char *name, const char *path)
{
    char folder[4096] = "";
    if (!path)
        return OK;
    if (strpbrk(path, "\r\n"))
        return INVALID;
    if (path[0] != '/' && !getcwd(folder, sizeof folder))
        return FAILED;
    buf_printf(out, "%s %s%s%s\n", name, folder, folder[0] ? "/" : "", path);
    return OK;
}

enum result conf_origin_format(const struct conf_origin *o, struct buf *out)
{
    enum result r = put_path(out, "config", o->path);
    if (o->optional)
        buf_puts(out, "optional yes\n");
    if (r == OK)
        r = put_path(out, "postfix", o->postfix);
    if (r == OK)
        r = put_path(out, "dovecot", o->dovecot);
    if (r == OK)
        r = put_path(out, "sasl", o->sasl);
    return r != OK ? r : buf_ok(out) ? OK : FAILED;
}

static bool take_line(struct slice line, struct arena *a, struct conf_origin *o)
{
    struct slice value = line;
    struct slice name = slice_split(&value, ' ');
    const char **to = slice_is(name, "config")    ? &o->path
                      : slice_is(name, "postfix") ? &o->postfix
                      : slice_is(name, "dovecot") ? &o->dovecot
                      : slice_is(name, "sasl")    ? &o->sasl
                                                  : NULL;
    if (slice_is(name, "optional") && slice_is(value, "yes"))
        o->optional = true;
    else if (!to || !slice_starts(value, SLICE("/")) || memchr(value.data, 0, value.len))
        return false;
    else
        *to = arena_dup(a, value).data;
    return !to || *to;
}

enum result conf_origin_parse(struct slice text, struct arena *a, struct conf_origin *ret)
{
    struct conf_origin o = {0};
    if (text.len > CONF_ORIGIN_MAX)
        return INVALID;
    while (text.len)
        if (!take_line(slice_split(&text, '\n'), a, &o))
            return INVALID;
    if (!o.path)
        return INVALID;
    *ret = o;
    return OK;
}
