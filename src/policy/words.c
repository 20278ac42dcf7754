/* words.c: the restrictions of postconf(5), by name. */
#include "policy/machine.h"

#define VERIFY                                                                                     \
    "address verification (verify(8)) is not served: use reject_unlisted_recipient or "            \
    "reject_unlisted_sender"

/* clang-format off */
static const struct word words[] = {
    {"permit", rule_permit, ARG_NONE, 0, NULL},
    {"reject", rule_reject, ARG_NONE, 0, NULL},
    {"defer", rule_defer, ARG_NONE, 0, NULL},
    {"defer_if_permit", rule_defer_if_permit, ARG_NONE, 0, NULL},
    {"defer_if_reject", rule_defer_if_reject, ARG_NONE, 0, NULL},
    {"warn_if_reject", rule_warn_if_reject, ARG_NONE, 0, NULL},
    {"sleep", rule_sleep, ARG_SECONDS, 0, NULL},
    {"reject_plaintext_session", rule_plaintext_session, ARG_NONE, 0, NULL},
    {"reject_unauth_pipelining", rule_pipelining, ARG_NONE, 0, NULL},

    {"permit_mynetworks", rule_permit_mynetworks, ARG_NONE, 0, NULL},
    {"permit_inet_interfaces", rule_permit_interfaces, ARG_NONE, 0, NULL},
    {"permit_sasl_authenticated", rule_permit_sasl, ARG_NONE, 0, NULL},
    {"permit_tls_clientcerts", rule_permit_certs, ARG_NONE, 0, NULL},
    {"permit_tls_all_clientcerts", rule_permit_certs, ARG_NONE, 1, NULL},
    {"reject_unknown_client_hostname", rule_unknown_client, ARG_NONE, 0, NULL},
    {"reject_unknown_client", rule_unknown_client, ARG_NONE, 0, NULL},
    {"reject_unknown_reverse_client_hostname", rule_unknown_reverse, ARG_NONE, 0, NULL},

    {"reject_invalid_helo_hostname", rule_helo_form, ARG_NONE, HELO_INVALID, NULL},
    {"reject_invalid_hostname", rule_helo_form, ARG_NONE, HELO_INVALID, NULL},
    {"reject_non_fqdn_helo_hostname", rule_helo_form, ARG_NONE, HELO_FQDN, NULL},
    {"reject_non_fqdn_hostname", rule_helo_form, ARG_NONE, HELO_FQDN, NULL},
    {"reject_unknown_helo_hostname", rule_unknown_helo, ARG_NONE, 0, NULL},
    {"reject_unknown_hostname", rule_unknown_helo, ARG_NONE, 0, NULL},

    {"reject_non_fqdn_sender", rule_address_form, ARG_NONE, OF_SENDER, NULL},
    {"reject_non_fqdn_recipient", rule_address_form, ARG_NONE, OF_RCPT, NULL},
    {"reject_unknown_sender_domain", rule_unknown_domain, ARG_NONE, OF_SENDER, NULL},
    {"reject_unknown_address", rule_unknown_domain, ARG_NONE, OF_SENDER, NULL},
    {"reject_unknown_recipient_domain", rule_unknown_domain, ARG_NONE, OF_RCPT, NULL},
    {"reject_unlisted_sender", rule_unlisted, ARG_NONE, OF_SENDER, NULL},
    {"reject_unlisted_recipient", rule_unlisted, ARG_NONE, OF_RCPT, NULL},
    {"check_recipient_maps", rule_unlisted, ARG_NONE, OF_RCPT, NULL},
    {"reject_sender_login_mismatch", rule_sender_login, ARG_NONE, LOGIN_LOGGED_IN | LOGIN_NOT, NULL},
    {"reject_authenticated_sender_login_mismatch", rule_sender_login, ARG_NONE, LOGIN_LOGGED_IN, NULL},
    {"reject_unauthenticated_sender_login_mismatch", rule_sender_login, ARG_NONE, LOGIN_NOT, NULL},
    {"reject_known_sender_login_mismatch", rule_sender_login, ARG_NONE, LOGIN_LOGGED_IN | LOGIN_NOT | LOGIN_KNOWN, NULL},
    {"reject_multi_recipient_bounce", rule_multi_bounce, ARG_NONE, 0, NULL},

    {"permit_auth_destination", rule_auth_destination, ARG_NONE, DESTINATION_PERMIT, NULL},
    {"reject_unauth_destination", rule_auth_destination, ARG_NONE, DESTINATION_REJECT, NULL},
    {"defer_unauth_destination", rule_auth_destination, ARG_NONE, DESTINATION_DEFER, NULL},
    {"permit_mx_backup", rule_mx_backup, ARG_NONE, 0, NULL},

    {"check_client_access", rule_client_access, ARG_TABLE, 0, NULL},
    {"check_reverse_client_hostname_access", rule_reverse_access, ARG_TABLE, 0, NULL},
    {"check_helo_access", rule_helo_access, ARG_TABLE, 0, NULL},
    {"check_sender_access", rule_sender_access, ARG_TABLE, 0, NULL},
    {"check_recipient_access", rule_rcpt_access, ARG_TABLE, 0, NULL},
    {"check_etrn_access", rule_etrn_access, ARG_TABLE, 0, NULL},
    {"check_sasl_access", rule_sasl_access, ARG_TABLE, 0, NULL},
    {"check_ccert_access", rule_cert_access, ARG_CERT_TABLE, 0, NULL},
#define SERVERS(what, of) \
    {"check_" what "_a_access", rule_server_access, ARG_TABLE, of << 8 | POLICY_DNS_A, NULL}, \
    {"check_" what "_mx_access", rule_server_access, ARG_TABLE, of << 8 | POLICY_DNS_MX, NULL}, \
    {"check_" what "_ns_access", rule_server_access, ARG_TABLE, of << 8 | POLICY_DNS_NS, NULL},
    SERVERS("client", OF_CLIENT)
    SERVERS("reverse_client_hostname", OF_REVERSE)
    SERVERS("helo", OF_HELO)
    SERVERS("sender", OF_SENDER)
    SERVERS("recipient", OF_RCPT)

    {"reject_rbl_client", rule_rbl_client, ARG_DNSBL, LIST_BLOCKS, NULL},
    {"reject_rbl", rule_rbl_client, ARG_DNSBL, LIST_BLOCKS, NULL},
    {"permit_dnswl_client", rule_rbl_client, ARG_DNSBL, LIST_PERMITS, NULL},
    {"reject_rhsbl_client", rule_rhsbl, ARG_DNSBL, OF_CLIENT, NULL},
    {"permit_rhswl_client", rule_rhsbl, ARG_DNSBL, OF_CLIENT | LIST_PERMITS, NULL},
    {"reject_rhsbl_reverse_client", rule_rhsbl, ARG_DNSBL, OF_REVERSE, NULL},
    {"reject_rhsbl_helo", rule_rhsbl, ARG_DNSBL, OF_HELO, NULL},
    {"reject_rhsbl_sender", rule_rhsbl, ARG_DNSBL, OF_SENDER, NULL},
    {"reject_rhsbl_recipient", rule_rhsbl, ARG_DNSBL, OF_RCPT, NULL},

    /* Known, and not served: an error, since without them more would be let in. */
    {"check_policy_service", NULL, ARG_TABLE, 0, "policy services are not served yet"},
    {"reject_unverified_sender", NULL, ARG_NONE, 0, VERIFY},
    {"reject_unverified_recipient", NULL, ARG_NONE, 0, VERIFY},
    {"reject_maps_rbl", NULL, ARG_NONE, 0, "obsolete: use reject_rbl_client with the list's domain"},
    {"check_relay_domains", NULL, ARG_NONE, 0, "obsolete: use reject_unauth_destination"},
    {"permit_naked_ip_address", NULL, ARG_NONE, 0, "obsolete: use permit_mynetworks or permit_sasl_authenticated"},
    {"check_address_map", NULL, ARG_TABLE, 0, "it belongs into local_header_rewrite_clients"},
};
/* clang-format on */

const struct word *word_find(struct slice name)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_is_nocase(name, words[i].name))
            return &words[i];
    return NULL;
}

/* Letters that one must change, add or leave out to make a of b; stops at what is too far. */
static unsigned distance(struct slice a, const char *b)
{
    enum { LONG = 64 };
    unsigned row[LONG + 1];
    size_t n = strlen(b);
    if (n > LONG || a.len > LONG)
        return LONG;
    for (size_t j = 0; j <= n; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned corner = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= n; j++) {
            unsigned best = corner + (ascii_lower(a.data[i - 1]) != b[j - 1]);
            corner = row[j];
            if (corner + 1 < best)
                best = corner + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[n];
}

const char *word_suggest(struct slice name)
{
    const char *best = NULL;
    unsigned least = (unsigned)(name.len / 4 + 1);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        unsigned d = distance(name, words[i].name);
        if (d <= least && words[i].run) {
            least = d ? d - 1 : 0;
            best = words[i].name;
        }
    }
    return best;
}
