#include "role/mailbox/quota.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/map.h"
#include "conf/quota.h"

enum { OWN_MAX = 1000000, RULES_TEXT_MAX = 4096 };

struct mailbox_quota {
    pthread_mutex_t lock; /* of what follows */
    const struct conf *conf;
    struct conf_quota_rule rules[CONF_QUOTA_RULES_MAX];
    size_t n_rules;
    struct conf_quota_amount grace;
    struct map own; /* account -> its rules, '\n' between them */
};

/* ---- the configuration ---- */

static size_t parse_rules(struct slice_list texts, struct conf_quota_rule *rules)
{
    size_t n = 0;
    for (size_t i = 0; i < texts.n && n < CONF_QUOTA_RULES_MAX; i++)
        if (conf_quota_rule_parse(texts.items[i], &rules[n], NULL) == OK)
            n++;
    return n;
}

void quota_configure(struct mailbox_quota *q, const struct conf *c)
{
    pthread_mutex_lock(&q->lock);
    const struct conf *old = q->conf;
    q->conf = conf_ref(c);
    q->n_rules = parse_rules(c->quota_rule, q->rules);
    if (conf_quota_amount_parse(c->quota_grace, 1, &q->grace, NULL) != OK)
        q->grace = (struct conf_quota_amount){.set = false};
    pthread_mutex_unlock(&q->lock);
    conf_unref(old);
}

enum result quota_new(const struct conf *c, struct mailbox_quota **ret)
{
    struct mailbox_quota *q = calloc(1, sizeof *q);
    if (!q)
        return FAILED;
    pthread_mutex_init(&q->lock, NULL);
    map_init(&q->own, OWN_MAX);
    quota_configure(q, c);
    *ret = q;
    return OK;
}

/* Lock held. */
static void forget_own(struct mailbox_quota *q)
{
    size_t at = 0;
    struct slice name;
    void *value;
    while (map_next(&q->own, &at, &name, &value))
        free(map_remove(&q->own, name));
}

void quota_free(struct mailbox_quota *q)
{
    if (!q)
        return;
    forget_own(q);
    map_release(&q->own);
    conf_unref(q->conf);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

/* ---- accounts of their own ---- */

static void put_own(struct mailbox_quota *q, struct slice account, struct slice rules)
{
    char *text = rules.len && rules.len < RULES_TEXT_MAX ? strndup(rules.data, rules.len) : NULL;
    free(map_remove(&q->own, account));
    if (text && map_put(&q->own, account, text) != OK) {
        LOG(LOG_ERROR, "quota.dropped", LOG_S("account", account), LOG_C("why", "no memory"));
        free(text);
    }
}

void quota_take(struct mailbox_quota *q, const struct ipc_message *m)
{
    const struct ipc_QUOTA *told = &m->QUOTA;
    pthread_mutex_lock(&q->lock);
    if (told->reset)
        forget_own(q);
    for (size_t i = 0; i < told->accounts.n && i < told->rules.n; i++)
        put_own(q, told->accounts.items[i], told->rules.items[i]);
    pthread_mutex_unlock(&q->lock);
}

/* ---- limits ---- */

static bool is_base(const struct conf_quota_rule *r)
{
    return slice_is(r->mailbox, "*");
}

static void set_limit(uint64_t *limit, const struct conf_quota_amount *a)
{
    if (a->set && !a->percent)
        *limit = a->n ? a->n : UINT64_MAX;
}

static void add_to(uint64_t *limit, const struct conf_quota_amount *a, uint64_t base)
{
    uint64_t more = conf_quota_amount_of(a, base);
    if (*limit == UINT64_MAX)
        return;
    if (a->negative)
        *limit = *limit > more ? *limit - more : 0;
    else
        *limit = more < UINT64_MAX - *limit ? *limit + more : UINT64_MAX;
}

/* All rules that count for an account, its own behind those of all. Lock held. */
static size_t rules_for(struct mailbox_quota *q, struct slice account,
                        struct conf_quota_rule rules[2 * CONF_QUOTA_RULES_MAX])
{
    size_t n = q->n_rules;
    const char *own = map_get(&q->own, account);
    memcpy(rules, q->rules, n * sizeof *rules);
    for (struct slice rest = own ? slice_cstr(own) : SLICE_NONE;
         rest.data && n < 2 * CONF_QUOTA_RULES_MAX;)
        if (conf_quota_rule_parse(slice_split(&rest, '\n'), &rules[n], NULL) == OK)
            n++;
    return n;
}

static void limits(void *arg, struct slice account, struct slice mailbox, struct store_limits *ret)
{
    struct mailbox_quota *q = arg;
    struct conf_quota_rule rules[2 * CONF_QUOTA_RULES_MAX];
    struct store_limits l = {UINT64_MAX, UINT64_MAX, 0, false, false};
    pthread_mutex_lock(&q->lock);
    size_t n = rules_for(q, account, rules);
    if (q->conf->mailbox_quota)
        l.bytes = (uint64_t)q->conf->mailbox_quota;
    for (size_t i = 0; i < n; i++)
        if (is_base(&rules[i])) {
            set_limit(&l.bytes, &rules[i].bytes);
            set_limit(&l.messages, &rules[i].messages);
        }
    const struct store_limits base = l;
    l.grace = base.bytes == UINT64_MAX ? 0 : conf_quota_amount_of(&q->grace, base.bytes);
    for (size_t i = 0; i < n; i++) {
        const struct conf_quota_rule *r = &rules[i];
        l.some_uncounted = l.some_uncounted || r->ignore;
        if (is_base(r) || !conf_quota_rule_fits(r, mailbox))
            continue;
        l.uncounted = l.uncounted || r->ignore;
        add_to(&l.bytes, &r->bytes, base.bytes);
        add_to(&l.messages, &r->messages, base.messages);
    }
    pthread_mutex_unlock(&q->lock);
    *ret = l;
}

static bool counted(void *arg, struct slice account, struct slice mailbox)
{
    struct store_limits l;
    limits(arg, account, mailbox, &l);
    return !l.uncounted;
}

struct store_quota quota_of_store(struct mailbox_quota *q)
{
    return (struct store_quota){q, limits, counted};
}

/* ---- words ---- */

bool quota_reply(struct mailbox_quota *q, struct slice rcpt, struct buf *out)
{
    pthread_mutex_lock(&q->lock);
    bool for_good = !q->conf->quota_full_tempfail;
    buf_printf(out, "%s.2.2 <%.*s> %.*s", for_good ? "5" : "4", SLICE_ARG(rcpt),
               SLICE_ARG(q->conf->quota_exceeded_message));
    pthread_mutex_unlock(&q->lock);
    return for_good;
}

bool quota_too_large(struct mailbox_quota *q, uint64_t size)
{
    pthread_mutex_lock(&q->lock);
    uint64_t most = (uint64_t)q->conf->quota_max_mail_size;
    pthread_mutex_unlock(&q->lock);
    return most && size > most;
}
