/* test_smtp.c: plays the dialogues of test/scenario/smtp/ against the SMTP server core, each once
 * with the client's bytes as they were written and once byte by byte.
 *
 *     config service=submission mechanisms=PLAIN,LOGIN size=1000 …   (before the first C)
 *     peer ip=192.0.2.7 secured tls=TLSv1.3,X
 *     whole                 not byte by byte (for what depends on pipelining)
 *     C: line               the client sends it with CRLF; \r \n \0 \t \\ \xHH are understood
 *     c: bytes              without CRLF
 *     c*N: bytes            N times
 *     S: line               the next reply line; "..." at its end: only the beginning counts
 *     W: want words         what the core asks for next (see show_want)
 *     A: answer words       the driver's answer (see give_answer)
 *     M: line               the next line of the message that W: deliver offered
 *     M.                    the message ends here
 *     L: text               the core's own refusal, for the log
 */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "proto/smtp/session.h"

struct play {
    const char *file;
    unsigned line;
    bool bytewise;
    struct smtp_config config;
    struct smtp_peer peer;
    struct slice tls;
    struct smtp_session s;
    struct smtp_request req;
    bool open;
    struct buf feed, in, out; /* feed: not yet given to the core */
    enum smtp_want want;      /* 0: none pending */
    size_t message_at;
};

static uint64_t test_id(void)
{
    return 12345;
}

static void play_fail(const struct play *p, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));
static void play_fail(const struct play *p, const char *format, ...)
{
    char text[4096];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    fail_msg("%s:%u%s: %s", p->file, p->line, p->bytewise ? " (bytewise)" : "", text);
    abort();
}

/* ---- the core's side ---- */

static void start(struct play *p)
{
    if (!p->open)
        smtp_open(&p->s, &p->config, &p->peer, p->tls, &p->out);
    p->open = true;
}

/* One step; false: nothing but more input would help. */
static bool pump(struct play *p)
{
    start(p);
    if (p->want)
        return false;
    struct slice more = buf_slice(&p->feed);
    bool fed = more.len > 0;
    size_t before = buf_len(&p->out);
    if (p->bytewise)
        more = slice_sub(more, 0, 1);
    buf_append(&p->in, more);
    buf_consume(&p->feed, more.len);
    struct slice in = buf_slice(&p->in);
    enum smtp_want want = smtp_step(&p->s, &in, &p->out, &p->req);
    buf_consume(&p->in, buf_len(&p->in) - in.len);
    assert_true(buf_ok(&p->out));
    if (want == SMTP_WANT_INPUT)
        return fed || buf_len(&p->out) > before;
    if (want != SMTP_WANT_FLUSH)
        p->want = want;
    return true;
}

static const char *const want_names[] = {
    [SMTP_WANT_AUTH_START] = "auth-start",
    [SMTP_WANT_AUTH_STEP] = "auth-step",
    [SMTP_WANT_AUTH_CANCEL] = "auth-cancel",
    [SMTP_WANT_RCPT] = "rcpt",
    [SMTP_WANT_DELIVER] = "deliver",
    [SMTP_WANT_STARTTLS] = "starttls",
    [SMTP_WANT_CLOSE] = "close",
    [SMTP_WANT_ANSWER] = "answer",
    [SMTP_WANT_POLICY] = "policy",
    [SMTP_WANT_PAUSE] = "pause",
    [SMTP_WANT_ETRN] = "etrn",
};

static void put_visible(struct buf *b, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (c < ' ' || c == 0x7f)
            buf_printf(b, "\\x%02x", (unsigned char)c);
        else
            buf_putc(b, c);
    }
}

static void show_tx(const struct smtp_tx *tx, struct buf *b)
{
    buf_printf(b, " from=<%.*s>", SLICE_ARG(tx->sender));
    for (uint32_t i = 0; i < tx->n_rcpts; i++) {
        const struct smtp_rcpt *r = &tx->rcpts[i];
        buf_printf(b, " to=<%.*s>", SLICE_ARG(r->address));
        if (r->notify.len)
            buf_printf(b, " notify=%.*s", SLICE_ARG(r->notify));
        if (r->orcpt.len)
            buf_printf(b, " orcpt=%.*s", SLICE_ARG(r->orcpt));
    }
    if (tx->ret.len)
        buf_printf(b, " ret=%.*s", SLICE_ARG(tx->ret));
    if (tx->envid.len)
        buf_printf(b, " envid=%.*s", SLICE_ARG(tx->envid));
    buf_puts(b, tx->smtputf8 ? " smtputf8" : "");
    buf_puts(b, tx->require_tls ? " requiretls" : "");
    buf_puts(b, tx->eightbit ? " eightbit" : "");
}

/* "rcpt x@y", "auth-start PLAIN [initial]", "deliver from=<…> to=<…> …" */
static void show_want(const struct play *p, struct buf *b)
{
    buf_puts(b, want_names[p->want]);
    if (p->want == SMTP_WANT_RCPT)
        buf_printf(b, " %.*s", SLICE_ARG(p->req.rcpt));
    if (p->want == SMTP_WANT_POLICY)
        buf_printf(b, " %u %s%s", p->s.stage, p->s.pending ? p->s.pending : "",
                   p->s.pipelined ? " pipelined" : "");
    if (p->want == SMTP_WANT_ETRN)
        buf_printf(b, " %s", p->s.pending);
    if (p->want == SMTP_WANT_AUTH_START)
        buf_printf(b, " %.*s", SLICE_ARG(p->req.mechanism));
    if ((p->want == SMTP_WANT_AUTH_START && p->req.has_initial) || p->want == SMTP_WANT_AUTH_STEP) {
        buf_puts(b, " [");
        put_visible(b, p->req.initial);
        buf_puts(b, "]");
    }
    if (p->want == SMTP_WANT_DELIVER)
        show_tx(p->s.tx, b);
}

/* ---- the script's side ---- */

static int hex(char c)
{
    return c >= 'a' ? c - 'a' + 10 : c >= 'A' ? c - 'A' + 10 : c - '0';
}

static void unescape(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c != '\\' || i + 1 == text.len) {
            buf_putc(out, c);
            continue;
        }
        c = text.data[++i];
        if (c == 'x' && i + 2 < text.len) {
            buf_putc(out, (char)(hex(text.data[i + 1]) << 4 | hex(text.data[i + 2])));
            i += 2;
        } else {
            const char *from = "rn0t", *to = "\r\n\0\t";
            const char *at = strchr(from, c);
            buf_putc(out, at ? to[at - from] : c);
        }
    }
}

static bool matches(struct slice want, struct slice have)
{
    if (want.len >= 3 && memcmp(want.data + want.len - 3, "...", 3) == 0)
        return slice_starts(have, slice_sub(want, 0, want.len - 3));
    return slice_eq(want, have);
}

static void expect_line(struct play *p, struct slice want)
{
    while (slice_search(buf_slice(&p->out), SLICE("\r\n")) == SIZE_MAX)
        if (!pump(p))
            play_fail(p, "expected \"%.*s\", but nothing came (want %s)", SLICE_ARG(want),
                      p->want ? want_names[p->want] : "input");
    struct slice out = buf_slice(&p->out);
    struct slice line = slice_sub(out, 0, slice_search(out, SLICE("\r\n")));
    if (!matches(want, line))
        play_fail(p, "expected \"%.*s\", got \"%.*s\"", SLICE_ARG(want), SLICE_ARG(line));
    buf_consume(&p->out, line.len + 2);
}

static void expect_want(struct play *p, struct slice want)
{
    while (!p->want && pump(p))
        ;
    if (buf_len(&p->out))
        play_fail(p, "unexpected reply \"%.*s\"", SLICE_ARG(buf_slice(&p->out)));
    if (!p->want)
        play_fail(p, "expected %.*s, but more input is wanted", SLICE_ARG(want));
    struct buf have;
    buf_init(&have, 65536);
    show_want(p, &have);
    if (!matches(want, buf_slice(&have)))
        play_fail(p, "expected \"%.*s\", got \"%.*s\"", SLICE_ARG(want),
                  SLICE_ARG(buf_slice(&have)));
    buf_release(&have);
    p->message_at = 0;
    if (p->want == SMTP_WANT_AUTH_CANCEL || p->want == SMTP_WANT_PAUSE)
        p->want = 0;
}

static void expect_message_line(struct play *p, struct slice want)
{
    struct buf wanted;
    buf_init(&wanted, 65536);
    unescape(want, &wanted);
    struct slice rest = slice_from(buf_slice(&p->s.tx->message), p->message_at);
    struct slice line = slice_sub(rest, 0, slice_search(rest, SLICE("\r\n")));
    if (rest.len == 0 || !matches(buf_slice(&wanted), line))
        play_fail(p, "expected message line \"%.*s\", got \"%.*s\"", SLICE_ARG(want),
                  SLICE_ARG(line));
    p->message_at += line.len + 2;
    buf_release(&wanted);
}

static void deliver_answer(struct play *p, struct slice words)
{
    struct smtp_outcome outcomes[10];
    size_t n = 0;
    while (words.data && n < 10) {
        struct slice one = slice_trim(slice_split(&words, '|'));
        uint64_t code;
        assert_int_equal(slice_parse_u64(slice_split(&one, ' '), 999, &code), OK);
        outcomes[n++] = (struct smtp_outcome){(unsigned)code, one};
    }
    smtp_delivered(&p->s, outcomes, n, &p->out);
}

/* "permit", "reject 554 5.7.1 text" for policy; "accept", "refuse 554 5.7.1 text"; "flushed",
 * "unflushed" for etrn; "ok", "challenge text", "wrong", "malformed", "throttled", "unavailable";
 * "tls TLSv1.3 X"; for deliver "250 2.0.0 x | 452 4.2.2 y", one per recipient, or "nothing". */
static void give_answer(struct play *p, struct slice words)
{
    static const char *const refusals[] = {"wrong", "malformed", "no-mechanism", "throttled",
                                           "unavailable"};
    struct slice all = words, verb = slice_split(&words, ' ');
    p->want = 0;
    if (slice_is(verb, "accept")) {
        struct slice target = SLICE("local bob ");
        smtp_rcpt_accepted(&p->s, (struct slice_list){&target, 1}, SLICE("grant"), SLICE(""),
                           &p->out);
    } else if (slice_is(verb, "refuse")) {
        uint64_t code;
        assert_int_equal(slice_parse_u64(slice_split(&words, ' '), 999, &code), OK);
        struct slice enhanced = slice_split(&words, ' ');
        smtp_rcpt_refused(&p->s, (unsigned)code, enhanced, words, &p->out);
    } else if (slice_is(verb, "permit")) {
        smtp_policy_answered(&p->s, 250, SLICE("2.0.0"), SLICE("Ok"), &p->out);
    } else if (slice_is(verb, "reject")) {
        uint64_t code;
        assert_int_equal(slice_parse_u64(slice_split(&words, ' '), 999, &code), OK);
        struct slice enhanced = slice_split(&words, ' ');
        smtp_policy_answered(&p->s, (unsigned)code, enhanced, words, &p->out);
    } else if (slice_is(verb, "flushed") || slice_is(verb, "unflushed")) {
        smtp_etrn_answered(&p->s, slice_is(verb, "flushed"), &p->out);
    } else if (slice_is(verb, "ok")) {
        smtp_auth_done(&p->s, &p->out);
    } else if (slice_is(verb, "challenge")) {
        smtp_auth_challenge(&p->s, words, &p->out);
    } else if (slice_is(verb, "tls")) {
        smtp_tls_started(&p->s, words);
    } else if (slice_is(verb, "nothing")) {
        smtp_delivered(&p->s, NULL, 0, &p->out);
    } else {
        for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
            if (slice_is(verb, refusals[i])) {
                smtp_auth_refused(&p->s, (enum smtp_auth_refusal)i, &p->out);
                return;
            }
        deliver_answer(p, all);
    }
}

/* The lists of words, as one setting. */
static void set_words(struct smtp_config *c)
{
    static struct slice noop[] = {{"XNOOP", 5}}, forbidden[] = {{"XBAD", 4}};
    static struct slice keywords[] = {{"dsn", 3}, {"Chunking", 8}, {"requiretls", 10}};
    c->noop_commands = (struct slice_list){noop, 1};
    c->forbidden_commands = (struct slice_list){forbidden, 1};
    c->discarded_keywords = (struct slice_list){keywords, 3};
}

static void set_config(struct play *p, struct slice word)
{
    struct smtp_config *c = &p->config;
    struct slice name = slice_split(&word, '=');
    uint64_t n = 0;
    bool is_number = word.data && slice_parse_u64(word, UINT64_MAX, &n) == OK;
    if (slice_is(name, "service"))
        c->service = slice_is(word, "lmtp")         ? SMTP_SERVICE_LMTP
                     : slice_is(word, "submission") ? SMTP_SERVICE_SUBMISSION
                                                    : SMTP_SERVICE_SMTP;
    else if (slice_is(name, "mechanisms"))
        c->mechanisms = slice_is(word, "none")          ? SLICE_NONE
                        : slice_is(word, "PLAIN,LOGIN") ? SLICE("PLAIN LOGIN")
                                                        : word;
    else if (slice_is(name, "auth_equals"))
        c->auth_equals = n;
    else if (slice_is(name, "tell_tls"))
        c->tell_tls = n;
    else if (slice_is(name, "vrfy"))
        c->vrfy = n;
    else if (slice_is(name, "starttls"))
        c->starttls = n;
    else if (slice_is(name, "require_tls"))
        c->require_tls = n;
    else if (slice_is(name, "helo_required"))
        c->helo_required = n;
    else if (slice_is(name, "reject_bare"))
        c->reject_bare = n;
    else if (slice_is(name, "size"))
        c->size_limit = n;
    else if (slice_is(name, "recipients"))
        c->recipient_limit = (uint32_t)n;
    else if (slice_is(name, "errors"))
        c->error_limit = (uint32_t)n;
    else if (slice_is(name, "junk"))
        c->junk_limit = (uint32_t)n;
    else if (slice_is(name, "asks")) /* bits of enum smtp_stage */
        c->asks = (unsigned)n;
    else if (slice_is(name, "soft"))
        c->soft_error_limit = (uint32_t)n, c->error_pause = 1;
    else if (slice_is(name, "overshoot"))
        c->overshoot_limit = (uint32_t)n;
    else if (slice_is(name, "strict"))
        c->strict_envelopes = n;
    else if (slice_is(name, "footer"))
        c->footer = SLICE("\\c. Ask $server_name\\nor $client_address");
    else if (slice_is(name, "words"))
        set_words(c);
    else if (slice_is(name, "hops"))
        c->hop_limit = (uint32_t)n;
    else
        play_fail(p, "unknown setting %.*s", SLICE_ARG(name));
    (void)is_number;
}

static void set_peer(struct play *p, struct slice word)
{
    struct slice name = slice_split(&word, '=');
    if (slice_is(name, "ip"))
        p->peer.ip = word;
    else if (slice_is(name, "name"))
        p->peer.name = word;
    else if (slice_is(name, "secured"))
        p->peer.secured = true;
    else if (slice_is(name, "tls"))
        p->tls = word;
    else
        play_fail(p, "unknown word %.*s", SLICE_ARG(name));
}

static void client_sends(struct play *p, struct slice text, unsigned times, bool crlf)
{
    for (unsigned i = 0; i < times; i++)
        unescape(text, &p->feed);
    if (crlf)
        buf_append(&p->feed, SLICE("\r\n"));
}

static struct slice behind(struct slice line, size_t n)
{
    struct slice rest = slice_from(line, n);
    return rest.len && rest.data[0] == ' ' ? slice_from(rest, 1) : rest;
}

static void run_line(struct play *p, struct slice line)
{
    struct slice rest = line, word = slice_split(&rest, ' ');
    if (line.len == 0 || line.data[0] == '#' || slice_is(word, "whole"))
        return;
    if (slice_is(word, "config") || slice_is(word, "peer")) {
        bool config = slice_is(word, "config");
        while (rest.data) {
            struct slice one = slice_split(&rest, ' ');
            if (config)
                set_config(p, one);
            else
                set_peer(p, one);
        }
        return;
    }
    start(p);
    if (slice_is(word, "C:")) {
        client_sends(p, behind(line, 2), 1, true);
    } else if (slice_is(word, "c:")) {
        client_sends(p, behind(line, 2), 1, false);
    } else if (slice_starts(word, SLICE("c*"))) {
        uint64_t n;
        assert_int_equal(slice_parse_u64(slice_sub(word, 2, word.len - 3), 1000000, &n), OK);
        client_sends(p, behind(line, word.len), (unsigned)n, false);
    } else if (slice_is(word, "S:")) {
        expect_line(p, behind(line, 2));
    } else if (slice_is(word, "W:")) {
        expect_want(p, behind(line, 2));
    } else if (slice_is(word, "A:")) {
        give_answer(p, behind(line, 2));
    } else if (slice_is(word, "M:")) {
        expect_message_line(p, behind(line, 2));
    } else if (slice_is(word, "M.")) {
        if (p->message_at != buf_len(&p->s.tx->message))
            play_fail(p, "the message goes on");
    } else if (slice_is(word, "L:")) {
        struct slice refusal = smtp_take_refusal(&p->s);
        if (!matches(behind(line, 2), refusal))
            play_fail(p, "refusal is \"%.*s\"", SLICE_ARG(refusal));
    } else {
        play_fail(p, "what is this?");
    }
}

static void play(const char *file, struct slice text, bool bytewise)
{
    struct play p = {
        .file = file,
        .bytewise = bytewise,
        .config = {.service = SMTP_SERVICE_SMTP,
                   .hostname = SLICE("mx.example.test"),
                   .system = SLICE("Postrider"),
                   .banner = SLICE("mx.example.test ESMTP Postrider"),
                   .origin = SLICE("example.test"),
                   .mechanisms = SLICE("PLAIN LOGIN"),
                   .reject_bare = true,
                   .tell_tls = true,
                   .size_limit = 10240000,
                   .recipient_limit = 1000,
                   .error_limit = 20,
                   .junk_limit = 100,
                   .hop_limit = 50,
                   .new_id = test_id},
        .peer = {.ip = SLICE("192.0.2.7")},
    };
    buf_init(&p.feed, 16 << 20);
    buf_init(&p.in, 1 << 20);
    buf_init(&p.out, SMTP_OUT_MAX);
    while (text.data) {
        p.line++;
        run_line(&p, slice_split(&text, '\n'));
    }
    while (pump(&p))
        ;
    if (buf_len(&p.out))
        play_fail(&p, "unexpected reply at the end: \"%.*s\"", SLICE_ARG(buf_slice(&p.out)));
    smtp_release(&p.s);
    buf_release(&p.feed);
    buf_release(&p.in);
    buf_release(&p.out);
}

static void play_file(const char *path, const char *name)
{
    struct buf text;
    size_t room;
    buf_init(&text, 1 << 20);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    for (char *at; (at = buf_reserve(&text, 4096, &room));) {
        size_t n = fread(at, 1, 4096, f);
        buf_commit(&text, n);
        if (n == 0)
            break;
    }
    fclose(f);
    struct slice all = buf_slice(&text);
    play(name, all, false);
    if (slice_search(all, SLICE("\nwhole\n")) == SIZE_MAX)
        play(name, all, true);
    buf_release(&text);
}

static void test_scenarios(void **state)
{
    (void)state;
    char folder[4096];
    snprintf(folder, sizeof folder, "%s", __FILE__);
    char *cut = strstr(folder, "test/unit/");
    assert_non_null(cut);
    strcpy(cut, "test/scenario/smtp");
    struct dirent **names;
    int n = scandir(folder, &names, NULL, alphasort);
    assert_true(n > 2);
    unsigned played = 0;
    clock_set_virtual(0, 1764000000000000);
    for (int i = 0; i < n; i++) {
        char path[8192];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (slice_ends_nocase(slice_cstr(path), SLICE(".scn"))) {
            play_file(path, names[i]->d_name);
            played++;
        }
        free(names[i]);
    }
    free(names);
    clock_set_virtual(0, -1);
    print_message("%u scenarios\n", played);
    assert_true(played > 0);
}

/* ---- the bytes of a message ---- */

/* Takes the input cut at every place, and gives what came of it when all cuts agree. */
static void check_data(const char *input, size_t len, const char *want, bool ends, bool lf, bool cr)
{
    for (size_t at = 0; at <= len; at++) {
        struct smtp_data d;
        struct buf out;
        bool ended;
        buf_init(&out, 1000);
        smtp_data_init(&d, true, 0);
        size_t taken = smtp_data_take(&d, slice_of(input, at), &out, &ended);
        if (!ended)
            taken += smtp_data_take(&d, slice_of(input + at, len - at), &out, &ended);
        assert_int_equal(ended, ends);
        assert_int_equal(taken, len);
        assert_int_equal(d.bare_lf, lf);
        assert_int_equal(d.bare_cr, cr);
        assert_true(slice_is(buf_slice(&out), want));
        buf_release(&out);
    }
}
#define DATA_IS(input, want, ends, lf, cr) check_data(input, sizeof(input) - 1, want, ends, lf, cr)

static void test_data(void **state)
{
    (void)state;
    DATA_IS(".\r\n", "", true, false, false);
    DATA_IS("a\r\n.\r\n", "a\r\n", true, false, false);
    DATA_IS("a\r\n..\r\n.b\r\n...c\r\n.\r\n", "a\r\n.\r\nb\r\n..c\r\n", true, false, false);
    DATA_IS("a.b\r\n\r\n.\r\n", "a.b\r\n\r\n", true, false, false);
    /* None of these ends a message. */
    DATA_IS("a\n.\nb\r\n.\r\n", "a\r\n\r\nb\r\n", true, true, false);
    DATA_IS("a\n.\r\nb\r\n.\r\n", "a\r\n\r\nb\r\n", true, true, false);
    DATA_IS("a\r\n.\nb\r\n.\r\n", "a\r\n\r\nb\r\n", true, true, false);
    DATA_IS("a\r.\r\nb\r\n.\r\n", "a .\r\nb\r\n", true, false, true);
    DATA_IS("a\r\n.\r\r\nb\r\n.\r\n", "a\r\n \r\nb\r\n", true, false, true);
    DATA_IS("a\r\n.\rb\r\n.\r\n", "a\r\n b\r\n", true, false, true);
    DATA_IS("a\n\n.\r\nb\r\n.\r\n", "a\r\n\r\n\r\nb\r\n", true, true, false);
    DATA_IS("a\r\r\nb\r\n.\r\n", "a \r\nb\r\n", true, false, true);
    DATA_IS("a\r\n.", "a\r\n", false, false, false);
    DATA_IS("a\r\n.\r", "a\r\n", false, false, false);
    DATA_IS("a", "a", false, false, false);
}

static void test_data_limits(void **state)
{
    (void)state;
    struct smtp_data d;
    struct buf out;
    bool ended;
    buf_init(&out, 100);
    smtp_data_init(&d, true, 10);
    assert_int_equal(smtp_data_take(&d, SLICE("0123456\r\n.1\r\n.\r\nX"), &out, &ended), 16);
    assert_true(ended);
    assert_true(d.too_big);
    assert_int_equal(buf_len(&out), 0);
    buf_release(&out);
    buf_init(&out, 8);
    smtp_data_init(&d, true, 0);
    assert_int_equal(smtp_data_take(&d, SLICE("0123456789\r\n.\r\n"), &out, &ended), 15);
    assert_true(ended && d.no_memory && !d.too_big);
    buf_release(&out);
    buf_init(&out, 100);
    smtp_data_init(&d, false, 0);
    assert_int_equal(smtp_data_take(&d, SLICE("a\r\n.\r\nb\r"), &out, &ended), 8);
    smtp_data_finish(&d, &out);
    assert_false(ended);
    assert_true(slice_is(buf_slice(&out), "a\r\n.\r\nb \r\n"));
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_data_limits),
        cmocka_unit_test(test_scenarios),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
