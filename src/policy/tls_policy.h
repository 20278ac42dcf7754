/* tls_policy.h: how much TLS a next hop must have, and what its certificate must show: the levels
 * of Postfix (TLS_README), from main.cf's settings and smtp_tls_policy_maps. Pure: no I/O but the
 * tables that it is given, no TLS.
 *
 * Who calls it: role/relay for each next hop. What is wrong in a policy is an error, never less TLS
 * than somebody meant. */
#ifndef POLICY_TLS_POLICY_H
#define POLICY_TLS_POLICY_H

#include "base/arena.h"
#include "table/table.h"

/* From the least to the most: what is above ENCRYPT wants to know the server. */
enum tls_level {
    TLS_LEVEL_NONE,
    TLS_LEVEL_MAY,
    TLS_LEVEL_ENCRYPT,
    TLS_LEVEL_FINGERPRINT,
    TLS_LEVEL_DANE,
    TLS_LEVEL_DANE_ONLY,
    TLS_LEVEL_VERIFY,
    TLS_LEVEL_SECURE
};
/* Case folded; INVALID: it is none. */
MUST_USE enum result tls_level_parse(struct slice text, enum tls_level *ret);
const char *tls_level_name(enum tls_level level); /* "dane-only" */

/* What main.cf says for all next hops; index 1: where TLS is required. */
struct tls_policy_settings {
    struct slice level; /* "": none */
    struct slice protocols[2], ciphers[2];
    struct slice_list exclude, mandatory_exclude;
    struct slice_list verify_match, secure_match, fingerprint_match;
    struct slice servername;
    struct slice insecure_mx; /* level for hosts whose MX records are not signed: may, encrypt or
                                 dane */
};

/* What holds for one next hop. The texts live in the arena or in the settings. */
struct tls_policy {
    enum tls_level level;
    struct slice protocols, ciphers; /* data NULL: the settings' of the level */
    struct slice_list exclude;       /* in place of the settings'; own_exclude: there is one */
    bool own_exclude;
    struct slice_list match; /* names, or fingerprints */
    bool system_authorities; /* the system's may vouch, whatever tls_append_default_CA says */
    struct slice servername; /* for SNI: "", "hostname", "nexthop" or a name */
    struct slice where;      /* "texthash:/etc/postfix/tls_policy:3", or "" */
    const char *ignored;     /* what of the entry has no meaning at its level, or NULL */
};

/* nexthop: as the route has it, "example.org", "[mail.example.org]:587". maps: smtp_tls_policy_maps
 * (n may be 0). INVALID: the entry or a setting is wrong; FAILED: a table can't tell now, or no
 * memory; err says what. */
MUST_USE enum result tls_policy_find(const struct tls_policy_settings *s, const struct tables *maps,
                                     struct slice nexthop, struct arena *a, struct tls_policy *ret,
                                     struct error *err);

/* Is this the value of an entry, as far as it can be told without the next hop? INVALID: err says
 * what is wrong. */
MUST_USE enum result tls_policy_check(struct slice value, struct error *err);

/* What the sender of a message says of TLS (RFC 8689). */
enum tls_demand {
    TLS_DEMAND_NONE,
    TLS_DEMAND_REQUIRED, /* REQUIRETLS: a server that is known, or none */
    TLS_DEMAND_OPTIONAL  /* TLS-Required: No: it is to arrive, whatever the domains' TLS is worth */
};
/* RFC 8689 4.2.1: raises a policy that would take any certificate to one that knows the host, by
 * the name of the MX host where DNSSEC vouches for it (mx_signed), else by the next hop's. To be
 * called when DANE and MTA-STS are settled. FAILED: no memory. */
MUST_USE enum result tls_policy_require(struct tls_policy *p, bool mx_signed, struct arena *a);
/* RFC 8689 4.1: of the level dane of main.cf, which obeys what the next hop's domain says, is left
 * what it is without. What the administrator demands (other levels, entries of the maps) stays. */
void tls_policy_relax(struct tls_policy *p);

/* Whom the names of a policy are told apart by. */
struct tls_peer_names {
    struct slice nexthop; /* without brackets and port */
    struct slice host;    /* the MX host */
};
/* "example.org" without "[ ]:587". */
struct slice tls_nexthop_name(struct slice nexthop);
/* The policy's match: names, each as it stands or ".example.org" for all below. FAILED: no
 * memory. */
MUST_USE enum result tls_policy_names(const struct tls_policy *p, const struct tls_peer_names *who,
                                      struct arena *a, struct slice_list *ret);
/* "": no SNI. */
struct slice tls_policy_servername(const struct tls_policy *p, const struct tls_peer_names *who);

/* ---- DANE (RFC 7672) ---- */

/* What is known of a host's TLSA records. */
enum tlsa_found {
    TLSA_NONE,     /* there are none, or not signed ones */
    TLSA_UNUSABLE, /* signed ones, but none that we can use */
    TLSA_USABLE
};
/* Can this record (rdata) be used for SMTP: DANE-TA(2) or DANE-EE(3) of a kind that we know? */
bool tlsa_usable(struct slice record);
/* The level that a host of a next hop at level dane or dane-only gets; others stay. mx_signed: the
 * MX records that named the host are signed (or it was named by the route). INVALID: mail must
 * wait, and why. */
MUST_USE enum result tls_policy_dane(const struct tls_policy_settings *s, struct tls_policy *p,
                                     enum tlsa_found found, bool mx_signed, struct error *err);

#endif
