/* load.c: a configuration from its files: the layers are read, every setting evaluated, then once
 * more for each service that has something of its own; what is wrong is told, all of it. */
#include <errno.h>

#include "conf/cyrus/cyrus.h"
#include "conf/dovecot/dovecot.h"
#include "conf/join.h"
#include "conf/lines.h"
#include "conf/postfix/parameters.h"
#include "conf/postfix/postfix.h"
#include "conf/report.h"
#include "conf/snapshot.h"
#include "conf/value.h"

struct loading {
    struct snapshot *out;
    struct conf_scope scope;
    struct conf_errors *errors;
    const char *file; /* the own one */
};

/* ---- one snapshot ---- */

static const char *source_of(struct loading *l, const struct conf_raw *raw)
{
    if (!raw->from)
        return raw->fallback;
    if (raw->from->line == 0)
        return raw->from->file;
    return arena_printf(&l->out->arena, "%s:%u", raw->from->file, raw->from->line);
}

/* postconf(5): a time without a unit has that of the default. */
static void add_unit(const struct conf_setting *s, struct snapshot *snap, struct slice *value)
{
    const struct postfix_parameter *p = postfix_parameter_find(slice_cstr(s->name));
    uint64_t n;
    char unit = p ? postfix_time_unit(p) : 0;
    if (s->kind != CONF_SECONDS || !unit || slice_parse_u64(*value, INT64_MAX, &n) != OK)
        return;
    const char *with = arena_printf(&snap->arena, "%.*s%c", SLICE_ARG(*value), unit);
    if (with)
        *value = slice_cstr(with);
}

/* postconf(5): "$name" in these is for the program that uses them, not for the configuration. In
 * our own grammar $ is written $$ there. */
static bool keeps_dollars(const struct conf_setting *s, const struct conf_raw *raw)
{
    static const char *const names[] = {"forward_path",      "luser_relay",
                                        "mailbox_command",   "command_execution_directory",
                                        "default_rbl_reply", "smtpd_reject_footer"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof *names && raw->grammar == CONF_POSTFIX; i++)
        found = found || strcmp(s->name, names[i]) == 0;
    return found;
}

/* What a value of main.cf refers to. */
struct referring {
    struct loading *loading;
    const struct conf_raw *raw;
    const char *setting;
};

/* ${name?…} asks whether it is defined; $name and ${name} take it for granted. */
static bool is_plain(struct slice value, struct slice name)
{
    const char *end = name.data + name.len;
    char before = name.data[-1];
    if (before == '$')
        return true;
    return (before == '{' || before == '(') && end < value.data + value.len &&
           (*end == '}' || *end == ')');
}

static void refer(void *arg, struct slice name)
{
    const struct referring *f = arg;
    const struct conf_assignment *from = f->raw->from;
    struct conf_raw ignored;
    if (is_plain(f->raw->value, name) && !conf_scope_find(&f->loading->scope, name, &ignored))
        conf_warn(f->loading->errors, from->file, from->line,
                  "%s: $%.*s is not defined, and taken as empty, as in Postfix", f->setting,
                  SLICE_ARG(name));
}

static void report_undefined(struct loading *l, const struct conf_raw *raw, const char *setting)
{
    struct referring f = {l, raw, setting};
    if (raw->from && raw->grammar == CONF_POSTFIX)
        conf_references(raw->value, refer, &f);
}

static void set_one(struct loading *l, struct snapshot *snap, size_t i)
{
    const struct conf_setting *s = &conf_table[i];
    struct error why = {"there is no such setting"};
    struct conf_raw raw = {0};
    enum result r = conf_scope_find(&l->scope, slice_cstr(s->name), &raw) ? OK : FAILED;
    if (r == OK && keeps_dollars(s, &raw)) {
        snap->values[i] = arena_dup(&snap->arena, raw.value);
    } else if (r == OK) {
        report_undefined(l, &raw, s->name);
        r = conf_scope_expand(&l->scope, raw.value, raw.grammar, &snap->arena, &snap->values[i],
                              &why);
    }
    if (r == OK && raw.grammar == CONF_POSTFIX)
        add_unit(s, snap, &snap->values[i]);
    if (r == OK)
        r = conf_set_value(&snap->conf, s, snap->values[i], &snap->arena, &why);
    struct slice written =
        raw.from && raw.from->written.data ? raw.from->written : slice_cstr(s->name);
    /* A default fails for what it refers to, which is told of itself. */
    if (r != OK && !raw.from && l->errors->count)
        snap->sources[i] = "";
    else if (r != OK)
        conf_error(l->errors, raw.from ? raw.from->file : l->file, raw.from ? raw.from->line : 0,
                   "%.*s: %s", SLICE_ARG(written), why.text);
    else
        snap->sources[i] = source_of(l, &raw);
    if (!snap->sources[i])
        snap->sources[i] = "";
}

/* Each name in smtpd_restriction_classes is a parameter with a list. */
static void set_classes(struct loading *l, struct snapshot *snap)
{
    struct slice names, value;
    struct slice_list list;
    struct error why = {""};
    if (conf_scope_value(&l->scope, SLICE("smtpd_restriction_classes"), &snap->arena, &names,
                         NULL) != OK ||
        conf_parse_maps(names, &snap->arena, &list, NULL) != OK)
        return;
    for (size_t i = 0; i < list.n; i++) {
        enum result r = conf_scope_value(&l->scope, list.items[i], &snap->arena, &value, &why);
        struct conf_raw raw = {.from = conf_scope_assignment(&l->scope, list.items[i])};
        const struct conf_assignment *a = raw.from;
        raw.fallback = "default";
        const char *source = source_of(l, &raw);
        if (r == OK)
            r = snapshot_add_class(snap, list.items[i], value, source ? source : "", &why);
        if (r != OK)
            conf_error(l->errors, a ? a->file : l->file, a ? a->line : 0,
                       "restriction class %.*s: %s", SLICE_ARG(list.items[i]), why.text);
    }
}

static bool is_set(struct loading *l, size_t i)
{
    struct conf_raw raw = {0};
    return conf_scope_find(&l->scope, slice_cstr(conf_table[i].name), &raw) && raw.from;
}

static void evaluate(struct loading *l, struct snapshot *snap)
{
    for (size_t i = 0; i < CONF_SETTING_COUNT; i++)
        if (is_set(l, i))
            set_one(l, snap, i);
    for (size_t i = 0; i < CONF_SETTING_COUNT; i++)
        if (!is_set(l, i))
            set_one(l, snap, i);
    set_classes(l, snap);
    if (arena_failed(&snap->arena))
        conf_error(l->errors, l->file, 0, "the configuration is too large");
}

/* ---- services ---- */

static bool known_service(const struct snapshot *s, struct slice service)
{
    for (size_t i = 0; i < s->n_services; i++)
        if (slice_eq(s->services[i]->service, service))
            return true;
    return false;
}

static void evaluate_service(struct loading *l, const struct conf_assignment *first)
{
    struct snapshot *part = snapshot_add_service(l->out, first->service);
    if (!part) {
        conf_error(l->errors, first->file, first->line,
                   "more than %d services with settings of their own", CONF_SERVICES_MAX);
        return;
    }
    l->scope.service = first->service;
    evaluate(l, part);
    l->scope.service = SLICE("");
}

static void evaluate_services(struct loading *l)
{
    for (int layer = 0; layer < CONF_LAYERS; layer++)
        for (size_t i = 0; i < l->scope.layers[layer].n; i++) {
            const struct conf_assignment *a = &l->scope.layers[layer].items[i];
            if (a->service.len && !known_service(l->out, a->service))
                evaluate_service(l, a);
        }
}

/* ---- the layers ---- */

static enum result add_option(struct conf_reading *r, const char *name, const char *value)
{
    if (!value)
        return OK;
    struct conf_assignment a = {.name = slice_cstr(name),
                                .value = slice_cstr(value),
                                .service = SLICE(""),
                                .file = "command line",
                                .grammar = CONF_LITERAL};
    return conf_assign(r, &r->found, a);
}

static enum result read_own(struct loading *l, struct slice text, const struct conf_origin *o)
{
    struct conf_reading r = {.arena = &l->out->arena, .errors = l->errors};
    enum result result = conf_read_lines(text, l->file, CONF_OWN, &r);
    if (result == OK)
        result = add_option(&r, "postfix_config", o->postfix);
    if (result == OK)
        result = add_option(&r, "dovecot_config", o->dovecot);
    if (result == OK)
        result = add_option(&r, "sasl_config", o->sasl);
    l->scope.layers[CONF_LAYER_OWN] = r.found;
    return result;
}

/* The path that a setting of the own file names; "": none. */
static struct slice path_of(struct loading *l, const char *setting)
{
    struct slice path = SLICE("");
    if (conf_scope_value(&l->scope, slice_cstr(setting), &l->out->arena, &path, NULL) != OK)
        return SLICE("");
    return path;
}

struct dovecot_reading {
    struct conf_reading *reading;
    enum result result;
};

static void set_of_dovecot(void *arg, const char *name, struct slice value, const char *file,
                           unsigned line)
{
    struct dovecot_reading *d = arg;
    struct conf_assignment a = {.name = slice_cstr(name),
                                .value = value,
                                .service = SLICE(""),
                                .file = file,
                                .line = line,
                                .grammar = CONF_LITERAL};
    if (d->result == OK)
        d->result = conf_assign(d->reading, &d->reading->found, a);
}

static void note_of_dovecot(void *arg, const char *file, unsigned line, const char *text)
{
    struct dovecot_reading *d = arg;
    conf_warn(d->reading->errors, file, line, "%s", text);
}

static enum result read_dovecot(const char *path, struct conf_reading *r)
{
    struct dovecot_reading d = {r, OK};
    const struct dovecot_sink sink = {set_of_dovecot, note_of_dovecot, &d};
    enum result result = dovecot_read(&dovecot_disk, path, r->arena, &sink, r->errors);
    for (const struct dovecot_default *f = dovecot_defaults; f->name && d.result == OK; f++) {
        struct conf_assignment a = {.name = slice_cstr(f->name),
                                    .value = slice_cstr(f->value),
                                    .service = SLICE(""),
                                    .file = "Dovecot's default",
                                    .grammar = CONF_LITERAL};
        d.result = conf_assign(r, &r->defaults, a);
    }
    return result != OK ? result : d.result;
}

static struct conf_reading begin_reading(struct loading *l)
{
    return (struct conf_reading){.arena = &l->out->arena, .errors = l->errors};
}

static enum result read_postfix(struct loading *l, struct slice dir)
{
    struct conf_reading r = begin_reading(l);
    enum result result = postfix_read_main(dir, &r);
    l->scope.layers[CONF_LAYER_POSTFIX] = r.found;
    l->scope.postfix = true;
    if (result == OK)
        result = conf_scope_names(&l->scope, r.arena);
    if (result == OK)
        result = postfix_read_master(dir, &l->scope, &r);
    if (result == OK)
        result = postfix_derive(&l->scope, &r);
    return result;
}

static struct slice value_of(struct loading *l, const char *name)
{
    struct slice value = SLICE("");
    if (conf_scope_value(&l->scope, slice_cstr(name), &l->out->arena, &value, NULL) != OK)
        return SLICE("");
    return value;
}

static bool uses_cyrus(struct loading *l)
{
    bool used = slice_is_nocase(value_of(l, "smtpd_sasl_auth_enable"), "yes");
    const struct conf_assignments *postfix = &l->scope.layers[CONF_LAYER_POSTFIX];
    for (size_t i = 0; i < postfix->n && !used; i++)
        used = slice_is(postfix->items[i].name, "smtpd_sasl_auth_enable") &&
               slice_is_nocase(postfix->items[i].value, "yes");
    return used && slice_is_nocase(value_of(l, "smtpd_sasl_type"), "cyrus");
}

/* postconf(5) smtpd_sasl_path, cyrus_sasl_config_path: where Postfix's SASL library looks for
 * smtpd.conf; Debian's folder first. */
static enum result find_sasl(struct loading *l, struct conf_reading *r)
{
    struct slice name = value_of(l, "smtpd_sasl_path"), text;
    struct slice folders = value_of(l, "cyrus_sasl_config_path");
    if (folders.len == 0)
        folders = SLICE("/etc/postfix/sasl:/etc/sasl2:/usr/lib/sasl2:/usr/lib64/sasl2");
    while (uses_cyrus(l) && folders.data) {
        struct slice folder = slice_split(&folders, ':');
        const char *path =
            arena_printf(r->arena, "%.*s/%.*s.conf", SLICE_ARG(folder), SLICE_ARG(name));
        if (path && conf_read_file(path, r->arena, &text) == OK)
            return cyrus_read(path, r);
    }
    return OK;
}

/* What failed is in l->errors; the others are read all the same, to tell all errors at once. */
static enum result read_theirs(struct loading *l)
{
    struct slice postfix = path_of(l, "postfix_config"), dovecot = path_of(l, "dovecot_config"),
                 sasl = path_of(l, "sasl_config");
    struct conf_reading r = begin_reading(l);
    enum result worst = OK, result = dovecot.len ? read_dovecot(dovecot.data, &r) : OK;
    l->scope.layers[CONF_LAYER_DOVECOT] = r.found;
    l->scope.layers[CONF_LAYER_DEFAULTS] = r.defaults;
    worst = result != OK ? result : worst;
    result = postfix.len ? read_postfix(l, postfix) : OK;
    worst = result != OK ? result : worst;
    r = begin_reading(l);
    result = OK;
    if (sasl.len)
        result = cyrus_read(sasl.data, &r);
    else if (postfix.len && worst == OK)
        result = find_sasl(l, &r);
    l->scope.layers[CONF_LAYER_CYRUS] = r.found;
    return result != OK ? result : worst;
}

static enum result join(struct loading *l)
{
    struct conf_reading r = begin_reading(l);
    return conf_join(&l->scope, &r);
}

static enum result load(struct slice text, const struct conf_origin *o, const struct conf **ret,
                        struct conf_errors *errors)
{
    struct loading l = {.out = snapshot_new(), .file = o->path, .errors = errors};
    unsigned before = errors->count;
    if (!l.out)
        return FAILED;
    enum result r = read_own(&l, text, o);
    if (r == OK)
        r = read_theirs(&l);
    if (r == OK)
        r = conf_scope_names(&l.scope, &l.out->arena);
    if (r == OK)
        r = join(&l);
    if (r == OK) {
        conf_report_repeated(&l.scope, errors);
        evaluate(&l, l.out);
        evaluate_services(&l);
        conf_report_unknown(&l.scope, errors);
        if (l.scope.postfix)
            postfix_report(&l.scope, &l.out->arena, errors);
        if (errors->count == before)
            conf_report_combinations(&l.scope, &l.out->conf, l.file, errors);
    }
    if (r != OK && errors->count == before)
        conf_error(errors, l.file, 0, "the configuration can't be read: %s", result_name(r));
    if (r != OK || errors->count > before) {
        conf_unref(&l.out->conf);
        return r != OK ? r : INVALID;
    }
    *ret = &l.out->conf;
    return OK;
}

enum result conf_parse(struct slice text, const char *name, const struct conf **ret,
                       struct conf_errors *errors)
{
    return load(text, &(struct conf_origin){.path = name}, ret, errors);
}

enum result conf_load(const struct conf_origin *origin, const struct conf **ret,
                      struct conf_errors *errors)
{
    struct slice text = SLICE("");
    struct arena a;
    arena_init(&a, 4 * CONF_FILE_MAX);
    enum result r = conf_read_file(origin->path, &a, &text);
    if (r == NOT_FOUND && origin->optional)
        r = OK;
    if (r == LIMIT)
        conf_error(errors, origin->path, 0, "the file is larger than %d bytes", CONF_FILE_MAX);
    else if (r != OK)
        conf_error(errors, origin->path, 0, "cannot read the configuration: %s", strerror(errno));
    else
        r = load(text, origin, ret, errors);
    arena_release(&a);
    return r;
}
