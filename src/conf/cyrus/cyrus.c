/* cyrus.c: smtpd.conf of Cyrus SASL (its options.html): what the SMTP server asks passwords of, and
 * the mechanisms that it offers. */
#include "conf/cyrus/cyrus.h"

#include "conf/cyrus/saslauthd.h"
#include "conf/scope.h"

#include <errno.h>

struct option {
    const char *name;
    const char *setting; /* NULL: none */
    const char *text;    /* for an option that is not taken: its effect and what to do */
};

static const struct option options[] = {
    {"pwcheck_method", "pwcheck_method", NULL},
    {"mech_list", "mech_list", NULL},
    {"saslauthd_path", "saslauthd_path", NULL},
    {"log_level", NULL, "says how much Cyrus SASL logs; Postrider's log_level says it here"},
    {"autotransition", NULL, "copies passwords into Cyrus SASL's own database; there is none here"},
};

static const struct option *find_option(struct slice name)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (slice_is_nocase(name, options[i].name))
            return &options[i];
    return NULL;
}

/* auxprop: passwords in a database of Cyrus SASL's own. */
static bool is_auxprop(struct slice name)
{
    return slice_starts_nocase(name, SLICE("auxprop")) ||
           slice_starts_nocase(name, SLICE("sasldb")) || slice_starts_nocase(name, SLICE("sql_")) ||
           slice_starts_nocase(name, SLICE("ldapdb"));
}

static enum result take(const struct option *o, struct slice value, const char *file, unsigned line,
                        struct conf_reading *r)
{
    struct conf_assignment a = {.name = slice_cstr(o->setting),
                                .value = arena_dup(r->arena, value),
                                .service = SLICE(""),
                                .file = file,
                                .line = line,
                                .grammar = CONF_LITERAL};
    return conf_assign(r, &r->found, a);
}

static enum result read_line(struct slice line, const char *file, unsigned number,
                             struct conf_reading *r)
{
    struct slice rest = slice_trim(line);
    if (rest.len == 0 || rest.data[0] == '#')
        return OK;
    struct slice name = slice_trim(slice_split(&rest, ':'));
    if (!rest.data) {
        conf_error(r->errors, file, number, "`%.*s` is no option: write name: value",
                   SLICE_ARG(slice_sub(name, 0, 60)));
        return OK;
    }
    const struct option *o = find_option(name);
    if (slice_is_nocase(name, "pwcheck_method") && slice_search(rest, SLICE("auxprop")) != SIZE_MAX)
        conf_warn(r->errors, file, number,
                  "pwcheck_method: auxprop looks passwords up in a database of Cyrus SASL's own, "
                  "which is not read: move its accounts with `postrider user add`, or name others "
                  "with dovecot_config");
    if (o && o->setting)
        return take(o, slice_trim(rest), file, number, r);
    if (o)
        conf_note(r->errors, file, number, "%s %s", o->name, o->text);
    else if (is_auxprop(name))
        conf_warn(
            r->errors, file, number,
            "%.*s: passwords in a database of Cyrus SASL are not read: name the accounts with "
            "users_file or dovecot_config",
            SLICE_ARG(name));
    else
        conf_warn(r->errors, file, number, "%.*s is not known and does nothing: remove it",
                  SLICE_ARG(slice_sub(name, 0, 60)));
    return OK;
}

/* ---- saslauthd's socket ---- */

/* Both /var/run and /run are written for one folder. */
static struct slice without_var(struct slice path)
{
    return slice_starts(path, SLICE("/var/run/")) ? slice_from(path, 4) : path;
}

static void put_socket(struct buf *list, struct slice path)
{
    bool whole = slice_ends_nocase(path, SLICE("/mux"));
    path = without_var(path);
    buf_printf(list, "%ssaslauthd:%.*s%s", buf_len(list) ? ", " : "", SLICE_ARG(path),
               whole ? "" : "/mux");
}

/* Where a distribution's saslauthd would listen, when that is elsewhere. */
static void put_started(struct buf *list, struct slice asked, struct conf_reading *r)
{
    static const char *const files[] = {"/etc/default/saslauthd", "/etc/sysconfig/saslauthd"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct slice text, other = without_var(asked);
        if (conf_read_file(files[i], r->arena, &text) != OK)
            continue;
        struct saslauthd_start start = saslauthd_start_read(text, files[i], r->errors);
        struct slice folder = start.folder.data ? without_var(start.folder) : SLICE_NONE;
        if (folder.data && !slice_eq(slice_sub(other, 0, folder.len), folder))
            put_socket(list, folder);
    }
}

/* pwcheck_method: saslauthd: other programs look for saslauthd's socket, and we are its place when
 * it is gone. */
static enum result offer_socket(const char *file, struct conf_reading *r)
{
    struct conf_assignment *how = conf_layer_find(&r->found, SLICE("pwcheck_method"));
    struct conf_assignment *path = conf_layer_find(&r->found, SLICE("saslauthd_path"));
    struct slice asked = path && path->value.len ? path->value : SLICE("/run/saslauthd/mux");
    struct buf list;
    if (!how || slice_search(how->value, SLICE("saslauthd")) == SIZE_MAX)
        return OK;
    buf_init(&list, 4096);
    put_socket(&list, asked);
    put_started(&list, asked, r);
    struct conf_assignment a = {.name = SLICE("listen_if_free"),
                                .value = arena_dup(r->arena, buf_slice(&list)),
                                .service = SLICE(""),
                                .file = file,
                                .line = path ? path->line : how->line,
                                .grammar = CONF_LITERAL};
    buf_release(&list);
    return conf_assign(r, &r->found, a);
}

enum result cyrus_read(const char *path, struct conf_reading *r)
{
    struct slice text;
    enum result result = conf_read_file(path, r->arena, &text);
    if (result != OK) {
        conf_error(r->errors, path, 0, "cannot read Cyrus SASL's configuration: %s",
                   result == LIMIT ? "it is too large" : strerror(errno));
        return result;
    }
    for (unsigned number = 1; text.data && result == OK; number++)
        result = read_line(slice_split(&text, '\n'), path, number, r);
    return result == OK ? offer_socket(path, r) : result;
}
