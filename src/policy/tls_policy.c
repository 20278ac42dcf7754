/* tls_policy.c: see tls_policy.h. The texts of entries are postconf(5)'s smtp_tls_policy_maps. */
#include "policy/tls_policy.h"

#include <stdio.h>

#include "conf/tls.h"
#include "policy/machine.h"

enum { MATCHES_MAX = 100, ATTRIBUTES_MAX = 100, CHECK_ARENA_MAX = 1 << 20 };

static const char *const levels[] = {"none", "may",       "encrypt", "fingerprint",
                                     "dane", "dane-only", "verify",  "secure"};

enum result tls_level_parse(struct slice text, enum tls_level *ret)
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (slice_is_nocase(text, levels[i])) {
            *ret = (enum tls_level)i;
            return OK;
        }
    return INVALID;
}

const char *tls_level_name(enum tls_level level)
{
    return levels[level];
}

/* ---- an entry ---- */

struct entry {
    struct tls_policy *to;
    struct arena *arena;
    struct error *err;
    bool servername, reuse; /* were given */
};

static enum result wrong(const struct entry *e, const char *what, struct slice name)
{
    return error_set(e->err, INVALID, "TLS policy%s%.*s: `%.*s` %s", e->to->where.len ? " " : "",
                     SLICE_ARG(e->to->where), SLICE_ARG(name), what);
}

static enum result take_once(const struct entry *e, struct slice *to, struct slice name,
                             struct slice value)
{
    if (to->data)
        return wrong(e, "is there twice", name);
    *to = value;
    return OK;
}

static enum result take_protocols(struct entry *e, struct slice name, struct slice value)
{
    unsigned ignored;
    if (conf_tls_protocols(value, &ignored, NULL) != OK)
        return wrong(e, "lists no versions of TLS", name);
    return take_once(e, &e->to->protocols, name, value);
}

static enum result take_ciphers(struct entry *e, struct slice name, struct slice value)
{
    static const char *const grades[] = {"high", "medium", "low", "export", "null"};
    for (size_t i = 0; i < sizeof grades / sizeof *grades; i++)
        if (slice_is_nocase(value, grades[i]))
            return take_once(e, &e->to->ciphers, name, slice_cstr(grades[i]));
    return wrong(e, "is no grade of ciphers: high, medium, low, export or null", name);
}

static enum result take_exclude(struct entry *e, struct slice name, struct slice value)
{
    if (e->to->own_exclude)
        return wrong(e, "is there twice", name);
    if (conf_tls_check("smtp_tls_exclude_ciphers", value, NULL) != OK)
        return wrong(e, "names no ciphers", name);
    e->to->own_exclude = true;
    e->to->exclude.items = ARENA_NEW(e->arena, struct slice);
    if (!e->to->exclude.items)
        return error_set(e->err, FAILED, "no memory");
    e->to->exclude.items[0] = value;
    e->to->exclude.n = value.len > 0;
    return OK;
}

static enum result take_servername(struct entry *e, struct slice name, struct slice value)
{
    if (e->servername)
        return wrong(e, "is there twice", name);
    if (!hostname_valid(value))
        return wrong(e, "is no name of a host", name);
    e->servername = true;
    e->to->servername = value;
    return OK;
}

static enum result add_matches(struct entry *e, struct slice value, char separator)
{
    struct tls_policy *p = e->to;
    if (!p->match.items)
        p->match.items = arena_alloc_n(e->arena, MATCHES_MAX, sizeof(struct slice));
    if (!p->match.items)
        return error_set(e->err, FAILED, "no memory");
    while (value.data) {
        struct slice one = slice_trim(slice_split(&value, separator));
        if (one.len == 0)
            continue;
        if (p->match.n == MATCHES_MAX)
            return error_set(e->err, INVALID, "TLS policy: more than %d names or fingerprints",
                             MATCHES_MAX);
        p->match.items[p->match.n++] = one;
    }
    return OK;
}

/* Colons are within fingerprints and between names. */
static enum result take_match(struct entry *e, struct slice name, struct slice value)
{
    size_t before = e->to->match.n;
    enum result r;
    switch (e->to->level) {
    case TLS_LEVEL_FINGERPRINT:
        r = add_matches(e, value, '|');
        break;
    case TLS_LEVEL_VERIFY:
    case TLS_LEVEL_SECURE:
        r = add_matches(e, value, ':');
        break;
    default:
        return wrong(e, "has no meaning at this level", name);
    }
    return r == OK && e->to->match.n == before ? wrong(e, "has no value", name) : r;
}

/* Connections are reused, with TLS or without. */
static enum result take_reuse(struct entry *e, struct slice name, struct slice value)
{
    if (!slice_is_nocase(value, "yes") && !slice_is_nocase(value, "no"))
        return wrong(e, "is neither yes nor no", name);
    if (slice_is_nocase(value, "no"))
        e->to->ignored = "connection_reuse=no: a connection is used again as long as it is there";
    return OK;
}

/* Less than what was asked for would be trusted with it. */
static enum result refuse_tafile(struct entry *e, struct slice name, struct slice value)
{
    (void)value;
    return wrong(
        e, "is not served: put its certificates into smtp_tls_CAfile or smtp_tls_trust_anchor_file",
        name);
}

static const struct {
    const char *name;
    enum result (*take)(struct entry *e, struct slice name, struct slice value);
} attributes[] = {
    {"protocols", take_protocols},   {"ciphers", take_ciphers}, {"exclude", take_exclude},
    {"servername", take_servername}, {"match", take_match},     {"connection_reuse", take_reuse},
    {"tafile", refuse_tafile},
};

static enum result take_attribute(struct entry *e, struct slice word)
{
    struct slice value = word, name = slice_split(&value, '=');
    if (!value.data || name.len == 0)
        return wrong(e, "is not name=value", word);
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        if (slice_is_nocase(name, attributes[i].name))
            return attributes[i].take(e, name, value);
    return wrong(e, "is no attribute of a TLS policy", name);
}

/* postconf(5) smtp_tls_policy_maps: attributes stand apart by white space or commas. */
static const char BETWEEN[] = ", \t\r\n";

static enum result take_entry(struct entry *e, struct slice text)
{
    struct slice word = slice_word(&text, BETWEEN);
    enum result r = OK;
    if (tls_level_parse(word, &e->to->level) != OK)
        return wrong(e, "is no level of TLS", word);
    for (unsigned n = 0; r == OK && (word = slice_word(&text, BETWEEN)).len; n++)
        if (n == ATTRIBUTES_MAX)
            r = wrong(e, "is one attribute too many", word);
        else if (e->to->level == TLS_LEVEL_NONE)
            e->to->ignored = "attributes of level none, which has no TLS";
        else
            r = take_attribute(e, word);
    return r;
}

/* ---- finding it ---- */

/* As given; of a domain's name also its parents, ".example.org". A next hop with brackets or a port
 * is the administrator's own word, and has none. */
static enum result look_up(const struct tables *maps, struct slice nexthop, struct arena *a,
                           struct table_match *ret, struct error *err)
{
    enum result r = tables_find(maps, nexthop, a, ret, err);
    struct slice key = nexthop;
    while (r == NOT_FOUND && hostname_valid(nexthop)) {
        size_t dot = slice_find(slice_from(key, 1), '.');
        if (dot == SIZE_MAX)
            break;
        key = slice_from(key, dot + 1);
        r = tables_find(maps, key, a, ret, err);
    }
    return r;
}

static enum result take_settings(const struct tls_policy_settings *s, struct tls_policy *p,
                                 struct error *err)
{
    if (s->level.len && tls_level_parse(s->level, &p->level) != OK)
        return error_set(err, INVALID, "`%.*s` is no level of TLS", SLICE_ARG(s->level));
    return OK;
}

/* What a certificate must show where the entry does not say it. */
static enum result complete_match(const struct tls_policy_settings *s, struct slice nexthop,
                                  struct entry *e)
{
    struct tls_policy *p = e->to;
    const struct slice_list *from = p->level == TLS_LEVEL_FINGERPRINT ? &s->fingerprint_match
                                    : p->level == TLS_LEVEL_VERIFY    ? &s->verify_match
                                    : p->level == TLS_LEVEL_SECURE    ? &s->secure_match
                                                                      : NULL;
    enum result r = OK;
    if (!from || p->match.n)
        return OK;
    for (size_t i = 0; i < from->n && r == OK; i++)
        r = add_matches(e, from->items[i], from == &s->fingerprint_match ? '|' : ':');
    if (r == OK && p->match.n == 0)
        return error_set(e->err, INVALID,
                         "TLS level %s for %.*s without a %s that the certificate must have",
                         tls_level_name(p->level), SLICE_ARG(nexthop),
                         from == &s->fingerprint_match ? "fingerprint" : "name");
    return r;
}

static enum result complete(const struct tls_policy_settings *s, struct slice nexthop,
                            struct entry *e)
{
    struct tls_policy *p = e->to;
    if (!e->servername)
        p->servername = s->servername;
    if (p->servername.len && !hostname_valid(p->servername))
        return error_set(e->err, INVALID, "smtp_tls_servername: `%.*s` is no name of a host",
                         SLICE_ARG(p->servername));
    return complete_match(s, nexthop, e);
}

enum result tls_policy_find(const struct tls_policy_settings *s, const struct tables *maps,
                            struct slice nexthop, struct arena *a, struct tls_policy *ret,
                            struct error *err)
{
    struct tls_policy p = {.level = TLS_LEVEL_NONE, .where = SLICE("")};
    struct entry e = {.to = &p, .arena = a, .err = err};
    struct table_match found;
    enum result r = look_up(maps, nexthop, a, &found, err);
    if (r == OK) {
        p.where = found.where;
        r = take_entry(&e, found.value);
    } else if (r == NOT_FOUND) {
        r = take_settings(s, &p, err);
    }
    if (r == OK)
        r = complete(s, nexthop, &e);
    if (r == OK)
        *ret = p;
    return r;
}

enum result tls_policy_check(struct slice value, struct error *err)
{
    struct tls_policy p = {.level = TLS_LEVEL_NONE, .where = SLICE("")};
    struct arena a;
    struct entry e = {.to = &p, .arena = &a, .err = err};
    arena_init(&a, CHECK_ARENA_MAX);
    enum result r = take_entry(&e, value);
    arena_release(&a);
    return r == OK ? OK : INVALID;
}

/* ---- what senders say ---- */

enum result tls_policy_require(struct tls_policy *p, bool mx_signed, struct arena *a)
{
    if (p->level > TLS_LEVEL_ENCRYPT)
        return OK;
    p->match = (struct slice_list){arena_alloc_n(a, 2, sizeof(struct slice)), 0};
    if (!p->match.items)
        return FAILED;
    p->level = mx_signed ? TLS_LEVEL_VERIFY : TLS_LEVEL_SECURE;
    if (mx_signed) {
        p->match.items[p->match.n++] = SLICE("hostname");
    } else {
        p->match.items[p->match.n++] = SLICE("nexthop");
        p->match.items[p->match.n++] = SLICE("dot-nexthop");
    }
    if (p->servername.len == 0)
        p->servername = SLICE("hostname"); /* hosts of many domains need it to choose */
    return OK;
}

void tls_policy_relax(struct tls_policy *p)
{
    if (p->level == TLS_LEVEL_DANE && p->where.len == 0)
        p->level = TLS_LEVEL_MAY;
}

/* ---- names ---- */

struct slice tls_nexthop_name(struct slice nexthop)
{
    if (nexthop.len && nexthop.data[0] == '[')
        return slice_sub(nexthop, 1, slice_find(nexthop, ']') - 1);
    return slice_sub(nexthop, 0, slice_find(nexthop, ':'));
}

static struct slice name_of(struct slice item, const struct tls_peer_names *who, struct arena *a)
{
    if (slice_is_nocase(item, "nexthop"))
        return who->nexthop;
    if (slice_is_nocase(item, "hostname"))
        return who->host;
    if (!slice_is_nocase(item, "dot-nexthop"))
        return item;
    const char *text = arena_printf(a, ".%.*s", SLICE_ARG(who->nexthop));
    return slice_cstr(text ? text : "");
}

enum result tls_policy_names(const struct tls_policy *p, const struct tls_peer_names *who,
                             struct arena *a, struct slice_list *ret)
{
    struct slice_list names = {arena_alloc_n(a, p->match.n + 1, sizeof(struct slice)), 0};
    for (size_t i = 0; names.items && i < p->match.n; i++) {
        struct slice name = name_of(p->match.items[i], who, a);
        if (name.len && !slice_is(name, "."))
            names.items[names.n++] = name;
    }
    if (!names.items || arena_failed(a))
        return FAILED;
    *ret = names;
    return OK;
}

struct slice tls_policy_servername(const struct tls_policy *p, const struct tls_peer_names *who)
{
    if (slice_is_nocase(p->servername, "hostname"))
        return who->host;
    return slice_is_nocase(p->servername, "nexthop") ? who->nexthop : p->servername;
}

/* ---- DANE ---- */

bool tlsa_usable(struct slice record)
{
    /* RFC 7672 3.1.3: PKIX-TA(0) and PKIX-EE(1) have no use in SMTP. */
    static const size_t lengths[] = {[0] = 0, [1] = 32, [2] = 64}; /* by matching type; 0: any */
    if (record.len < 4)
        return false;
    unsigned char usage = (unsigned char)record.data[0], selector = (unsigned char)record.data[1],
                  matching = (unsigned char)record.data[2];
    size_t data = record.len - 3;
    return (usage == 2 || usage == 3) && selector <= 1 && matching <= 2 &&
           (matching == 0 || data == lengths[matching]);
}

static enum result settle(struct tls_policy *p, enum tls_level otherwise, const char *why,
                          struct error *err)
{
    if (p->level == TLS_LEVEL_DANE_ONLY)
        return error_set(err, INVALID, "TLS level dane-only: %s", why);
    p->level = otherwise;
    return OK;
}

enum result tls_policy_dane(const struct tls_policy_settings *s, struct tls_policy *p,
                            enum tlsa_found found, bool mx_signed, struct error *err)
{
    if (p->level != TLS_LEVEL_DANE && p->level != TLS_LEVEL_DANE_ONLY)
        return OK;
    if (!mx_signed && (p->level == TLS_LEVEL_DANE_ONLY || slice_is_nocase(s->insecure_mx, "may")))
        return settle(p, TLS_LEVEL_MAY, "the MX records are not signed", err);
    switch (found) {
    case TLSA_NONE:
        return settle(p, TLS_LEVEL_MAY, "no signed TLSA records", err);
    case TLSA_UNUSABLE:
        return settle(p, TLS_LEVEL_ENCRYPT, "no TLSA record that can be used", err);
    case TLSA_USABLE:
        break;
    }
    p->level = !mx_signed && slice_is_nocase(s->insecure_mx, "encrypt") ? TLS_LEVEL_ENCRYPT
                                                                        : TLS_LEVEL_DANE;
    return OK;
}
