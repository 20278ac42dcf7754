/* test_conf_layers.c: expansion as Postfix does it, and the layers: own file, the old stack's
 * files, their programs' defaults, ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "conf/conf.h"
#include "conf/cyrus/saslauthd.h"
#include "conf/origin.h"
#include "conf/postfix/parameters.h"
#include "conf/table.h"

static char dir[] = "/tmp/pr-layers-XXXXXX";

static void write_file(const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

#define FIELDS " n - n - - "
static const char one_service[] = "smtp inet" FIELDS "smtpd\n";

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    write_file("master.cf", one_service);
    return 0;
}

static int remove_dir(void **state)
{
    static const char *const names[] = {"main.cf", "master.cf", "smtpd.conf"};
    char path[256];
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

/* own: more lines of the own file. NULL on errors, which are in `errors`. */
static const struct conf *load(const char *own, struct conf_errors *errors)
{
    struct buf text;
    const struct conf *c = NULL;
    buf_init(&text, 65536);
    buf_printf(&text, "%spostfix_config = %s\n", own, dir);
    conf_errors_init(errors);
    if (conf_parse(buf_slice(&text), "own.conf", &c, errors) != OK)
        c = NULL;
    buf_release(&text);
    return c;
}

static const struct conf *load_ok(const char *own, const char *main_cf)
{
    struct conf_errors errors;
    write_file("main.cf", main_cf);
    const struct conf *c = load(own, &errors);
    if (!c)
        fail_msg("%.*s", SLICE_ARG(buf_slice(&errors.text)));
    conf_errors_release(&errors);
    return c;
}

static void assert_value(const char *expression, const char *expect)
{
    char main_cf[4096];
    snprintf(main_cf, sizeof main_cf, "a = x\ne =\nsmtpd_banner = <%s>\n", expression);
    const struct conf *c = load_ok("", main_cf);
    char want[1024];
    snprintf(want, sizeof want, "<%s>", expect);
    if (!slice_is(c->smtpd_banner, want))
        fail_msg("%s: `%.*s`, not `%s`", expression, SLICE_ARG(c->smtpd_banner), want);
    conf_unref(c);
}

/* Each as Debian's `postconf -x` of Postfix 3.7 says. */
static void values_expand_as_postfix_does(void **state)
{
    static const char *const cases[][2] = {
        {"${a?yes}", "yes"},
        {"${e?yes}", ""},
        {"${a:no}", ""},
        {"${e:no}", "no"},
        {"${a?{ A }:{ B }}", " A "},
        {"${e ? { A } : { B }}", " B "},
        {"${a ?b}", "b"},
        {"${{$a} == {x} ? {T} : {F}}", "T"},
        {"${{$a}=={x}?{T}:{F}}", "T"},
        {"${{$a} != {x} ? {T} : {F}}", "F"},
        {"${{10} < {9} ? {T} : {F}}", "F"},
        {"${{10} < {9a} ? {T} : {F}}", "T"},
        {"${{3.10} >level {3.9} ? {T} : {F}}", "T"},
        {"${{3.6} ==level {3.6.0} ? {T}:{F}}", "T"},
        {"${{01} == {1} ? {T} : {F}}", "T"},
        {"${{} == {} ? {T} : {F}}", "T"},
        {"${{$undef} == {} ? {T} : {F}}", "T"},
        {"${{x} == {x}}", "true"},
        {"${{x} == {y}}", ""},
        {"${{a} == {b} : {F}}", "F"},
        {"${{a} == {b} ?{T}: F }", " F "},
        {"${{a}=={a}?x y}", "x y"},
        {"$(a)", "x"},
        {"$( a )", "x"},
        {"$(a?q)", "q"},
        {"$(a?{x}:{y})", "x"},
        {"$$a", "$a"},
        {"$$$a", "$x"},
        {"$a.b", "x.b"},
        {"$a{b}", "x{b}"},
        {"${a?$e$a}", "x"},
        {"${a? spaced }", " spaced "},
        {"${a?x:y}", "x:y"},
        {"${e:x?y}", "x?y"},
        {"${a?{x{y}z}}", "x{y}z"},
        {"${e? {q} : r s }", " r s "},
        {"${a:{q} }", ""},
        {"${ a }", "x"},
        {"${a?{$$x}}", "$x"},
        {"${a?}", ""},
        {"${undefined}$undefined", ""},
        {"${{b} > {a} ? {T}:{F}}", "T"},
        {"${{-1} < {1} ? {T}:{F}}", "T"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_value(cases[i][0], cases[i][1]);
}

static void assert_error(const char *main_cf, const char *expect)
{
    struct conf_errors errors;
    write_file("main.cf", main_cf);
    const struct conf *c = load("", &errors);
    if (c || slice_search(buf_slice(&errors.text), slice_cstr(expect)) == SIZE_MAX)
        fail_msg("%s: expected `%s` in:\n%.*s", main_cf, expect,
                 SLICE_ARG(buf_slice(&errors.text)));
    conf_errors_release(&errors);
}

static void what_postfix_refuses_is_an_error(void **state)
{
    static const char *const bad[] = {
        "$",
        "${",
        "${}",
        "$-",
        "${a b}",
        "${a?{x} y}",
        "${a!x}",
        "${e!x}",
        "$a$",
        "${a?{x}:{y} z}",
        "${{a}}",
        "${a?",
        "$(a}",
        "${a?{x}",
        "${{a} ~ {b} ? {x} : {y}}",
        "${a?{x}y}",
        "${{a} == b}",
        "${{3.6x} <level {3.7} ? {T}:{F}}",
    };
    char main_cf[256];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        snprintf(main_cf, sizeof main_cf, "a = x\ne =\nsmtpd_banner = %s\n", bad[i]);
        assert_error(main_cf, "main.cf:3: smtpd_banner: ");
    }
    assert_error("mydomain = $mydomain x\n", "circle");
}

/* 2^40 references to nothing. */
static void doubling_ends_soon(void **state)
{
    struct buf text;
    (void)state;
    buf_init(&text, 65536);
    buf_puts(&text, "v0 =\n");
    for (int i = 1; i < 40; i++)
        buf_printf(&text, "v%d = $v%d$v%d\n", i, i - 1, i - 1);
    buf_puts(&text, "smtpd_banner = $v39\n");
    buf_putc(&text, 0);
    assert_error(buf_slice(&text).data, "refers to too many others");
    buf_release(&text);
}

static void layers_have_an_order(void **state)
{
    (void)state;
    const struct conf *c = load_ok("hopcount_limit = 7\nmydomain = own.test\n",
                                   "myhostname = mx.$mydomain\nhopcount_limit = 9\n"
                                   "smtpd_recipient_limit = 5\nsmtpd_recipient_limit = 6\n"
                                   "maximal_queue_lifetime =\n 2d\n");
    char source[300];
    assert_int_equal(c->hopcount_limit, 7);
    assert_string_equal(conf_source(c, "hopcount_limit"), "own.conf:1");
    assert_true(slice_is(c->myhostname, "mx.own.test"));
    assert_int_equal(c->smtpd_recipient_limit, 6); /* main.cf: the last one */
    snprintf(source, sizeof source, "%s/main.cf:4", dir);
    assert_string_equal(conf_source(c, "smtpd_recipient_limit"), source);
    assert_int_equal(c->maximal_queue_lifetime, 2 * 86400);
    /* Postfix's defaults, not ours. */
    assert_true(slice_is(c->smtpd_banner, "mx.own.test ESMTP Postfix"));
    assert_string_equal(conf_source(c, "smtpd_banner"), "Postfix's default");
    assert_int_equal(c->recipient_delimiter.len, 0);
    assert_false(c->disable_vrfy_command);
    assert_int_equal(c->smtpd_timeout, 300);
    /* What Postfix does not have is ours. */
    assert_int_equal(c->client_limit, 10000);
    assert_string_equal(conf_source(c, "client_limit"), "default");
    conf_unref(c);
}

static void services_override(void **state)
{
    struct buf text;
    const struct conf *copy = NULL;
    (void)state;
    const struct conf *c =
        load_ok("submission/smtpd_banner = $myhostname $who\nsubmission/who = you\n"
                "reinject/myhostname = in.test\n",
                "myhostname = mx.test\n");
    buf_init(&text, 1 << 20);
    conf_dump(c, &text);
    assert_int_equal(conf_parse_effective(buf_slice(&text), &copy), OK);
    for (int i = 0; i < 2; i++) {
        const struct conf *at = i ? copy : c, *s = conf_for_service(at, SLICE("submission"));
        assert_true(slice_is(s->smtpd_banner, "mx.test you"));
        assert_string_equal(conf_source(s, "smtpd_banner"), "own.conf:1");
        s = conf_for_service(at, SLICE("reinject"));
        assert_true(slice_is(s->smtpd_banner, "in.test ESMTP Postfix"));
        assert_ptr_equal(conf_for_service(at, SLICE("smtp")), at);
        assert_true(slice_is(at->smtpd_banner, "mx.test ESMTP Postfix"));
        conf_unref(conf_ref(s)); /* a part is held with the whole */
    }
    buf_release(&text);
    conf_unref(copy);
    conf_unref(c);
}

static void wrapped_lines_get_a_proposal(void **state)
{
    (void)state;
    assert_error(
        "smtpd_recipient_restrictions = permit_mynetworks permit_sasl_authenticated\n"
        "permit_auth_destination reject\n",
        "main.cf:2: `permit_auth_destination reject` is no assignment: begin the line with "
        "a space when it continues `smtpd_recipient_restrictions` of line 1");
}

/* ---- master.cf ---- */

static const struct conf *load_services(const char *main_cf, const char *master_cf,
                                        struct conf_errors *errors)
{
    write_file("main.cf", main_cf);
    write_file("master.cf", master_cf);
    const struct conf *c = load("", errors);
    write_file("master.cf", one_service);
    return c;
}

static void assert_list(struct slice_list list, const char *const *expect)
{
    size_t n = 0;
    for (; expect[n]; n++) {
        assert_true(n < list.n);
        if (!slice_is(list.items[n], expect[n]))
            fail_msg("`%.*s`, not `%s`", SLICE_ARG(list.items[n]), expect[n]);
    }
    assert_int_equal(list.n, n);
}
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void services_become_listeners(void **state)
{
    struct conf_errors errors;
    char source[300];
    (void)state;
    const struct conf *c = load_services(
        "inet_interfaces = loopback-only\nmyhostname = mx.test\nmua = permit_sasl_authenticated\n",
        "# comment\n"
        "smtp inet" FIELDS "smtpd -v\n"
        "submission inet" FIELDS "smtpd\n"
        "  -o smtpd_tls_security_level=encrypt\n"
        "# in between\n"
        "  -o { smtpd_banner = $myhostname  two words }\n"
        "smtps inet" FIELDS "smtpd -o smtpd_tls_wrappermode=yes\n"
        "127.0.0.1:10025 inet" FIELDS "smtpd -ohopcount_limit=9\n"
        "[::1]:2525 inet" FIELDS "smtpd\n"
        "pickup unix" FIELDS "pickup\n"
        "slow unix" FIELDS "smtp -o smtp_helo_timeout=5\n"
        "maildrop unix" FIELDS "pipe\n  flags=DRhu user=vmail:vmail\n"
        "  argv=/usr/bin/maildrop -d ${recipient} { a b }\n",
        &errors);
    if (!c)
        fail_msg("%.*s", SLICE_ARG(buf_slice(&errors.text)));
    assert_list(c->listen,
                LIST("smtp://localhost:25#smtp", "smtp://localhost:587#submission",
                     "smtps://localhost:465#smtps", "smtp://127.0.0.1:10025#127.0.0.1:10025",
                     "smtp://[::1]:2525#[::1]:2525"));
    assert_list(c->transport_services, LIST("slow=smtp", "maildrop=pipe"));
    assert_list(c->pipe_transports, LIST("{name=maildrop, flags=DRhu, user=vmail:vmail, "
                                         "argv={/usr/bin/maildrop -d ${recipient} {a b}}}"));
    const struct conf *s = conf_for_service(c, SLICE("submission"));
    assert_true(slice_is(s->smtpd_tls_security_level, "encrypt"));
    assert_true(slice_is(s->smtpd_banner, "mx.test  two words"));
    snprintf(source, sizeof source, "%s/master.cf:6", dir);
    assert_string_equal(conf_source(s, "smtpd_banner"), source);
    assert_int_equal(conf_for_service(c, SLICE("127.0.0.1:10025"))->hopcount_limit, 9);
    assert_int_equal(conf_for_service(c, SLICE("slow/unix"))->smtp_helo_timeout, 5);
    assert_int_equal(c->smtp_helo_timeout, 300);
    conf_unref(c);
    conf_errors_release(&errors);
}

static void assert_service_error(const char *master_cf, const char *expect)
{
    struct conf_errors errors;
    const struct conf *c = load_services("", master_cf, &errors);
    if (c || slice_search(buf_slice(&errors.text), slice_cstr(expect)) == SIZE_MAX)
        fail_msg("%s: expected `%s` in:\n%.*s", master_cf, expect,
                 SLICE_ARG(buf_slice(&errors.text)));
    conf_errors_release(&errors);
}

/* What a cleanup service has alone holds for the mail of who names it. */
static void cleanup_services_are_named(void **state)
{
    struct conf_errors errors;
    char source[300];
    (void)state;
    const struct conf *c = load_services(
        "header_checks = regexp:/main\nbody_checks = regexp:/body\nmessage_size_limit = 1000\n"
        "canonical_maps = hash:/c\n",
        "smtp inet" FIELDS "smtpd -o header_checks= -o virtual_alias_maps=\n"
        "submission inet" FIELDS "smtpd -o cleanup_service_name=sub\n"
        "2525 inet" FIELDS "smtpd -o cleanup_service_name=sub -o "
        "receive_override_options=no_header_body_checks,no_milters -o message_size_limit=10\n"
        "pickup unix" FIELDS "pickup -o { cleanup_service_name = sub } -o content_filter="
        " -o receive_override_options=no_address_mappings\n"
        "cleanup unix" FIELDS "cleanup -o always_bcc=a@b.test\n"
        "slow unix" FIELDS "smtp -o header_size_limit=77\n"
        "sub unix" FIELDS "cleanup\n -o header_checks=$alias_maps\n"
        " -o { mime_header_checks = regexp:/mime } -omessage_size_limit=500\n"
        " -o virtual_alias_maps=hash:/own -o canonical_maps=\n",
        &errors);
    if (!c)
        fail_msg("%.*s", SLICE_ARG(buf_slice(&errors.text)));
    assert_list(c->header_checks, LIST("regexp:/main"));
    assert_int_equal(c->always_bcc.len, 0);
    const struct conf *s = conf_for_service(c, SLICE("smtp"));
    assert_list(s->header_checks, LIST("regexp:/main"));
    assert_true(slice_is(s->always_bcc, "a@b.test"));
    struct slice warnings = buf_slice(&errors.warnings);
    assert_true(slice_search(warnings, SLICE("-o header_checks does nothing here")) != SIZE_MAX);
    assert_true(slice_search(warnings, SLICE("; to map addresses, set it")) != SIZE_MAX);
    assert_list(s->canonical_maps, LIST("hash:/c"));
    static const char *const named[] = {"submission", "sendmail"};
    for (size_t i = 0; i < 2; i++) {
        s = conf_for_service(c, slice_cstr(named[i]));
        assert_list(s->header_checks, LIST("hash:/etc/aliases"));
        assert_list(s->mime_header_checks, LIST("regexp:/mime"));
        assert_list(s->body_checks, LIST("regexp:/body"));
        assert_int_equal(s->message_size_limit, 500);
        assert_int_equal(s->always_bcc.len, 0);
    }
    snprintf(source, sizeof source, "%s/master.cf:8", dir);
    assert_string_equal(conf_source(s, "header_checks"), source);
    assert_int_equal(conf_for_service(c, SLICE("slow/unix"))->header_size_limit, 77);
    assert_true(conf_overrides(s, "no_address_mappings"));
    s = conf_for_service(c, SLICE("2525"));
    assert_true(conf_overrides(s, "no_header_body_checks"));
    assert_false(conf_overrides(s, "no_address_mappings"));
    assert_list(s->virtual_alias_maps, LIST("hash:/own"));
    assert_int_equal(s->canonical_maps.n, 0);
    assert_int_equal(s->message_size_limit, 10);
    assert_true(slice_search(warnings, SLICE("no_milters")) == SIZE_MAX);
    assert_true(slice_search(warnings, SLICE("set again")) == SIZE_MAX);
    conf_unref(c);
    conf_errors_release(&errors);
    assert_service_error("smtp inet" FIELDS "smtpd -o cleanup_service_name=lost\n",
                         "master.cf:1: smtp: cleanup_service_name = lost: master.cf has no");
    assert_service_error("cleanup unix" FIELDS "cleanup -o header_checks\n",
                         "master.cf:1: `-o header_checks` sets nothing");
    assert_service_error("1 inet" FIELDS "smtpd -o receive_override_options=no_mapping\n",
                         "master.cf:1: receive_override_options: `no_mapping` is not one of");
    assert_service_error("pickup unix" FIELDS "pickup -o\n", "master.cf:1: `-o ` sets nothing");
}

static void malformed_services_are_told(void **state)
{
    (void)state;
    assert_service_error("smtp inet n - n smtpd\n", "master.cf:1: a service has 8 fields");
    assert_service_error("  smtp inet" FIELDS "smtpd\n", "there is none to continue");
    assert_service_error("smtp inet" FIELDS "smtpd -o { a = b\n", "a { is not closed");
    assert_service_error("smtp inet" FIELDS "smtpd\n -o smtpd_banner\n",
                         "master.cf:2: `-o smtpd_banner` sets nothing");
    assert_service_error("nosuchport inet" FIELDS "smtpd\n", "no such port");
    assert_service_error("x unix" FIELDS "pipe user=a\n", "a pipe transport has attributes");
    assert_service_error("smtp inet" FIELDS "smtpd -o hopcount_limit=many\n",
                         "master.cf:1: hopcount_limit: ");
}

static void assert_warning(const char *main_cf, const char *master_cf, const char *expect)
{
    struct conf_errors errors;
    const struct conf *c = load_services(main_cf, master_cf, &errors);
    if (!c || slice_search(buf_slice(&errors.warnings), slice_cstr(expect)) == SIZE_MAX)
        fail_msg("expected `%s` in:\n%.*s%.*s", expect, SLICE_ARG(buf_slice(&errors.text)),
                 SLICE_ARG(buf_slice(&errors.warnings)));
    conf_unref(c);
    conf_errors_release(&errors);
}

/* "ldap:NAME" has its parameters in main.cf: a slip is told, other tables' names and the user's own
 * are not. */
static void parameters_of_tables_are_checked(void **state)
{
    static const char tables[] = "virtual_alias_maps = ldap:accounts, proxy:pgsql:accounts_old\n"
                                 "accounts_server_host = x\naccounts_old_dbname = y\n"
                                 "accounts_pw = z\naccounts_bind_pw = $accounts_pw\n";
    char text[512];
    struct conf_errors errors;
    (void)state;
    const struct conf *c = load_services(tables, "", &errors);
    assert_non_null(c);
    assert_true(slice_search(buf_slice(&errors.warnings), SLICE("unknown parameter")) == SIZE_MAX);
    conf_unref(c);
    conf_errors_release(&errors);
    snprintf(text, sizeof text, "%saccounts_serch_base = x\n", tables);
    assert_error(text, "main.cf:6: unknown parameter `accounts_serch_base`, which Postfix ignores "
                       "too: did you mean `accounts_search_base`?");
    snprintf(text, sizeof text, "%saccounts_old_dbnam = x\n", tables);
    assert_error(text, "main.cf:6: unknown parameter `accounts_old_dbnam`, which Postfix ignores "
                       "too: did you mean `accounts_old_dbname`?");
    snprintf(text, sizeof text, "%saccounts_something_else = x\n", tables);
    assert_warning(text, "",
                   "main.cf:6: unknown parameter `accounts_something_else` does nothing, "
                   "in Postfix neither: ldap tables have no `something_else`: remove it");
}

/* slow_destination_rate_delay is of the transport slow. */
static void parameters_of_transports_are_checked(void **state)
{
    static const char slow[] = "slow unix" FIELDS "smtp\n";
    struct conf_errors errors;
    (void)state;
    assert_warning("slw_destination_rate_delay = 1s\n", slow,
                   "main.cf:1: slw_destination_rate_delay does nothing, in Postfix neither: "
                   "master.cf has no transport `slw`");
    assert_warning("slow_destination_concurency_limit = 3\n", slow,
                   "main.cf:1: unknown parameter `slow_destination_concurency_limit` does nothing, "
                   "in Postfix neither: did you mean `slow_destination_concurrency_limit`?");
    assert_null(load_services("slow_destination_rate_delay = 2 x\n", slow, &errors));
    assert_true(slice_search(buf_slice(&errors.text),
                             SLICE("main.cf:1: slow_destination_rate_delay: `2 x` is no time")) !=
                SIZE_MAX);
    conf_errors_release(&errors);
}

static void assert_screen_error(const char *main_cf, const char *expect)
{
    struct conf_errors errors;
    const struct conf *c = load_services(main_cf, "smtp inet" FIELDS "postscreen\n", &errors);
    if (c || slice_search(buf_slice(&errors.text), slice_cstr(expect)) == SIZE_MAX)
        fail_msg("expected `%s` in:\n%.*s", expect, SLICE_ARG(buf_slice(&errors.text)));
    conf_errors_release(&errors);
}

/* Of a name that is a setting here, nobody may be told that it is not served. */
static void served_parameters_are_known_as_such(void **state)
{
    unsigned served = 0;
    (void)state;
    for (size_t i = 0; postfix_parameter_at(i); i++) {
        const struct postfix_parameter *p = postfix_parameter_at(i);
        if (conf_find(slice_cstr(p->name)) == SIZE_MAX)
            continue;
        if (p->class != READ || *p->text)
            fail_msg("%s is a setting: its row must be READ, without a text", p->name);
        served++;
    }
    assert_true(served > 100);
    /* A slip in a name that keeps something out is an error, whatever its class. */
    assert_error("authorized_submit_user = root\n", "did you mean `authorized_submit_users`?");
    assert_error("permit_mx_backup_network = x\n", "did you mean `permit_mx_backup_networks`?");
    assert_error("strict_rfc821_envelope = yes\n", "did you mean `strict_rfc821_envelopes`?");
    assert_error("smtpd_sender_login_map = x\n", "did you mean `smtpd_sender_login_maps`?");
}

static void services_not_served_are_told(void **state)
{
    (void)state;
    assert_warning("", "smtp inet" FIELDS "postscreen\nsmtpd pass" FIELDS "smtpd\n",
                   "master.cf:1: smtp: postscreen's tests");
    assert_warning("postscreen_dnsbl_action = enforce\n", "smtp inet" FIELDS "postscreen\n",
                   "SMTP is served on this port"); /* without lists there is nothing to enforce */
    assert_screen_error("postscreen_greet_action = enforce\n",
                        "main.cf:1: postscreen_greet_action: ");
    assert_screen_error("postscreen_dnsbl_sites = bl.test\npostscreen_dnsbl_action = drop\n",
                        "main.cf:2: postscreen_dnsbl_action: ");
    assert_screen_error("postscreen_pipelining_enable = yes\n",
                        "main.cf:1: postscreen_pipelining_action: ");
    assert_warning("", "policy unix" FIELDS "spawn user=x argv=/bin/y\n", "policy: programs");
    assert_warning("", "x unix" FIELDS "frobd\n", "program `frobd` is not one");
    assert_warning("", "qmgr unix" FIELDS "qmgr -o qmgr_message_active_limit=1\n",
                   "settings for this process alone");
    assert_warning("", "1 inet" FIELDS "smtpd -o local_recipient_maps=\n",
                   "master.cf:1: -o local_recipient_maps only says which recipients");
    assert_warning("", "cleanup unix" FIELDS "cleanup -o recipient_delimiter=-\n",
                   "master.cf:1: cleanup: -o recipient_delimiter=-: this setting of a process");
    assert_warning("", "pickup unix" FIELDS "pickup -o header_checks=\n",
                   "master.cf:1: pickup: -o header_checks=: this setting of a process");
}

static void networks_are_worked_out(void **state)
{
    (void)state;
    const struct conf *c = load_ok("", "inet_interfaces = loopback-only\ninet_protocols = ipv4\n"
                                       "mynetworks_style = host\n");
    assert_list(c->mynetworks, LIST("127.0.0.1/32"));
    conf_unref(c);
    c = load_ok("", "inet_interfaces = loopback-only\ninet_protocols = ipv4\n");
    assert_list(c->mynetworks, LIST("127.0.0.0/8")); /* compatibility_level 0: subnet */
    assert_string_equal(conf_source(c, "mynetworks"), "Postfix's default");
    conf_unref(c);
    c = load_ok("", "inet_interfaces = loopback-only\ninet_protocols = ipv4\n"
                    "compatibility_level = 3.6\n");
    assert_list(c->mynetworks, LIST("127.0.0.1/32"));
    conf_unref(c);
    assert_error("mynetworks_style = wide\n", "main.cf:1: mynetworks_style: `wide` is not one of");
    assert_error("inet_interfaces = no.such.host.invalid\n", "main.cf:1: inet_interfaces: ");
}

/* ---- saslauthd's place ---- */

static void assert_free(const char *own, const char *smtpd_conf, const char *want)
{
    char sasl[512];
    write_file("smtpd.conf", smtpd_conf);
    snprintf(sasl, sizeof sasl, "%ssasl_config = %s/smtpd.conf\n", own, dir);
    const struct conf *c = load_ok(sasl, "myhostname = h.test\n");
    assert_int_equal(c->listen_if_free.n, want ? 1 : 0);
    if (want)
        assert_true(slice_is(c->listen_if_free.items[0], want));
    conf_unref(c);
}

/* Where there are accounts of ours and the file says that saslauthd is asked, we are that. */
static void saslauthds_place_is_taken(void **state)
{
    (void)state;
    const char *asks = "pwcheck_method: saslauthd\n";
    assert_free("pam_service = smtp\n", asks, "saslauthd:/run/saslauthd/mux");
    assert_free("passdb = {driver=shadow}\n",
                "saslauthd_path: /var/run/other\npwcheck_method: saslauthd\n",
                "saslauthd:/run/other/mux");
    assert_free("", asks, NULL);
    assert_free("pam_service = smtp\n", "mech_list: plain\n", NULL);
    assert_free("pam_service = smtp\nlisten_if_free =\n", asks, NULL);
}

static void saslauthds_start_is_read(void **state)
{
    struct conf_errors errors;
    (void)state;
    conf_errors_init(&errors);
    struct saslauthd_start s = saslauthd_start_read(
        SLICE("START=yes\nMECHANISMS=\"pam\"\nOPTIONS=\"-c -m /var/spool/x -r\"\n"), "f", &errors);
    assert_true(slice_is(s.folder, "/var/spool/x"));
    assert_int_equal(s.line, 3);
    s = saslauthd_start_read(SLICE("SOCKETDIR=/run/saslauthd\nFLAGS=-m"), "f", &errors);
    assert_true(slice_is(s.folder, "/run/saslauthd"));
    s = saslauthd_start_read(SLICE("OPTIONS=-m\nOPTIONS='-m relative'\n"), "f", &errors);
    assert_null(s.folder.data);
    assert_int_equal(buf_len(&errors.warnings), 0);
    (void)saslauthd_start_read(SLICE("MECH=ldap\n"), "f", &errors);
    assert_true(slice_search(buf_slice(&errors.warnings), SLICE("f:1: ")) != SIZE_MAX);
    conf_errors_release(&errors);
}

static void refused(const char *own, const char *why)
{
    struct conf_errors errors;
    write_file("main.cf", "myhostname = h.test\n");
    assert_null(load(own, &errors));
    if (slice_search(buf_slice(&errors.text), slice_cstr(why)) == SIZE_MAX)
        fail_msg("expected `%s` in:\n%.*s", why, SLICE_ARG(buf_slice(&errors.text)));
    conf_errors_release(&errors);
}

static void records_are_checked(void **state)
{
    (void)state;
    refused("socket_access = {path=x}\n", "own.conf:1: socket_access: `path` must begin with /");
    refused("socket_access = {path=/x, mode=888}\n", "no octal number");
    refused("socket_access = {path=/x, owner=me}\n", "`owner` is no key");
    refused("namespace = {separator=//}\n", "one character");
    refused("namespace = {inbox=maybe}\n", "`inbox=maybe` is not known");
    refused("mailbox = {auto=subscribe}\n", "`name` is missing");
    refused("mailbox = {name=x, auto=always}\n", "`auto=always` is not known");
    refused("mailbox = {name=x, special_use=\\\\Bin}\n", "special_use `\\\\Bin` is not known");
    refused("mailbox = Sent\n", "must be {key=value");
}

static void origin_is_written_down(void **state)
{
    static const char *const wrong[] = {"",
                                        "config etc/postrider.conf\n",
                                        "config /a\nother /b\n",
                                        "config /a\noptional no\n",
                                        "postfix /etc/postfix\n",
                                        "config /a\n\n"};
    struct conf_origin o = {.path = "/etc/postrider.conf", .optional = true, .dovecot = "a b"};
    struct conf_origin back;
    struct arena a;
    struct buf text;
    char here[4096], expect[4200];
    (void)state;
    arena_init(&a, CONF_ORIGIN_MAX);
    buf_init(&text, CONF_ORIGIN_MAX);
    assert_non_null(getcwd(here, sizeof here));
    snprintf(expect, sizeof expect, "%s/a b", here);
    assert_int_equal(conf_origin_format(&o, &text), OK);
    assert_int_equal(conf_origin_parse(buf_slice(&text), &a, &back), OK);
    assert_string_equal(back.path, o.path);
    assert_string_equal(back.dovecot, expect);
    assert_true(back.optional && !back.postfix && !back.sasl);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(conf_origin_parse(slice_cstr(wrong[i]), &a, &back), INVALID);
    o.sasl = "/etc/x\nconfig /evil";
    assert_int_equal(conf_origin_format(&o, &text), INVALID);
    buf_release(&text);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_expand_as_postfix_does),
        cmocka_unit_test(what_postfix_refuses_is_an_error),
        cmocka_unit_test(doubling_ends_soon),
        cmocka_unit_test(layers_have_an_order),
        cmocka_unit_test(services_override),
        cmocka_unit_test(wrapped_lines_get_a_proposal),
        cmocka_unit_test(services_become_listeners),
        cmocka_unit_test(cleanup_services_are_named),
        cmocka_unit_test(malformed_services_are_told),
        cmocka_unit_test(services_not_served_are_told),
        cmocka_unit_test(served_parameters_are_known_as_such),
        cmocka_unit_test(networks_are_worked_out),
        cmocka_unit_test(parameters_of_tables_are_checked),
        cmocka_unit_test(parameters_of_transports_are_checked),
        cmocka_unit_test(saslauthds_place_is_taken),
        cmocka_unit_test(saslauthds_start_is_read),
        cmocka_unit_test(records_are_checked),
        cmocka_unit_test(origin_is_written_down),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
