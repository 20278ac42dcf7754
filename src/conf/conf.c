/* conf.c: the snapshot of a configuration: references, services, and its way to the roles. */
#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>

#include "conf/snapshot.h"
#include "conf/value.h"

enum { ARENA_MAX = 16 << 20 };

static struct snapshot *whole(const struct conf *c)
{
    struct snapshot *s = snapshot_of(c);
    return s->parent ? s->parent : s;
}

const struct conf *conf_ref(const struct conf *c)
{
    atomic_fetch_add(&whole(c)->references, 1);
    return c;
}

static void release(struct snapshot *s)
{
    for (size_t i = 0; i < s->n_services; i++)
        release(s->services[i]);
    arena_release(&s->arena);
    free(s);
}

void conf_unref(const struct conf *c)
{
    if (c && atomic_fetch_sub(&whole(c)->references, 1) == 1)
        release(whole(c));
}

struct snapshot *snapshot_new(void)
{
    struct snapshot *s = calloc(1, sizeof *s);
    if (s) {
        s->references = 1;
        arena_init(&s->arena, ARENA_MAX);
        for (size_t i = 0; i < CONF_SETTING_COUNT; i++)
            s->sources[i] = "default";
    }
    return s;
}

struct snapshot *snapshot_add_service(struct snapshot *s, struct slice service)
{
    if (!s->services)
        s->services = arena_alloc_n(&s->arena, CONF_SERVICES_MAX, sizeof *s->services);
    struct snapshot *part =
        s->services && s->n_services < CONF_SERVICES_MAX ? snapshot_new() : NULL;
    if (!part)
        return NULL;
    part->parent = s;
    part->service = arena_dup(&part->arena, service);
    s->services[s->n_services++] = part;
    return part;
}

enum result snapshot_add_class(struct snapshot *s, struct slice name, struct slice value,
                               const char *source, struct error *why)
{
    struct conf_class c = {arena_dup(&s->arena, name),
                           arena_dup(&s->arena, value),
                           arena_dup(&s->arena, slice_cstr(source)).data,
                           {NULL, 0}};
    if (!s->classes)
        s->classes = arena_alloc_n(&s->arena, CONF_CLASSES_MAX, sizeof *s->classes);
    if (!s->classes || s->n_classes == CONF_CLASSES_MAX)
        return error_set(why, LIMIT, "more than %d restriction classes", CONF_CLASSES_MAX);
    enum result r = conf_parse_maps(c.value, &s->arena, &c.items, why);
    if (r == OK)
        s->classes[s->n_classes++] = c;
    return r;
}

const struct slice_list *conf_restriction_class(const struct conf *c, struct slice name)
{
    const struct snapshot *s = snapshot_of(c);
    for (size_t i = 0; i < s->n_classes; i++)
        if (slice_eq(s->classes[i].name, name))
            return &s->classes[i].items;
    return NULL;
}

const struct conf *conf_for_service(const struct conf *c, struct slice service)
{
    struct snapshot *s = whole(c);
    for (size_t i = 0; i < s->n_services; i++)
        if (slice_eq(s->services[i]->service, service))
            return &s->services[i]->conf;
    return &s->conf;
}

bool conf_overrides(const struct conf *c, const char *option)
{
    for (size_t i = 0; i < c->receive_override_options.n; i++)
        if (slice_is(c->receive_override_options.items[i], option))
            return true;
    return false;
}

/* ---- effective values between processes ----
 * Lines "name TAB source TAB value"; "%name …" is a restriction class; "@service"
 * begins what differs for a service. */

static void dump_classes(const struct snapshot *s, struct buf *out)
{
    for (size_t i = 0; i < s->n_classes; i++)
        buf_printf(out, "%%%.*s\t%s\t%.*s\n", SLICE_ARG(s->classes[i].name), s->classes[i].source,
                   SLICE_ARG(s->classes[i].value));
}

bool snapshot_differs(const struct snapshot *part, size_t i)
{
    return !slice_eq(part->values[i], part->parent->values[i]) ||
           strcmp(part->sources[i], part->parent->sources[i]) != 0;
}

static void dump_one(const struct snapshot *s, struct buf *out)
{
    for (size_t i = 0; i < CONF_SETTING_COUNT; i++)
        if (!s->parent || snapshot_differs(s, i))
            buf_printf(out, "%s\t%s\t%.*s\n", conf_table[i].name, s->sources[i],
                       SLICE_ARG(s->values[i]));
    dump_classes(s, out);
}

void conf_dump(const struct conf *c, struct buf *out)
{
    const struct snapshot *s = whole(c);
    dump_one(s, out);
    for (size_t i = 0; i < s->n_services; i++) {
        buf_printf(out, "@%.*s\n", SLICE_ARG(s->services[i]->service));
        dump_one(s->services[i], out);
    }
}

static enum result take_value(struct snapshot *s, size_t i, struct slice value, const char *source)
{
    s->values[i] = arena_dup(&s->arena, value);
    s->sources[i] = source;
    if (arena_failed(&s->arena) || !source)
        return FAILED;
    return conf_set_value(&s->conf, &conf_table[i], s->values[i], &s->arena, NULL);
}

/* A service has all values of its own: those of the whole, then what differs. */
static enum result begin_service(struct snapshot *s, struct slice service, struct snapshot **ret)
{
    struct snapshot *part = snapshot_add_service(s, service);
    enum result r = part ? OK : FAILED;
    for (size_t i = 0; i < CONF_SETTING_COUNT && r == OK; i++)
        r = s->sources[i] ? take_value(part, i, s->values[i], s->sources[i]) : INVALID;
    if (r == OK)
        *ret = part;
    return r;
}

static enum result take_effective(struct snapshot *s, struct slice line)
{
    struct slice rest = line;
    struct slice name = slice_split(&rest, '\t');
    struct slice source = slice_split(&rest, '\t');
    if (!rest.data)
        return INVALID;
    const char *from = arena_dup(&s->arena, source).data;
    if (slice_starts(name, SLICE("%")))
        return from ? snapshot_add_class(s, slice_from(name, 1), rest, from, NULL) : FAILED;
    size_t i = conf_find(name);
    return i == SIZE_MAX ? INVALID : take_value(s, i, rest, from);
}

static bool complete(const struct snapshot *s)
{
    for (size_t i = 0; i < CONF_SETTING_COUNT; i++)
        if (!s->values[i].data)
            return false;
    return true;
}

static enum result take_lines(struct snapshot *s, struct slice text)
{
    struct snapshot *at = s;
    enum result r = OK;
    while (r == OK && text.data) {
        struct slice line = slice_split(&text, '\n');
        if (slice_starts(line, SLICE("@")))
            r = complete(s) ? begin_service(s, slice_from(line, 1), &at) : INVALID;
        else if (line.len)
            r = take_effective(at, line);
    }
    return r == OK && !complete(s) ? INVALID : r;
}

enum result conf_parse_effective(struct slice text, const struct conf **ret)
{
    struct snapshot *s = snapshot_new();
    enum result r = s ? take_lines(s, text) : FAILED;
    if (r == OK)
        *ret = &s->conf;
    else if (s)
        conf_unref(&s->conf);
    return r;
}

static void each_of_service(const struct snapshot *part,
                            void (*each)(void *arg, const char *name, struct slice value,
                                         const char *source),
                            void *arg)
{
    char name[256];
    for (size_t i = 0; i < CONF_SETTING_COUNT; i++) {
        if (!snapshot_differs(part, i))
            continue;
        snprintf(name, sizeof name, "%.*s/%s", SLICE_ARG(part->service), conf_table[i].name);
        each(arg, name, part->values[i], part->sources[i]);
    }
}

void conf_each(const struct conf *c,
               void (*each)(void *arg, const char *name, struct slice value, const char *source),
               void *arg)
{
    const struct snapshot *s = snapshot_of(c);
    for (size_t i = 0; i < CONF_SETTING_COUNT; i++)
        each(arg, conf_table[i].name, s->values[i], s->sources[i]);
    for (size_t i = 0; i < s->n_services; i++)
        each_of_service(s->services[i], each, arg);
}

static bool has_class(const struct snapshot *s, const struct conf_class *k)
{
    for (size_t i = 0; i < s->n_classes; i++)
        if (slice_eq(s->classes[i].name, k->name) && slice_eq(s->classes[i].value, k->value))
            return true;
    return false;
}

void conf_each_class(const struct conf *c,
                     void (*each)(void *arg, const char *name, struct slice value), void *arg)
{
    const struct snapshot *s = snapshot_of(c);
    char name[512];
    for (size_t i = 0; i < s->n_classes; i++)
        each(arg, s->classes[i].name.data, s->classes[i].value);
    for (size_t i = 0; i < s->n_services; i++) {
        const struct snapshot *part = s->services[i];
        for (size_t k = 0; k < part->n_classes; k++) {
            if (has_class(s, &part->classes[k]))
                continue;
            snprintf(name, sizeof name, "%.*s/%.*s", SLICE_ARG(part->service),
                     SLICE_ARG(part->classes[k].name));
            each(arg, name, part->classes[k].value);
        }
    }
}

const char *conf_source(const struct conf *c, const char *name)
{
    size_t i = conf_find(slice_cstr(name));
    return i == SIZE_MAX ? NULL : snapshot_of(c)->sources[i];
}

bool conf_source_is_default(const char *source)
{
    return source[0] == 0 || slice_ends_nocase(slice_cstr(source), SLICE("default"));
}
