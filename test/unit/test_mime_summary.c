/* test_mime_summary.c: summaries of sound and of broken messages, their limits, and the distrust of
 * those that another role made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "mime/summary.h"

static void assert_slice(struct slice s, const char *want)
{
    if (!slice_is(s, want))
        fail_msg("\"%.*s\"\nis not\n\"%s\"", SLICE_ARG(s), want);
}

/* A message with its summary, which is verified as it is made. */
struct made {
    struct slice message;
    struct buf bytes;
    struct summary s;
};

static void make(struct made *m, struct slice message)
{
    m->message = message;
    buf_init(&m->bytes, SUMMARY_BYTES_MAX);
    assert_int_equal(summary_build(message, &m->bytes), OK);
    assert_int_equal(summary_verify(buf_slice(&m->bytes), message.len), OK);
    assert_int_equal(summary_read(buf_slice(&m->bytes), message.len, &m->s), OK);
}

static void make_text(struct made *m, const char *message)
{
    make(m, slice_cstr(message));
}

static void release(struct made *m)
{
    buf_release(&m->bytes);
}

static void assert_envelope(const char *header, const char *want)
{
    struct made m;
    make_text(&m, header);
    assert_slice(m.s.envelope, want);
    release(&m);
}

static void assert_body(const char *message, const char *want)
{
    struct made m;
    make_text(&m, message);
    assert_slice(m.s.body, want);
    release(&m);
}

static void assert_structure(const char *message, const char *want)
{
    struct made m;
    make_text(&m, message);
    assert_slice(m.s.bodystructure, want);
    release(&m);
}

/* The bytes of header, body and so on of a part, by its numbers up to a 0. */
static bool part_of(const struct made *m, const uint32_t *section, struct summary_part *p)
{
    size_t n = 0;
    while (section[n])
        n++;
    return summary_part(&m->s, section, n, p) == OK;
}
#define SECTION(...) ((const uint32_t[]){__VA_ARGS__, 0})

static struct slice cut(const struct made *m, uint64_t from, uint64_t len)
{
    return slice_sub(m->message, from, len);
}

/* ---- ENVELOPE ---- */

static void envelopes_are_those_of_the_rfc(void **state)
{
    (void)state;
    /* RFC 3501 8 */
    assert_envelope("Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\r\n"
                    "From: Terry Gray <gray@cac.washington.edu>\r\n"
                    "Subject: IMAP4rev1 WG mtg summary and minutes\r\n"
                    "To: imap@cac.washington.edu\r\n"
                    "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\r\n"
                    "Message-Id: <B27397-0100000@cac.washington.edu>\r\n"
                    "MIME-Version: 1.0\r\n"
                    "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n",
                    "(\"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\" "
                    "\"IMAP4rev1 WG mtg summary and minutes\" "
                    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
                    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
                    "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")) "
                    "((NIL NIL \"imap\" \"cac.washington.edu\")) "
                    "((NIL NIL \"minutes\" \"CNRI.Reston.VA.US\")"
                    "(\"John Klensin\" NIL \"KLENSIN\" \"MIT.EDU\")) NIL NIL "
                    "\"<B27397-0100000@cac.washington.edu>\")");
}

static void envelopes_have_nil_and_empty(void **state)
{
    (void)state;
    assert_envelope("", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    assert_envelope("\r\nFrom: a@b\r\n", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    assert_envelope("Subject:\r\nDate: \r\nTo:\r\nSender: \r\n\r\n",
                    "(\"\" \"\" NIL NIL NIL NIL NIL NIL NIL NIL)");
    assert_envelope("From: a@b\r\nSender: c@d\r\nReply-To: ,\r\n\r\n",
                    "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"c\" \"d\")) "
                    "((NIL NIL \"a\" \"b\")) NIL NIL NIL NIL NIL)");
    assert_envelope("Subject: first\r\nSubject: second\r\n\r\n",
                    "(NIL \"first\" NIL NIL NIL NIL NIL NIL NIL NIL)");
    /* A group; an address without a domain must not look like one. */
    assert_envelope("To: A Group: x@y; , nobody\r\n\r\n",
                    "(NIL NIL NIL NIL NIL ((NIL NIL \"A Group\" NIL)(NIL NIL \"x\" \"y\")"
                    "(NIL NIL NIL NIL)(NIL NIL \"nobody\" \"\")) NIL NIL NIL NIL)");
    assert_envelope("To: g: x@y\r\n\r\n",
                    "(NIL NIL NIL NIL NIL ((NIL NIL \"g\" NIL)(NIL NIL \"x\" \"y\")"
                    "(NIL NIL NIL NIL)) NIL NIL NIL NIL)");
}

static void strings_fit_the_wire(void **state)
{
    (void)state;
    assert_envelope("Subject: say \"hi\" \\o/\r\n\tfolded\r\n\r\n",
                    "(NIL \"say \\\"hi\\\" \\\\o/\tfolded\" NIL NIL NIL NIL NIL NIL NIL NIL)");
    assert_envelope("Subject: J\xc3\xb6rg\r\n\r\n",
                    "(NIL {5}\r\nJ\xc3\xb6rg NIL NIL NIL NIL NIL NIL NIL NIL)");
    assert_envelope("Subject: a\rb\r\n\r\n", "(NIL {3}\r\na\rb NIL NIL NIL NIL NIL NIL NIL NIL)");
    struct made m;
    make(&m, slice_of("Subject: a\0b\r\n\r\n", 16));
    assert_slice(m.s.envelope, "(NIL {3}\r\na?b NIL NIL NIL NIL NIL NIL NIL NIL)");
    release(&m);
}

/* ---- BODY and BODYSTRUCTURE ---- */

#define PLAIN "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" "

static void single_parts_are_described(void **state)
{
    (void)state;
    assert_body("Subject: x\r\n\r\none\r\ntwo\r\n", PLAIN "10 2)");
    assert_body("", PLAIN "0 0)");
    assert_body("no header at all", PLAIN "0 0)");
    assert_body("\r\nbody", PLAIN "4 0)");
    assert_body("Content-Type: image/png; name=\"a b.png\"\r\nContent-ID: <1@x>\r\n"
                "Content-Description: a picture\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA",
                "(\"IMAGE\" \"PNG\" (\"NAME\" \"a b.png\") \"<1@x>\" \"a picture\" \"BASE64\" 4)");
    assert_body(
        "Content-Type: text/html; charset=utf-8 (a comment); format = \"flowed\";;x\r\n\r\n",
        "(\"TEXT\" \"HTML\" (\"CHARSET\" \"utf-8\" \"FORMAT\" \"flowed\") NIL NIL \"7BIT\" 0 "
        "0)");
    assert_structure("Content-Type: application/pdf\r\nContent-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\n"
                     "Content-Disposition: attachment; filename=genome.pdf\r\n"
                     "Content-Language: de, en-GB\r\nContent-Location: http://x/\r\n\r\nx",
                     "(\"APPLICATION\" \"PDF\" NIL NIL NIL \"7BIT\" 1 "
                     "\"Q2hlY2sgSW50ZWdyaXR5IQ==\" (\"ATTACHMENT\" (\"FILENAME\" \"genome.pdf\")) "
                     "(\"de\" \"en-GB\") \"http://x/\")");
}

static void broken_types_are_text(void **state)
{
    static const char *const types[] = {"",
                                        "text",
                                        "text/",
                                        "/plain",
                                        "text plain",
                                        ";",
                                        "=/=",
                                        "multipart/mixed",
                                        "multipart/mixed; boundary=",
                                        "multipart/mixed; boundary=\"\""};
    char message[300];
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        snprintf(message, sizeof message, "Content-Type: %s\r\n\r\nx\r\n", types[i]);
        assert_body(message, PLAIN "3 1)");
    }
    /* A boundary that never comes. */
    assert_body("Content-Type: multipart/mixed; boundary=b\r\n\r\nx\r\n--c\r\ny", PLAIN "9 2)");
}

static const char MIXED[] = "Content-Type: multipart/mixed; boundary=\"b 1\"\r\n"
                            "\r\n"
                            "preamble\r\n"
                            "--b 1\r\n"
                            "\r\n"
                            "first\r\n"
                            "--b 1  \r\n"
                            "Content-Type: multipart/alternative; boundary=b2\r\n"
                            "\r\n"
                            "--b2\r\n"
                            "Content-Type: text/plain\r\n"
                            "\r\n"
                            "a\r\n"
                            "b\r\n"
                            "\r\n"
                            "--b2\r\n"
                            "Content-Type: text/html\r\n"
                            "\r\n"
                            "<p>\r\n"
                            "--b2--\r\n"
                            "epilogue\r\n"
                            "--b 1\r\n"
                            "Content-Type: message/rfc822\r\n"
                            "\r\n"
                            "Subject: inner\r\n"
                            "Content-Type: multipart/digest; boundary=b3\r\n"
                            "\r\n"
                            "--b3\r\n"
                            "\r\n"
                            "Subject: digested\r\n"
                            "\r\n"
                            "text\r\n"
                            "--b3--\r\n"
                            "--b 1--\r\n"
                            "end\r\n";

static void nested_parts_are_described(void **state)
{
    (void)state;
    assert_body(MIXED, "(" PLAIN "5 0)"
                       "((\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 6 2)"
                       "(\"TEXT\" \"HTML\" NIL NIL NIL \"7BIT\" 3 0) \"ALTERNATIVE\")"
                       "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 104 "
                       "(NIL \"inner\" NIL NIL NIL NIL NIL NIL NIL NIL) "
                       "((\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 25 "
                       "(NIL \"digested\" NIL NIL NIL NIL NIL NIL NIL NIL) " PLAIN "4 0) 2) "
                       "\"DIGEST\") 8) \"MIXED\")");
}

static void parts_are_found_by_number(void **state)
{
    struct made m;
    struct summary_part p;
    (void)state;
    make_text(&m, MIXED);
    assert_true(part_of(&m, SECTION(1), &p));
    assert_slice(cut(&m, p.header_from, p.header_len), "\r\n");
    assert_slice(cut(&m, p.body_from, p.body_len), "first");
    assert_slice(p.type, "TEXT");
    assert_true(part_of(&m, SECTION(2), &p));
    assert_true(p.is_multipart);
    assert_true(part_of(&m, SECTION(2, 1), &p));
    assert_slice(cut(&m, p.header_from, p.header_len), "Content-Type: text/plain\r\n\r\n");
    assert_slice(cut(&m, p.body_from, p.body_len), "a\r\nb\r\n");
    assert_true(part_of(&m, SECTION(2, 2), &p));
    assert_slice(cut(&m, p.body_from, p.body_len), "<p>");
    assert_true(part_of(&m, SECTION(3), &p));
    assert_true(p.is_message);
    assert_slice(p.subtype, "RFC822");
    assert_true(
        slice_starts(cut(&m, p.inner_header_from, p.inner_header_len), SLICE("Subject: i")));
    assert_true(slice_starts(cut(&m, p.inner_text_from, p.inner_text_len), SLICE("--b3\r\n")));
    assert_true(part_of(&m, SECTION(3, 1), &p));
    assert_true(p.is_message);
    assert_slice(cut(&m, p.header_from, p.header_len), "\r\n");
    assert_slice(cut(&m, p.inner_header_from, p.inner_header_len), "Subject: digested\r\n\r\n");
    assert_slice(cut(&m, p.inner_text_from, p.inner_text_len), "text");
    assert_true(part_of(&m, SECTION(3, 1, 1), &p));
    assert_slice(cut(&m, p.header_from, p.header_len), "Subject: digested\r\n\r\n");
    assert_slice(cut(&m, p.body_from, p.body_len), "text");
    assert_false(part_of(&m, SECTION(4), &p));
    assert_false(part_of(&m, SECTION(1, 1), &p));
    assert_false(part_of(&m, SECTION(2, 3), &p));
    assert_false(part_of(&m, SECTION(3, 2), &p));
    assert_false(part_of(&m, SECTION(3, 1, 2), &p));
    assert_false(part_of(&m, SECTION(3, 1, 1, 1), &p));
    assert_false(part_of(&m, SECTION(UINT32_MAX), &p));
    const uint32_t zero[] = {2, 0};
    assert_int_equal(summary_part(&m.s, zero, 2, &p), NOT_FOUND);
    /* The message itself. */
    assert_int_equal(summary_part(&m.s, NULL, 0, &p), OK);
    assert_int_equal(p.inner_header_len, m.s.header_len);
    assert_int_equal(p.inner_text_from + p.inner_text_len, m.message.len);
    release(&m);
}

static void a_single_part_is_number_one(void **state)
{
    struct made m;
    struct summary_part p;
    (void)state;
    make_text(&m, "Content-Type: text/plain; charset=KOI8-r\r\nContent-Transfer-Encoding: "
                  "quoted-printable\r\n\r\nbody\r\n");
    assert_true(part_of(&m, SECTION(1), &p));
    assert_slice(cut(&m, p.body_from, p.body_len), "body\r\n");
    assert_slice(p.charset, "KOI8-R");
    assert_slice(p.encoding, "QUOTED-PRINTABLE");
    assert_false(part_of(&m, SECTION(2), &p));
    assert_false(part_of(&m, SECTION(1, 1), &p));
    release(&m);
    /* A message that is nothing but a message. */
    make_text(&m, "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ntext");
    assert_true(part_of(&m, SECTION(1), &p));
    assert_true(p.is_message);
    assert_slice(cut(&m, p.inner_text_from, p.inner_text_len), "text");
    assert_true(part_of(&m, SECTION(1, 1), &p));
    assert_slice(cut(&m, p.body_from, p.body_len), "text");
    assert_false(part_of(&m, SECTION(2), &p));
    release(&m);
}

static void leaves_are_listed(void **state)
{
    static const char *const want[] = {"first", "a\r\nb\r\n", "<p>", "text"};
    struct made m;
    struct summary_part p;
    (void)state;
    make_text(&m, MIXED);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(summary_leaf(&m.s, i, &p), OK);
        assert_slice(cut(&m, p.body_from, p.body_len), want[i]);
    }
    assert_int_equal(summary_leaf(&m.s, 4, &p), NOT_FOUND);
    release(&m);
}

/* ---- what is broken ---- */

static void broken_structures_have_an_answer(void **state)
{
    (void)state;
    /* No closing delimiters: the outer one ends the inner. */
    assert_body("Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
                "Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nx\r\n--o\r\n\r\ny",
                "((" PLAIN "1 0) \"MIXED\")" PLAIN "1 0) \"MIXED\")");
    /* The header of a part is cut off by a delimiter. */
    assert_body(
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: text/html\r\n"
        "--o--\r\n",
        "((\"TEXT\" \"HTML\" NIL NIL NIL \"7BIT\" 0 0) \"MIXED\")");
    assert_body("Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
                "Content-Type: message/rfc822\r\n--o--",
                "((\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 0 "
                "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) " PLAIN "0 0) 0) \"MIXED\")");
    /* An enclosed message that is a header and no more. */
    assert_body("Content-Type: multipart/digest; boundary=o\r\n\r\n--o\r\n\r\nA: b\r\n\r\n--o--",
                "((\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 8 "
                "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) " PLAIN "0 0) 2) \"DIGEST\")");
    /* The message ends in the middle. */
    assert_body("Content-Type: multipart/mixed; boundary=o\r\n\r\n--o",
                "(" PLAIN "0 0) \"MIXED\")");
    /* Bare line feeds. */
    assert_body("Content-Type: multipart/mixed; boundary=o\n\n--o\n\nx\ny\n--o--\n",
                "(" PLAIN "3 1) \"MIXED\")");
    /* The boundary of the outer one again, and one that is the other's beginning. */
    assert_body(
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
        "Content-Type: multipart/mixed; boundary=oo\r\n\r\n--oo\r\n\r\nx\r\n--oo--\r\n--o--",
        "((" PLAIN "1 0) \"MIXED\") \"MIXED\")");
    /* A boundary that ends with what closes. */
    assert_body("Content-Type: multipart/mixed; boundary=\"o--\"\r\n\r\n--o--\r\n\r\nx\r\n--o----",
                "(" PLAIN "1 0) \"MIXED\")");
    /* A boundary in pieces: RFC 2231. */
    assert_body("Content-Type: multipart/mixed; boundary*0=o; boundary*1=p\r\n\r\n--op\r\n\r\nx",
                "(" PLAIN "1 0) \"MIXED\")");
    /* Text behind the last delimiter is epilogue. */
    assert_body(
        "Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n\r\nx\r\n--o--\r\n--o\r\n\r\n"
        "y",
        "(" PLAIN "1 0) \"MIXED\")");
}

static struct slice build_text(struct buf *b, const char *head, const char *each, size_t n)
{
    buf_init(b, 64 << 20);
    buf_puts(b, head);
    for (size_t i = 0; i < n; i++)
        buf_puts(b, each);
    assert_true(buf_ok(b));
    return buf_slice(b);
}

static size_t count_leaves(const struct summary *s)
{
    struct summary_part p;
    size_t n = 0;
    while (summary_leaf(s, n, &p) == OK)
        n++;
    return n;
}

static void many_parts_are_bounded(void **state)
{
    static const size_t counts[] = {1, 100, 200, 999, 1000, 5000, 100000};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct buf b;
        struct made m;
        make(&m, build_text(&b, "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
                            "--b\r\n\r\nx\r\n", counts[i]));
        size_t leaves = count_leaves(&m.s);
        assert_true(counts[i] <= 200 ? leaves == counts[i] : leaves >= 200);
        assert_true(leaves <= SUMMARY_PARTS_MAX);
        /* Nothing is lost: what is not told apart is the last part. */
        struct summary_part p;
        assert_int_equal(summary_leaf(&m.s, leaves - 1, &p), OK);
        if (counts[i] > SUMMARY_PARTS_MAX) {
            assert_slice(p.type, "APPLICATION");
            assert_int_equal(p.body_from + p.body_len, m.message.len);
        }
        release(&m);
        buf_release(&b);
    }
}

static void deep_nesting_is_bounded(void **state)
{
    struct buf b;
    struct made m;
    (void)state;
    make(&m, build_text(&b, "", "Content-Type: message/rfc822\r\n\r\n", 5000));
    release(&m);
    buf_release(&b);
    /* 5,000 multiparts, each in the one before. */
    buf_init(&b, 64 << 20);
    for (int i = 0; i < 5000; i++)
        buf_printf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
    buf_puts(&b, "\r\ntext\r\n");
    for (int i = 5000; i-- > 0;)
        buf_printf(&b, "--b%d--\r\n", i);
    make(&m, buf_slice(&b));
    struct summary_part p;
    uint32_t ones[200];
    for (size_t i = 0; i < 200; i++)
        ones[i] = 1;
    assert_int_equal(summary_part(&m.s, ones, 90, &p), OK);
    assert_int_equal(summary_part(&m.s, ones, 150, &p), NOT_FOUND);
    release(&m);
    buf_release(&b);
}

static void depth_of_100_is_told_whole(void **state)
{
    struct buf b;
    struct made m;
    struct summary_part p;
    uint32_t ones[100];
    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 99; i++)
        buf_printf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
    buf_puts(&b, "\r\ndeep\r\n");
    for (int i = 99; i-- > 0;)
        buf_printf(&b, "--b%d--\r\n", i);
    for (size_t i = 0; i < 100; i++)
        ones[i] = 1;
    make(&m, buf_slice(&b));
    assert_int_equal(summary_part(&m.s, ones, 99, &p), OK);
    assert_slice(cut(&m, p.body_from, p.body_len), "deep");
    release(&m);
    buf_release(&b);
}

static void long_fields_are_cut(void **state)
{
    struct buf b;
    struct made m;
    (void)state;
    make(&m, build_text(&b, "Subject: x", "y", 1 << 20));
    assert_true(m.s.envelope.len > 1000);
    release(&m);
    buf_release(&b);
    make(&m, build_text(&b, "To: a@b", ", \"J. Doe\" <someone.or.other@example.org>", 50000));
    assert_true(m.s.envelope.len > 3000);
    release(&m);
    buf_release(&b);
    make(&m, build_text(&b, "To: g: a@b", ", x@y", 50000));
    release(&m);
    buf_release(&b);
    make(&m, build_text(&b, "Content-Type: text/plain", "; n=\"\xff\"", 100000));
    release(&m);
    buf_release(&b);
    make(&m, build_text(&b, "Content-Type: text/plain; n=\"", "\\\"", 1 << 20));
    release(&m);
    buf_release(&b);
    make(&m, build_text(&b, "", "Subject: \xff\xff\xff\r\nTo: a, b, c\r\n", 100000));
    release(&m);
    buf_release(&b);
}

static void hostile_lines_cost_their_length(void **state)
{
    struct buf b;
    struct made m;
    (void)state;
    buf_init(&b, 64 << 20);
    for (int i = 0; i < 99; i++)
        buf_printf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i);
    for (int i = 0; i < 1000000; i++)
        buf_puts(&b, "--x\n");
    make(&m, buf_slice(&b));
    release(&m);
    buf_release(&b);
}

/* ---- distrust ---- */

static void damaged_summaries_are_refused(void **state)
{
    struct made m;
    struct summary s;
    (void)state;
    make_text(&m, MIXED);
    struct slice whole = buf_slice(&m.bytes);
    assert_int_equal(summary_read(whole, m.message.len + 1, &s), CORRUPT);
    for (size_t n = 0; n < whole.len; n++)
        assert_int_equal(summary_read(slice_sub(whole, 0, n), m.message.len, &s), CORRUPT);
    /* Any byte changed to anything: never an offset outside the message. */
    for (size_t i = 0; i < whole.len; i++) {
        char *at = m.bytes.mem + m.bytes.start + i;
        char was = *at;
        for (int v = 0; v < 256; v += 5) {
            struct summary_part p;
            *at = (char)v;
            (void)!summary_verify(whole, m.message.len);
            if (summary_read(whole, m.message.len, &s) != OK)
                continue;
            assert_true(s.header_len <= m.message.len);
            for (size_t k = 0; summary_leaf(&s, k, &p) == OK; k++) {
                assert_true(p.header_from + p.header_len <= m.message.len);
                assert_true(p.body_from + p.body_len <= m.message.len);
            }
        }
        *at = was;
    }
    release(&m);
}

static void forged_words_are_refused(void **state)
{
    struct made m;
    (void)state;
    make_text(&m, "Subject: (x) NIL {4}\r\n\r\n");
    struct slice whole = buf_slice(&m.bytes);
    size_t at = slice_search(whole, SLICE("(x)"));
    assert_true(at != SIZE_MAX);
    static const char *const forged[] = {"\")\r", "\"\"\"", "x\r\n", "\\x)", "\xff--"};
    for (size_t i = 0; i < sizeof forged / sizeof *forged; i++) {
        memcpy(m.bytes.mem + m.bytes.start + at, forged[i], 3);
        assert_int_equal(summary_verify(whole, m.message.len), CORRUPT);
    }
    release(&m);
}

static void lines_may_be_put_in_front(void **state)
{
    static const char line[] = "Return-Path: <a@b>\r\n";
    struct made m, direct;
    struct buf longer, moved;
    (void)state;
    make_text(&m, MIXED);
    buf_init(&longer, 100000);
    buf_init(&moved, SUMMARY_BYTES_MAX);
    buf_puts(&longer, line);
    buf_append(&longer, m.message);
    make(&direct, buf_slice(&longer));
    assert_int_equal(summary_prepend(buf_slice(&m.bytes), m.message.len, strlen(line), &moved), OK);
    assert_true(slice_eq(buf_slice(&moved), buf_slice(&direct.bytes)));
    buf_release(&moved);
    buf_init(&moved, 10);
    assert_int_equal(summary_prepend(buf_slice(&m.bytes), m.message.len, 5, &moved), LIMIT);
    assert_int_equal(summary_prepend(buf_slice(&m.bytes), 3, 5, &moved), CORRUPT);
    buf_release(&moved);
    release(&m);
    release(&direct);
    buf_release(&longer);
}

static void the_date_is_kept(void **state)
{
    struct made m;
    (void)state;
    make_text(&m, "Date: Fri, 21 Nov 1997 09:55:06 -0600\r\n\r\n");
    assert_true(m.s.date == 880127706);
    assert_int_equal(m.s.date_zone, -360);
    release(&m);
    make_text(&m, "Date: some day\r\n\r\n");
    assert_true(m.s.date == INT64_MIN);
    release(&m);
}

static void a_full_buffer_is_told(void **state)
{
    struct buf small;
    (void)state;
    buf_init(&small, 20);
    assert_int_equal(summary_build(SLICE("Subject: x\r\n\r\ny"), &small), LIMIT);
    buf_release(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(envelopes_are_those_of_the_rfc),
        cmocka_unit_test(envelopes_have_nil_and_empty),
        cmocka_unit_test(strings_fit_the_wire),
        cmocka_unit_test(single_parts_are_described),
        cmocka_unit_test(broken_types_are_text),
        cmocka_unit_test(nested_parts_are_described),
        cmocka_unit_test(parts_are_found_by_number),
        cmocka_unit_test(a_single_part_is_number_one),
        cmocka_unit_test(leaves_are_listed),
        cmocka_unit_test(broken_structures_have_an_answer),
        cmocka_unit_test(many_parts_are_bounded),
        cmocka_unit_test(deep_nesting_is_bounded),
        cmocka_unit_test(depth_of_100_is_told_whole),
        cmocka_unit_test(long_fields_are_cut),
        cmocka_unit_test(hostile_lines_cost_their_length),
        cmocka_unit_test(damaged_summaries_are_refused),
        cmocka_unit_test(forged_words_are_refused),
        cmocka_unit_test(lines_may_be_put_in_front),
        cmocka_unit_test(the_date_is_kept),
        cmocka_unit_test(a_full_buffer_is_told),
    };
    return cmocka_run_group_tests_name("mime_summary", tests, NULL, NULL);
}
