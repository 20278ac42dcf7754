#include "role/relay/tables.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "role/table_ask.h"

enum { SERVICES_MAX = 250 /* as many as the configuration may have */, LABEL_SIZE = 80 };

/* The checks of a transport's service. */
struct service_checks {
    char label[LABEL_SIZE];
    struct content_set *set; /* NULL: none */
};

struct relay_tables {
    atomic_uint refs;
    struct table_set *set;
    size_t n;
    struct service_checks checks[SERVICES_MAX];
};

struct opening {
    struct relay_tables *to;
    struct table_reader reader;
};

static void failed(void *arg, struct slice spec, const char *why)
{
    (void)arg;
    LOG(LOG_ERROR, "table.not_opened", LOG_S("table", spec), LOG_C("why", why),
        LOG_C("then", "mail that needs it is deferred until it can be"));
}

/* ---- passwords, TLS policies ---- */

static void open_one(void *arg, const char *setting, struct slice spec)
{
    struct opening *o = arg;
    struct error err = {""};
    if (strcmp(setting, "smtp_sasl_password_maps") != 0 &&
        strcmp(setting, "smtp_tls_policy_maps") != 0 &&
        strcmp(setting, "lmtp_tls_policy_maps") != 0)
        return;
    if (table_set_add(o->to->set, spec, &o->reader, table_log_skipped, NULL, &err) != OK)
        failed(NULL, spec, err.text);
}

const struct table *relay_table(const struct relay_tables *t, struct slice spec)
{
    return t ? table_set_find(t->set, spec) : NULL;
}

enum result relay_tables_of(const struct relay_tables *t, const char *setting,
                            struct slice_list specs, struct arena *a, struct tables *ret,
                            struct error *err)
{
    const struct table **items = arena_alloc_n(a, specs.n + 1, sizeof(struct table *));
    if (!items)
        return error_set(err, FAILED, "out of memory");
    *ret = (struct tables){.items = items};
    for (size_t i = 0; i < specs.n; i++) {
        items[i] = relay_table(t, specs.items[i]);
        if (!items[i])
            return error_set(err, FAILED, "the table %.*s of %s could not be opened",
                             SLICE_ARG(specs.items[i]), setting);
        ret->n++;
    }
    return OK;
}

bool relay_tables_wait(const struct relay_tables *t, struct slice_list specs)
{
    bool wait = false;
    for (size_t i = 0; i < specs.n; i++) {
        const struct table *one = relay_table(t, specs.items[i]);
        wait = wait || (one && table_waits(one));
    }
    return wait;
}

/* ---- checks ---- */

static enum result open_checks(struct opening *o, const struct conf *c, struct slice label)
{
    struct relay_tables *t = o->to;
    struct service_checks *s = &t->checks[t->n];
    struct content_source source = {
        .specs = {[CONTENT_HEADER] = c->smtp_header_checks,
                  [CONTENT_MIME] = c->smtp_mime_header_checks,
                  [CONTENT_NESTED] = c->smtp_nested_header_checks,
                  [CONTENT_BODY] = c->smtp_body_checks},
        .header_size_limit = (size_t)c->header_size_limit,
        .body_checks_size_limit = (size_t)c->body_checks_size_limit,
        .line_length_limit = (size_t)c->line_length_limit,
        .reader = &o->reader,
        .problem = table_log_skipped,
        .failed = failed,
    };
    enum result r = content_set_open(&source, &s->set);
    if (r != OK)
        return r;
    if (s->set)
        s->set->checks.outgoing = true;
    snprintf(s->label, sizeof s->label, "%.*s", SLICE_ARG(label));
    t->n++;
    return OK;
}

static enum result open_services(struct opening *o, const struct conf *c)
{
    enum result r = OK;
    for (size_t i = 0; r == OK && i < c->transport_services.n; i++) {
        struct slice kind = c->transport_services.items[i], name = slice_split(&kind, '=');
        char label[LABEL_SIZE];
        snprintf(label, sizeof label, "%.*s/unix", SLICE_ARG(name));
        if (slice_is(kind, "smtp") && o->to->n < SERVICES_MAX)
            r = open_checks(o, conf_for_service(c, slice_cstr(label)), slice_cstr(label));
    }
    return r;
}

const struct content_set *relay_checks(const struct relay_tables *t, struct slice service)
{
    for (size_t i = 0; t && i < t->n; i++)
        if (slice_is(service, t->checks[i].label))
            return t->checks[i].set;
    return NULL;
}

/* ---- the whole ---- */

enum result relay_tables_new(struct role *role, const struct conf *c, struct kept_files *files,
                             struct relay_tables **ret)
{
    struct relay_tables *t = calloc(1, sizeof *t);
    struct opening o = {
        .to = t,
        .reader = {.read = kept_files_read, .arg = files, .ask = role_table_ask, .ask_arg = role}};
    if (!t)
        return FAILED;
    atomic_init(&t->refs, 1);
    enum result r = table_set_new(&t->set);
    if (r == OK) {
        conf_tables(c, open_one, &o);
        r = open_services(&o, c);
    }
    if (r == OK)
        *ret = t;
    else
        relay_tables_unref(t);
    return r;
}

struct relay_tables *relay_tables_ref(struct relay_tables *t)
{
    if (t)
        atomic_fetch_add(&t->refs, 1);
    return t;
}

void relay_tables_unref(struct relay_tables *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    for (size_t i = 0; i < t->n; i++)
        content_set_unref(t->checks[i].set);
    table_set_unref(t->set);
    free(t);
}
