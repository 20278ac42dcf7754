/* report.c: a day's rows of a domain as a report. */
#include <zlib.h>

#include "base/base64.h"
#include "base/json.h"
#include "mime/date.h"
#include "proto/tlsrpt/tlsrpt.h"

enum { DAY_S = 86400, LINE = 57 /* bytes that make 76 characters of base64 */ };

/* ---- JSON ---- */

static void put_time(struct json *j, const char *key, int64_t seconds)
{
    struct buf text;
    buf_init(&text, 32);
    date_format_iso(seconds, &text);
    json_put_string(j, key, buf_slice(&text));
    buf_release(&text);
}

/* Lines, or what stands behind "mx: " in them. */
static void put_lines(struct json *j, const char *key, struct slice text, struct slice prefix)
{
    json_key(j, key);
    struct json list = json_begin(j->out, '[');
    while (text.len) {
        struct slice line = slice_split(&text, '\n');
        if (line.len == 0 || !slice_starts(line, prefix))
            continue;
        json_item(&list);
        json_string(j->out, slice_from(line, prefix.len));
    }
    json_end(&list);
}

static void put_policy(struct json *p, const struct tlsrpt_row *r)
{
    json_key(p, "policy");
    struct json j = json_begin(p->out, '{');
    json_put_string(&j, "policy-type", r->type);
    if (r->policy.len)
        put_lines(&j, "policy-string", r->policy, SLICE(""));
    json_put_string(&j, "policy-domain", r->domain);
    if (slice_is(r->type, "sts") && r->policy.len)
        put_lines(&j, "mx-host", r->policy, SLICE("mx: "));
    json_end(&j);
}

static void put_failure(struct json *list, const struct tlsrpt_row *r)
{
    json_item(list);
    struct json j = json_begin(list->out, '{');
    json_put_string(&j, "result-type", r->result);
    if (r->sender_ip.len)
        json_put_string(&j, "sending-mta-ip", r->sender_ip);
    if (r->mx.len)
        json_put_string(&j, "receiving-mx-hostname", r->mx);
    if (r->mx_ip.len)
        json_put_string(&j, "receiving-ip", r->mx_ip);
    json_put_number(&j, "failed-session-count", (int64_t)r->count);
    if (r->reason.len)
        json_put_string(&j, "failure-reason-code", r->reason);
    json_end(&j);
}

/* Rows of one type, which is one policy. */
static void put_type(struct json *policies, const struct tlsrpt_row *rows, size_t n)
{
    uint64_t good = 0, bad = 0;
    const struct tlsrpt_row *shown = rows; /* one that knows the policy */
    for (size_t i = 0; i < n; i++) {
        *(rows[i].result.len ? &bad : &good) += rows[i].count;
        if (!shown->policy.len)
            shown = &rows[i];
    }
    json_item(policies);
    struct json j = json_begin(policies->out, '{');
    put_policy(&j, shown);
    json_key(&j, "summary");
    struct json s = json_begin(j.out, '{');
    json_put_number(&s, "total-successful-session-count", (int64_t)good);
    json_put_number(&s, "total-failure-session-count", (int64_t)bad);
    json_end(&s);
    if (bad) {
        json_key(&j, "failure-details");
        struct json list = json_begin(j.out, '[');
        for (size_t i = 0; i < n; i++)
            if (rows[i].result.len)
                put_failure(&list, &rows[i]);
        json_end(&list);
    }
    json_end(&j);
}

void tlsrpt_json(const struct tlsrpt_report *r, struct buf *out)
{
    struct json j = json_begin(out, '{');
    json_put_string(&j, "organization-name", r->organization);
    json_key(&j, "date-range");
    struct json range = json_begin(out, '{');
    put_time(&range, "start-datetime", (int64_t)r->day * DAY_S);
    put_time(&range, "end-datetime", (int64_t)r->day * DAY_S + DAY_S - 1);
    json_end(&range);
    json_put_string(&j, "contact-info", r->contact);
    json_put_string(&j, "report-id", r->id);
    json_key(&j, "policies");
    struct json policies = json_begin(out, '[');
    for (size_t i = 0, end; i < r->n_rows; i = end) {
        for (end = i + 1; end < r->n_rows && slice_eq(r->rows[end].type, r->rows[i].type);)
            end++;
        put_type(&policies, r->rows + i, end - i);
    }
    json_end(&policies);
    json_end(&j);
}

enum result tlsrpt_gzip(struct slice bytes, struct buf *out)
{
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)bytes.data, .avail_in = (uInt)bytes.len};
    size_t room = 0;
    /* 15 + 16: a window of 32 KiB, and gzip's header. */
    if (bytes.len > (1u << 30) ||
        deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return FAILED;
    char *to = buf_reserve(out, deflateBound(&z, (uLong)bytes.len), &room);
    z.next_out = (unsigned char *)to;
    z.avail_out = (uInt)(room < (1u << 30) ? room : 1u << 30);
    int r = to ? deflate(&z, Z_FINISH) : Z_BUF_ERROR;
    if (r == Z_STREAM_END)
        buf_commit(out, z.total_out);
    deflateEnd(&z);
    return r == Z_STREAM_END ? OK : LIMIT;
}

/* ---- the message ---- */

static void put_header(const struct tlsrpt_report *r, const struct tlsrpt_mail *m, struct buf *out)
{
    buf_printf(out, "From: %.*s\r\nTo: %.*s\r\nDate: ", SLICE_ARG(m->from), SLICE_ARG(m->to));
    date_format(m->now_s, 0, out);
    buf_printf(out, "\r\nMessage-ID: <%.*s@%.*s>\r\n", SLICE_ARG(r->id), SLICE_ARG(m->submitter));
    buf_printf(out, "Subject: Report Domain: %.*s\r\n Submitter: %.*s\r\n Report-ID: <%.*s>\r\n",
               SLICE_ARG(r->domain), SLICE_ARG(m->submitter), SLICE_ARG(r->id));
    buf_printf(out, "TLS-Report-Domain: %.*s\r\nTLS-Report-Submitter: %.*s\r\n",
               SLICE_ARG(r->domain), SLICE_ARG(m->submitter));
    buf_puts(out, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n");
    buf_printf(out,
               "Content-Type: multipart/report; report-type=\"tlsrpt\";\r\n"
               " boundary=\"=_%.*s\"\r\n\r\n",
               SLICE_ARG(r->id));
}

static void put_base64(struct slice bytes, struct buf *out)
{
    for (; bytes.len; bytes = slice_from(bytes, LINE)) {
        base64_encode(slice_sub(bytes, 0, LINE), out);
        buf_puts(out, "\r\n");
    }
}

void tlsrpt_message(const struct tlsrpt_report *r, const struct tlsrpt_mail *m, struct buf *out)
{
    long long begin = (long long)r->day * DAY_S;
    put_header(r, m, out);
    buf_printf(out,
               "--=_%.*s\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
               "This is a report of how mail to %.*s went under TLS (RFC 8460),\r\n"
               "from %.*s, contact: %.*s.\r\n\r\n",
               SLICE_ARG(r->id), SLICE_ARG(r->domain), SLICE_ARG(m->submitter),
               SLICE_ARG(r->contact));
    buf_printf(out,
               "--=_%.*s\r\nContent-Type: application/tlsrpt+gzip\r\n"
               "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment;\r\n"
               " filename=\"%.*s!%.*s!%lld!%lld!%.*s.json.gz\"\r\n\r\n",
               SLICE_ARG(r->id), SLICE_ARG(m->submitter), SLICE_ARG(r->domain), begin,
               begin + DAY_S - 1, SLICE_ARG(r->id));
    put_base64(m->gzip, out);
    buf_printf(out, "--=_%.*s--\r\n", SLICE_ARG(r->id));
}
