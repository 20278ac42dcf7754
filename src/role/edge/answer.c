/* answer.c: copies of other roles' answers. They come on the channel's thread and are gone when its
 * handler returns; the connection looks at them in a run of its own. */
#include <stdlib.h>

#include "role/edge/conn.h"

enum { ANSWER_MAX = 1 << 20 };

static struct conn_answer no_memory = {.type = IPC_FAILURE};

static struct slice_list copy_list(struct arena *a, struct slice_list l)
{
    struct slice *items = arena_alloc_n(a, l.n + 1, sizeof *items);
    for (size_t i = 0; items && i < l.n; i++)
        items[i] = arena_dup(a, l.items[i]);
    return (struct slice_list){items, items ? l.n : 0};
}

static void copy_auth(struct conn_answer *a, const struct ipc_AUTH_RESULT *m)
{
    a->auth = (struct ipc_AUTH_RESULT){
        .outcome = m->outcome,
        .challenge = arena_dup(&a->arena, m->challenge),
        .account = arena_dup(&a->arena, m->account),
        .login = arena_dup(&a->arena, m->login),
        .grant = arena_dup(&a->arena, m->grant),
        .reason = arena_dup(&a->arena, m->reason),
    };
}

static void copy_rcpt(struct conn_answer *a, const struct ipc_RCPT_RESULT *m)
{
    a->rcpt = (struct ipc_RCPT_RESULT){
        .code = m->code,
        .enhanced = arena_dup(&a->arena, m->enhanced),
        .text = arena_dup(&a->arena, m->text),
        .rule = arena_dup(&a->arena, m->rule),
        .where = arena_dup(&a->arena, m->where),
        .actions = copy_list(&a->arena, m->actions),
        .targets = copy_list(&a->arena, m->targets),
        .grant = arena_dup(&a->arena, m->grant),
        .sender = arena_dup(&a->arena, m->sender),
    };
}

static void copy_known(struct conn_answer *a, const struct ipc_message *m)
{
    switch (m->type) {
    case IPC_AUTH_RESULT:
        copy_auth(a, &m->AUTH_RESULT);
        break;
    case IPC_RCPT_RESULT:
        copy_rcpt(a, &m->RCPT_RESULT);
        break;
    case IPC_DELIVER_RESULT:
        a->deliver.codes = copy_list(&a->arena, m->DELIVER_RESULT.codes);
        a->deliver.texts = copy_list(&a->arena, m->DELIVER_RESULT.texts);
        break;
    case IPC_REWRITE_RESULT:
        a->rewrite.addresses = copy_list(&a->arena, m->REWRITE_RESULT.addresses);
        break;
    case IPC_ACTION_RESULT:
        a->action = (struct ipc_ACTION_RESULT){
            .address = arena_dup(&a->arena, m->ACTION_RESULT.address),
            .targets = copy_list(&a->arena, m->ACTION_RESULT.targets),
            .grant = arena_dup(&a->arena, m->ACTION_RESULT.grant),
            .reason = arena_dup(&a->arena, m->ACTION_RESULT.reason),
        };
        break;
    case IPC_CHECK_RESULT:
        a->check = (struct ipc_CHECK_RESULT){
            .code = m->CHECK_RESULT.code,
            .value = arena_dup(&a->arena, m->CHECK_RESULT.value),
            .where = arena_dup(&a->arena, m->CHECK_RESULT.where),
            .reason = arena_dup(&a->arena, m->CHECK_RESULT.reason),
        };
        break;
    case IPC_DKIM_SIGN_RESULT:
        a->dkim.n = m->DKIM_SIGN_RESULT.n;
        a->dkim.fields = arena_dup(&a->arena, m->DKIM_SIGN_RESULT.fields);
        break;
    case IPC_FLUSH_SITE_RESULT:
        a->flushed = m->FLUSH_SITE_RESULT.ok == 1;
        break;
    case IPC_LOGGED_IN_RESULT:
        a->logged_in.code = m->LOGGED_IN_RESULT.code;
        a->logged_in.text = arena_dup(&a->arena, m->LOGGED_IN_RESULT.text);
        break;
    default:
        a->type = IPC_FAILURE;
    }
}

struct conn_answer *conn_answer_copy(const struct ipc_message *m)
{
    struct conn_answer *a = calloc(1, sizeof *a);
    if (!a)
        return &no_memory;
    arena_init(&a->arena, ANSWER_MAX);
    a->type = m->type;
    copy_known(a, m);
    if (arena_failed(&a->arena))
        a->type = IPC_FAILURE;
    return a;
}

void conn_answer_free(struct conn_answer *a)
{
    if (!a || a == &no_memory)
        return;
    arena_release(&a->arena);
    free(a);
}
