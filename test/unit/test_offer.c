/* test_offer.c: which mechanisms are offered where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "auth/offer.h"

static void offers(const char *settings, bool smtp, enum offer_link link, const char *want)
{
    struct conf_errors errors;
    const struct conf *c = NULL;
    struct buf out;
    char text[1024];
    snprintf(text, sizeof text, "myhostname = h.test\n%s", settings);
    conf_errors_init(&errors);
    assert_int_equal(conf_parse(slice_cstr(text), "t.conf", &c, &errors), OK);
    conf_errors_release(&errors);
    buf_init(&out, 1024);
    offer_list(c, smtp, link, &out);
    char got[1024];
    snprintf(got, sizeof got, "%.*s", SLICE_ARG(buf_slice(&out)));
    assert_string_equal(got, want);
    buf_release(&out);
    conf_unref(c);
}

#define EVERYTHING                                                                                 \
    "auth_mechanisms = plain login cram-md5 scram-sha-256 scram-sha-256-plus external "            \
    "anonymous\n"

static void by_connection(void **state)
{
    (void)state;
    offers("", true, OFFER_CLEAR, "");
    offers("", true, OFFER_LOCAL, "PLAIN LOGIN");
    offers("", false, OFFER_TLS, "PLAIN LOGIN");
    offers("disable_plaintext_auth = no\n", false, OFFER_CLEAR, "PLAIN LOGIN");
    offers(EVERYTHING, false, OFFER_CLEAR, "CRAM-MD5 SCRAM-SHA-256 ANONYMOUS");
    offers(EVERYTHING, true, OFFER_CLEAR, "CRAM-MD5 SCRAM-SHA-256");
    offers(EVERYTHING, true, OFFER_LOCAL, "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256");
    offers(EVERYTHING, true, OFFER_TLS, "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 SCRAM-SHA-256-PLUS");
    offers(EVERYTHING, true, OFFER_CERTIFICATE,
           "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 SCRAM-SHA-256-PLUS EXTERNAL");
    offers(EVERYTHING "smtpd_tls_auth_only = yes\n", true, OFFER_LOCAL, "");
    offers(EVERYTHING "smtpd_tls_auth_only = yes\n", true, OFFER_TLS,
           "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 SCRAM-SHA-256-PLUS");
}

static void by_security_options(void **state)
{
    (void)state;
    offers(EVERYTHING "smtpd_sasl_security_options = noplaintext\n", true, OFFER_LOCAL,
           "CRAM-MD5 SCRAM-SHA-256 ANONYMOUS");
    offers(EVERYTHING "smtpd_sasl_security_options = noactive noanonymous\n", true, OFFER_LOCAL,
           "SCRAM-SHA-256");
    offers(EVERYTHING "smtpd_sasl_security_options = nodictionary noanonymous\n", true,
           OFFER_CERTIFICATE, "EXTERNAL");
    offers(EVERYTHING "smtpd_sasl_security_options = mutual_auth\n", true, OFFER_TLS,
           "SCRAM-SHA-256 SCRAM-SHA-256-PLUS");
    offers(EVERYTHING "smtpd_sasl_security_options = forward_secrecy\n", true, OFFER_TLS, "");
    offers(EVERYTHING "smtpd_sasl_tls_security_options =\n", true, OFFER_TLS,
           "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 SCRAM-SHA-256-PLUS ANONYMOUS");
    /* They are Postfix's: POP3 and IMAP have none. */
    offers(EVERYTHING "smtpd_sasl_security_options = noplaintext\n", false, OFFER_LOCAL,
           "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 ANONYMOUS");
}

static void by_lists_and_secrets(void **state)
{
    (void)state;
    offers("mech_list = SCRAM-SHA-256 LOGIN\n", true, OFFER_LOCAL, "SCRAM-SHA-256 LOGIN");
    offers("mech_list = SCRAM-SHA-256 LOGIN\n", false, OFFER_LOCAL, "PLAIN LOGIN");
    offers(EVERYTHING "users_file =\npam_service = x\n", true, OFFER_LOCAL, "PLAIN LOGIN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_connection),
        cmocka_unit_test(by_security_options),
        cmocka_unit_test(by_lists_and_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
