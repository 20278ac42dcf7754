/* test_policy.c: restrictions as a table: lists of a configuration, a client and an envelope, the
 * reply. The world around is this file's: a directory of two recipients, a zone of a few names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "policy/policy.h"
#include "base/template.h"

enum { TABLES_MAX = 64, QUESTIONS_MAX = 200 };

static const struct table *opened[TABLES_MAX];
static size_t n_opened;

static const struct table *find_table(void *arg, struct slice spec)
{
    struct error err = {""};
    const struct table *t = NULL;
    (void)arg;
    assert_true(n_opened < TABLES_MAX);
    if (table_open(spec, NULL, NULL, NULL, &t, &err) != OK)
        fail_msg("%.*s: %s", SLICE_ARG(spec), err.text);
    return opened[n_opened++] = t;
}

static void close_tables(void)
{
    while (n_opened)
        table_close(opened[--n_opened]);
}

static const struct conf *conf_of(const char *text)
{
    char whole[4096];
    const struct conf *c = NULL;
    struct conf_errors errors;
    snprintf(whole, sizeof whole,
             "myhostname = h.test\nmydestination = h.test\nmynetworks = 10.0.0.0/8\n"
             "%s%s\n",
             strstr(text, "login_check") ? "" : "smtpd_sender_login_check = no\n", text);
    conf_errors_init(&errors);
    if (conf_parse(slice_cstr(whole), "t.conf", &c, &errors) != OK)
        fail_msg("%.*s", SLICE_ARG(buf_slice(&errors.text)));
    conf_errors_release(&errors);
    return c;
}

/* "name type outcome or record"; outcomes: ! no data, ? try again; what is not here is no name. */
static const struct {
    const char *name;
    unsigned type;
    const char *record;
} zone[] = {
    {"good.test", POLICY_DNS_MX, "10 mx.good.test"},
    {"mx.good.test", POLICY_DNS_A, "192.0.2.25"},
    {"onlya.test", POLICY_DNS_A, "192.0.2.26"},
    {"onlya.test", POLICY_DNS_MX, "!"},
    {"null.test", POLICY_DNS_MX, "0 "},
    {"slow.test", POLICY_DNS_MX, "?"},
    {"slow.test", POLICY_DNS_A, "?"},
    {"good.test", POLICY_DNS_NS, "ns.bad.test"},
    {"sub.good.test", POLICY_DNS_NS, "!"},
    {"ns.bad.test", POLICY_DNS_A, "203.0.113.53"},
    {"backup.test", POLICY_DNS_MX, "20 h.test"},
    {"h.test", POLICY_DNS_A, "192.0.2.99"},
    {"1.2.0.192.bl.test", POLICY_DNS_A, "127.0.0.4"},
    {"1.2.0.192.bl.test", POLICY_DNS_TXT, "listed for fun"},
    {"1.2.0.192.wl.test", POLICY_DNS_A, "127.0.0.2"},
    {"1.2.0.192.slowlist.test", POLICY_DNS_A, "?"},
    {"good.test.rhs.test", POLICY_DNS_A, "127.0.0.2"},
};

static void answer_dns(struct policy_answers *as, const struct policy_question *q)
{
    struct slice records[4];
    size_t n = 0;
    enum policy_dns outcome = POLICY_DNS_NO_NAME;
    for (size_t i = 0; i < sizeof zone / sizeof *zone; i++) {
        if (!slice_is(q->key, zone[i].name) || q->type != zone[i].type)
            continue;
        outcome = zone[i].record[0] == '!'   ? POLICY_DNS_NO_DATA
                  : zone[i].record[0] == '?' ? POLICY_DNS_TEMPORARY
                                             : POLICY_DNS_FOUND;
        if (outcome == POLICY_DNS_FOUND)
            records[n++] = slice_cstr(zone[i].record);
    }
    policy_answer_dns(as, q, outcome, (struct slice_list){records, n});
}

static void answer_address(struct policy_answers *as, const struct policy_question *q)
{
    char full[300];
    bool domain = slice_find(q->key, '@') != SIZE_MAX;
    snprintf(full, sizeof full, "%.*s%s", SLICE_ARG(q->key), domain ? "" : "@h.test");
    bool ours = slice_ends_nocase(slice_cstr(full), SLICE("@h.test"));
    bool bob = strncmp(full, "bob", 3) == 0;
    struct policy_address a = {
        .known = ours && !bob ? POLICY_UNLISTED : POLICY_LISTED,
        .class = ours ? POLICY_CLASS_LOCAL : POLICY_CLASS_OTHER,
        .full = slice_cstr(full),
        .rule = ours && bob ? SLICE("users_file") : SLICE(""),
        .where = SLICE(""),
    };
    if (strncmp(full, "malformed", 9) == 0)
        a.known = POLICY_MALFORMED;
    if (strncmp(full, "broken", 6) == 0)
        a.known = POLICY_BROKEN;
    if (strncmp(full, "away", 4) == 0)
        a.known = POLICY_UNAVAILABLE;
    policy_answer_address(as, q, &a);
}

static unsigned slept_s;

static void answer(struct policy_answers *as, const struct policy_question *q)
{
    switch (q->ask) {
    case POLICY_ASK_ADDRESS:
        answer_address(as, q);
        break;
    case POLICY_ASK_DNS:
        answer_dns(as, q);
        break;
    case POLICY_ASK_SLEEP:
        slept_s += q->seconds;
        policy_answer_sleep(as, q);
        break;
    default:
        fail_msg("no table here waits");
    }
}

/* "code enhanced text" and what else was decided. */
static void decide(const struct policy *p, enum policy_stage stage, const struct policy_facts *f,
                   struct arena *a, struct decision *ret)
{
    struct policy_answers answers = {.arena = a};
    struct policy_question q;
    unsigned asked = 0;
    while (!policy_run(p, stage, f, &answers, a, ret, &q)) {
        assert_true(asked++ < QUESTIONS_MAX);
        answer(&answers, &q);
    }
}

/* The steps of a story, shortened, which is that of the last run alone. */
static void tell_all(const struct policy *p, const struct policy_facts *f, struct arena *a,
                     size_t room, struct buf *out, bool *ret_cut)
{
    struct policy_step steps[100];
    struct policy_story story = {.items = steps, .size = room};
    struct policy_answers answers = {.arena = a, .story = &story};
    struct policy_question q;
    struct decision d;
    while (!policy_run(p, POLICY_AT_RCPT, f, &answers, a, &d, &q))
        answer(&answers, &q);
    for (size_t i = 0; i < story.n; i++)
        buf_printf(out, "%u %.*s %.*s: %.*s\n", steps[i].depth, SLICE_ARG(steps[i].name),
                   SLICE_ARG(steps[i].key), SLICE_ARG(steps[i].result));
    *ret_cut = story.cut;
}

static struct policy_facts stranger(void)
{
    return (struct policy_facts){
        .service = POLICY_SMTP,
        .ip = SLICE("192.0.2.1"),
        .ip_proven = true,
        .name = SLICE("client.good.test"),
        .reverse_name = SLICE("client.good.test"),
        .helo = SLICE("helo.test"),
        .esmtp = true,
        .sasl = true,
        .sender = SLICE("s@good.test"),
        .rcpt = SLICE("bob@h.test"),
    };
}

/* One word of a case's facts: "ip=…", "name=", "helo=", "from=", "to=", "login=", "n=", flags. */
static void set_fact(struct policy_facts *f, struct slice word)
{
    struct slice value = word, key = slice_split(&value, '=');
    if (!value.data)
        value = SLICE("");
    struct {
        const char *key;
        struct slice *at;
    } texts[] = {{"ip", &f->ip},       {"name", &f->name},   {"reverse", &f->reverse_name},
                 {"helo", &f->helo},   {"from", &f->sender}, {"to", &f->rcpt},
                 {"login", &f->login}, {"etrn", &f->etrn}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (slice_is(key, texts[i].key))
            *texts[i].at = value.len ? value : SLICE("");
    f->tls |= slice_is(key, "tls");
    f->pipelined |= slice_is(key, "pipelined");
    if (slice_is(key, "unproven"))
        f->ip_proven = false;
    if (slice_is(key, "unnamed"))
        f->name_status = f->reverse_status = POLICY_NAME_NONE;
    if (slice_is(key, "forged"))
        f->name_status = POLICY_NAME_FORGED;
    if (slice_is(key, "slowname"))
        f->name_status = f->reverse_status = POLICY_NAME_TEMPORARY;
    if (slice_is(key, "two"))
        f->n_rcpts = 2;
    if (slice_is(key, "nohelo"))
        f->helo = SLICE_NONE;
    if (slice_is(key, "submission"))
        f->service = POLICY_SUBMISSION;
    if (slice_is(key, "lmtp"))
        f->service = POLICY_LMTP;
}

static const struct policy *policy_of(const struct conf *c)
{
    const struct policy *p = NULL;
    struct policy_tables tables = {find_table, NULL};
    struct conf_errors errors;
    conf_errors_init(&errors);
    if (policy_new(c, &tables, &errors, &p) != OK)
        fail_msg("%.*s", SLICE_ARG(buf_slice(&errors.text)));
    conf_errors_release(&errors);
    return p;
}

static unsigned wrong; /* cases with another reply than expected */

struct test_case {
    const char *conf, *facts, *reply;
};

static void run_case(const struct test_case *t, enum policy_stage stage)
{
    static struct slice own_ip = {"192.0.2.99", 10};
    static const struct slice_list own = {&own_ip, 1};
    const struct conf *c = conf_of(t->conf);
    const struct policy *p = policy_of(c);
    struct policy_facts f = stranger();
    struct slice rest = slice_cstr(t->facts);
    struct decision d;
    struct arena a;
    char got[600];
    f.own_ips = &own;
    while (rest.data)
        set_fact(&f, slice_split(&rest, ' '));
    arena_init(&a, 1 << 20);
    decide(p, stage, &f, &a, &d);
    snprintf(got, sizeof got, "%u %.*s %.*s", d.code, SLICE_ARG(d.enhanced), SLICE_ARG(d.text));
    if (strcmp(got, t->reply) != 0) {
        fprintf(stderr, "%s | %s:\n got  %s\n want %s\n", t->conf, t->facts, got, t->reply);
        wrong++;
    }
    arena_release(&a);
    policy_free(p);
    conf_unref(c);
    close_tables();
}

#define OK_REPLY "250 2.1.5 Ok"
#define CLIENT(list) "smtpd_client_restrictions = " list
#define HELO(list) "smtpd_helo_restrictions = " list
#define SENDER(list) "smtpd_sender_restrictions = " list
#define RCPT(list) "smtpd_recipient_restrictions = " list
#define ACCESS(value) CLIENT("check_client_access inline:{{192.0.2.1 = " value "}}")
#define DENIED "554 5.7.1 <client.good.test[192.0.2.1]>: Client host rejected: Access denied"
#define NO_RELAY "554 5.7.1 <x@far.test>: Relay access denied"

static void recipients(void **state)
{
    static const struct test_case cases[] = {
        /* the defaults */
        {"", "", OK_REPLY},
        {"", "to=x@far.test", NO_RELAY},
        {"", "to=x@far.test ip=10.1.2.3", OK_REPLY},
        {"", "to=x@far.test ip=10.1.2.3 unproven", NO_RELAY},
        {"", "to=x@far.test login=u", OK_REPLY},
        {"", "to=nobody@h.test",
         "550 5.1.1 <nobody@h.test>: Recipient address rejected: User unknown in local recipient "
         "table"},
        {"show_user_unknown_table_name = no", "to=nobody@h.test login=u",
         "550 5.1.1 <nobody@h.test>: Recipient address rejected: User unknown"},
        {"smtpd_reject_unlisted_recipient = no", "to=nobody@h.test", OK_REPLY},
        {"", "to=malformed@h.test", "501 5.1.3 <malformed@h.test>: Bad recipient address syntax"},
        {"", "to=broken@h.test",
         "451 4.3.5 <broken@h.test>: Recipient address rejected: Server configuration error"},
        {"", "to=away@h.test",
         "451 4.3.0 <away@h.test>: Recipient address rejected: Temporary lookup failure"},
        {"", "submission", "530 5.7.0 Authentication required"},
        {"", "submission login=u to=x@far.test", OK_REPLY},
        {"", "lmtp to=x@far.test login=u ip=10.1.2.3", NO_RELAY},
        {"", "lmtp to=nobody@h.test",
         "550 5.1.1 <nobody@h.test>: Recipient address rejected: User unknown in local recipient "
         "table"},
        {"smtpd_sender_login_check = yes", "login=u from=", OK_REPLY},
        {"smtpd_sender_login_check = yes", "login=u",
         "553 5.7.1 <s@good.test>: Sender address rejected: not owned by user u"},
        {"smtpd_relay_restrictions = permit_auth_destination, reject", "to=x@far.test",
         "554 5.7.1 <x@far.test>: Recipient address rejected: Access denied"},
        {"smtpd_relay_restrictions = defer_unauth_destination", "to=x@far.test",
         "454 4.7.1 <x@far.test>: Relay access denied"},
        {"soft_bounce = yes", "to=x@far.test", "454 4.7.1 <x@far.test>: Relay access denied"},
        /* generic words */
        {CLIENT("reject"), "", DENIED},
        {CLIENT("permit, reject"), "", OK_REPLY},
        {CLIENT("permit"), "to=x@far.test", NO_RELAY},
        {HELO("defer"), "", "450 4.3.2 <helo.test>: Helo command rejected: Try again later"},
        {HELO("reject"), "nohelo", OK_REPLY},
        {SENDER("reject"), "from=", "554 5.7.1 <>: Sender address rejected: Access denied"},
        {CLIENT("warn_if_reject reject, warn_if_reject, permit"), "", OK_REPLY},
        {CLIENT("warn_if_reject reject, reject"), "", DENIED},
        {CLIENT("defer_if_permit"), "",
         "450 4.7.0 <client.good.test[192.0.2.1]>: Client host rejected: defer_if_permit "
         "requested"},
        {CLIENT("defer_if_permit"), "to=x@far.test", NO_RELAY},
        {RCPT("defer_if_reject, reject"), "",
         "450 4.7.0 <bob@h.test>: Recipient address rejected: defer_if_reject requested"},
        {CLIENT("reject_plaintext_session"), "", "450 4.7.1 Session encryption is required"},
        {CLIENT("reject_plaintext_session"), "tls", OK_REPLY},
        {CLIENT("reject_unauth_pipelining"), "pipelined",
         "503 5.5.0 <client.good.test[192.0.2.1]>: Client host rejected: Improper use of SMTP "
         "command "
         "pipelining"},
        {"smtpd_restriction_classes = mine\nmine = permit_mynetworks, reject\n" CLIENT("mine"), "",
         DENIED},
        {"smtpd_restriction_classes = mine\nmine = mine\n" CLIENT("mine"), "",
         "451 4.3.5 Server configuration error"},
        /* the client */
        {CLIENT("permit_mynetworks, reject"), "ip=10.9.9.9", OK_REPLY},
        {CLIENT("permit_inet_interfaces, reject"), "ip=192.0.2.99", OK_REPLY},
        {CLIENT("reject_unknown_client_hostname"), "forged",
         "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]"},
        {"unknown_client_reject_code = 550\n" CLIENT("reject_unknown_client_hostname"), "unnamed",
         "550 5.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]"},
        {"unknown_client_reject_code = 550\n" CLIENT("reject_unknown_client_hostname"), "slowname",
         "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]"},
        {CLIENT("reject_unknown_reverse_client_hostname"), "forged", OK_REPLY},
        {CLIENT("reject_unknown_reverse_client_hostname"), "unnamed",
         "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]"},
        /* helo */
        {HELO("reject_invalid_helo_hostname"), "helo=a..b",
         "501 5.5.2 <a..b>: Helo command rejected: Invalid name"},
        {HELO("reject_invalid_helo_hostname"), "helo=localhost", OK_REPLY},
        {HELO("reject_invalid_helo_hostname"), "helo=[1.2.3]",
         "501 5.5.2 <[1.2.3]>: Helo command rejected: invalid ip address"},
        {HELO("reject_non_fqdn_helo_hostname"), "helo=localhost",
         "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname"},
        {HELO("reject_unknown_helo_hostname"), "helo=no.test",
         "450 4.7.1 <no.test>: Helo command rejected: Host not found"},
        {HELO("reject_unknown_helo_hostname"), "helo=good.test", OK_REPLY},
        /* addresses */
        {SENDER("reject_non_fqdn_sender"), "from=me",
         "504 5.5.2 <me>: Sender address rejected: need fully-qualified address"},
        {RCPT("reject_non_fqdn_recipient"), "to=bob",
         "504 5.5.2 <bob>: Recipient address rejected: need fully-qualified address"},
        {SENDER("reject_unknown_sender_domain"), "from=x@no.test",
         "450 4.1.8 <x@no.test>: Sender address rejected: Domain not found"},
        {SENDER("reject_unknown_sender_domain"), "from=x@onlya.test", OK_REPLY},
        {SENDER("reject_unknown_sender_domain"), "from=x@null.test",
         "550 5.7.27 <x@null.test>: Sender address rejected: Domain null.test does not accept mail "
         "(nullMX)"},
        {SENDER("reject_unknown_sender_domain"), "from=x@slow.test",
         "450 4.1.8 <x@slow.test>: Sender address rejected: Domain not found"},
        {SENDER("reject_unknown_sender_domain") "\n" RCPT("reject"), "from=x@slow.test",
         "554 5.7.1 <bob@h.test>: Recipient address rejected: Access denied"},
        {RCPT("reject_unknown_recipient_domain"), "to=x@no.test login=u",
         "450 4.1.2 <x@no.test>: Recipient address rejected: Domain not found"},
        {"smtpd_reject_unlisted_sender = yes", "from=nobody@h.test",
         "550 5.1.0 <nobody@h.test>: Sender address rejected: User unknown in local recipient "
         "table"},
        {SENDER("reject_unlisted_sender"), "from=nobody@h.test",
         "550 5.1.0 <nobody@h.test>: Sender address rejected: User unknown in local recipient "
         "table"},
        {RCPT("reject_multi_recipient_bounce"), "from= two",
         "550 5.5.3 <bob@h.test>: Recipient address rejected: Multi-recipient bounce"},
        {"smtpd_sender_login_maps = inline:{{s@good.test = u v}}\n" SENDER(
             "reject_sender_login_mismatch"),
         "login=w", "553 5.7.1 <s@good.test>: Sender address rejected: not owned by user w"},
        {"smtpd_sender_login_maps = inline:{{s@good.test = u v}}\n" SENDER(
             "reject_sender_login_mismatch"),
         "login=v", OK_REPLY},
        {"smtpd_sender_login_maps = inline:{{s@good.test = u v}}\n" SENDER(
             "reject_sender_login_mismatch"),
         "", "553 5.7.1 <s@good.test>: Sender address rejected: not logged in"},
        {RCPT("permit_mx_backup, reject"), "to=x@backup.test login=u", OK_REPLY},
        {RCPT("permit_mx_backup, reject"), "to=x@good.test login=u",
         "554 5.7.1 <x@good.test>: Recipient address rejected: Access denied"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_case(&cases[i], POLICY_AT_RCPT);
    assert_int_equal(wrong, 0);
}

static void access_tables(void **state)
{
    static const struct test_case cases[] = {
        {ACCESS("OK"), "", OK_REPLY},
        {ACCESS("DUNNO"), "", OK_REPLY},
        {ACCESS("12345"), "", OK_REPLY},
        {ACCESS("REJECT"), "", DENIED},
        {ACCESS("reject go away"), "",
         "554 5.7.1 <client.good.test[192.0.2.1]>: Client host rejected: go away"},
        {ACCESS("REJECT 5.1.1 go"), "",
         "554 5.0.0 <client.good.test[192.0.2.1]>: Client host rejected: go"},
        {ACCESS("550 text"), "",
         "550 5.7.1 <client.good.test[192.0.2.1]>: Client host rejected: text"},
        {ACCESS("450 4.2.2 text"), "",
         "450 4.2.2 <client.good.test[192.0.2.1]>: Client host rejected: text"},
        {ACCESS("DEFER"), "",
         "450 4.7.1 <client.good.test[192.0.2.1]>: Client host rejected: Access denied"},
        {ACCESS("DEFER_IF_PERMIT"), "",
         "450 4.7.1 <client.good.test[192.0.2.1]>: Client host rejected: Service unavailable"},
        {ACCESS("DEFER_IF_PERMIT later") "\n" RCPT("reject"), "",
         "554 5.7.1 <bob@h.test>: Recipient address rejected: Access denied"},
        {CLIENT("check_client_access inline:{{192.0.2.1 = DEFER_IF_REJECT later}}, reject"), "",
         "450 4.7.1 <client.good.test[192.0.2.1]>: Client host rejected: later"},
        {ACCESS("permit_mynetworks, reject"), "", DENIED},
        {ACCESS("nonsense"), "", "451 4.3.5 Server configuration error"},
        {ACCESS("FILTER nonsense"), "", "451 4.3.5 Server configuration error"},
        {ACCESS("REDIRECT nobody"), "", "451 4.3.5 Server configuration error"},
        {ACCESS("WARN look"), "", OK_REPLY},
        {ACCESS("DISCARD") "\n" RCPT("reject"), "", OK_REPLY},
        /* keys */
        {CLIENT("check_client_access inline:{{192.0.2 = REJECT}}"), "", DENIED},
        {CLIENT("check_client_access inline:{{good.test = REJECT}}"), "", DENIED},
        {"parent_domain_matches_subdomains =\n" CLIENT(
             "check_client_access inline:{{good.test = REJECT}}"),
         "", OK_REPLY},
        {"parent_domain_matches_subdomains =\n" CLIENT(
             "check_client_access inline:{{.good.test = REJECT}}"),
         "", DENIED},
        {CLIENT("check_client_access inline:{{client.good.test = DUNNO}, {good.test = REJECT}}"),
         "", OK_REPLY},
        {CLIENT("check_client_access inline:{{2001:db8 = REJECT}}"), "ip=2001:db8::1 name=unknown",
         "554 5.7.1 <unknown[2001:db8::1]>: Client host rejected: Access denied"},
        {CLIENT("inline:{{192.0.2.1 = REJECT}}"), "", DENIED},
        {CLIENT("check_client_access cidr:{{192.0.2.0/24 REJECT}}"), "", DENIED},
        {CLIENT("check_reverse_client_hostname_access inline:{{good.test = REJECT}}"), "",
         "554 5.7.1 <client.good.test>: Unverified Client host rejected: Access denied"},
        {HELO("check_helo_access inline:{{helo.test = REJECT}}"), "",
         "554 5.7.1 <helo.test>: Helo command rejected: Access denied"},
        {SENDER("check_sender_access inline:{{s@ = REJECT}}"), "",
         "554 5.7.1 <s@good.test>: Sender address rejected: Access denied"},
        {SENDER("check_sender_access inline:{{<> = REJECT}}"),
         "from=", "554 5.7.1 <>: Sender address rejected: Access denied"},
        {SENDER("check_sender_access inline:{{good.test = 550 5.1.1 no}}"), "",
         "550 5.1.7 <s@good.test>: Sender address rejected: no"},
        {RCPT("check_recipient_access inline:{{bob@h.test = REJECT}}"), "to=bob+x@h.test",
         "554 5.7.1 <bob+x@h.test>: Recipient address rejected: Access denied"},
        {RCPT("check_recipient_access inline:{{h.test = reject_unknown_sender_domain}}"),
         "from=x@no.test", "450 4.1.8 <x@no.test>: Sender address rejected: Domain not found"},
        {CLIENT("check_sasl_access inline:{{u = REJECT}}"), "login=u",
         "554 5.7.1 <u>: SASL login name rejected: Access denied"},
        /* servers */
        {SENDER("check_sender_mx_access inline:{{192.0.2.25 = REJECT}}"), "",
         "554 5.7.1 <s@good.test>: Sender address rejected: Access denied"},
        {SENDER("check_sender_mx_access inline:{{192.0.2.26 = REJECT}}"), "from=x@onlya.test",
         "554 5.7.1 <x@onlya.test>: Sender address rejected: Access denied"},
        {SENDER("check_sender_ns_access inline:{{bad.test = REJECT}}"), "from=x@sub.good.test",
         "554 5.7.1 <x@sub.good.test>: Sender address rejected: Access denied"},
        {SENDER("check_sender_a_access inline:{{192.0.2.26 = REJECT}}"), "from=x@onlya.test",
         "554 5.7.1 <x@onlya.test>: Sender address rejected: Access denied"},
        {SENDER("check_sender_mx_access inline:{{192.0.2.25 = OK}}"), "",
         "451 4.3.5 Server configuration error"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_case(&cases[i], POLICY_AT_RCPT);
    assert_int_equal(wrong, 0);
}

static void the_story(void **state)
{
    static const char told[] = "0 users_file bob@h.test: of a local domain\n"
                               "0 smtpd_client_restrictions : refuses\n"
                               "1 permit_mynetworks : goes on\n"
                               "1 reject_rbl_client bl.test: refuses\n"
                               "1 A 1.2.0.192.bl.test: 127.0.0.4\n"
                               "1 TXT 1.2.0.192.bl.test: listed for fun\n";
    (void)state;
    struct arena a;
    struct buf out;
    bool cut;
    struct policy_facts f = stranger();
    const struct conf *c =
        conf_of("smtpd_client_restrictions = permit_mynetworks, reject_rbl_client bl.test");
    const struct policy *p = policy_of(c);
    arena_init(&a, 1 << 20);
    buf_init(&out, 4096);
    tell_all(p, &f, &a, 100, &out, &cut);
    buf_putc(&out, 0);
    assert_string_equal(buf_slice(&out).data, told);
    assert_false(cut);
    buf_reset(&out);
    tell_all(p, &f, &a, 2, &out, &cut);
    assert_true(cut);
    buf_release(&out);
    arena_release(&a);
    policy_free(p);
    conf_unref(c);
}

static void lists_in_dns(void **state)
{
    static const char listed[] = "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked "
                                 "using bl.test; listed for fun";
    static const struct test_case cases[] = {
        {CLIENT("reject_rbl_client bl.test"), "", listed},
        {CLIENT("reject_rbl_client bl.test"), "ip=192.0.2.9", OK_REPLY},
        {CLIENT("reject_rbl_client bl.test=127.0.0.4"), "", listed},
        {CLIENT("reject_rbl_client bl.test=127.0.0.[2..3;5]"), "", OK_REPLY},
        {CLIENT("reject_rbl_client bl.test=127.0.0.[2;4..7]"), "", listed},
        {CLIENT("reject_rbl_client slowlist.test"), "", OK_REPLY},
        {CLIENT("permit_dnswl_client wl.test, reject"), "", OK_REPLY},
        {RCPT("permit_dnswl_client slowlist.test, reject"), "",
         "450 4.7.1 <192.0.2.1>: Client host rejected: Service unavailable"},
        {"default_rbl_reply = $$rbl_code Go: $${rbl_txt:none} $$client_name\n" CLIENT(
             "reject_rbl_client bl.test"),
         "", "554 5.7.1 Go:  client.good.test"},
        {"rbl_reply_maps = inline:{{bl.test = 450 4.7.9 $$rbl_what}}\n" CLIENT(
             "reject_rbl_client bl.test"),
         "", "450 4.7.9 192.0.2.1"},
        {SENDER("reject_rhsbl_sender rhs.test"), "",
         "554 5.7.1 Service unavailable; Sender address [s@good.test] blocked using rhs.test"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_case(&cases[i], POLICY_AT_RCPT);
    assert_int_equal(wrong, 0);
}

static void other_stages(void **state)
{
    static const struct {
        struct test_case t;
        enum policy_stage stage;
    } cases[] = {
        {{"smtpd_data_restrictions = reject", "",
          "554 5.7.1 <DATA>: Data command rejected: Access denied"},
         POLICY_AT_DATA},
        {{"smtpd_data_restrictions = reject_multi_recipient_bounce", "from= two",
          "550 5.5.3 <DATA>: Data command rejected: Multi-recipient bounce"},
         POLICY_AT_DATA},
        {{"smtpd_end_of_data_restrictions = reject", "",
          "554 5.7.1 <END-OF-MESSAGE>: End-of-data rejected: Access denied"},
         POLICY_AT_END},
        {{"smtpd_etrn_restrictions = check_etrn_access inline:{{no.test = REJECT}}", "etrn=no.test",
          "554 5.7.1 <no.test>: Etrn command rejected: Access denied"},
         POLICY_AT_ETRN},
        {{"smtpd_delay_reject = no\n" CLIENT("reject"), "", DENIED}, POLICY_AT_CLIENT},
        {{"smtpd_delay_reject = no\n" CLIENT("reject"), "", OK_REPLY}, POLICY_AT_RCPT},
        {{"smtpd_delay_reject = no\n" CLIENT("defer_if_permit"), "",
          "450 4.7.0 <client.good.test[192.0.2.1]>: Client host rejected: defer_if_permit "
          "requested"},
         POLICY_AT_RCPT},
        {{"smtpd_delay_reject = no\n" SENDER("reject"), "",
          "554 5.7.1 <s@good.test>: Sender address rejected: Access denied"},
         POLICY_AT_MAIL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        run_case(&cases[i].t, cases[i].stage);
    assert_int_equal(wrong, 0);
}

static void reasons_and_actions(void **state)
{
    const struct conf *c = conf_of(
        "smtpd_client_restrictions = check_client_access inline:{{192.0.2.1 = PREPEND X-A: b}},\n"
        "  check_client_access inline:{{192.0.2.1 = HOLD wait}}, warn_if_reject reject, sleep 3");
    const struct policy *p = policy_of(c);
    struct policy_facts f = stranger();
    struct decision d;
    struct arena a;
    (void)state;
    arena_init(&a, 1 << 20);
    slept_s = 0;
    decide(p, POLICY_AT_RCPT, &f, &a, &d);
    assert_int_equal(d.code, 250);
    assert_true(slice_is(d.rule, "users_file"));
    assert_int_equal(d.actions.n, 2);
    assert_true(slice_is(d.actions.items[0], "prepend X-A: b"));
    assert_true(slice_is(d.actions.items[1], "hold wait"));
    assert_int_equal(d.notes.n, 1);
    assert_true(slice_starts(d.notes.items[0], SLICE("reject_warning 554 5.7.1 <client")));
    assert_int_equal(slept_s, 3);
    f.rcpt = SLICE("x@far.test");
    decide(p, POLICY_AT_RCPT, &f, &a, &d);
    assert_true(slice_is(d.rule, "reject_unauth_destination"));
    assert_true(slice_is(d.where, "default"));
    f.login = SLICE("u");
    decide(p, POLICY_AT_RCPT, &f, &a, &d);
    assert_true(slice_is(d.rule, "permit_sasl_authenticated"));
    f.login = SLICE_NONE;
    f.ip = SLICE("10.0.0.1");
    decide(p, POLICY_AT_RCPT, &f, &a, &d);
    assert_true(slice_is(d.rule, "permit_mynetworks"));
    assert_true(slice_is(d.where, "t.conf:3"));
    arena_release(&a);
    policy_free(p);
    conf_unref(c);
    close_tables();
}

static void faults_name_their_line(void **state)
{
    static const struct {
        const char *conf, *error;
    } cases[] = {
        {CLIENT("permit_mynetwork"), "t.conf:5: smtpd_client_restrictions: unknown restriction "
                                     "`permit_mynetwork`: did you mean permit_mynetworks?"},
        {CLIENT("frobnicate"), "neither a restriction nor a class"},
        {CLIENT("check_policy_service unix:private/x"), "not served yet"},
        {CLIENT("reject_unverified_sender"), "not served"},
        {CLIENT("check_client_access"), "argument is missing"},
        {CLIENT("check_client_access permit"), "a table (type:name) must follow"},
        {CLIENT("sleep x"), "a number of seconds"},
        {CLIENT("reject_rbl_client"), "argument is missing"},
        {"smtpd_relay_restrictions = permit_mynetworks", "would relay for everybody"},
        {"smtpd_restriction_classes = c\nc = nothing_such", "neither a restriction nor a class"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct conf *c = conf_of(cases[i].conf);
        struct conf_errors errors;
        conf_errors_init(&errors);
        assert_int_equal(policy_check(c, &errors), INVALID);
        if (slice_search(buf_slice(&errors.text), slice_cstr(cases[i].error)) == SIZE_MAX)
            fail_msg("%s: %.*s", cases[i].conf, SLICE_ARG(buf_slice(&errors.text)));
        conf_errors_release(&errors);
        conf_unref(c);
    }
    const struct conf *c = conf_of(
        "smtpd_relay_restrictions =\n" RCPT("permit_mynetworks, reject_unauth_destination"));
    struct conf_errors errors;
    conf_errors_init(&errors);
    assert_int_equal(policy_check(c, &errors), OK);
    conf_errors_release(&errors);
    conf_unref(c);
}

static void services_have_names(void **state)
{
    enum policy_service s;
    (void)state;
    assert_int_equal(policy_service_parse(SLICE("submissions"), &s), OK);
    assert_int_equal(s, POLICY_SUBMISSION);
    assert_int_equal(policy_service_parse(SLICE("imap"), &s), INVALID);
}

static struct slice word_of(void *arg, struct slice name)
{
    (void)arg;
    return slice_is(name, "a") ? SLICE("x\ny") : SLICE("");
}

static void templates_expand(void **state)
{
    static const char *const cases[][2] = {
        {"$a$$b", "x_y$b"}, {"${a?yes ${a}}${b?no}${b:none}", "yes x_ynone"},
        {"${a", "${a"},     {"$", "$"},
        {"$b.", "."},
    };
    struct arena a;
    (void)state;
    arena_init(&a, 1 << 16);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice got = template_expand(slice_cstr(cases[i][0]), word_of, NULL, &a);
        if (!slice_is(got, cases[i][1]))
            fail_msg("%s: %.*s", cases[i][0], SLICE_ARG(got));
    }
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipients),
        cmocka_unit_test(access_tables),
        cmocka_unit_test(the_story),
        cmocka_unit_test(lists_in_dns),
        cmocka_unit_test(other_stages),
        cmocka_unit_test(reasons_and_actions),
        cmocka_unit_test(faults_name_their_line),
        cmocka_unit_test(services_have_names),
        cmocka_unit_test(templates_expand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
