/* fuzz_policy.c: restriction lists, the values of access tables and what a client says. Input:
 * lines of settings, a byte 1, a texthash table, a byte 1, then a line each: client name, HELO,
 * sender, recipient, ETRN's domain. A stranger asks; the world around is made of hashes of its
 * names.
 *
 * Whatever the lists say: every run ends, says the same twice, answers with a reply that fits into
 * a line, and does not let the stranger relay. */
#include "policy/policy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { QUESTIONS_MAX = 2000, TABLES_MAX = 32 };

struct world {
    struct slice access;
    const struct table *tables[TABLES_MAX];
    size_t n;
};

static enum result read_access(void *arg, struct slice path, struct buf *out, struct error *err)
{
    const struct world *w = arg;
    (void)path, (void)err;
    buf_append(out, w->access);
    return buf_ok(out) ? OK : FAILED;
}

static void ignore(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg, (void)file, (void)line, (void)reason;
}

static const struct table *find_table(void *arg, struct slice spec)
{
    struct world *w = arg;
    struct error err = {""};
    const struct table_reader reader = {.read = read_access, .arg = w};
    bool simple = slice_starts(spec, SLICE("texthash:")) || slice_starts(spec, SLICE("inline:")) ||
                  slice_starts(spec, SLICE("static:")) || slice_starts(spec, SLICE("cidr:"));
    if (!simple || w->n == TABLES_MAX ||
        table_open(spec, &reader, ignore, NULL, &w->tables[w->n], &err) != OK)
        return NULL;
    return w->tables[w->n++];
}

static unsigned hash(struct slice s)
{
    unsigned h = 2166136261u;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.data[i]) * 16777619u;
    return h;
}

static void answer_address(struct policy_answers *as, const struct policy_question *q)
{
    unsigned h = hash(q->key);
    struct policy_address a = {.known = (enum policy_known)(h % 5),
                               .class = (enum policy_class)(h / 5 % 5),
                               .routed = h % 7 == 0,
                               .full = h % 11 ? q->key : SLICE(""),
                               .code = 550,
                               .status = SLICE("5.1.6"),
                               .text = h % 3 ? SLICE("") : SLICE("moved away"),
                               .rule = SLICE(""),
                               .where = SLICE("")};
    policy_answer_address(as, q, &a);
}

static void answer_dns(struct policy_answers *as, const struct policy_question *q)
{
    static const char *const texts[] = {"127.0.0.2", "10 mx.test", "0 ", "a \x01 text", "", "::1"};
    unsigned h = hash(q->key) + q->type;
    struct slice records[2] = {slice_cstr(texts[h % 6]), slice_cstr(texts[h / 6 % 6])};
    enum policy_dns outcome = (enum policy_dns)(h % 4);
    policy_answer_dns(as, q, outcome,
                      (struct slice_list){records, outcome == POLICY_DNS_FOUND ? 2 : 0});
}

static void answer(struct policy_answers *as, const struct policy_question *q)
{
    if (q->ask == POLICY_ASK_ADDRESS)
        answer_address(as, q);
    else if (q->ask == POLICY_ASK_DNS)
        answer_dns(as, q);
    else if (q->ask == POLICY_ASK_SLEEP)
        policy_answer_sleep(as, q);
    else
        abort(); /* none of these tables waits */
}

static void check_line(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] < ' ' || s.data[i] == 0x7f)
            abort();
}

static bool discards(const struct decision *d)
{
    for (size_t i = 0; i < d->actions.n; i++)
        if (slice_starts(d->actions.items[i], SLICE("discard")))
            return true;
    return false;
}

/* A place elsewhere, or one that is not told by the domain. */
static bool is_elsewhere(struct slice rcpt)
{
    return hash(rcpt) / 5 % 5 == POLICY_CLASS_OTHER;
}

static struct decision run(const struct policy *p, enum policy_stage stage,
                           const struct policy_facts *f, struct arena *a)
{
    struct policy_answers answers = {.arena = a};
    struct policy_question q;
    struct decision d;
    unsigned asked = 0;
    while (!policy_run(p, stage, f, &answers, a, &d, &q)) {
        if (asked++ > QUESTIONS_MAX)
            abort();
        answer(&answers, &q);
    }
    return d;
}

static void try_stage(const struct policy *p, enum policy_stage stage, const struct policy_facts *f)
{
    struct arena a;
    arena_init(&a, 64 << 20);
    struct decision d = run(p, stage, f, &a), again = run(p, stage, f, &a);
    if (arena_failed(&a)) {
        arena_release(&a);
        return;
    }
    if (d.code != again.code || !slice_eq(d.text, again.text))
        abort();
    if (d.code != 250 && (d.code < 400 || d.code > 599 || d.enhanced.len < 5 ||
                          d.enhanced.data[0] != (char)('0' + d.code / 100)))
        abort();
    check_line(d.text);
    check_line(d.enhanced);
    bool postmaster = slice_is_nocase(f->rcpt, "postmaster");
    if (stage == POLICY_AT_RCPT && d.code == 250 && is_elsewhere(f->rcpt) && !discards(&d) &&
        !postmaster)
        abort();
    arena_release(&a);
}

static const struct conf *settings(struct slice text)
{
    struct conf_errors errors;
    struct buf whole;
    const struct conf *c = NULL;
    conf_errors_init(&errors);
    buf_init(&whole, 1 << 20);
    /* The last one of a name holds. */
    buf_printf(&whole,
               "myhostname = h.test\nmydestination = h.test\n%.*s\n"
               "smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, "
               "reject_unauth_destination\nsmtpd_relay_before_recipient_restrictions = yes\n",
               SLICE_ARG(text));
    if (buf_ok(&whole) && conf_parse(buf_slice(&whole), "f", &c, &errors) != OK)
        c = NULL;
    buf_release(&whole);
    conf_errors_release(&errors);
    return c;
}

static struct slice line(struct slice *rest)
{
    return rest->data ? slice_split(rest, '\n') : SLICE_NONE;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of(data, size), lists = slice_split(&rest, 1);
    struct world w = {.access = rest.data ? slice_split(&rest, 1) : SLICE("")};
    const struct conf *c = settings(lists);
    const struct policy_tables tables = {find_table, &w};
    const struct policy *p = NULL;
    struct conf_errors errors;
    if (!c)
        return 0;
    conf_errors_init(&errors);
    if (policy_new(c, &tables, &errors, &p) == OK) {
        struct policy_facts f = {.ip = SLICE("192.0.2.1"), .name_status = size % 4};
        f.name = line(&rest);
        f.helo = line(&rest);
        f.sender = line(&rest);
        f.rcpt = line(&rest);
        f.etrn = line(&rest);
        if (!f.rcpt.data)
            f.rcpt = SLICE("x");
        for (unsigned stage = 0; stage < POLICY_STAGES; stage++)
            try_stage(p, (enum policy_stage)stage, &f);
        policy_free(p);
    }
    while (w.n)
        table_close(w.tables[--w.n]);
    conf_errors_release(&errors);
    conf_unref(c);
    return 0;
}
