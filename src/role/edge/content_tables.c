/* content_tables.c: the tables of header_checks and its like, from the files that the master sent.
 */
#include <stdlib.h>

#include "role/edge/content.h"

/* ---- files ---- */

static void free_files(struct edge_file *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free((char *)files[i].path.data);
    free(files);
}

/* One piece of memory for both. */
static bool keep(struct edge_file *f, const struct role_secret *s)
{
    char *mem = malloc(s->path.len + s->bytes.len + 1);
    if (!mem)
        return false;
    if (s->path.len)
        memcpy(mem, s->path.data, s->path.len);
    if (s->bytes.len)
        memcpy(mem + s->path.len, s->bytes.data, s->bytes.len);
    f->path = slice_of(mem, s->path.len);
    f->bytes = slice_of(mem + s->path.len, s->bytes.len);
    return true;
}

void edge_keep_files(struct edge *e, const struct role_secret *secrets, size_t n)
{
    struct edge_file *files = calloc(n + 1, sizeof *files);
    size_t kept = 0;
    for (size_t i = 0; files && i < n; i++)
        if (!slice_starts(secrets[i].setting, SLICE("smtpd_tls")) &&
            keep(&files[kept], &secrets[i]))
            kept++;
    pthread_mutex_lock(&e->lock);
    struct edge_file *old = e->files;
    size_t n_old = e->n_files;
    e->files = files;
    e->n_files = files ? kept : 0;
    pthread_mutex_unlock(&e->lock);
    free_files(old, n_old);
}

void edge_free_files(struct edge *e)
{
    free_files(e->files, e->n_files);
    e->files = NULL;
    e->n_files = 0;
}

/* With the lock held. */
static enum result read_file(void *arg, struct slice path, struct buf *out, struct error *err)
{
    const struct edge *e = arg;
    for (size_t i = 0; i < e->n_files; i++)
        if (slice_eq(e->files[i].path, path)) {
            buf_append(out, e->files[i].bytes);
            return buf_ok(out) ? OK : FAILED;
        }
    return error_set(err, NOT_FOUND, "%.*s is not there", SLICE_ARG(path));
}

/* ---- tables ---- */

static void report(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg;
    LOG(LOG_WARNING, "table.skipped", LOG_S("file", file), LOG_U("line", line),
        LOG_C("reason", reason));
}

static void failed(void *arg, struct slice spec, const char *why)
{
    (void)arg;
    LOG(LOG_ERROR, "table.not_opened", LOG_S("table", spec), LOG_C("why", why),
        LOG_C("then", "messages are deferred until it can be"));
}

enum result edge_content_new(struct edge *e, const struct conf *conf, struct content_set **ret)
{
    const struct table_reader reader = {.read = read_file, .arg = e};
    struct content_source s = {
        .specs = {[CONTENT_HEADER] = conf->header_checks,
                  [CONTENT_MIME] = conf->mime_header_checks,
                  [CONTENT_NESTED] = conf->nested_header_checks,
                  [CONTENT_BODY] = conf->body_checks},
        .header_size_limit = (size_t)conf->header_size_limit,
        .body_checks_size_limit = (size_t)conf->body_checks_size_limit,
        .line_length_limit = (size_t)conf->line_length_limit,
        .disable_mime = conf->disable_mime_input_processing,
        .reader = &reader,
        .problem = report,
        .failed = failed,
        .arg = e,
    };
    pthread_mutex_lock(&e->lock);
    enum result r = content_set_open(&s, ret);
    pthread_mutex_unlock(&e->lock);
    return r;
}
