/* domain.c: host names and address literals in mail addresses, and their internationalised form. */
#include "mime/address.h"
#include "mime/encoding.h"

#include <arpa/inet.h>
#include <idn2.h>

enum { LABEL_MAX = 63 };

static bool has_utf8(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] > 127)
            return true;
    return false;
}

static bool label_valid(struct slice label, bool utf8)
{
    bool wide = has_utf8(label);
    if (label.len == 0 || (wide && !utf8))
        return false;
    /* A U-label is longer as bytes than the A-label that the limit is for: IDNA checks that. */
    if (!wide && label.len > LABEL_MAX)
        return false;
    for (size_t i = 0; i < label.len; i++) {
        char c = label.data[i];
        if (!ascii_alnum(c) && c != '-' && c != '_' && (unsigned char)c < 128)
            return false;
    }
    return label.data[0] != '-' && label.data[label.len - 1] != '-';
}

bool domain_valid(struct slice domain, bool utf8)
{
    struct slice rest = domain;
    if (domain.len == 0 || domain.len > ADDRESS_DOMAIN_MAX)
        return false;
    while (rest.data)
        if (!label_valid(slice_split(&rest, '.'), utf8))
            return false;
    return !utf8 || utf8_valid(domain);
}

/* RFC 5321 4.1.3: IPv4 or IPv6; no other kind was ever registered. */
bool domain_is_literal(struct slice domain)
{
    char text[64];
    unsigned char address[16];
    if (domain.len < 3 || domain.len - 2 >= sizeof text || domain.data[0] != '[' ||
        domain.data[domain.len - 1] != ']')
        return false;
    struct slice inner = slice_sub(domain, 1, domain.len - 2);
    bool v6 = slice_starts_nocase(inner, SLICE("IPv6:"));
    if (v6)
        inner = slice_from(inner, 5);
    if (slice_find(inner, '\0') != SIZE_MAX)
        return false;
    if (inner.len)
        memcpy(text, inner.data, inner.len);
    text[inner.len] = 0;
    return inet_pton(v6 ? AF_INET6 : AF_INET, text, address) == 1;
}

static void put_lower(struct slice s, struct buf *out)
{
    for (size_t i = 0; i < s.len; i++)
        buf_putc(out, ascii_lower(s.data[i]));
}

enum result domain_to_ascii(struct slice domain, struct buf *out)
{
    char text[ADDRESS_DOMAIN_MAX + 1];
    char *ascii = NULL;
    if (domain.len > ADDRESS_DOMAIN_MAX || slice_find(domain, '\0') != SIZE_MAX)
        return INVALID;
    if (!has_utf8(domain)) {
        put_lower(domain, out);
        return buf_ok(out) ? OK : LIMIT;
    }
    memcpy(text, domain.data, domain.len);
    text[domain.len] = 0;
    if (idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
        return INVALID;
    put_lower(slice_cstr(ascii), out);
    idn2_free(ascii);
    return buf_ok(out) ? OK : LIMIT;
}

bool domain_equal(struct slice a, struct slice b)
{
    if (slice_eq_nocase(a, b))
        return true;
    if (!has_utf8(a) && !has_utf8(b))
        return false;
    struct buf x, y;
    buf_init(&x, 1024);
    buf_init(&y, 1024);
    bool same = domain_to_ascii(a, &x) == OK && domain_to_ascii(b, &y) == OK &&
                slice_eq(buf_slice(&x), buf_slice(&y));
    buf_release(&x);
    buf_release(&y);
    return same;
}
