/* lookup_ldap.c: one search in an LDAP directory, or the proof of a password by binding as its user
 * (RFC 4511, RFC 4515). */
#include "auth/ldap_client.h"
#include "auth/lookup.h"

#include <sys/time.h>

enum { ATTRS_MAX = 32 };

static const char *fill(struct slice format, const struct format_names *n, format_escape_fn *escape,
                        struct arena *a, struct error *err)
{
    struct buf out;
    buf_init(&out, 8192);
    enum result r = format_put(format, n, escape, NULL, &out, err);
    struct slice text = r == OK ? arena_dup(a, buf_slice(&out)) : SLICE_NONE;
    buf_release(&out);
    return text.data;
}

static enum result open_ldap(const struct lookup_config *c, struct arena *a, LDAP **ret,
                             struct error *err)
{
    struct slice uris = arena_dup(a, c->uris);
    struct ldap_server s = {.uris = uris.data, .timeout_s = LOOKUP_TIMEOUT_S, .start_tls = c->tls};
    return uris.data ? ldap_open(&s, ret, err) : error_set(err, FAILED, "no memory");
}

/* "uid=user, userPassword=password": theirs and ours. A name alone is both. */
static size_t split_attrs(struct slice text, struct arena *a, char *theirs[ATTRS_MAX + 1],
                          struct slice ours[ATTRS_MAX])
{
    size_t n = 0;
    while (text.data && n < ATTRS_MAX) {
        struct slice to = slice_trim(slice_split(&text, ','));
        struct slice from = slice_split(&to, '=');
        if (from.len == 0)
            continue;
        theirs[n] = (char *)arena_dup(a, from).data;
        ours[n] = to.data ? to : from;
        n += theirs[n] != NULL;
    }
    theirs[n] = NULL;
    return n;
}

static void take_entry(LDAP *l, LDAPMessage *entry, char **theirs, const struct slice *ours,
                       size_t n, struct arena *a, struct lookup_row *ret)
{
    for (size_t i = 0; i < n; i++) {
        struct berval **values = ldap_api.ldap_get_values_len(l, entry, theirs[i]);
        if (values && values[0])
            lookup_add(ret, a, ours[i], slice_of(values[0]->bv_val, values[0]->bv_len));
        ldap_api.ldap_value_free_len(values);
    }
}

static int scope_of(struct slice word)
{
    if (slice_is(word, "base"))
        return LDAP_SCOPE_BASE;
    return slice_is(word, "onelevel") ? LDAP_SCOPE_ONELEVEL : LDAP_SCOPE_SUBTREE;
}

/* The one entry that the filter finds; *ret_dn is in the arena. */
static enum result search(LDAP *l, const struct lookup_config *c, const struct format_names *n,
                          bool user, struct arena *a, struct lookup_row *ret, const char **ret_dn,
                          struct error *err)
{
    char *theirs[ATTRS_MAX + 1];
    struct slice ours[ATTRS_MAX];
    struct timeval timeout = {.tv_sec = LOOKUP_TIMEOUT_S};
    LDAPMessage *found = NULL;
    const char *base = fill(c->base, n, ldap_escape_dn, a, err);
    const char *filter =
        fill(user ? c->user_query : c->password_query, n, ldap_escape_filter, a, err);
    size_t attrs = split_attrs(user ? c->user_attrs : c->password_attrs, a, theirs, ours);
    if (!base || !filter)
        return FAILED;
    int code = ldap_api.ldap_search_ext_s(l, base, scope_of(c->scope), filter, theirs, 0, NULL,
                                          NULL, &timeout, 2, &found);
    int entries = code == LDAP_SUCCESS ? ldap_api.ldap_count_entries(l, found) : 0;
    enum result r = entries ? OK : NOT_FOUND;
    if (code == LDAP_SIZELIMIT_EXCEEDED || entries > 1)
        r = error_set(err, DENIED, "ldap: the filter finds more than one entry");
    else if (code != LDAP_SUCCESS && code != LDAP_NO_SUCH_OBJECT)
        (void)ldap_failed(code, "search", err), r = FAILED;
    if (r == OK) {
        LDAPMessage *entry = ldap_api.ldap_first_entry(l, found);
        char *dn = ldap_api.ldap_get_dn(l, entry);
        *ret_dn = dn ? arena_dup(a, slice_cstr(dn)).data : NULL;
        ldap_api.ldap_memfree(dn);
        take_entry(l, entry, theirs, ours, attrs, a, ret);
    }
    ldap_api.ldap_msgfree(found);
    return r;
}

/* An empty password would be an anonymous bind, which always succeeds (RFC 4513 5.1.2). */
static enum result prove(LDAP *l, const char *dn, struct slice password, struct error *err)
{
    if (!dn || password.len == 0)
        return error_set(err, DENIED, "ldap: no name or password to bind with");
    int code = ldap_bind_as(l, dn, password);
    if (code == LDAP_SUCCESS)
        return OK;
    bool wrong = code == LDAP_INVALID_CREDENTIALS || code == LDAP_NO_SUCH_OBJECT ||
                 code == LDAP_UNWILLING_TO_PERFORM || code == LDAP_INVALID_DN_SYNTAX;
    (void)ldap_failed(code, "bind", err);
    return wrong ? DENIED : FAILED;
}

enum result lookup_ldap(const struct lookup_config *c, const struct format_names *n, bool user,
                        struct arena *a, struct lookup_row *ret, struct error *err)
{
    LDAP *l = NULL;
    const char *dn = NULL;
    bool proof = c->bind && !user && n->password.data;
    enum result r = open_ldap(c, a, &l, err);
    if (r != OK)
        return r;
    struct slice own_dn = arena_dup(a, c->dn);
    if (proof && c->bind_userdn.len) {
        dn = fill(c->bind_userdn, n, ldap_escape_dn, a, err);
        r = dn ? OK : FAILED;
    } else {
        int code = ldap_bind_as(l, c->dn.len ? own_dn.data : NULL, c->dnpass);
        r = code == LDAP_SUCCESS ? search(l, c, n, user, a, ret, &dn, err)
                                 : ldap_failed(code, "bind", err);
    }
    if (r == OK && proof)
        r = prove(l, dn, n->password, err);
    ldap_api.ldap_unbind_ext_s(l, NULL, NULL);
    return r;
}
