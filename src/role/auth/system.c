/* system.c: system accounts (getpwnam), which a sandbox may not look up: agent is asked, and its
 * answers are kept for a minute, so that a busy recipient costs nothing. */
#include "role/auth/auth.h"

#include "base/clock.h"

#include <stdlib.h>

enum { NAMES_MAX = 20000, KEEP_MS = 60000 };

struct known_name {
    bool there;
    int64_t expiry_ms;
};

struct system_accounts {
    pthread_mutex_t lock;
    struct map by_name;
    struct file_cache *files;
};

struct file_cache *system_accounts_files(struct system_accounts *s)
{
    return s->files;
}

enum result system_accounts_new(struct system_accounts **ret)
{
    struct system_accounts *s = calloc(1, sizeof *s);
    if (!s || file_cache_new(&s->files) != OK) {
        free(s);
        return FAILED;
    }
    pthread_mutex_init(&s->lock, NULL);
    map_init(&s->by_name, NAMES_MAX);
    *ret = s;
    return OK;
}

/* Lock held. */
static void drop_names(struct system_accounts *s, int64_t expired_by_ms)
{
    size_t at = 0;
    struct slice name;
    void *value;
    while (map_next(&s->by_name, &at, &name, &value)) {
        struct known_name *n = value;
        if (n->expiry_ms <= expired_by_ms)
            free(map_remove(&s->by_name, name));
    }
}

void system_accounts_forget(struct system_accounts *s)
{
    pthread_mutex_lock(&s->lock);
    drop_names(s, INT64_MAX);
    pthread_mutex_unlock(&s->lock);
}

void system_accounts_free(struct system_accounts *s)
{
    if (!s)
        return;
    drop_names(s, INT64_MAX);
    map_release(&s->by_name);
    file_cache_free(s->files);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

enum account_known system_account_known(void *arg, struct slice name)
{
    struct system_accounts *s = arg;
    enum account_known known = ACCOUNT_ASK;
    pthread_mutex_lock(&s->lock);
    const struct known_name *n = map_get(&s->by_name, name);
    if (n && clock_monotonic_ms() < n->expiry_ms)
        known = n->there ? ACCOUNT_THERE : ACCOUNT_ABSENT;
    pthread_mutex_unlock(&s->lock);
    return known;
}

/* When the table is full of living names they all go: strangers asked for many, and the busy ones
 * come back at once. */
static void keep(struct system_accounts *s, struct slice name, bool there)
{
    int64_t now = clock_monotonic_ms();
    pthread_mutex_lock(&s->lock);
    struct known_name *n = map_get(&s->by_name, name);
    if (!n) {
        if (s->by_name.used >= NAMES_MAX)
            drop_names(s, now);
        if (s->by_name.used >= NAMES_MAX)
            drop_names(s, INT64_MAX);
        n = calloc(1, sizeof *n);
        if (n && map_put(&s->by_name, name, n) != OK) {
            free(n);
            n = NULL;
        }
    }
    if (n)
        *n = (struct known_name){there, now + KEEP_MS};
    pthread_mutex_unlock(&s->lock);
}

struct question {
    struct system_accounts *accounts;
    void (*done)(void *arg, bool told);
    void *arg;
    size_t len;
    char name[];
};

static void take_answer(void *arg, struct ipc_message *m)
{
    struct question *q = arg;
    bool told = m->type == IPC_ACCOUNT_RESULT && m->ACCOUNT_RESULT.code <= 1;
    if (told)
        keep(q->accounts, slice_of(q->name, q->len), m->ACCOUNT_RESULT.code == 0);
    q->done(q->arg, told);
    free(q);
}

void system_account_ask(struct auth_role *a, struct slice name, void (*done)(void *arg, bool told),
                        void *arg)
{
    struct question *q = malloc(sizeof *q + name.len);
    if (!q) {
        done(arg, false);
        return;
    }
    *q = (struct question){a->system, done, arg, name.len};
    memcpy(q->name, name.data, name.len);
    struct ipc_message m = {.type = IPC_ACCOUNT_CHECK, .ACCOUNT_CHECK = {.user = name}};
    ipc_request(a->role->peers[ROLE_AGENT], &m, take_answer, q);
}
