/* asking.h: a question to another role that a helper thread waits for. Never in an engine's thread.
 */
#ifndef ROLE_MAILBOX_ASKING_H
#define ROLE_MAILBOX_ASKING_H

#include <pthread.h>

#include "base/arena.h"
#include "ipc/ipc.h"

struct asking {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool there;
    struct arena *arena; /* of the texts */
    enum result r;
    char why[240];       /* where r is not OK */
    struct slice *texts; /* of the answer: DNS records; signatures */
    size_t n_texts;
};

/* Asks and waits. NOT_FOUND: DNS has no such record; FAILED: no answer, or a refusal. */
void asking_ask(struct asking *a, struct ipc_channel *peer, struct ipc_message *m,
                struct arena *arena);
/* For what ends in a call of `void fn(void *arg, enum result r)`: start it between these, with
 * asking_done and the struct. */
void asking_start(struct asking *a, struct arena *arena);
void asking_done(void *a, enum result r);
void asking_wait(struct asking *a);

#endif
