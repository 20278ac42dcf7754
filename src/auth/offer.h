/* offer.h: which SASL mechanisms are offered to whom: by auth_mechanisms and mech_list, by what the
 * connection is (TLS or not), by smtpd_sasl_security_options, and only what the stored secrets
 * allow in principle: PAM and saslauthd can verify a password, but not tell one. edge announces by
 * it, and auth refuses by it. */
#ifndef AUTH_OFFER_H
#define AUTH_OFFER_H

#include "conf/conf.h"
#include "sasl/sasl.h"

enum offer_link {
    OFFER_CLEAR,       /* no TLS, from a stranger */
    OFFER_LOCAL,       /* no TLS, from this host */
    OFFER_TLS,         /* under TLS */
    OFFER_CERTIFICATE, /* under TLS, with a verified client certificate */
    OFFER_LINKS
};

/* Do security options (noplaintext, noanonymous …) allow the mechanism? */
bool offer_options_allow(const struct slice_list *options, const struct sasl_mechanism *m);
/* smtp: the rules for SMTP (mech_list, smtpd_sasl_*) hold, else those for POP3 and IMAP. */
bool offer_has(const struct conf *c, bool smtp, enum offer_link link,
               const struct sasl_mechanism *m);
/* Is any -PLUS mechanism offered there? */
bool offer_has_bound(const struct conf *c, bool smtp, enum offer_link link);
/* Appends "PLAIN LOGIN": what is offered, in the order of the setting. */
void offer_list(const struct conf *c, bool smtp, enum offer_link link, struct buf *out);

#endif
