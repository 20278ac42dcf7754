/* control_tls_report.c: tls-report list [--json] | send [DOMAIN]: what has been counted for the
 * reports of TLS; and reports of it at once, the day that is not over included. */
#include <stdlib.h>

#include "base/json.h"
#include "mime/date.h"
#include "role/mailbox/control.h"
#include "role/mailbox/tls_counts.h"
#include "role/mailbox/tls_report.h"

struct listing {
    struct control_call *call;
    bool as_json, any;
    struct json array;
    size_t domain_len;
    char domain[256];
};

static void put_day(uint32_t day, struct buf *out)
{
    struct buf text;
    buf_init(&text, 32);
    date_format_iso((int64_t)day * 86400, &text);
    buf_append(out, slice_sub(buf_slice(&text), 0, strlen("2026-11-24")));
    buf_release(&text);
}

static void put_json(struct listing *l, const struct tlsrpt_row *r)
{
    struct buf day;
    buf_init(&day, 32);
    put_day(r->day, &day);
    json_item(&l->array);
    struct json o = json_begin(&l->call->out, '{');
    json_put_string(&o, "day", buf_slice(&day));
    json_put_string(&o, "domain", r->domain);
    json_put_string(&o, "policy", r->type);
    json_put_string(&o, "mx", r->mx);
    json_put_string(&o, "result", r->result.len ? r->result : SLICE("success"));
    json_put_string(&o, "reason", r->reason);
    json_put_number(&o, "sessions", (int64_t)r->count);
    json_end(&o);
    buf_release(&day);
}

static void put_text(struct listing *l, const struct tlsrpt_row *r)
{
    struct buf *out = &l->call->out;
    put_day(r->day, out);
    buf_printf(out, " %8llu  %.*s  %.*s  %.*s  %.*s", (unsigned long long)r->count,
               SLICE_ARG(r->domain), SLICE_ARG(r->type), SLICE_ARG(r->mx.len ? r->mx : SLICE("-")),
               SLICE_ARG(r->result.len ? r->result : SLICE("success")));
    if (r->reason.len)
        buf_printf(out, "  (%.*s)", SLICE_ARG(r->reason));
    buf_putc(out, '\n');
}

static bool each_row(void *arg, const struct tlsrpt_row *r)
{
    struct listing *l = arg;
    l->any = true;
    (l->as_json ? put_json : put_text)(l, r);
    control_flush_some(l->call);
    return true;
}

/* Waits for a commit, so it runs on a helper thread. */
static void list(void *arg)
{
    struct listing *l = arg;
    struct control_call *c = l->call;
    tls_counts_write(c->mailbox->tls_counts);
    if (l->as_json)
        l->array = json_begin(&c->out, '[');
    enum result r = tls_counts_each(c->mailbox, each_row, l);
    if (l->as_json) {
        json_end(&l->array);
        buf_putc(&c->out, '\n');
    } else if (!l->any) {
        buf_puts(&c->out, "Nothing has been counted\n");
    }
    control_end(c, r != OK, result_name(r));
    free(l);
}

static void told(void *arg, struct slice domain, uint32_t day, const char *text)
{
    struct listing *l = arg;
    struct buf *out = &l->call->out;
    l->any = true;
    put_day(day, out);
    buf_printf(out, "  %.*s  %s\n", SLICE_ARG(domain), text);
}

/* Waits for the network, so it runs on a helper thread. */
static void send_now(void *arg)
{
    struct listing *l = arg;
    struct control_call *c = l->call;
    struct buf at;
    buf_init(&at, 400);
    enum result r = tls_report_send(c->mailbox, slice_of(l->domain, l->domain_len), UINT32_MAX,
                                    SIZE_MAX, &at, told, l);
    if (!l->any)
        buf_puts(&c->out, "Nothing to report, or nobody who wants it\n");
    buf_release(&at);
    control_end(c, r != OK, result_name(r));
    free(l);
}

void control_tls_report(struct control_call *c, const struct slice *words, size_t n)
{
    bool as_json = n && slice_is(words[n - 1], "--json");
    bool lists = n == 1u + as_json && slice_is(words[0], "list");
    bool sends = !as_json && (n == 1 || n == 2) && slice_is(words[0], "send");
    struct listing *l = calloc(1, sizeof *l);
    if (!l || (!lists && !sends) || (sends && n == 2 && words[1].len > sizeof l->domain)) {
        control_end(c, 1, l ? "usage: tls-report list [--json] | send [DOMAIN]" : "no memory");
        free(l);
        return;
    }
    *l = (struct listing){.call = c, .as_json = as_json};
    if (sends && n == 2) {
        l->domain_len = words[1].len;
        memcpy(l->domain, words[1].data, words[1].len);
    }
    if (io_run_blocking(c->mailbox->role->engine, lists ? list : send_now, l) == OK)
        return;
    control_end(c, 1, "too much is under way: try again in a moment");
    free(l);
}
