/* test_imap_login.c: IMAP before the login, as edge drives it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "proto/imap/login.h"

struct client {
    struct imap_login core;
    struct imap_login_config config;
    struct buf in, out;
    struct imap_login_request req;
};

static void connect_with(struct client *c, bool secured, struct imap_login_config config)
{
    c->config = config;
    c->config.greeting = SLICE("ready.");
    buf_init(&c->in, IMAP_LOGIN_IN_MAX);
    buf_init(&c->out, IMAP_LOGIN_OUT_MAX);
    imap_login_open(&c->core, &c->config, secured, false, &c->out);
}

static void leave(struct client *c)
{
    imap_login_release(&c->core);
    buf_release(&c->in);
    buf_release(&c->out);
}

static enum imap_login_want step(struct client *c)
{
    struct slice in = buf_slice(&c->in);
    enum imap_login_want want = imap_login_step(&c->core, &in, &c->out, &c->req);
    buf_consume(&c->in, buf_len(&c->in) - in.len);
    return want;
}

static enum imap_login_want say(struct client *c, const char *text)
{
    buf_puts(&c->in, text);
    return step(c);
}

static void said(struct client *c, const char *text)
{
    struct slice out = buf_slice(&c->out);
    if (!slice_is(out, text))
        fail_msg("expected \"%s\", got \"%.*s\"", text, SLICE_ARG(out));
    buf_reset(&c->out);
}

static const struct imap_login_config usual = {.mechanisms = {"PLAIN LOGIN", 11}, .starttls = true};

static void greets_by_what_is_allowed(void **state)
{
    struct client c;
    (void)state;
    connect_with(&c, false, usual);
    said(&c, "* OK [CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE STARTTLS LOGINDISABLED] "
             "ready.\r\n");
    assert_int_equal(say(&c, "a LOGIN u p\r\nb AUTHENTICATE PLAIN\r\n"), IMAP_WANT_INPUT);
    said(&c, "a NO [PRIVACYREQUIRED] Plaintext authentication needs TLS.\r\n"
             "b NO [PRIVACYREQUIRED] Authentication is not offered without TLS.\r\n");
    assert_int_equal(say(&c, "c STARTTLS\r\nd LOGIN u p\r\n"), IMAP_WANT_STARTTLS);
    said(&c, "c OK Begin TLS negotiation now.\r\n");
    buf_reset(&c.in);
    imap_login_tls_started(&c.core);
    say(&c, "e CAPABILITY\r\nf STARTTLS\r\n");
    said(&c, "* CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE AUTH=PLAIN AUTH=LOGIN\r\n"
             "e OK CAPABILITY completed.\r\nf BAD TLS is already active.\r\n");
    leave(&c);
}

static void logs_in_with_strings_of_all_kinds(void **state)
{
    static const char *const ways[] = {"a1 LOGIN joe se]cret\r\n",
                                       "a1 login \"joe\" \"se]cret\"\r\n",
                                       "a1 LOGIN {3+}\r\njoe {7+}\r\nse]cret\r\n"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct client c;
        connect_with(&c, true, usual);
        assert_int_equal(say(&c, ways[i]), IMAP_WANT_PASS);
        assert_true(slice_is(c.req.user, "joe"));
        assert_true(slice_is(c.req.password, "se]cret"));
        buf_puts(&c.in, "a2 SELECT INBOX\r\n");
        assert_int_equal(step(&c), IMAP_WANT_ANSWER);
        imap_login_done(&c.core);
        assert_true(slice_is(imap_login_tag(&c.core), "a1"));
        assert_true(slice_is(buf_slice(&c.in), "a2 SELECT INBOX\r\n"));
        leave(&c);
    }
    struct client c;
    connect_with(&c, true, usual);
    buf_reset(&c.out);
    assert_int_equal(say(&c, "x LOGIN {3}\r\n"), IMAP_WANT_INPUT);
    said(&c, "+ OK\r\n");
    assert_int_equal(say(&c, "joe \"p\\\"w\"\r\n"), IMAP_WANT_PASS);
    assert_true(slice_is(c.req.password, "p\"w"));
    imap_login_refused(&c.core, IMAP_REFUSE_WRONG, &c.out);
    said(&c, "x NO [AUTHENTICATIONFAILED] Authentication failed.\r\n");
    leave(&c);
}

static void exchanges(void **state)
{
    struct client c;
    (void)state;
    connect_with(&c, true, usual);
    buf_reset(&c.out);
    assert_int_equal(say(&c, "a AUTHENTICATE plain\r\n"), IMAP_WANT_AUTH_START);
    assert_true(slice_is(c.req.mechanism, "PLAIN"));
    assert_false(c.req.has_initial);
    imap_login_challenge(&c.core, SLICE(""), &c.out);
    said(&c, "+ \r\n");
    assert_int_equal(say(&c, "AGpvZQBwdw==\r\n"), IMAP_WANT_AUTH_STEP);
    assert_int_equal(c.req.initial.len, 7);
    imap_login_refused(&c.core, IMAP_REFUSE_UNAVAILABLE, &c.out);
    said(&c, "a NO [UNAVAILABLE] Temporary failure, try again later.\r\n");
    assert_int_equal(say(&c, "b AUTHENTICATE PLAIN =\r\n"), IMAP_WANT_AUTH_START);
    assert_true(c.req.has_initial && c.req.initial.len == 0);
    imap_login_challenge(&c.core, SLICE("go"), &c.out);
    said(&c, "+ Z28=\r\n");
    assert_int_equal(say(&c, "*\r\n"), IMAP_WANT_AUTH_CANCEL);
    said(&c, "b BAD Authentication cancelled.\r\n");
    assert_int_equal(say(&c, "c AUTHENTICATE PLAIN AGpvZQBwdw==\r\n"), IMAP_WANT_AUTH_START);
    assert_int_equal(c.req.initial.len, 7);
    imap_login_challenge(&c.core, SLICE(""), &c.out);
    buf_reset(&c.out);
    assert_int_equal(say(&c, "!!!\r\n"), IMAP_WANT_AUTH_CANCEL);
    said(&c, "c BAD Invalid base64 in the response.\r\n");
    say(&c, "d AUTHENTICATE GSSAPI\r\ne AUTHENTICATE PLAIN !!\r\n");
    said(&c, "d NO Unsupported authentication mechanism.\r\ne BAD Invalid base64\r\n");
    leave(&c);
}

static void patience_ends(void **state)
{
    struct client c;
    struct imap_login_config config = usual;
    (void)state;
    config.max_bad = 3;
    config.max_auth_failures = 2;
    connect_with(&c, true, config);
    buf_reset(&c.out);
    assert_int_equal(say(&c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"), IMAP_WANT_CLOSE);
    leave(&c);
    connect_with(&c, true, config);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(say(&c, "a LOGIN u p\r\n"), IMAP_WANT_PASS);
        imap_login_refused(&c.core, IMAP_REFUSE_WRONG, &c.out);
    }
    assert_int_equal(step(&c), IMAP_WANT_CLOSE);
    leave(&c);
}

static void long_input_is_bounded(void **state)
{
    struct client c;
    (void)state;
    connect_with(&c, true, usual);
    buf_reset(&c.out);
    char *text = malloc(13001);
    memset(text, 'x', 13000);
    text[13000] = 0;
    assert_int_equal(say(&c, text), IMAP_WANT_INPUT);
    said(&c, "* BAD Command line is too long.\r\n");
    assert_int_equal(say(&c, "\r\na NOOP\r\n"), IMAP_WANT_INPUT);
    said(&c, "a OK NOOP completed.\r\n");
    assert_int_equal(say(&c, "a LOGIN {13000+}\r\n"), IMAP_WANT_INPUT);
    said(&c, "a BAD Literal is too long.\r\n");
    say(&c, text);
    assert_int_equal(say(&c, " {3+}\r\nb A\r\nc NOOP\r\n"), IMAP_WANT_INPUT);
    said(&c, "c OK NOOP completed.\r\n");
    free(text);
    leave(&c);
}

static void clients_say_who_they_are(void **state)
{
    struct client c;
    (void)state;
    connect_with(&c, true, usual);
    say(&c, "a ID (\"name\" \"Mail er\" \"version\" \"1\\\"2\" \"os\" NIL)\r\n");
    assert_true(slice_is(imap_login_client_id(&c.core), "name=Mail_er version=1\"2"));
    buf_reset(&c.out);
    say(&c, "b ID (name)\r\n");
    said(&c, "b BAD Missing string\r\n");
    assert_int_equal(say(&c, "c LOGOUT\r\n"), IMAP_WANT_CLOSE);
    said(&c, "* BYE Logging out\r\nc OK LOGOUT completed.\r\n");
    leave(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greets_by_what_is_allowed),
        cmocka_unit_test(logs_in_with_strings_of_all_kinds),
        cmocka_unit_test(exchanges),
        cmocka_unit_test(patience_ends),
        cmocka_unit_test(long_input_is_bounded),
        cmocka_unit_test(clients_say_who_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
