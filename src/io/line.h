/* line.h: work for helper threads (io_run_blocking) that may take them for long: only so many at a
 * time, so that the others stay free, and the rest waits in line. From any thread. */
#ifndef IO_LINE_H
#define IO_LINE_H

#include <pthread.h>

#include "io/engine.h"

enum { IO_LINE_MAX = 10000 };

struct io_line_job;
struct io_line {
    struct io_engine *engine;
    pthread_mutex_t lock;
    struct io_line_job *first, **last;
    size_t waiting;
    unsigned helpers, most;
    bool ending;
};

/* most: helper threads at a time. */
void io_line_init(struct io_line *l, struct io_engine *engine, unsigned most);
/* fn(arg) will be called on a helper thread. BUSY: too much waits, FAILED: no memory or no thread;
 * it will not be called then. */
MUST_USE enum result io_line_put(struct io_line *l, void (*fn)(void *arg), void *arg);
size_t io_line_waiting(struct io_line *l);
/* No job is begun any more; before io_wait_blocking. */
void io_line_stop(struct io_line *l);
/* After io_wait_blocking. drop (may be NULL) gets what was put in and not begun; false: there was
 * some. */
bool io_line_release(struct io_line *l, void (*drop)(void *arg));

#endif
