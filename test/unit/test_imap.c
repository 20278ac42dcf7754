/* test_imap.c: plays the dialogues of test/scenario/imap/ against the IMAP core over a world in
 * memory (fake_imap.h), with the client's bytes whole and one by one, and checks what no dialogue
 * shows: long inputs, literals, wildcards, names.
 *
 * Lines of a scenario: "C:" a client's line, "R:" its raw bytes (\r \n \\), "S:" a reply line,
 * "A:" a message (raw) is appended to Sent, "P:" the beginning of one, "D: n flags" a delivery of
 * text n to INBOX (or to the mailbox named third), "N: name" a mailbox is made, "K: name" deleted,
 * "M: old new" renamed, "U: name" subscribed by another session, "E: uid" another session expunges
 * from INBOX, "F: uid flags" it changes flags, "X: result" the next operation ends so,
 * "#" a remark. All that the server says must be expected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

/* cmocka's own cuts long texts. */
#undef fail_msg
#define fail_msg(...)                                                                              \
    do {                                                                                           \
        fprintf(stderr, __VA_ARGS__);                                                              \
        fputc('\n', stderr);                                                                       \
        fail();                                                                                    \
    } while (0)

#include "fake_imap.h"
#include "proto/imap/list.h"
#include "mime/utf7.h"

struct player {
    struct imap core;
    struct imap_config config;
    struct fake_world world;
    struct buf in, out;
    bool bytewise, closed;
    const char *where;
    int line;
};

/* Until input is needed. */
static void drive(struct player *p)
{
    for (;;) {
        struct slice in = buf_slice(&p->in);
        enum imap_next next = imap_run(&p->core, &in, &p->out);
        buf_consume(&p->in, buf_len(&p->in) - in.len);
        assert_true(buf_ok(&p->out));
        fake_answer(&p->world, &p->core);
        p->closed = next == IMAP_NEED_CLOSE;
        if (next == IMAP_NEED_INPUT || p->closed)
            return;
        /* Output that has gone; nothing reads such amounts here. */
        if (next == IMAP_NEED_FLUSH)
            buf_reset(&p->out);
    }
}

static void feed(struct player *p, struct slice bytes)
{
    for (size_t i = 0; p->bytewise && i < bytes.len; i++) {
        buf_append(&p->in, slice_sub(bytes, i, 1));
        drive(p);
    }
    if (!p->bytewise) {
        buf_append(&p->in, bytes);
        drive(p);
    }
    assert_true(buf_ok(&p->in));
}

static void start(struct player *p)
{
    fake_init(&p->world);
    buf_init(&p->in, IMAP_IN_MAX);
    buf_init(&p->out, 4 * IMAP_OUT_MAX);
    p->config = (struct imap_config){.append_max = 1000, .max_bad = 5, .quota = true};
    imap_open(&p->core, &p->config, &fake_ops, &p->world, SLICE("a1"), &p->out);
    assert_true(slice_starts(buf_slice(&p->out), SLICE("a1 OK [CAPABILITY IMAP4rev1 ")));
    buf_reset(&p->out);
}

static void end(struct player *p)
{
    imap_release(&p->core);
    assert_int_equal(p->world.views, 0);
    assert_int_equal(p->world.mailboxes, 0);
    assert_null(p->world.watched);
    assert_false(p->world.appending);
    assert_false(p->world.account_watched);
    fake_release(&p->world);
    buf_release(&p->in);
    buf_release(&p->out);
}

static void expect(struct player *p, struct slice want, bool prefix)
{
    struct slice out = buf_slice(&p->out);
    size_t n = slice_find(out, '\n');
    struct slice line = slice_trim(slice_sub(out, 0, n));
    bool ok = prefix ? slice_starts(line, want) : slice_eq(line, slice_trim(want));
    if (!ok)
        fail_msg("%s:%d: expected \"%.*s\", got \"%.*s\"", p->where, p->line, SLICE_ARG(want),
                 SLICE_ARG(line));
    buf_consume(&p->out, n == SIZE_MAX ? out.len : n + 1);
}

static void unescape(struct slice text, struct buf *ret)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '\\' && i + 1 < text.len) {
            c = text.data[++i];
            c = c == 'r' ? '\r' : c == 'n' ? '\n' : c == '0' ? '\0' : c;
        }
        buf_putc(ret, c);
    }
}

static void feed_raw(struct player *p, struct slice text)
{
    struct buf raw;
    buf_init(&raw, 100000);
    unescape(text, &raw);
    feed(p, buf_slice(&raw));
    buf_release(&raw);
}

/* By the session itself; what it says of that is left out. */
static void append(struct player *p, struct slice text)
{
    struct buf raw, command;
    buf_init(&raw, 100000);
    buf_init(&command, 100000);
    unescape(text, &raw);
    buf_printf(&command, "append APPEND Sent {%zu+}\r\n", buf_len(&raw));
    buf_append(&command, buf_slice(&raw));
    buf_puts(&command, "\r\n");
    feed(p, buf_slice(&command));
    assert_true(slice_search(buf_slice(&p->out), SLICE("append OK")) != SIZE_MAX);
    buf_reset(&p->out);
    buf_release(&raw);
    buf_release(&command);
}

static enum result result_by_name(struct slice name)
{
    for (enum result r = OK; r <= FAILED; r++)
        if (slice_is(name, result_name(r)))
            return r;
    fail_msg("no result %.*s", SLICE_ARG(name));
    return FAILED;
}

/* By another session. False: it is none of these. */
static bool act_on_names(struct player *p, char kind, const char *text)
{
    char name[64] = "", other[64] = "";
    enum result r = OK;
    sscanf(text, "%63s %63s", name, other);
    if (kind == 'N')
        r = fake_ops.create(&p->world, slice_cstr(name), 0);
    else if (kind == 'K')
        r = fake_ops.remove(&p->world, slice_cstr(name));
    else if (kind == 'M')
        r = fake_ops.rename(&p->world, slice_cstr(name), slice_cstr(other));
    else if (kind == 'U')
        r = fake_ops.subscribe(&p->world, slice_cstr(name), true);
    else
        return false;
    assert_int_equal(r, OK);
    if (p->world.account_watched)
        drive(p);
    return true;
}

static void act(struct player *p, char kind, struct slice rest)
{
    struct fake_mailbox *inbox = &p->world.boxes[0];
    unsigned a = 0, b = 0;
    char text[64], name[64] = "";
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(rest));
    if (act_on_names(p, kind, text))
        return;
    sscanf(text, "%u %u %63s", &a, &b, name);
    struct fake_mailbox *box = *name ? fake_find(&p->world, slice_cstr(name)) : inbox;
    if (kind == 'D')
        fake_deliver(box, (int)a, (uint8_t)b);
    else if (kind == 'E')
        fake_expunge(inbox, a);
    else if (kind == 'F')
        fake_flag(inbox, a, (uint8_t)b);
    else
        p->world.fail = result_by_name(rest);
    if (p->world.watched || p->world.account_watched)
        drive(p);
}

static void play_line(struct player *p, struct slice line)
{
    p->line++;
    if (line.len < 2 || line.data[0] == '#')
        return;
    char kind = line.data[0];
    struct slice rest = slice_from(line, line.len > 2 && line.data[2] == ' ' ? 3 : 2);
    if (kind == 'S' || kind == 'P') {
        expect(p, rest, kind == 'P');
        return;
    }
    if (buf_len(&p->out))
        fail_msg("%s:%d: unexpected \"%.*s\"", p->where, p->line, SLICE_ARG(buf_slice(&p->out)));
    if (kind == 'C') {
        struct buf with_end;
        buf_init(&with_end, 100000);
        buf_append(&with_end, rest);
        buf_puts(&with_end, "\r\n");
        feed(p, buf_slice(&with_end));
        buf_release(&with_end);
    } else if (kind == 'R') {
        feed_raw(p, rest);
    } else if (kind == 'A') {
        append(p, rest);
    } else {
        act(p, kind, rest);
    }
}

static void play(const char *path, bool bytewise)
{
    struct player *p = calloc(1, sizeof *p);
    char line[4096];
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    start(p);
    p->where = path;
    p->bytewise = bytewise;
    while (fgets(line, sizeof line, f))
        play_line(p, imap_line(slice_cstr(line)));
    if (buf_len(&p->out))
        fail_msg("%s: at the end: \"%.*s\"", path, SLICE_ARG(buf_slice(&p->out)));
    fclose(f);
    end(p);
    free(p);
}

static void dialogues(void **state)
{
    (void)state;
    char folder[512];
    int played = 0;
    snprintf(folder, sizeof folder, "%s", __FILE__);
    char *cut = strstr(folder, "test/unit");
    assert_non_null(cut);
    strcpy(cut, "test/scenario/imap");
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        char path[1024];
        if (!slice_ends_nocase(slice_cstr(e->d_name), SLICE(".scn")))
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        play(path, false);
        play(path, true);
        played++;
    }
    closedir(d);
    assert_true(played > 5);
}

static void long_commands_are_skipped(void **state)
{
    (void)state;
    struct player *p = calloc(1, sizeof *p);
    start(p);
    char *junk = malloc(70000);
    memset(junk, 'x', 70000);
    memcpy(junk, "a2 NOOP ", 8);
    feed(p, slice_of(junk, 70000));
    expect(p, SLICE("a2 BAD [TOOBIG]"), true);
    feed(p, slice_of(junk + 100, 60000));
    feed(p, SLICE("\r\na3 NOOP\r\n"));
    expect(p, SLICE("a3 OK NOOP completed."), false);
    /* A literal that does not wait: its bytes are skipped, however many. */
    feed(p, SLICE("a4 SELECT {100000+}\r\n"));
    expect(p, SLICE("a4 BAD [TOOBIG]"), true);
    feed(p, slice_of(junk, 50000));
    feed(p, slice_of(junk, 50000));
    feed(p, SLICE("\r\na5 SELECT {99999999999999999999999}\r\n"));
    expect(p, SLICE("a5 BAD [TOOBIG]"), true);
    feed(p, SLICE("a6 NOOP\r\n"));
    expect(p, SLICE("a6 OK NOOP completed."), false);
    assert_int_equal(buf_len(&p->out), 0);
    free(junk);
    end(p);
    free(p);
}

static void copies_are_limited_as_announced(void **state)
{
    (void)state;
    struct player *p = calloc(1, sizeof *p);
    start(p);
    feed(p, SLICE("a1 CAPABILITY\r\n"));
    assert_int_equal(slice_search(buf_slice(&p->out), SLICE(" SAVELIMIT")), SIZE_MAX);
    p->config.save_max = 2;
    feed(p, SLICE("a2 CAPABILITY\r\n"));
    assert_true(slice_search(buf_slice(&p->out), SLICE(" SAVELIMIT=2 ")) != SIZE_MAX);
    feed(p, SLICE("a3 SELECT INBOX\r\n"));
    buf_reset(&p->out);
    /* RFC 9738 3.1: nothing is copied. */
    feed(p, SLICE("a4 COPY 1,3:4 Trash\r\n"));
    expect(p, SLICE("a4 NO [MESSAGELIMIT 2 3] Too many messages to copy, try fewer at a time."),
           false);
    /* What is not there does not count. */
    feed(p, SLICE("a5 UID COPY 3:4,77:99 Trash\r\n"));
    expect(p, SLICE("a5 OK [COPYUID 102 3:4 1:2]"), true);
    /* MOVE and STORE are not limited by it. */
    feed(p, SLICE("a6 UID MOVE 1:3 Sent\r\n"));
    expect(p, SLICE("* OK [COPYUID 101 1:3 1:3] Moved."), false);
    buf_reset(&p->out);
    end(p);
    free(p);
}

static void nesting_and_counts_are_bounded(void **state)
{
    (void)state;
    struct player *p = calloc(1, sizeof *p);
    struct buf text;
    buf_init(&text, 200000);
    start(p);
    feed(p, SLICE("a2 EXAMINE INBOX\r\n"));
    buf_reset(&p->out);
    buf_puts(&text, "a3 SEARCH ");
    for (int i = 0; i < 60; i++)
        buf_puts(&text, "(");
    buf_puts(&text, "ALL\r\n");
    feed(p, buf_slice(&text));
    expect(p, SLICE("a3 BAD Search is nested too deeply"), false);
    buf_reset(&text);
    buf_puts(&text, "a4 SEARCH ALL");
    for (int i = 0; i < 6000; i++)
        buf_puts(&text, " ALL");
    buf_puts(&text, "\r\n");
    feed(p, buf_slice(&text));
    expect(p, SLICE("a4 BAD Search is too complex"), false);
    buf_reset(&text);
    buf_puts(&text, "a5 FETCH 1");
    for (int i = 0; i < 25000; i++)
        buf_puts(&text, ",1");
    buf_puts(&text, " FLAGS\r\n");
    feed(p, buf_slice(&text));
    expect(p, SLICE("a5 BAD Too many ranges"), false);
    buf_release(&text);
    end(p);
    free(p);
}

static void names_go_both_ways(void **state)
{
    static const struct {
        const char *wire, *utf8;
    } names[] = {{"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
                                                     "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
                 {"a&-b", "a&b"},
                 {"&AOQ-", "\xc3\xa4"},
                 {"&2D3eAA-", "\xf0\x9f\x98\x80"},
                 {"plain", "plain"}};
    static const char *const bad[] = {"&",     "&A",         "&AOQ",     "&AGE-", "&AOR-", "&2D0-",
                                      "&3gA-", "&AOQ-&AOQ-", "\xc3\xa4", "a\x01", "&!!!-"};
    struct buf b;
    (void)state;
    buf_init(&b, 1000);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        buf_reset(&b);
        assert_int_equal(imap_utf7_decode(slice_cstr(names[i].wire), &b), OK);
        if (i == 0) { /* RFC 3501 5.1.3's own example */
            assert_true(slice_starts(buf_slice(&b), SLICE("~peter/mail/")));
        } else {
            assert_true(slice_is(buf_slice(&b), names[i].utf8));
        }
        struct buf back;
        buf_init(&back, 1000);
        imap_utf7_encode(buf_slice(&b), &back);
        assert_true(slice_is(buf_slice(&back), names[i].wire));
        buf_release(&back);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        buf_reset(&b);
        assert_int_equal(imap_utf7_decode(slice_cstr(bad[i]), &b), INVALID);
        assert_int_equal(buf_len(&b), 0);
    }
    buf_reset(&b);
    imap_utf7_encode(SLICE("\xff\xc3"), &b);
    assert_true(slice_is(buf_slice(&b), "&,,3,,Q-"));
    buf_release(&b);
}

/* The definition, in exponential time. */
static bool match_slowly(const char *p, const char *n)
{
    if (!*p)
        return !*n;
    if (*p == '*' || *p == '%')
        return match_slowly(p + 1, n) || (*n && (*p == '*' || *n != '/') && match_slowly(p, n + 1));
    return *p == *n && match_slowly(p + 1, n + 1);
}

/* All patterns of up to 5 and names of up to 4 characters of a small alphabet. */
static void wildcards_match_as_defined(void **state)
{
    const char *letters = "ab/*%";
    (void)state;
    for (unsigned long pattern = 0; pattern < 6 * 6 * 6 * 6 * 6; pattern++) {
        char p[6] = "", n[5] = "";
        size_t len = 0;
        for (unsigned long x = pattern; x; x /= 6)
            if (x % 6)
                p[len++] = letters[x % 6 - 1];
        for (unsigned name = 0; name < 4 * 4 * 4 * 4; name++) {
            size_t name_len = 0;
            memset(n, 0, sizeof n);
            for (unsigned x = name; x; x /= 4)
                if (x % 4)
                    n[name_len++] = letters[x % 4 - 1];
            if (imap_list_match(slice_cstr(p), slice_cstr(n), '/') != match_slowly(p, n))
                fail_msg("\"%s\" with \"%s\"", p, n);
        }
    }
    assert_true(imap_list_match(SLICE("inB%"), SLICE("INBOX"), '/'));
    assert_true(imap_list_match(SLICE("a.%"), SLICE("a.b/c"), '.'));
    assert_false(imap_list_match(SLICE("a.%"), SLICE("a.b.c"), '.'));
}

/* Idle sessions hold their struct, their view and a tag. */
static void idle_is_small(void **state)
{
    struct player *p = calloc(1, sizeof *p);
    (void)state;
    start(p);
    feed(p, SLICE("a2 SELECT INBOX\r\na3 IDLE\r\n"));
    assert_null(p->core.command);
    assert_null(p->core.sync);
    assert_true(sizeof p->core <= 256);
    end(p);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dialogues),
        cmocka_unit_test(long_commands_are_skipped),
        cmocka_unit_test(copies_are_limited_as_announced),
        cmocka_unit_test(nesting_and_counts_are_bounded),
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test(wildcards_match_as_defined),
        cmocka_unit_test(idle_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
