/* run.c: the stages in their order, a list from its first rule to the one that decides, and the
 * rules that need no facts. */
#include "policy/machine.h"

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

/* ---- a list ---- */

static rule_fn *access_of(const char *acl)
{
    static const struct {
        const char *acl;
        rule_fn *run;
    } known[] = {
        {"check_client_access", rule_client_access}, {"check_helo_access", rule_helo_access},
        {"check_sender_access", rule_sender_access}, {"check_recipient_access", rule_rcpt_access},
        {"check_etrn_access", rule_etrn_access},
    };
    for (size_t i = 0; acl && i < sizeof known / sizeof *known; i++)
        if (strcmp(acl, known[i].acl) == 0)
            return known[i].run;
    return NULL;
}

/* A table without a word before it is the access map of the stage. */
static enum outcome run_rule(struct run *r, const struct rule *rule)
{
    if (rule->word)
        return rule->word->run(r, rule);
    rule_fn *access = access_of(r->subject.acl);
    return access ? access(r, rule)
                  : server_error(r, "which check_…_access is meant must stand before", rule->text);
}

static bool warns(const struct rule *rule)
{
    return rule->word && rule->word->run == rule_warn_if_reject;
}

static enum outcome run_rules(struct run *r, const struct list *l)
{
    for (size_t i = 0; i < l->n && !r->discarded; i++) {
        const struct rule *rule = &l->rules[i];
        r->rule = rule;
        r->list = l;
        r->decided_where = SLICE("");
        bool argued = rule->word && (rule->word->argument != ARG_NONE || rule->list);
        struct policy_step step = {.kind = POLICY_STEP_RULE,
                                   .name = rule->word ? slice_cstr(rule->word->name) : rule->text,
                                   .key = argued ? rule->text : SLICE(""),
                                   .where = l->where};
        size_t told = tell(r, &step);
        enum outcome o = run_rule(r, rule);
        tell_outcome(r, told, o);
        if (o == PENDING)
            return o;
        if (!warns(rule) && r->warn_depth >= r->depth)
            r->warn_depth = 0;
        if (o == PERMIT && l->n && r->decision->code == 0) {
            r->decision->rule = rule->word ? slice_cstr(rule->word->name) : rule->text;
            r->decision->where = r->decided_where.len ? r->decided_where : l->where;
        }
        if (o != DUNNO || (r->if_permit.active && r->if_reject.active))
            return o;
    }
    return DUNNO;
}

enum outcome run_list(struct run *r, const struct list *l)
{
    const struct list *outer = r->list;
    const struct rule *rule = r->rule;
    if (r->depth >= RECURSION_MAX)
        return server_error(r, "restrictions refer to one another in a circle", l->name);
    struct policy_step step = {.kind = POLICY_STEP_LIST, .name = l->name, .where = l->where};
    size_t told = tell(r, &step);
    r->depth++;
    enum outcome o = run_rules(r, l);
    tell_outcome(r, told, o);
    if (r->warn_depth >= r->depth)
        r->warn_depth = 0;
    r->depth--;
    r->list = outer;
    r->rule = rule;
    return o;
}

struct subject subject_swap(struct run *r, struct slice name, const char *class, const char *acl)
{
    struct subject before = r->subject;
    r->subject = (struct subject){name, class, acl};
    return before;
}

/* ---- rules that need no facts ---- */

enum outcome rule_permit(struct run *r, const struct rule *rule)
{
    (void)r, (void)rule;
    return PERMIT;
}

enum outcome rule_reject(struct run *r, const struct rule *rule)
{
    (void)rule;
    return refuse_subject(r, r->conf->reject_code, "5.7.1", "Access denied");
}

enum outcome rule_defer(struct run *r, const struct rule *rule)
{
    (void)rule;
    return refuse_subject(r, r->conf->defer_code, "4.3.2", "Try again later");
}

enum outcome rule_defer_if_permit(struct run *r, const struct rule *rule)
{
    (void)rule;
    return defer_if_permit(r, SLICE(""), 450, "4.7.0",
                           "<%.*s>: %s rejected: defer_if_permit requested",
                           SLICE_ARG(r->subject.name), r->subject.class);
}

enum outcome rule_defer_if_reject(struct run *r, const struct rule *rule)
{
    (void)rule;
    return defer_if_reject(r, 450, "4.7.0", "<%.*s>: %s rejected: defer_if_reject requested",
                           SLICE_ARG(r->subject.name), r->subject.class);
}

enum outcome rule_warn_if_reject(struct run *r, const struct rule *rule)
{
    (void)rule;
    if (!r->warn_depth)
        r->warn_depth = r->depth;
    return DUNNO;
}

enum outcome rule_sleep(struct run *r, const struct rule *rule)
{
    return slept(r, rule->id, rule->number) ? DUNNO : PENDING;
}

enum outcome rule_plaintext_session(struct run *r, const struct rule *rule)
{
    (void)rule;
    if (r->facts->tls)
        return DUNNO;
    return refuse(r, BY_POLICY, r->conf->plaintext_reject_code, "4.7.1",
                  "Session encryption is required");
}

enum outcome rule_pipelining(struct run *r, const struct rule *rule)
{
    (void)rule;
    if (!r->facts->pipelined)
        return DUNNO;
    return refuse_subject(r, 503, "5.5.0", "Improper use of SMTP command pipelining");
}

enum outcome rule_class(struct run *r, const struct rule *rule)
{
    return run_list(r, rule->list);
}

/* ---- the stages ---- */

static bool subject_of(struct run *r, enum policy_stage stage)
{
    const struct policy_facts *f = r->facts;
    switch (stage) {
    case POLICY_AT_CLIENT:
        r->subject = (struct subject){client_text(r), class_client, "check_client_access"};
        return true;
    case POLICY_AT_HELO:
        r->subject = (struct subject){f->helo, class_helo, "check_helo_access"};
        return f->helo.data != NULL;
    case POLICY_AT_MAIL:
        r->subject = (struct subject){f->sender, class_sender, "check_sender_access"};
        return f->sender.data != NULL;
    case POLICY_AT_RCPT:
        r->subject = (struct subject){f->rcpt, class_rcpt, "check_recipient_access"};
        return f->rcpt.data != NULL;
    case POLICY_AT_DATA:
        r->subject = (struct subject){SLICE("DATA"), "Data command", NULL};
        return true;
    case POLICY_AT_END:
        r->subject = (struct subject){SLICE("END-OF-MESSAGE"), "End-of-data", NULL};
        return true;
    default:
        r->subject = (struct subject){f->etrn, class_etrn, "check_etrn_access"};
        return f->etrn.data != NULL;
    }
}

/* The built-in end of MAIL's lists. */
static enum outcome end_mail(struct run *r)
{
    bool applies = r->conf->smtpd_reject_unlisted_sender && !r->sender_looked_up &&
                   r->facts->sender.len > 0 && !r->discarded;
    r->rule = NULL;
    return applies ? refuse_unlisted(r, r->facts->sender, true) : DUNNO;
}

/* One of the stages before RCPT: its permission means nothing beyond it. */
static enum outcome run_early(struct run *r, enum policy_stage stage)
{
    const struct list *l = &r->policy->stages[stage];
    r->if_reject.active = false;
    if ((l->n == 0 && stage != POLICY_AT_MAIL) || !subject_of(r, stage))
        return DUNNO;
    enum outcome o = l->n ? run_list(r, l) : DUNNO;
    if (stage == POLICY_AT_MAIL && (o == DUNNO || o == PERMIT))
        o = end_mail(r);
    return o == PERMIT ? DUNNO : o;
}

/* With smtpd_delay_reject = no they have had their say; what they wanted to be deferred still
 * holds. */
static enum outcome run_all_early(struct run *r)
{
    bool spoken = !r->conf->smtpd_delay_reject && r->stage != POLICY_AT_MAIL;
    for (enum policy_stage s = POLICY_AT_CLIENT; s <= POLICY_AT_MAIL; s++) {
        struct decision before = *r->decision;
        enum outcome o = run_early(r, s);
        if (o == PENDING || (o == REJECT && !spoken))
            return o;
        if (spoken)
            *r->decision = before;
    }
    return DUNNO;
}

static enum outcome end_rcpt(struct run *r, enum outcome o)
{
    if (o != REJECT && r->if_permit.active)
        return enforce(r, &r->if_permit);
    if (o == REJECT || r->rcpt_looked_up || r->discarded ||
        !r->conf->smtpd_reject_unlisted_recipient)
        return o;
    r->rule = NULL;
    enum outcome listed = refuse_unlisted(r, r->facts->rcpt, false);
    return listed == DUNNO ? o : listed;
}

static enum outcome run_rcpt(struct run *r)
{
    const struct list *lists[2] = {&r->policy->relay, &r->policy->stages[POLICY_AT_RCPT]};
    /* RFC 5321 4.5.1: <postmaster> hears everybody, whatever the lists say. */
    if (slice_is_nocase(r->facts->rcpt, "postmaster"))
        return refuse_unlisted(r, r->facts->rcpt, false);
    enum outcome o = run_all_early(r);
    if (o != DUNNO)
        return o;
    if (!r->conf->smtpd_relay_before_recipient_restrictions) {
        lists[0] = &r->policy->stages[POLICY_AT_RCPT];
        lists[1] = &r->policy->relay;
    }
    r->if_reject.active = false;
    (void)subject_of(r, POLICY_AT_RCPT);
    for (size_t i = 0; i < 2; i++) {
        o = run_list(r, lists[i]);
        if (o == REJECT || o == PENDING)
            return o;
    }
    return end_rcpt(r, o);
}

/* RFC 2033: what an LMTP client of ours may do is not for Postfix's lists: mail for those that are
 * here, and none for others. */
static enum outcome run_lmtp(struct run *r)
{
    struct policy_address address;
    (void)subject_of(r, POLICY_AT_RCPT);
    if (!ask_address(r, r->facts->rcpt, &address))
        return PENDING;
    if (address.class == POLICY_CLASS_OTHER && address.known == POLICY_LISTED) {
        r->decided_where = slice_cstr(conf_source(r->conf, "mydestination"));
        enum outcome o = refuse(r, BY_US, 554, "5.7.1", "<%.*s>: Relay access denied",
                                SLICE_ARG(r->facts->rcpt));
        r->decision->rule = SLICE("reject_unauth_destination");
        return o;
    }
    return refuse_unlisted(r, r->facts->rcpt, false);
}

static enum outcome run_other(struct run *r)
{
    enum outcome o;
    if (!subject_of(r, r->stage) || r->policy->stages[r->stage].n == 0)
        return DUNNO;
    o = run_list(r, &r->policy->stages[r->stage]);
    if (o != REJECT && o != PENDING && r->if_permit.active)
        return enforce(r, &r->if_permit);
    return o;
}

/* What is ours and stands before all lists. */
static enum outcome run_own(struct run *r)
{
    const struct policy_facts *f = r->facts;
    enum outcome o = DUNNO;
    struct policy_address address;
    r->rule = NULL;
    /* RFC 6409 4.3: a submission server requires that its clients prove who they are. */
    if (f->service == POLICY_SUBMISSION && !f->login.data) {
        o = refuse(r, BY_US, 530, "5.7.0", "Authentication required");
        r->decision->rule = SLICE("reject_unauthenticated_submission");
        return o;
    }
    /* RFC 5321 4.1.1.3: syntax before anything else about the recipient. */
    if (!ask_address(r, f->rcpt, &address))
        return PENDING;
    if (address.known == POLICY_MALFORMED) {
        o = refuse(r, BY_US, 501, "5.1.3", "<%.*s>: Bad recipient address syntax",
                   SLICE_ARG(f->rcpt));
        r->decision->rule = SLICE("reject_malformed_recipient");
        return o;
    }
    /* The null sender is everybody's: a client's read receipts have it (RFC 8098 section 2.1). */
    if (f->login.data && r->conf->smtpd_sender_login_check && f->sender.len && !f->sender_owned) {
        r->decided_where = slice_cstr(conf_source(r->conf, "smtpd_sender_login_check"));
        o = refuse(r, BY_US, 553, "5.7.1",
                   "<%.*s>: Sender address rejected: not owned by user %.*s", SLICE_ARG(f->sender),
                   SLICE_ARG(f->login));
        r->decision->rule = SLICE("reject_sender_login_mismatch");
    }
    return o;
}

static enum outcome run_stage(struct run *r)
{
    enum outcome o;
    if (r->stage == POLICY_AT_RCPT) {
        o = run_own(r);
        if (o != DUNNO)
            return o;
        return r->facts->service == POLICY_LMTP ? run_lmtp(r) : run_rcpt(r);
    }
    if (r->stage <= POLICY_AT_MAIL)
        return run_early(r, r->stage);
    return run_other(r);
}

/* Who let it in: for mail that is ours the table that has it says more than the list. */
static void say_permitted(struct run *r)
{
    struct decision *d = r->decision;
    struct policy_address address = {.class = POLICY_CLASS_OTHER};
    d->code = 250;
    d->enhanced = SLICE("2.1.5");
    d->text = SLICE("Ok");
    if (r->stage == POLICY_AT_RCPT && ask_address(r, r->facts->rcpt, &address) &&
        address.class != POLICY_CLASS_OTHER) {
        d->rule = address.rule.len ? address.rule : SLICE("permit_auth_destination");
        d->where = address.where;
    }
}

bool policy_run(const struct policy *p, enum policy_stage stage, const struct policy_facts *f,
                struct policy_answers *answers, struct arena *a, struct decision *ret,
                struct policy_question *ret_question)
{
    struct run r = {.policy = p,
                    .conf = p->conf,
                    .facts = f,
                    .stage = stage,
                    .answers = answers,
                    .arena = a,
                    .decision = ret,
                    .question = ret_question};
    *ret = (struct decision){.rule = SLICE(""), .where = SLICE("")};
    if (answers->story) {
        answers->story->n = 0;
        answers->story->cut = false;
    }
    enum outcome o = run_stage(&r);
    if (o == PENDING && (answers->n >= ANSWERS_MAX || arena_failed(answers->arena)))
        o = server_error(&r, "too many questions for one decision", SLICE("restrictions"));
    if (o == PENDING)
        return false;
    if (o != REJECT)
        say_permitted(&r);
    return true;
}
