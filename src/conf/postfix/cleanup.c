/* cleanup.c: settings that master.cf gives a cleanup(8), and which mail they hold for: that of the
 * listeners, and of pickup, whose cleanup_service_name names it. "submission … -o
 * cleanup_service_name=subcleanup" is how the headers of one's own users are made anonymous. */
#include "conf/postfix/services.h"

/* pickup's mail is that of the socket for sendmail(1). */
#define PICKUP "sendmail"

/* What is done to a message by the settings of the service that it came by. */
static const char *const checks[] = {"header_checks", "mime_header_checks", "nested_header_checks",
                                     "body_checks", NULL};
static const char *const others[] = {"header_size_limit",
                                     "body_checks_size_limit",
                                     "disable_mime_input_processing",
                                     "message_drop_headers",
                                     "always_add_missing_headers",
                                     "always_bcc",
                                     NULL};
/* Which addresses it maps to which (auth/mapping.c). */
static const char *const mapping[] = {"virtual_alias_maps",
                                      "virtual_alias_expansion_limit",
                                      "virtual_alias_recursion_limit",
                                      "virtual_alias_address_length_limit",
                                      "canonical_maps",
                                      "canonical_classes",
                                      "sender_canonical_maps",
                                      "sender_canonical_classes",
                                      "recipient_canonical_maps",
                                      "recipient_canonical_classes",
                                      "masquerade_domains",
                                      "masquerade_exceptions",
                                      "masquerade_classes",
                                      "propagate_unmatched_extensions",
                                      "sender_bcc_maps",
                                      "recipient_bcc_maps",
                                      NULL};

static bool among(const char *const *names, struct slice name)
{
    for (; *names; names++)
        if (slice_is(name, *names))
            return true;
    return false;
}

bool services_is_cleanups(struct slice name)
{
    return among(checks, name) || among(others, name) || among(mapping, name);
}

bool services_knows_recipients(struct slice name)
{
    static const char *const read[] = {"virtual_alias_maps",    "canonical_maps",
                                       "sender_canonical_maps", "recipient_canonical_maps",
                                       "local_recipient_maps",  "relay_recipient_maps",
                                       "virtual_mailbox_maps",  NULL};
    return among(read, name);
}

struct option {
    struct slice name, value; /* data NULL: it has no '=' */
    unsigned line;
};

/* The next "-o name=value". */
static bool next_option(const struct master_service *m, size_t *at, struct option *ret)
{
    for (; *at < m->n_words; ++*at) {
        const struct master_word *w = &m->words[*at];
        struct slice text = slice_from(w->text, 2);
        if (w->grouped || !slice_starts(w->text, SLICE("-o")))
            continue;
        if (text.len == 0) {
            bool last = ++*at == m->n_words;
            w = last ? w : &m->words[*at];
            text = last ? SLICE("") : w->text;
        }
        size_t mark = slice_find(text, '=');
        *ret = (struct option){
            slice_trim(slice_sub(text, 0, mark)),
            mark == SIZE_MAX ? SLICE_NONE : slice_trim(slice_from(text, mark + 1)), w->line};
        ++*at;
        return true;
    }
    return false;
}

static struct slice value_for(struct services *s, const char *name, struct slice service)
{
    s->scope->service = service;
    struct slice value = services_value(s, name);
    s->scope->service = SLICE("");
    return value;
}

/* smtpd has a limit too: the smaller one holds. */
static void take_size(struct services *s, const struct option *o, struct slice service)
{
    uint64_t now = 0, limit = 0;
    if (slice_parse_u64(value_for(s, "message_size_limit", service), INT64_MAX, &now) != OK ||
        slice_parse_u64(o->value, INT64_MAX, &limit) != OK || (limit && (!now || limit < now)))
        services_assign(s, o->name, o->value, service, o->line);
}

static const struct master_service *find_cleanup(const struct master_services *all,
                                                 struct slice name)
{
    for (size_t i = 0; i < all->n; i++)
        if (slice_eq(all->items[i].name, name) && slice_is(all->items[i].command, "cleanup") &&
            !slice_is(all->items[i].type, "inet"))
            return &all->items[i];
    return NULL;
}

void services_take_cleanup(struct services *s, const struct master_service *m,
                           const struct master_services *all, struct slice service)
{
    struct slice name = value_for(s, "cleanup_service_name", service);
    const struct master_service *c = find_cleanup(all, name);
    struct option o;
    if (!c && !slice_is(name, "cleanup"))
        conf_error(s->reading->errors, s->file, m->line,
                   "%.*s: cleanup_service_name = %.*s: master.cf has no cleanup service of that "
                   "name: add it, or remove the setting",
                   SLICE_ARG(m->name), SLICE_ARG(name));
    for (size_t at = 0; c && next_option(c, &at, &o);) {
        if (!o.value.data)
            continue; /* services_report_cleanup tells */
        else if (slice_is(o.name, "message_size_limit"))
            take_size(s, &o, service);
        else if (services_is_cleanups(o.name))
            services_assign(s, o.name, o.value, service, o.line);
    }
}

static void not_served(struct services *s, const struct master_service *m, const struct option *o)
{
    if (!o->value.data)
        conf_error(s->reading->errors, s->file, o->line,
                   "`-o %.*s` sets nothing: write -o name=value without spaces, or -o { name = "
                   "value }",
                   SLICE_ARG(slice_sub(o->name, 0, 60)));
    else
        conf_warn(s->reading->errors, s->file, o->line,
                  "%.*s: -o %.*s=%.*s: this setting of a process alone is not served: set it in "
                  "main.cf, or for the listener",
                  SLICE_ARG(m->name), SLICE_ARG(o->name), SLICE_ARG(o->value));
}

void services_report_cleanup(struct services *s, const struct master_service *m)
{
    struct option o;
    for (size_t at = 0; next_option(m, &at, &o);)
        if (!o.value.data ||
            (!services_is_cleanups(o.name) && !slice_is(o.name, "message_size_limit")))
            not_served(s, m, &o);
}

void services_take_pickup(struct services *s, const struct master_service *m,
                          const struct master_services *all)
{
    static const char *const served[] = {"cleanup_service_name", "content_filter",
                                         "receive_override_options", NULL};
    struct option o;
    for (size_t at = 0; next_option(m, &at, &o);)
        if (o.value.data && among(served, o.name))
            services_assign(s, o.name, o.value, SLICE(PICKUP), o.line);
        else
            not_served(s, m, &o);
    services_take_cleanup(s, m, all, SLICE(PICKUP));
}
