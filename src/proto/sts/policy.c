/* policy.c: the policy's file (RFC 8461 3.2): "name: value" a line. */
#include "mime/address.h"
#include "proto/sts/sts.h"

static const char *const modes[] = {
    [STS_MODE_NONE] = "none", [STS_MODE_TESTING] = "testing", [STS_MODE_ENFORCE] = "enforce"};

const char *sts_mode_name(enum sts_mode m)
{
    return modes[m];
}

enum field { FIELD_VERSION = 1, FIELD_MODE = 2, FIELD_MAX_AGE = 4 };

struct reading {
    struct sts_policy *policy;
    unsigned seen; /* of enum field */
    struct error *err;
};

/* True: the first of its kind, which counts. */
static bool is_first(struct reading *r, enum field f)
{
    bool first = !(r->seen & f);
    r->seen |= f;
    return first;
}

static enum result read_version(struct reading *r, struct slice value)
{
    if (is_first(r, FIELD_VERSION) && !slice_is(value, "STSv1"))
        return error_set(r->err, INVALID, "its version is not STSv1");
    return OK;
}

static enum result read_mode(struct reading *r, struct slice value)
{
    if (!is_first(r, FIELD_MODE))
        return OK;
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (slice_is(value, modes[i])) {
            r->policy->mode = (enum sts_mode)i;
            return OK;
        }
    return error_set(r->err, INVALID, "its mode is none of enforce, testing and none");
}

static enum result read_max_age(struct reading *r, struct slice value)
{
    uint64_t seconds = 0;
    if (!is_first(r, FIELD_MAX_AGE))
        return OK;
    enum result parsed =
        value.len > 10 ? INVALID : slice_parse_u64(value, STS_MAX_AGE_MAX, &seconds);
    if (parsed == LIMIT)
        seconds = STS_MAX_AGE_MAX;
    else if (parsed != OK)
        return error_set(r->err, INVALID, "its max_age is no number of seconds");
    r->policy->max_age = (uint32_t)seconds;
    return OK;
}

static enum result read_mx(struct reading *r, struct slice value)
{
    struct sts_policy *p = r->policy;
    struct slice host = slice_starts(value, SLICE("*.")) ? slice_from(value, 2) : value;
    if (!domain_valid(host, false))
        return error_set(r->err, INVALID, "an mx is no name of a host");
    if (p->n_mx == STS_MX_MAX)
        return error_set(r->err, LIMIT, "it has more than %d mx", STS_MX_MAX);
    p->mx[p->n_mx++] = value;
    return OK;
}

static enum result read_line(struct reading *r, struct slice line)
{
    static const struct {
        const char *name;
        enum result (*read)(struct reading *r, struct slice value);
    } fields[] = {
        {"version", read_version}, {"mode", read_mode}, {"max_age", read_max_age}, {"mx", read_mx}};
    struct slice value = slice_trim(line);
    if (value.len == 0)
        return OK; /* not in the grammar, but at the end of many */
    if (slice_find(value, ':') == SIZE_MAX)
        return error_set(r->err, INVALID, "a line is no \"name: value\"");
    struct slice name = slice_split(&value, ':');
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (slice_is(name, fields[i].name))
            return fields[i].read(r, slice_trim(value));
    return OK;
}

enum result sts_policy_parse(struct slice text, struct sts_policy *ret, struct error *err)
{
    struct sts_policy p = {.mode = STS_MODE_NONE};
    struct reading r = {.policy = &p, .err = err};
    enum result result = OK;
    if (text.len > STS_POLICY_BYTES_MAX)
        return error_set(err, LIMIT, "it is longer than %d bytes", STS_POLICY_BYTES_MAX);
    while (result == OK && text.data)
        result = read_line(&r, slice_split(&text, '\n'));
    if (result != OK)
        return result;
    if (r.seen != (FIELD_VERSION | FIELD_MODE | FIELD_MAX_AGE))
        return error_set(err, INVALID, "it lacks version, mode or max_age");
    if (p.mode != STS_MODE_NONE && p.n_mx == 0)
        return error_set(err, INVALID, "it has no mx");
    *ret = p;
    return OK;
}

void sts_policy_write(const struct sts_policy *p, struct buf *out)
{
    buf_printf(out, "version: STSv1\nmode: %s\n", modes[p->mode]);
    for (size_t i = 0; i < p->n_mx; i++)
        buf_printf(out, "mx: %.*s\n", SLICE_ARG(p->mx[i]));
    buf_printf(out, "max_age: %lu\n", (unsigned long)p->max_age);
}

static bool fits(struct slice pattern, struct slice host)
{
    if (!slice_starts(pattern, SLICE("*.")))
        return slice_eq_nocase(pattern, host);
    size_t dot = slice_find(host, '.');
    return dot != SIZE_MAX && dot > 0 &&
           slice_eq_nocase(slice_from(pattern, 2), slice_from(host, dot + 1));
}

bool sts_policy_names(const struct sts_policy *p, struct slice host)
{
    for (size_t i = 0; i < p->n_mx; i++)
        if (fits(p->mx[i], host))
            return true;
    return false;
}
