/* asking.c: see asking.h. */
#include "role/mailbox/asking.h"

#include <stdio.h>

void asking_start(struct asking *a, struct arena *arena)
{
    *a = (struct asking){.arena = arena, .r = FAILED};
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->answered, NULL);
}

/* The waiting thread may free the struct as soon as the lock is given back. */
void asking_done(void *arg, enum result r)
{
    struct asking *a = arg;
    pthread_mutex_lock(&a->lock);
    a->r = r;
    a->there = true;
    pthread_cond_signal(&a->answered);
    pthread_mutex_unlock(&a->lock);
}

void asking_wait(struct asking *a)
{
    pthread_mutex_lock(&a->lock);
    while (!a->there)
        pthread_cond_wait(&a->answered, &a->lock);
    pthread_mutex_unlock(&a->lock);
    pthread_mutex_destroy(&a->lock);
    pthread_cond_destroy(&a->answered);
}

static enum result take_texts(struct asking *a, const struct slice *items, size_t n)
{
    a->texts = arena_alloc_n(a->arena, n + 1, sizeof *a->texts);
    for (size_t i = 0; a->texts && i < n; i++)
        a->texts[a->n_texts++] = arena_dup(a->arena, items[i]);
    return arena_failed(a->arena) ? FAILED : OK;
}

/* 0 found, 1 and 3 there is none, 2 no answer (dns.c). */
static enum result take_records(struct asking *a, const struct ipc_RESOLVE_RESULT *m)
{
    if (m->code == 0)
        return take_texts(a, m->answers.items, m->answers.n);
    return m->code == 2 ? FAILED : NOT_FOUND;
}

static enum result take(struct asking *a, const struct ipc_message *m)
{
    struct slice why = SLICE("no answer");
    enum result r = FAILED;
    if (m->type == IPC_RESOLVE_RESULT)
        r = take_records(a, &m->RESOLVE_RESULT);
    else if (m->type == IPC_DKIM_SIGN_RESULT)
        r = take_texts(a, &m->DKIM_SIGN_RESULT.fields, m->DKIM_SIGN_RESULT.n ? 1 : 0);
    else if (m->type == IPC_HTTPS_RESULT && (why = m->HTTPS_RESULT.reason).len == 0)
        r = OK;
    else if (m->type == IPC_FAILURE)
        why = m->FAILURE.text;
    snprintf(a->why, sizeof a->why, "%.*s", SLICE_ARG(why));
    return r;
}

static void answered(void *arg, struct ipc_message *m)
{
    asking_done(arg, take(arg, m));
}

void asking_ask(struct asking *a, struct ipc_channel *peer, struct ipc_message *m,
                struct arena *arena)
{
    asking_start(a, arena);
    ipc_request(peer, m, answered, a);
    asking_wait(a);
}
