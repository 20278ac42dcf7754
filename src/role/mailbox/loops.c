/* loops.c: a message that comes back to a recipient who had it already (local(8) "MAIL
 * FORWARDING"): its Delivered-To says so. */
#include "mime/header.h"
#include "role/mailbox/incoming.h"

static const struct verdict looping = {"554", "5.4.6 Error: mail forwarding loop"};

/* Only what stood in it when it came: our own fields are in front of our Received. */
static struct slice header_as_it_came(struct slice message)
{
    struct slice rest = slice_sub(message, 0, header_length(message)), before = rest;
    struct header_field f;
    while (header_next(&rest, &f)) {
        if (slice_is_nocase(f.name, "Received"))
            return before;
        before = rest;
    }
    return SLICE("");
}

static bool was_delivered_to(struct slice header, struct slice rcpt)
{
    struct header_field f;
    while (header_next(&header, &f))
        if (slice_is_nocase(f.name, "Delivered-To") && slice_eq_nocase(slice_trim(f.body), rcpt))
            return true;
    return false;
}

/* Only passing through, it has not arrived. */
static bool arrives_here(struct slice_list targets)
{
    struct target t;
    for (size_t i = 0; i < targets.n; i++)
        if (target_parse(targets.items[i], &t) == OK && t.kind != TARGET_REMOTE && !t.bcc)
            return true;
    return false;
}

void incoming_refuse_loops(struct incoming *in)
{
    if (!in->mailbox->marks)
        return;
    struct slice header = header_as_it_came(in->message);
    if (header_count(header, "Delivered-To") == 0)
        return;
    for (size_t i = 0; i < in->request->rcpts.n; i++)
        if (in->verdicts[i] == &verdict_accepted && arrives_here(in->targets[i]) &&
            was_delivered_to(header, in->request->rcpts.items[i]))
            in->verdicts[i] = &looping;
}
