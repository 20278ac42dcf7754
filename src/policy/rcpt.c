/* rcpt.c: may this client send to this recipient, and by which rule? The first that applies
 * decides. role/auth asks for every RCPT. */
#include "policy/policy.h"

enum result policy_service_parse(struct slice name, enum policy_service *ret)
{
    if (slice_is(name, "smtp"))
        *ret = POLICY_SMTP;
    else if (slice_is(name, "submission") || slice_is(name, "submissions"))
        *ret = POLICY_SUBMISSION;
    else if (slice_is(name, "lmtp"))
        *ret = POLICY_LMTP;
    else
        return INVALID;
    return OK;
}

/* What a rule works with. */
struct deciding {
    const struct policy_facts *facts;
    const struct conf *conf;
    struct arena *arena;
};

static struct slice source(const struct deciding *d, const char *setting)
{
    return slice_cstr(conf_source(d->conf, setting));
}

static struct decision permit(const char *rule, struct slice where)
{
    return (struct decision){250, "2.1.5", SLICE("Ok"), rule, where};
}

/* "<ADDRESS>: WHY", as Postfix words its refusals. */
static struct decision refuse(const struct deciding *d, unsigned code, const char *enhanced,
                              struct slice address, const char *why, const char *rule,
                              struct slice where)
{
    const char *text = arena_printf(d->arena, "<%.*s>: %s", SLICE_ARG(address), why);
    return (struct decision){code, enhanced, slice_cstr(text ? text : why), rule, where};
}

static bool logged_in(const struct policy_facts *f)
{
    return f->login.data != NULL;
}

/* RFC 6409 4.3: a submission server requires that its clients prove who they are. */
static bool unproven_submission(const struct deciding *d, struct decision *ret)
{
    if (d->facts->service != POLICY_SUBMISSION || logged_in(d->facts))
        return false;
    *ret = (struct decision){530, "5.7.0", SLICE("Authentication required"),
                             "reject_unauthenticated_submission", SLICE("")};
    return true;
}

/* The null sender is everybody's: a client's read receipts have it (RFC 8098 section 2.1). */
static bool foreign_sender(const struct deciding *d, struct decision *ret)
{
    const struct policy_facts *f = d->facts;
    if (!logged_in(f) || !d->conf->smtpd_sender_login_check || f->sender.len == 0 ||
        f->sender_owned)
        return false;
    const char *why = arena_printf(d->arena, "Sender address rejected: not owned by user %.*s",
                                   SLICE_ARG(f->login));
    *ret = refuse(d, 553, "5.7.1", f->sender, why ? why : "Sender address rejected",
                  "reject_sender_login_mismatch", source(d, "smtpd_sender_login_check"));
    return true;
}

static struct decision decide_foreign(const struct deciding *d)
{
    const struct policy_facts *f = d->facts;
    if (f->service != POLICY_LMTP && f->in_mynetworks)
        return permit("permit_mynetworks", source(d, "mynetworks"));
    if (f->service != POLICY_LMTP && logged_in(f))
        return permit("permit_sasl_authenticated", SLICE(""));
    return refuse(d, 554, "5.7.1", f->rcpt_text, "Relay access denied", "reject_unauth_destination",
                  source(d, "mydestination"));
}

static struct decision decide_local(const struct deciding *d)
{
    const struct policy_facts *f = d->facts;
    return permit(f->found_rule[0] ? f->found_rule : "permit_auth_destination", f->found_where);
}

struct decision policy_rcpt_decide(const struct policy_facts *f, const struct conf *c,
                                   struct arena *a)
{
    struct deciding d = {f, c, a};
    struct decision ret;
    if (unproven_submission(&d, &ret))
        return ret;
    /* RFC 5321 4.1.1.3: syntax before anything else about the recipient. */
    if (f->rcpt == POLICY_RCPT_MALFORMED)
        return refuse(&d, 501, "5.1.3", f->rcpt_text, "Bad recipient address syntax",
                      "reject_malformed_recipient", SLICE(""));
    if (foreign_sender(&d, &ret))
        return ret;
    switch (f->rcpt) {
    case POLICY_RCPT_LOCAL:
        return decide_local(&d);
    case POLICY_RCPT_FOREIGN:
        return decide_foreign(&d);
    case POLICY_RCPT_UNKNOWN:
        return refuse(&d, 550, "5.1.1", f->rcpt_text,
                      "Recipient address rejected: User unknown in local recipient table",
                      "reject_unlisted_recipient",
                      f->found_where.len ? f->found_where : source(&d, "users_file"));
    case POLICY_RCPT_BROKEN:
        return refuse(&d, 451, "4.3.5", f->rcpt_text,
                      "Recipient address rejected: Server "
                      "configuration error",
                      "alias_maps", f->found_where);
    default:
        return refuse(&d, 451, "4.3.0", f->rcpt_text,
                      "Recipient address rejected: Temporary lookup failure", "local_recipient",
                      SLICE(""));
    }
}
