/* test_auth_role.c: the auth role over real channels: the test plays edge, mailbox and agent. Role
 * and test share one engine; the test's thread waits for each answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/grant.h"
#include "base/log.h"
#include "policy/policy.h"
#include "role/role.h"

static struct role role;
static const struct conf *conf;
static pthread_t engine_thread;
static struct ipc_channel *edge, *mailbox, *agent; /* the test's ends */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

/* The last answer, copied. */
static struct {
    bool there;
    enum ipc_type type;
    unsigned code;
    char account[64], rule[64], where[64], text[200], challenge[64], reason[100];
    char grant[128], targets[8][128];
    size_t grant_len, n_targets;
} got;
static struct grant_key key;
static unsigned asked_accounts, asked_passwords;

const struct conf *role_conf(struct role *r)
{
    (void)r;
    return conf_ref(conf);
}

static void copy(char *to, size_t size, struct slice s)
{
    snprintf(to, size, "%.*s", SLICE_ARG(s));
}

static void take_auth(const struct ipc_AUTH_RESULT *r)
{
    got.code = r->outcome;
    copy(got.account, sizeof got.account, r->account);
    copy(got.challenge, sizeof got.challenge, r->challenge);
    copy(got.reason, sizeof got.reason, r->reason);
    got.grant_len = r->grant.len;
    if (r->grant.len && r->grant.len <= sizeof got.grant)
        memcpy(got.grant, r->grant.data, r->grant.len);
}

static void take_targets(struct slice_list targets)
{
    got.n_targets = targets.n;
    for (size_t i = 0; i < targets.n && i < 8; i++)
        copy(got.targets[i], sizeof got.targets[i], targets.items[i]);
}

static void take_grant(struct slice grant)
{
    got.grant_len = grant.len;
    if (grant.len && grant.len <= sizeof got.grant)
        memcpy(got.grant, grant.data, grant.len);
}

static void take_answer(void *arg, struct ipc_message *m)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    got.type = m->type;
    if (m->type == IPC_AUTH_RESULT) {
        take_auth(&m->AUTH_RESULT);
    } else if (m->type == IPC_RCPT_RESULT) {
        got.code = m->RCPT_RESULT.code;
        copy(got.rule, sizeof got.rule, m->RCPT_RESULT.rule);
        copy(got.where, sizeof got.where, m->RCPT_RESULT.where);
        copy(got.text, sizeof got.text, m->RCPT_RESULT.text);
        take_targets(m->RCPT_RESULT.targets);
        take_grant(m->RCPT_RESULT.grant);
    } else if (m->type == IPC_ACTION_RESULT) {
        copy(got.text, sizeof got.text, m->ACTION_RESULT.address);
        copy(got.reason, sizeof got.reason, m->ACTION_RESULT.reason);
        take_targets(m->ACTION_RESULT.targets);
        take_grant(m->ACTION_RESULT.grant);
    } else if (m->type == IPC_CHECK_RESULT) {
        got.code = m->CHECK_RESULT.code;
        copy(got.text, sizeof got.text, m->CHECK_RESULT.value);
        copy(got.reason, sizeof got.reason, m->CHECK_RESULT.reason);
    } else if (m->type == IPC_EXPAND_RESULT) {
        got.code = m->EXPAND_RESULT.code;
        take_targets(m->EXPAND_RESULT.targets);
    }
    got.there = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void ask(struct ipc_channel *c, struct ipc_message *m)
{
    memset(&got, 0, sizeof got);
    ipc_request(c, m, take_answer, NULL);
    pthread_mutex_lock(&lock);
    while (!got.there)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

/* agent knows root (password "pam") and breaks down for "trouble". */
static void be_agent(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
    struct ipc_message answer = {.type = IPC_ACCOUNT_RESULT};
    (void)arg;
    if (m->type == IPC_ACCOUNT_CHECK) {
        asked_accounts++;
        answer.ACCOUNT_RESULT.code = slice_is(m->ACCOUNT_CHECK.user, "root")      ? 0
                                     : slice_is(m->ACCOUNT_CHECK.user, "trouble") ? 2
                                                                                  : 1;
    } else {
        asked_passwords++;
        answer.type = IPC_PASSWORD_RESULT;
        bool right =
            slice_is(m->PASSWORD_CHECK.user, "root") && slice_is(m->PASSWORD_CHECK.password, "pam");
        answer.PASSWORD_RESULT.code = slice_is(m->PASSWORD_CHECK.user, "trouble") ? 2 : !right;
        answer.PASSWORD_RESULT.reason = SLICE("as the test says");
    }
    ipc_answer(c, m->call, &answer);
}

static void be_nobody(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
    (void)arg;
    ipc_answer_failure(c, m->call, "not served");
}

static void on_request(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
    (void)arg;
    role.ops->request(&role, c, m);
}

static struct ipc_channel *connect_peer(enum ipc_role peer, ipc_handler_fn *handler)
{
    int ends[2];
    struct ipc_channel *mine = NULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_int_equal(
        ipc_channel_new(role.engine, ends[0], peer, on_request, NULL, NULL, &role.peers[peer]), OK);
    assert_int_equal(ipc_channel_new(role.engine, ends[1], ROLE_AUTH, handler, NULL, NULL, &mine),
                     OK);
    return mine;
}

static void *run_engine(void *arg)
{
    (void)arg;
    io_engine_run(role.engine);
    return NULL;
}

static void drop_line(void *arg, struct slice line)
{
    (void)arg;
    (void)line;
}

static void give_files(const char *users)
{
    struct role_secret files[] = {{SLICE("users_file"), SLICE("users"), slice_cstr(users), 0, true},
                                  {SLICE("alias_maps"), SLICE("aliases"),
                                   SLICE("team: alice, x@far.test\nbox: root\n"), 0, true}};
    role.ops->secrets(&role, files, 2);
}

static const char users[] = "alice:{PLAIN}secret\n"
                            "bob:{CRYPT}$1$saltsalt$9xy1btjgzLYfb7hivXtC//\n"
                            "off:{PLAIN}secret::::::nologin\n"
                            "broken:{NOPE}x\n"
                            "nopass\n";

static void set_conf(const char *more)
{
    struct conf_errors errors;
    char text[512];
    snprintf(text, sizeof text,
             "myhostname = h.test\nmydestination = h.test\nauth_failure_delay = 0\n%s", more);
    conf_errors_init(&errors);
    conf_unref(conf);
    conf = NULL;
    assert_int_equal(conf_parse(slice_cstr(text), "t.conf", &conf, &errors), OK);
    conf_errors_release(&errors);
}

static int start_role(const char *settings)
{
    struct error err;
    log_set_sink(drop_line, NULL);
    set_conf(settings);
    asked_accounts = asked_passwords = 0;
    assert_int_equal(grant_key_new(&key), OK);
    role = (struct role){.ops = &role_auth, .grant_key = key};
    assert_int_equal(io_engine_new(2, &role.engine, &err), OK);
    give_files(users);
    assert_int_equal(role.ops->start(&role, &err), OK);
    edge = connect_peer(ROLE_EDGE, be_nobody);
    mailbox = connect_peer(ROLE_MAILBOX, be_nobody);
    agent = connect_peer(ROLE_AGENT, be_agent);
    assert_int_equal(pthread_create(&engine_thread, NULL, run_engine, NULL), 0);
    role.ops->peer_up(&role, ROLE_EDGE);
    role.ops->peer_up(&role, ROLE_MAILBOX);
    return 0;
}

static int start_plain(void **state)
{
    (void)state;
    return start_role("");
}

static int start_filter(void **state)
{
    (void)state;
    return start_role("header_checks = regexp:{{/^X-F: here/ FILTER smtp:[192.0.2.1]:25}, "
                      "{/^X-F: lost/ FILTER nosuch:x}, {/^X-R:/ REDIRECT alice@h.test}}\n");
}

static int start_pam(void **state)
{
    (void)state;
    return start_role("pam_service = mail\n");
}

static int stop_role(void **state)
{
    (void)state;
    io_engine_stop(role.engine);
    pthread_join(engine_thread, NULL);
    for (int i = 0; i < ROLE_COUNT; i++)
        if (role.peers[i])
            ipc_channel_cut(role.peers[i]);
    role.ops->stop(&role);
    for (int i = 0; i < ROLE_COUNT; i++)
        if (role.peers[i])
            ipc_channel_close(role.peers[i]);
    ipc_channel_close(edge);
    ipc_channel_close(mailbox);
    ipc_channel_close(agent);
    io_engine_free(role.engine);
    conf_unref(conf);
    conf = NULL;
    log_set_sink(NULL, NULL);
    return 0;
}

static void start_exchange(uint64_t conn, const char *service, const char *mechanism, bool secured,
                           bool has_initial, struct slice initial)
{
    struct ipc_message m = {.type = IPC_AUTH_START,
                            .AUTH_START = {.conn = conn,
                                           .service = slice_cstr(service),
                                           .client_ip = SLICE("192.0.2.9"),
                                           .link = secured,
                                           .mechanism = slice_cstr(mechanism),
                                           .has_initial = has_initial,
                                           .initial = initial}};
    ask(edge, &m);
}

static unsigned plain(uint64_t conn, struct slice response)
{
    start_exchange(conn, "smtp", "PLAIN", true, true, response);
    assert_int_equal(got.type, IPC_AUTH_RESULT);
    return got.code;
}

static void step(uint64_t conn, struct slice response)
{
    struct ipc_message m = {.type = IPC_AUTH_STEP,
                            .AUTH_STEP = {.conn = conn, .response = response}};
    ask(edge, &m);
}

static unsigned rcpt(uint64_t conn, const char *service, const char *sender, const char *address,
                     int fd)
{
    struct ipc_message m = {.type = IPC_RCPT_CHECK,
                            .n_fds = fd >= 0,
                            .RCPT_CHECK = {.conn = conn,
                                           .stage = POLICY_AT_RCPT,
                                           .flags = CHECK_SENDER,
                                           .service = slice_cstr(service),
                                           .client_ip = SLICE("127.0.0.1"),
                                           .helo_name = SLICE("c.test"),
                                           .sender = slice_cstr(sender),
                                           .rcpt = slice_cstr(address)}};
    m.fds[0] = fd;
    ask(edge, &m);
    assert_int_equal(got.type, IPC_RCPT_RESULT);
    return got.code;
}

static void cancel(uint64_t conn, bool forget)
{
    struct ipc_message m = {.type = IPC_AUTH_CANCEL,
                            .AUTH_CANCEL = {.conn = conn, .forget = forget}};
    assert_int_equal(ipc_send(edge, &m), OK);
}

static void passwords_are_checked(void **state)
{
    (void)state;
    assert_int_equal(plain(1, SLICE("\0alice\0secret")), AUTH_OK);
    assert_string_equal(got.account, "alice");
    assert_int_equal(plain(2, SLICE("\0Alice@H.test\0secret")), AUTH_OK);
    assert_string_equal(got.account, "alice");
    assert_int_equal(plain(3, SLICE("\0bob\0secret")), AUTH_OK);
    assert_int_equal(plain(3, SLICE("\0bob\0secret")), AUTH_OK); /* from the cache */
    assert_int_equal(plain(3, SLICE("\0bob\0Secret")), AUTH_WRONG);
    assert_int_equal(plain(4, SLICE("\0nobody\0secret")), AUTH_WRONG);
    assert_int_equal(plain(4, SLICE("\0off\0secret")), AUTH_WRONG);
    assert_int_equal(plain(4, SLICE("\0broken\0x")), AUTH_WRONG);
    assert_int_equal(plain(4, SLICE("\0nopass\0x")), AUTH_WRONG);
    assert_int_equal(plain(5, SLICE("alice\0alice\0secret")), AUTH_OK);
    assert_int_equal(plain(5, SLICE("bob\0alice\0secret")), AUTH_WRONG);
    assert_int_equal(plain(5, SLICE("alice")), AUTH_MALFORMED);
    start_exchange(6, "smtp", "SCRAM-SHA-256", true, false, SLICE_NONE);
    assert_int_equal(got.code, AUTH_NO_MECHANISM);
    start_exchange(6, "smtp", "PLAIN", false, true, SLICE("\0alice\0secret"));
    assert_int_equal(got.code, AUTH_NO_MECHANISM); /* disable_plaintext_auth */
}

static void exchanges_go_step_by_step(void **state)
{
    (void)state;
    start_exchange(1, "imap", "login", true, false, SLICE_NONE);
    assert_int_equal(got.code, AUTH_CHALLENGE);
    assert_string_equal(got.challenge, "Username:");
    step(1, SLICE("alice"));
    assert_string_equal(got.challenge, "Password:");
    step(1, SLICE("secret"));
    assert_int_equal(got.code, AUTH_OK);
    struct grant_seen *seen = NULL;
    assert_int_equal(grant_seen_new(10, &seen), OK);
    assert_int_equal(grant_login_check(&key, seen, slice_of(got.grant, got.grant_len), 1,
                                       SLICE("alice"), SLICE("imap"), 0),
                     OK);
    grant_seen_free(seen);
    step(1, SLICE("more"));
    assert_int_equal(got.code, AUTH_UNAVAILABLE);
    start_exchange(2, "smtp", "PLAIN", true, false, SLICE_NONE);
    assert_int_equal(got.code, AUTH_CHALLENGE);
    cancel(2, false);
    step(2, SLICE("\0alice\0secret"));
    assert_int_equal(got.code, AUTH_UNAVAILABLE);
}

static void recipients_are_decided(void **state)
{
    (void)state;
    assert_int_equal(rcpt(1, "smtp", "s@far.test", "alice+x@h.test", -1), 250);
    assert_string_equal(got.targets[0], "local alice x");
    assert_string_equal(got.rule, "users_file");
    assert_string_equal(got.where, "users:1");
    struct slice target = SLICE("local alice x");
    assert_int_equal(grant_rcpt_check(&key, slice_of(got.grant, got.grant_len), 1,
                                      SLICE("alice+x@h.test"), (struct slice_list){&target, 1}, 0),
                     OK);
    assert_int_equal(rcpt(1, "smtp", "", "team@h.test", -1), 250);
    assert_int_equal(got.n_targets, 2);
    assert_string_equal(got.targets[1], "remote x@far.test");
    assert_string_equal(got.where, "aliases:1");
    assert_int_equal(rcpt(1, "smtp", "s@far.test", "nobody@h.test", -1), 550);
    assert_int_equal(got.grant_len, 0);
    assert_int_equal(rcpt(1, "smtp", "s@far.test", "y@far.test", -1), 554);
    assert_string_equal(got.text, "<y@far.test>: Relay access denied");
    assert_int_equal(rcpt(1, "submission", "s@far.test", "alice@h.test", -1), 530);
    assert_int_equal(rcpt(1, "what", "s@far.test", "alice@h.test", -1), 530);
    assert_int_equal(rcpt(1, "smtp", "", "postmaster", -1), 250);
}

/* FILTER as edge, which may have invented all of it, asks for it. The reason why not. */
static const char *filter(uint64_t conn, const char *line, const char *address, const char *target,
                          struct slice grant)
{
    struct slice list[] = {slice_cstr(target)};
    struct ipc_message m = {.type = IPC_ACTION_ASK,
                            .ACTION_ASK = {.conn = conn,
                                           .sender = SLICE("s@far.test"),
                                           .source = SLICE("header_checks"),
                                           .text = slice_cstr(line),
                                           .rcpt = slice_cstr(address),
                                           .targets = {list, 1},
                                           .grant = grant}};
    ask(edge, &m);
    assert_int_equal(got.type, IPC_ACTION_RESULT);
    return got.reason;
}

static void a_filter_gets_granted_recipients_alone(void **state)
{
    static const char here[] = "X-F: here", target[] = "local alice -", none[] = "not granted";
    char bytes[GRANT_LEN];
    (void)state;
    assert_int_equal(rcpt(1, "smtp", "s@far.test", "alice@h.test", -1), 250);
    char given[128];
    copy(given, sizeof given, slice_cstr(got.targets[0]));
    assert_int_equal(got.grant_len, GRANT_LEN);
    memcpy(bytes, got.grant, GRANT_LEN);
    struct slice grant = slice_of(bytes, GRANT_LEN);
    assert_non_null(strstr(filter(1, here, "y@far.test", given, grant), none));
    assert_int_equal(got.grant_len, 0);
    assert_non_null(strstr(filter(2, here, "alice@h.test", given, grant), none));
    assert_non_null(strstr(filter(1, here, "alice@h.test", "remote y@far.test", grant), none));
    assert_non_null(strstr(filter(1, here, "alice@h.test", target, SLICE("")), none));
    assert_non_null(strstr(filter(1, "X-F: no", "alice@h.test", given, grant), "no table"));
    assert_non_null(strstr(filter(1, "X-R: x", "alice@h.test", given, grant), "no table"));
    assert_non_null(strstr(filter(1, "X-F: lost", "alice@h.test", given, grant), "no such"));
    assert_string_equal(filter(1, here, "alice@h.test", given, grant), "");
    assert_string_equal(got.text, "alice@h.test");
    assert_int_equal(got.n_targets, 1);
    struct slice there = slice_cstr(got.targets[0]);
    assert_true(slice_starts(there, SLICE("filter alice@h.test")));
    assert_int_equal(grant_rcpt_check(&key, slice_of(got.grant, got.grant_len), 1,
                                      SLICE("alice@h.test"), (struct slice_list){&there, 1}, 0),
                     OK);
}

static unsigned check(const char *source, const char *line)
{
    struct ipc_message m = {.type = IPC_CHECK_ASK,
                            .CHECK_ASK = {.label = SLICE("smtp"),
                                          .source = slice_cstr(source),
                                          .text = slice_cstr(line)}};
    ask(edge, &m);
    assert_int_equal(got.type, IPC_CHECK_RESULT);
    return got.code;
}

/* Where auth has no tables, edge must not hear that none has the line. */
static void lines_are_checked_for_edge(void **state)
{
    (void)state;
    assert_int_equal(check("header_checks", "X-F: here"), 0);
    assert_string_equal(got.text, "FILTER smtp:[192.0.2.1]:25");
    assert_int_equal(check("header_checks", "Subject: other"), 1);
    assert_int_equal(check("body_checks", "text"), 2);
    assert_string_equal(got.reason, "auth has no such tables");
    assert_int_equal(check("no_checks", "text"), 2);
}

static void a_login_permits_to_relay_as_oneself(void **state)
{
    (void)state;
    assert_int_equal(plain(7, SLICE("\0alice\0secret")), AUTH_OK);
    assert_int_equal(rcpt(7, "submission", "alice@h.test", "y@far.test", -1), 250);
    assert_string_equal(got.rule, "permit_sasl_authenticated");
    assert_string_equal(got.targets[0], "remote y@far.test");
    assert_int_equal(rcpt(7, "submission", "Alice+x@H.test", "y@far.test", -1), 250);
    assert_int_equal(rcpt(7, "submission", "team@h.test", "y@far.test", -1), 250);
    assert_int_equal(rcpt(7, "submission", "", "y@far.test", -1), 250);
    assert_int_equal(rcpt(7, "submission", "bob@h.test", "y@far.test", -1), 553);
    assert_int_equal(rcpt(7, "submission", "alice@far.test", "bob@h.test", -1), 553);
    assert_int_equal(rcpt(8, "submission", "alice@h.test", "y@far.test", -1), 530);
    cancel(7, true);
    assert_int_equal(rcpt(7, "submission", "alice@h.test", "y@far.test", -1), 530);
    /* Logins of other services are no permission to send. */
    start_exchange(9, "imap", "PLAIN", true, true, SLICE("\0alice\0secret"));
    assert_int_equal(got.code, AUTH_OK);
    assert_int_equal(rcpt(9, "submission", "alice@h.test", "y@far.test", -1), 530);
}

/* A connected TCP socket whose peer is 127.0.0.1. */
static int loopback_client(int *ret_other)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof at), 0);
    int fd = accept(listener, NULL, NULL);
    close(listener);
    *ret_other = client;
    return fd;
}

static void mynetworks_needs_the_socket_as_proof(void **state)
{
    int other, fd = loopback_client(&other);
    (void)state;
    assert_int_equal(rcpt(1, "smtp", "", "y@far.test", fd), 554); /* default: none */
    set_conf("mynetworks = 127.0.0.0/8\n");
    role.ops->configured(&role);
    assert_int_equal(rcpt(1, "smtp", "", "y@far.test", -1), 554);
    assert_int_equal(rcpt(1, "smtp", "", "y@far.test", fd), 250);
    assert_string_equal(got.rule, "permit_mynetworks");
    assert_string_equal(got.where, "t.conf:4");
    assert_int_equal(rcpt(1, "lmtp", "", "y@far.test", fd), 554);
    set_conf("mynetworks = 192.0.2.0/24\n");
    role.ops->configured(&role);
    assert_int_equal(rcpt(1, "smtp", "", "y@far.test", fd), 554);
    close(fd);
    close(other);
}

static void changed_files_take_effect_at_once(void **state)
{
    (void)state;
    assert_int_equal(plain(1, SLICE("\0alice\0secret")), AUTH_OK);
    give_files("alice:{PLAIN}other\n");
    assert_int_equal(plain(1, SLICE("\0alice\0secret")), AUTH_WRONG);
    assert_int_equal(plain(1, SLICE("\0alice\0other")), AUTH_OK);
    assert_int_equal(rcpt(1, "smtp", "", "bob@h.test", -1), 550);
}

static void mailbox_expands_addresses(void **state)
{
    struct ipc_message m = {.type = IPC_EXPAND, .EXPAND = {.address = SLICE("team@h.test")}};
    (void)state;
    ask(mailbox, &m);
    assert_int_equal(got.code, 250);
    assert_int_equal(got.n_targets, 2);
    m.EXPAND.address = SLICE("y@far.test");
    ask(mailbox, &m);
    assert_int_equal(got.code, 250);
    assert_string_equal(got.targets[0], "remote y@far.test");
    m.EXPAND.address = SLICE("nobody@h.test");
    ask(mailbox, &m);
    assert_int_equal(got.code, 550);
    /* Edge has no business with it. */
    ask(edge, &m);
    assert_int_equal(got.type, IPC_FAILURE);
}

static void system_accounts_come_from_agent(void **state)
{
    (void)state;
    assert_int_equal(rcpt(1, "smtp", "", "root+d@h.test", -1), 250);
    assert_string_equal(got.targets[0], "local root d");
    assert_int_equal(rcpt(1, "smtp", "", "box@h.test", -1), 250);
    assert_int_equal(rcpt(1, "smtp", "", "gone@h.test", -1), 550);
    assert_int_equal(rcpt(1, "smtp", "", "trouble@h.test", -1), 451);
    unsigned before = asked_accounts;
    assert_int_equal(rcpt(1, "smtp", "", "root@h.test", -1), 250);
    assert_int_equal(rcpt(1, "smtp", "", "gone@h.test", -1), 550);
    assert_int_equal(asked_accounts, before); /* remembered */
    assert_int_equal(plain(2, SLICE("\0root\0pam")), AUTH_OK);
    assert_string_equal(got.account, "root");
    assert_int_equal(rcpt(2, "submission", "root@h.test", "y@far.test", -1), 250);
    before = asked_passwords;
    assert_int_equal(plain(2, SLICE("\0root\0pam")), AUTH_OK);
    assert_int_equal(asked_passwords, before); /* from the cache */
    assert_int_equal(plain(2, SLICE("\0root\0no")), AUTH_WRONG);
    assert_int_equal(plain(2, SLICE("\0trouble\0x")), AUTH_UNAVAILABLE);
    before = asked_passwords;
    assert_int_equal(plain(2, SLICE("\0alice\0secret")), AUTH_OK);
    assert_int_equal(plain(2, SLICE("\0alice\0wrong")), AUTH_WRONG);
    assert_int_equal(asked_passwords, before); /* users_file decides about its own */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(passwords_are_checked, start_plain, stop_role),
        cmocka_unit_test_setup_teardown(exchanges_go_step_by_step, start_plain, stop_role),
        cmocka_unit_test_setup_teardown(recipients_are_decided, start_plain, stop_role),
        cmocka_unit_test_setup_teardown(a_filter_gets_granted_recipients_alone, start_filter,
                                        stop_role),
        cmocka_unit_test_setup_teardown(lines_are_checked_for_edge, start_filter, stop_role),
        cmocka_unit_test_setup_teardown(a_login_permits_to_relay_as_oneself, start_plain,
                                        stop_role),
        cmocka_unit_test_setup_teardown(mynetworks_needs_the_socket_as_proof, start_plain,
                                        stop_role),
        cmocka_unit_test_setup_teardown(changed_files_take_effect_at_once, start_plain, stop_role),
        cmocka_unit_test_setup_teardown(mailbox_expands_addresses, start_plain, stop_role),
        cmocka_unit_test_setup_teardown(system_accounts_come_from_agent, start_pam, stop_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
