#include "conf/quota.h"

#include "conf/size.h"

enum result conf_quota_amount_parse(struct slice text, uint64_t unit, struct conf_quota_amount *ret,
                                    struct error *why)
{
    struct conf_quota_amount a = {.set = true};
    struct slice number = text;
    a.negative = slice_starts(number, SLICE("-"));
    if (a.negative || slice_starts(number, SLICE("+")))
        number = slice_from(number, 1);
    while (number.len && number.data[number.len - 1] == '%') {
        a.percent = true;
        number.len--;
    }
    enum result r =
        a.percent ? slice_parse_u64(number, 10000, &a.n) : conf_size_parse(number, unit, &a.n);
    if (slice_is(number, "unlimited")) {
        a.n = 0;
        r = OK;
    }
    if (r != OK)
        return error_set(why, INVALID, "`%.*s` is no size", SLICE_ARG(slice_sub(text, 0, 40)));
    *ret = a;
    return OK;
}

static enum result take_limit(struct slice limit, struct conf_quota_rule *r, struct error *why)
{
    struct slice value = limit;
    struct slice name = slice_split(&value, '=');
    if (slice_is(limit, "ignore")) {
        r->ignore = true;
        return OK;
    }
    if (value.data && slice_is(name, "storage"))
        return conf_quota_amount_parse(value, 1024, &r->bytes, why);
    if (value.data && slice_is(name, "bytes"))
        return conf_quota_amount_parse(value, 1, &r->bytes, why);
    if (value.data && slice_is(name, "messages"))
        return conf_quota_amount_parse(value, 1, &r->messages, why);
    return error_set(why, INVALID, "`%.*s` is none of storage=, bytes=, messages= and ignore",
                     SLICE_ARG(slice_sub(limit, 0, 40)));
}

enum result conf_quota_rule_parse(struct slice text, struct conf_quota_rule *ret, struct error *why)
{
    struct conf_quota_rule rule = {.ignore = false};
    if (text.len > 1 && text.data[0] == '{' && text.data[text.len - 1] == '}')
        text = slice_sub(text, 1, text.len - 2);
    struct slice rest = slice_trim(text);
    rule.mailbox = slice_trim(slice_split(&rest, ':'));
    if (slice_is(rule.mailbox, "?"))
        rule.mailbox = SLICE("*");
    if (rule.mailbox.len == 0 || !rest.data)
        return error_set(why, INVALID, "`%.*s` is no quota rule: write MAILBOX:storage=SIZE",
                         SLICE_ARG(slice_sub(text, 0, 60)));
    enum result r = OK;
    while (r == OK && rest.data) {
        struct slice limit = slice_trim(slice_split(&rest, ':'));
        r = limit.len ? take_limit(limit, &rule, why) : OK;
    }
    if (r == OK)
        *ret = rule;
    return r;
}

uint64_t conf_quota_amount_of(const struct conf_quota_amount *a, uint64_t of)
{
    if (!a->set)
        return 0;
    if (!a->percent)
        return a->n;
    return of == UINT64_MAX ? 0 : of / 100 * a->n + of % 100 * a->n / 100;
}

bool conf_quota_rule_fits(const struct conf_quota_rule *r, struct slice mailbox)
{
    size_t star = slice_find(r->mailbox, '*');
    if (slice_is_nocase(r->mailbox, "INBOX"))
        return slice_is_nocase(mailbox, "INBOX");
    if (star == SIZE_MAX)
        return slice_eq(r->mailbox, mailbox);
    return slice_starts(mailbox, slice_sub(r->mailbox, 0, star));
}

enum result conf_check_quota_rule(struct slice text, struct error *why)
{
    struct conf_quota_rule rule;
    return conf_quota_rule_parse(text, &rule, why);
}

enum result conf_check_quota_grace(struct slice text, struct error *why)
{
    struct conf_quota_amount a;
    return text.len ? conf_quota_amount_parse(text, 1, &a, why) : OK;
}
