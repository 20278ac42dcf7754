/* screen.c: postscreen in master.cf. Where its tests only log (as they do by default), plain SMTP
 * on its port is what clients meet. Where they keep clients out, that must not end in silence. */
#include "conf/postfix/services.h"

/* What a test does, and what makes it run: a parameter and the value with which it does not. */
static const struct {
    const char *action, *needs, *off, *instead;
} tests[] = {
    {"postscreen_dnsbl_action", "postscreen_dnsbl_sites", "",
     "reject_rbl_client in smtpd_client_restrictions asks the same lists"},
    {"postscreen_denylist_action", "postscreen_access_list", "permit_mynetworks",
     "check_client_access in smtpd_client_restrictions takes a cidr: table of the same networks"},
    {"postscreen_greet_action", "postscreen_greet_wait", "0s",
     "reject_unauth_pipelining in smtpd_data_restrictions refuses clients that do not wait"},
    {"postscreen_pipelining_action", "postscreen_pipelining_enable", "no",
     "reject_unauth_pipelining in smtpd_data_restrictions does the same"},
    {"postscreen_non_smtp_command_action", "postscreen_non_smtp_command_enable", "no",
     "smtpd_forbidden_commands does the same"},
    {"postscreen_bare_newline_action", "postscreen_bare_newline_enable", "no",
     "smtpd_forbid_bare_newline = reject does the same"},
};

static const char *file_of(struct services *s, const char *name, unsigned *ret_line)
{
    const struct conf_assignment *a = conf_scope_assignment(s->scope, slice_cstr(name));
    *ret_line = a ? a->line : 0;
    return a ? a->file : s->file;
}

static bool keeps_out(struct services *s, size_t i)
{
    struct slice action = services_value(s, tests[i].action);
    struct slice needs = services_value(s, tests[i].needs);
    return (slice_is(action, "enforce") || slice_is(action, "drop")) &&
           !slice_is(needs, tests[i].off);
}

/* True: one of them keeps clients out; told as an error, at the line that says so. */
static bool refuse_tests(struct services *s, const struct master_service *m)
{
    bool any = false;
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        unsigned line;
        if (!keeps_out(s, i))
            continue;
        const char *file = file_of(s, tests[i].action, &line);
        if (line == 0) /* a default: the line that makes the test run */
            file = file_of(s, tests[i].needs, &line);
        any = true;
        conf_error(s->reading->errors, file, line,
                   "%s: postscreen (%s:%u) keeps clients out, which is not served: %s. To run "
                   "without it, write `%s = ignore` into postrider.conf",
                   tests[i].action, s->file, m->line, tests[i].instead, tests[i].action);
    }
    return any;
}

void services_check_screen(struct services *s, const struct master_service *m)
{
    struct slice outer = s->scope->service;
    s->scope->service = m->name;
    if (!refuse_tests(s, m))
        conf_warn(s->reading->errors, s->file, m->line,
                  "%.*s: postscreen's tests before the greeting only log here, and do not happen; "
                  "SMTP is served on this port",
                  SLICE_ARG(m->name));
    s->scope->service = outer;
}
