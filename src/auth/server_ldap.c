/* server_ldap.c: tables of LDAP directories (ldap_table(5)): values of result_attribute, and of the
 * entries that special_result_attribute leads to. */
#include "auth/ldap_client.h"
#include "auth/server.h"

#include <string.h>
#include <sys/time.h>

enum { ATTRIBUTES_MAX = 64, ENTRIES_MAX = 10000 };

enum kind { RESULT, SPECIAL, TERMINAL, LEAF, KINDS };
static const char *const settings[KINDS] = {
    [RESULT] = "result_attribute",
    [SPECIAL] = "special_result_attribute",
    [TERMINAL] = "terminal_result_attribute",
    [LEAF] = "leaf_result_attribute",
};

struct search {
    const struct server_table *table;
    LDAP *ldap;
    struct arena *arena;
    struct server_result *result;
    struct timeval timeout;
    char *attributes[ATTRIBUTES_MAX + 1];
    enum kind kinds[ATTRIBUTES_MAX];
    size_t n, entries;
    uint64_t recursion;
    struct error *err;
};

static void take_attributes(struct search *s)
{
    for (enum kind k = RESULT; k < KINDS; k++) {
        struct slice rest = server_value(s->table, settings[k], k == RESULT ? "maildrop" : ""),
                     word;
        while (s->n < ATTRIBUTES_MAX && server_next_word(&rest, &word)) {
            s->kinds[s->n] = k;
            s->attributes[s->n++] = (char *)arena_dup(s->arena, word).data;
        }
    }
    s->attributes[s->n] = NULL;
}

/* What the table makes of an attribute; KINDS: nothing. */
static enum kind kind_of(const struct search *s, const char *attribute)
{
    for (size_t i = 0; i < s->n; i++)
        if (slice_is_nocase(slice_cstr(s->attributes[i]), attribute))
            return s->kinds[i];
    return KINDS;
}

/* Calls take for each attribute of the entry, in the entry's order, as long as it says OK. */
static enum result each_attribute(struct search *s, LDAPMessage *entry,
                                  enum result (*take)(struct search *s, enum kind kind,
                                                      struct berval **values, void *arg),
                                  void *arg)
{
    BerElement *at = NULL;
    enum result r = OK;
    char *name = ldap_api.ldap_first_attribute(s->ldap, entry, &at);
    while (name) {
        struct berval **values = ldap_api.ldap_get_values_len(s->ldap, entry, name);
        if (r == OK && values && values[0])
            r = take(s, kind_of(s, name), values, arg);
        ldap_api.ldap_value_free_len(values);
        ldap_api.ldap_memfree(name);
        name = ldap_api.ldap_next_attribute(s->ldap, entry, at);
    }
    if (at)
        ldap_api.ber_free(at, 0);
    return r;
}

/* An entry on its way: what it has, and how far it lies behind the first. */
struct entry {
    bool has[KINDS + 1];
    unsigned depth;
};

static enum result note_kind(struct search *s, enum kind kind, struct berval **values, void *arg)
{
    (void)s, (void)values;
    ((struct entry *)arg)->has[kind] = true;
    return OK;
}

static enum result follow(struct search *s, struct slice where, unsigned depth);

/* An entry with a terminal attribute is nothing but that; with a special one, leaf attributes don't
 * count. */
static bool counts(const struct entry *e, enum kind kind)
{
    if (e->has[TERMINAL])
        return kind == TERMINAL;
    return kind == RESULT || kind == SPECIAL || (kind == LEAF && !e->has[SPECIAL]);
}

static enum result take_values(struct search *s, enum kind kind, struct berval **values, void *arg)
{
    const struct entry *e = arg;
    enum result r = OK;
    for (size_t v = 0; counts(e, kind) && values[v] && r == OK; v++) {
        struct slice value = slice_of(values[v]->bv_val, values[v]->bv_len);
        if (kind == SPECIAL)
            r = follow(s, value, e->depth + 1);
        else if (!server_result_add(s->result, value))
            r = FAILED;
    }
    return r;
}

static enum result take_entry(struct search *s, LDAPMessage *entry, unsigned depth)
{
    struct entry e = {.depth = depth};
    if (++s->entries > ENTRIES_MAX)
        return error_set(s->err, FAILED, "ldap: more than %d entries", ENTRIES_MAX);
    enum result r = each_attribute(s, entry, note_kind, &e);
    return r == OK ? each_attribute(s, entry, take_values, &e) : r;
}

static enum result run(struct search *s, const char *base, int scope, const char *filter,
                       unsigned depth)
{
    LDAPMessage *found = NULL;
    int limit = (int)server_number(s->table, "size_limit", 0);
    enum result r = OK;
    int code = ldap_api.ldap_search_ext_s(s->ldap, base, scope, filter, s->attributes, 0, NULL,
                                          NULL, &s->timeout, limit, &found);
    if (code != LDAP_SUCCESS && code != LDAP_NO_SUCH_OBJECT)
        r = ldap_failed(code, "search", s->err);
    for (LDAPMessage *e =
             r == OK && code == LDAP_SUCCESS ? ldap_api.ldap_first_entry(s->ldap, found) : NULL;
         e && r == OK; e = ldap_api.ldap_next_entry(s->ldap, e))
        r = take_entry(s, e, depth);
    ldap_api.ldap_msgfree(found);
    return r;
}

/* A name, or an LDAP URL with base, scope and filter; its host is the directory's own. */
static enum result follow(struct search *s, struct slice where, unsigned depth)
{
    LDAPURLDesc *url = NULL;
    struct slice text = arena_dup(s->arena, where);
    if (depth > s->recursion)
        return error_set(s->err, FAILED, "ldap: deeper than recursion_limit");
    if (!text.data)
        return error_set(s->err, FAILED, "no memory");
    if (!slice_starts_nocase(where, SLICE("ldap:")))
        return run(s, text.data, LDAP_SCOPE_BASE, "(objectClass=*)", depth);
    if (ldap_api.ldap_url_parse(text.data, &url) != 0)
        return OK; /* what names nothing leads nowhere */
    enum result r = run(s, url->lud_dn ? url->lud_dn : "",
                        url->lud_scope == LDAP_SCOPE_DEFAULT ? LDAP_SCOPE_BASE : url->lud_scope,
                        url->lud_filter ? url->lud_filter : "(objectClass=*)", depth);
    ldap_api.ldap_free_urldesc(url);
    return r;
}

static enum result filled(struct search *s, struct slice format, format_escape_fn *escape,
                          const char **ret)
{
    struct buf out;
    buf_init(&out, 8192);
    enum result r = server_expand(format, s->result->key, SLICE_NONE, escape, NULL, &out, s->err);
    struct slice text = r == OK ? arena_dup(s->arena, buf_slice(&out)) : SLICE_NONE;
    buf_release(&out);
    if (r == OK && !text.data)
        r = error_set(s->err, FAILED, "no memory");
    if (r == OK)
        *ret = text.data;
    return r;
}

static int scope_of(struct slice word)
{
    if (slice_is_nocase(word, "base"))
        return LDAP_SCOPE_BASE;
    return slice_is_nocase(word, "one") ? LDAP_SCOPE_ONELEVEL : LDAP_SCOPE_SUBTREE;
}

/* "a b:390 ldaps://c" as URIs. */
static const char *uris_of(const struct server_table *t, struct arena *a)
{
    struct slice hosts = server_value(t, "server_host", "localhost"), word;
    unsigned port = (unsigned)server_number(t, "server_port", 389);
    struct buf out;
    buf_init(&out, 4096);
    while (server_next_word(&hosts, &word)) {
        bool uri = slice_search(word, SLICE("://")) != SIZE_MAX;
        bool own_port = slice_find(word, ':') != SIZE_MAX;
        buf_printf(&out, "%s%s%.*s", buf_len(&out) ? " " : "", uri ? "" : "ldap://",
                   SLICE_ARG(word));
        if (!uri && !own_port)
            buf_printf(&out, ":%u", port);
    }
    const char *uris = buf_ok(&out) ? arena_dup(a, buf_slice(&out)).data : NULL;
    buf_release(&out);
    return uris;
}

static const char *text_or_null(const struct server_table *t, const char *name)
{
    struct slice v = server_value(t, name, "");
    return v.len ? v.data : NULL;
}

static enum result open_table(struct search *s)
{
    const struct server_table *t = s->table;
    struct ldap_server server = {
        .uris = uris_of(t, s->arena),
        .timeout_s = (unsigned)s->timeout.tv_sec,
        .start_tls = server_yes(t, "start_tls", false),
        .referrals = server_yes(t, "chase_referrals", false),
        .dereference = (int)server_number(t, "dereference", 0),
        .size_limit = (int)server_number(t, "size_limit", 0),
        .ca_file = text_or_null(t, "tls_ca_cert_file"),
        .ca_dir = text_or_null(t, "tls_ca_cert_dir"),
        .cert = text_or_null(t, "tls_cert"),
        .key = text_or_null(t, "tls_key"),
        .ciphers = text_or_null(t, "tls_cipher_suite"),
        .require_cert = server_yes(t, "tls_require_cert", false),
        .tls_told = server_value(t, "tls_require_cert", "").len > 0,
    };
    if (!server.uris)
        return error_set(s->err, FAILED, "no memory");
    enum result r = ldap_open(&server, &s->ldap, s->err);
    if (r != OK || !server_yes(t, "bind", true))
        return r;
    int code = ldap_bind_as(s->ldap, text_or_null(t, "bind_dn"), server_value(t, "bind_pw", ""));
    return code == LDAP_SUCCESS ? OK : ldap_failed(code, "bind", s->err);
}

enum result server_ask_ldap(const struct server_table *t, struct slice key, struct arena *a,
                            struct slice *ret, struct error *err)
{
    struct server_result result = {.table = t, .key = key};
    struct search s = {.table = t,
                       .arena = a,
                       .result = &result,
                       .recursion = server_number(t, "recursion_limit", 1000),
                       .err = err};
    const char *base, *filter;
    uint64_t timeout = server_number(t, "timeout", SERVER_TIMEOUT_S);
    s.timeout.tv_sec = (time_t)(timeout && timeout < SERVER_TIMEOUT_S ? timeout : SERVER_TIMEOUT_S);
    if (s.recursion > 50)
        s.recursion = 50; /* levels of the stack */
    buf_init(&result.text, SERVER_VALUE_MAX);
    take_attributes(&s);
    enum result r = filled(&s, server_value(t, "search_base", ""), ldap_escape_dn, &base);
    r = r == OK ? filled(&s, t->query, ldap_escape_filter, &filter) : r;
    bool asked = r == OK;
    r = asked ? open_table(&s) : r;
    r = r == OK ? run(&s, base, scope_of(server_value(t, "scope", "sub")), filter, 0) : r;
    if (s.ldap)
        ldap_api.ldap_unbind_ext_s(s.ldap, NULL, NULL);
    if (r == OK || result.too_many)
        return server_result_end(&result, a, ret, err);
    buf_release(&result.text);
    return !asked && r == NOT_FOUND ? NOT_FOUND : FAILED;
}
