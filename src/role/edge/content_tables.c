/* content_tables.c: the tables of header_checks and its like, from the files that the master sent.
 */
#include "role/checks.h"
#include "role/edge/content.h"

/* ---- files ---- */

void edge_keep_files(struct edge *e, const struct role_secret *secrets, size_t n)
{
    struct kept_files fresh = {.n = 0}, old;
    for (size_t i = 0; i < n; i++)
        if (!slice_starts(secrets[i].setting, SLICE("smtpd_tls")) &&
            kept_files_add(&fresh, secrets[i].path, secrets[i].bytes, secrets[i].there) != OK)
            LOG(LOG_ERROR, "file.not_kept", LOG_S("path", secrets[i].path),
                LOG_C("why", "no memory"), LOG_C("then", "its table fails"));
    pthread_mutex_lock(&e->lock);
    old = e->files;
    e->files = fresh;
    pthread_mutex_unlock(&e->lock);
    kept_files_release(&old);
}

/* ---- tables ---- */

static void failed(void *arg, struct slice spec, const char *why)
{
    (void)arg;
    LOG(LOG_ERROR, "table.not_opened", LOG_S("table", spec), LOG_C("why", why),
        LOG_C("then", "messages are deferred until it can be"));
}

/* Of tables that ask servers auth is asked (CHECK_ASK). */
static enum result refuse(void *arg, struct slice table, struct slice key, struct arena *a,
                          struct slice *ret, struct error *err)
{
    (void)arg, (void)key, (void)a, (void)ret;
    return error_set(err, FAILED, "%.*s: edge asks no server", SLICE_ARG(table));
}

enum result edge_content_new(struct edge *e, const struct conf *conf, struct content_set **ret)
{
    const struct table_reader reader = {.read = kept_files_read, .arg = &e->files, .ask = refuse};
    struct content_source s = {
        .reader = &reader, .problem = table_log_skipped, .failed = failed, .arg = e};
    checks_source(conf, &s);
    pthread_mutex_lock(&e->lock);
    enum result r = content_set_open(&s, ret);
    pthread_mutex_unlock(&e->lock);
    return r;
}
