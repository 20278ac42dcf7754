/* test_smtp_client.c: dialogues of the SMTP client core with scripted servers. A script is lines:
 * "S: " what the server says, "C: " what the client must say next; the client's output must be
 * exactly that, so what is pipelined and what is not shows in the order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "proto/smtp/client.h"

static struct smtp_client client;
static struct smtp_client_config config;
static struct buf in;
static struct smtp_client_rcpt rcpts[4];
static struct smtp_client_mail mail;
static struct slice message;

static int setup(void **state)
{
    (void)state;
    config = (struct smtp_client_config){.helo_name = SLICE("me.test")};
    rcpts[0] = (struct smtp_client_rcpt){.address = SLICE("a@far.test")};
    rcpts[1] = (struct smtp_client_rcpt){.address = SLICE("b@far.test")};
    mail = (struct smtp_client_mail){
        .sender = SLICE("me@here.test"), .rcpts = rcpts, .n_rcpts = 1, .size = 7};
    message = SLICE("hello\r\n");
    buf_init(&in, 1 << 20);
    smtp_client_init(&client, &config);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    smtp_client_release(&client);
    buf_release(&in);
    return 0;
}

static void expect(const char *text)
{
    struct slice want = slice_cstr(text), got = slice_sub(buf_slice(&client.out), 0, want.len);
    if (!slice_eq(got, want))
        fail_msg("wanted \"%s\", got \"%.*s\"", text, SLICE_ARG(buf_slice(&client.out)));
    buf_consume(&client.out, want.len);
}

static enum smtp_client_event run(void)
{
    enum smtp_client_event e = smtp_client_run(&client, &in);
    while (e == SMTP_CLIENT_BODY) {
        while (smtp_client_body(&client, &message) == BUSY)
            ;
        e = smtp_client_run(&client, &in);
    }
    return e;
}

/* Server and client in turn until both are through; nothing unexpected may be left. */
static enum smtp_client_event play(const char *script)
{
    enum smtp_client_event e = run();
    struct slice rest = slice_cstr(script);
    while (rest.len) {
        struct slice line = slice_split(&rest, '\n');
        char text[2000];
        snprintf(text, sizeof text, "%.*s\r\n", SLICE_ARG(slice_from(line, 3)));
        if (line.data[0] == 'C') {
            expect(text);
            continue;
        }
        if (buf_len(&client.out))
            fail_msg("not expected: \"%.*s\"", SLICE_ARG(buf_slice(&client.out)));
        buf_puts(&in, text);
        /* Lines of the server that follow each other arrive together. */
        if (!(rest.len && rest.data[0] == 'S'))
            e = run();
    }
    if (buf_len(&client.out))
        fail_msg("left over: \"%.*s\"", SLICE_ARG(buf_slice(&client.out)));
    return e;
}

static void ready(const char *offers)
{
    char script[1000];
    snprintf(script, sizeof script,
             "S: 220 far ESMTP\nC: EHLO me.test\nS: 250-far\n%sS: 250 HELP\n", offers);
    assert_int_equal(play(script), SMTP_CLIENT_READY);
}

static void check(size_t i, enum smtp_outcome outcome, const char *status, const char *text)
{
    assert_int_equal(client.results[i].outcome, outcome);
    if (!slice_is(client.results[i].status, status))
        fail_msg("status %.*s", SLICE_ARG(client.results[i].status));
    if (!slice_is(client.results[i].text, text))
        fail_msg("text %.*s", SLICE_ARG(client.results[i].text));
}

static void send_mail(void)
{
    assert_int_equal(smtp_client_send(&client, &mail), OK);
}

static void waits_for_each_reply_without_pipelining(void **state)
{
    (void)state;
    ready("");
    send_mail();
    assert_int_equal(play("C: MAIL FROM:<me@here.test>\nS: 250 ok\nC: RCPT TO:<a@far.test>\n"
                          "S: 250 ok\nC: DATA\nS: 354 go\nC: hello\nC: .\nS: 250 2.6.0 queued\n"),
                     SMTP_CLIENT_DONE);
    check(0, SMTP_SENT, "2.6.0", "250 2.6.0 queued");
    smtp_client_next(&client);
    assert_int_equal(run(), SMTP_CLIENT_READY);
    smtp_client_quit(&client);
    assert_int_equal(play("C: QUIT\nS: 221 bye\n"), SMTP_CLIENT_CLOSED);
}

/* RFC 2033 4.2 */
static void lmtp_has_a_verdict_for_each_recipient(void **state)
{
    (void)state;
    config.lmtp = true;
    rcpts[2] = (struct smtp_client_rcpt){.address = SLICE("c@far.test")};
    mail.n_rcpts = 3;
    assert_int_equal(play("S: 220 far LMTP\nC: LHLO me.test\nS: 250-far\nS: 250 PIPELINING\n"),
                     SMTP_CLIENT_READY);
    send_mail();
    assert_int_equal(
        play("C: MAIL FROM:<me@here.test>\nC: RCPT TO:<a@far.test>\nC: RCPT TO:<b@far.test>\n"
             "C: RCPT TO:<c@far.test>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 550 5.1.1 who\nS: 250 ok\n"
             "S: 354 go\nC: hello\nC: .\nS: 250 2.0.0 here\n"),
        SMTP_CLIENT_INPUT);
    assert_int_equal(play("S: 452 4.2.2 full\n"), SMTP_CLIENT_DONE);
    check(0, SMTP_SENT, "2.0.0", "250 2.0.0 here");
    check(1, SMTP_FAILED, "5.1.1", "550 5.1.1 who");
    check(2, SMTP_DEFERRED, "4.2.2", "452 4.2.2 full");
    smtp_client_next(&client);
    message = SLICE("hello\r\n");
    mail.n_rcpts = 2;
    assert_int_equal(run(), SMTP_CLIENT_READY);
    send_mail();
    assert_int_equal(
        play("C: MAIL FROM:<me@here.test>\nC: RCPT TO:<a@far.test>\nC: RCPT TO:<b@far.test>\n"
             "C: DATA\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: hello\nC: .\n"
             "S: 250 2.0.0 here\nS: 421 4.3.2 bye\n"),
        SMTP_CLIENT_DONE);
    check(0, SMTP_SENT, "2.0.0", "250 2.0.0 here");
    check(1, SMTP_DEFERRED, "4.3.2", "421 4.3.2 bye");
}

static void pipelines_up_to_data(void **state)
{
    (void)state;
    ready("S: 250-PIPELINING\nS: 250-SIZE 1000\nS: 250-DSN\nS: 250-8BITMIME\n");
    mail.n_rcpts = 2;
    mail.eightbit = true;
    mail.ret = SLICE("HDRS");
    mail.envid = SLICE("x+2B");
    rcpts[1].notify = SLICE("FAILURE");
    rcpts[1].orcpt = SLICE("rfc822;b@x");
    send_mail();
    assert_int_equal(
        play("C: MAIL FROM:<me@here.test> SIZE=7 BODY=8BITMIME RET=HDRS ENVID=x+2B\n"
             "C: RCPT TO:<a@far.test>\nC: RCPT TO:<b@far.test> NOTIFY=FAILURE ORCPT=rfc822;b@x\n"
             "C: DATA\nS: 250 ok\nS: 250 ok\nS: 550-5.1.1 no such\nS: 550 5.1.1 user\nS: 354 go\n"
             "C: hello\nC: .\nS: 250 ok\n"),
        SMTP_CLIENT_DONE);
    check(0, SMTP_SENT, "2.0.0", "250 ok");
    check(1, SMTP_FAILED, "5.1.1", "550 5.1.1 no such user");
}

static void dot_ends_a_data_that_nobody_wanted(void **state)
{
    (void)state;
    ready("S: 250-PIPELINING\n");
    send_mail();
    assert_int_equal(play("C: MAIL FROM:<me@here.test>\nC: RCPT TO:<a@far.test>\nC: DATA\n"
                          "S: 250 ok\nS: 450 4.2.0 later\nS: 354 go\nC: .\nS: 554 no recipients\n"),
                     SMTP_CLIENT_DONE);
    check(0, SMTP_DEFERRED, "4.2.0", "450 4.2.0 later");
}

static void next_transaction_begins_with_rset_where_needed(void **state)
{
    (void)state;
    ready("S: 250-PIPELINING\n");
    send_mail();
    assert_int_equal(play("C: MAIL FROM:<me@here.test>\nC: RCPT TO:<a@far.test>\nC: DATA\n"
                          "S: 250 ok\nS: 550 no\nS: 503 no\n"),
                     SMTP_CLIENT_DONE);
    check(0, SMTP_FAILED, "5.0.0", "550 no");
    smtp_client_next(&client);
    assert_int_equal(run(), SMTP_CLIENT_READY);
    send_mail();
    assert_int_equal(
        play("C: RSET\nC: MAIL FROM:<me@here.test>\nC: RCPT TO:<a@far.test>\nC: DATA\n"
             "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nC: hello\nC: .\nS: 250 ok\n"),
        SMTP_CLIENT_DONE);
    check(0, SMTP_SENT, "2.0.0", "250 ok");
}

static void mail_refused_refuses_all(void **state)
{
    (void)state;
    ready("");
    mail.n_rcpts = 2;
    send_mail();
    assert_int_equal(play("C: MAIL FROM:<me@here.test>\nS: 451 4.7.1 try later\n"),
                     SMTP_CLIENT_DONE);
    check(0, SMTP_DEFERRED, "4.7.1", "451 4.7.1 try later");
    check(1, SMTP_DEFERRED, "4.7.1", "451 4.7.1 try later");
}

static void helo_where_ehlo_is_unknown(void **state)
{
    (void)state;
    assert_int_equal(
        play("S: 220 far\nC: EHLO me.test\nS: 502 what\nC: HELO me.test\nS: 250 far\n"),
        SMTP_CLIENT_READY);
}

static void tls_is_started_and_hello_said_again(void **state)
{
    (void)state;
    config.tls = SMTP_TLS_MAY;
    assert_int_equal(play("S: 220 far\nC: EHLO me.test\nS: 250-far\nS: 250 STARTTLS\nC: STARTTLS\n"
                          "S: 220 go\n"),
                     SMTP_CLIENT_STARTTLS);
    smtp_client_tls_done(&client);
    assert_int_equal(play("C: EHLO me.test\nS: 250-far\nS: 250 SIZE 5\n"), SMTP_CLIENT_READY);
    send_mail();
    assert_int_equal(run(), SMTP_CLIENT_DONE);
    check(0, SMTP_FAILED, "5.3.4", "the message is larger than the server takes");
}

static void bytes_behind_starttls_are_an_attack(void **state)
{
    (void)state;
    config.tls = SMTP_TLS_MAY;
    assert_int_equal(play("S: 220 far\nC: EHLO me.test\nS: 250-far\nS: 250 STARTTLS\nC: STARTTLS\n"
                          "S: 220 go\nS: 250 injected\n"),
                     SMTP_CLIENT_CLOSED);
    assert_true(slice_is(client.failure.status, "4.7.0"));
}

static void required_tls_is_required(void **state)
{
    (void)state;
    config.tls = SMTP_TLS_ENCRYPT;
    assert_int_equal(play("S: 220 far\nC: EHLO me.test\nS: 250 far\n"), SMTP_CLIENT_CLOSED);
    assert_true(slice_is(client.failure.status, "4.7.4"));
}

/* Up to the EHLO under TLS, with these further lines of its answer. */
static enum smtp_client_event ready_under_tls(const char *offers)
{
    char script[1000];
    assert_int_equal(play("S: 220 far\nC: EHLO me.test\nS: 250-far\nS: 250-REQUIRETLS\n"
                          "S: 250 STARTTLS\nC: STARTTLS\nS: 220 go\n"),
                     SMTP_CLIENT_STARTTLS);
    smtp_client_tls_done(&client);
    snprintf(script, sizeof script, "C: EHLO me.test\nS: 250-far\n%sS: 250 HELP\n", offers);
    return play(script);
}

/* RFC 8689 4.2.1 */
static void requiretls_is_passed_on(void **state)
{
    (void)state;
    config.tls = SMTP_TLS_ENCRYPT;
    config.require_tls = mail.require_tls = true;
    assert_int_equal(ready_under_tls("S: 250-REQUIRETLS\n"), SMTP_CLIENT_READY);
    send_mail();
    assert_int_equal(play("C: MAIL FROM:<me@here.test> REQUIRETLS\nS: 250 ok\n"
                          "C: RCPT TO:<a@far.test>\nS: 250 ok\n"
                          "C: DATA\nS: 354 go\nC: hello\nC: .\nS: 250 2.6.0 queued\n"),
                     SMTP_CLIENT_DONE);
    assert_int_equal(client.results[0].outcome, SMTP_SENT);
}

/* That a server offers it in clear counts for nothing. */
static void server_without_requiretls_is_of_no_use(void **state)
{
    (void)state;
    config.tls = SMTP_TLS_ENCRYPT;
    config.require_tls = mail.require_tls = true;
    assert_int_equal(ready_under_tls(""), SMTP_CLIENT_CLOSED);
    assert_true(slice_is(client.failure.status, "5.7.30"));
    assert_true(client.failure.final && !client.failure.remote);
}

/* RFC 8689 5: the bounce of such a message. */
static void requiretls_of_a_bounce_is_said_where_it_can_be(void **state)
{
    (void)state;
    config.tls = SMTP_TLS_MAY;
    mail.sender = SLICE("");
    mail.require_tls = true;
    assert_int_equal(ready_under_tls(""), SMTP_CLIENT_READY);
    send_mail();
    assert_int_equal(play("C: MAIL FROM:<>\nS: 450 later\n"), SMTP_CLIENT_DONE);
}

static void requiretls_is_not_said_in_clear(void **state)
{
    (void)state;
    mail.sender = SLICE("");
    mail.require_tls = true;
    ready("S: 250-REQUIRETLS\n");
    send_mail();
    assert_int_equal(play("C: MAIL FROM:<>\nS: 450 later\n"), SMTP_CLIENT_DONE);
}

static void refused_tls_is_done_without(void **state)
{
    (void)state;
    config.tls = SMTP_TLS_MAY;
    assert_int_equal(play("S: 220 far\nC: EHLO me.test\nS: 250-far\nS: 250 STARTTLS\nC: STARTTLS\n"
                          "S: 454 not now\n"),
                     SMTP_CLIENT_READY);
}

/* A mechanism that says what it was asked; "FIRST": the server begins. */
static const char *fake_start(void *arg, struct slice offered, bool tls, struct buf *initial,
                              bool *ret_initial, const char **why)
{
    const char *name = arg;
    (void)tls;
    if (slice_search(offered, slice_cstr(name)) == SIZE_MAX) {
        *why = "none of these";
        return NULL;
    }
    *ret_initial = strcmp(name, "FIRST") != 0;
    if (strcmp(name, "EMPTY") != 0)
        buf_puts(initial, "hi");
    return name;
}

static enum result fake_respond(void *arg, struct slice challenge, struct buf *out,
                                const char **why)
{
    (void)arg;
    *why = "not this";
    if (!challenge.data || slice_is(challenge, "bad"))
        return INVALID;
    buf_append(out, challenge);
    return OK;
}

static enum result fake_finish(void *arg, const char **why)
{
    *why = "not proven";
    return strcmp(arg, "LIAR") == 0 ? INVALID : OK;
}

static void logs_in_by(const char *name)
{
    static struct smtp_client_sasl fake;
    fake =
        (struct smtp_client_sasl){(void *)(uintptr_t)name, fake_start, fake_respond, fake_finish};
    config.sasl = &fake;
}

#define OFFERS_AUTH                                                                                \
    "S: 220 far\nC: EHLO me.test\nS: 250-far\nS: 250 AUTH FIRST INITIAL EMPTY LIAR\n"

static void fails_because(const char *script, const char *why)
{
    assert_int_equal(play(script), SMTP_CLIENT_CLOSED);
    assert_true(slice_is(client.failure.status, "4.7.0") && !client.failure.remote);
    assert_true(slice_is(client.failure.text, why));
}

static void authenticates(void **state)
{
    (void)state;
    logs_in_by("INITIAL");
    assert_int_equal(play(OFFERS_AUTH "C: AUTH INITIAL aGk=\nS: 235 2.7.0 ok\n"),
                     SMTP_CLIENT_READY);
}

static void an_empty_initial_response_is_told_apart(void **state)
{
    (void)state;
    logs_in_by("EMPTY");
    assert_int_equal(play(OFFERS_AUTH "C: AUTH EMPTY =\nS: 334 \nC: \nS: 235 2.7.0 ok\n"),
                     SMTP_CLIENT_READY);
}

static void authenticates_by_challenges(void **state)
{
    (void)state;
    logs_in_by("FIRST");
    assert_int_equal(
        play("S: 220 far\nC: EHLO me.test\nS: 250-far\nS: 250 AUTH=FIRST\n"
             "C: AUTH FIRST\nS: 334 b25l\nC: b25l\nS: 334 dHdv\nC: dHdv\nS: 535 5.7.8 wrong\n"),
        SMTP_CLIENT_CLOSED);
    assert_true(client.failure.remote && slice_is(client.failure.status, "5.7.8"));
}

static void what_the_mechanism_refuses_ends_it(void **state)
{
    (void)state;
    logs_in_by("FIRST");
    fails_because(OFFERS_AUTH "C: AUTH FIRST\nS: 334 %%%\n", "not this");
}

static void challenges_have_an_end(void **state)
{
    (void)state;
    logs_in_by("FIRST");
    fails_because(OFFERS_AUTH
                  "C: AUTH FIRST\nS: 334 \nC: \nS: 334 \nC: \nS: 334 \nC: \nS: 334 \nC: \n"
                  "S: 334 \nC: \nS: 334 \nC: \nS: 334 \nC: \nS: 334 \nC: \nS: 334 \n",
                  "the server asks for more than its AUTH mechanism has");
}

static void a_server_must_prove_itself(void **state)
{
    (void)state;
    logs_in_by("LIAR");
    fails_because(OFFERS_AUTH "C: AUTH LIAR aGk=\nS: 235 2.7.0 welcome\n", "not proven");
}

static void mail_waits_where_the_password_can_not_be_used(void **state)
{
    (void)state;
    logs_in_by("OTHER");
    fails_because(OFFERS_AUTH, "none of these");
}

static void what_offers_no_auth_may_know_us(void **state)
{
    (void)state;
    logs_in_by("INITIAL");
    assert_int_equal(play("S: 220 far\nC: EHLO me.test\nS: 250 far\n"), SMTP_CLIENT_READY);
}

static void password_needs_the_tls_that_is_offered(void **state)
{
    (void)state;
    config.tls = SMTP_TLS_MAY;
    logs_in_by("PLAIN");
    assert_int_equal(play("S: 220 far\nC: EHLO me.test\nS: 250-far\nS: 250 STARTTLS\nC: STARTTLS\n"
                          "S: 454 not now\n"),
                     SMTP_CLIENT_CLOSED);
    assert_true(client.failure.remote);
}

/* Says that, and then waits for this. */
static void waits_after(const char *script, enum smtp_client_wait want)
{
    (void)play(script);
    assert_int_equal(smtp_client_waits(&client), want);
}

static void every_stage_has_its_own_wait(void **state)
{
    (void)state;
    config.tls = SMTP_TLS_MAY;
    waits_after("", SMTP_CLIENT_WAIT_HELO);
    waits_after("S: 220 far\nC: EHLO me.test\n", SMTP_CLIENT_WAIT_HELO);
    waits_after("S: 250-far\nS: 250 STARTTLS\nC: STARTTLS\n", SMTP_CLIENT_WAIT_STARTTLS);
    waits_after("S: 220 go\n", SMTP_CLIENT_WAIT_STARTTLS);
    smtp_client_tls_done(&client);
    waits_after("C: EHLO me.test\n", SMTP_CLIENT_WAIT_HELO);
    waits_after("S: 250 far\n", SMTP_CLIENT_WAIT_HELO);
    send_mail();
    waits_after("C: MAIL FROM:<me@here.test>\n", SMTP_CLIENT_WAIT_MAIL);
    waits_after("S: 450 later\n", SMTP_CLIENT_WAIT_HELO);
    smtp_client_next(&client);
    waits_after("", SMTP_CLIENT_WAIT_HELO);
    send_mail();
    waits_after("C: RSET\n", SMTP_CLIENT_WAIT_RSET);
    waits_after("S: 250 ok\nC: MAIL FROM:<me@here.test>\n", SMTP_CLIENT_WAIT_MAIL);
    waits_after("S: 250 ok\nC: RCPT TO:<a@far.test>\n", SMTP_CLIENT_WAIT_RCPT);
    waits_after("S: 250 ok\nC: DATA\n", SMTP_CLIENT_WAIT_DATA);
    buf_puts(&in, "354 go\r\n");
    assert_int_equal(smtp_client_run(&client, &in), SMTP_CLIENT_BODY);
    assert_int_equal(smtp_client_waits(&client), SMTP_CLIENT_WAIT_BODY);
    assert_int_equal(smtp_client_body(&client, &message), OK);
    assert_int_equal(smtp_client_waits(&client), SMTP_CLIENT_WAIT_BODY);
    waits_after("C: hello\nC: .\n", SMTP_CLIENT_WAIT_VERDICT);
    waits_after("S: 250 ok\n", SMTP_CLIENT_WAIT_HELO);
    smtp_client_next(&client);
    waits_after("", SMTP_CLIENT_WAIT_HELO);
    smtp_client_quit(&client);
    waits_after("C: QUIT\n", SMTP_CLIENT_WAIT_QUIT);
}

static void smtputf8_is_needed(void **state)
{
    (void)state;
    ready("");
    mail.smtputf8 = true;
    send_mail();
    assert_int_equal(run(), SMTP_CLIENT_DONE);
    assert_true(slice_is(client.results[0].status, "5.6.7"));
}

static void addresses_can_not_add_commands(void **state)
{
    (void)state;
    ready("");
    mail.n_rcpts = 2;
    rcpts[0].address = SLICE("a@far.test>\r\nRCPT TO:<evil@far.test");
    mail.envid = SLICE("x\r\nRSET");
    send_mail();
    assert_int_equal(play("C: MAIL FROM:<me@here.test>\nS: 250 ok\nC: RCPT TO:<b@far.test>\n"
                          "S: 250 ok\nC: DATA\nS: 354 go\nC: hello\nC: .\nS: 250 ok\n"),
                     SMTP_CLIENT_DONE);
    assert_int_equal(client.results[0].outcome, SMTP_FAILED);
    assert_int_equal(client.results[1].outcome, SMTP_SENT);
    smtp_client_next(&client);
    assert_int_equal(run(), SMTP_CLIENT_READY);
    mail.sender = SLICE("x>\r\nDATA\r\n");
    send_mail();
    assert_int_equal(run(), SMTP_CLIENT_DONE);
    assert_int_equal(client.results[1].outcome, SMTP_FAILED);
    assert_int_equal(buf_len(&client.out), 0);
}

static void service_closing_defers(void **state)
{
    (void)state;
    ready("");
    send_mail();
    assert_int_equal(play("C: MAIL FROM:<me@here.test>\nS: 421 4.3.2 closing\n"), SMTP_CLIENT_DONE);
    check(0, SMTP_DEFERRED, "4.3.2", "421 4.3.2 closing");
    assert_true(smtp_client_untouched(&client));
    smtp_client_next(&client);
    assert_int_equal(run(), SMTP_CLIENT_CLOSED);
}

static void lost_connection_defers_what_is_open(void **state)
{
    (void)state;
    ready("S: 250-PIPELINING\n");
    mail.n_rcpts = 2;
    send_mail();
    assert_int_equal(play("C: MAIL FROM:<me@here.test>\nC: RCPT TO:<a@far.test>\n"
                          "C: RCPT TO:<b@far.test>\nC: DATA\nS: 250 ok\nS: 550 no\n"),
                     SMTP_CLIENT_INPUT);
    assert_string_equal(smtp_client_stage(&client), "RCPT TO");
    smtp_client_lost(&client, "4.4.2", "gone");
    assert_int_equal(run(), SMTP_CLIENT_DONE);
    check(0, SMTP_FAILED, "5.0.0", "550 no");
    check(1, SMTP_DEFERRED, "4.4.2", "gone");
}

static void what_is_not_smtp_is_temporary(void **state)
{
    (void)state;
    ready("");
    send_mail();
    assert_int_equal(play("C: MAIL FROM:<me@here.test>\nS: HTTP/1.1 400 Bad Request\n"),
                     SMTP_CLIENT_DONE);
    assert_int_equal(client.results[0].outcome, SMTP_DEFERRED);
    assert_true(slice_is(client.results[0].status, "4.5.0"));
}

static void replies_have_limits(void **state)
{
    (void)state;
    for (int i = 0; i < SMTP_REPLY_LINES_MAX + 1; i++)
        buf_puts(&in, "220-more\r\n");
    assert_int_equal(run(), SMTP_CLIENT_CLOSED);
    teardown(NULL);
    setup(NULL);
    for (int i = 0; i < SMTP_REPLY_LINE_MAX; i++)
        buf_puts(&in, "2");
    assert_int_equal(run(), SMTP_CLIENT_CLOSED);
}

static void body_is(const char *text, const char *wire)
{
    teardown(NULL);
    setup(NULL);
    ready("");
    send_mail();
    play("C: MAIL FROM:<me@here.test>\nS: 250 ok\nC: RCPT TO:<a@far.test>\nS: 250 ok\nC: DATA\n");
    buf_puts(&in, "354 go\r\n");
    message = slice_cstr(text);
    assert_int_equal(run(), SMTP_CLIENT_INPUT);
    expect(wire);
    assert_int_equal(buf_len(&client.out), 0);
}

static void only_crlf_ends_lines(void **state)
{
    (void)state;
    body_is("a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n");
    body_is("", ".\r\n");
    body_is("no end", "no end\r\n.\r\n");
    body_is("a\n.\nb", "a\r\n..\r\nb\r\n.\r\n");
    body_is("a\r.\rb\r", "a\r\n..\r\nb\r\n.\r\n");
    body_is("a\r\n.\r\r\n", "a\r\n..\r\n\r\n.\r\n");
    body_is("\r\n.\n.\r\n", "\r\n..\r\n..\r\n.\r\n");
}

static void long_lines_pass(void **state)
{
    size_t n = 300000, out = 0;
    char *long_line = malloc(n);
    (void)state;
    memset(long_line, 'x', n);
    ready("");
    send_mail();
    play("C: MAIL FROM:<me@here.test>\nS: 250 ok\nC: RCPT TO:<a@far.test>\nS: 250 ok\nC: DATA\n");
    buf_puts(&in, "354 go\r\n");
    assert_int_equal(smtp_client_run(&client, &in), SMTP_CLIENT_BODY);
    message = slice_of(long_line, n);
    enum result r;
    do {
        r = smtp_client_body(&client, &message);
        assert_true(buf_ok(&client.out));
        out += buf_len(&client.out);
        buf_reset(&client.out);
    } while (r == BUSY);
    assert_int_equal(r, OK);
    assert_int_equal(out, n + 5);
    free(long_line);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(waits_for_each_reply_without_pipelining),
        T(lmtp_has_a_verdict_for_each_recipient),
        T(pipelines_up_to_data),
        T(dot_ends_a_data_that_nobody_wanted),
        T(next_transaction_begins_with_rset_where_needed),
        T(mail_refused_refuses_all),
        T(helo_where_ehlo_is_unknown),
        T(tls_is_started_and_hello_said_again),
        T(bytes_behind_starttls_are_an_attack),
        T(required_tls_is_required),
        T(refused_tls_is_done_without),
        T(authenticates),
        T(an_empty_initial_response_is_told_apart),
        T(authenticates_by_challenges),
        T(what_the_mechanism_refuses_ends_it),
        T(challenges_have_an_end),
        T(a_server_must_prove_itself),
        T(what_offers_no_auth_may_know_us),
        T(mail_waits_where_the_password_can_not_be_used),
        T(password_needs_the_tls_that_is_offered),
        T(requiretls_is_passed_on),
        T(server_without_requiretls_is_of_no_use),
        T(requiretls_of_a_bounce_is_said_where_it_can_be),
        T(requiretls_is_not_said_in_clear),
        T(every_stage_has_its_own_wait),
        T(smtputf8_is_needed),
        T(addresses_can_not_add_commands),
        T(service_closing_defers),
        T(lost_connection_defers_what_is_open),
        T(what_is_not_smtp_is_temporary),
        T(replies_have_limits),
        T(only_crlf_ends_lines),
        T(long_lines_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
