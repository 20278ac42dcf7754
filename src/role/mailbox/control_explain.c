/* control_explain.c: explain --client IP --from A --to B …: asks auth what it would say of such a
 * client's recipient, and tells the steps as a story or as JSON. Status 1 where it is refused. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "ipc/target_show.h"
#include "role/mailbox/control.h"
#include "role/mailbox/mailbox.h"

enum { STEP_FIELDS = 7, WAY_FIELDS = 4, IP_SIZE = 46 };

/* As they stand in EXPLAIN_RESULT (ipc/messages.h). */
enum { KIND, STAGE, DEPTH, NAME, KEY, WHERE, RESULT };
static const char *const step_names[] = {"kind", "stage", "depth", "name",
                                         "key",  "where", "result"};
static const char *const way_names[] = {"rule", "where", "from", "to"};

struct explaining {
    struct control_call *call;
    bool as_json;
};

/* What is missing is "". */
static void take_fields(struct slice line, struct slice *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct slice field = line.data ? slice_split(&line, '\0') : SLICE("");
        out[i] = field.data ? field : SLICE("");
    }
}

/* ---- JSON ---- */

static void put_lines(struct control_call *c, struct json *o, const char *key,
                      struct slice_list lines, const char *const *names, size_t n)
{
    struct slice fields[STEP_FIELDS];
    json_key(o, key);
    struct json list = json_begin(o->out, '[');
    for (size_t i = 0; i < lines.n; i++) {
        take_fields(lines.items[i], fields, n);
        json_item(&list);
        struct json item = json_begin(o->out, '{');
        for (size_t k = 0; k < n; k++)
            json_put_string(&item, names[k], fields[k]);
        json_end(&item);
        control_flush_some(c);
    }
    json_end(&list);
}

static void put_texts(struct json *o, const char *key, struct slice_list texts)
{
    json_key(o, key);
    struct json list = json_begin(o->out, '[');
    for (size_t i = 0; i < texts.n; i++) {
        json_item(&list);
        json_string(o->out, texts.items[i]);
    }
    json_end(&list);
}

/* Its transport is not there: the mail waits. */
static bool waits(const struct conf *c, const struct target *t)
{
    struct slice transport, nexthop;
    if (t->kind != TARGET_REMOTE || t->route.len == 0)
        return false;
    target_route_split(t->route, &transport, &nexthop);
    return !conf_transport_takes(c, transport);
}

static const char unavailable[] = "put off: mail transport unavailable";

static bool all_go(const struct conf *c, const struct ipc_EXPLAIN_RESULT *r)
{
    struct target t;
    for (size_t i = 0; i < r->targets.n; i++)
        if (target_parse(r->targets.items[i], &t) == OK && waits(c, &t))
            return false;
    return true;
}

static void put_json_target(const struct conf *c, struct json *list, const struct target *t)
{
    json_item(list);
    struct json o = json_begin(list->out, '{');
    target_show_json(t, &o);
    if (t->bcc)
        json_put_number(&o, "copy", 1);
    if (waits(c, t))
        json_put_string(&o, "problem", slice_cstr(unavailable));
    json_end(&o);
}

static void put_json(const struct conf *conf, struct control_call *c,
                     const struct ipc_EXPLAIN_RESULT *r)
{
    struct buf *out = &c->out;
    struct json o = json_begin(out, '{');
    struct target t;
    json_put_string(&o, "outcome", r->code == 250 ? SLICE("permitted") : SLICE("refused"));
    json_put_number(&o, "code", r->code);
    json_put_string(&o, "enhanced", r->enhanced);
    json_put_string(&o, "text", r->text);
    json_put_string(&o, "rule", r->rule);
    json_put_string(&o, "where", r->where);
    json_put_string(&o, "stage", r->stage);
    put_lines(c, &o, "steps", r->steps, step_names, STEP_FIELDS);
    put_texts(&o, "actions", r->actions);
    put_texts(&o, "notes", r->notes);
    json_put_string(&o, "sender", r->sender);
    put_lines(c, &o, "ways", r->ways, way_names, WAY_FIELDS);
    json_key(&o, "targets");
    struct json targets = json_begin(out, '[');
    for (size_t i = 0; i < r->targets.n; i++)
        if (target_parse(r->targets.items[i], &t) == OK && t.kind != TARGET_VIA)
            put_json_target(conf, &targets, &t);
    json_end(&targets);
    json_put_number(&o, "cut", r->cut);
    json_end(&o);
    buf_putc(out, '\n');
}

/* ---- a story ---- */

static void put_where(struct buf *out, struct slice where)
{
    if (where.len)
        buf_printf(out, "  [%.*s]", SLICE_ARG(where));
    buf_putc(out, '\n');
}

static void put_step(struct slice line, struct buf *out)
{
    struct slice f[STEP_FIELDS];
    uint64_t depth = 0;
    take_fields(line, f, STEP_FIELDS);
    if (slice_parse_u64(f[DEPTH], 100, &depth) != OK)
        depth = 0;
    for (uint64_t i = 0; i <= depth; i++)
        buf_puts(out, "  ");
    if (slice_is(f[KIND], "list")) {
        buf_printf(out, "%.*s, at %.*s: %.*s", SLICE_ARG(f[NAME]), SLICE_ARG(f[STAGE]),
                   SLICE_ARG(f[RESULT]));
    } else if (slice_is(f[KIND], "restriction")) {
        buf_printf(out, "%.*s%s%.*s: %.*s", SLICE_ARG(f[NAME]), f[KEY].len ? " " : "",
                   SLICE_ARG(f[KEY]), SLICE_ARG(f[RESULT]));
    } else if (slice_is(f[KIND], "address")) {
        buf_printf(out, "  address %.*s: %.*s%s%.*s", SLICE_ARG(f[KEY]), SLICE_ARG(f[RESULT]),
                   f[NAME].len ? ", by " : "", SLICE_ARG(f[NAME]));
    } else {
        buf_printf(out, "  %s%.*s, asked for %.*s: %.*s", slice_is(f[KIND], "dns") ? "DNS " : "",
                   SLICE_ARG(f[NAME]), SLICE_ARG(f[KEY]), SLICE_ARG(f[RESULT]));
    }
    put_where(out, f[WHERE]);
}

static void put_target(const struct conf *c, const struct target *t, struct buf *out)
{
    buf_puts(out, "  ");
    target_show(t, out);
    buf_printf(out, "%s%s%s\n", t->bcc ? " (a copy)" : "", waits(c, t) ? ": " : "",
               waits(c, t) ? unavailable : "");
}

static void put_targets(const struct conf *conf, struct control_call *c,
                        const struct ipc_EXPLAIN_RESULT *r)
{
    struct buf *out = &c->out;
    struct slice f[WAY_FIELDS];
    struct target t;
    buf_puts(out, "its way\n");
    for (size_t i = 0; i < r->ways.n; i++) {
        take_fields(r->ways.items[i], f, WAY_FIELDS);
        buf_printf(out, "  %.*s: %.*s -> %.*s", SLICE_ARG(f[0]), SLICE_ARG(f[2]), SLICE_ARG(f[3]));
        put_where(out, f[1]);
        control_flush_some(c);
    }
    buf_puts(out, r->targets.n ? "leads to\n" : "leads nowhere\n");
    for (size_t i = 0; i < r->targets.n; i++) {
        if (target_parse(r->targets.items[i], &t) != OK)
            continue;
        if (t.kind != TARGET_VIA)
            put_target(conf, &t, out);
        else if (t.sender.data)
            buf_printf(out, "  sent as <%.*s>:\n", SLICE_ARG(t.sender));
    }
}

static void put_text(const struct conf *conf, struct control_call *c,
                     const struct ipc_EXPLAIN_RESULT *r)
{
    struct buf *out = &c->out;
    buf_puts(out, "looked at\n");
    for (size_t i = 0; i < r->steps.n; i++) {
        put_step(r->steps.items[i], out);
        control_flush_some(c);
    }
    if (r->cut)
        buf_puts(out, "  … and more than can be told\n");
    for (size_t i = 0; i < r->notes.n; i++)
        buf_printf(out, "note: %.*s\n", SLICE_ARG(r->notes.items[i]));
    for (size_t i = 0; i < r->actions.n; i++)
        buf_printf(out, "action: %.*s\n", SLICE_ARG(r->actions.items[i]));
    buf_printf(out, "%s at %.*s", r->code == 250 ? "permitted" : "refused", SLICE_ARG(r->stage));
    if (r->rule.len)
        buf_printf(out, " by %.*s", SLICE_ARG(r->rule));
    put_where(out, r->where);
    buf_printf(out, "reply: %u %.*s %.*s\n", r->code, SLICE_ARG(r->enhanced), SLICE_ARG(r->text));
    if (r->code == 250)
        put_targets(conf, c, r);
}

/* ---- the command ---- */

static void answered(void *arg, struct ipc_message *m)
{
    struct explaining *x = arg;
    struct control_call *c = x->call;
    bool as_json = x->as_json;
    free(x);
    if (m->type != IPC_EXPLAIN_RESULT) {
        const char *why =
            m->type == IPC_FAILURE ? "it can't be explained: " : "auth gave no answer";
        buf_reset(&c->out);
        char text[1000];
        snprintf(text, sizeof text, "%s%.*s", why,
                 SLICE_ARG(m->type == IPC_FAILURE ? m->FAILURE.text : SLICE("")));
        control_end(c, 1, text);
        return;
    }
    const struct conf *conf = role_conf(c->mailbox->role);
    (as_json ? put_json : put_text)(conf, c, &m->EXPLAIN_RESULT);
    bool goes = m->EXPLAIN_RESULT.code == 250 && all_go(conf, &m->EXPLAIN_RESULT);
    conf_unref(conf);
    control_end(c, !goes, "");
}

static bool take_option(struct ipc_EXPLAIN *q, struct slice option, struct slice value)
{
    static const char *const names[] = {"--client", "--from", "--to",     "--name",
                                        "--helo",   "--user", "--service"};
    struct slice *const to[] = {&q->client_ip, &q->sender, &q->rcpt,   &q->client_name,
                                &q->helo,      &q->login,  &q->service};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(option, names[i])) {
            *to[i] = value;
            return true;
        }
    return false;
}

static bool take_words(struct explaining *x, struct ipc_EXPLAIN *q, const struct slice *words,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (slice_is(words[i], "--json"))
            x->as_json = true;
        else if (slice_is(words[i], "--tls"))
            q->tls = 1;
        else if (i + 1 == n || !take_option(q, words[i], words[i + 1]))
            return false;
        else
            i++;
    }
    return q->client_ip.len && q->rcpt.len;
}

/* In the form in which the server itself has addresses. */
static bool normal_ip(struct slice *ip, char out[static IP_SIZE])
{
    char text[IP_SIZE];
    unsigned char b[sizeof(struct in6_addr)];
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(*ip));
    int family = strchr(text, ':') ? AF_INET6 : AF_INET;
    if (ip->len >= sizeof text || inet_pton(family, text, b) != 1 ||
        !inet_ntop(family, b, out, IP_SIZE))
        return false;
    *ip = slice_cstr(out);
    return true;
}

void control_explain(struct control_call *c, const struct slice *words, size_t n)
{
    char ip[IP_SIZE];
    struct ipc_message m = {.type = IPC_EXPLAIN, .EXPLAIN = {.service = SLICE("smtp")}};
    struct explaining *x = calloc(1, sizeof *x);
    if (!x) {
        control_end(c, 1, "no memory");
        return;
    }
    x->call = c;
    bool understood = take_words(x, &m.EXPLAIN, words, n);
    if (understood && normal_ip(&m.EXPLAIN.client_ip, ip)) {
        ipc_request(c->mailbox->role->peers[ROLE_AUTH], &m, answered, x);
        return;
    }
    free(x);
    control_end(c, 1,
                understood ? "--client takes an IP address"
                           : "usage: explain --client IP --from ADDRESS --to ADDRESS");
}
