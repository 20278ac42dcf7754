/* elsewhere.h: parameters of Postfix and Dovecot that are often met and not served here: so that a
 * slip in one is recognised, and the name spelt right is told apart from a name that nobody knows.
 */
#ifndef CONF_ELSEWHERE_H
#define CONF_ELSEWHERE_H

#define CONF_ELSEWHERE(X)                                                                          \
    X(biff, "postfix")                                                                             \
    X(compatibility_level, "postfix")                                                              \
    X(mailbox_command, "postfix")                                                                  \
    X(mailbox_size_limit, "postfix")                                                               \
    X(milter_default_action, "postfix")                                                            \
    X(mynetworks_style, "postfix")                                                                 \
    X(protocols, "dovecot")                                                                        \
    X(readme_directory, "postfix")                                                                 \
    X(smtpd_milters, "postfix")

#endif
