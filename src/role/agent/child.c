/* child.c: short-lived children, at most CHILDREN_MAX of each line at a time, each with a pipe for
 * its answer and a deadline after which it is killed. */
#include "role/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    struct io_task task; /* of the pipe */
    struct list_node node;
    struct agent *agent;
    struct agent_job *job;
    pid_t pid;
    int fd;
    struct buf answer;
};

static void start_waiting(struct agent *a, enum agent_line line);

/* Nothing of agent's is left open in the child, and signals are as a program expects them. */
static _Noreturn void be_child(const struct agent_job *job, int out)
{
    struct rlimit none = {0, 0};
    sigset_t no_signals;
    setpgid(0, 0); /* so that what a module starts can be killed with it */
    sigemptyset(&no_signals);
    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL);
    sigprocmask(SIG_SETMASK, &no_signals, NULL);
    setrlimit(RLIMIT_CORE, &none); /* a core would hold the password */
    /* Out of the way of 3 and 4 first: either may be the other's number. */
    int fd = job->fd ? fcntl(job->fd, F_DUPFD, 5) : -1;
    if (out != 3) {
        dup2(out, 3);
        out = 3;
    }
    if (fd >= 0)
        dup2(fd, 4);
    close_range(fd >= 0 ? 5 : 4, ~0U, 0);
    job->run(job, out);
    _exit(0);
}

/* The pid, with the reading end of its pipe; or -1. */
static pid_t fork_child(const struct agent_job *job, int *ret_fd)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0)
        be_child(job, ends[1]);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return -1;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *ret_fd = ends[0];
    return pid;
}

/* True when it ended by itself and well. */
static bool reap(struct child *c, bool ended)
{
    int status = 0;
    if (!ended) {
        kill(-c->pid, SIGKILL);
        kill(c->pid, SIGKILL);
    }
    while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return ended && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ended: its pipe came to its end. */
static void finish(struct child *c, bool ended)
{
    struct agent *a = c->agent;
    enum agent_line line = c->job->line;
    bool well = reap(c, ended) && buf_ok(&c->answer);
    pthread_mutex_lock(&a->lock);
    list_remove(&c->node);
    a->lines[line].running--;
    a->killed += !ended;
    pthread_mutex_unlock(&a->lock);
    close(c->fd);
    c->job->done(c->job, buf_slice(&c->answer), well);
    buf_release(&c->answer);
    free(c);
    start_waiting(a, line);
}

/* BUSY: there may be more later; CLOSED: all is there; else the child says too much. */
static enum result read_answer(struct child *c)
{
    for (;;) {
        size_t room;
        char *p = buf_reserve(&c->answer, 1, &room);
        if (!p)
            return LIMIT;
        ssize_t n = read(c->fd, p, room);
        if (n > 0)
            buf_commit(&c->answer, (size_t)n);
        else if (n == 0)
            return CLOSED;
        else if (errno == EAGAIN)
            return BUSY;
        else if (errno != EINTR)
            return FAILED;
    }
}

static void run_child(struct io_task *t, unsigned events)
{
    struct child *c = CONTAINER_OF(t, struct child, task);
    enum result r = read_answer(c);
    if (r == BUSY && !(events & IO_TIMER)) {
        if (events & IO_WAKE)
            io_task_deadline(t, c->job->timeout_ms ? c->job->timeout_ms : CHILD_TIMEOUT_MS);
        io_task_want(t, IO_READ);
        return;
    }
    io_task_close(t);
    finish(c, r == CLOSED);
}

/* False: no child could be made. */
static bool start(struct agent *a, struct agent_job *job)
{
    struct child *c = calloc(1, sizeof *c);
    if (!c)
        return false;
    *c = (struct child){.agent = a, .job = job, .fd = -1};
    buf_init(&c->answer, job->answer_max ? job->answer_max : CHILD_OUTPUT_MAX);
    c->pid = fork_child(job, &c->fd);
    if (c->pid < 0) {
        free(c);
        return false;
    }
    pthread_mutex_lock(&a->lock);
    list_push_back(&a->children, &c->node);
    io_task_open(a->role->engine, &c->task, c->fd, run_child);
    io_wake(&c->task); /* its first run sets the deadline */
    pthread_mutex_unlock(&a->lock);
    return true;
}

/* The next job in line, its place taken; NULL: none, or no place. */
static struct agent_job *take_job(struct agent *a, struct agent_queue *q)
{
    pthread_mutex_lock(&a->lock);
    struct agent_job *job = q->running < CHILDREN_MAX ? q->first : NULL;
    if (job) {
        q->first = job->next;
        if (!q->first)
            q->last = &q->first;
        q->waiting--;
        q->running++;
        a->jobs++;
    }
    pthread_mutex_unlock(&a->lock);
    return job;
}

static void start_waiting(struct agent *a, enum agent_line line)
{
    struct agent_job *job;
    struct agent_queue *q = &a->lines[line];
    while ((job = take_job(a, q))) {
        if (start(a, job))
            continue;
        pthread_mutex_lock(&a->lock);
        q->running--;
        pthread_mutex_unlock(&a->lock);
        job->done(job, SLICE(""), false);
    }
}

enum result agent_run(struct agent *a, struct agent_job *job)
{
    enum agent_line line = job->line; /* the job may be gone when it has begun */
    struct agent_queue *q = &a->lines[line];
    pthread_mutex_lock(&a->lock);
    bool room = q->waiting < LINE_MAX_JOBS;
    if (room) {
        job->next = NULL;
        *q->last = job;
        q->last = &job->next;
        q->waiting++;
    }
    pthread_mutex_unlock(&a->lock);
    if (!room)
        return BUSY;
    start_waiting(a, line);
    return OK;
}

static void give_up(struct agent_queue *q)
{
    struct agent_job *job = q->first;
    q->first = NULL;
    q->last = &q->first;
    q->waiting = 0;
    while (job) {
        struct agent_job *next = job->next;
        job->done(job, SLICE(""), false);
        job = next;
    }
}

void agent_end_children(struct agent *a)
{
    for (unsigned i = 0; i < AGENT_LINES; i++)
        give_up(&a->lines[i]);
    LIST_FOR_EACH(n, &a->children)
    finish(CONTAINER_OF(n, struct child, node), false);
}
