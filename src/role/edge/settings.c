/* settings.c: the configuration and the certificate in the form that connections use. Connections
 * keep those they began with; new ones get the new. */
#include <stdlib.h>

#include "content/set.h"
#include "policy/policy.h"
#include "role/checks.h"
#include "role/edge/edge.h"

enum { LOCAL_ERRORS_MAX = 2000 };

struct edge_settings *edge_settings_get(struct edge *e, const char *label)
{
    pthread_mutex_lock(&e->lock);
    struct edge_settings *s = e->settings;
    for (size_t i = 0; i < e->settings->n_services; i++)
        if (slice_is(e->settings->services[i]->label, label))
            s = e->settings->services[i];
    atomic_fetch_add(&s->refs, 1);
    pthread_mutex_unlock(&e->lock);
    return s;
}

void edge_settings_unref(struct edge_settings *s)
{
    if (!s || atomic_fetch_sub(&s->refs, 1) != 1)
        return;
    for (size_t i = 0; i < s->n_services; i++)
        edge_settings_unref(s->services[i]);
    content_set_unref(s->content);
    conf_unref(s->conf);
    edge_tls_release(s);
    for (size_t i = 0; i < 2 * OFFER_LINKS; i++)
        buf_release(&s->offers[i / OFFER_LINKS][i % OFFER_LINKS]);
    buf_release(&s->dovecot);
    free(s);
}

static struct slice offer(const struct edge_settings *s, bool smtp, enum offer_link link)
{
    struct slice text = buf_slice(&s->offers[smtp][link]);
    return text.data ? text : SLICE("");
}

/* "MECH", the name and what it is like, in Dovecot's words. */
static void put_dovecot_mechanism(const struct sasl_mechanism *m, struct buf *out)
{
    static const struct {
        unsigned property;
        const char *word;
    } words[] = {{SASL_IS_PLAINTEXT, "plaintext"},
                 {SASL_IS_ANONYMOUS, "anonymous"},
                 {SASL_IS_DICTIONARY, "dictionary"},
                 {SASL_IS_ACTIVE, "active"},
                 {SASL_IS_MUTUAL, "mutual-auth"}};
    buf_printf(out, "MECH\t%s", m->name);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (m->properties & words[i].property)
            buf_printf(out, "\t%s", words[i].word);
    buf_putc(out, '\n');
}

static void make_dovecot(struct edge_settings *s)
{
    struct slice rest = offer(s, false, OFFER_LOCAL);
    buf_init(&s->dovecot, 2048);
    while (rest.len) {
        const struct sasl_mechanism *m = sasl_find(slice_split(&rest, ' '));
        if (m)
            put_dovecot_mechanism(m, &s->dovecot);
    }
}

static void make_offers(struct edge_settings *s)
{
    for (size_t i = 0; i < 2 * OFFER_LINKS; i++) {
        struct buf *b = &s->offers[i / OFFER_LINKS][i % OFFER_LINKS];
        buf_init(b, 1024);
        offer_list(s->conf, i / OFFER_LINKS == 1, (enum offer_link)(i % OFFER_LINKS), b);
    }
}

/* The stages that auth must be asked about by themselves; VRFY is as good as RCPT, and which
 * domains ETRN is for only auth knows. */
static unsigned stages_asked(const struct conf *c)
{
    unsigned asks = 1u << SMTP_AT_RCPT | 1u << SMTP_AT_ETRN;
    for (unsigned stage = 0; stage < POLICY_STAGES; stage++)
        if (stage != POLICY_AT_RCPT && policy_asks(c, (enum policy_stage)stage))
            asks |= 1u << stage;
    return asks;
}

static bool rejects_bare_newline(const struct conf *c)
{
    if (c->smtpd_forbid_bare_newline.len == 0)
        return c->smtpd_reject_bare_newline;
    return slice_is_nocase(c->smtpd_forbid_bare_newline, "reject");
}

static void fill_smtp(struct edge_settings *s, enum smtp_service service)
{
    const struct conf *c = s->conf;
    bool auth = service == SMTP_SERVICE_SUBMISSION ||
                (service == SMTP_SERVICE_SMTP && c->smtpd_sasl_auth_enable);
    bool lmtp = service == SMTP_SERVICE_LMTP;
    bool sendmail = service == SMTP_SERVICE_SENDMAIL;
    bool tls = !sendmail && !slice_is(c->smtpd_tls_security_level, "none");
    s->smtp[service] = (struct smtp_config){
        .service = service,
        .hostname = c->myhostname,
        .system = c->mail_name,
        .banner = c->smtpd_banner,
        .origin = c->myorigin,
        .mechanisms = auth ? offer(s, true, OFFER_LOCAL) : SLICE_NONE,
        .mechanisms_clear = auth ? offer(s, true, OFFER_CLEAR) : SLICE_NONE,
        .mechanisms_tls = auth ? offer(s, true, OFFER_TLS) : SLICE_NONE,
        .mechanisms_certificate = auth ? offer(s, true, OFFER_CERTIFICATE) : SLICE_NONE,
        .auth_equals = c->broken_sasl_auth_clients,
        .tell_login = c->smtpd_sasl_authenticated_header,
        .tell_tls = c->smtpd_tls_received_header,
        .vrfy = !c->disable_vrfy_command,
        .starttls = tls && s->tls[EDGE_TLS_SMTP],
        .require_tls = tls && !lmtp && slice_is(c->smtpd_tls_security_level, "encrypt"),
        .helo_required = c->smtpd_helo_required,
        .reject_bare = rejects_bare_newline(c) && !sendmail,
        .size_limit = (uint64_t)c->message_size_limit,
        /* A list of an IPC message holds IPC_LIST_MAX entries; sendmail(1) sends pieces of 1000. */
        .recipient_limit =
            sendmail || c->smtpd_recipient_limit > 1000 ? 1000 : (uint32_t)c->smtpd_recipient_limit,
        /* One message may have that many recipients that don't exist. */
        .error_limit = sendmail ? LOCAL_ERRORS_MAX : (uint32_t)c->smtpd_hard_error_limit,
        .junk_limit = (uint32_t)c->smtpd_junk_command_limit,
        .hop_limit = (uint32_t)c->hopcount_limit,
        .asks = lmtp || sendmail ? 0 : stages_asked(c),
        .noop_commands = c->smtpd_noop_commands,
        .forbidden_commands = c->smtpd_forbidden_commands,
        .discarded_keywords = c->smtpd_discard_ehlo_keywords,
        .footer = c->smtpd_reject_footer,
        .strict_envelopes = c->strict_rfc821_envelopes,
        .soft_error_limit = sendmail ? 0 : (uint32_t)c->smtpd_soft_error_limit,
        .error_pause = (uint32_t)c->smtpd_error_sleep_time,
        .overshoot_limit = (uint32_t)c->smtpd_recipient_overshoot_limit,
    };
}

static void fill_login(struct edge_settings *s)
{
    static const enum offer_link links[] = {OFFER_LOCAL, OFFER_TLS, OFFER_CERTIFICATE};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        s->pop3[i] = (struct pop3_config){
            .greeting = s->conf->login_greeting,
            .mechanisms = offer(s, false, links[i]),
            .mechanisms_clear = offer(s, false, OFFER_CLEAR),
            .plaintext_clear =
                !s->conf->disable_plaintext_auth && !slice_is(s->conf->ssl, "required"),
            .stls = s->tls[EDGE_TLS_LOGIN] != NULL,
        };
        s->imap[i] = (struct imap_login_config){
            .greeting = s->conf->login_greeting,
            .mechanisms = s->pop3[i].mechanisms,
            .mechanisms_clear = s->pop3[i].mechanisms_clear,
            .plaintext_clear = s->pop3[i].plaintext_clear,
            .starttls = s->pop3[i].stls,
        };
    }
}

/* Takes the reference to the configuration. NULL: no memory. */
static struct edge_settings *settings_new(struct edge *e, const struct conf *c)
{
    struct edge_settings *s = calloc(1, sizeof *s);
    if (!s) {
        conf_unref(c);
        return NULL;
    }
    atomic_init(&s->refs, 1);
    s->conf = c;
    s->label = SLICE("");
    s->default_policy = policy_is_default(c);
    edge_tls_fill(e, s);
    make_offers(s);
    make_dovecot(s);
    for (int i = 0; i < SMTP_SERVICE_COUNT; i++)
        fill_smtp(s, (enum smtp_service)i);
    fill_login(s);
    return s;
}

static bool has_service(const struct edge_settings *s, struct slice label)
{
    for (size_t i = 0; i < s->n_services; i++)
        if (slice_eq(s->services[i]->label, label))
            return true;
    return false;
}

/* Those of all, unless the listener's mail is checked by other tables. */
static enum result add_content(struct edge *e, const struct edge_settings *all,
                               struct edge_settings *own)
{
    if (!checks_same(all->conf, own->conf))
        return edge_content_new(e, own->conf, &own->content);
    own->content = content_set_ref(all->content);
    return OK;
}

/* Listeners with settings of their own get them. */
static enum result add_services(struct edge *e, struct edge_settings *s)
{
    struct slice label;
    enum result r = OK;
    for (size_t i = 0; r == OK && (label = checks_label(s->conf, i)).data; i++) {
        const struct conf *c = conf_for_service(s->conf, label);
        if (c == s->conf || has_service(s, label) || s->n_services == EDGE_SERVICES_MAX)
            continue;
        struct edge_settings *own = settings_new(e, conf_ref(c));
        if (!own)
            return FAILED;
        own->label = label; /* of s->conf, which own->conf is part of */
        s->services[s->n_services++] = own;
        r = add_content(e, s, own);
    }
    return r;
}

enum result edge_settings_renew(struct edge *e, struct error *err)
{
    struct edge_settings *s = settings_new(e, role_conf(e->role));
    if (!s || edge_content_new(e, s->conf, &s->content) != OK || add_services(e, s) != OK) {
        edge_settings_unref(s);
        return error_set(err, FAILED, "no memory");
    }
    pthread_mutex_lock(&e->lock);
    struct edge_settings *old = e->settings;
    e->settings = s;
    pthread_mutex_unlock(&e->lock);
    edge_settings_unref(old);
    return OK;
}

/* ---- files ---- */

/* Before the start there are no settings yet, and nothing to renew. */
static void renew(struct edge *e)
{
    struct error err = {""};
    pthread_mutex_lock(&e->lock);
    bool running = e->settings != NULL;
    pthread_mutex_unlock(&e->lock);
    if (running && edge_settings_renew(e, &err) != OK)
        LOG(LOG_ERROR, "edge.settings", LOG_C("why", err.text));
}

void edge_take_secrets(struct edge *e, const struct role_secret *secrets, size_t n)
{
    pthread_mutex_lock(&e->lock);
    bool taken = edge_certificates_take(&e->certificates, secrets, n);
    pthread_mutex_unlock(&e->lock);
    if (!taken)
        LOG(LOG_ERROR, "tls.certificate", LOG_C("why", "no memory"));
    edge_keep_files(e, secrets, n);
    renew(e);
}
