/* test_conf.c: the configuration: syntax, expansion, values, errors with their lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "conf/tls.h"

static const struct conf *parse(const char *text)
{
    struct conf_errors errors;
    const struct conf *c = NULL;
    conf_errors_init(&errors);
    enum result r = conf_parse(slice_cstr(text), "t.conf", &c, &errors);
    if (r != OK)
        print_message("%.*s", SLICE_ARG(buf_slice(&errors.text)));
    assert_int_equal(r, OK);
    assert_int_equal(errors.count, 0);
    conf_errors_release(&errors);
    return c;
}

static void assert_error(const char *text, const char *expect)
{
    struct conf_errors errors;
    const struct conf *c = NULL;
    conf_errors_init(&errors);
    assert_int_not_equal(conf_parse(slice_cstr(text), "t.conf", &c, &errors), OK);
    assert_null(c);
    if (slice_search(buf_slice(&errors.text), slice_cstr(expect)) == SIZE_MAX)
        fail_msg("expected `%s` in:\n%.*s", expect, SLICE_ARG(buf_slice(&errors.text)));
    conf_errors_release(&errors);
}

static void empty_file_gives_defaults(void **state)
{
    (void)state;
    const struct conf *c = parse("");
    assert_int_equal(c->message_size_limit, 10240000);
    assert_int_equal(c->minimal_backoff_time, 300);
    assert_int_equal(c->maximal_queue_lifetime, 5 * 86400);
    assert_int_equal(c->mynetworks.n, 0); /* nobody relays unproven, not even loopback */
    assert_true(c->disable_plaintext_auth);
    assert_int_equal(c->listen.n, 7);
    assert_string_equal(conf_source(c, "listen"), "default");
    assert_null(conf_source(c, "nonsense"));
    conf_unref(c);
}

static void names_expand_and_lines_continue(void **state)
{
    (void)state;
    const struct conf *c = parse("# comment\n"
                                 "myhostname = mail.example.org\n"
                                 "mydestination = $myhostname,\n"
                                 "\n"
                                 "   # in between\n"
                                 "   localhost.${mydomain}, $(mydomain)\n"
                                 "site = example\n"
                                 "smtpd_banner = $myhostname $site costs $$5\n");
    assert_true(slice_is(c->mydomain, "example.org"));
    assert_int_equal(c->mydestination.n, 3);
    assert_true(slice_is(c->mydestination.items[0], "mail.example.org"));
    assert_true(slice_is(c->mydestination.items[1], "localhost.example.org"));
    assert_true(slice_is(c->mydestination.items[2], "example.org"));
    assert_true(slice_is(c->smtpd_banner, "mail.example.org example costs $5"));
    assert_string_equal(conf_source(c, "mydestination"), "t.conf:3");
    conf_unref(c);
}

static void times_have_units(void **state)
{
    (void)state;
    const struct conf *c = parse("minimal_backoff_time = 2m\nmaximal_backoff_time=1h\n"
                                 "maximal_queue_lifetime = 1w\nsmtpd_timeout = 45\n");
    assert_int_equal(c->minimal_backoff_time, 120);
    assert_int_equal(c->maximal_backoff_time, 3600);
    assert_int_equal(c->maximal_queue_lifetime, 7 * 86400);
    assert_int_equal(c->smtpd_timeout, 45);
    conf_unref(c);
}

static void every_error_names_its_line(void **state)
{
    (void)state;
    assert_error(
        "\nsmtpd_helo_requird = yes\n",
        "t.conf:2: unknown parameter `smtpd_helo_requird`: did you mean `smtpd_helo_required`?");
    assert_error("smtpd_recipient_restrictiOns = x\n",
                 "t.conf:1: unknown parameter `smtpd_recipient_restrictiOns`: did you mean "
                 "`smtpd_recipient_restrictions`?");
    assert_error("smtpd_milters = x\n",
                 "t.conf:1: `smtpd_milters` is a parameter of Postfix that is not "
                 "served yet: remove it");
    assert_error("completely_other = 1\n",
                 "t.conf:1: unknown parameter `completely_other`: remove");
    assert_error("just words\n", "t.conf:1: `just words` is no assignment");
    assert_error("  lost = 1\n", "t.conf:1: the line begins with a space");
    assert_error("smtpd_timeout = soon\n", "t.conf:1: smtpd_timeout: `soon` is no time");
    assert_error("smtpd_helo_required = maybe\n", "neither yes nor no");
    assert_error("smtpd_recipient_limit = 0\n", "outside of 1 to 100000");
    assert_error("mydomain = a\nmydomain = b\n", "t.conf:2: `mydomain` is set already in line 1");
    assert_error("mydomain = $mydomain x\n", "circle");
    assert_error("mydomain = $nothing\n", "$nothing is not defined");
    assert_error("mydomain = ${x\n", "a bracket is not closed");
    assert_error("mydomain = $-\n", "a $ must be followed by a name");
    assert_error("mynetworks = 10.0.0.1/8\n", "bits set behind the first 8");
    assert_error("mynetworks = 10.0.0.0/33\n", "is no network");
    assert_error("listen = http://:80\n", "is no listener");
    assert_error("smtpd_tls_security_level = maybe\n", "is not one of: none, may or encrypt");
    assert_error("relayhost = [mx\n", "must be host");
    assert_error("minimal_backoff_time = 2h\nmaximal_backoff_time = 1h\n",
                 "t.conf:1: minimal_backoff_time is longer");
    assert_error("ssl_cert = /c\n", "must be set both");
    assert_error("a=1\nb=2\n", "t.conf:2: unknown"); /* all of them, not the first only */
}

static void versions_of_tls(void **state)
{
    static const struct {
        const char *text;
        unsigned versions; /* 0: it is refused */
    } cases[] = {
        {"", CONF_TLS_ALL},
        {">=TLSv1.2", CONF_TLS_1_2 | CONF_TLS_1_3},
        {"!SSLv2, !SSLv3", CONF_TLS_ALL},
        {"!sslv3:!TLSv1 !TLSv1.1", CONF_TLS_1_2 | CONF_TLS_1_3},
        {"TLSv1.2", CONF_TLS_1_2},
        {"TLSv1, TLSv1.3", CONF_TLS_1_0 | CONF_TLS_1_3},
        {">=TLSv1.1 <=TLSv1.2", CONF_TLS_1_1 | CONF_TLS_1_2},
        {">=SSLv3", CONF_TLS_ALL},
        {"<=SSLv3", 0},
        {"SSLv3", 0},
        {"TLSv1.2 !TLSv1.2", 0},
        {">TLSv1.2", 0},
        {"!", 0},
        {">=", 0},
        {"TLSv1.4", 0},
        {"TLSv1.2x", 0},
    };
    struct error why;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned got = 0;
        enum result r = conf_tls_protocols(slice_cstr(cases[i].text), &got, &why);
        if (r != (cases[i].versions ? OK : INVALID) || got != cases[i].versions)
            fail_msg("%s: %u", cases[i].text, got);
    }
    unsigned got;
    assert_int_equal(conf_tls_least(SLICE("TLSv1.2"), &got, &why), OK);
    assert_int_equal(got, CONF_TLS_1_2 | CONF_TLS_1_3);
    assert_int_equal(conf_tls_least(SLICE("ANY"), &got, &why), OK);
    assert_int_equal(got, CONF_TLS_ALL);
    assert_int_equal(conf_tls_least(SLICE("LATEST"), &got, &why), OK);
    assert_int_equal(got, CONF_TLS_1_3);
    assert_int_equal(conf_tls_least(SLICE(">=TLSv1.2"), &got, &why), INVALID);
}

static void listeners_parse(void **state)
{
    struct listen_url u;
    (void)state;
    assert_int_equal(listen_parse(SLICE("smtp://127.0.0.1:2525"), &u), OK);
    assert_true(u.service == LISTEN_SMTP && slice_is(u.host, "127.0.0.1") && u.port == 2525);
    assert_int_equal(listen_parse(SLICE("imaps://[::1]:993"), &u), OK);
    assert_true(u.service == LISTEN_IMAPS && slice_is(u.host, "::1") && u.port == 993);
    assert_int_equal(listen_parse(SLICE("pop3://*:110"), &u), OK);
    assert_true(slice_is(u.host, "") && u.port == 110);
    assert_int_equal(listen_parse(SLICE("lmtp:/run/lmtp"), &u), OK);
    assert_true(slice_is(u.path, "/run/lmtp"));
    static const char *const bad[] = {
        "",         "smtp",           "smtp:",          "smtp://",
        "smtp://a", "smtp://a:0",     "smtp://a:65536", "smtp:/path",
        "x://a:1",  "imap://::1:143", "lmtp:/",         "imap://[::1:143"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(listen_parse(slice_cstr(bad[i]), &u), INVALID);
}

static void networks_match(void **state)
{
    struct slice which = SLICE_NONE;
    (void)state;
    const struct conf *c = parse("mynetworks = !10.1.2.3, 10.0.0.0/8 [2001:db8::]/32 192.0.2.7\n");
    assert_true(conf_network_match(c->mynetworks, SLICE("10.9.9.9"), &which));
    assert_true(slice_is(which, "10.0.0.0/8"));
    assert_false(conf_network_match(c->mynetworks, SLICE("10.1.2.3"), &which));
    assert_true(conf_network_match(c->mynetworks, SLICE("::ffff:10.9.9.9"), NULL));
    assert_true(conf_network_match(c->mynetworks, SLICE("2001:db8:1::5"), NULL));
    assert_true(conf_network_match(c->mynetworks, SLICE("192.0.2.7"), NULL));
    assert_false(conf_network_match(c->mynetworks, SLICE("192.0.2.8"), NULL));
    assert_false(conf_network_match(c->mynetworks, SLICE("127.0.0.1"), NULL));
    assert_false(conf_network_match(c->mynetworks, SLICE("rubbish"), NULL));
    conf_unref(c);
}

static void dump_travels_whole(void **state)
{
    struct buf text;
    const struct conf *copy = NULL;
    (void)state;
    const struct conf *c = parse("smtpd_banner = a $$b\nlisten = imap://:143\nclient_limit = 7\n");
    buf_init(&text, 1 << 20);
    conf_dump(c, &text);
    assert_int_equal(conf_parse_effective(buf_slice(&text), &copy), OK);
    assert_true(slice_is(copy->smtpd_banner, "a $b"));
    assert_int_equal(copy->listen.n, 1);
    assert_int_equal(copy->client_limit, 7);
    assert_string_equal(conf_source(copy, "client_limit"), "t.conf:3");
    conf_unref(copy);
    buf_truncate(&text, buf_len(&text) / 2);
    assert_int_equal(conf_parse_effective(buf_slice(&text), &copy), INVALID);
    buf_release(&text);
    conf_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_file_gives_defaults),
        cmocka_unit_test(names_expand_and_lines_continue),
        cmocka_unit_test(times_have_units),
        cmocka_unit_test(every_error_names_its_line),
        cmocka_unit_test(versions_of_tls),
        cmocka_unit_test(listeners_parse),
        cmocka_unit_test(networks_match),
        cmocka_unit_test(dump_travels_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
