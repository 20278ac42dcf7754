/* test_agent.c: PAM for real, with service files in a folder of the test's own; children of agent
 * that answer, crash and hang are seen through the role's requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "role/agent/agent.h"

static char folder[64];

/* No folder to watch, so no maildrop: only what is asked for runs. */
const struct conf *role_conf(struct role *r)
{
    const struct conf *c;
    struct conf_errors errors;
    (void)r;
    conf_errors_init(&errors);
    struct slice text = SLICE("state_directory = /nonexistent\nmyhostname = mail.example.test\n");
    assert_int_equal(conf_parse(text, "test", &c, &errors), OK);
    conf_errors_release(&errors);
    return c;
}

static void write_service(const char *name, const char *text)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int make_services(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/pam-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    write_service("permit", "auth required pam_permit.so\naccount required pam_permit.so\n");
    write_service("deny", "auth required pam_deny.so\naccount required pam_permit.so\n");
    write_service("closed", "auth required pam_permit.so\naccount required pam_deny.so\n");
    write_service("unix", "auth required pam_unix.so\naccount required pam_unix.so\n");
    return 0;
}

static int remove_services(void **state)
{
    char command[96];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* In a child, as agent does it: libpam leaks where a service can't be started. */
static int check(const char *service, const char *user, const char *password)
{
    int status = 0;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct buf reason;
        buf_init(&reason, 256);
        int code = agent_pam_check(folder, service, user, password, "192.0.2.1", &reason);
        _exit(code != 0 && buf_len(&reason) == 0 ? 99 : code);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_not_equal(WEXITSTATUS(status), 99); /* a refusal has its reason */
    return WEXITSTATUS(status);
}

static void pam_is_asked(void **state)
{
    (void)state;
    assert_int_equal(check("permit", "root", "x"), 0);
    assert_int_equal(check("deny", "root", "x"), 1);
    assert_int_equal(check("closed", "root", "x"), 1);
    assert_int_not_equal(check("unix", "no-such-user-here", "x"), 0);
    assert_int_not_equal(check("no-such-service", "root", "x"), 0);
}

/* The role, asked by the test as auth. */
static struct role role;
static struct ipc_channel *auth, *stranger;
static pthread_t engine_thread;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool answered;
static enum ipc_type answer_type;
static unsigned answer_code;
static char answer_text[200];

static void take_answer(void *arg, struct ipc_message *m)
{
    (void)arg;
    pthread_mutex_lock(&lock);
    answer_type = m->type;
    answer_code = m->type == IPC_PASSWORD_RESULT  ? m->PASSWORD_RESULT.code
                  : m->type == IPC_ACCOUNT_RESULT ? m->ACCOUNT_RESULT.code
                                                  : 99;
    if (m->type == IPC_FAILURE)
        snprintf(answer_text, sizeof answer_text, "%.*s", SLICE_ARG(m->FAILURE.text));
    answered = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static unsigned ask(struct ipc_channel *c, struct ipc_message *m)
{
    answered = false;
    ipc_request(c, m, take_answer, NULL);
    pthread_mutex_lock(&lock);
    while (!answered)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return answer_code;
}

static void on_request(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
    (void)arg;
    role.ops->request(&role, c, m);
}

static void on_nothing(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
    (void)arg;
    (void)c;
    (void)m;
}

static struct ipc_channel *connect_peer(enum ipc_role peer)
{
    int ends[2];
    struct ipc_channel *mine = NULL;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    assert_int_equal(
        ipc_channel_new(role.engine, ends[0], peer, on_request, NULL, NULL, &role.peers[peer]), OK);
    assert_int_equal(
        ipc_channel_new(role.engine, ends[1], ROLE_AGENT, on_nothing, NULL, NULL, &mine), OK);
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

static int start_role(void **state)
{
    struct error err;
    (void)state;
    log_set_sink(drop_line, NULL);
    role = (struct role){.ops = &role_agent};
    assert_int_equal(io_engine_new(2, &role.engine, &err), OK);
    assert_int_equal(role.ops->start(&role, &err), OK);
    auth = connect_peer(ROLE_AUTH);
    stranger = connect_peer(ROLE_EDGE);
    assert_int_equal(pthread_create(&engine_thread, NULL, run_engine, NULL), 0);
    return 0;
}

static int stop_role(void **state)
{
    (void)state;
    io_engine_stop(role.engine);
    pthread_join(engine_thread, NULL);
    ipc_channel_cut(role.peers[ROLE_AUTH]);
    ipc_channel_cut(role.peers[ROLE_EDGE]);
    role.ops->stop(&role);
    ipc_channel_close(role.peers[ROLE_AUTH]);
    ipc_channel_close(role.peers[ROLE_EDGE]);
    ipc_channel_close(auth);
    ipc_channel_close(stranger);
    io_engine_free(role.engine);
    log_set_sink(NULL, NULL);
    return 0;
}

static void accounts_are_looked_up_in_children(void **state)
{
    struct ipc_message m = {.type = IPC_ACCOUNT_CHECK, .ACCOUNT_CHECK = {.user = SLICE("root")}};
    (void)state;
    assert_int_equal(ask(auth, &m), 0);
    m.ACCOUNT_CHECK.user = SLICE("no-such-user-here");
    assert_int_equal(ask(auth, &m), 1);
    m.ACCOUNT_CHECK.user = SLICE("");
    (void)ask(auth, &m);
    assert_int_equal(answer_type, IPC_FAILURE);
    m.ACCOUNT_CHECK.user = SLICE("ro\0ot");
    (void)ask(auth, &m);
    assert_int_equal(answer_type, IPC_FAILURE);
    m.ACCOUNT_CHECK.user = SLICE("root");
    (void)ask(stranger, &m);
    assert_int_equal(answer_type, IPC_FAILURE);
}

static void passwords_need_root(void **state)
{
    struct ipc_message m = {.type = IPC_PASSWORD_CHECK,
                            .PASSWORD_CHECK = {.driver = SLICE("pam"),
                                               .pam_service = SLICE("postrider-no-such-service"),
                                               .user = SLICE("no-such-user-here"),
                                               .password = SLICE("x"),
                                               .client_ip = SLICE("192.0.2.1")}};
    (void)state;
    (void)ask(auth, &m);
    if (geteuid() == 0) {
        assert_int_equal(answer_type, IPC_PASSWORD_RESULT);
        assert_int_not_equal(answer_code, 0);
    } else {
        assert_int_equal(answer_type, IPC_FAILURE);
        assert_non_null(strstr(answer_text, "needs root"));
    }
}

/* Jobs of the test's own. */
struct probe {
    struct agent_job job;
    char answer[32];
    bool ended, done;
};

static void probe_done(struct agent_job *job, struct slice answer, bool ended)
{
    struct probe *p = CONTAINER_OF(job, struct probe, job);
    pthread_mutex_lock(&lock);
    snprintf(p->answer, sizeof p->answer, "%.*s", SLICE_ARG(answer));
    p->ended = ended;
    p->done = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void say_hello(const struct agent_job *job, int out)
{
    (void)job;
    if (write(out, "hello", 5) != 5)
        _exit(2);
}

static void crash(const struct agent_job *job, int out)
{
    (void)job;
    (void)out;
    _exit(7);
}

static void say_too_much(const struct agent_job *job, int out)
{
    char text[CHILD_OUTPUT_MAX + 1] = {'x'};
    (void)job;
    (void)!write(out, text, sizeof text);
    pause();
}

static void wait_for(struct probe *p)
{
    pthread_mutex_lock(&lock);
    while (!p->done)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void children_are_bounded_and_may_fail(void **state)
{
    enum { MANY = CHILDREN_MAX * 3 };
    static struct probe many[MANY];
    struct probe bad = {.job = {.run = crash, .done = probe_done}};
    struct probe loud = {.job = {.run = say_too_much, .done = probe_done}};
    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        many[i] = (struct probe){.job = {.run = say_hello, .done = probe_done}};
        assert_int_equal(agent_run(agent_state(&role), &many[i].job), OK);
    }
    assert_int_equal(agent_run(agent_state(&role), &bad.job), OK);
    assert_int_equal(agent_run(agent_state(&role), &loud.job), OK);
    for (size_t i = 0; i < MANY; i++) {
        wait_for(&many[i]);
        assert_true(many[i].ended);
        assert_string_equal(many[i].answer, "hello");
    }
    wait_for(&bad);
    assert_false(bad.ended);
    wait_for(&loud);
    assert_false(loud.ended);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pam_is_asked, make_services, remove_services),
        cmocka_unit_test_setup_teardown(accounts_are_looked_up_in_children, start_role, stop_role),
        cmocka_unit_test_setup_teardown(passwords_need_root, start_role, stop_role),
        cmocka_unit_test_setup_teardown(children_are_bounded_and_may_fail, start_role, stop_role),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
