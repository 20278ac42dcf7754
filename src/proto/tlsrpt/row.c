/* row.c: what is counted, as it is kept (docs/formats/tlsrpt.md). */
#include "base/cursor.h"
#include "mime/address.h"
#include "proto/tlsrpt/tlsrpt.h"

enum { FORMAT = 1, WORDS_MAX = 500 };

static void put_part(struct slice s, struct buf *out)
{
    buf_append(out, s);
    buf_putc(out, 0);
}

void tlsrpt_row_key(const struct tlsrpt_row *r, struct buf *out)
{
    buf_put_be32(out, r->day);
    put_part(r->domain, out);
    put_part(r->type, out);
    put_part(r->mx, out);
    put_part(r->result, out);
}

static void put_text(struct slice s, struct buf *out)
{
    buf_put_varint(out, s.len);
    buf_append(out, s);
}

void tlsrpt_row_value(const struct tlsrpt_row *r, struct buf *out)
{
    buf_putc(out, FORMAT);
    buf_put_le64(out, r->count);
    put_text(r->policy, out);
    put_text(r->sender_ip, out);
    put_text(r->mx_ip, out);
    put_text(r->reason, out);
}

static struct slice take_part(struct cursor *c)
{
    size_t end = slice_find(c->rest, 0);
    if (end == SIZE_MAX) {
        cursor_fail(c);
        return SLICE_NONE;
    }
    struct slice part = cursor_take(c, end);
    (void)cursor_u8(c);
    return part;
}

static struct slice take_text(struct cursor *c)
{
    uint64_t len = cursor_varint(c);
    if (len > c->rest.len)
        cursor_fail(c);
    return cursor_take(c, cursor_ok(c) ? (size_t)len : 0);
}

enum result tlsrpt_row_read(struct slice key, struct slice value, struct tlsrpt_row *ret)
{
    struct cursor k = cursor_of(key), v = cursor_of(value);
    struct tlsrpt_row r = {.day = cursor_be32(&k)};
    r.domain = take_part(&k);
    r.type = take_part(&k);
    r.mx = take_part(&k);
    r.result = take_part(&k);
    uint8_t format = cursor_u8(&v);
    r.count = cursor_le64(&v);
    r.policy = take_text(&v);
    r.sender_ip = take_text(&v);
    r.mx_ip = take_text(&v);
    r.reason = take_text(&v);
    if (!cursor_done(&k) || !cursor_done(&v) || format != FORMAT || !tlsrpt_row_valid(&r))
        return CORRUPT;
    *ret = r;
    return OK;
}

static bool is_listed(struct slice s, const char *const *list)
{
    for (; *list; list++)
        if (slice_is(s, *list))
            return true;
    return false;
}

bool tlsrpt_row_valid(const struct tlsrpt_row *r)
{
    static const char *const types[] = {"sts", "tlsa", "no-policy-found", NULL};
    static const char *const results[] = {"",
                                          "starttls-not-supported",
                                          "certificate-host-mismatch",
                                          "certificate-expired",
                                          "certificate-not-trusted",
                                          "validation-failure",
                                          "tlsa-invalid",
                                          "dnssec-invalid",
                                          "dane-required",
                                          "sts-policy-fetch-error",
                                          "sts-policy-invalid",
                                          "sts-webpki-invalid",
                                          NULL};
    return domain_valid(r->domain, false) && (r->mx.len == 0 || domain_valid(r->mx, false)) &&
           is_listed(r->type, types) && is_listed(r->result, results) &&
           r->policy.len <= TLSRPT_POLICY_MAX && r->sender_ip.len <= 45 && r->mx_ip.len <= 45 &&
           r->reason.len <= WORDS_MAX;
}
