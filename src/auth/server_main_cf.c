/* server_main_cf.c: tables of the old style (ldap_table(5), "BACKWARDS COMPATIBILITY"): "ldap:NAME"
 * has its parameters in main.cf, as NAME_server_host. They become what the table's file would
 * hold, each in its line of main.cf. */
#include <stdio.h>

#include "auth/server.h"
#include "conf/lines.h"
#include "conf/postfix/table_parameters.h"
#include "conf/scope.h"

enum { MAIN_CF_ARENA = 8 << 20 };

struct making {
    struct slice type, name;
    const char *path;
    struct conf_scope scope;
    struct arena *arena;
    struct buf *out;
    unsigned line;
};

/* "NAME_parameter": another table's name may begin alike, so the type must have the parameter. */
static bool is_ours(const struct making *m, struct slice name, struct slice *ret)
{
    if (!slice_starts(name, m->name) || name.len <= m->name.len + 1 ||
        name.data[m->name.len] != '_')
        return false;
    *ret = slice_from(name, m->name.len + 1);
    return table_parameter_known(m->type, *ret);
}

static enum result add(struct making *m, const struct conf_assignment *a, struct slice name,
                       struct error *err)
{
    struct slice value;
    if (conf_scope_expand(&m->scope, a->value, a->grammar, m->arena, &value, NULL) != OK)
        return error_set(err, INVALID, "%s:%u: %.*s can't be expanded", m->path, a->line,
                         SLICE_ARG(a->name));
    for (; m->line < a->line; m->line++)
        buf_putc(m->out, '\n');
    buf_append(m->out, name);
    buf_puts(m->out, " = ");
    for (size_t i = 0; i < value.len; i++)
        buf_putc(m->out, value.data[i] == '\n' ? ' ' : value.data[i]);
    return OK;
}

static enum result read_main(struct making *m, struct slice text, struct error *err)
{
    struct conf_errors told; /* whoever loads the configuration tells these */
    conf_errors_init(&told);
    struct conf_reading reading = {.arena = m->arena, .errors = &told};
    enum result r = conf_read_lines(text, m->path, CONF_POSTFIX, &reading);
    m->scope = (struct conf_scope){.postfix = true, .service = SLICE("")};
    m->scope.layers[CONF_LAYER_POSTFIX] = reading.found;
    if (r == OK)
        r = conf_scope_names(&m->scope, m->arena);
    if (r != OK)
        error_set(err, FAILED, "%s: can't be read", m->path);
    for (size_t i = 0; r == OK && i < reading.found.n; i++) {
        struct slice name;
        if (is_ours(m, reading.found.items[i].name, &name))
            r = add(m, &reading.found.items[i], name, err);
    }
    conf_errors_release(&told);
    return r;
}

enum result server_read_main_cf(struct slice type, struct slice name, const char *path,
                                struct buf *out, struct error *err)
{
    struct arena a;
    struct slice text;
    struct making m = {
        .type = type, .name = name, .path = path, .arena = &a, .out = out, .line = 1};
    arena_init(&a, MAIN_CF_ARENA);
    enum result r = conf_read_file(path, &a, &text);
    if (r != OK)
        error_set(err, FAILED, "%s: can't be read", path);
    else
        r = read_main(&m, text, err);
    if (r == OK && !buf_ok(out))
        r = error_set(err, FAILED, "%s: the parameters of %.*s are too long", path,
                      SLICE_ARG(name));
    arena_release(&a);
    return r;
}
