/* report.c: what of main.cf and master.cf is not served, with its effect and what to do; names that
 * Postfix does not know either. */
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "conf/postfix/parameters.h"
#include "conf/postfix/postfix.h"
#include "conf/postfix/table_parameters.h"
#include "conf/table.h"

enum { NAMES_MAX = 20000 };

struct reporting {
    struct conf_scope *scope;
    struct arena *arena;
    struct conf_errors *errors;
    struct map referred; /* names that values refer to, and restriction classes */
};

/* ---- which names are somebody's own ---- */

static void refer(void *arg, struct slice name)
{
    struct reporting *r = arg;
    /* What can't be kept (no memory) is told as unknown: no worse. */
    enum result ignored = map_put(&r->referred, name, r);
    (void)ignored;
}

static void refer_classes(struct reporting *r)
{
    struct slice list = SLICE("");
    if (conf_scope_value(r->scope, SLICE("smtpd_restriction_classes"), r->arena, &list, NULL) != OK)
        return;
    for (size_t at = 0; at < list.len;) {
        size_t from = at;
        while (at < list.len && list.data[at] != ' ' && list.data[at] != ',')
            at++;
        if (at > from)
            refer(r, slice_sub(list, from, at - from));
        at++;
    }
}

static void collect(struct reporting *r)
{
    map_init(&r->referred, NAMES_MAX);
    for (int layer = CONF_LAYER_OWN; layer <= CONF_LAYER_POSTFIX; layer++)
        for (size_t i = 0; i < r->scope->layers[layer].n; i++)
            conf_references(r->scope->layers[layer].items[i].value, refer, r);
    refer_classes(r);
}

/* "ldap:NAME" in a value, and not of a longer name. */
static bool names_table(struct slice value, struct slice spec)
{
    for (size_t at = slice_search(value, spec); at != SIZE_MAX; at = slice_search(value, spec)) {
        value = slice_from(value, at + spec.len);
        if (value.len == 0 || strchr(" \t\n,}", value.data[0]))
            return true;
    }
    return false;
}

static bool table_is_named(struct reporting *r, struct slice spec)
{
    for (int layer = CONF_LAYER_OWN; layer <= CONF_LAYER_POSTFIX; layer++)
        for (size_t i = 0; i < r->scope->layers[layer].n; i++)
            if (names_table(r->scope->layers[layer].items[i].value, spec))
                return true;
    return false;
}

/* What of a table a name is: "ldap:NAME" has its parameters in main.cf as NAME_server_host. */
struct table_part {
    const char *type; /* NULL: no table's */
    struct slice parameter;
    bool known;
};

/* Another table's name may begin alike: one that has the parameter is meant, else the longest. */
static struct table_part part_of_table(struct reporting *r, struct slice name)
{
    struct table_part part = {NULL, SLICE(""), false};
    char spec[128];
    for (size_t end = 1; end < name.len && !part.known; end++) {
        for (size_t t = 0; name.data[end] == '_' && table_types[t] && !part.known; t++) {
            struct slice parameter = slice_from(name, end + 1);
            snprintf(spec, sizeof spec, "%s:%.*s", table_types[t],
                     SLICE_ARG(slice_sub(name, 0, end)));
            if (table_is_named(r, slice_cstr(spec)))
                part = (struct table_part){
                    table_types[t], parameter,
                    table_parameter_known(slice_cstr(table_types[t]), parameter)};
        }
    }
    return part;
}

/* ---- names that nobody has ---- */

/* A slip in such a name leaves a door open. */
static bool guards(const char *name)
{
    static const char *const words[] = {"restrictions", "mynetworks", "_tls_",      "_sasl_",
                                        "reject",       "relay",      "checks",     "filter",
                                        "authorized_",  "mx_backup_", "login_maps", "strict_"};
    struct slice n = slice_cstr(name);
    const struct postfix_parameter *p = postfix_parameter_find(n);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_search(n, slice_cstr(words[i])) != SIZE_MAX)
            return true;
    return p && p->class == GUARD;
}

/* A slip there changes whom the table lets in, or where it sends mail. */
static void report_table_part(struct reporting *r, const struct conf_assignment *a,
                              const struct table_part *part)
{
    const char *near = table_parameter_suggest(slice_cstr(part->type), part->parameter);
    if (near)
        conf_error(r->errors, a->file, a->line,
                   "unknown parameter `%.*s`, which Postfix ignores too: did you mean `%.*s%s`?",
                   SLICE_ARG(a->name),
                   SLICE_ARG(slice_sub(a->name, 0, a->name.len - part->parameter.len)), near);
    else
        conf_warn(r->errors, a->file, a->line,
                  "unknown parameter `%.*s` does nothing, in Postfix neither: %s tables have no "
                  "`%.*s`: remove it",
                  SLICE_ARG(a->name), part->type, SLICE_ARG(part->parameter));
}

static void report_unknown(struct reporting *r, const struct conf_assignment *a)
{
    const char *near = conf_suggest(a->name);
    struct table_part part = part_of_table(r, a->name);
    if (map_get(&r->referred, a->name) || part.known)
        return;
    size_t at = 0;
    const char *of_transport = postfix_transport_suggest(a->name, &at);
    if (part.type)
        report_table_part(r, a, &part);
    else if (of_transport)
        conf_warn(r->errors, a->file, a->line,
                  "unknown parameter `%.*s` does nothing, in Postfix neither: did you mean "
                  "`%.*s%s`?",
                  SLICE_ARG(a->name), SLICE_ARG(slice_sub(a->name, 0, at)), of_transport);
    else if (near && guards(near))
        conf_error(r->errors, a->file, a->line,
                   "unknown parameter `%.*s`, which Postfix ignores too: did you mean `%s`?",
                   SLICE_ARG(a->name), near);
    else if (near)
        conf_warn(r->errors, a->file, a->line,
                  "unknown parameter `%.*s` does nothing, in Postfix neither: did you mean `%s`?",
                  SLICE_ARG(a->name), near);
    else
        conf_warn(r->errors, a->file, a->line,
                  "unknown parameter `%.*s` does nothing, in Postfix neither: remove it",
                  SLICE_ARG(a->name));
}

/* ---- parameters that are not served ---- */

static bool is_default(struct reporting *r, const struct postfix_parameter *p, struct slice *ret)
{
    struct slice now, normal;
    struct slice name = slice_cstr(p->name);
    struct conf_raw raw;
    if (!conf_scope_find(r->scope, name, &raw) ||
        conf_scope_expand(r->scope, raw.value, raw.grammar, r->arena, &now, NULL) != OK ||
        conf_scope_expand(r->scope, slice_cstr(p->fallback), CONF_POSTFIX, r->arena, &normal,
                          NULL) != OK)
        return false;
    *ret = normal;
    return slice_eq(now, normal);
}

static void report_parameter(struct reporting *r, const struct conf_assignment *a,
                             const struct postfix_parameter *p)
{
    struct slice normal = SLICE("");
    const char *text = p->text;
    struct postfix_parameter named = *p;
    named.name = a->name.data; /* of a transport's the table has the end only */
    if (p->class == READ)
        return;
    if (is_default(r, &named, &normal))
        conf_note(r->errors, a->file, a->line, "%.*s has its default; it is not served",
                  SLICE_ARG(a->name));
    else if (p->class == INNER)
        conf_note(r->errors, a->file, a->line, "%.*s means nothing here%s%s", SLICE_ARG(a->name),
                  *text ? ": " : "", text);
    else if (p->class == GUARD)
        conf_error(r->errors, a->file, a->line,
                   "%.*s is not served: %s. To run without it, write `%.*s%s%.*s = %.*s` into "
                   "postrider.conf",
                   SLICE_ARG(a->name), text, SLICE_ARG(a->service), a->service.len ? "/" : "",
                   SLICE_ARG(a->name), SLICE_ARG(normal));
    else if (p->class == OBSOLETE)
        conf_warn(r->errors, a->file, a->line, "%.*s is obsolete: %s", SLICE_ARG(a->name), text);
    else
        conf_warn(r->errors, a->file, a->line,
                  "%.*s is not served%s%s; remove the line when you can do without it",
                  SLICE_ARG(a->name), *text ? ": " : "", text);
}

static void report_one(struct reporting *r, const struct conf_assignment *a)
{
    r->scope->service = a->service;
    const struct conf_assignment *holds = conf_scope_assignment(r->scope, a->name);
    const struct postfix_parameter *p = postfix_parameter_find(a->name);
    if (holds != a && holds->file == a->file && slice_eq(holds->service, a->service) &&
        holds->line > a->line)
        conf_warn(r->errors, a->file, a->line,
                  "%.*s is set again in line %u, which holds: remove one of them",
                  SLICE_ARG(a->name), holds->line);
    else if (holds == a && conf_find(a->name) == SIZE_MAX && p)
        report_parameter(r, a, p);
    else if (conf_find(a->name) == SIZE_MAX && !p && a->grammar == CONF_POSTFIX)
        report_unknown(r, a);
    r->scope->service = SLICE("");
}

void postfix_report(struct conf_scope *scope, struct arena *a, struct conf_errors *errors)
{
    struct reporting r = {.scope = scope, .arena = a, .errors = errors};
    collect(&r);
    for (int layer = CONF_LAYER_OWN; layer <= CONF_LAYER_POSTFIX; layer++)
        for (size_t i = 0; i < scope->layers[layer].n; i++)
            report_one(&r, &scope->layers[layer].items[i]);
    map_release(&r.referred);
}
