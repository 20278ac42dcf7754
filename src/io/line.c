/* line.c: see line.h. */
#include "io/line.h"

#include <stdlib.h>

struct io_line_job {
    struct io_line_job *next;
    void (*fn)(void *arg);
    void *arg;
};

void io_line_init(struct io_line *l, struct io_engine *engine, unsigned most)
{
    *l = (struct io_line){.engine = engine, .most = most};
    l->last = &l->first;
    pthread_mutex_init(&l->lock, NULL);
}

/* Lock held. */
static struct io_line_job *take_first(struct io_line *l)
{
    struct io_line_job *job = l->first;
    if (!job)
        return NULL;
    l->first = job->next;
    if (!l->first)
        l->last = &l->first;
    l->waiting--;
    return job;
}

static struct io_line_job *next_job(struct io_line *l)
{
    pthread_mutex_lock(&l->lock);
    struct io_line_job *job = l->ending ? NULL : take_first(l);
    l->helpers -= !job;
    pthread_mutex_unlock(&l->lock);
    return job;
}

static void run_jobs(void *arg)
{
    struct io_line *l = arg;
    struct io_line_job *job;
    while ((job = next_job(l))) {
        job->fn(job->arg);
        free(job);
    }
}

/* The lock is held, so that a new helper finds the job. */
static enum result stand_in_line(struct io_line *l, struct io_line_job *job)
{
    if (l->waiting >= IO_LINE_MAX)
        return BUSY;
    if (l->helpers < l->most) {
        enum result r = io_run_blocking(l->engine, run_jobs, l);
        l->helpers += r == OK;
        if (!l->helpers)
            return r;
    }
    *l->last = job;
    l->last = &job->next;
    l->waiting++;
    return OK;
}

enum result io_line_put(struct io_line *l, void (*fn)(void *arg), void *arg)
{
    struct io_line_job *job = malloc(sizeof *job);
    if (!job)
        return FAILED;
    *job = (struct io_line_job){NULL, fn, arg};
    pthread_mutex_lock(&l->lock);
    enum result r = stand_in_line(l, job);
    pthread_mutex_unlock(&l->lock);
    if (r != OK)
        free(job);
    return r;
}

size_t io_line_waiting(struct io_line *l)
{
    pthread_mutex_lock(&l->lock);
    size_t n = l->waiting;
    pthread_mutex_unlock(&l->lock);
    return n;
}

void io_line_stop(struct io_line *l)
{
    pthread_mutex_lock(&l->lock);
    l->ending = true;
    pthread_mutex_unlock(&l->lock);
}

bool io_line_release(struct io_line *l, void (*drop)(void *arg))
{
    bool empty = !l->first;
    struct io_line_job *job;
    while ((job = take_first(l))) {
        if (drop)
            drop(job->arg);
        free(job);
    }
    pthread_mutex_destroy(&l->lock);
    return empty;
}
