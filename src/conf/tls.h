/* tls.h: the texts of the TLS settings: lists of protocol versions, and what values are taken. Who
 * calls it: the settings' check (value.c), and the roles that make TLS contexts of them. */
#ifndef CONF_TLS_H
#define CONF_TLS_H

#include "base/result.h"
#include "base/slice.h"

/* Versions as bits. */
enum { CONF_TLS_1_0 = 1, CONF_TLS_1_1 = 2, CONF_TLS_1_2 = 4, CONF_TLS_1_3 = 8, CONF_TLS_ALL = 15 };

/* Postfix's list (postconf(5) smtpd_tls_protocols): ">=TLSv1.2, <=TLSv1.3", "!SSLv2 !SSLv3",
 * "TLSv1.2:TLSv1.3"; empty: all. INVALID with the reason: an unknown name, or none is left. */
MUST_USE enum result conf_tls_protocols(struct slice text, unsigned *ret_versions,
                                        struct error *why);
/* Dovecot's ssl_min_protocol: "TLSv1.2", "ANY", "LATEST". */
MUST_USE enum result conf_tls_least(struct slice text, unsigned *ret_versions, struct error *why);

/* tls_check.c: is the value (or one of a list) of a setting of TLS fine? OK for other settings.
 * Whether OpenSSL knows a cipher is seen when it is used. */
MUST_USE enum result conf_tls_check(const char *name, struct slice text, struct error *why);

#endif
