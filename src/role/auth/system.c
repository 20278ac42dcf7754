/* system.c: accounts that a sandbox may not look up: the system's (getpwnam), those in databases.
 * agent is asked, and the answers are kept for a minute, so that a busy recipient costs nothing. */
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

/* The databases of userdb that auth can't look into itself, asked in turn. */
struct question {
    struct auth_role *auth;
    const struct directory *directory;
    size_t at;
    bool failed; /* one could not be asked */
    void (*done)(void *arg, bool told);
    void *arg;
    size_t len;
    char name[];
};

static struct slice name_of(const struct question *q)
{
    return slice_of(q->name, q->len);
}

/* there: 1 yes, 0 no, -1 not told. */
static void end_question(struct question *q, int there)
{
    if (there >= 0)
        keep(q->auth->system, name_of(q), there);
    q->done(q->arg, there >= 0);
    directory_unref(q->directory);
    free(q);
}

static void ask_on(struct question *q);

static bool is_server(const struct auth_database *db)
{
    return db->driver == DRIVER_SQL || db->driver == DRIVER_LDAP;
}

static void take_answer(void *arg, struct ipc_message *m)
{
    struct question *q = arg;
    bool told = m->type == IPC_ACCOUNT_RESULT && m->ACCOUNT_RESULT.code <= 1;
    if (told && m->ACCOUNT_RESULT.code == 0) {
        const struct auth_database *db = &directory_userdbs(q->directory)->items[q->at];
        auth_send_quota(q->auth, name_of(q), m->ACCOUNT_RESULT.fields, is_server(db));
        end_question(q, 1);
        return;
    }
    q->failed = q->failed || !told;
    q->at++;
    ask_on(q);
}

static bool needs_agent(const struct auth_database *db, struct slice name)
{
    /* System accounts have no domain. */
    return is_server(db) || (db->driver == DRIVER_PASSWD && slice_find(name, '@') == SIZE_MAX);
}

static void ask_agent(struct question *q, const struct auth_database *db)
{
    struct ipc_message m = {.type = IPC_ACCOUNT_CHECK,
                            .ACCOUNT_CHECK = {.driver = slice_cstr(auth_driver_name(db->driver)),
                                              .user = name_of(q),
                                              .of_userdb = db->of_userdb,
                                              .item = db->index}};
    ipc_request(q->auth->role->peers[ROLE_AGENT], &m, take_answer, q);
}

static void ask_on(struct question *q)
{
    const struct auth_databases *all = directory_userdbs(q->directory);
    for (; q->at < all->n; q->at++) {
        const struct auth_database *db = &all->items[q->at];
        if (db->driver == DRIVER_STATIC && db->all) {
            end_question(q, 1);
            return;
        }
        if (needs_agent(db, name_of(q))) {
            ask_agent(q, db);
            return;
        }
    }
    end_question(q, q->failed ? -1 : 0);
}

void system_account_ask(struct auth_role *a, struct slice name, void (*done)(void *arg, bool told),
                        void *arg)
{
    struct question *q = malloc(sizeof *q + name.len);
    if (!q) {
        done(arg, false);
        return;
    }
    *q = (struct question){
        .auth = a, .directory = auth_directory(a), .done = done, .arg = arg, .len = name.len};
    memcpy(q->name, name.data, name.len);
    ask_on(q);
}
