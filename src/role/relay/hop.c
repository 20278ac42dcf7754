/* hop.c: see hop.h. */
#include "role/relay/hop.h"

#include <idn2.h>
#include <stdio.h>

bool hop_to_ascii(char host[256])
{
    char *ascii = NULL;
    bool plain = true;
    for (const char *p = host; *p; p++)
        plain = plain && (unsigned char)*p < 0x80;
    if (plain)
        return true;
    bool ok =
        idn2_to_ascii_8z(host, &ascii, IDN2_NONTRANSITIONAL) == IDN2_OK && strlen(ascii) < 256;
    if (ok)
        memcpy(host, ascii, strlen(ascii) + 1);
    idn2_free(ascii);
    return ok;
}

/* "host", "host:port", "[host]", "[host]:port"; an address literal's "IPv6:" is dropped. */
static bool parse_nexthop(struct slice s, struct hop *ret)
{
    struct slice host = s, rest = SLICE_NONE;
    uint64_t n = ret->port;
    size_t end = slice_find(s, ']');
    ret->exact = s.len > 0 && s.data[0] == '[';
    if (ret->exact) {
        if (end == SIZE_MAX)
            return false;
        host = slice_sub(s, 1, end - 1);
        rest = slice_from(s, end + 1);
    } else if ((end = slice_find(s, ':')) != SIZE_MAX) {
        host = slice_sub(s, 0, end);
        rest = slice_from(s, end);
    }
    if (rest.len &&
        (rest.data[0] != ':' || slice_parse_u64(slice_from(rest, 1), 65535, &n) != OK || n == 0))
        return false;
    if (slice_starts_nocase(host, SLICE("IPv6:")))
        host = slice_from(host, 5);
    ret->port = (uint16_t)n;
    snprintf(ret->host, sizeof ret->host, "%.*s", SLICE_ARG(host));
    return host.len > 0 && host.len < sizeof ret->host && strlen(ret->host) == host.len;
}

static enum result parse_path(struct slice s, struct hop *ret)
{
    ret->path = ret->exact = true;
    snprintf(ret->host, sizeof ret->host, "%.*s", SLICE_ARG(s));
    bool whole = s.len > 0 && s.len < sizeof ret->host && strlen(ret->host) == s.len;
    return whole ? OK : INVALID;
}

/* RFC 2033 has no MX: an LMTP server is named. */
static enum result parse_lmtp(struct slice s, struct hop *ret)
{
    if (slice_starts(s, SLICE("unix:")))
        return parse_path(slice_from(s, 5), ret);
    if (slice_starts(s, SLICE("inet:")))
        s = slice_from(s, 5);
    bool ok = parse_nexthop(s, ret) && hop_to_ascii(ret->host);
    ret->exact = true;
    return ok ? OK : INVALID;
}

enum result hop_next(struct slice *rest, bool lmtp, uint16_t port, struct hop *ret)
{
    struct hop hop = {.port = port};
    struct slice text = slice_word(rest, ", \t");
    if (text.len == 0)
        return NOT_FOUND;
    hop.text = text;
    enum result r = lmtp                                                  ? parse_lmtp(text, &hop)
                    : parse_nexthop(text, &hop) && hop_to_ascii(hop.host) ? OK
                                                                          : INVALID;
    if (r == OK)
        *ret = hop;
    else
        ret->text = text;
    return r;
}
