/* cyrus.c: smtpd.conf of Cyrus SASL (its options.html): what the SMTP server asks passwords of, and
 * the mechanisms that it offers. */
#include "conf/cyrus/cyrus.h"

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
    return result;
}
