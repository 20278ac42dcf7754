/* cmd_rcpt.c: RCPT: its form is checked here, then the driver is asked whether and where the mail
 * may go (RFC 5321 4.1.1.3, RFC 3461 4). */
#include "proto/smtp/command.h"

#include <stdio.h>

#include "mime/address.h"
#include "proto/smtp/param.h"

struct rcpt {
    struct address address;
    struct slice notify, orcpt;
    struct slice refused; /* the parameter that a refusal names, or empty */
};

static const char *take_param(const struct smtp_session *s, struct rcpt *r,
                              const struct smtp_param *p)
{
    if (!p->has_value)
        return smtp_unsupported;
    bool dsn = slice_is_nocase(p->keyword, "NOTIFY") || slice_is_nocase(p->keyword, "ORCPT");
    if (dsn && smtp_discards(s, "DSN"))
        return "501 5.7.1 DSN support is disabled";
    if (slice_is_nocase(p->keyword, "NOTIFY")) {
        if (r->notify.len || !smtp_notify_valid(p->value))
            return "501 5.5.4 Error: Bad NOTIFY parameter syntax";
        r->notify = p->value;
        return NULL;
    }
    if (slice_is_nocase(p->keyword, "ORCPT")) {
        if (r->orcpt.len || !smtp_orcpt_valid(p->value))
            return "501 5.5.4 Error: Bad ORCPT parameter syntax";
        r->orcpt = p->value;
        return NULL;
    }
    return smtp_unsupported;
}

/* "TO:<path> params": the reply that refuses it, or NULL. */
static const char *parse(const struct smtp_session *s, struct slice args, struct rcpt *r)
{
    struct cursor c = cursor_of(args);
    if (!cursor_accept_nocase(&c, "TO:"))
        return "501 5.5.4 Syntax: RCPT TO:<address>";
    c.rest = slice_trim(c.rest);
    if (cursor_at_end(&c))
        return "501 5.5.4 Syntax: RCPT TO:<address>";
    unsigned options = ADDRESS_UTF8 | ADDRESS_NO_DOMAIN | ADDRESS_FINAL_DOT |
                       (s->config->strict_envelopes ? 0 : ADDRESS_BARE);
    if (address_parse_path(&c, options, &r->address) != OK || smtp_address_odd(&r->address))
        return "501 5.1.3 Bad recipient address syntax";
    struct smtp_param p;
    for (unsigned n = 0; smtp_param_next(&c, &p); n++) {
        const char *refusal =
            n < SMTP_PARAMS_MAX ? take_param(s, r, &p) : "501 5.5.4 Error: too many parameters";
        r->refused = refusal == smtp_unsupported ? smtp_param_text(&p) : SLICE_NONE;
        if (refusal)
            return refusal;
    }
    if (!cursor_ok(&c))
        return "501 5.1.3 Bad recipient address syntax";
    if (r->address.utf8 && !s->tx->smtputf8)
        return "553 5.6.7 Error: SMTPUTF8 is required for this address";
    return NULL;
}

/* Room for one more recipient. Arrays in an arena grow by copying; the old one stays until the
 * transaction's end, which doubling bounds. */
static bool make_room(struct smtp_tx *tx)
{
    if (tx->n_rcpts < tx->room_rcpts)
        return true;
    uint32_t room = tx->room_rcpts ? tx->room_rcpts * 2 : 4;
    struct smtp_rcpt *bigger = arena_alloc_n(&tx->arena, room, sizeof *bigger);
    if (!bigger)
        return false;
    if (tx->n_rcpts)
        memcpy(bigger, tx->rcpts, tx->n_rcpts * sizeof *bigger);
    tx->rcpts = bigger;
    tx->room_rcpts = room;
    return true;
}

static void refuse(struct smtp_session *s, const char *reply, struct slice named)
{
    s->tx->refused++;
    smtp_reply(s, "%s%.*s", reply, SLICE_ARG(named));
}

void cmd_rcpt(struct smtp_session *s, struct slice args)
{
    struct smtp_tx *tx = s->tx;
    struct rcpt r = {0};
    const char *refusal = parse(s, args, &r);
    if (refusal) {
        refuse(s, refusal, r.refused);
        return;
    }
    /* RFC 5321 4.5.3.1.10 */
    if (tx->n_rcpts >= s->config->recipient_limit) {
        refuse(s, "452 4.5.3 Error: too many recipients", SLICE_NONE);
        if (s->overshoot < s->config->overshoot_limit) {
            s->overshoot++;
            s->errors--; /* RFC 5321 4.5.3.1.10: clients may try their luck */
        }
        return;
    }
    tx->rcpt_given = smtp_given_address(tx, &r.address);
    tx->being_asked = (struct smtp_rcpt){
        .address = smtp_full_address(s, tx, &r.address),
        .notify = arena_dup(&tx->arena, r.notify),
        .orcpt = arena_dup(&tx->arena, r.orcpt),
    };
    if (!make_room(tx) || arena_failed(&tx->arena)) {
        tx->arena.failed = false; /* what was taken before is whole */
        refuse(s, "452 4.5.3 Error: too many recipients", SLICE_NONE);
        return;
    }
    s->request->rcpt = tx->being_asked.address;
    smtp_ask(s, SMTP_WANT_RCPT);
}

/* False: the transaction has no room for it. */
static bool keep(struct smtp_tx *tx, struct slice_list targets, struct slice grant)
{
    struct smtp_rcpt *r = &tx->being_asked;
    struct slice *items = arena_alloc_n(&tx->arena, targets.n, sizeof *items);
    for (size_t i = 0; items && i < targets.n; i++)
        items[i] = arena_dup(&tx->arena, targets.items[i]);
    r->targets = (struct slice_list){items, targets.n};
    r->grant = arena_dup(&tx->arena, grant);
    if (arena_failed(&tx->arena)) {
        tx->arena.failed = false;
        return false;
    }
    tx->rcpts[tx->n_rcpts++] = *r;
    return true;
}

void smtp_rcpt_accepted(struct smtp_session *s, struct slice_list targets, struct slice grant,
                        struct slice words, struct buf *out)
{
    s->waiting = 0;
    s->out = out;
    if (keep(s->tx, targets, grant))
        smtp_reply(s, "250 2.1.5 Ok%s%.*s", words.len ? ": " : "", SLICE_ARG(words));
    else
        refuse(s, "452 4.5.3 Error: too many recipients", SLICE_NONE);
}

void smtp_rcpt_refused(struct smtp_session *s, unsigned code, struct slice enhanced,
                       struct slice text, struct buf *out)
{
    s->waiting = 0;
    s->out = out;
    s->tx->refused++;
    /* RFC 5321 4.2.1: whatever the driver says, it is a refusal. */
    if (code < 400 || code > 599)
        code = 451;
    smtp_reply(s, "%u %.*s %.*s", code, SLICE_ARG(enhanced), SLICE_ARG(text));
    s->refused = false; /* the driver knows more about it than we do, and logs it */
    if (code == 421 || code == 521)
        s->closing = true;
}
