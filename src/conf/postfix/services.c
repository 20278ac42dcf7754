/* services.c: what master.cf's services mean here: listeners, settings of their own, transports. */
#include <errno.h>
#include <netdb.h>
#include <stdio.h>

#include "conf/postfix/interfaces.h"
#include "conf/postfix/master_cf.h"
#include "conf/postfix/postfix.h"
#include "conf/postfix/services.h"

/* ---- settings of a service alone ---- */

void services_assign(struct services *s, struct slice name, struct slice value,
                     struct slice service, unsigned line)
{
    struct conf_assignment a = {.name = arena_dup(s->reading->arena, name),
                                .value = arena_dup(s->reading->arena, value),
                                .service = service,
                                .file = s->file,
                                .line = line,
                                .grammar = CONF_POSTFIX};
    if (s->result == OK)
        s->result = conf_assign(s->reading, &s->reading->found, a);
    s->scope->layers[CONF_LAYER_POSTFIX] = s->reading->found;
}

/* smtp(8) has some of cleanup's settings too. */
static bool is_server(const struct master_service *m)
{
    return slice_is(m->command, "smtpd") || slice_is(m->command, "postscreen");
}

static void take_override(struct services *s, const struct master_service *m,
                          const struct master_word *w, struct slice text, struct slice service)
{
    size_t at = slice_find(text, '=');
    struct slice name = slice_trim(slice_sub(text, 0, at));
    if (at == SIZE_MAX || name.len == 0)
        conf_error(s->reading->errors, s->file, w->line,
                   "`-o %.*s` sets nothing: write -o name=value without spaces, or -o { name = "
                   "value }",
                   SLICE_ARG(slice_sub(text, 0, 60)));
    else if (is_server(m) && services_knows_recipients(name))
        conf_warn(s->reading->errors, s->file, w->line,
                  "-o %.*s only says which recipients smtpd takes for known, and that is the same "
                  "for all listeners here: receive_override_options=no_unknown_recipient_checks "
                  "takes all%s",
                  SLICE_ARG(name),
                  services_is_cleanups(name) ? "; to map addresses, set it for a cleanup service "
                                               "that -o cleanup_service_name names"
                                             : "");
    else if (is_server(m) && services_is_cleanups(name))
        conf_warn(s->reading->errors, s->file, w->line,
                  "-o %.*s does nothing here, in Postfix neither: cleanup reads it; set it for a "
                  "cleanup service that -o cleanup_service_name names",
                  SLICE_ARG(name));
    else
        services_assign(s, name, slice_trim(slice_from(text, at + 1)), service, w->line);
}

/* Takes the options; returns the index of the first word behind them. */
size_t services_take_options(struct services *s, const struct master_service *m,
                             struct slice service)
{
    size_t i = 0;
    for (; i < m->n_words; i++) {
        const struct master_word *w = &m->words[i];
        if (!slice_starts(w->text, SLICE("-")) || w->grouped)
            break;
        if (slice_is(w->text, "-o") && i + 1 < m->n_words) {
            i++;
            take_override(s, m, &m->words[i], m->words[i].text, service);
        } else if (slice_starts(w->text, SLICE("-o")) && w->text.len > 2) {
            take_override(s, m, w, slice_from(w->text, 2), service);
        } else if (!slice_starts(w->text, SLICE("-v")) && !slice_is(w->text, "-D")) {
            conf_warn(s->reading->errors, s->file, w->line,
                      "%.*s: option %.*s means nothing here: remove it", SLICE_ARG(m->name),
                      SLICE_ARG(w->text));
        }
    }
    return i;
}

/* ---- listeners ---- */

static bool port_of(struct slice text, unsigned *ret)
{
    static const struct {
        const char *name;
        unsigned port;
    } known[] = {
        {"smtp", 25}, {"lmtp", 24}, {"submission", 587}, {"smtps", 465}, {"submissions", 465}};
    char copy[64];
    uint64_t n;
    if (slice_parse_u64(text, 65535, &n) == OK) {
        *ret = (unsigned)n;
        return n > 0;
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_is(text, known[i].name)) {
            *ret = known[i].port;
            return true;
        }
    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    struct servent *found = getservbyname(copy, "tcp");
    if (found)
        *ret = (unsigned)(((unsigned)found->s_port & 0xff) << 8 | ((unsigned)found->s_port >> 8));
    return found != NULL;
}

/* smtp or smtps, by what smtpd_tls_wrappermode is for the service. */
static const char *kind_of(struct services *s, struct slice service)
{
    struct slice wrapped = SLICE("");
    s->scope->service = service;
    if (conf_scope_value(s->scope, SLICE("smtpd_tls_wrappermode"), s->reading->arena, &wrapped,
                         NULL) != OK)
        wrapped = SLICE("");
    s->scope->service = SLICE("");
    return slice_is_nocase(wrapped, "yes") ? "smtps" : "smtp";
}

static void put_listener(struct services *s, const char *kind, struct slice host, unsigned port,
                         const struct master_service *m)
{
    bool bare6 = slice_find(host, ':') != SIZE_MAX && host.data[0] != '[';
    buf_printf(&s->listen, "%s%s://%s%.*s%s:%u#%.*s", buf_len(&s->listen) ? ", " : "", kind,
               bare6 ? "[" : "", SLICE_ARG(host), bare6 ? "]" : "", port, SLICE_ARG(m->name));
    if (!s->listen_line)
        s->listen_line = m->line;
}

static void put_named(struct services *s, const char *kind, struct slice host, unsigned port,
                      const struct master_service *m)
{
    struct interfaces found = {.n = 0};
    struct error err = {""};
    if (interfaces_named(host, SLICE("all"), &found, &err) != OK) {
        conf_error(s->reading->errors, s->file, m->line, "%.*s: %s", SLICE_ARG(m->name), err.text);
        return;
    }
    for (size_t i = 0; i < found.n; i++) {
        struct buf text;
        buf_init(&text, 64);
        interface_print(&found.items[i], &text);
        put_listener(s, kind, buf_slice(&text), port, m);
        buf_release(&text);
    }
}

static void take_listener(struct services *s, const struct master_service *m)
{
    unsigned port;
    size_t colon = slice_rfind(m->name, ':');
    struct slice host = colon == SIZE_MAX ? SLICE("") : slice_sub(m->name, 0, colon);
    struct slice port_text = colon == SIZE_MAX ? m->name : slice_from(m->name, colon + 1);
    const char *kind = kind_of(s, m->name);
    if (!port_of(port_text, &port)) {
        conf_error(s->reading->errors, s->file, m->line,
                   "%.*s: no such port: write a number, or a name of /etc/services",
                   SLICE_ARG(m->name));
        return;
    }
    if (host.len)
        put_named(s, kind, host, port, m);
    for (size_t i = 0; i < s->n_hosts && !host.len; i++)
        put_listener(s, kind, s->hosts[i], port, m);
}

/* ---- daemons ---- */

static void take_smtpd(struct services *s, const struct master_service *m,
                       const struct master_services *all)
{
    if (slice_is(m->type, "inet")) {
        services_take_options(s, m, m->name);
        services_take_cleanup(s, m, all, m->name);
        take_listener(s, m);
        return;
    }
    if (!slice_is(m->type, "pass"))
        conf_warn(s->reading->errors, s->file, m->line,
                  "%.*s: an SMTP server on a Unix socket is not served: use an inet service",
                  SLICE_ARG(m->name));
}

/* smtpd's options behind postscreen stand at "smtpd pass". */
static void take_postscreen(struct services *s, const struct master_service *m,
                            const struct master_services *all)
{
    services_take_options(s, m, m->name);
    services_check_screen(s, m);
    for (size_t i = 0; i < all->n; i++)
        if (slice_is(all->items[i].type, "pass") && slice_is(all->items[i].command, "smtpd"))
            services_take_options(s, &all->items[i], m->name);
    services_take_cleanup(s, m, all, m->name);
    take_listener(s, m);
}

static void note_inner(struct services *s, const struct master_service *m)
{
    bool settings = m->n_words && slice_is(m->command, "cleanup");
    conf_note(s->reading->errors, s->file, m->line,
              "%.*s: %.*s is a process of Postfix's own; its work is done by Postrider's roles%s",
              SLICE_ARG(m->name), SLICE_ARG(m->command),
              settings ? "; its -o settings hold for the services that name it" : "");
}

static void no_options(struct services *s, const struct master_service *m)
{
    for (size_t i = 0; i < m->n_words; i++)
        if (slice_is(m->words[i].text, "-o") && i + 1 < m->n_words)
            conf_warn(s->reading->errors, s->file, m->words[i + 1].line,
                      "%.*s: -o %.*s: settings for this process alone are not served: set it in "
                      "main.cf, or for the listener",
                      SLICE_ARG(m->name), SLICE_ARG(m->words[i + 1].text));
    note_inner(s, m);
}

static void take_spawn(struct services *s, const struct master_service *m)
{
    conf_warn(s->reading->errors, s->file, m->line,
              "%.*s: programs that Postfix starts for a connection (spawn) are not started: have "
              "systemd start it, or remove the line",
              SLICE_ARG(m->name));
}

static void take_delivery(struct services *s, const struct master_service *m, const char *kind)
{
    no_options(s, m);
    services_put_transport(s, m, kind);
}

static bool is_one_of(struct slice word, const char *const *words)
{
    while (*words && !slice_is(word, *words))
        words++;
    return *words != NULL;
}

static void take_service(struct services *s, const struct master_service *m,
                         const struct master_services *all)
{
    static const char *const inner[] = {"qmgr",     "oqmgr",   "nqmgr",    "trivial-rewrite",
                                        "bounce",   "verify",  "flush",    "proxymap",
                                        "showq",    "anvil",   "scache",   "tlsmgr",
                                        "tlsproxy", "dnsblog", "postlogd", NULL};
    static const char *const agents[] = {"local", "virtual", "error", "discard", NULL};
    if (slice_is(m->command, "smtpd"))
        take_smtpd(s, m, all);
    else if (slice_is(m->command, "postscreen"))
        take_postscreen(s, m, all);
    else if (slice_is(m->command, "smtp") || slice_is(m->command, "lmtp"))
        services_take_client(s, m);
    else if (slice_is(m->command, "pipe"))
        services_take_pipe(s, m);
    else if (slice_is(m->command, "pickup"))
        services_take_pickup(s, m, all), note_inner(s, m);
    else if (slice_is(m->command, "cleanup"))
        services_report_cleanup(s, m), note_inner(s, m);
    else if (is_one_of(m->command, agents))
        take_delivery(s, m, m->command.data);
    else if (is_one_of(m->command, inner))
        no_options(s, m);
    else if (slice_is(m->command, "spawn"))
        take_spawn(s, m);
    else
        conf_warn(
            s->reading->errors, s->file, m->line,
            "%.*s: program `%.*s` is not one of Postfix's that are served: the service is not "
            "there",
            SLICE_ARG(m->name), SLICE_ARG(m->command));
}

/* ---- the whole ---- */

static void fill_hosts(struct services *s, struct slice names, struct slice protocols)
{
    struct interfaces found = {.n = 0};
    struct error err = {""};
    const struct conf_assignment *a = conf_scope_assignment(s->scope, SLICE("inet_interfaces"));
    s->n_hosts = 1;
    s->hosts[0] = SLICE("");
    if (slice_is_nocase(names, "all"))
        return;
    s->hosts[0] = SLICE("localhost");
    if (slice_is_nocase(names, "loopback-only"))
        return;
    if (interfaces_named(names, protocols, &found, &err) != OK)
        conf_error(s->reading->errors, a ? a->file : s->file, a ? a->line : 0,
                   "inet_interfaces: %s", err.text);
    s->n_hosts = found.n;
    for (size_t i = 0; i < found.n; i++) {
        struct buf text;
        buf_init(&text, 64);
        interface_print(&found.items[i], &text);
        s->hosts[i] = arena_dup(s->reading->arena, buf_slice(&text));
        buf_release(&text);
    }
}

/* master_service_disable: "inet", "smtp/inet", "smtp.inet". */
static bool disabled(struct slice list, const struct master_service *m)
{
    char with[2][128];
    snprintf(with[0], sizeof with[0], "%.*s/%.*s", SLICE_ARG(m->name), SLICE_ARG(m->type));
    snprintf(with[1], sizeof with[1], "%.*s.%.*s", SLICE_ARG(m->name), SLICE_ARG(m->type));
    for (size_t at = 0; at < list.len;) {
        size_t from = at;
        while (at < list.len && list.data[at] != ' ' && list.data[at] != ',')
            at++;
        struct slice item = slice_sub(list, from, at - from);
        if (item.len &&
            (slice_eq(item, m->type) || slice_is(item, with[0]) || slice_is(item, with[1])))
            return true;
        at++;
    }
    return false;
}

static void assign_made(struct services *s, const char *name, struct buf *value, unsigned line)
{
    if (!buf_ok(value))
        conf_error(s->reading->errors, s->file, line, "%s: too many services", name);
    struct conf_assignment a = {.name = slice_cstr(name),
                                .value = arena_dup(s->reading->arena, buf_slice(value)),
                                .service = SLICE(""),
                                .file = s->file,
                                .line = line,
                                .grammar = CONF_LITERAL};
    if (s->result == OK)
        s->result = conf_assign(s->reading, &s->reading->found, a);
    s->scope->layers[CONF_LAYER_POSTFIX] = s->reading->found;
    buf_release(value);
}

struct slice services_value(struct services *s, const char *name)
{
    struct slice value = SLICE("");
    /* What can't be expanded is told when the settings are evaluated. */
    if (conf_scope_value(s->scope, slice_cstr(name), s->reading->arena, &value, NULL) != OK)
        return SLICE("");
    return value;
}

static enum result interpret(struct services *s, const struct master_services *all)
{
    struct slice off = services_value(s, "master_service_disable");
    fill_hosts(s, services_value(s, "inet_interfaces"), services_value(s, "inet_protocols"));
    buf_init(&s->listen, CONF_VALUE_MAX);
    buf_init(&s->transports, CONF_VALUE_MAX);
    buf_init(&s->pipes, CONF_VALUE_MAX);
    for (size_t i = 0; i < all->n && s->result == OK; i++)
        if (!disabled(off, &all->items[i]))
            take_service(s, &all->items[i], all);
    services_take_limits(s);
    assign_made(s, "listen", &s->listen, s->listen_line);
    assign_made(s, "transport_services", &s->transports, s->transports_line);
    assign_made(s, "pipe_transports", &s->pipes, s->pipes_line);
    return s->result;
}

enum result postfix_read_master(struct slice dir, struct conf_scope *scope, struct conf_reading *r)
{
    struct slice text;
    struct master_services all;
    const char *path = arena_printf(r->arena, "%.*s/master.cf", SLICE_ARG(dir));
    if (!path)
        return FAILED;
    enum result result = conf_read_file(path, r->arena, &text);
    if (result != OK) {
        conf_error(r->errors, path, 0, "cannot read Postfix's services: %s",
                   result == LIMIT ? "the file is too large" : strerror(errno));
        return result;
    }
    result = master_cf_parse(text, path, r->arena, r->errors, &all);
    struct services s = {.scope = scope, .reading = r, .file = path};
    return result == OK ? interpret(&s, &all) : result;
}
