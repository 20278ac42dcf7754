/* cmd_mail.c: MAIL: begins a transaction (RFC 5321 4.1.1.2 and the extensions' parameters). */
#include "proto/smtp/command.h"

#include <stdlib.h>

#include "base/log.h"
#include "mime/address.h"
#include "proto/smtp/param.h"

/* What MAIL said, checked, before there is a transaction. */
struct mail {
    struct address sender;
    bool smtputf8, body8bit, require_tls;
    struct slice ret, envid, auth;
    struct slice refused; /* the parameter that a refusal names, or empty */
};

/* Each returns the reply that refuses the parameter, or NULL. */
static const char *take_size(const struct smtp_session *s, struct slice value)
{
    uint64_t size, limit = s->config->size_limit;
    if (slice_parse_u64(value, UINT64_MAX / 2, &size) != OK)
        return "501 5.5.4 Bad message size syntax";
    /* RFC 1870 6.1 */
    if (limit && size > limit)
        return "552 5.3.4 Message size exceeds fixed limit";
    return NULL;
}

static const char *take_body(struct mail *m, struct slice value)
{
    m->body8bit = slice_is_nocase(value, "8BITMIME");
    if (!m->body8bit && !slice_is_nocase(value, "7BIT"))
        return smtp_unsupported;
    return NULL;
}

static const char *take_dsn(const struct smtp_session *s, struct mail *m,
                            const struct smtp_param *p)
{
    if (smtp_discards(s, "DSN"))
        return "501 5.7.1 DSN support is disabled";
    if (slice_is_nocase(p->keyword, "RET")) {
        if (m->ret.len ||
            (!slice_is_nocase(p->value, "FULL") && !slice_is_nocase(p->value, "HDRS")))
            return "501 5.5.4 Bad RET parameter syntax";
        m->ret = p->value;
        return NULL;
    }
    if (m->envid.len || !smtp_xtext_valid(p->value, SMTP_ENVID_MAX))
        return "501 5.5.4 Bad ENVID parameter syntax";
    m->envid = p->value;
    return NULL;
}

/* RFC 4954 5: who submitted it elsewhere, by the client's word alone: for commands that get the
 * mail. Where AUTH is not served it is taken, whatever its form, and dropped. */
static const char *take_auth(const struct smtp_session *s, struct mail *m, struct slice value)
{
    if (!s->config->mechanisms.len)
        return NULL;
    if (!smtp_xtext_valid(value, SMTP_ORCPT_MAX))
        return "501 5.5.4 Error: Bad AUTH parameter syntax";
    if (m->auth.len)
        return "503 5.5.4 Error: multiple AUTH= options";
    m->auth = value;
    return NULL;
}

/* RFC 8689 2: to be asked for only where it is offered, which is under TLS. */
static const char *take_require_tls(const struct smtp_session *s, struct mail *m,
                                    const struct smtp_param *p)
{
    if (smtp_discards(s, "REQUIRETLS"))
        return smtp_unsupported;
    if (p->has_value || m->require_tls)
        return "501 5.5.4 Bad REQUIRETLS parameter syntax";
    if (!s->tls)
        return "530 5.7.10 Error: REQUIRETLS needs a connection under TLS";
    m->require_tls = true;
    return NULL;
}

static const char *take_param(const struct smtp_session *s, struct mail *m,
                              const struct smtp_param *p)
{
    if (slice_is_nocase(p->keyword, "SMTPUTF8") && !p->has_value) {
        m->smtputf8 = true;
        return NULL;
    }
    if (slice_is_nocase(p->keyword, "REQUIRETLS"))
        return take_require_tls(s, m, p);
    if (!p->has_value)
        return smtp_unsupported;
    if (slice_is_nocase(p->keyword, "SIZE"))
        return take_size(s, p->value);
    if (slice_is_nocase(p->keyword, "BODY"))
        return take_body(m, p->value);
    if (slice_is_nocase(p->keyword, "RET") || slice_is_nocase(p->keyword, "ENVID"))
        return take_dsn(s, m, p);
    if (slice_is_nocase(p->keyword, "AUTH"))
        return take_auth(s, m, p->value);
    return smtp_unsupported;
}

/* "FROM:<path> params": the reply that refuses it, or NULL. */
static const char *parse(const struct smtp_session *s, struct slice args, struct mail *m)
{
    struct cursor c = cursor_of(args);
    if (!cursor_accept_nocase(&c, "FROM:"))
        return "501 5.5.4 Syntax: MAIL FROM:<address>";
    c.rest = slice_trim(c.rest);
    if (cursor_at_end(&c))
        return "501 5.5.4 Syntax: MAIL FROM:<address>";
    unsigned options = ADDRESS_UTF8 | ADDRESS_NULL | ADDRESS_NO_DOMAIN | ADDRESS_FINAL_DOT |
                       (s->config->strict_envelopes ? 0 : ADDRESS_BARE);
    if (address_parse_path(&c, options, &m->sender) != OK || smtp_address_odd(&m->sender))
        return "501 5.1.7 Bad sender address syntax";
    struct smtp_param p;
    for (unsigned n = 0; smtp_param_next(&c, &p); n++) {
        const char *refusal =
            n < SMTP_PARAMS_MAX ? take_param(s, m, &p) : "501 5.5.4 Error: too many parameters";
        m->refused = refusal == smtp_unsupported ? smtp_param_text(&p) : SLICE_NONE;
        if (refusal)
            return refusal;
    }
    if (!cursor_ok(&c))
        return "501 5.1.7 Bad sender address syntax";
    /* RFC 6531 3.4, 3.7.4.2 */
    if (m->sender.utf8 && !m->smtputf8)
        return "553 5.6.7 Error: SMTPUTF8 is required for this address";
    return NULL;
}

static struct smtp_tx *tx_new(const struct smtp_config *config)
{
    struct smtp_tx *tx = calloc(1, sizeof *tx);
    if (!tx)
        return NULL;
    arena_init(&tx->arena, SMTP_TX_BYTES_MAX);
    tx->id = config->new_id ? config->new_id() : log_id_new();
    return tx;
}

static void finish(struct smtp_session *s)
{
    smtp_reply(s, "250 2.1.0 Ok");
}

void cmd_mail(struct smtp_session *s, struct slice args)
{
    struct mail m = {0};
    const char *refusal = parse(s, args, &m);
    if (refusal) {
        smtp_reply(s, "%s%.*s", refusal, SLICE_ARG(m.refused));
        return;
    }
    struct smtp_tx *tx = s->tx = tx_new(s->config);
    if (tx) {
        tx->sender = smtp_full_address(s, tx, &m.sender);
        tx->sender_given = smtp_given_address(tx, &m.sender);
        tx->smtputf8 = m.smtputf8;
        tx->body8bit = m.body8bit;
        tx->require_tls = m.require_tls;
        tx->ret = arena_dup(&tx->arena, m.ret);
        tx->envid = arena_dup(&tx->arena, m.envid);
        tx->auth = slice_is(m.auth, "<>") ? SLICE("") : arena_dup(&tx->arena, m.auth);
    }
    if (!tx || arena_failed(&tx->arena)) {
        smtp_end_tx(s);
        smtp_reply(s, "452 4.3.1 Insufficient system storage");
        return;
    }
    smtp_ask_policy(s, SMTP_AT_MAIL, finish);
}
