/* transports.c: master.cf's clients as transports, and what main.cf says of one of them. */
#include <stdio.h>

#include "conf/fields.h"
#include "conf/postfix/parameters.h"
#include "conf/postfix/postfix.h"
#include "conf/postfix/services.h"

void services_put_transport(struct services *s, const struct master_service *m, const char *kind)
{
    buf_printf(&s->transports, "%s%.*s=%s", buf_len(&s->transports) ? ", " : "", SLICE_ARG(m->name),
               kind);
    if (!s->transports_line)
        s->transports_line = m->line;
}

/* The column maxproc, where it has a number. */
static void take_maxproc(struct services *s, const struct master_service *m, const char *key)
{
    struct slice most = m->fields[6];
    if (most.len && ascii_digit(most.data[0]))
        services_assign(s, SLICE("maxproc"), most, slice_cstr(key), m->line);
}

void services_take_client(struct services *s, const struct master_service *m)
{
    const char *key = arena_printf(s->reading->arena, "%.*s/unix", SLICE_ARG(m->name));
    if (!key) {
        s->result = FAILED;
        return;
    }
    services_take_options(s, m, slice_cstr(key));
    take_maxproc(s, m, key);
    services_put_transport(s, m, slice_is(m->command, "lmtp") ? "lmtp" : "smtp");
}

bool services_is_dovecots(struct slice program)
{
    struct slice name = slice_from(program, slice_rfind(program, '/') + 1);
    return slice_is(name, "dovecot-lda") ||
           (slice_is(name, "deliver") && slice_search(program, SLICE("dovecot")) != SIZE_MAX);
}

/* Dovecot's program alone leads to the mailboxes here. Behind another one (spamc -e …) it is that
 * one's to start. True: it is no pipe. */
static bool take_dovecot(struct services *s, const struct master_service *m, struct slice argv)
{
    struct slice first = slice_split(&argv, ' ');
    bool behind = false;
    if (services_is_dovecots(first)) {
        conf_note(s->reading->errors, s->file, m->line,
                  "%.*s: Dovecot's program is not run; mail for this transport goes to the "
                  "mailboxes here",
                  SLICE_ARG(m->name));
        services_put_transport(s, m, "mailbox");
        return true;
    }
    while (argv.data && !behind)
        behind = services_is_dovecots(slice_split(&argv, ' '));
    if (behind)
        conf_warn(s->reading->errors, s->file, m->line,
                  "%.*s: %.*s is run as it is and must not leave the mail to Dovecot's program: "
                  "POP3 and IMAP do not show what that writes; have it hand the mail back by "
                  "sendmail, or name the transport `virtual` where this one is",
                  SLICE_ARG(m->name), SLICE_ARG(first));
    return false;
}

static void put_pipe(struct services *s, const struct master_service *m, struct slice item)
{
    buf_printf(&s->pipes, "%s{%.*s}", buf_len(&s->pipes) ? ", " : "", SLICE_ARG(item));
    if (!s->pipes_line)
        s->pipes_line = m->line;
    services_put_transport(s, m, "pipe");
}

/* "flags=DRhu user=vmail argv=/usr/bin/maildrop -d ${recipient}" as a record. */
void services_take_pipe(struct services *s, const struct master_service *m)
{
    struct buf item, argv;
    bool in_argv = false;
    const char *key = arena_printf(s->reading->arena, "%.*s/unix", SLICE_ARG(m->name));
    size_t i = key ? services_take_options(s, m, slice_cstr(key)) : m->n_words;
    if (key)
        take_maxproc(s, m, key);
    buf_init(&item, CONF_VALUE_MAX);
    buf_init(&argv, CONF_VALUE_MAX);
    enum result r = conf_field_put(&item, "name", m->name);
    for (; i < m->n_words && r == OK; i++) {
        struct slice w = m->words[i].text, rest = w;
        if (in_argv) {
            bool spaces = slice_find(w, ' ') != SIZE_MAX || w.len == 0;
            buf_printf(&argv, spaces ? " {%.*s}" : " %.*s", SLICE_ARG(w));
            continue;
        }
        char attribute[64];
        struct slice name = slice_split(&rest, '=');
        snprintf(attribute, sizeof attribute, "%.*s", SLICE_ARG(name));
        in_argv = strcmp(attribute, "argv") == 0;
        if (in_argv)
            buf_append(&argv, rest);
        else
            r = conf_field_put(&item, attribute, rest);
    }
    if (r == OK)
        r = conf_field_put(&item, "argv", buf_slice(&argv));
    if (r != OK || !buf_ok(&item) || !buf_ok(&argv) || !in_argv)
        conf_error(
            s->reading->errors, s->file, m->line,
            "%.*s: a pipe transport has attributes (flags=, user=) and argv=command, in this "
            "order, with { } in pairs",
            SLICE_ARG(m->name));
    else if (!take_dovecot(s, m, buf_slice(&argv)))
        put_pipe(s, m, buf_slice(&item));
    buf_release(&argv);
    buf_release(&item);
}

/* ---- main.cf on one transport ---- */

/* The kind of a transport that there is by now; data NULL: none of that name. */
static struct slice kind_of(const struct services *s, struct slice name)
{
    struct slice rest = buf_slice(&s->transports);
    while (rest.len) {
        struct slice kind = slice_trim(slice_split(&rest, ','));
        if (slice_eq(slice_split(&kind, '='), name))
            return kind;
    }
    return SLICE_NONE;
}

/* postconf(5) transport_destination_recipient_limit and its like: ours are settings of a service.
 */
static void take_limit(struct services *s, const struct conf_assignment *a, const char *suffix,
                       const char *ours)
{
    size_t n = a->name.len - strlen(suffix);
    struct slice name = slice_sub(a->name, 0, n), kind = kind_of(s, name), value;
    const char *key = arena_printf(s->reading->arena, "%.*s/unix", SLICE_ARG(name));
    if (!key || slice_is(name, "default"))
        return;
    if (!kind.data) {
        conf_warn(s->reading->errors, a->file, a->line,
                  "%.*s does nothing, in Postfix neither: master.cf has no transport `%.*s`",
                  SLICE_ARG(a->name), SLICE_ARG(name));
        return;
    }
    if (!slice_is(kind, "smtp") && !slice_is(kind, "lmtp") && !slice_is(kind, "pipe")) {
        conf_note(s->reading->errors, a->file, a->line,
                  "%.*s: mail for this transport is not sent from the queue", SLICE_ARG(a->name));
        return;
    }
    value = services_value(s, arena_printf(s->reading->arena, "%.*s", SLICE_ARG(a->name)));
    if (value.len && ascii_digit(value.data[value.len - 1]) &&
        slice_is(slice_cstr(suffix), "_time_limit"))
        value = slice_cstr(arena_printf(s->reading->arena, "%.*ss", SLICE_ARG(value)));
    services_assign(s, slice_cstr(ours), value, slice_cstr(key), a->line);
    struct conf_assignment *added = &s->reading->found.items[s->reading->found.n - 1];
    added->file = a->file;
    added->written = a->name;
}

void services_take_limits(struct services *s)
{
    static const char *const limits[][2] = {
        {"_destination_recipient_limit", "default_destination_recipient_limit"},
        {"_destination_concurrency_limit", "default_destination_concurrency_limit"},
        {"_destination_concurrency_positive_feedback",
         "default_destination_concurrency_positive_feedback"},
        {"_destination_concurrency_negative_feedback",
         "default_destination_concurrency_negative_feedback"},
        {"_destination_concurrency_failed_cohort_limit",
         "default_destination_concurrency_failed_cohort_limit"},
        {"_initial_destination_concurrency", "initial_destination_concurrency"},
        {"_destination_rate_delay", "default_destination_rate_delay"},
        {"_transport_rate_delay", "default_transport_rate_delay"},
        {"_time_limit", "command_time_limit"}};
    size_t n = s->reading->found.n;
    for (size_t i = 0; i < n && s->result == OK; i++) {
        struct conf_assignment a = s->reading->found.items[i];
        const struct postfix_parameter *p = postfix_parameter_find(a.name);
        for (size_t k = 0; p && k < sizeof limits / sizeof *limits && a.service.len == 0; k++)
            if (strcmp(p->name, limits[k][0]) == 0)
                take_limit(s, &a, limits[k][0], limits[k][1]);
    }
}
