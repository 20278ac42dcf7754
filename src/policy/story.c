/* story.c: what a run looked at, for those who want it explained. A run that starts anew tells it
 * anew: the story is that of the run that decided. Without a story nothing is kept. */
#include "policy/machine.h"

enum { DNS_TOLD_MAX = 10 };

size_t tell(struct run *r, const struct policy_step *step)
{
    struct policy_story *s = r->answers->story;
    if (!s)
        return SIZE_MAX;
    if (s->n == s->size) {
        s->cut = true;
        return SIZE_MAX;
    }
    s->items[s->n] = *step;
    s->items[s->n].depth = r->depth;
    return s->n++;
}

void tell_outcome(struct run *r, size_t at, enum outcome o)
{
    static const char *const words[] = {
        [DUNNO] = "goes on", [PERMIT] = "permits", [REJECT] = "refuses", [PENDING] = "waits"};
    if (at != SIZE_MAX)
        r->answers->story->items[at].result = slice_cstr(words[o]);
}

void tell_table(struct run *r, const struct table *t, struct slice key, enum result result,
                const struct table_match *match)
{
    struct policy_step step = {.kind = POLICY_STEP_TABLE, .name = table_name(t), .key = key};
    step.found = result == OK;
    step.result = result == OK          ? match->value
                  : result == NOT_FOUND ? SLICE("not found")
                                        : SLICE("could not be asked");
    step.where = result == OK ? match->where : SLICE("");
    (void)tell(r, &step);
}

static struct slice records_text(struct run *r, struct slice_list records)
{
    struct slice text = SLICE("");
    for (size_t i = 0; i < records.n && i < DNS_TOLD_MAX; i++) {
        const char *more = arena_printf(r->arena, "%.*s%s%.*s", SLICE_ARG(text), i ? ", " : "",
                                        SLICE_ARG(records.items[i]));
        text = more ? slice_cstr(more) : text;
    }
    return text;
}

static struct slice type_name(unsigned type)
{
    return type == POLICY_DNS_A      ? SLICE("A")
           : type == POLICY_DNS_NS   ? SLICE("NS")
           : type == POLICY_DNS_MX   ? SLICE("MX")
           : type == POLICY_DNS_TXT  ? SLICE("TXT")
           : type == POLICY_DNS_AAAA ? SLICE("AAAA")
                                     : SLICE("?");
}

void tell_dns(struct run *r, struct slice name, unsigned type, const struct dns_answer *a)
{
    struct policy_step step = {.kind = POLICY_STEP_DNS, .name = type_name(type), .key = name};
    if (!r->answers->story)
        return;
    step.found = a->outcome == POLICY_DNS_FOUND;
    step.result = step.found                         ? records_text(r, a->records)
                  : a->outcome == POLICY_DNS_NO_DATA ? SLICE("nothing of that type")
                  : a->outcome == POLICY_DNS_NO_NAME ? SLICE("no such name")
                                                     : SLICE("no answer for now");
    (void)tell(r, &step);
}

void tell_address(struct run *r, struct slice address, const struct policy_address *a)
{
    static const char *const classes[] = {[POLICY_CLASS_LOCAL] = "of a local domain",
                                          [POLICY_CLASS_ALIAS] = "of a virtual alias domain",
                                          [POLICY_CLASS_MAILBOX] = "of a virtual mailbox domain",
                                          [POLICY_CLASS_RELAY] = "of a relay domain",
                                          [POLICY_CLASS_OTHER] = "of a domain that is not ours"};
    static const char *const known[] = {[POLICY_LISTED] = "",
                                        [POLICY_UNLISTED] = ", nobody's",
                                        [POLICY_MALFORMED] = ", no address",
                                        [POLICY_BROKEN] = ", our tables are at fault",
                                        [POLICY_UNAVAILABLE] = ", a source could not be asked"};
    const struct policy_story *s = r->answers->story;
    for (size_t i = 0; s && i < s->n; i++) /* told once */
        if (s->items[i].kind == POLICY_STEP_ADDRESS && slice_eq(s->items[i].key, address))
            return;
    const char *text =
        s ? arena_printf(r->arena, "%s%s", classes[a->class], known[a->known]) : NULL;
    struct policy_step step = {.kind = POLICY_STEP_ADDRESS,
                               .name = a->rule,
                               .key = address,
                               .where = a->where,
                               .result = text ? slice_cstr(text) : SLICE(""),
                               .found = a->known == POLICY_LISTED};
    (void)tell(r, &step);
}
