#include "role/mailbox/control_filter.h"

#include "role/mailbox/asked.h"

static bool take(struct queue_filter *f, struct slice option, struct slice value)
{
    if (slice_is(option, "--sender"))
        f->sender = value;
    else if (slice_is(option, "--recipient"))
        f->recipient = value;
    else if (slice_is(option, "--destination"))
        f->destination = value;
    else if (slice_is(option, "--reason"))
        f->reason = value;
    else if (slice_is(option, "--older"))
        return asked_time(value, &f->arrived_before_s);
    else if (slice_is(option, "--limit"))
        return (f->limited = slice_parse_u64(value, UINT32_MAX, &f->limit) == OK);
    else
        return false;
    return true;
}

bool queue_filter_parse(const struct slice *words, size_t n, struct queue_filter *ret)
{
    *ret = (struct queue_filter){.arrived_before_s = 0};
    for (size_t i = 0; i < n; i += 2)
        if (i + 1 == n || !take(ret, words[i], words[i + 1]))
            return false;
    return true;
}

static bool fits_rcpt(const struct queue_filter *f, const struct queue_info *i, size_t k)
{
    return (!f->recipient.data || asked_address(f->recipient, i->rcpts[k].address) ||
            asked_address(f->recipient, i->rcpts[k].original)) &&
           (!f->destination.data || slice_eq_nocase(f->destination, i->destinations[k])) &&
           (!f->reason.data || slice_contains_nocase(i->reasons[k], f->reason));
}

bool queue_filter_fits_head(const struct queue_filter *f, const struct queue_info *i)
{
    return (!f->sender.data || asked_address(f->sender, i->sender)) &&
           (!f->arrived_before_s || i->arrived_s < f->arrived_before_s);
}

bool queue_filter_is_of_heads(const struct queue_filter *f)
{
    return !f->recipient.data && !f->destination.data && !f->reason.data;
}

struct slice queue_filter_text(const struct queue_filter *f)
{
    struct slice longest = f->recipient;
    if (f->destination.len > longest.len)
        longest = f->destination;
    return f->reason.len > longest.len ? f->reason : longest;
}

bool queue_filter_fits(const struct queue_filter *f, const struct queue_info *i)
{
    if (!queue_filter_fits_head(f, i))
        return false;
    if (queue_filter_is_of_heads(f))
        return true;
    for (size_t k = 0; k < i->n_rcpts; k++)
        if (fits_rcpt(f, i, k))
            return true;
    return false;
}
