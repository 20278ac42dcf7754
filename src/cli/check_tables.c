#include "cli/check_tables.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "cli/directory.h"
#include "cli/table_reader.h"
#include "conf/source.h"
#include "content/checks.h"
#include "policy/tls_policy.h"

enum { TOLD_MAX = 20, FILES_MAX = 5000, ARENA_MAX = 8 << 20, TEXT_MAX = 300 };

struct checking {
    const struct conf *conf;
    struct conf_errors *errors;
    struct arena arena;
    struct table_set *set;
    struct map files;  /* struct told by path */
    struct map judged; /* "setting table", each once */
    const struct conf_table_place *at;
};

/* ---- telling ---- */

struct told {
    const char *file;
    unsigned n;
};

static struct told *told_of(struct checking *k, struct slice file)
{
    struct told *t = map_get(&k->files, file);
    if (t)
        return t;
    t = arena_alloc_n(&k->arena, 1, sizeof *t);
    const char *name = arena_printf(&k->arena, "%.*s", SLICE_ARG(file));
    if (!t || !name || map_put(&k->files, file, t) != OK)
        return NULL;
    *t = (struct told){.file = name};
    return t;
}

static void tell(struct checking *k, struct slice file, unsigned line, const char *reason)
{
    struct told *t = told_of(k, file);
    if (t && t->n++ < TOLD_MAX)
        conf_warn(k->errors, t->file, line, "%s", reason);
}

static void tell_how_many_more(struct checking *k)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&k->files, &at, &key, &value)) {
        const struct told *t = value;
        if (t->n > TOLD_MAX)
            conf_warn(k->errors, t->file, 0, "%u more such lines", t->n - TOLD_MAX);
    }
}

static void take_line(void *arg, struct slice file, unsigned line, const char *reason)
{
    tell(arg, file, line, reason);
}

/* ---- opening ---- */

static void note_missing(void *arg, struct slice path)
{
    char name[4096];
    bool *missing = arg;
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(path));
    *missing = *missing || access(name, F_OK) != 0;
}

static void open_one(void *arg, const struct conf_table_place *p)
{
    struct checking *k = arg;
    bool missing = false;
    struct error err = {""}, ignored = {""};
    if (strcmp(p->setting, "alias_maps") == 0 || table_set_find(k->set, p->spec) ||
        table_set_add(k->set, p->spec, &cli_table_reader, take_line, k, &err) == OK)
        return;
    /* A file that is not there was told of before, and so was a spec without form. */
    if (table_files(p->spec, note_missing, &missing, &ignored) == OK && !missing)
        conf_warn(k->errors, p->source, 0, "%s: %s; whatever needs the table is put off", p->name,
                  err.text);
}

/* ---- values ---- */

/* What a pattern puts in is not known here. */
static bool is_replaced(struct slice word)
{
    return slice_find(word, '$') != SIZE_MAX;
}

static void judge_transport(void *arg, struct slice file, unsigned line, struct slice value)
{
    struct checking *k = arg;
    char text[TEXT_MAX];
    struct slice name = slice_sub(value, 0, slice_find(value, ':'));
    if (is_replaced(name) || conf_transport_kind(k->conf, name).data)
        return;
    snprintf(text, sizeof text, "%s: there is no transport `%.*s`: mail for it is put off",
             k->at->name, SLICE_ARG(slice_sub(name, 0, 100)));
    tell(k, file, line, text);
}

static void judge_action(void *arg, struct slice file, unsigned line, struct slice value)
{
    struct checking *k = arg;
    char text[TEXT_MAX];
    struct slice rest, word = slice_sub(value, 0, slice_find(value, ' '));
    enum content_action action = content_action_parse(value, &rest);
    if (action == ACTION_FILTER)
        judge_transport(arg, file, line, rest);
    if (action != ACTION_UNKNOWN || is_replaced(word))
        return;
    snprintf(text, sizeof text, "%s: there is no action `%.*s`: the line does nothing", k->at->name,
             SLICE_ARG(slice_sub(word, 0, 60)));
    tell(k, file, line, text);
}

static void judge_policy(void *arg, struct slice file, unsigned line, struct slice value)
{
    struct checking *k = arg;
    char text[TEXT_MAX];
    struct error err = {""};
    if (is_replaced(value) || tls_policy_check(value, &err) == OK)
        return;
    snprintf(text, sizeof text, "%s: %.200s; mail for it is put off", k->at->name, err.text);
    tell(k, file, line, text);
}

/* Nothing of the value is shown. */
static void judge_password(void *arg, struct slice file, unsigned line, struct slice value)
{
    struct checking *k = arg;
    char text[TEXT_MAX];
    size_t colon = slice_find(value, ':');
    if (is_replaced(value) || (colon != SIZE_MAX && colon > 0 && colon + 1 < value.len))
        return;
    snprintf(text, sizeof text, "%s: user or password is missing: write user:password",
             k->at->name);
    tell(k, file, line, text);
}

static const struct {
    const char *setting;
    table_value_fn *judge;
} judges[] = {
    {"header_checks", judge_action},
    {"mime_header_checks", judge_action},
    {"nested_header_checks", judge_action},
    {"body_checks", judge_action},
    {"smtp_header_checks", judge_action},
    {"smtp_mime_header_checks", judge_action},
    {"smtp_nested_header_checks", judge_action},
    {"smtp_body_checks", judge_action},
    {"smtp_tls_policy_maps", judge_policy},
    {"lmtp_tls_policy_maps", judge_policy},
    {"smtp_sasl_password_maps", judge_password},
    {"transport_maps", judge_transport},
    {"mailbox_transport_maps", judge_transport},
    {"fallback_transport_maps", judge_transport},
    {"sender_dependent_default_transport_maps", judge_transport},
};

static bool is_first(struct checking *k, const struct conf_table_place *p)
{
    const char *key = arena_printf(&k->arena, "%s %.*s", p->setting, SLICE_ARG(p->spec));
    return key && map_put(&k->judged, slice_cstr(key), k) == OK;
}

static void judge_one(void *arg, const struct conf_table_place *p)
{
    struct checking *k = arg;
    const struct table *t = table_set_find(k->set, p->spec);
    k->at = p;
    for (size_t i = 0; t && i < sizeof judges / sizeof *judges; i++)
        if (strcmp(judges[i].setting, p->setting) == 0 && is_first(k, p))
            table_each_value(t, judges[i].judge, k);
}

/* ---- transports that settings name ---- */

static void look_at_transport(struct checking *k, const struct conf *c, const char *setting,
                              struct slice value, const char *effect)
{
    struct slice name = slice_sub(value, 0, slice_find(value, ':'));
    if (!conf_transport_kind(k->conf, name).data)
        conf_warn(k->errors, conf_source(c, setting), 0, "%s: there is no transport `%.*s`: %s",
                  setting, SLICE_ARG(name), effect);
}

/* Of all mail, and where a listener has another. */
static void look_at_filters(struct checking *k)
{
    static const char effect[] = "clients are told to try later";
    struct listen_url u;
    look_at_transport(k, k->conf, "content_filter", k->conf->content_filter, effect);
    for (size_t i = 0; i < k->conf->listen.n; i++) {
        if (listen_parse(k->conf->listen.items[i], &u) != OK)
            continue;
        const struct conf *c = conf_for_service(k->conf, u.label);
        if (!slice_eq(c->content_filter, k->conf->content_filter))
            look_at_transport(k, c, "content_filter", c->content_filter, effect);
    }
}

static void look_at_transports(struct checking *k)
{
    const struct conf *c = k->conf;
    const struct {
        const char *setting;
        struct slice value;
    } named[] = {
        {"default_transport", c->default_transport}, {"relay_transport", c->relay_transport},
        {"local_transport", c->local_transport},     {"virtual_transport", c->virtual_transport},
        {"mailbox_transport", c->mailbox_transport}, {"fallback_transport", c->fallback_transport},
    };
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        look_at_transport(k, c, named[i].setting, named[i].value, "mail for it is put off");
}

/* ---- aliases and accounts ---- */

/* Line 0: a whole file, or a setting. Alias files and users_file that are not there were told of
 * with their setting. */
static void take_problem(void *arg, struct slice file, unsigned line, const char *reason)
{
    struct checking *k = arg;
    char name[4096];
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(file));
    const char *source = conf_source(k->conf, name);
    bool told = slice_eq(file, k->conf->users_file);
    for (size_t i = 0; i < k->conf->alias_maps.n; i++) {
        struct slice spec = k->conf->alias_maps.items[i];
        told =
            told || (file.len <= spec.len && slice_eq(slice_from(spec, spec.len - file.len), file));
    }
    if (line == 0 && source)
        conf_warn(k->errors, source, 0, "%s: %s", name, reason);
    else if (line || !told || access(name, F_OK) == 0)
        tell(k, file, line, reason);
}

static void look_at_directory(struct checking *k)
{
    const struct directory *d = NULL;
    struct error err = {""};
    if (cli_directory_of(k->conf, k->set, take_problem, k, &d, &err) == OK)
        directory_unref(d);
    else
        conf_warn(k->errors, "accounts and aliases", 0, "%s", err.text);
}

/* ---- the whole ---- */

void cli_check_tables(const struct conf *c, struct conf_errors *errors)
{
    struct checking k = {.conf = c, .errors = errors};
    arena_init(&k.arena, ARENA_MAX);
    map_init(&k.files, FILES_MAX);
    map_init(&k.judged, FILES_MAX);
    if (table_set_new(&k.set) == OK) {
        conf_table_places(c, open_one, &k);
        conf_table_places(c, judge_one, &k);
        look_at_filters(&k);
        look_at_transports(&k);
        look_at_directory(&k);
        cli_check_targets(c, k.set, errors);
        table_set_unref(k.set);
    }
    tell_how_many_more(&k);
    map_release(&k.files);
    map_release(&k.judged);
    arena_release(&k.arena);
}
