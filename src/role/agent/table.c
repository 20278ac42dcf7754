/* table.c: TABLE_ASK: a lookup table that asks a server, one question in a child. auth and
 * relay may name the tables of their part of the configuration alone. The answer: '0' and the
 * value, '1' there is none, '2' and why it could not be asked. */
#include "auth/server.h"
#include "base/log.h"
#include "os/fds.h"
#include "role/agent/agent.h"
#include "table/table.h"

#include <grp.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_MAX = 80 * 1024, ARENA_LIMIT = 1 << 20, NOBODY = 65534, ASK_TIMEOUT_MS = 25000 };

struct asking {
    struct agent_job job;
    struct ipc_channel *channel;
    uint64_t call;
    size_t table_len, key_len, postfix_len;
    char text[]; /* table, key, the folder of main.cf */
};

static struct slice table_of(const struct asking *q)
{
    return slice_of(q->text, q->table_len);
}

static struct slice key_of(const struct asking *q)
{
    return slice_of(q->text + q->table_len, q->key_len);
}

/* root reads the table's file; what servers answer is parsed, by us and by their libraries, with
 * nobody's rights, unless the table names what root alone may open (server_needs_rights). The
 * libraries look for files of their own at home: root's would be there, and could not be read. */
static bool give_up_rights(void)
{
    if (geteuid() != 0)
        return true;
    return setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0 &&
           setuid(0) != 0 && setenv("HOME", "/nonexistent", 1) == 0;
}

static struct slice postfix_of(const struct asking *q)
{
    return slice_of(q->text + q->table_len + q->key_len, q->postfix_len);
}

static void run(const struct agent_job *job, int out)
{
    const struct asking *q = CONTAINER_OF(job, struct asking, job);
    struct arena a;
    struct error err = {""};
    struct slice value = SLICE("");
    arena_init(&a, ARENA_LIMIT);
    enum result r =
        server_ask(table_of(q), postfix_of(q), key_of(q), give_up_rights, &a, &value, &err);
    if (r != OK)
        value = r == NOT_FOUND ? SLICE("") : slice_cstr(err.text);
    char code = r == OK ? '0' : r == NOT_FOUND ? '1' : '2';
    if (!fd_write_all(out, slice_of(&code, 1)) || !fd_write_all(out, value))
        _exit(1);
    arena_release(&a);
}

static void done(struct agent_job *job, struct slice answer, bool ended)
{
    struct asking *q = CONTAINER_OF(job, struct asking, job);
    struct ipc_message m = {.type = IPC_TABLE_RESULT};
    bool good = ended && answer.len && answer.data[0] >= '0' && answer.data[0] <= '2';
    m.TABLE_RESULT.code = good ? (uint8_t)(answer.data[0] - '0') : 2;
    m.TABLE_RESULT.value = m.TABLE_RESULT.reason = SLICE("");
    if (m.TABLE_RESULT.code == 0)
        m.TABLE_RESULT.value = slice_from(answer, 1);
    else if (m.TABLE_RESULT.code == 2)
        m.TABLE_RESULT.reason =
            good ? slice_from(answer, 1) : SLICE("the server did not answer in time");
    ipc_answer(q->channel, q->call, &m);
    free(q);
}

/* ---- is it one of the configuration's? ---- */

struct search {
    struct slice table;
    bool outgoing; /* relay asks the tables of outgoing mail, auth the others */
    bool found;
};

static void compare(void *arg, struct slice table)
{
    struct search *s = arg;
    s->found = s->found || slice_eq(table, s->table);
}

static void look_into(void *arg, const char *setting, struct slice spec)
{
    const struct search *s = arg;
    struct error ignored;
    if (conf_table_is_outgoing(setting) != s->outgoing ||
        table_servers(spec, compare, arg, &ignored) != OK)
        return; /* what has no form names no table */
}

static bool is_configured(struct agent *a, enum ipc_role asking, struct slice table)
{
    struct search s = {table, asking == ROLE_RELAY, false};
    const struct conf *c = role_conf(a->role);
    conf_tables(c, look_into, &s);
    conf_unref(c);
    return s.found;
}

void agent_table_ask(struct agent *a, struct ipc_channel *from, struct ipc_message *m)
{
    const struct ipc_TABLE_ASK *t = &m->TABLE_ASK;
    struct asking *q = NULL;
    const struct conf *c = role_conf(a->role);
    struct slice postfix = c->postfix_config;
    size_t length = t->table.len + t->key.len + postfix.len;
    if (!is_configured(a, ipc_channel_peer(from), t->table))
        ipc_answer_failure(from, m->call, "no such table is configured");
    else if (length > TEXT_MAX || t->key.len == 0)
        ipc_answer_failure(from, m->call, "the key is empty or too long");
    else if (!(q = calloc(1, sizeof *q + length)))
        ipc_answer_failure(from, m->call, "no memory");
    if (!q) {
        conf_unref(c);
        return;
    }
    *q = (struct asking){.job = {.run = run,
                                 .done = done,
                                 .line = AGENT_TABLES,
                                 .timeout_ms = ASK_TIMEOUT_MS,
                                 .answer_max = SERVER_VALUE_MAX + 1},
                         .channel = from,
                         .call = m->call,
                         .table_len = t->table.len,
                         .key_len = t->key.len,
                         .postfix_len = postfix.len};
    memcpy(q->text, t->table.data, t->table.len);
    memcpy(q->text + t->table.len, t->key.data, t->key.len);
    if (postfix.len)
        memcpy(q->text + t->table.len + t->key.len, postfix.data, postfix.len);
    conf_unref(c);
    if (agent_run(a, &q->job) == OK)
        return;
    ipc_answer_failure(from, m->call, "too many questions wait");
    free(q);
}
