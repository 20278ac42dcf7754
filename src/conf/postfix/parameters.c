/* parameters.c: Postfix's parameters as a table. Rows: X(name, default, class, text). */
#include "conf/postfix/parameters.h"

#include "conf/postfix/parameters_a_h.h"
#include "conf/postfix/parameters_i_z.h"
#include "conf/postfix/parameters_lmtp.h"
#include "conf/postfix/parameters_screen.h"
#include "conf/postfix/parameters_smtp.h"
#include "conf/postfix/parameters_smtpd.h"
#include "conf/table.h"

#define ROW(name, fallback, class, text) {name, fallback, class, text},
static const struct postfix_parameter rows[] = {
    POSTFIX_PARAMETERS_A_H(ROW) POSTFIX_PARAMETERS_I_Z(ROW) POSTFIX_PARAMETERS_LMTP(ROW)
        POSTFIX_PARAMETERS_SCREEN(ROW) POSTFIX_PARAMETERS_SMTP(ROW) POSTFIX_PARAMETERS_SMTPD(ROW)};
enum { ROW_COUNT = sizeof rows / sizeof *rows };

/* Of each transport: postconf(5) "transport_destination_…". */
#define SCHEDULE "how Postfix's queue manager schedules; Postrider's queue has its own rules"
static const struct postfix_parameter per_transport[] = {
    {"_delivery_slot_cost", "$default_delivery_slot_cost", INNER, SCHEDULE},
    {"_delivery_slot_discount", "$default_delivery_slot_discount", INNER, SCHEDULE},
    {"_delivery_slot_loan", "$default_delivery_slot_loan", INNER, SCHEDULE},
    {"_destination_concurrency_failed_cohort_limit",
     "$default_destination_concurrency_failed_cohort_limit", READ, ""},
    {"_destination_concurrency_limit", "$default_destination_concurrency_limit", READ, ""},
    {"_destination_concurrency_negative_feedback",
     "$default_destination_concurrency_negative_feedback", READ, ""},
    {"_destination_concurrency_positive_feedback",
     "$default_destination_concurrency_positive_feedback", READ, ""},
    {"_destination_rate_delay", "$default_destination_rate_delay", READ, ""},
    {"_destination_recipient_limit", "$default_destination_recipient_limit", READ, ""},
    {"_extra_recipient_limit", "$default_extra_recipient_limit", INNER, SCHEDULE},
    {"_initial_destination_concurrency", "$initial_destination_concurrency", READ, ""},
    {"_minimum_delivery_slots", "$default_minimum_delivery_slots", INNER, SCHEDULE},
    {"_recipient_limit", "$default_recipient_limit", INNER, SCHEDULE},
    {"_recipient_refill_delay", "$default_recipient_refill_delay", INNER, SCHEDULE},
    {"_recipient_refill_limit", "$default_recipient_refill_limit", INNER, SCHEDULE},
    {"_time_limit", "$command_time_limit", READ, ""},
    {"_transport_rate_delay", "$default_transport_rate_delay", READ, ""},
};

static const struct postfix_parameter *of_transport(struct slice name)
{
    for (size_t i = 0; i < sizeof per_transport / sizeof *per_transport; i++) {
        struct slice suffix = slice_cstr(per_transport[i].name);
        if (name.len > suffix.len && slice_is(slice_from(name, name.len - suffix.len), suffix.data))
            return &per_transport[i];
    }
    return NULL;
}

const char *postfix_transport_suggest(struct slice name, size_t *ret_at)
{
    enum { FARTHEST = 3 };
    const char *best = NULL;
    size_t nearest = FARTHEST;
    for (size_t at = 1; at < name.len; at++)
        for (size_t i = 0; name.data[at] == '_' && i < sizeof per_transport / sizeof *per_transport;
             i++) {
            size_t before = nearest;
            conf_consider(slice_from(name, at), per_transport[i].name, &best, &nearest);
            if (nearest < before)
                *ret_at = at;
        }
    return best;
}

const struct postfix_parameter *postfix_parameter_find(struct slice name)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (slice_is(name, rows[i].name))
            return &rows[i];
    return of_transport(name);
}

const struct postfix_parameter *postfix_parameter_at(size_t i)
{
    return i < ROW_COUNT ? &rows[i] : NULL;
}

/* TLS_README: the levels' forerunners hold where no level is given. */
const char *postfix_when_empty(struct slice name)
{
    static const char *const levels[][2] = {
        {"smtpd_tls_security_level", "${{$smtpd_enforce_tls} == {yes} ? {encrypt} : {${"
                                     "{$smtpd_use_tls} == {yes} ? {may} : {none}}}}"},
        {"smtp_tls_security_level", "${{$smtp_enforce_tls} == {yes} ? {encrypt} : {${"
                                    "{$smtp_use_tls} == {yes} ? {may} : {none}}}}"},
        {"lmtp_tls_security_level", "${{$lmtp_enforce_tls} == {yes} ? {encrypt} : {${"
                                    "{$lmtp_use_tls} == {yes} ? {may} : {none}}}}"},
    };
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (slice_is(name, levels[i][0]))
            return levels[i][1];
    return NULL;
}

const char *postfix_own_default(struct slice name)
{
    static const char *const defaults[][2] = {
        {"smtpd_sender_login_check", "no"}, /* reject_sender_login_mismatch says it */
        {"smtpd_disable_plaintext_auth", "no"},
        {"smtpd_reject_bare_newline", "${{$smtpd_forbid_bare_newline} == {reject} ? {yes} : {no}}"},
        {"smtp_port", "${{$smtp_tcp_port} == {smtp} ? {25} : {$smtp_tcp_port}}"},
    };
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (slice_is(name, defaults[i][0]))
            return defaults[i][1];
    return NULL;
}

char postfix_time_unit(const struct postfix_parameter *p)
{
    size_t n = strlen(p->fallback);
    char last = n ? p->fallback[n - 1] : 0;
    return last && strchr("smhdw", last) && n > 1 &&
                   (ascii_digit(p->fallback[n - 2]) || p->fallback[n - 2] == '}')
               ? last
               : 0;
}
