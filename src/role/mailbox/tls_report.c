/* tls_report.c: see tls_report.h. On a helper thread one step follows the other: the answers of
 * other roles are waited for. When the role ends, its channels answer what is still asked. */
#include "role/mailbox/tls_report.h"

#include <stdio.h>

#include "base/clock.h"
#include "dkim/gather.h"
#include "role/mailbox/asking.h"
#include "role/mailbox/tls_counts.h"

enum {
    ARENA_MAX = 32 << 20,
    ROWS_MAX = 1000, /* of one report */
    JSON_MAX = 16 << 20,
    GZIP_MAX = 4 << 20,
    POST_MAX = 60 * 1024,
    DNS_TXT_TYPE = 16,
    DNS_A_TYPE = 1,
    DNS_AAAA_TYPE = 28
};

struct job {
    struct mailbox_role *mailbox;
    const struct conf *conf;
    struct arena arena;
    struct slice domain;
    uint32_t day;
    struct tlsrpt_row *rows;
    size_t n;
    struct tlsrpt_report report;
    struct buf gzip;
    tls_report_told_fn *told;
    void *told_arg;
};

static void tell(struct job *j, struct slice to, const char *text)
{
    char line[700];
    snprintf(line, sizeof line, "%.*s%s%s", SLICE_ARG(to), to.len ? ": " : "", text);
    LOG(LOG_INFO, "tls_report.sent", LOG_S("domain", j->domain), LOG_U("day", j->day),
        LOG_S("report", j->report.id), LOG_S("to", to), LOG_C("result", text));
    j->told(j->told_arg, j->domain, j->day, line);
}

/* ---- over HTTPS ---- */

static void put_addresses(struct job *j, struct slice host, uint32_t type, struct buf *out)
{
    struct ipc_message m = {.type = IPC_RESOLVE, .RESOLVE = {.name = host, .type = type}};
    struct asking a;
    asking_ask(&a, j->mailbox->role->peers[ROLE_RELAY], &m, &j->arena);
    for (size_t i = 0; i < a.n_texts && i < 8; i++)
        buf_printf(out, "%s%.*s", buf_len(out) ? "," : "", SLICE_ARG(a.texts[i]));
}

static bool post(struct job *j, struct slice uri, struct slice host)
{
    struct ipc_message m = {.type = IPC_HTTPS_POST};
    struct asking a;
    struct buf addresses;
    if (buf_len(&j->gzip) > POST_MAX) {
        tell(j, uri, "the report is too long for HTTPS");
        return false;
    }
    buf_init(&addresses, 1000);
    put_addresses(j, host, DNS_A_TYPE, &addresses);
    put_addresses(j, host, DNS_AAAA_TYPE, &addresses);
    m.HTTPS_POST = (struct ipc_HTTPS_POST){.url = uri,
                                           .host = host,
                                           .addresses = buf_slice(&addresses),
                                           .media_type = SLICE("application/tlsrpt+gzip"),
                                           .body = buf_slice(&j->gzip)};
    asking_ask(&a, j->mailbox->role->peers[ROLE_RELAY], &m, &j->arena);
    buf_release(&addresses);
    tell(j, uri, a.r == OK ? "taken" : a.why);
    return a.r == OK;
}

/* ---- as a message ---- */

/* What leaves is signed (RFC 8460 5.3), where there is a key for it. */
static void sign(struct job *j, struct buf *message)
{
    struct dkim_parts parts;
    struct asking a;
    struct ipc_message m = {.type = IPC_DKIM_SIGN};
    if (j->conf->dkim_keys.n == 0 || dkim_gather(buf_slice(message), &j->arena, &parts) != OK)
        return;
    m.DKIM_SIGN = (struct ipc_DKIM_SIGN){.service = SLICE("report"),
                                         .domain = parts.domain,
                                         .names = parts.names,
                                         .signed_fields = parts.fields,
                                         .body_hash = parts.body_hash};
    asking_ask(&a, j->mailbox->role->peers[ROLE_AUTH], &m, &j->arena);
    if (a.r == OK && a.n_texts)
        buf_prepend(message, a.texts[0]);
    else if (a.r != OK)
        LOG(LOG_WARNING, "tls_report.unsigned", LOG_S("domain", j->domain), LOG_C("why", a.why));
}

static bool mail(struct job *j, struct slice uri, struct slice to)
{
    struct asking a;
    struct buf message;
    const struct tlsrpt_mail m = {.from = j->conf->tls_report_contact,
                                  .to = to,
                                  .submitter = j->conf->myhostname,
                                  .now_s = clock_realtime_s(),
                                  .gzip = buf_slice(&j->gzip)};
    buf_init(&message, 2 * GZIP_MAX);
    tlsrpt_message(&j->report, &m, &message);
    sign(j, &message);
    asking_start(&a, &j->arena);
    const struct queue_bounce report = {.rcpt = to, .message = buf_slice(&message)};
    if (buf_ok(&message))
        mailbox_bounce(j->mailbox, &report, asking_done, &a);
    else
        asking_done(&a, LIMIT);
    asking_wait(&a);
    buf_release(&message);
    tell(j, uri, a.r == OK ? "queued" : "it could not be queued");
    return a.r == OK;
}

static bool send_to(struct job *j, struct slice uri)
{
    struct slice part;
    if (tlsrpt_mailto(uri, &part) == OK)
        return mail(j, uri, part);
    return tlsrpt_https(uri, &part) == OK && post(j, uri, part);
}

/* ---- one domain's day ---- */

static enum result build(struct job *j)
{
    struct buf json;
    j->report =
        (struct tlsrpt_report){.organization = j->conf->tls_report_organization,
                               .contact = j->conf->tls_report_contact,
                               .id = arena_dup(&j->arena, slice_cstr(log_id(log_id_new()).text)),
                               .domain = j->domain,
                               .day = j->day,
                               .rows = j->rows,
                               .n_rows = j->n};
    buf_init(&json, JSON_MAX);
    tlsrpt_json(&j->report, &json);
    enum result r = buf_ok(&json) ? tlsrpt_gzip(buf_slice(&json), &j->gzip) : LIMIT;
    buf_release(&json);
    return r;
}

/* True: the rows are done with. */
static bool report(struct job *j)
{
    char name[300];
    struct slice rua[TLSRPT_RUA_MAX];
    struct asking a;
    size_t n = 0;
    bool any = false;
    snprintf(name, sizeof name, "_smtp._tls.%.*s", SLICE_ARG(j->domain));
    struct ipc_message m = {.type = IPC_RESOLVE,
                            .RESOLVE = {.name = slice_cstr(name), .type = DNS_TXT_TYPE}};
    asking_ask(&a, j->mailbox->role->peers[ROLE_RELAY], &m, &j->arena);
    if (a.r != OK)
        return a.r == NOT_FOUND;
    if (tlsrpt_record(a.texts, a.n_texts, rua, &n) != OK)
        return true; /* nobody wants it */
    if (build(j) != OK) {
        tell(j, SLICE(""), "the report could not be made");
        return true;
    }
    for (size_t i = 0; i < n; i++)
        any = send_to(j, rua[i]) || any;
    return any;
}

/* ---- which ones ---- */

struct picking {
    struct job *job;
    struct slice domain, at; /* wanted; the last one that was seen, as a key's beginning */
    uint32_t before;
    bool found;
};

static void put_place(uint32_t day, struct slice domain, struct buf *out)
{
    buf_reset(out);
    buf_put_be32(out, day);
    buf_append(out, domain);
}

static struct tlsrpt_row copy(struct arena *a, const struct tlsrpt_row *r)
{
    struct tlsrpt_row c = *r;
    struct slice *const texts[] = {&c.domain, &c.type,      &c.mx,    &c.result,
                                   &c.policy, &c.sender_ip, &c.mx_ip, &c.reason};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        *texts[i] = arena_dup(a, *texts[i]);
    return c;
}

static bool is_next(const struct picking *p, const struct tlsrpt_row *r)
{
    struct buf place;
    if (r->day >= p->before || (p->domain.len && !slice_eq(p->domain, r->domain)))
        return false;
    buf_init(&place, 400);
    put_place(r->day, r->domain, &place);
    bool next = slice_cmp(buf_slice(&place), p->at) > 0;
    buf_release(&place);
    return next;
}

/* The rows of the first domain and day behind `at`. */
static bool pick(void *arg, const struct tlsrpt_row *r)
{
    struct picking *p = arg;
    struct job *j = p->job;
    bool same = p->found && r->day == j->day && slice_eq(r->domain, j->domain);
    if (p->found && !same)
        return false;
    if (!p->found && !is_next(p, r))
        return true;
    struct tlsrpt_row c = copy(&j->arena, r);
    p->found = true;
    j->day = c.day;
    j->domain = c.domain;
    if (j->n < ROWS_MAX && !arena_failed(&j->arena))
        j->rows[j->n++] = c;
    return true;
}

static enum result pick_next(struct job *j, struct slice domain, uint32_t before, struct slice at)
{
    struct picking p = {.job = j, .domain = domain, .at = at, .before = before};
    j->rows = arena_alloc_n(&j->arena, ROWS_MAX, sizeof *j->rows);
    enum result r = j->rows ? tls_counts_each(j->mailbox, pick, &p) : FAILED;
    if (r == OK && arena_failed(&j->arena))
        return FAILED;
    return r == OK && !p.found ? NOT_FOUND : r;
}

static enum result next(struct job *j, struct slice domain, uint32_t before, struct buf *at)
{
    enum result r = pick_next(j, domain, before, buf_slice(at));
    if (r == NOT_FOUND)
        buf_reset(at);
    if (r != OK)
        return r;
    put_place(j->day, j->domain, at);
    return report(j) ? tls_counts_drop(j->mailbox, j->domain, j->day) : OK;
}

enum result tls_report_send(struct mailbox_role *m, struct slice domain, uint32_t before,
                            size_t most, struct buf *at, tls_report_told_fn *told, void *arg)
{
    struct job j = {.mailbox = m, .conf = role_conf(m->role), .told = told, .told_arg = arg};
    enum result r = OK;
    tls_counts_write(m->tls_counts);
    for (size_t i = 0; i < most && r == OK; i++) {
        arena_init(&j.arena, ARENA_MAX);
        buf_init(&j.gzip, GZIP_MAX);
        j.n = 0;
        r = next(&j, domain, before, at);
        buf_release(&j.gzip);
        arena_release(&j.arena);
    }
    conf_unref(j.conf);
    return r == NOT_FOUND ? OK : r;
}
