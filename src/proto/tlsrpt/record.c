/* record.c: "v=TLSRPTv1; rua=mailto:reports@example.org,https://reports.example.org/in" (RFC 8460
 * 3). */
#include "mime/address.h"
#include "proto/tlsrpt/tlsrpt.h"

static bool is_ours(struct slice record)
{
    const struct slice version = SLICE("v=TLSRPTv1");
    struct slice rest = slice_trim_start(slice_from(record, version.len));
    return slice_starts(record, version) && rest.len && rest.data[0] == ';';
}

/* Printable, without what ends a URI in the record or must be encoded in one. */
static bool is_plain(struct slice uri)
{
    for (size_t i = 0; i < uri.len; i++)
        if (uri.data[i] <= 0x20 || uri.data[i] >= 0x7f || strchr("!,;\"<>\\^`{|}", uri.data[i]))
            return false;
    return uri.len > 0 && uri.len <= TLSRPT_URI_MAX;
}

enum result tlsrpt_mailto(struct slice uri, struct slice *ret)
{
    struct address a;
    const struct slice scheme = SLICE("mailto:");
    struct slice rest = slice_from(uri, scheme.len);
    if (!slice_starts_nocase(uri, scheme))
        return INVALID;
    struct slice address = slice_split(&rest, '?');
    if (slice_find(address, '%') != SIZE_MAX || address_parse(address, 0, &a) != OK || a.literal)
        return INVALID;
    *ret = address;
    return OK;
}

enum result tlsrpt_https(struct slice uri, struct slice *ret_host)
{
    const struct slice scheme = SLICE("https://");
    struct slice rest = slice_from(uri, scheme.len), host, port;
    if (!slice_starts_nocase(uri, scheme))
        return INVALID;
    size_t end = 0;
    while (end < rest.len && rest.data[end] != '/' && rest.data[end] != '?' &&
           rest.data[end] != '#')
        end++;
    port = slice_sub(rest, 0, end);
    host = slice_split(&port, ':');
    if (!domain_valid(host, false) || (port.data && !slice_is(port, "443")))
        return INVALID;
    *ret_host = host;
    return OK;
}

static bool can_be_used(struct slice uri)
{
    struct slice ignored;
    return is_plain(uri) &&
           (tlsrpt_mailto(uri, &ignored) == OK || tlsrpt_https(uri, &ignored) == OK);
}

static void read_uris(struct slice value, struct slice *ret_rua, size_t *ret_n)
{
    while (value.data && *ret_n < TLSRPT_RUA_MAX) {
        struct slice uri = slice_trim(slice_split(&value, ','));
        if (can_be_used(uri))
            ret_rua[(*ret_n)++] = uri;
    }
}

static enum result read_fields(struct slice record, struct slice *ret_rua, size_t *ret_n)
{
    size_t n = 0;
    bool seen = false;
    (void)slice_split(&record, ';');
    while (record.data) {
        struct slice value = slice_trim(slice_split(&record, ';'));
        struct slice name = slice_split(&value, '=');
        if (!slice_is(name, "rua") || seen)
            continue;
        seen = true;
        read_uris(value, ret_rua, &n);
    }
    *ret_n = n;
    return n ? OK : INVALID;
}

enum result tlsrpt_record(const struct slice *records, size_t n,
                          struct slice ret_rua[static TLSRPT_RUA_MAX], size_t *ret_n)
{
    struct slice ours = SLICE_NONE;
    for (size_t i = 0; i < n; i++) {
        if (!is_ours(records[i]))
            continue;
        if (ours.data)
            return INVALID;
        ours = records[i];
    }
    return ours.data ? read_fields(ours, ret_rua, ret_n) : NOT_FOUND;
}
