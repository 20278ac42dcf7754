/* control_status.c: status: asks every role and prints what they say. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "role/mailbox/control.h"
#include "role/mailbox/mailbox.h"

struct gathering {
    struct control_call *call;
    bool as_json;
    atomic_uint waiting;
    pthread_mutex_t lock;
    struct json object;
};

static void put_value(struct json *o, const char *name, struct slice value)
{
    uint64_t n;
    if (slice_parse_u64(value, INT64_MAX, &n) == OK)
        json_put_number(o, name, (int64_t)n);
    else
        json_put_string(o, name, value);
}

static void put_role(struct gathering *g, const char *role, const struct slice *items, size_t n)
{
    struct buf *out = &g->call->out;
    pthread_mutex_lock(&g->lock);
    struct json o = {0};
    if (g->as_json) {
        json_key(&g->object, role);
        o = json_begin(out, '{');
    }
    for (size_t i = 0; i < n; i++) {
        struct slice rest = items[i], key = slice_split(&rest, '=');
        char name[64];
        snprintf(name, sizeof name, "%.*s", SLICE_ARG(key));
        if (g->as_json)
            put_value(&o, name, rest);
        else
            buf_printf(out, "%-8s %-24s %.*s\n", role, name, SLICE_ARG(rest));
    }
    if (g->as_json)
        json_end(&o);
    pthread_mutex_unlock(&g->lock);
}

static void one_done(struct gathering *g)
{
    if (atomic_fetch_sub(&g->waiting, 1) != 1)
        return;
    if (g->as_json) {
        json_end(&g->object);
        buf_putc(&g->call->out, '\n');
    }
    control_end(g->call, 0, NULL);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

struct asked {
    struct gathering *g;
    enum ipc_role role;
};

static void answered(void *arg, struct ipc_message *m)
{
    struct asked *a = arg;
    static struct slice down = {"state=down", 10};
    if (m->type == IPC_STATUS_RESULT)
        put_role(a->g, ipc_role_name(a->role), m->STATUS_RESULT.items.items,
                 m->STATUS_RESULT.items.n);
    else
        put_role(a->g, ipc_role_name(a->role), &down, 1);
    one_done(a->g);
    free(a);
}

static void ask(struct gathering *g, enum ipc_role role)
{
    struct asked *a = malloc(sizeof *a);
    struct ipc_message m = {.type = IPC_STATUS};
    if (!a) {
        one_done(g);
        return;
    }
    *a = (struct asked){g, role};
    ipc_request(g->call->mailbox->role->peers[role], &m, answered, a);
}

void control_status(struct control_call *c, const struct slice *words, size_t n)
{
    static const enum ipc_role peers[] = {ROLE_AUTH, ROLE_EDGE, ROLE_RELAY, ROLE_AGENT};
    enum { PEERS = sizeof peers / sizeof *peers };
    struct gathering *g = calloc(1, sizeof *g);
    if (!g) {
        control_end(c, 1, "no memory");
        return;
    }
    g->call = c;
    g->as_json = n && slice_is(words[n - 1], "--json");
    g->waiting = PEERS + 1;
    pthread_mutex_init(&g->lock, NULL);
    if (g->as_json)
        g->object = json_begin(&c->out, '{');
    struct buf text;
    struct slice items[64];
    buf_init(&text, 16 * 1024);
    role_status_items(c->mailbox->role, &text);
    size_t n_items = 0;
    for (struct slice rest = buf_slice(&text); rest.len && n_items < 64;)
        items[n_items++] = slice_split(&rest, '\n');
    put_role(g, "mailbox", items, n_items);
    buf_release(&text);
    for (size_t i = 0; i < PEERS; i++)
        ask(g, peers[i]);
    one_done(g);
}
