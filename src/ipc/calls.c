/* calls.c: the table of requests that wait for an answer: an array with a free list, so that an
 * answer finds its request by index; the serial in the number tells old from new. */
#include <stdlib.h>

#include "ipc/channel.h"

enum { FIRST_SIZE = 64, NONE = IPC_CALLS_MAX };

static bool grow(struct ipc_calls *t)
{
    uint32_t size = t->size ? t->size * 2 : FIRST_SIZE;
    if (size > IPC_CALLS_MAX)
        return false;
    struct ipc_call *items = realloc(t->items, size * sizeof *items);
    if (!items)
        return false;
    for (uint32_t i = t->size; i < size; i++)
        items[i] = (struct ipc_call){.next_free = i + 1 < size ? i + 1 : NONE};
    t->free = t->size;
    t->items = items;
    t->size = size;
    return true;
}

enum result ipc_calls_add(struct ipc_calls *t, const struct ipc_call *call, uint64_t *ret_number)
{
    if (t->used == t->size && !grow(t))
        return LIMIT;
    uint32_t i = t->free;
    t->free = t->items[i].next_free;
    t->used++;
    t->serial = (t->serial + 1) & (CALL_MASK >> CALL_INDEX_BITS);
    t->serial += t->serial == 0; /* no call has the number 0 */
    t->items[i] = *call;
    t->items[i].number = t->serial << CALL_INDEX_BITS | i;
    *ret_number = t->items[i].number;
    return OK;
}

static void take_at(struct ipc_calls *t, uint32_t i, struct ipc_call *ret)
{
    *ret = t->items[i];
    t->items[i] = (struct ipc_call){.next_free = t->free};
    t->free = i;
    t->used--;
}

bool ipc_calls_take(struct ipc_calls *t, uint64_t number, struct ipc_call *ret)
{
    uint64_t i = number & (((uint64_t)1 << CALL_INDEX_BITS) - 1);
    if (i >= t->size || !t->items[i].on_answer || t->items[i].number != number)
        return false;
    take_at(t, (uint32_t)i, ret);
    return true;
}

bool ipc_calls_take_older(struct ipc_calls *t, uint64_t epoch, struct ipc_call *ret)
{
    for (uint32_t i = 0; i < t->size && t->used; i++)
        if (t->items[i].on_answer && t->items[i].epoch < epoch) {
            take_at(t, i, ret);
            return true;
        }
    return false;
}

void ipc_calls_release(struct ipc_calls *t)
{
    free(t->items);
    *t = (struct ipc_calls){0};
}

void ipc_answer_with_failure(const struct ipc_call *call, const char *text)
{
    struct ipc_message m = {.type = IPC_FAILURE, .call = call->number};
    m.FAILURE.text = slice_cstr(text);
    call->on_answer(call->arg, &m);
}

enum ipc_type ipc_answer_type(enum ipc_type request)
{
    switch (request) {
    case IPC_AUTH_TEST:
    case IPC_AUTH_START:
    case IPC_AUTH_STEP:
        return IPC_AUTH_RESULT;
    case IPC_RCPT_CHECK:
        return IPC_RCPT_RESULT;
    case IPC_DELIVER:
        return IPC_DELIVER_RESULT;
    case IPC_FLUSH_SITE:
        return IPC_FLUSH_SITE_RESULT;
    case IPC_LOGGED_IN:
        return IPC_LOGGED_IN_RESULT;
    case IPC_RELAY_JOB:
        return IPC_RELAY_RESULT;
    case IPC_RELAY_MESSAGE:
        return IPC_RELAY_MESSAGE_RESULT;
    case IPC_STS_ASK:
        return IPC_STS_RESULT;
    case IPC_STS_KEEP:
        return IPC_STS_KEPT;
    case IPC_HTTPS_POST:
        return IPC_HTTPS_RESULT;
    case IPC_CONNECT:
        return IPC_CONNECT_RESULT;
    case IPC_ROUTE:
        return IPC_ROUTE_RESULT;
    case IPC_REWRITE:
        return IPC_REWRITE_RESULT;
    case IPC_ACTION_ASK:
        return IPC_ACTION_RESULT;
    case IPC_CHECK_ASK:
        return IPC_CHECK_RESULT;
    case IPC_DKIM_SIGN:
        return IPC_DKIM_SIGN_RESULT;
    case IPC_LOCAL_JOB:
        return IPC_LOCAL_RESULT;
    case IPC_FILE_READ:
        return IPC_FILE_RESULT;
    case IPC_EXPLAIN:
        return IPC_EXPLAIN_RESULT;
    case IPC_EXPAND:
        return IPC_EXPAND_RESULT;
    case IPC_PASSWORD_CHECK:
        return IPC_PASSWORD_RESULT;
    case IPC_ACCOUNT_CHECK:
        return IPC_ACCOUNT_RESULT;
    case IPC_TABLE_ASK:
        return IPC_TABLE_RESULT;
    case IPC_USER_CHECK:
        return IPC_USER_RESULT;
    case IPC_RESOLVE:
        return IPC_RESOLVE_RESULT;
    case IPC_STATUS:
        return IPC_STATUS_RESULT;
    case IPC_CONTROL:
        return IPC_CONTROL_END;
    default:
        return IPC_NO_TYPE;
    }
}
