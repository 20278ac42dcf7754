/* elsewhere.h: parameters of Postfix and Dovecot that are often met and not served here: so that a
 * slip in one is recognised, and the name spelt right is told apart from a name that nobody knows.
 */
#ifndef CONF_ELSEWHERE_H
#define CONF_ELSEWHERE_H

#define CONF_ELSEWHERE(X)                                                                          \
    X(append_dot_mydomain, "postfix")                                                              \
    X(always_bcc, "postfix")                                                                       \
    X(biff, "postfix")                                                                             \
    X(body_checks, "postfix")                                                                      \
    X(canonical_maps, "postfix")                                                                   \
    X(compatibility_level, "postfix")                                                              \
    X(default_transport, "postfix")                                                                \
    X(header_checks, "postfix")                                                                    \
    X(inet_interfaces, "postfix")                                                                  \
    X(local_recipient_maps, "postfix")                                                             \
    X(mailbox_command, "postfix")                                                                  \
    X(mailbox_size_limit, "postfix")                                                               \
    X(mailbox_transport, "postfix")                                                                \
    X(milter_default_action, "postfix")                                                            \
    X(mynetworks_style, "postfix")                                                                 \
    X(protocols, "dovecot")                                                                        \
    X(readme_directory, "postfix")                                                                 \
    X(relay_domains, "postfix")                                                                    \
    X(sender_canonical_maps, "postfix")                                                            \
    X(smtp_sasl_auth_enable, "postfix")                                                            \
    X(smtp_sasl_security_options, "postfix")                                                       \
    X(smtp_tls_CAfile, "postfix")                                                                  \
    X(smtpd_milters, "postfix")                                                                    \
    X(smtpd_sasl_local_domain, "postfix")                                                          \
    X(smtpd_sasl_path, "postfix")                                                                  \
    X(smtpd_sasl_type, "postfix")                                                                  \
    X(transport_maps, "postfix")                                                                   \
    X(virtual_alias_domains, "postfix")                                                            \
    X(virtual_alias_maps, "postfix")                                                               \
    X(virtual_mailbox_domains, "postfix")                                                          \
    X(virtual_mailbox_maps, "postfix")                                                             \
    X(virtual_transport, "postfix")

#endif
