/* scope.c: looking names up in the layers. */
#include "conf/scope.h"

#include <unistd.h>

#include "conf/postfix/parameters.h"
#include "conf/table.h"

static struct conf_assignment *last_of(const struct conf_assignments *as, struct slice name,
                                       struct slice service)
{
    for (size_t i = as->n; i-- > 0;)
        if (slice_eq(as->items[i].name, name) && slice_eq(as->items[i].service, service))
            return &as->items[i];
    return NULL;
}

struct conf_assignment *conf_layer_find(const struct conf_assignments *layer, struct slice name)
{
    return last_of(layer, name, SLICE(""));
}

static struct conf_assignment *in_layers(struct conf_scope *s, struct slice name,
                                         struct slice service)
{
    struct conf_assignment *a = NULL;
    for (int i = 0; i < CONF_LAYERS && !a; i++)
        a = last_of(&s->layers[i], name, service);
    return a;
}

struct conf_assignment *conf_scope_assignment(struct conf_scope *s, struct slice name)
{
    struct conf_assignment *a = s->service.len ? in_layers(s, name, s->service) : NULL;
    return a ? a : in_layers(s, name, SLICE(""));
}

static bool find_default(struct conf_scope *s, struct slice name, struct conf_raw *ret)
{
    size_t at = conf_find(name);
    const struct postfix_parameter *p = s->postfix ? postfix_parameter_find(name) : NULL;
    const char *own = s->postfix && !p ? postfix_own_default(name) : NULL;
    if (own)
        *ret = (struct conf_raw){slice_cstr(own), CONF_POSTFIX, NULL, "Postfix's default"};
    else if (p)
        *ret = (struct conf_raw){slice_cstr(p->fallback), CONF_POSTFIX, NULL, "Postfix's default"};
    else if (at != SIZE_MAX)
        *ret = (struct conf_raw){slice_cstr(conf_table[at].fallback), CONF_OWN, NULL, "default"};
    return p || at != SIZE_MAX;
}

/* Some have a value also when the file leaves them empty. */
static void fill_empty(struct conf_scope *s, struct slice name, struct conf_raw *raw)
{
    const char *meant = s->postfix ? postfix_when_empty(name) : NULL;
    if (slice_is(name, "myhostname"))
        raw->value = s->host;
    if (slice_is(name, "mydomain"))
        raw->value = s->domain;
    if (meant) {
        raw->value = slice_cstr(meant);
        raw->grammar = CONF_POSTFIX;
    }
}

bool conf_scope_find(struct conf_scope *s, struct slice name, struct conf_raw *ret)
{
    struct conf_raw raw;
    struct conf_assignment *a = conf_scope_assignment(s, name);
    if (a) {
        a->used = true;
        raw = (struct conf_raw){a->value, a->grammar, a, NULL};
    } else if (!find_default(s, name, &raw)) {
        return false;
    }
    if (raw.value.len == 0)
        fill_empty(s, name, &raw);
    *ret = raw;
    return true;
}

static bool lookup(void *arg, struct slice name, struct slice *ret, enum conf_grammar *ret_grammar)
{
    struct conf_raw raw;
    if (!conf_scope_find(arg, name, &raw))
        return false;
    *ret = raw.value;
    *ret_grammar = raw.grammar;
    return true;
}

enum result conf_scope_expand(struct conf_scope *s, struct slice text, enum conf_grammar grammar,
                              struct arena *a, struct slice *ret, struct error *why)
{
    struct buf out;
    const struct conf_expander by = {lookup, s};
    buf_init(&out, CONF_VALUE_MAX);
    enum result r = conf_expand(&by, text, grammar, &out, why);
    struct slice value = r == OK ? arena_dup(a, slice_trim(buf_slice(&out))) : SLICE_NONE;
    buf_release(&out);
    if (r == OK && !value.data)
        r = error_set(why, FAILED, "no memory");
    if (r == OK)
        *ret = value;
    return r;
}

enum result conf_scope_value(struct conf_scope *s, struct slice name, struct arena *a,
                             struct slice *ret, struct error *why)
{
    struct conf_raw raw;
    if (!conf_scope_find(s, name, &raw))
        return error_set(why, NOT_FOUND, "there is no parameter %.*s", SLICE_ARG(name));
    return conf_scope_expand(s, raw.value, raw.grammar, a, ret, why);
}

/* What an assignment gives without reference to other names, or "". */
static struct slice plain_value(struct conf_scope *s, const char *name)
{
    struct conf_assignment *a = conf_scope_assignment(s, slice_cstr(name));
    return a && slice_find(a->value, '$') == SIZE_MAX ? a->value : SLICE("");
}

/* Postfix: $mydomain defaults to $myhostname without its first label, $myhostname to the system's
 * name, completed with $mydomain when it has no dot. */
enum result conf_scope_names(struct conf_scope *s, struct arena *a)
{
    char name[256] = "localhost";
    struct slice domain = plain_value(s, "mydomain"), host = plain_value(s, "myhostname");
    if (gethostname(name, sizeof name - 1) != 0)
        strcpy(name, "localhost");
    if (domain.len == 0)
        domain = SLICE("localdomain");
    const char *complete =
        strchr(name, '.') ? name : arena_printf(a, "%s.%.*s", name, SLICE_ARG(domain));
    if (!complete)
        return FAILED;
    s->host = arena_dup(a, slice_cstr(complete));
    if (host.len == 0)
        host = s->host;
    size_t dot = slice_find(host, '.');
    s->domain = dot == SIZE_MAX ? SLICE("localdomain") : slice_from(host, dot + 1);
    return s->host.data ? OK : FAILED;
}
