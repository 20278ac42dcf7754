/* test_policy.c: the decision about a recipient, as a table of facts and answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "policy/policy.h"

static const struct conf *conf_of(const char *text)
{
    const struct conf *c = NULL;
    struct conf_errors errors;
    conf_errors_init(&errors);
    if (conf_parse(slice_cstr(text), "t.conf", &c, &errors) != OK)
        fail_msg("%.*s", SLICE_ARG(buf_slice(&errors.text)));
    conf_errors_release(&errors);
    return c;
}

enum { NET = 1, AUTH = 2, OWNED = 4, NULL_SENDER = 8 };

static void every_case_has_its_answer(void **state)
{
    (void)state;
    static const struct {
        enum policy_service service;
        enum policy_rcpt rcpt;
        unsigned flags;
        unsigned code;
        const char *enhanced, *rule, *text;
    } cases[] = {
        {POLICY_SMTP, POLICY_RCPT_LOCAL, 0, 250, "2.1.5", "users_file", "Ok"},
        {POLICY_LMTP, POLICY_RCPT_LOCAL, 0, 250, "2.1.5", "users_file", "Ok"},
        {POLICY_SMTP, POLICY_RCPT_LOCAL, NULL_SENDER, 250, "2.1.5", "users_file", "Ok"},
        {POLICY_SMTP, POLICY_RCPT_UNKNOWN, 0, 550, "5.1.1", "reject_unlisted_recipient",
         "<r@x.test>: Recipient address rejected: User unknown in local recipient table"},
        {POLICY_SMTP, POLICY_RCPT_UNKNOWN, NET | AUTH | OWNED, 550, "5.1.1",
         "reject_unlisted_recipient", NULL},
        {POLICY_SMTP, POLICY_RCPT_FOREIGN, 0, 554, "5.7.1", "reject_unauth_destination",
         "<r@x.test>: Relay access denied"},
        {POLICY_SMTP, POLICY_RCPT_FOREIGN, NET, 250, "2.1.5", "permit_mynetworks", "Ok"},
        {POLICY_SMTP, POLICY_RCPT_FOREIGN, AUTH | OWNED, 250, "2.1.5", "permit_sasl_authenticated",
         "Ok"},
        {POLICY_SMTP, POLICY_RCPT_FOREIGN, AUTH | NULL_SENDER, 250, "2.1.5",
         "permit_sasl_authenticated", "Ok"},
        {POLICY_SMTP, POLICY_RCPT_FOREIGN, AUTH, 553, "5.7.1", "reject_sender_login_mismatch",
         "<s@x.test>: Sender address rejected: not owned by user u"},
        {POLICY_SUBMISSION, POLICY_RCPT_LOCAL, AUTH, 553, "5.7.1", "reject_sender_login_mismatch",
         NULL},
        {POLICY_SUBMISSION, POLICY_RCPT_LOCAL, 0, 530, "5.7.0", "reject_unauthenticated_submission",
         "Authentication required"},
        {POLICY_SUBMISSION, POLICY_RCPT_FOREIGN, NET, 530, "5.7.0",
         "reject_unauthenticated_submission", NULL},
        {POLICY_SUBMISSION, POLICY_RCPT_FOREIGN, AUTH | OWNED, 250, "2.1.5",
         "permit_sasl_authenticated", NULL},
        {POLICY_LMTP, POLICY_RCPT_FOREIGN, NET, 554, "5.7.1", "reject_unauth_destination", NULL},
        {POLICY_LMTP, POLICY_RCPT_FOREIGN, AUTH | OWNED, 554, "5.7.1", "reject_unauth_destination",
         NULL},
        {POLICY_SMTP, POLICY_RCPT_MALFORMED, 0, 501, "5.1.3", "reject_malformed_recipient",
         "<r@x.test>: Bad recipient address syntax"},
        {POLICY_SMTP, POLICY_RCPT_BROKEN, 0, 451, "4.3.5", "alias_maps", NULL},
        {POLICY_SMTP, POLICY_RCPT_UNAVAILABLE, 0, 451, "4.3.0", "local_recipient", NULL},
    };
    const struct conf *c = conf_of("myhostname = h.test\nmydestination = h.test\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned flags = cases[i].flags;
        struct arena a;
        struct policy_facts f = {
            .service = cases[i].service,
            .rcpt = cases[i].rcpt,
            .rcpt_text = SLICE("r@x.test"),
            .found_rule = cases[i].rcpt == POLICY_RCPT_LOCAL ? "users_file" : "",
            .found_where = SLICE(""),
            .login = flags & AUTH ? SLICE("u") : SLICE_NONE,
            .sender = flags & NULL_SENDER ? SLICE("") : SLICE("s@x.test"),
            .sender_owned = flags & OWNED,
            .in_mynetworks = flags & NET,
        };
        arena_init(&a, 4096);
        struct decision d = policy_rcpt_decide(&f, c, &a);
        if (d.code != cases[i].code || strcmp(d.enhanced, cases[i].enhanced) != 0 ||
            strcmp(d.rule, cases[i].rule) != 0 ||
            (cases[i].text && !slice_is(d.text, cases[i].text)))
            fail_msg("case %zu: %u %s %s %.*s", i, d.code, d.enhanced, d.rule, SLICE_ARG(d.text));
        arena_release(&a);
    }
    conf_unref(c);
}

static void reasons_name_their_line(void **state)
{
    const struct conf *c = conf_of("myhostname = h.test\nmydestination = h.test\n"
                                   "smtpd_sender_login_check = no\nmynetworks = 192.0.2.0/24\n");
    struct arena a;
    struct policy_facts f = {.service = POLICY_SMTP,
                             .rcpt = POLICY_RCPT_FOREIGN,
                             .rcpt_text = SLICE("r@x.test"),
                             .found_rule = "",
                             .sender = SLICE("s@x.test")};
    (void)state;
    arena_init(&a, 4096);
    assert_true(slice_is(policy_rcpt_decide(&f, c, &a).where, "t.conf:2"));
    f.in_mynetworks = true;
    assert_true(slice_is(policy_rcpt_decide(&f, c, &a).where, "t.conf:4"));
    f.in_mynetworks = false;
    f.login = SLICE("u"); /* smtpd_sender_login_check = no */
    assert_int_equal(policy_rcpt_decide(&f, c, &a).code, 250);
    f.rcpt = POLICY_RCPT_LOCAL;
    f.found_rule = "alias_maps";
    f.found_where = SLICE("/etc/aliases:7");
    assert_true(slice_is(policy_rcpt_decide(&f, c, &a).where, "/etc/aliases:7"));
    arena_release(&a);
    conf_unref(c);
}

static void services_have_names(void **state)
{
    enum policy_service s;
    (void)state;
    assert_int_equal(policy_service_parse(SLICE("submissions"), &s), OK);
    assert_int_equal(s, POLICY_SUBMISSION);
    assert_int_equal(policy_service_parse(SLICE("imap"), &s), INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_has_its_answer),
        cmocka_unit_test(reasons_name_their_line),
        cmocka_unit_test(services_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
