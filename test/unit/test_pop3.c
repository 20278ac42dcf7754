/* test_pop3.c: plays the dialogues of test/scenario/pop3/ against the POP3 core, with the client's
 * bytes whole and one by one, and what no dialogue shows: long lines, long lists, large messages.
 *
 * Lines of a scenario: "O:" options, "C:" a client's line, "R:" its raw bytes, "S:" a reply line,
 * "W:" a want, "A:" the driver's answer, "X:" how messages are read from here on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "proto/pop3/pop3.h"

static const char *const mails[] = {
    "Subject: dots\r\nX: y\r\n\r\n.\r\n..two\r\ntext.\r\n\r\nlast line here\r\n",
    "Subject: x\r\n\r\nno end",
    "",
    "Subject: bare\n\na\n.\nb\r\nc\n",
};

struct player {
    struct pop3 core;
    struct pop3_config config;
    struct buf in, out;
    struct buf wanted; /* the want of now, in words */
    bool bytewise;
    char reading; /* of "X:": o(k), g(one), f(ailed) */
    const char *where;
};

static uint64_t mail_size(void *arg, uint32_t number)
{
    (void)arg;
    return strlen(mails[number - 1]);
}

static void mail_uidl(void *arg, uint32_t number, struct buf *out)
{
    (void)arg;
    buf_printf(out, "uid%u", number);
}

static void put_quoted(struct buf *out, struct slice s)
{
    buf_puts(out, " \"");
    for (size_t i = 0; i < s.len; i++)
        buf_puts(out, s.data[i] ? (char[]){s.data[i], 0} : "\\0");
    buf_putc(out, '"');
}

static void note_want(struct player *p, enum pop3_want want, const struct pop3_request *q)
{
    struct buf *w = &p->wanted;
    buf_reset(w);
    switch (want) {
    case POP3_WANT_AUTH_START:
        buf_printf(w, "auth %.*s", SLICE_ARG(q->mechanism));
        if (q->has_initial) {
            buf_puts(w, " initial");
            put_quoted(w, q->initial);
        }
        break;
    case POP3_WANT_AUTH_STEP:
        buf_puts(w, "step");
        put_quoted(w, q->initial);
        break;
    case POP3_WANT_PASS:
        buf_printf(w, "pass %.*s", SLICE_ARG(q->user));
        put_quoted(w, q->pass);
        break;
    case POP3_WANT_COMMIT:
        buf_puts(w, "commit");
        for (uint32_t n = 1; n <= p->core.drop.count; n++)
            if (pop3_deleted(&p->core, n))
                buf_printf(w, " %u", n);
        break;
    default:
        buf_puts(w, want == POP3_WANT_AUTH_CANCEL ? "cancel"
                    : want == POP3_WANT_STARTTLS  ? "starttls"
                    : want == POP3_WANT_CLOSE     ? "close"
                                                  : "");
    }
}

/* Gives pieces of three bytes, so that every state is met at their edges. */
static void read_mail(struct player *p, const struct pop3_request *q)
{
    struct slice mail = slice_cstr(mails[q->number - 1]);
    assert_true(q->len > 0 && q->from + q->len <= mail.len);
    if (p->reading == 'o')
        pop3_message_bytes(&p->core, slice_sub(mail, q->from, 3), &p->out);
    else
        pop3_message_failed(&p->core, p->reading == 'g', &p->out);
}

/* Steps until the core wants more input or something that the scenario must name. */
static void settle(struct player *p)
{
    for (;;) {
        struct slice in = buf_slice(&p->in);
        struct pop3_request q;
        enum pop3_want want = pop3_step(&p->core, &in, &p->out, &q);
        buf_consume(&p->in, buf_len(&p->in) - in.len);
        if (want == POP3_WANT_MESSAGE) {
            read_mail(p, &q);
            continue;
        }
        if (want != POP3_WANT_ANSWER)
            note_want(p, want, &q);
        assert_int_not_equal(want, POP3_WANT_FLUSH);
        return;
    }
}

static void send(struct player *p, struct slice bytes)
{
    if (!p->bytewise) {
        buf_append(&p->in, bytes);
        settle(p);
        return;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        buf_append(&p->in, slice_sub(bytes, i, 1));
        /* Bytes behind STLS come with it, or they would come after the handshake. */
        bool more_waits = buf_len(&p->wanted) && i + 1 < bytes.len;
        if (!more_waits)
            settle(p);
    }
}

static void start(struct player *p, struct slice options)
{
    struct pop3_maildrop drop = {.count = 4, .size = mail_size, .uidl = mail_uidl};
    p->config = (struct pop3_config){.greeting = SLICE("Postrider ready."),
                                     .mechanisms = SLICE("PLAIN LOGIN"),
                                     .stls = slice_search(options, SLICE("stls")) != SIZE_MAX};
    bool secured = slice_search(options, SLICE("secured")) != SIZE_MAX;
    if (slice_is(options, "mail"))
        assert_int_equal(pop3_open_maildrop(&p->core, &p->config, &drop, &p->out), OK);
    else
        pop3_open(&p->core, &p->config, secured, false, &p->out);
}

static void answer(struct player *p, struct slice text)
{
    static const char *const refusals[] = {"wrong",     "malformed",   "no-mechanism",
                                           "throttled", "unavailable", "in-use"};
    struct slice verb = slice_split(&text, ' ');
    if (slice_is(verb, "challenge"))
        pop3_auth_challenge(&p->core, text, &p->out);
    else if (slice_is(verb, "done"))
        pop3_auth_done(&p->core);
    else if (slice_is(verb, "tls"))
        pop3_tls_started(&p->core);
    else if (slice_is(verb, "commit"))
        pop3_committed(&p->core, slice_is(text, "ok") ? OK : FAILED, &p->out);
    for (size_t i = 0; slice_is(verb, "refuse") && i < 6; i++)
        if (slice_is(text, refusals[i]))
            pop3_auth_refused(&p->core, (enum pop3_refusal)i, &p->out);
    buf_reset(&p->wanted);
    settle(p);
}

static void expect_line(struct player *p, struct slice want)
{
    struct slice out = buf_slice(&p->out);
    size_t lf = slice_find(out, '\n');
    struct slice line = slice_sub(out, 0, lf == SIZE_MAX ? out.len : lf + 1);
    if (line.len != want.len + 2 || !slice_eq(slice_sub(line, 0, want.len), want) ||
        !slice_ends_nocase(line, SLICE("\r\n")))
        fail_msg("%s: wanted \"%.*s\", got \"%.*s\"", p->where, SLICE_ARG(want), SLICE_ARG(line));
    buf_consume(&p->out, line.len);
}

static void expect_want(struct player *p, struct slice want)
{
    if (!slice_eq(buf_slice(&p->wanted), want))
        fail_msg("%s: wanted \"%.*s\", got \"%.*s\"", p->where, SLICE_ARG(want),
                 SLICE_ARG(buf_slice(&p->wanted)));
    /* A cancel needs no answer. */
    buf_reset(&p->wanted);
    if (slice_is(want, "cancel"))
        settle(p);
}

static void send_raw(struct player *p, struct slice text)
{
    struct buf raw;
    buf_init(&raw, 10000);
    for (size_t i = 0; i < text.len; i++) {
        bool escape = text.data[i] == '\\' && i + 1 < text.len;
        i += escape;
        buf_putc(&raw, !escape ? text.data[i] : text.data[i] == 'r' ? '\r' : '\n');
    }
    bool was = p->bytewise;
    p->bytewise = false;
    send(p, buf_slice(&raw));
    p->bytewise = was;
    buf_release(&raw);
}

static void play_line(struct player *p, struct slice line)
{
    struct slice text = slice_from(line, 3);
    struct buf sent;
    switch (line.len ? line.data[0] : '#') {
    case 'O':
        start(p, text);
        break;
    case 'C':
        if (buf_len(&p->out))
            fail_msg("%s: not expected: %.*s", p->where, SLICE_ARG(buf_slice(&p->out)));
        buf_init(&sent, 10000);
        buf_append(&sent, text);
        buf_puts(&sent, "\r\n");
        send(p, buf_slice(&sent));
        buf_release(&sent);
        break;
    case 'R':
        send_raw(p, text);
        break;
    case 'S':
        expect_line(p, text);
        break;
    case 'W':
        expect_want(p, text);
        break;
    case 'A':
        answer(p, text);
        break;
    case 'X':
        p->reading = text.data[0];
        break;
    default:
        break;
    }
}

static void play(const char *path, struct slice script, bool bytewise)
{
    struct player p = {.bytewise = bytewise, .reading = 'o', .where = path};
    buf_init(&p.in, 20000);
    buf_init(&p.out, POP3_OUT_SOFT + POP3_OUT_ROOM);
    buf_init(&p.wanted, 1000);
    while (script.len)
        play_line(&p, slice_split(&script, '\n'));
    if (buf_len(&p.out))
        fail_msg("%s: not expected: %.*s", path, SLICE_ARG(buf_slice(&p.out)));
    pop3_release(&p.core);
    buf_release(&p.in);
    buf_release(&p.out);
    buf_release(&p.wanted);
}

static void play_file(const char *path)
{
    static char text[64 * 1024];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    play(path, slice_of(text, n), false);
    play(path, slice_of(text, n), true);
}

static void scenarios_are_played(void **state)
{
    char folder[4096], path[8192];
    unsigned played = 0;
    (void)state;
    snprintf(folder, sizeof folder, "%s", __FILE__);
    char *cut = strstr(folder, "test/unit/");
    assert_non_null(cut);
    strcpy(cut, "test/scenario/pop3");
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        if (slice_ends_nocase(slice_cstr(e->d_name), SLICE(".scn"))) {
            snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
            play_file(path);
            played++;
        }
    closedir(d);
    assert_true(played >= 6);
}

/* ---- long things ---- */

static const struct pop3_config plain_config = {.greeting = {"hi", 2}, .mechanisms = {"PLAIN", 5}};

static struct slice repeated(struct buf *b, const char *head, char c, size_t n, const char *tail)
{
    buf_init(b, 1 << 20);
    buf_puts(b, head);
    for (size_t i = 0; i < n; i++)
        buf_putc(b, c);
    buf_puts(b, tail);
    return buf_slice(b);
}

static enum pop3_want step_text(struct pop3 *p, struct slice *in, struct buf *out,
                                struct pop3_request *q, const char *want_out)
{
    enum pop3_want want = pop3_step(p, in, out, q);
    if (!slice_is(buf_slice(out), want_out))
        fail_msg("got \"%.*s\"", SLICE_ARG(buf_slice(out)));
    buf_reset(out);
    return want;
}

static void long_lines_are_dropped(void **state)
{
    struct pop3 p;
    struct pop3_request q;
    struct buf out, b;
    (void)state;
    buf_init(&out, POP3_OUT_SOFT + POP3_OUT_ROOM);
    pop3_open(&p, &plain_config, true, false, &out);
    buf_reset(&out);
    /* 255 octets with CRLF are a command, 256 are not: RFC 2449 4. */
    struct slice in = repeated(&b, "USER ", 'x', 248, "\r\n");
    assert_int_equal(step_text(&p, &in, &out, &q, "+OK\r\n"), POP3_WANT_INPUT);
    buf_release(&b);
    in = repeated(&b, "USER ", 'x', 249, "\r\nQUIT x\r\n");
    assert_int_equal(
        step_text(&p, &in, &out, &q, "-ERR Line too long.\r\n-ERR QUIT takes no argument.\r\n"),
        POP3_WANT_INPUT);
    buf_release(&b);
    /* Without an end it is taken away as it comes. */
    for (int i = 0; i < 10; i++) {
        in = repeated(&b, "", 'x', 10000, "");
        assert_int_equal(step_text(&p, &in, &out, &q, ""), POP3_WANT_INPUT);
        assert_int_equal(in.len, 0);
        buf_release(&b);
    }
    in = SLICE("\r\n");
    assert_int_equal(step_text(&p, &in, &out, &q, "-ERR Line too long.\r\n"), POP3_WANT_INPUT);
    /* AUTH may be long. */
    in = repeated(&b, "AUTH PLAIN ", 'A', 12000, "\r\n");
    assert_int_equal(step_text(&p, &in, &out, &q, ""), POP3_WANT_AUTH_START);
    assert_int_equal(q.initial.len, 9000);
    buf_release(&b);
    pop3_auth_challenge(&p, SLICE("x"), &out);
    buf_reset(&out);
    in = repeated(&b, "", 'A', 12288, "\r\n");
    assert_int_equal(step_text(&p, &in, &out, &q, "-ERR Line too long.\r\n"),
                     POP3_WANT_AUTH_CANCEL);
    buf_release(&b);
    pop3_release(&p);
    buf_release(&out);
}

static void failures_end_the_session(void **state)
{
    struct pop3 p;
    struct pop3_request q;
    struct buf out;
    (void)state;
    buf_init(&out, POP3_OUT_SOFT + POP3_OUT_ROOM);
    pop3_open(&p, &plain_config, true, false, &out);
    for (int i = 0; i < 6; i++) {
        struct slice in = SLICE("USER a\r\nPASS b\r\n");
        assert_int_equal(pop3_step(&p, &in, &out, &q), POP3_WANT_PASS);
        /* No other command before the answer. */
        struct slice more = SLICE("NOOP\r\n");
        assert_int_equal(pop3_step(&p, &more, &out, &q), POP3_WANT_ANSWER);
        assert_int_equal(more.len, 6);
        pop3_auth_refused(&p, POP3_REFUSE_WRONG, &out);
    }
    struct slice in = SLICE("");
    assert_int_equal(pop3_step(&p, &in, &out, &q), POP3_WANT_CLOSE);
    pop3_release(&p);
    buf_release(&out);
}

static uint64_t large_size(void *arg, uint32_t number)
{
    (void)arg;
    (void)number;
    return 5 << 20;
}

static void long_answers_keep_the_output_bounded(void **state)
{
    struct pop3_maildrop drop = {.count = 100000, .size = large_size, .uidl = mail_uidl};
    struct pop3 p;
    struct pop3_request q;
    struct buf out;
    size_t lines = 0, sent = 0;
    enum pop3_want want;
    static char dots[POP3_PIECE];
    (void)state;
    memset(dots, '\n', sizeof dots);
    buf_init(&out, POP3_OUT_SOFT + POP3_OUT_ROOM);
    assert_int_equal(pop3_open_maildrop(&p, &plain_config, &drop, &out), OK);
    struct slice in = SLICE("UIDL\r\nRETR 7\r\nNOOP\r\n");
    while ((want = pop3_step(&p, &in, &out, &q)) != POP3_WANT_INPUT) {
        assert_true(buf_ok(&out) && buf_len(&out) < POP3_OUT_SOFT + POP3_OUT_ROOM);
        if (want == POP3_WANT_MESSAGE) {
            assert_int_equal(q.from, sent);
            pop3_message_bytes(&p, slice_of(dots, q.len), &out);
            sent += q.len;
            continue;
        }
        assert_int_equal(want, POP3_WANT_FLUSH);
        for (struct slice rest = buf_slice(&out); rest.data; slice_split(&rest, '\n'))
            lines++;
        lines--;
        buf_reset(&out);
    }
    assert_int_equal(sent, 5 << 20);
    assert_true(lines > 100000 + (4 << 20));
    assert_true(slice_ends_nocase(buf_slice(&out), SLICE("+OK\r\n")));
    pop3_release(&p);
    buf_release(&out);
}

static void goodbye_never_joins_a_message(void **state)
{
    struct pop3_maildrop drop = {.count = 4, .size = mail_size, .uidl = mail_uidl};
    struct pop3 p;
    struct pop3_request q;
    struct buf out;
    (void)state;
    buf_init(&out, POP3_OUT_SOFT + POP3_OUT_ROOM);
    assert_int_equal(pop3_open_maildrop(&p, &plain_config, &drop, &out), OK);
    struct slice in = SLICE("RETR 1\r\n");
    assert_int_equal(pop3_step(&p, &in, &out, &q), POP3_WANT_MESSAGE);
    pop3_message_bytes(&p, SLICE("Sub"), &out);
    buf_reset(&out);
    pop3_bye(&p, "[SYS/TEMP] Shutting down.", &out);
    assert_int_equal(buf_len(&out), 0);
    assert_int_equal(pop3_step(&p, &in, &out, &q), POP3_WANT_CLOSE);
    pop3_release(&p);
    pop3_open(&p, &plain_config, true, false, &out);
    buf_reset(&out);
    pop3_bye(&p, "[SYS/TEMP] Shutting down.", &out);
    assert_int_equal(step_text(&p, &in, &out, &q, "-ERR [SYS/TEMP] Shutting down.\r\n"),
                     POP3_WANT_CLOSE);
    pop3_release(&p);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenarios_are_played),
        cmocka_unit_test(long_lines_are_dropped),
        cmocka_unit_test(failures_end_the_session),
        cmocka_unit_test(long_answers_keep_the_output_bounded),
        cmocka_unit_test(goodbye_never_joins_a_message),
    };
    return cmocka_run_group_tests_name("pop3", tests, NULL, NULL);
}
