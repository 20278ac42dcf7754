#include "role/auth/tables.h"

#include "role/table_ask.h"

static enum result read_file(void *arg, struct slice path, struct buf *out, struct error *err)
{
    const struct auth_role *a = arg;
    for (size_t i = 0; i < a->n_secrets; i++) {
        const struct role_secret *s = &a->secrets[i];
        if (!slice_eq(s->path, path))
            continue;
        if (!s->there)
            return NOT_FOUND;
        buf_append(out, s->bytes);
        return buf_ok(out) ? OK : LIMIT;
    }
    return error_set(err, NOT_FOUND, "the master did not hand it over");
}

/* ---- the system's users: agent knows them ---- */

struct account_question {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool done, told;
};

static void take_account(void *arg, bool told)
{
    struct account_question *q = arg;
    pthread_mutex_lock(&q->lock);
    q->told = told;
    q->done = true;
    pthread_cond_signal(&q->answered);
    pthread_mutex_unlock(&q->lock);
}

/* On a helper thread: waits for agent. */
static enum result find_account(void *arg, bool group, struct slice name, struct error *err)
{
    struct auth_role *a = arg;
    enum account_known known = system_account_known(a->system, name);
    if (group)
        return error_set(err, FAILED, "groups can't be asked for");
    if (known == ACCOUNT_ASK) {
        struct account_question q = {.done = false};
        pthread_mutex_init(&q.lock, NULL);
        pthread_cond_init(&q.answered, NULL);
        system_account_ask(a, name, take_account, &q);
        pthread_mutex_lock(&q.lock);
        while (!q.done)
            pthread_cond_wait(&q.answered, &q.lock);
        pthread_mutex_unlock(&q.lock);
        pthread_cond_destroy(&q.answered);
        pthread_mutex_destroy(&q.lock);
        if (!q.told)
            return error_set(err, FAILED, "agent can't tell of the system's users");
        known = system_account_known(a->system, name);
    }
    return known == ACCOUNT_THERE ? OK : NOT_FOUND;
}

/* ---- the whole ---- */

struct table_reader auth_table_reader(struct auth_role *a)
{
    return (struct table_reader){read_file, a, find_account, a, role_table_ask, a->role};
}

struct opening {
    struct auth_role *auth;
    struct table_set *set;
};

static void open_one(void *arg, const char *setting, struct slice spec)
{
    struct opening *o = arg;
    struct table_reader reader = auth_table_reader(o->auth);
    struct error err = {""};
    if (conf_table_is_outgoing(setting))
        return;
    if (table_set_add(o->set, spec, &reader, table_log_skipped, NULL, &err) != OK)
        LOG(LOG_ERROR, "table.failed", LOG_C("setting", setting), LOG_S("table", spec),
            LOG_C("why", err.text), LOG_C("then", "whoever asks it is put off"));
}

struct table_set *auth_open_tables(struct auth_role *a, const struct conf *c)
{
    struct opening o = {a, NULL};
    if (table_set_new(&o.set) != OK)
        return NULL;
    conf_tables(c, open_one, &o);
    if (table_set_count(o.set))
        LOG(LOG_INFO, "tables.opened", LOG_U("tables", table_set_count(o.set)));
    return o.set;
}
