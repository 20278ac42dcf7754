/* record.c: "v=STSv1; id=20160831085700Z;" (RFC 8461 3.1). */
#include <stdio.h>

#include "mime/address.h"
#include "proto/sts/sts.h"

static bool is_wsp(char c)
{
    return c == ' ' || c == '\t';
}

static struct slice trim_wsp(struct slice s)
{
    while (s.len && is_wsp(s.data[0]))
        s = slice_from(s, 1);
    while (s.len && is_wsp(s.data[s.len - 1]))
        s.len--;
    return s;
}

/* Records that don't begin with the version are another's (3.1). */
static bool is_ours(struct slice record)
{
    const struct slice version = SLICE("v=STSv1");
    struct slice rest = slice_from(record, version.len);
    if (!slice_starts(record, version))
        return false;
    while (rest.len && is_wsp(rest.data[0]))
        rest = slice_from(rest, 1);
    return rest.len && rest.data[0] == ';';
}

static bool is_id(struct slice s)
{
    if (s.len == 0 || s.len > STS_ID_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_alnum(s.data[i]))
            return false;
    return true;
}

static bool is_name(struct slice s)
{
    if (s.len == 0 || s.len > 32 || !ascii_alnum(s.data[0]))
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (!ascii_alnum(s.data[i]) && s.data[i] != '_' && s.data[i] != '-' && s.data[i] != '.')
            return false;
    return true;
}

static bool is_value(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.data[i] < 0x21 || s.data[i] > 0x7e || s.data[i] == '=')
            return false;
    return s.len > 0;
}

static enum result read_fields(struct slice record, struct slice *ret_id)
{
    struct slice id = SLICE_NONE;
    (void)slice_split(&record, ';');
    while (record.data) {
        struct slice value = trim_wsp(slice_split(&record, ';'));
        if (value.len == 0 && !record.data)
            break; /* the last delimiter may end the record */
        struct slice name = slice_split(&value, '=');
        if (!is_name(name) || !is_value(value))
            return INVALID;
        if (!slice_is(name, "id") || id.data)
            continue;
        if (!is_id(value))
            return INVALID;
        id = value;
    }
    if (!id.data)
        return INVALID;
    *ret_id = id;
    return OK;
}

enum result sts_record(const struct slice *records, size_t n, struct slice *ret_id)
{
    struct slice ours = SLICE_NONE;
    for (size_t i = 0; i < n; i++) {
        if (!is_ours(records[i]))
            continue;
        if (ours.data)
            return INVALID;
        ours = records[i];
    }
    return ours.data ? read_fields(ours, ret_id) : NOT_FOUND;
}

enum result sts_domain(struct slice nexthop, char out[static STS_DOMAIN_SIZE])
{
    struct buf b;
    buf_init(&b, STS_DOMAIN_SIZE - 1);
    enum result r = domain_to_ascii(nexthop, &b);
    if (r == OK && (!buf_ok(&b) || !domain_valid(buf_slice(&b), false)))
        r = INVALID;
    if (r == OK)
        snprintf(out, STS_DOMAIN_SIZE, "%.*s", SLICE_ARG(buf_slice(&b)));
    buf_release(&b);
    return r;
}
