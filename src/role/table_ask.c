#include "role/table_ask.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"

enum { ASK_WAIT_S = 30 };

/* Counted: whoever waits may give up before the answer comes. */
struct table_question {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    unsigned refs;
    bool done;
    unsigned code;
    struct buf text; /* the value, or why not */
};

static void drop_question(struct table_question *q)
{
    pthread_mutex_lock(&q->lock);
    bool last = --q->refs == 0;
    pthread_mutex_unlock(&q->lock);
    if (!last)
        return;
    buf_release(&q->text);
    pthread_cond_destroy(&q->answered);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

static void take_table(void *arg, struct ipc_message *m)
{
    struct table_question *q = arg;
    bool told = m->type == IPC_TABLE_RESULT;
    pthread_mutex_lock(&q->lock);
    q->code = told ? m->TABLE_RESULT.code : 2;
    if (!told)
        buf_append(&q->text, m->type == IPC_FAILURE ? m->FAILURE.text : SLICE("no answer"));
    else
        buf_append(&q->text, q->code == 0 ? m->TABLE_RESULT.value : m->TABLE_RESULT.reason);
    q->done = true;
    pthread_cond_signal(&q->answered);
    pthread_mutex_unlock(&q->lock);
    drop_question(q);
}

static struct table_question *new_question(void)
{
    struct table_question *q = calloc(1, sizeof *q);
    pthread_condattr_t attr;
    if (!q)
        return NULL;
    q->refs = 2;
    buf_init(&q->text, TABLE_VALUE_MAX);
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&q->answered, &attr);
    pthread_condattr_destroy(&attr);
    return q;
}

/* agent kills a child that takes longer, so an answer comes before. */
static void wait_for(struct table_question *q)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ASK_WAIT_S;
    int waited = 0;
    while (!q->done && waited == 0)
        waited = pthread_cond_timedwait(&q->answered, &q->lock, &until);
}

static enum result read_answer(struct table_question *q, struct arena *a, struct slice *ret,
                               struct error *err)
{
    struct slice text = buf_slice(&q->text), value;
    if (!q->done)
        return error_set(err, FAILED, "agent did not answer");
    if (q->code == 1)
        return NOT_FOUND;
    if (q->code != 0)
        return error_set(err, FAILED, "%.*s", SLICE_ARG(text));
    value = buf_ok(&q->text) ? arena_dup(a, text) : SLICE_NONE;
    if (!value.data)
        return error_set(err, FAILED, "no memory, or the value is too long");
    *ret = value;
    return OK;
}

enum result role_table_ask(void *arg, struct slice table, struct slice key, struct arena *a,
                           struct slice *ret, struct error *err)
{
    struct role *role = arg;
    struct ipc_message m = {.type = IPC_TABLE_ASK, .TABLE_ASK = {.table = table, .key = key}};
    struct table_question *q = new_question();
    if (!q)
        return error_set(err, FAILED, "no memory");
    ipc_request(role->peers[ROLE_AGENT], &m, take_table, q);
    pthread_mutex_lock(&q->lock);
    wait_for(q);
    enum result r = read_answer(q, a, ret, err);
    pthread_mutex_unlock(&q->lock);
    drop_question(q);
    if (r != OK && r != NOT_FOUND)
        LOG(LOG_WARNING, "table.unavailable", LOG_S("table", table),
            LOG_C("why", err ? err->text : ""));
    return r;
}
