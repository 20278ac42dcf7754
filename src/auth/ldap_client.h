/* ldap_client.h: libldap, loaded when it is needed, and what both grammars of LDAP lookups do
 * alike: Dovecot's (lookup_ldap.c) and Postfix's tables (server_ldap.c). Who calls it: as sql.h. */
#ifndef AUTH_LDAP_CLIENT_H
#define AUTH_LDAP_CLIENT_H

#include "auth/library.h"
#include "base/buf.h"

#include <ldap.h>

#define LDAP_FUNCTIONS(F)                                                                          \
    F(ber_free)                                                                                    \
    F(ldap_first_attribute)                                                                        \
    F(ldap_next_attribute)                                                                         \
    F(ldap_count_entries)                                                                          \
    F(ldap_err2string)                                                                             \
    F(ldap_first_entry)                                                                            \
    F(ldap_free_urldesc)                                                                           \
    F(ldap_get_dn)                                                                                 \
    F(ldap_get_values_len)                                                                         \
    F(ldap_initialize)                                                                             \
    F(ldap_memfree)                                                                                \
    F(ldap_msgfree)                                                                                \
    F(ldap_next_entry)                                                                             \
    F(ldap_sasl_bind_s)                                                                            \
    F(ldap_search_ext_s)                                                                           \
    F(ldap_set_option)                                                                             \
    F(ldap_start_tls_s)                                                                            \
    F(ldap_unbind_ext_s)                                                                           \
    F(ldap_url_parse)                                                                              \
    F(ldap_value_free_len)

struct ldap_api {
    LDAP_FUNCTIONS(LIBRARY_POINTER)
};
extern struct ldap_api ldap_api;

struct ldap_server {
    const char *uris;
    unsigned timeout_s;
    bool start_tls, referrals;
    int dereference, size_limit; /* LDAP_DEREF_…; 0: no limit */
    /* TLS: NULL where the library's own settings count. */
    const char *ca_file, *ca_dir, *cert, *key, *ciphers;
    bool require_cert, tls_told; /* tls_told: require_cert counts */
};

/* Loads the library, makes the session; nothing is connected before the first request, but for
 * StartTLS. End with ldap_api.ldap_unbind_ext_s. FAILED. */
MUST_USE enum result ldap_open(const struct ldap_server *s, LDAP **ret, struct error *err);
/* An LDAP code. dn NULL: anonymous. */
MUST_USE int ldap_bind_as(LDAP *l, const char *dn, struct slice password);
/* CLOSED where the server could not be reached, else FAILED. */
enum result ldap_failed(int code, const char *what, struct error *err);

/* RFC 4515 3 and RFC 4514 2.4: what a value may not hold in a filter, in a name. format_escape_fn.
 */
void ldap_escape_filter(void *arg, struct slice value, struct buf *out);
void ldap_escape_dn(void *arg, struct slice value, struct buf *out);

#endif
