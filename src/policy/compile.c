/* compile.c: from the configuration's words to lists of rules, once for each configuration. */
#include "policy/machine.h"

#include <stdio.h>
#include <stdlib.h>

#include "conf/lines.h"
#include "conf/source.h"

enum { ARENA_LIMIT = 8 << 20 };

/* One reading of a list: what its errors need. */
struct reading {
    struct compiling *c;
    struct slice_list words;
    size_t at;
    struct list *list;
};

static void complain(struct reading *rd, const char *what, struct slice word, const char *why)
{
    struct compiling *c = rd->c;
    struct slice where = rd->list->where;
    if (!c->bad)
        error_set(&c->error, INVALID, "%s `%.*s`%s%s", what, SLICE_ARG(word), *why ? ": " : "",
                  why);
    c->bad = true;
    if (!c->errors)
        return;
    /* "FILE:LINE: SETTING: …"; a value of the defaults has no line. */
    conf_error(c->errors, where.data, 0, "%.*s: %s `%.*s`%s%s", SLICE_ARG(rd->list->name), what,
               SLICE_ARG(word), *why ? ": " : "", why);
}

static const struct list *find_class(const struct policy *p, struct slice name)
{
    for (size_t i = 0; p && i < p->n_classes; i++)
        if (slice_eq_nocase(p->classes[i].name, name))
            return &p->classes[i].list;
    return NULL;
}

static const struct table *find_table(struct reading *rd, struct slice spec)
{
    const struct policy_tables *t = rd->c->tables;
    if (!t) {
        complain(rd, "table", spec,
                 "a lookup table may not stand in an access table: make a class of it "
                 "(smtpd_restriction_classes) and name that");
        return NULL;
    }
    if (!t->find) /* only checked */
        return NULL;
    const struct table *found = t->find(t->arg, spec);
    if (!found)
        complain(rd, "table", spec, "it could not be opened");
    return found;
}

static bool is_table(struct slice word)
{
    return slice_find(word, ':') != SIZE_MAX;
}

/* check_ccert_access { type:table, { search_order = … } } */
static struct slice table_in_braces(struct slice text)
{
    struct slice inner = slice_trim(slice_sub(text, 1, text.len - 2));
    size_t end = 0;
    while (end < inner.len && !strchr(" \t,", inner.data[end]))
        end++;
    return slice_sub(inner, 0, end);
}

/* "zen.example.org=127.0.0.[2..11]" */
static bool dnsbl_valid(struct slice text)
{
    struct slice domain = slice_sub(text, 0, slice_find(text, '='));
    return hostname_valid(domain);
}

static void take_argument(struct reading *rd, struct rule *rule)
{
    const struct word *w = rule->word;
    struct slice name = slice_cstr(w->name);
    uint64_t n;
    if (w->argument == ARG_NONE)
        return;
    if (rd->at >= rd->words.n) {
        complain(rd, "restriction", name, "its argument is missing behind it");
        return;
    }
    rule->text = rd->words.items[rd->at++];
    struct slice spec = rule->text;
    if (w->argument == ARG_CERT_TABLE && spec.len > 2 && spec.data[0] == '{')
        spec = table_in_braces(spec);
    if (w->argument == ARG_SECONDS) {
        if (slice_parse_u64(rule->text, 3600, &n) != OK)
            complain(rd, "sleep", rule->text, "a number of seconds must follow");
        else
            rule->number = (unsigned)n;
    } else if (w->argument == ARG_DNSBL) {
        if (!dnsbl_valid(rule->text))
            complain(rd, w->name, rule->text, "the domain of a list must follow");
    } else if (w->run && !is_table(spec)) {
        complain(rd, w->name, rule->text, "a table (type:name) must follow");
    } else if (w->run) {
        rule->table = find_table(rd, spec);
    }
}

static const struct word class_word = {"restriction class", rule_class, ARG_NONE, 0, NULL};

static void take_unknown(struct reading *rd, struct slice word)
{
    char why[160];
    const char *near = word_suggest(word);
    if (near)
        snprintf(why, sizeof why, "did you mean %s?", near);
    else
        snprintf(why, sizeof why,
                 "it is neither a restriction nor a class of "
                 "smtpd_restriction_classes");
    complain(rd, "unknown restriction", word, why);
}

/* A bare table means the access map of the stage; which that is, is known when it runs. */
static void take_word(struct reading *rd, struct rule *rule)
{
    struct slice word = rd->words.items[rd->at++];
    const struct list *class = find_class(rd->c->policy, word);
    rule->id = rd->c->next_id++;
    rule->text = word;
    if (class) {
        rule->word = &class_word;
        rule->list = class;
        return;
    }
    rule->word = word_find(word);
    if (rule->word && !rule->word->run) {
        complain(rd, "restriction", word, rule->word->unserved);
        take_argument(rd, rule);
    } else if (rule->word) {
        take_argument(rd, rule);
    } else if (is_table(word)) {
        rule->table = find_table(rd, word);
    } else {
        take_unknown(rd, word);
    }
}

void compile_list(struct compiling *c, struct slice_list words, struct list *ret)
{
    struct reading rd = {.c = c, .words = words, .list = ret};
    ret->n = 0;
    ret->rules = arena_alloc_n(c->arena, words.n ? words.n : 1, sizeof *ret->rules);
    if (!ret->rules || words.n > RULES_MAX) {
        complain(&rd, "list", ret->name, "it is too long");
        return;
    }
    while (rd.at < words.n)
        take_word(&rd, &ret->rules[ret->n++]);
}

/* ---- a whole configuration ---- */

static struct list named(const struct conf *c, const char *setting)
{
    return (struct list){.name = slice_cstr(setting), .where = slice_cstr(conf_source(c, setting))};
}

static void compile_classes(struct compiling *c, struct policy *p)
{
    struct slice_list names = p->conf->smtpd_restriction_classes;
    size_t n = names.n < CLASSES_MAX ? names.n : CLASSES_MAX;
    struct list all = named(p->conf, "smtpd_restriction_classes");
    p->classes = arena_alloc_n(&p->arena, n + 1, sizeof *p->classes);
    if (!p->classes || names.n > CLASSES_MAX) {
        complain(&(struct reading){.c = c, .list = &all}, "list", all.name, "it is too long");
        return;
    }
    /* All names first: a class may name those behind it. */
    for (size_t i = 0; i < n; i++) {
        p->classes[i].name = names.items[i];
        p->classes[i].list = all;
        p->classes[i].list.name = names.items[i];
    }
    p->n_classes = n;
    for (size_t i = 0; i < n; i++) {
        struct list *l = &p->classes[i].list;
        const struct slice_list *words = conf_restriction_class(p->conf, l->name);
        if (words)
            compile_list(c, *words, l);
        else
            complain(&(struct reading){.c = c, .list = l}, "restriction class", l->name,
                     "its definition (NAME = …) is missing");
    }
}

static void compile_stage(struct compiling *c, const struct conf *conf, const char *setting,
                          struct slice_list words, struct list *ret)
{
    *ret = named(conf, setting);
    compile_list(c, words, ret);
}

/* Does the list end the way of a stranger's mail to somewhere else? Postfix refuses to run without
 * such a word, and so do we: it would be an open relay. */
static bool guards_relay(const struct list *l, unsigned depth)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct word *w = l->rules[i].word;
        if (!w)
            continue;
        if (w->run == rule_auth_destination && w->option != DESTINATION_PERMIT)
            return true;
        if (w->run == rule_reject || w->run == rule_defer || w->run == rule_defer_if_permit)
            return true;
        if (l->rules[i].list && depth < RECURSION_MAX && guards_relay(l->rules[i].list, depth + 1))
            return true;
    }
    return false;
}

static void check_relay(struct compiling *c, struct policy *p)
{
    if (guards_relay(&p->relay, 0) || guards_relay(&p->stages[POLICY_AT_RCPT], 0))
        return;
    complain(&(struct reading){.c = c, .list = &p->relay}, "list", p->relay.name,
             "this host would relay for everybody: put reject_unauth_destination into it or into "
             "smtpd_recipient_restrictions");
}

static struct tables open_tables(struct compiling *c, const struct conf *conf, const char *setting,
                                 struct slice_list specs)
{
    struct list l = named(conf, setting);
    struct reading rd = {.c = c, .list = &l};
    struct tables ts = {arena_alloc_n(c->arena, specs.n + 1, sizeof *ts.items), 0};
    for (size_t i = 0; ts.items && i < specs.n; i++) {
        const struct table *t = find_table(&rd, specs.items[i]);
        if (t)
            ts.items[ts.n++] = t;
    }
    return ts;
}

static bool has_word(struct slice_list l, const char *word)
{
    for (size_t i = 0; i < l.n; i++)
        if (slice_is_nocase(l.items[i], word))
            return true;
    return false;
}

static void compile_all(struct compiling *c, struct policy *p)
{
    const struct conf *f = p->conf;
    compile_classes(c, p);
#define STAGE(at, setting) compile_stage(c, f, #setting, f->setting, &p->stages[at])
    STAGE(POLICY_AT_CLIENT, smtpd_client_restrictions);
    STAGE(POLICY_AT_HELO, smtpd_helo_restrictions);
    STAGE(POLICY_AT_MAIL, smtpd_sender_restrictions);
    STAGE(POLICY_AT_RCPT, smtpd_recipient_restrictions);
    STAGE(POLICY_AT_DATA, smtpd_data_restrictions);
    STAGE(POLICY_AT_END, smtpd_end_of_data_restrictions);
    STAGE(POLICY_AT_ETRN, smtpd_etrn_restrictions);
#undef STAGE
    compile_stage(c, f, "smtpd_relay_restrictions", f->smtpd_relay_restrictions, &p->relay);
    check_relay(c, p);
    p->login_maps = open_tables(c, f, "smtpd_sender_login_maps", f->smtpd_sender_login_maps);
    p->rbl_replies = open_tables(c, f, "rbl_reply_maps", f->rbl_reply_maps);
    p->client_certs = open_tables(c, f, "relay_clientcerts", f->relay_clientcerts);
    p->parents = has_word(f->parent_domain_matches_subdomains, "smtpd_access_maps");
}

enum result policy_new(const struct conf *conf, const struct policy_tables *tables,
                       struct conf_errors *errors, const struct policy **ret)
{
    struct policy *p = calloc(1, sizeof *p);
    if (!p)
        return FAILED;
    arena_init(&p->arena, ARENA_LIMIT);
    p->conf = conf_ref(conf);
    struct compiling c = {
        .arena = &p->arena, .tables = tables, .policy = p, .errors = errors, .next_id = 1};
    compile_all(&c, p);
    enum result r = c.bad ? INVALID : arena_failed(&p->arena) ? FAILED : OK;
    if (r == OK)
        *ret = p;
    else
        policy_free(p);
    return r;
}

void policy_free(const struct policy *p)
{
    if (!p)
        return;
    struct policy *mine = (struct policy *)p;
    arena_release(&mine->arena);
    conf_unref(mine->conf);
    free(mine);
}

const struct conf *policy_conf(const struct policy *p)
{
    return p->conf;
}

static enum result check_one(const struct conf *c, struct conf_errors *errors)
{
    static const struct policy_tables none = {NULL, NULL};
    const struct policy *p = NULL;
    enum result r = policy_new(c, &none, errors, &p);
    if (r == OK)
        policy_free(p);
    return r;
}

enum result policy_check(const struct conf *c, struct conf_errors *errors)
{
    enum result worst = check_one(c, errors);
    for (size_t i = 0; i < c->listen.n; i++) {
        struct listen_url url;
        enum result r = OK;
        if (listen_parse(c->listen.items[i], &url) == OK && conf_for_service(c, url.label) != c)
            r = check_one(conf_for_service(c, url.label), errors);
        worst = r != OK ? r : worst;
    }
    return worst;
}

bool policy_asks(const struct conf *c, enum policy_stage stage)
{
    const struct slice_list lists[POLICY_STAGES] = {
        [POLICY_AT_CLIENT] = c->smtpd_client_restrictions,
        [POLICY_AT_HELO] = c->smtpd_helo_restrictions,
        [POLICY_AT_MAIL] = c->smtpd_sender_restrictions,
        [POLICY_AT_DATA] = c->smtpd_data_restrictions,
        [POLICY_AT_END] = c->smtpd_end_of_data_restrictions,
        [POLICY_AT_ETRN] = c->smtpd_etrn_restrictions,
    };
    bool early = stage <= POLICY_AT_MAIL;
    if (stage == POLICY_AT_MAIL && !c->smtpd_delay_reject && c->smtpd_reject_unlisted_sender)
        return true;
    return (!early || !c->smtpd_delay_reject) && lists[stage].n > 0;
}

bool policy_is_default(const struct conf *c)
{
    static const char *const relay[] = {"permit_mynetworks", "permit_sasl_authenticated",
                                        "reject_unauth_destination", "defer_unauth_destination"};
    size_t others = c->smtpd_client_restrictions.n + c->smtpd_helo_restrictions.n +
                    c->smtpd_sender_restrictions.n + c->smtpd_recipient_restrictions.n +
                    c->smtpd_data_restrictions.n + c->smtpd_end_of_data_restrictions.n +
                    c->smtpd_etrn_restrictions.n;
    if (others)
        return false;
    for (size_t i = 0; i < c->smtpd_relay_restrictions.n; i++) {
        bool known = false;
        for (size_t k = 0; k < sizeof relay / sizeof *relay; k++)
            known |= slice_is_nocase(c->smtpd_relay_restrictions.items[i], relay[k]);
        if (!known)
            return false;
    }
    return true;
}
