/* test_routing.c: address classes, maps and transports: what Postfix's trivial-rewrite(8) and
 * cleanup(8) make of an address. Tables are inline: no files are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdlib.h>

#include "auth/directory.h"
#include "base/buf.h"

/* ---- the tables of a configuration, opened when they are asked for ---- */

enum { TABLES_MAX = 30 };
static const struct table *opened[TABLES_MAX];
static size_t n_opened;

static enum result read_nothing(void *arg, struct slice path, struct buf *out, struct error *err)
{
    (void)arg, (void)path, (void)out;
    return error_set(err, NOT_FOUND, "no files here");
}

static const struct table *find_table(void *arg, struct slice spec)
{
    struct table_reader reader = {.read = read_nothing};
    struct error err = {""};
    (void)arg;
    for (size_t i = 0; i < n_opened; i++)
        if (slice_eq(table_name(opened[i]), spec))
            return opened[i];
    if (slice_starts(spec, SLICE("broken:")))
        return NULL;
    assert_true(n_opened < TABLES_MAX);
    if (table_open(spec, &reader, NULL, NULL, &opened[n_opened], &err) != OK)
        fail_msg("%.*s: %s", SLICE_ARG(spec), err.text);
    return opened[n_opened++];
}

static void close_tables(void *arg)
{
    (void)arg;
    while (n_opened)
        table_close(opened[--n_opened]);
}

static void no_problem(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg, (void)line;
    if (!slice_ends_nocase(file, SLICE("_maps")))
        fail_msg("%.*s: %s", SLICE_ARG(file), reason);
}

static const struct directory *make_with(const char *settings, const char *aliases)
{
    const struct conf *c = NULL;
    const struct directory *d = NULL;
    struct conf_errors errors;
    struct buf text;
    buf_init(&text, 64 * 1024);
    conf_errors_init(&errors);
    buf_puts(&text, "myhostname = mail.home.test\nmydomain = home.test\n"
                    "mydestination = home.test, mail.home.test\nmyorigin = $mydomain\n");
    buf_puts(&text, settings);
    if (conf_parse(buf_slice(&text), "conf", &c, &errors) != OK)
        fail_msg("%.*s", SLICE_ARG(buf_slice(&errors.text)));
    conf_errors_release(&errors);
    buf_release(&text);
    struct directory_file file = {SLICE("aliases"), slice_cstr(aliases), 0};
    struct slice own[] = {SLICE("192.0.2.9"), SLICE("2001:db8::9")};
    struct directory_source s = {
        .conf = c,
        .users = {SLICE("users"), SLICE("alice:{PLAIN}a\nbob:{PLAIN}b\ncarol@box.test:{PLAIN}c\n"),
                  0},
        .aliases = &file,
        .n_aliases = 1,
        .tables = {find_table, NULL},
        .release = close_tables,
        .addresses = {own, 2},
    };
    assert_int_equal(directory_new(&s, no_problem, NULL, &d), OK);
    conf_unref(c);
    return d;
}

static const struct directory *make(const char *settings)
{
    return make_with(settings, "team: alice, far@far.test\n");
}

/* By a listener ("": by none). "class: target, target" or "class code status text"; a route behind
 * its address in []. */
static const char *lead_by(const struct directory *d, const char *service, const char *sender,
                           const char *address, bool copies)
{
    static const char *const classes[] = {"local", "alias", "mailbox", "relay", "other"};
    static char out[4096];
    struct arena a;
    struct resolved r;
    struct directory_system system = {.service = slice_cstr(service), .sender = slice_cstr(sender)};
    arena_init(&a, 4 * 1024 * 1024);
    directory_resolve(d, slice_cstr(address), &system, &a, &r);
    if (copies)
        directory_add_copies(d, slice_cstr(sender), &system, &a, &r);
    int n = snprintf(out, sizeof out, "%s%s", classes[r.class], r.routed ? " routed" : "");
    if (r.kind == RESOLVE_UNKNOWN)
        n += snprintf(out + n, sizeof out - (size_t)n, " %u %.*s %.*s", r.code, SLICE_ARG(r.status),
                      SLICE_ARG(r.text));
    else if (r.kind != RESOLVE_LOCAL && r.kind != RESOLVE_FOREIGN)
        n = snprintf(out, sizeof out, "%s",
                     r.kind == RESOLVE_MALFORMED     ? "malformed"
                     : r.kind == RESOLVE_UNAVAILABLE ? "unavailable"
                                                     : "broken");
    for (size_t i = 0; i < r.n && i < 30 && r.kind != RESOLVE_UNKNOWN; i++) {
        const struct directory_target *t = &r.targets[i];
        n += snprintf(out + n, sizeof out - (size_t)n, "%s%s%.*s", i ? ", " : ": ",
                      t->bcc ? "bcc " : "", SLICE_ARG(t->local ? t->account : t->address));
        if (t->local && t->detail.len)
            n += snprintf(out + n, sizeof out - (size_t)n, "+%.*s", SLICE_ARG(t->detail));
        if (t->kind == DIRECTORY_COMMAND)
            n += snprintf(out + n, sizeof out - (size_t)n, "|%.*s %.*s", SLICE_ARG(t->user),
                          SLICE_ARG(t->text));
        if (!t->local && t->route.len)
            n += snprintf(out + n, sizeof out - (size_t)n, "[%.*s]", SLICE_ARG(t->route));
    }
    arena_release(&a);
    return out;
}

static const char *lead_from(const struct directory *d, const char *sender, const char *address,
                             bool copies)
{
    return lead_by(d, "", sender, address, copies);
}

static const char *lead(const struct directory *d, const char *address)
{
    return lead_from(d, "s@sender.test", address, false);
}

/* A configuration, and pairs of an address and where it leads. */
struct expectation {
    const char *address, *leads;
};
static void expect(const char *settings, const struct expectation *e, size_t n)
{
    const struct directory *d = make(settings);
    for (size_t i = 0; i < n; i++)
        if (strcmp(lead(d, e[i].address), e[i].leads) != 0)
            fail_msg("%s\n%s\n  leads to: %s\n  expected: %s", settings, e[i].address,
                     lead(d, e[i].address), e[i].leads);
    directory_unref(d);
}
#define EXPECT(settings, ...)                                                                      \
    do {                                                                                           \
        static const struct expectation e[] = {__VA_ARGS__};                                       \
        expect(settings, e, sizeof e / sizeof *e);                                                 \
    } while (0)

static void classes_have_their_lists(void **state)
{
    (void)state;
    EXPECT("virtual_alias_domains = va.test\n"
           "virtual_alias_maps = inline:{ { a@va.test = alice }, { @all.test = bob@home.test } }\n"
           "virtual_mailbox_domains = inline:{box.test=x}, box2.test\n"
           "virtual_mailbox_maps = inline:{ carol@box.test=1, dan@box.test=1 }\n"
           "relay_domains = relay.test, !not.relay2.test, relay2.test\n"
           "relay_recipient_maps = inline:{ { r@relay.test = x }, { @relay2.test = x } }\n",
           {"alice@home.test", "local: alice"},
           {"nobody@home.test", "local 550 5.1.1 User unknown in local recipient table"},
           {"alice@[192.0.2.9]", "local: alice"}, {"alice@[IPv6:2001:db8::9]", "local: alice"},
           {"a@va.test", "alias: alice"}, {"A@VA.test", "alias: alice"},
           {"x@va.test", "alias 550 5.1.1 User unknown in virtual alias table"},
           {"carol@box.test", "mailbox: carol@box.test"}, {"dan@box.test", "mailbox: dan@box.test"},
           {"Dan+x@Box.test", "mailbox: dan@box.test+x"},
           {"alice@box.test", "mailbox 550 5.1.1 User unknown in virtual mailbox table"},
           {"dan@box2.test", "mailbox 550 5.1.1 User unknown in virtual mailbox table"},
           {"r@relay.test", "relay: r@relay.test[relay:relay.test]"},
           {"x@relay.test", "relay 550 5.1.1 User unknown in relay recipient table"},
           {"x@sub.relay2.test", "relay 550 5.1.1 User unknown in relay recipient table"},
           {"x@relay2.test", "relay: x@relay2.test[relay:relay2.test]"},
           {"x@not.relay2.test", "other: x@not.relay2.test"}, {"x@all.test", "other: bob"},
           {"X@Far.test", "other: X@Far.test"});
}

static void lists_of_users_may_be_empty(void **state)
{
    (void)state;
    EXPECT(
        "local_recipient_maps =\nvirtual_mailbox_domains = box.test\nrelay_domains = relay.test\n"
        "show_user_unknown_table_name = no\n",
        {"nobody@home.test", "local: nobody@home.test[error:5.1.1 unknown user: \"nobody\"]"},
        {"alice@home.test", "local: alice"}, {"carol@box.test", "mailbox: carol@box.test"},
        {"dan@box.test", "mailbox 550 5.1.1 User unknown"},
        {"any@relay.test", "relay: any@relay.test[relay:relay.test]"});
    EXPECT("local_recipient_maps = inline:{alice=x,eve=x}\n", {"alice@home.test", "local: alice"},
           {"bob@home.test", "local 550 5.1.1 User unknown in local recipient table"},
           {"eve@home.test", "local: eve@home.test[error:5.1.1 unknown user: \"eve\"]"});
    EXPECT("unknown_local_recipient_reject_code = 450\n",
           {"bobby@home.test", "local 450 4.1.1 User unknown in local recipient table"});
    EXPECT("fallback_transport = lmtp:inet:127.0.0.1:24\nlocal_recipient_maps =\n",
           {"nobody@home.test", "local: nobody@home.test[lmtp:inet:127.0.0.1:24]"});
    EXPECT("", {"double-bounce@home.test",
                "local: double-bounce@home.test[discard:bounce of a bounce]"});
}

static void virtual_aliases_expand(void **state)
{
    (void)state;
    EXPECT("virtual_alias_domains = va.test\nvirtual_alias_maps = inline:{ "
           "{ a@va.test = b@va.test, far@far.test, alice }, { b@va.test = bob@home.test },"
           "{ @old.test = @new.test }, { alice = alice, archive@far.test },"
           "{ self@va.test = self@va.test }, { c@va.test = d@va.test }, { d@va.test = c@va.test },"
           "{ team@va.test = team }, { gone@va.test = nobody@home.test },"
           "{ some@va.test = nobody@home.test, bob }, { \"q q\"@va.test = bob } }\n",
           {"a@va.test", "alias: bob, far@far.test, alice, archive@far.test"},
           {"a+x@va.test", "alias: bob+x, far+x@far.test, alice+x, archive+x@far.test"},
           {"me@old.test", "other: me@new.test"}, {"me+d@old.test", "other: me+d@new.test"},
           {"alice@home.test", "local: alice, archive@far.test"},
           {"alice+l@mail.home.test", "local: alice+l, archive+l@far.test"},
           {"alice@far.test", "other: alice@far.test"},
           {"self@va.test", "alias: self@va.test[error:5.1.1 User unknown in virtual alias table]"},
           {"c@va.test", "broken"}, {"team@va.test", "alias: alice, far@far.test"},
           {"gone@va.test", "alias 550 5.1.1 User unknown in virtual alias table"},
           {"some@va.test", "alias: bob"});
    EXPECT("virtual_alias_maps = inline:{ { v@home.test = bob@home.test } }\n"
           "propagate_unmatched_extensions =\n",
           {"v+x@home.test", "local: bob"});
    EXPECT("virtual_alias_maps = inline:{ { many@home.test = a@x.test, b@x.test, c@x.test } }\n"
           "virtual_alias_expansion_limit = 2\n",
           {"many@home.test", "broken"});
    EXPECT("virtual_alias_maps = fail:later\n", {"alice@home.test", "unavailable"});
    EXPECT("virtual_alias_domains = va.test\nvirtual_alias_maps = broken:x\n",
           {"alice@home.test", "unavailable"}, {"x@va.test", "unavailable"});
}

static void aliases_go_on_to_virtual_ones(void **state)
{
    (void)state;
    const struct directory *d =
        make_with("virtual_alias_domains = va.test\n"
                  "virtual_alias_maps = inline:{ { x@va.test = y@far.test },"
                  "  { bob@home.test = other@far.test } }\n"
                  "relayhost = [hub.test]\n",
                  "list: x@va.test, bob, z@far.test\n");
    assert_string_equal(lead(d, "list@home.test"), "local: y@far.test[smtp:[hub.test]], bob, "
                                                   "z@far.test[smtp:[hub.test]]");
    assert_string_equal(lead(d, "bob@home.test"), "local: other@far.test[smtp:[hub.test]]");
    directory_unref(d);
}

static void addresses_that_name_a_way(void **state)
{
    (void)state;
    EXPECT("relay_domains = relay.test\n", {"far.test!user", "other: user@far.test"},
           {"user%far.test", "other: user@far.test"},
           {"user%far.test@home.test", "other: user@far.test"},
           {"user%alice@home.test", "other: user@alice"},
           {"alice%home.test@mail.home.test", "local: alice"},
           {"\"user@far.test\"@home.test", "other: user@far.test"},
           {"far.test!user@home.test", "other: user@far.test"},
           {"user%far.test@relay.test", "relay routed: user%far.test@relay.test[relay:relay.test]"},
           {"user%x@far.test", "other routed: user%x@far.test"}, {"alice", "local: alice"},
           {"alice@mail", "other: alice@mail"});
    EXPECT("append_dot_mydomain = yes\nswap_bangpath = no\nallow_percent_hack = no\n",
           {"alice@mail", "local: alice"},
           {"user%far.test@home.test", "local 550 5.1.1 User unknown in local recipient table"},
           {"far.test!user", "local 550 5.1.1 User unknown in local recipient table"});
    EXPECT("append_at_myorigin = no\nempty_address_recipient = bob\n", {"alice", "local: alice"},
           {"", "local: bob"});
}

static void transports_and_next_hops(void **state)
{
    (void)state;
    EXPECT(
        "relayhost = [hub.test]:587\nrelay_domains = relay.test, in.test\n"
        "transport_maps = inline:{ { u@one.test = smtp:[u.test] }, { one.test = smtp:[one-hub] },"
        " { .one.test = slow: }, { hop.test = :[hop-hub] }, { same.test = : },"
        " { err.test = error:5.7.1 not today }, { later.test = retry:4.4.1 line down },"
        " { plain.test = error:go away }, { void.test = discard:nothing },"
        " { box@home.test = lmtp:unix:/run/box }, { home2.test = local: },"
        " { in.test = smtp:[in-hub]:26 } }\n",
        {"x@far.test", "other: x@far.test[smtp:[hub.test]:587]"},
        {"x@relay.test", "relay: x@relay.test[relay:[hub.test]:587]"},
        {"x@in.test", "relay: x@in.test[smtp:[in-hub]:26]"},
        {"u@one.test", "other: u@one.test[smtp:[u.test]]"},
        {"u+d@one.test", "other: u+d@one.test[smtp:[u.test]]"},
        {"v@one.test", "other: v@one.test[smtp:[one-hub]]"},
        {"v@a.b.one.test", "other: v@a.b.one.test[slow:a.b.one.test]"},
        {"v@hop.test", "other: v@hop.test[smtp:[hop-hub]]"},
        {"v@same.test", "other: v@same.test[smtp:[hub.test]:587]"},
        {"v@err.test", "other 550 5.7.1 not today"}, {"v@later.test", "other 450 4.4.1 line down"},
        {"v@plain.test", "other 550 5.1.1 go away"},
        {"v@void.test", "other: v@void.test[discard:nothing]"},
        {"box@home.test", "local 550 5.1.1 User unknown in local recipient table"},
        {"alice@home2.test", "other: alice"});
    EXPECT("transport_maps = inline:{ { * = smtp:[wild] }, { far.test = : } }\n",
           {"x@far.test", "other: x@far.test"}, {"x@near.test", "other: x@near.test[smtp:[wild]]"},
           {"alice@home.test", "local: alice@home.test[smtp:[wild]]"});
    EXPECT("default_transport = smtp:[def]\nrelay_transport = relay:[rel]\nrelay_domains = "
           "relay.test\n"
           "relayhost = [hub]\nlocal_transport = lmtp:unix:/run/l\nlocal_recipient_maps =\n"
           "virtual_mailbox_domains = box.test\nvirtual_transport = lmtp:inet:127.0.0.1:24\n",
           {"x@far.test", "other: x@far.test[smtp:[def]]"},
           {"x@relay.test", "relay: x@relay.test[relay:[rel]]"},
           {"alice@home.test", "local: alice@home.test[lmtp:unix:/run/l]"},
           {"any@box.test", "mailbox: any@box.test[lmtp:inet:127.0.0.1:24]"});
    EXPECT("local_transport = lmtp:unix:/run/l\nvirtual_mailbox_domains = box.test\n"
           "virtual_transport = lmtp:inet:127.0.0.1:24\n"
           "virtual_mailbox_maps = inline:{ any@box.test=x }\n",
           {"alice@home.test", "local: alice@home.test[lmtp:unix:/run/l]"},
           {"team@home.test", "local: team@home.test[lmtp:unix:/run/l]"},
           {"nobody@home.test", "local 550 5.1.1 User unknown in local recipient table"},
           {"any@box.test", "mailbox: any@box.test[lmtp:inet:127.0.0.1:24]"},
           {"other@box.test", "mailbox 550 5.1.1 User unknown in virtual mailbox table"});
    EXPECT("mailbox_transport = lmtp:unix:/run/x\n",
           {"alice@home.test", "local: alice@home.test[lmtp:unix:/run/x]"},
           {"team@home.test", "local: alice@home.test[lmtp:unix:/run/x], far@far.test"});
    EXPECT("mailbox_command = /bin/mda -d $$LOGNAME\n"
           "mailbox_command_maps = inline:{ { bob = /bin/other } }\n",
           {"alice@home.test", "local: alice@home.test|~alice /bin/mda -d $LOGNAME"},
           {"bob+x@home.test", "local: bob+x@home.test|~bob /bin/other"},
           {"team@home.test", "local: alice@home.test|~alice /bin/mda -d $LOGNAME, far@far.test"});
    EXPECT("mailbox_command = /bin/mda\nmailbox_transport = lmtp:unix:/run/x\n",
           {"alice@home.test", "local: alice@home.test[lmtp:unix:/run/x]"});
    EXPECT(
        "listen = lmtp:/var/spool/postfix/private/dovecot-lmtp, smtp://127.0.0.1:2525\n"
        "mailbox_transport = lmtp:unix:private/dovecot-lmtp\n"
        "virtual_transport = lmtp:unix:private/dovecot-lmtp\nvirtual_mailbox_domains = box.test\n",
        {"alice@home.test", "local: alice"}, {"carol@box.test", "mailbox: carol@box.test"});
}

static void senders_choose_the_way(void **state)
{
    (void)state;
    const struct directory *d =
        make("relayhost = [hub]\nsender_dependent_relayhost_maps = inline:{ { a@s.test = [a-hub] },"
             " { @t.test = [t-hub]:26 }, { <> = [null-hub] }, { d@t.test = DUNNO } }\n"
             "sender_dependent_default_transport_maps = inline:{ { z@s.test = slow:[z] },"
             " { y@s.test = slow: } }\n");
    static const char *const cases[][2] = {
        {"a@s.test", "other: x@far.test[smtp:[a-hub]]"},
        {"a+b@s.test", "other: x@far.test[smtp:[a-hub]]"},
        {"b@s.test", "other: x@far.test[smtp:[hub]]"},
        {"b@t.test", "other: x@far.test[smtp:[t-hub]:26]"},
        {"d@t.test", "other: x@far.test[smtp:[hub]]"},
        {"", "other: x@far.test[smtp:[null-hub]]"},
        {"z@s.test", "other: x@far.test[slow:[z]]"},
        {"y@s.test", "other: x@far.test[slow:[hub]]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(lead_from(d, cases[i][0], "x@far.test", false), cases[i][1]);
    directory_unref(d);
}

static const char *sender_by(const struct directory *d, const char *service, const char *sender)
{
    static char out[300];
    struct arena a;
    struct slice ret;
    struct error err = {""};
    arena_init(&a, 1 << 20);
    if (directory_sender(d, slice_cstr(service), slice_cstr(sender), &a, &ret, &err) != OK)
        ret = SLICE("failed");
    snprintf(out, sizeof out, "%.*s", SLICE_ARG(ret));
    arena_release(&a);
    return out;
}

static const char *sender_of(const struct directory *d, const char *sender)
{
    return sender_by(d, "", sender);
}

static void canonical_maps_and_masquerading(void **state)
{
    (void)state;
    const struct directory *d =
        make("canonical_maps = inline:{ { old@home.test = alice@home.test }, { two = bob } }\n"
             "sender_canonical_maps = inline:{ { @int.home.test = @home.test } }\n"
             "recipient_canonical_maps = inline:{ { r@home.test = old@home.test } }\n"
             "masquerade_domains = !keep.corp.test corp.test\nmasquerade_exceptions = root\n");
    assert_string_equal(sender_of(d, ""), "");
    assert_string_equal(sender_of(d, "x@far.test"), "x@far.test");
    assert_string_equal(sender_of(d, "X@Far.Test"), "X@Far.Test");
    assert_string_equal(sender_of(d, "old@home.test"), "alice@home.test");
    assert_string_equal(sender_of(d, "old+d@home.test"), "alice+d@home.test");
    assert_string_equal(sender_of(d, "me@int.home.test"), "me@home.test");
    assert_string_equal(sender_of(d, "old@int.home.test"), "alice@home.test");
    assert_string_equal(sender_of(d, "two"), "bob@home.test");
    assert_string_equal(sender_of(d, "u@a.b.corp.test"), "u@corp.test");
    assert_string_equal(sender_of(d, "u@x.keep.corp.test"), "u@x.keep.corp.test");
    assert_string_equal(sender_of(d, "root@a.corp.test"), "root@a.corp.test");
    assert_string_equal(sender_of(d, "u@corp.test"), "u@corp.test");
    assert_string_equal(lead(d, "r@home.test"), "local: alice");
    assert_string_equal(lead(d, "two@home.test"), "local: bob");
    assert_string_equal(lead(d, "me@int.home.test"), "other: me@int.home.test");
    directory_unref(d);
    d = make("canonical_maps = inline:{ { a@home.test = b@home.test }, { b@home.test = a@home.test "
             "} }\n");
    assert_string_equal(lead(d, "a@home.test"), "unavailable");
    assert_string_equal(sender_of(d, "a@home.test"), "failed");
    directory_unref(d);
    d = make("canonical_maps = inline:{ { a@home.test = bob@home.test } }\n"
             "canonical_classes = header_sender\n");
    assert_string_equal(sender_of(d, "a@home.test"), "a@home.test");
    directory_unref(d);
}

/* Like smtpd and cleanup(8): the recipients that there are are those of all, whatever a listener's
 * own mapping makes of them. */
static void listeners_map_by_themselves(void **state)
{
    (void)state;
    const struct directory *d = make(
        "listen = smtp://127.0.0.1:25, smtp://127.0.0.1:26#raw, smtp://127.0.0.1:27#open, "
        "smtp://127.0.0.1:28#sub\nrelay_domains = relay.test\n"
        "relay_recipient_maps = inline:{ { known@relay.test = x } }\n"
        "virtual_mailbox_domains = box.test\nalways_bcc = bob\n"
        "virtual_alias_domains = v.test\nvirtual_alias_maps = inline:{ { info@v.test = alice } }\n"
        "canonical_maps = inline:{ { old@home.test = alice@home.test } }\n"
        "masquerade_domains = corp.test\n"
        "recipient_bcc_maps = inline:{ { info@v.test = spy@far.test } }\n"
        "raw/receive_override_options = no_address_mappings, no_milters\n"
        "open/receive_override_options = no_unknown_recipient_checks\n"
        "sub/virtual_alias_maps = inline:{ { info@v.test = two@far.test }, { own@v.test = bob } }\n"
        "sub/canonical_maps =\nsub/masquerade_domains = far.test\nsub/always_bcc =\n"
        "sub/recipient_bcc_maps = inline:{ { info@v.test = c@far.test } }\n"
        "sendmail/virtual_alias_maps = broken:x\n");
    assert_string_equal(lead_by(d, "smtp", "", "info@v.test", true),
                        "alias: alice, bcc bob, bcc spy@far.test");
    assert_string_equal(lead_by(d, "sub", "", "info@v.test", true),
                        "alias: two@far.test, bcc c@far.test");
    assert_string_equal(lead_by(d, "raw", "", "info@v.test", true),
                        "alias: info@v.test[error:5.1.1 User unknown in virtual alias table]");
    assert_string_equal(lead_by(d, "sendmail", "", "info@v.test", false), "unavailable");
    static const char *const checked[] = {"smtp", "sub", "raw"};
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(lead_by(d, checked[i], "", "own@v.test", true),
                            "alias 550 5.1.1 User unknown in virtual alias table");
        assert_string_equal(lead_by(d, checked[i], "", "no@relay.test", true),
                            "relay 550 5.1.1 User unknown in relay recipient table");
    }
    assert_string_equal(lead_by(d, "open", "", "info@v.test", false), "alias: alice");
    assert_string_equal(lead_by(d, "open", "", "gone@v.test", false),
                        "alias: gone@v.test[error:5.1.1 User unknown in virtual alias table]");
    assert_string_equal(lead_by(d, "open", "", "no@relay.test", false),
                        "relay: no@relay.test[relay:relay.test]");
    assert_string_equal(lead_by(d, "open", "", "gone@home.test", false),
                        "local: gone@home.test[error:5.1.1 unknown user: \"gone\"]");
    assert_string_equal(lead_by(d, "open", "", "gone@box.test", false),
                        "mailbox: gone@box.test[error:5.1.1 unknown user: \"gone@box.test\"]");
    assert_string_equal(lead_by(d, "raw", "", "old@home.test", false),
                        "local: old@home.test[error:5.1.1 unknown user: \"old\"]");
    /* What local(8) sends on is new mail. */
    assert_string_equal(lead_by(d, "raw", "", "team@home.test", false),
                        "local: alice, far@far.test");
    assert_string_equal(sender_by(d, "smtp", "old@home.test"), "alice@home.test");
    assert_string_equal(sender_by(d, "sub", "old@home.test"), "old@home.test");
    assert_string_equal(sender_by(d, "sub", "u@x.far.test"), "u@far.test");
    assert_string_equal(sender_by(d, "raw", "old@home.test"), "old@home.test");
    assert_string_equal(sender_by(d, "raw", "u@x.corp.test"), "u@x.corp.test");
    directory_unref(d);
    /* For all listeners; mail that comes in by none is mapped. */
    d = make("canonical_maps = inline:{ { old@home.test = alice@home.test } }\n"
             "receive_override_options = no_address_mappings\n");
    assert_string_equal(sender_by(d, "smtp", "old@home.test"), "old@home.test");
    assert_string_equal(sender_of(d, "old@home.test"), "alice@home.test");
    assert_string_equal(lead(d, "old@home.test"), "local: alice");
    directory_unref(d);
}

static void copies_are_added(void **state)
{
    (void)state;
    const struct directory *d =
        make("always_bcc = bob\nsender_bcc_maps = inline:{ { s@sender.test = sent@far.test } }\n"
             "recipient_bcc_maps = inline:{ { alice@home.test = spy@far.test }, { @lost.test = "
             "nobody } }\n"
             "relayhost = [hub]\n");
    assert_string_equal(lead_from(d, "s@sender.test", "alice@home.test", true),
                        "local: alice, bcc bob, bcc sent@far.test[smtp:[hub]], "
                        "bcc spy@far.test[smtp:[hub]]");
    assert_string_equal(lead_from(d, "", "x@far.test", true),
                        "other: x@far.test[smtp:[hub]], bcc bob");
    assert_string_equal(lead_from(d, "", "x@lost.test", true),
                        "other: x@lost.test[smtp:[hub]], bcc bob");
    directory_unref(d);
}

static void who_has_moved_is_refused(void **state)
{
    (void)state;
    EXPECT("relocated_maps = inline:{ { alice@home.test = a@new.test }, { bob = b@new.test } }\n",
           {"alice@home.test", "local 550 5.1.6 User has moved to a@new.test"},
           {"bob+x@home.test", "local 550 5.1.6 User has moved to b@new.test"},
           {"bob@far.test", "other: bob@far.test"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_have_their_lists),
        cmocka_unit_test(lists_of_users_may_be_empty),
        cmocka_unit_test(virtual_aliases_expand),
        cmocka_unit_test(aliases_go_on_to_virtual_ones),
        cmocka_unit_test(addresses_that_name_a_way),
        cmocka_unit_test(transports_and_next_hops),
        cmocka_unit_test(senders_choose_the_way),
        cmocka_unit_test(canonical_maps_and_masquerading),
        cmocka_unit_test(listeners_map_by_themselves),
        cmocka_unit_test(copies_are_added),
        cmocka_unit_test(who_has_moved_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
