/* test_mime_text.c: header fields, dates, encodings, search and the completion of submissions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "mime/date.h"
#include "mime/encoding.h"
#include "mime/header.h"
#include "mime/search.h"
#include "mime/submission.h"

static void assert_slice(struct slice s, const char *want)
{
    if (!slice_is(s, want))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARG(s), want);
}

/* Compares and empties. */
static void assert_buf(struct buf *b, const char *want)
{
    assert_true(buf_ok(b));
    assert_slice(buf_slice(b), want);
    buf_clear(b);
}

static struct buf big(void)
{
    struct buf b;
    buf_init(&b, 16 << 20);
    return b;
}

/* ---- headers ---- */

static void fields_are_walked(void **state)
{
    struct slice h = SLICE("Subject: a\r\n\tb\r\nX-Empty:\r\nno field\r\nOld : c\n: d\r\n"
                           "Last: e\r\n\r\nBody: f\r\n");
    struct header_field f;
    (void)state;
    assert_int_equal(header_length(h), h.len - 9);
    struct slice rest = h;
    assert_true(header_next(&rest, &f));
    assert_slice(f.name, "Subject");
    assert_slice(f.body, " a\r\n\tb");
    assert_slice(f.raw, "Subject: a\r\n\tb\r\n");
    assert_true(header_next(&rest, &f));
    assert_slice(f.name, "X-Empty");
    assert_slice(f.body, "");
    assert_true(header_next(&rest, &f));
    assert_slice(f.name, "");
    assert_slice(f.body, "no field");
    assert_true(header_next(&rest, &f));
    assert_slice(f.name, "Old");
    assert_slice(f.body, " c");
    assert_true(header_next(&rest, &f));
    assert_slice(f.name, "");
    assert_true(header_next(&rest, &f));
    assert_slice(f.name, "Last");
    assert_false(header_next(&rest, &f));
    assert_int_equal(header_find(h, "body", &f), NOT_FOUND);
    assert_int_equal(header_find(h, "lAST", &f), OK);
}

static void headers_without_an_end_are_whole(void **state)
{
    struct header_field f;
    (void)state;
    assert_int_equal(header_length(SLICE("")), 0);
    assert_int_equal(header_length(SLICE("\r\n")), 2);
    assert_int_equal(header_length(SLICE("A: b")), 4);
    struct slice rest = SLICE("A: b");
    assert_true(header_next(&rest, &f));
    assert_slice(f.body, " b");
    assert_false(header_next(&rest, &f));
    rest = slice_of("A\0B: c\r\n", 8);
    assert_true(header_next(&rest, &f));
    assert_slice(f.name, "");
    assert_int_equal(
        header_count(SLICE("Received: a\r\nX: b\r\nRECEIVED: c\r\n\r\nReceived: d"), "Received"),
        2);
}

static void fields_are_unfolded_and_decoded(void **state)
{
    struct buf b = big();
    (void)state;
    header_unfold(SLICE(" one\r\n\ttwo\r\n  three \r\n"), &b);
    assert_buf(&b, "one\ttwo  three");
    header_decode(SLICE(" =?utf-8?q?J=C3=B6rg?=\r\n =?iso-8859-1?b?/A==?= x"), &b);
    assert_buf(&b, "J\xc3\xb6rg\xc3\xbc x");
    header_decode(SLICE("bad \xff byte"), &b);
    assert_buf(&b, "bad \xef\xbf\xbd byte");
}

static void fields_are_written_folded(void **state)
{
    struct buf b = big();
    (void)state;
    header_write(&b, "Subject", SLICE("short"));
    assert_buf(&b, "Subject: short\r\n");
    header_write(&b, "X", SLICE(""));
    assert_buf(&b, "X:\r\n");
    /* Nobody adds a field by a line end. */
    header_write(&b, "Subject", SLICE("a\r\nBcc: b\n\nx"));
    assert_buf(&b, "Subject: a  Bcc: b  x\r\n");
    struct buf text = big();
    for (int i = 0; i < 50; i++)
        buf_printf(&text, "<user%d@example.org>, ", i);
    header_write(&b, "To", buf_slice(&text));
    for (struct slice rest = buf_slice(&b), line; rest.len;) {
        line = slice_split(&rest, '\n');
        assert_true(line.len <= 79);
    }
    struct buf again = big();
    struct header_field f;
    struct slice h = buf_slice(&b);
    assert_true(header_next(&h, &f));
    header_unfold(f.body, &again);
    assert_true(slice_eq(buf_slice(&again), slice_trim(buf_slice(&text))));
    buf_release(&again);
    buf_release(&text);
    buf_release(&b);
}

/* ---- dates ---- */

static void assert_date(const char *text, int64_t want, int want_zone)
{
    int64_t s;
    int zone;
    if (date_parse(slice_cstr(text), &s, &zone) != OK)
        fail_msg("not read: %s", text);
    if (s != want || zone != want_zone)
        fail_msg("%s: %lld %d", text, (long long)s, zone);
}

static void dates_are_read(void **state)
{
    (void)state;
    assert_date("Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360);
    assert_date("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706, -360);
    assert_date("Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n"
                "               -0330 (Newfoundland Time)",
                -27723480, -210);
    assert_date("21 Nov 97 09:55:06 GMT", 880106106, 0);
    assert_date("1 Jan 00 00:00:00 +0000", 946684800, 0);
    assert_date("1 Jan 103 00:00 UT", 1041379200, 0);
    assert_date("Tue, 1 Jul 2003 10:52:37 +0200", 1057049557, 120);
    assert_date("Tue, 01 Jul 2003 10:52 EDT", 1057071120, -240);
    assert_date("29 Feb 2024 00:00:00 Z", 1709164800, 0);
    assert_date("Wed Jan  1 00:00:00 2020", 1577836800, 0);
    assert_date("1 Jan 2020 00:00:00 GMT+0100", 1577833200, 60);
    assert_date("Fri,21-Nov-1997 09.55.06 +01:00", 880102506, 60);
    assert_date("1 Jan 2020 00:00:00 +9999", 1577836800, 0);
    assert_date("31 Dec 2016 23:59:60 +0000", 1483228800, 0);
}

static void nonsense_is_no_date(void **state)
{
    static const char *const bad[] = {"",
                                      "yesterday",
                                      "Fri,",
                                      "32 Jan 2020 00:00:00 +0000",
                                      "30 Feb 2020 00:00:00 +0000",
                                      "29 Feb 2023 00:00:00 +0000",
                                      "1 Foo 2020 00:00:00 +0000",
                                      "1 Jan 2020 24:00:00 +0000",
                                      "1 Jan 2020 00:60:00 +0000",
                                      "1 Jan 2020",
                                      "1 Jan 20200 00:00:00 +0000",
                                      "0 Jan 2020 00:00:00 +0000",
                                      "1 Jan 1800 00:00:00 +0000",
                                      "99999999999999999999 Jan 2020 00:00:00"};
    int64_t s = 7;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (date_parse(slice_cstr(bad[i]), &s, NULL) == OK)
            fail_msg("taken for a date: %s", bad[i]);
    assert_int_equal(s, 7);
}

static void dates_are_written(void **state)
{
    struct buf b = big();
    (void)state;
    date_format(880127706, -360, &b);
    assert_buf(&b, "Fri, 21 Nov 1997 09:55:06 -0600");
    date_format(0, 0, &b);
    assert_buf(&b, "Thu, 1 Jan 1970 00:00:00 +0000");
    date_format(-1, 330, &b);
    assert_buf(&b, "Thu, 1 Jan 1970 05:29:59 +0530");
    date_format_iso(1709164800, &b);
    assert_buf(&b, "2024-02-29T00:00:00Z");
    date_format(INT64_MAX, 0, &b);
    date_format(INT64_MIN, 0, &b);
    buf_clear(&b);
    /* Written and read again, over the whole range. */
    for (int64_t s = -2208900000; s < 253370764800; s += 86400LL * 37 + 12345) {
        int64_t back;
        int zone = (int)(s / 86400 % 1440 > 720 ? 60 : -210), back_zone;
        date_format(s, zone, &b);
        assert_int_equal(date_parse(buf_slice(&b), &back, &back_zone), OK);
        assert_true(back == s && back_zone == zone);
        buf_reset(&b);
    }
    buf_release(&b);
}

static void imap_dates_are_strict(void **state)
{
    static const char *const bad[] = {
        "1-Jul-1996 02:44:25 -0700",  "17-Jul-1996 02:44:25",        "17-Jul-96 02:44:25 -0700",
        "17-Jul-1996 02:44:25 0700",  "17-Jul-1996  02:44:25 -0700", "17-Jul-1996 02:44:25 -0700 ",
        "31-Jun-1996 02:44:25 -0700", "17 Jul 1996 02:44:25 -0700",  ""};
    struct buf b = big();
    int64_t s, day;
    int zone;
    (void)state;
    assert_int_equal(date_parse_internal(SLICE("17-Jul-1996 02:44:25 -0700"), &s, &zone), OK);
    assert_true(s == 837596665 && zone == -420);
    assert_int_equal(date_parse_internal(SLICE(" 7-jul-1996 02:44:25 +0000"), &s, NULL), OK);
    date_format_internal(s, 0, &b);
    assert_buf(&b, "07-Jul-1996 02:44:25 +0000");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(date_parse_internal(slice_cstr(bad[i]), &s, &zone), INVALID);
    assert_int_equal(date_parse_day(SLICE("1-Feb-1994"), &day), OK);
    assert_int_equal(day, 8797);
    assert_int_equal(date_parse_day(SLICE("01-Feb-1994"), &day), OK);
    assert_int_equal(date_parse_day(SLICE("30-Feb-1994"), &day), INVALID);
    assert_int_equal(date_parse_day(SLICE("1-Feb-94"), &day), INVALID);
    /* 23:30 in New York on the 1st is the 1st, though it is the 2nd in UTC. */
    assert_int_equal(date_day(8798 * 86400LL + 3 * 3600, -300), 8797);
    assert_int_equal(date_day(-1, 0), -1);
}

/* ---- encodings ---- */

static void base64_is_strict(void **state)
{
    static const char *const bad[] = {"Zg",   "Zg=",   "Zg==Zg==", "Z===", "====", "Zh==",
                                      "Zm9=", "Zm9v ", "Zm9v\r\n", "Zm-v", "A",    "Zg==="};
    struct buf b = big();
    (void)state;
    base64_encode(SLICE("foob"), &b);
    assert_buf(&b, "Zm9vYg==");
    assert_int_equal(base64_decode(SLICE("Zm9vYmFy"), &b), OK);
    assert_buf(&b, "foobar");
    assert_int_equal(base64_decode(SLICE("Zg=="), &b), OK);
    assert_buf(&b, "f");
    assert_int_equal(base64_decode(SLICE(""), &b), OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(base64_decode(slice_cstr(bad[i]), &b), INVALID);
        assert_int_equal(buf_len(&b), 0);
    }
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    for (size_t n = 0; n < 256; n++) {
        struct buf back = big();
        base64_encode(slice_of(all, n), &b);
        assert_int_equal(base64_decode(buf_slice(&b), &back), OK);
        assert_true(slice_eq(buf_slice(&back), slice_of(all, n)));
        buf_release(&back);
        buf_reset(&b);
    }
    buf_release(&b);
    buf_init(&b, 3);
    assert_int_equal(base64_decode(SLICE("Zm9vYmFy"), &b), LIMIT);
    buf_release(&b);
}

/* Decoded whole and in every pair of pieces, which must be the same. */
static void assert_transfer(const char *encoding, const char *text, const char *want)
{
    struct slice s = slice_cstr(text);
    for (size_t cut = 0; cut <= s.len; cut++) {
        struct transfer_decoder d;
        struct buf b = big();
        transfer_decoder_init(&d, slice_cstr(encoding));
        transfer_decode(&d, slice_sub(s, 0, cut), &b);
        transfer_decode(&d, slice_from(s, cut), &b);
        transfer_decode_end(&d, &b);
        assert_buf(&b, want);
    }
}

static void transfer_encodings_are_undone(void **state)
{
    (void)state;
    assert_transfer("base64", "Zm9v\r\nYmFy\r\n", "foobar");
    assert_transfer("BASE64", "Zg==Zg==", "ff");
    assert_transfer("base64", "*Zm 9v!", "foo");
    assert_transfer("Quoted-Printable", "J=C3=B6rg=\r\n x", "J\xc3\xb6rg x");
    assert_transfer("quoted-printable", "soft= \t\r\nbreak=\nhere", "softbreakhere");
    assert_transfer("quoted-printable", "trailing \t \r\nx  ", "trailing\r\nx  ");
    assert_transfer("quoted-printable", "a=3db=3D", "a=b=");
    assert_transfer("quoted-printable", "bad =xy =4 = 5 ==41", "bad =xy =4 = 5 =A");
    assert_transfer("quoted-printable", "end=", "end");
    assert_transfer("x-unknown", "a=3D", "a=3D");
    assert_transfer("7bit", "a=3D", "a=3D");
}

static void quoted_printable_is_written(void **state)
{
    struct buf b = big(), back = big();
    char text[2000];
    (void)state;
    quoted_encode(SLICE("a=b \r\nJ\xc3\xb6\t"), &b);
    assert_buf(&b, "a=3Db=20\r\nJ=C3=B6=09");
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    quoted_encode(slice_of(text, sizeof text), &b);
    for (struct slice rest = buf_slice(&b), line; rest.data;) {
        line = slice_split(&rest, '\n');
        assert_true(line.len <= 77);
    }
    struct transfer_decoder d;
    transfer_decoder_init(&d, SLICE("quoted-printable"));
    transfer_decode(&d, buf_slice(&b), &back);
    transfer_decode_end(&d, &back);
    assert_true(slice_eq(buf_slice(&back), slice_of(text, sizeof text)));
    buf_release(&b);
    buf_release(&back);
}

static void assert_charset(const char *charset, const char *text, const char *want)
{
    struct slice s = slice_cstr(text);
    for (size_t cut = 0; cut <= s.len; cut++) {
        struct charset_decoder d;
        struct buf b = big();
        assert_int_equal(charset_decoder_init(&d, slice_cstr(charset)), OK);
        charset_decode(&d, slice_sub(s, 0, cut), &b);
        charset_decode(&d, slice_from(s, cut), &b);
        charset_decode_end(&d, &b);
        charset_decoder_release(&d);
        assert_buf(&b, want);
    }
}

static void charsets_are_converted(void **state)
{
    (void)state;
    charset_preload();
    assert_charset("ISO-8859-1", "J\xf6rg", "J\xc3\xb6rg");
    assert_charset("windows-1251", "\xcf\xf0\xe8", "\xd0\x9f\xd1\x80\xd0\xb8");
    assert_charset("koi8-r", "\xf0\xd2\xc9", "\xd0\x9f\xd1\x80\xd0\xb8");
    assert_charset("iso-2022-jp", "\x1b$B%F\x1b(Bx", "\xe3\x83\x86x");
    assert_charset("Shift_JIS", "\x83\x65x", "\xe3\x83\x86x");
    assert_charset("windows-1255", "\xe0", "\xd7\x90");
    assert_charset("utf-8", "\xe3\x83\x86\xff\xc3", "\xe3\x83\x86\xef\xbf\xbd\xef\xbf\xbd");
    assert_charset("us-ascii", "abc", "abc");
    assert_charset("", "abc", "abc");
    struct buf b = big();
    assert_int_equal(charset_to_utf8(SLICE("x-nobody-knows"), SLICE("a\xc3\xb6"), &b), NOT_FOUND);
    assert_buf(&b, "a\xc3\xb6");
    assert_false(charset_known(SLICE("ISO-2022-JP-3")));
    assert_false(charset_known(SLICE("UTF-8//IGNORE")));
    assert_true(charset_known(SLICE("utf-8")));
    assert_false(utf8_valid(SLICE("\xed\xa0\x80")));
    assert_true(utf8_valid(SLICE("\xf0\x9f\x98\x80")));
}

static void assert_words(const char *text, const char *want)
{
    struct buf b = big();
    words_decode(slice_cstr(text), &b);
    assert_buf(&b, want);
}

static void words_are_decoded(void **state)
{
    (void)state;
    /* RFC 2047 8 */
    assert_words("(=?ISO-8859-1?Q?a?=)", "(a)");
    assert_words("=?ISO-8859-1?Q?a?= b", "a b");
    assert_words("=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab");
    assert_words("=?ISO-8859-1?Q?a?=  \t =?ISO-8859-1?Q?b?=", "ab");
    assert_words("=?ISO-8859-1?Q?a_b?=", "a b");
    assert_words("=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b");
    assert_words("=?US-ASCII*EN?Q?Keith_Moore?=", "Keith Moore");
    assert_words("=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=", "If you can read this yo");
    /* A character cut in two by a careless encoder. */
    assert_words("=?utf-8?q?J=C3?= =?UTF-8?q?=B6rg?=", "J\xc3\xb6rg");
    assert_words("=?x?q?a", "=?x?q?a");
    assert_words("=?=?=?=?", "=?=?=?=?");
    assert_words("=?utf-8?x?a?=", "=?utf-8?x?a?=");
    assert_words("=?utf-8?q?"
                 "?=",
                 "");
    assert_words("=?"
                 "?q?a?=",
                 "=?"
                 "?q?a?=");
    assert_words("=?utf-8?q?a?= =?broken", "a =?broken");
    assert_words("=?utf-8?q?=?=", "=");
    assert_words("=?nonsense?q?a?=", "a");
    assert_words("plain", "plain");
}

static void words_are_encoded(void **state)
{
    static const char *const texts[] = {
        "J\xc3\xb6rg",
        "caf\xc3\xa9 au lait, s'il vous pla\xc3\xaet, et beaucoup de choses encore "
        "qui rendent la ligne longue",
        "\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88\xe3\x83\x86\xe3"
        "\x82\xb9\xe3\x83\x88\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88\xe3\x83\x86\xe3\x82\xb9\xe3\x83"
        "\x88\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88",
        "looks like =?a?q?b?= word"};
    (void)state;
    struct buf b = big();
    words_encode(SLICE("plain"), 9, &b);
    assert_buf(&b, "plain");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct buf back = big();
        words_encode(slice_cstr(texts[i]), i * 30, &b);
        for (struct slice rest = buf_slice(&b), line; rest.data;) {
            line = slice_split(&rest, '\n');
            assert_true(line.len <= 78);
        }
        words_decode(buf_slice(&b), &back);
        assert_slice(slice_trim(buf_slice(&back)), texts[i]);
        buf_release(&back);
        buf_reset(&b);
    }
    header_write_text(&b, "Subject", SLICE("J\xc3\xb6rg"));
    assert_buf(&b, "Subject: =?UTF-8?B?SsO2cmc=?=\r\n");
}

static void hostile_text_costs_its_length(void **state)
{
    size_t len = 4 << 20;
    char *text = malloc(len);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = "=?"[i % 2];
    struct buf b = big();
    words_decode(slice_of(text, len), &b);
    buf_clear(&b);
    for (size_t i = 0; i < len; i++)
        text[i] = "=?u?q?a?= "[i % 10];
    words_decode(slice_of(text, len), &b);
    assert_true(buf_len(&b) >= len / 10 - 1);
    buf_release(&b);
    free(text);
}

/* ---- search ---- */

static bool found(const char *message, const char *charset, const char *text, int where)
{
    struct slice m = slice_cstr(message);
    struct buf b = big();
    struct summary s;
    struct search_text t;
    assert_int_equal(summary_build(m, &b), OK);
    assert_int_equal(summary_read(buf_slice(&b), m.len, &s), OK);
    assert_int_equal(search_text_init(&t, slice_cstr(charset), slice_cstr(text)), OK);
    struct slice header = slice_sub(m, 0, s.header_len);
    bool r = where == 'S'   ? search_header(header, SLICE("subject"), &t)
             : where == 'B' ? search_body(m, &s, &t)
                            : search_message(m, &s, &t);
    search_text_release(&t);
    buf_release(&b);
    return r;
}

static const char SEARCHED[] = "Subject: =?iso-8859-1?q?Gr=FC=DFe?= an alle\r\n"
                               "X-Other: hidden\r\n"
                               "Content-Type: multipart/mixed; boundary=b\r\n"
                               "\r\n"
                               "preamble\r\n"
                               "--b\r\n"
                               "Content-Type: text/plain; charset=utf-8\r\n"
                               "Content-Transfer-Encoding: quoted-printable\r\n"
                               "\r\n"
                               "Die Stra=C3=9Fe ist la=\r\nng.\r\n"
                               "--b\r\n"
                               "Content-Type: text/html; charset=iso-8859-1\r\n"
                               "Content-Transfer-Encoding: base64\r\n"
                               "\r\n"
                               "PGI+w7w8L2I+\r\n"
                               "--b\r\n"
                               "Content-Type: application/octet-stream\r\n"
                               "\r\n"
                               "binary needle\r\n"
                               "--b\r\n"
                               "Content-Type: message/rfc822\r\n"
                               "\r\n"
                               "Subject: inner subject\r\n"
                               "\r\n"
                               "inner text\r\n"
                               "--b--\r\n";

static void messages_are_searched(void **state)
{
    (void)state;
    assert_true(found(SEARCHED, "utf-8", "gr\xc3\xbc", 'S'));
    assert_true(found(SEARCHED, "utf-8", "GR\xc3\x9cSSE", 'S'));
    assert_true(found(SEARCHED, "iso-8859-1", "GR\xdc", 'S'));
    assert_true(found(SEARCHED, "", "", 'S'));
    assert_false(found(SEARCHED, "", "inner", 'S'));
    assert_true(found(SEARCHED, "utf-8", "STRASSE IST LANG", 'B'));
    assert_true(found(SEARCHED, "utf-8", "\xc3\x83\xc2\xbc", 'B'));
    assert_true(found(SEARCHED, "", "INNER subject", 'B'));
    assert_true(found(SEARCHED, "", "inner text", 'B'));
    assert_false(found(SEARCHED, "", "needle", 'B'));
    assert_false(found(SEARCHED, "", "hidden", 'B'));
    assert_true(found(SEARCHED, "", "hidden", 'T'));
    assert_true(found(SEARCHED, "", "x-other: h", 'T'));
    assert_false(found("A: b\r\n\r\nc", "", "subject", 'S'));
    assert_false(found("A: b\r\n\r\nc", "", "", 'S'));
    assert_true(found("", "", "", 'B'));
    struct search_text t;
    assert_int_equal(search_text_init(&t, SLICE("x-unknown"), SLICE("a")), NOT_FOUND);
    char *text = calloc(1, SEARCH_TEXT_MAX + 1);
    assert_int_equal(search_text_init(&t, SLICE(""), slice_of(text, SEARCH_TEXT_MAX + 1)), LIMIT);
    free(text);
}

static void matches_cross_pieces(void **state)
{
    size_t len = 80 * 1024;
    char *text = malloc(len + 1);
    (void)state;
    assert_non_null(text);
    for (size_t at = 16 * 1024 - 12; at < 16 * 1024 + 4; at++) {
        memset(text, '.', len);
        text[len] = 0;
        memcpy(text, "A: b\r\n\r\n", 8);
        memcpy(text + at, "\xc3\x84ndle", 6);
        assert_true(found(text, "utf-8", "\xc3\xa4NDL", 'B'));
        assert_false(found(text, "utf-8", "\xc3\xa4NDX", 'B'));
    }
    free(text);
}

/* ---- submission ---- */

static void assert_submission(const char *message, unsigned want_changes, const char *want)
{
    struct submission s = {.origin = SLICE("origin.test"),
                           .host = SLICE("mail.test"),
                           .sender = SLICE("me@origin.test"),
                           .id = 1,
                           .now = 0};
    struct slice m = slice_cstr(message);
    struct buf out = big();
    size_t body;
    unsigned changes;
    assert_int_equal(submission_complete(m, &s, &out, &body, &changes), OK);
    buf_append(&out, slice_from(m, body));
    assert_int_equal(changes, want_changes);
    assert_int_equal(submission_check(m), want_changes);
    assert_buf(&out, want);
}

#define DATE "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n"
#define ID "Message-ID: <0000000000001@mail.test>\r\n"

static void submissions_are_completed(void **state)
{
    (void)state;
    setenv("TZ", "UTC", 1);
    assert_submission("From: a@b\r\nDate: x\r\nMessage-Id: <y>\r\n\r\nhi\r\n", 0,
                      "From: a@b\r\nDate: x\r\nMessage-Id: <y>\r\n\r\nhi\r\n");
    assert_submission("Subject: x\r\n\r\nhi\r\n",
                      SUBMISSION_ADDED_DATE | SUBMISSION_ADDED_FROM | SUBMISSION_ADDED_MESSAGE_ID,
                      "Subject: x\r\nFrom: <me@origin.test>\r\n" DATE ID "\r\nhi\r\n");
    assert_submission("From: a@b\r\nbcc: secret@x,\r\n other@y\r\nTo: c@d\r\n" DATE ID "\r\nhi",
                      SUBMISSION_DROPPED_BCC, "From: a@b\r\nTo: c@d\r\n" DATE ID "\r\nhi");
    assert_submission("From: \"J. Doe\" <joe>\r\nTo: ann, g: bob, c@d;, =?x?q?a?= <e>\r\n" DATE ID
                      "\r\n",
                      SUBMISSION_COMPLETED_ADDRESSES,
                      "From: \"J. Doe\" <joe@origin.test>\r\n"
                      "To: <ann@origin.test>, g: <bob@origin.test>, <c@d>;, =?x?q?a?= "
                      "<e@origin.test>\r\n" DATE ID "\r\n");
    /* Nothing but a body. */
    assert_submission("hello world\r\n\r\nx\r\n",
                      SUBMISSION_ADDED_DATE | SUBMISSION_ADDED_FROM | SUBMISSION_ADDED_MESSAGE_ID,
                      "From: <me@origin.test>\r\n" DATE ID "\r\nhello world\r\n\r\nx\r\n");
    assert_submission("From: a@b\r\n" DATE "Message-ID: x", 0,
                      "From: a@b\r\n" DATE "Message-ID: x\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_walked),
        cmocka_unit_test(headers_without_an_end_are_whole),
        cmocka_unit_test(fields_are_unfolded_and_decoded),
        cmocka_unit_test(fields_are_written_folded),
        cmocka_unit_test(dates_are_read),
        cmocka_unit_test(nonsense_is_no_date),
        cmocka_unit_test(dates_are_written),
        cmocka_unit_test(imap_dates_are_strict),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(transfer_encodings_are_undone),
        cmocka_unit_test(quoted_printable_is_written),
        cmocka_unit_test(charsets_are_converted),
        cmocka_unit_test(words_are_decoded),
        cmocka_unit_test(words_are_encoded),
        cmocka_unit_test(hostile_text_costs_its_length),
        cmocka_unit_test(messages_are_searched),
        cmocka_unit_test(matches_cross_pieces),
        cmocka_unit_test(submissions_are_completed),
    };
    return cmocka_run_group_tests_name("mime_text", tests, NULL, NULL);
}
