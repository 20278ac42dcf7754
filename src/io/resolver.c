/* resolver.c: see resolver.h. */
#include "io/resolver.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unbound.h>

#include "base/cursor.h"

enum { ANCHOR_MAX = 4096, ANCHORS_MAX = 1000 };

struct resolver {
    struct io_task task;
    struct ub_ctx *ctx;
    atomic_uint under_way;
    bool started;
    void *gone_arg;
    void (*_Atomic gone)(void *arg, struct resolver *r); /* set: nobody will ask again */
};

struct question {
    struct resolver *resolver;
    unsigned type;
    resolver_fn *fn;
    void *arg;
};

/* ---- setting up ---- */

/* "host:port" as libunbound wants it: "host@port". */
static enum result set_forward(struct ub_ctx *ctx, struct slice s)
{
    struct slice host = s, port = SLICE("53");
    char at[120];
    size_t colon = slice_rfind(s, ':');
    if (colon != SIZE_MAX && (slice_find(s, ':') == colon || s.data[0] == '[')) {
        host = slice_sub(s, 0, colon);
        port = slice_from(s, colon + 1);
    }
    if (host.len > 2 && host.data[0] == '[')
        host = slice_sub(host, 1, host.len - 2);
    snprintf(at, sizeof at, "%.*s@%.*s", SLICE_ARG(host), SLICE_ARG(port));
    return ub_ctx_set_fwd(ctx, at) == 0 ? OK : INVALID;
}

static enum result set_options(struct ub_ctx *ctx, struct error *err)
{
    static const char *const options[][2] = {
        {"do-not-query-localhost:", "no"}, /* a resolver on this host is usual */
        {"unblock-lan-zones:", "yes"},      {"msg-cache-size:", "4m"},
        {"rrset-cache-size:", "4m"},        {"cache-max-ttl:", "86400"},
        {"cache-max-negative-ttl:", "300"}, {"val-log-level:", "0"},
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        int failed = ub_ctx_set_option(ctx, options[i][0], options[i][1]);
        if (failed)
            return error_set(err, FAILED, "libunbound does not take %s %s: %s", options[i][0],
                             options[i][1], ub_strerror(failed));
    }
    if (ub_ctx_debuglevel(ctx, 0) || ub_ctx_debugout(ctx, NULL) || ub_ctx_async(ctx, 1))
        return error_set(err, FAILED, "libunbound can't be set up");
    return OK;
}

void resolver_system(struct buf *out)
{
    char line[512];
    FILE *f = fopen("/etc/resolv.conf", "re");
    while (f && fgets(line, sizeof line, f)) {
        for (char *tab = line; (tab = strchr(tab, '\t'));)
            *tab = ' ';
        struct slice rest = slice_trim(slice_cstr(line));
        if (!slice_is(slice_split(&rest, ' '), "nameserver"))
            continue;
        rest = slice_trim(rest);
        buf_append(out, slice_split(&rest, ' '));
        buf_putc(out, '\n');
    }
    if (f)
        fclose(f);
}

static enum result set_servers(struct ub_ctx *ctx, const struct resolver_options *o,
                               struct error *err)
{
    struct slice rest = o->system;
    if (o->forward && *o->forward) {
        if (set_forward(ctx, slice_cstr(o->forward)) != OK)
            return error_set(err, INVALID, "smtp_dns_resolver: \"%s\" is no host:port", o->forward);
        return OK;
    }
    if (!o->system.data) {
        (void)ub_ctx_resolvconf(ctx, NULL); /* none: from the root down */
        return OK;
    }
    while (rest.data) {
        struct slice server = slice_split(&rest, '\n');
        if (server.len && set_forward(ctx, server) != OK)
            return error_set(err, INVALID, "/etc/resolv.conf: \"%.*s\" is no address",
                             SLICE_ARG(server));
    }
    return OK;
}

/* Each line alone: libunbound reads a file of them only when it has been asked something, which is
 * inside the sandbox. */
static enum result add_anchors(struct ub_ctx *ctx, struct slice anchors, struct error *err)
{
    unsigned n = 0;
    while (anchors.data) {
        char line[ANCHOR_MAX];
        struct slice text = slice_split(&anchors, '\n');
        text = slice_trim(slice_split(&text, ';'));
        if (text.len == 0)
            continue;
        if (text.len >= sizeof line || slice_find(text, '\0') != SIZE_MAX || n == ANCHORS_MAX)
            return error_set(err, INVALID, "a trust anchor is too long, or there are too many");
        snprintf(line, sizeof line, "%.*s", SLICE_ARG(text));
        if (ub_ctx_add_ta(ctx, line) != 0)
            return error_set(err, FAILED, "libunbound does not take a trust anchor");
        n++;
    }
    return n ? OK : error_set(err, INVALID, "there is no trust anchor");
}

/* Anchors are read when the first question comes; one that is malformed would then fail them all.
 * So another context is asked for a name that it knows by itself. */
static enum result try_anchors(struct slice anchors, struct error *err)
{
    struct ub_result *answer = NULL;
    struct ub_ctx *ctx = ub_ctx_create();
    if (!ctx)
        return error_set(err, FAILED, "libunbound can't start");
    (void)ub_ctx_debugout(ctx, NULL);
    enum result r = add_anchors(ctx, anchors, err);
    if (r == OK && ub_resolve(ctx, "localhost.", DNS_A, 1, &answer) != 0)
        r = error_set(err, INVALID, "a trust anchor is malformed");
    ub_resolve_free(answer);
    ub_ctx_delete(ctx);
    return r;
}

static enum result set_anchors(struct ub_ctx *ctx, struct slice anchors, struct error *err)
{
    if (anchors.len == 0)
        return OK;
    enum result r = try_anchors(anchors, err);
    return r == OK ? add_anchors(ctx, anchors, err) : r;
}

/* Reads all else that libunbound reads. */
static enum result finish_setup(struct ub_ctx *ctx, const struct resolver_options *o,
                                struct error *err)
{
    if (!o->system.data)
        (void)ub_ctx_hosts(ctx, NULL); /* may be missing */
    enum result r = set_anchors(ctx, o->anchors, err);
    if (r != OK)
        return r;
    /* "test", which it would not ask anybody about, may be a real zone of a private resolver. */
    if (ub_ctx_zone_remove(ctx, "test.") != 0)
        return error_set(err, FAILED, "libunbound can't start");
    return OK;
}

enum result resolver_new(const struct resolver_options *o, struct resolver **ret, struct error *err)
{
    struct resolver *r = calloc(1, sizeof *r);
    if (r)
        r->ctx = ub_ctx_create();
    if (!r || !r->ctx) {
        free(r);
        return error_set(err, FAILED, "libunbound can't start");
    }
    enum result result = set_options(r->ctx, err);
    if (result == OK)
        result = set_servers(r->ctx, o, err);
    if (result == OK)
        result = finish_setup(r->ctx, o, err);
    if (result != OK) {
        resolver_free(r);
        return result;
    }
    *ret = r;
    return OK;
}

static void run(struct io_task *t, unsigned events)
{
    struct resolver *r = CONTAINER_OF(t, struct resolver, task);
    (void)events;
    (void)ub_process(r->ctx);
    if (r->gone && r->under_way == 0) {
        io_task_close(t);
        r->gone(r->gone_arg, r);
        ub_ctx_delete(r->ctx);
        free(r);
        return;
    }
    io_task_want(t, IO_READ);
}

void resolver_retire(struct resolver *r, void (*gone)(void *arg, struct resolver *r), void *arg)
{
    r->gone_arg = arg;
    r->gone = gone;
    io_wake(&r->task);
}

enum result resolver_start(struct resolver *r, struct io_engine *e, struct error *err)
{
    int fd = ub_fd(r->ctx);
    if (fd < 0)
        return error_set(err, FAILED, "libunbound has no descriptor");
    io_task_open(e, &r->task, fd, run);
    r->started = true;
    io_task_want(&r->task, IO_READ);
    return OK;
}

void resolver_free(struct resolver *r)
{
    if (!r)
        return;
    if (r->started)
        io_task_close(&r->task);
    ub_ctx_delete(r->ctx);
    free(r);
}

/* ---- asking ---- */

static void take_records(struct resolver_answer *a, const struct ub_result *u)
{
    for (size_t i = 0; u->data[i] && a->n < RESOLVER_ANSWERS_MAX; i++)
        a->records[a->n++] = slice_of(u->data[i], u->len[i] < 0 ? 0 : (size_t)u->len[i]);
}

/* "" where no alias led there. */
static void take_canonical(const struct ub_result *u, char out[256])
{
    struct slice name = slice_cstr(u->canonname), asked = slice_cstr(u->qname);
    struct slice *both[] = {&name, &asked};
    for (size_t i = 0; i < 2; i++)
        if (both[i]->len && both[i]->data[both[i]->len - 1] == '.')
            *both[i] = slice_sub(*both[i], 0, both[i]->len - 1);
    if (name.len < 256 && !slice_eq_nocase(name, asked))
        snprintf(out, 256, "%.*s", SLICE_ARG(name));
}

static void answered(void *arg, int error, struct ub_result *u)
{
    struct question *q = arg;
    char canonical[256] = "";
    struct resolver_answer a = {
        .outcome = RESOLVER_TEMPORARY, .type = q->type, .canonical = canonical};
    if (error == 0 && u && !u->bogus) {
        a.secure = u->secure;
        take_canonical(u, canonical);
        if (u->havedata)
            take_records(&a, u);
        a.outcome = u->havedata     ? RESOLVER_FOUND
                    : u->nxdomain   ? RESOLVER_NO_NAME
                    : u->rcode == 0 ? RESOLVER_NO_DATA
                                    : RESOLVER_TEMPORARY;
    }
    q->fn(q->arg, &a);
    atomic_fetch_sub(&q->resolver->under_way, 1); /* in its task: `run` looks at it next */
    ub_resolve_free(u);
    free(q);
}

enum result resolver_ask(struct resolver *r, const char *name, unsigned type, resolver_fn *fn,
                         void *arg)
{
    if (!*name || strlen(name) > 253)
        return INVALID;
    if (atomic_fetch_add(&r->under_way, 1) >= RESOLVER_UNDER_WAY_MAX) {
        atomic_fetch_sub(&r->under_way, 1);
        return BUSY;
    }
    struct question *q = malloc(sizeof *q);
    if (q) {
        *q = (struct question){r, type, fn, arg};
        if (ub_resolve_async(r->ctx, name, (int)type, 1, q, answered, NULL) == 0)
            return OK;
    }
    free(q);
    atomic_fetch_sub(&r->under_way, 1);
    return FAILED;
}

/* ---- reading records ---- */

static bool label_ok(struct slice label)
{
    for (size_t i = 0; i < label.len; i++)
        if (!ascii_alnum(label.data[i]) && label.data[i] != '-' && label.data[i] != '_')
            return false;
    return true;
}

static enum result read_name(struct cursor *c, struct buf *name)
{
    size_t start = buf_len(name);
    for (unsigned labels = 0; labels < 128; labels++) {
        uint8_t n = cursor_u8(c);
        struct slice label = cursor_take(c, n);
        if (!cursor_ok(c) || n > 63 || !label_ok(label))
            return INVALID;
        if (n == 0)
            return cursor_done(c) && buf_ok(name) ? OK : INVALID;
        if (buf_len(name) > start)
            buf_putc(name, '.');
        buf_append(name, label);
    }
    return INVALID;
}

enum result resolver_name(struct slice record, struct buf *name)
{
    struct cursor c = cursor_of(record);
    return read_name(&c, name);
}

enum result resolver_mx(struct slice record, uint16_t *ret_preference, struct buf *name)
{
    struct cursor c = cursor_of(record);
    unsigned high = cursor_u8(&c), low = cursor_u8(&c);
    enum result r = read_name(&c, name);
    if (r == OK)
        *ret_preference = (uint16_t)(high << 8 | low);
    return r;
}

static enum result address_text(int family, size_t size, struct slice record, struct buf *out)
{
    char text[INET6_ADDRSTRLEN];
    if (record.len != size || !inet_ntop(family, record.data, text, sizeof text))
        return INVALID;
    buf_puts(out, text);
    return OK;
}

static enum result mx_text(struct slice record, struct buf *out)
{
    struct buf name;
    uint16_t preference;
    buf_init(&name, 256);
    enum result r = resolver_mx(record, &preference, &name);
    if (r == OK)
        buf_printf(out, "%u %.*s", preference, SLICE_ARG(buf_slice(&name)));
    buf_release(&name);
    return r;
}

enum result resolver_text(unsigned type, struct slice record, struct buf *out)
{
    struct cursor c = cursor_of(record);
    switch (type) {
    case DNS_A:
        return address_text(AF_INET, 4, record, out);
    case DNS_AAAA:
        return address_text(AF_INET6, 16, record, out);
    case DNS_MX:
        return mx_text(record, out);
    case DNS_NS:
    case DNS_PTR:
        return resolver_name(record, out);
    case DNS_TXT:
        while (!cursor_at_end(&c) && cursor_ok(&c))
            buf_append(out, cursor_take(&c, cursor_u8(&c)));
        return cursor_ok(&c) ? OK : INVALID;
    default:
        return INVALID;
    }
}
