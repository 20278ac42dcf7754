/* answers.c: what was asked and answered: a run finds here what an earlier one asked for. */
#include "policy/machine.h"

#include "mime/address.h"

enum { NAME_MAX_LEN = 253 };

struct policy_answer {
    struct policy_answer *next;
    struct policy_question question;
    struct policy_address address;
    struct dns_answer dns;
    enum result result;
    struct table_match match;
};

static bool same(const struct policy_question *a, const struct policy_question *b)
{
    return a->ask == b->ask && a->type == b->type && a->table == b->table &&
           slice_eq(a->key, b->key);
}

static const struct policy_answer *find(const struct policy_answers *as,
                                        const struct policy_question *q)
{
    for (const struct policy_answer *x = as->first; x; x = x->next)
        if (same(&x->question, q))
            return x;
    return NULL;
}

static struct policy_answer *new_answer(struct policy_answers *as, const struct policy_question *q)
{
    struct policy_answer *x = ARENA_NEW(as->arena, struct policy_answer);
    if (!x)
        return NULL;
    x->question = *q;
    x->question.key = arena_dup(as->arena, q->key);
    x->next = as->first;
    as->first = x;
    as->n++;
    return x;
}

void policy_answer_address(struct policy_answers *as, const struct policy_question *q,
                           const struct policy_address *address)
{
    struct policy_answer *x = new_answer(as, q);
    if (!x)
        return;
    x->address = *address;
    x->address.full = arena_dup(as->arena, address->full);
    x->address.rule = arena_dup(as->arena, address->rule);
    x->address.status = arena_dup(as->arena, address->status);
    x->address.text = arena_dup(as->arena, address->text);
    x->address.where = arena_dup(as->arena, address->where);
}

void policy_answer_dns(struct policy_answers *as, const struct policy_question *q,
                       enum policy_dns outcome, struct slice_list records)
{
    struct policy_answer *x = new_answer(as, q);
    struct slice *items = arena_alloc_n(as->arena, records.n + 1, sizeof *items);
    if (!x || !items)
        return;
    for (size_t i = 0; i < records.n; i++)
        items[i] = arena_dup(as->arena, records.items[i]);
    x->dns = (struct dns_answer){outcome, {items, records.n}};
}

void policy_answer_table(struct policy_answers *as, const struct policy_question *q, enum result r,
                         const struct table_match *match)
{
    struct policy_answer *x = new_answer(as, q);
    if (!x)
        return;
    x->result = r;
    if (r == OK) {
        x->match.value = arena_dup(as->arena, match->value);
        x->match.where = arena_dup(as->arena, match->where);
    }
}

void policy_answer_sleep(struct policy_answers *as, const struct policy_question *q)
{
    (void)new_answer(as, q);
}

/* ---- the machine's side ---- */

/* NULL: the question is put (or too many were: then the reply says so). */
static const struct policy_answer *ask(struct run *r, const struct policy_question *q)
{
    const struct policy_answer *x = find(r->answers, q);
    if (!x)
        *r->question = *q;
    return x;
}

bool ask_address(struct run *r, struct slice address, struct policy_address *ret)
{
    struct policy_question q = {.ask = POLICY_ASK_ADDRESS, .key = address};
    const struct policy_answer *x = ask(r, &q);
    if (x) {
        *ret = x->address;
        tell_address(r, address, ret);
    }
    return x != NULL;
}

bool ask_dns(struct run *r, struct slice name, unsigned type, struct dns_answer *ret)
{
    struct policy_question q = {.ask = POLICY_ASK_DNS, .type = type, .key = name};
    if (name.len == 0 || name.len > NAME_MAX_LEN) {
        *ret = (struct dns_answer){POLICY_DNS_NO_NAME, {NULL, 0}};
        return true;
    }
    const struct policy_answer *x = ask(r, &q);
    if (x) {
        *ret = x->dns;
        tell_dns(r, name, type, ret);
    }
    return x != NULL;
}

bool ask_table(struct run *r, const struct table *t, struct slice key, enum result *ret_result,
               struct table_match *ret)
{
    struct policy_question q = {.ask = POLICY_ASK_TABLE, .table = t, .key = key};
    struct error err = {""};
    if (key.len == 0 || key.len > TABLE_KEY_MAX) {
        *ret_result = NOT_FOUND;
        return true;
    }
    if (!table_waits(t)) {
        *ret_result = table_find(t, key, r->arena, ret, &err);
        if (*ret_result != OK && *ret_result != NOT_FOUND)
            add_note(r, "problem", slice_cstr(err.text));
        tell_table(r, t, key, *ret_result, ret);
        return true;
    }
    const struct policy_answer *x = ask(r, &q);
    if (!x)
        return false;
    *ret_result = x->result;
    *ret = x->match;
    tell_table(r, t, key, x->result, ret);
    return true;
}

/* One key in all tables: the first that has it (or fails) decides. */
static bool ask_tables(struct run *r, const struct tables *ts, struct slice key,
                       enum result *ret_result, struct table_match *ret)
{
    *ret_result = NOT_FOUND;
    for (size_t i = 0; i < ts->n && *ret_result == NOT_FOUND; i++)
        if (!ask_table(r, ts->items[i], key, ret_result, ret))
            return false;
    return true;
}

bool ask_tables_address(struct run *r, const struct tables *ts, struct slice address,
                        enum result *ret_result, struct table_match *ret)
{
    struct slice keys[5];
    struct slice domain = domain_of(address), user, detail;
    size_t n = 0, at = address.len - domain.len;
    struct slice local = slice_sub(address, 0, at ? at - 1 : address.len);
    address_split_detail(local, r->conf->recipient_delimiter, &user, &detail);
    bool extended = detail.data != NULL;
    struct arena *a = r->arena;
    keys[n++] = address;
    if (extended)
        keys[n++] = slice_cstr(arena_printf(a, "%.*s@%.*s", SLICE_ARG(user), SLICE_ARG(domain)));
    if (slice_eq_nocase(domain, r->conf->myorigin)) {
        keys[n++] = local;
        if (extended)
            keys[n++] = user;
    }
    if (domain.data)
        keys[n++] = slice_cstr(arena_printf(a, "@%.*s", SLICE_ARG(domain)));
    *ret_result = NOT_FOUND;
    for (size_t i = 0; i < n && *ret_result == NOT_FOUND; i++)
        if (!ask_tables(r, ts, keys[i], ret_result, ret))
            return false;
    return true;
}

bool slept(struct run *r, unsigned id, unsigned seconds)
{
    struct policy_question q = {.ask = POLICY_ASK_SLEEP, .type = id, .seconds = seconds};
    return seconds == 0 || ask(r, &q) != NULL;
}
