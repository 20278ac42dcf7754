/* fuzz_mime.c: everything in mime/ that takes bytes of strangers, with what must always hold. The
 * first byte chooses the parser. */
#include "mime/address.h"
#include "mime/date.h"
#include "mime/encoding.h"
#include "mime/header.h"
#include "mime/search.h"
#include "mime/submission.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool ignore_item(void *arg, const struct address_item *item)
{
    (void)arg;
    (void)item;
    return true;
}

/* A summary can always be made, is sound, and stays so with lines in front. */
static void try_summary(struct slice m)
{
    struct buf b, moved;
    struct summary s;
    struct summary_part p;
    struct search_text t;
    buf_init(&b, SUMMARY_BYTES_MAX);
    buf_init(&moved, 2 * SUMMARY_BYTES_MAX);
    require(summary_build(m, &b) == OK);
    require(summary_verify(buf_slice(&b), m.len) == OK);
    require(summary_read(buf_slice(&b), m.len, &s) == OK);
    require(summary_prepend(buf_slice(&b), m.len, 10, &moved) == OK);
    require(buf_len(&moved) > SUMMARY_BYTES_MAX ||
            summary_verify(buf_slice(&moved), m.len + 10) == OK);
    for (size_t i = 0; summary_leaf(&s, i, &p) == OK; i++)
        require(p.header_from + p.header_len <= m.len && p.body_from + p.body_len <= m.len);
    require(search_text_init(&t, SLICE("utf-8"),
                             SLICE("n\xc3\xa9"
                                   "edle")) == OK);
    (void)search_message(m, &s, &t);
    search_text_release(&t);
    buf_release(&b);
    buf_release(&moved);
}

/* A summary of somebody else's making: never an offset outside. */
static void try_forged_summary(struct slice bytes)
{
    struct summary s;
    struct summary_part p;
    if (summary_read(bytes, 1000, &s) != OK)
        return;
    (void)!summary_verify(bytes, 1000);
    for (size_t i = 0; summary_leaf(&s, i, &p) == OK; i++)
        require(p.header_from + p.header_len <= 1000 && p.body_from + p.body_len <= 1000);
    for (uint32_t k = 1; k < 4; k++)
        if (summary_part(&s, &k, 1, &p) == OK)
            require(p.inner_text_from + p.inner_text_len <= 1000);
}

/* The normal form is an address, and its own normal form. */
static void try_address(struct slice text)
{
    struct address a, again;
    struct buf once, twice;
    buf_init(&once, 4096);
    buf_init(&twice, 4096);
    if (address_parse(text, ADDRESS_UTF8, &a) == OK && address_normal(&a, &once) == OK &&
        address_parse(buf_slice(&once), ADDRESS_UTF8, &again) == OK) {
        require(address_normal(&again, &twice) == OK);
        require(slice_eq(buf_slice(&once), buf_slice(&twice)));
    }
    struct cursor c = cursor_of(text);
    (void)!address_parse_path(&c, ADDRESS_UTF8 | ADDRESS_NULL | ADDRESS_BARE, &a);
    (void)address_list_each(text, ignore_item, NULL);
    buf_release(&once);
    buf_release(&twice);
}

static void try_date(struct slice text)
{
    int64_t s, again, day;
    int zone;
    struct buf b;
    buf_init(&b, 1000);
    if (date_parse(text, &s, &zone) == OK) {
        date_format(s, zone, &b);
        require(date_parse(buf_slice(&b), &again, NULL) == OK && again == s);
    }
    if (date_parse_internal(text, &s, &zone) == OK) {
        buf_reset(&b);
        date_format_internal(s, zone, &b);
        require(date_parse_internal(buf_slice(&b), &again, NULL) == OK && again == s);
    }
    (void)!date_parse_day(text, &day);
    buf_release(&b);
}

/* What was decoded as text is UTF-8; what is written as a header is read back. */
static void try_encodings(struct slice text)
{
    static const char *const charsets[] = {"utf-8",        "iso-2022-jp", "gb18030", "utf-7",
                                           "windows-1255", "big5-hkscs",  "euc-kr",  "utf-16"};
    struct buf out, folded;
    if (text.len < 2)
        return;
    const char *charset = charsets[(unsigned char)text.data[0] % 8];
    buf_init(&out, 64 * text.len + 1000);
    buf_init(&folded, 64 * text.len + 1000);
    (void)charset_to_utf8(slice_cstr(charset), text, &out);
    require(utf8_valid(buf_slice(&out)));
    text_fold(buf_slice(&out), &folded);
    buf_reset(&out);
    header_decode(text, &out);
    require(utf8_valid(buf_slice(&out)));
    buf_reset(&out);
    if (base64_decode(text, &out) == OK) {
        buf_reset(&folded);
        base64_encode(buf_slice(&out), &folded);
        require(slice_eq(buf_slice(&folded), text));
    }
    buf_reset(&out);
    header_write_text(&out, "Subject", text);
    require(slice_ends_nocase(buf_slice(&out), SLICE("\r\n")));
    struct header_field f;
    struct slice rest = buf_slice(&out);
    require(header_next(&rest, &f) && rest.len == 0);
    buf_release(&out);
    buf_release(&folded);
}

static void try_transfer(struct slice text)
{
    size_t cut = text.len ? (unsigned char)text.data[0] % text.len : 0;
    for (int kind = 0; kind < 3; kind++) {
        struct transfer_decoder d;
        struct buf whole, pieces;
        buf_init(&whole, text.len + 1000);
        buf_init(&pieces, text.len + 1000);
        transfer_decoder_init(&d, SLICE(""));
        d.kind = (enum transfer)kind;
        transfer_decode(&d, text, &whole);
        transfer_decode_end(&d, &whole);
        transfer_decoder_init(&d, SLICE(""));
        d.kind = (enum transfer)kind;
        transfer_decode(&d, slice_sub(text, 0, cut), &pieces);
        transfer_decode(&d, slice_from(text, cut), &pieces);
        transfer_decode_end(&d, &pieces);
        require(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
        buf_release(&whole);
        buf_release(&pieces);
    }
    struct buf out;
    buf_init(&out, 8 * text.len + 1000);
    quoted_encode(text, &out);
    buf_release(&out);
}

/* What was completed once lacks nothing. */
static void try_submission(struct slice message)
{
    struct submission s = {.origin = SLICE("o.test"),
                           .host = SLICE("h.test"),
                           .sender = SLICE("a@o.test"),
                           .id = 1,
                           .now = 0};
    struct buf out;
    size_t body;
    unsigned changes;
    buf_init(&out, 8 * message.len + 10000);
    require(submission_complete(message, &s, &out, &body, &changes) == OK);
    require(body <= message.len);
    unsigned missing = submission_check(buf_slice(&out));
    require(!(missing & (SUBMISSION_ADDED_DATE | SUBMISSION_ADDED_MESSAGE_ID |
                         SUBMISSION_ADDED_FROM | SUBMISSION_DROPPED_BCC)));
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const tries[])(struct slice) = {try_summary,       try_address,  try_date,
                                                  try_encodings,     try_transfer, try_submission,
                                                  try_forged_summary};
    if (size == 0)
        return 0;
    tries[data[0] % (sizeof tries / sizeof *tries)](slice_of(data + 1, size - 1));
    return 0;
}
