/* blocking.c: threads for calls of libraries that block. They are started when needed, at most
 * IO_HELPERS_MAX, and leave when they had nothing to do for a while. Each that leaves joins the one
 * that left before it, so that at the end all are gone with what libraries keep for a thread. */
#include "io/engine.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { IDLE_S = 10 };

void io_blocking_init(struct io_blocking *b)
{
    pthread_condattr_t attr;
    pthread_mutex_init(&b->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&b->more, &attr);
    pthread_cond_init(&b->gone, NULL);
    pthread_condattr_destroy(&attr);
    b->last = &b->first;
}

/* The next job, or NULL when the helper is to leave. The lock is held. */
static struct io_job *next_job(struct io_blocking *b)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_S;
    int waited = 0;
    b->idle++;
    while (!b->first && !b->ending && waited != ETIMEDOUT)
        waited = pthread_cond_timedwait(&b->more, &b->lock, &until);
    b->idle--;
    struct io_job *job = b->first;
    if (job) {
        b->first = job->next;
        if (!b->first)
            b->last = &b->first;
        b->waiting--;
    }
    return job;
}

static void *helper_main(void *arg)
{
    struct io_blocking *b = arg;
    struct io_job *job;
    pthread_mutex_lock(&b->lock);
    while ((job = next_job(b))) {
        pthread_mutex_unlock(&b->lock);
        job->fn(job->arg);
        free(job);
        pthread_mutex_lock(&b->lock);
        pthread_cond_broadcast(&b->gone); /* io_wait_blocking looks again once this one waits */
    }
    pthread_t before = b->left;
    bool one_left_before = b->any_left;
    b->left = pthread_self();
    b->any_left = true;
    b->helpers--;
    pthread_cond_broadcast(&b->gone);
    pthread_mutex_unlock(&b->lock);
    if (one_left_before)
        pthread_join(before, NULL);
    return NULL;
}

static bool start_helper(struct io_blocking *b)
{
    sigset_t all, before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, NULL, helper_main, b) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (started)
        b->helpers++;
    return started;
}

enum result io_run_blocking(struct io_engine *e, void (*fn)(void *arg), void *arg)
{
    struct io_blocking *b = &e->blocking;
    struct io_job *job = malloc(sizeof *job);
    if (!job)
        return FAILED;
    *job = (struct io_job){NULL, fn, arg};
    enum result r = OK;
    pthread_mutex_lock(&b->lock);
    if (b->waiting >= IO_JOBS_MAX)
        r = BUSY;
    else if (b->waiting >= b->idle && b->helpers < IO_HELPERS_MAX && !start_helper(b) &&
             b->helpers == 0)
        r = FAILED;
    if (r == OK) {
        *b->last = job;
        b->last = &job->next;
        b->waiting++;
        pthread_cond_signal(&b->more);
    }
    pthread_mutex_unlock(&b->lock);
    if (r != OK)
        free(job);
    return r;
}

void io_wait_blocking(struct io_engine *e)
{
    struct io_blocking *b = &e->blocking;
    pthread_mutex_lock(&b->lock);
    while (b->first || b->helpers > b->idle)
        pthread_cond_wait(&b->gone, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

void io_blocking_end(struct io_blocking *b)
{
    pthread_mutex_lock(&b->lock);
    b->ending = true;
    pthread_cond_broadcast(&b->more);
    while (b->helpers)
        pthread_cond_wait(&b->gone, &b->lock);
    pthread_mutex_unlock(&b->lock);
    if (b->any_left)
        pthread_join(b->left, NULL);
    pthread_cond_destroy(&b->more);
    pthread_cond_destroy(&b->gone);
}
