/* param.h: the parameters of MAIL and RCPT (RFC 5321 4.1.2: esmtp-param), taken apart and checked
 * for the values that SIZE, BODY, DSN and AUTH may have. */
#ifndef PROTO_SMTP_PARAM_H
#define PROTO_SMTP_PARAM_H

#include "base/cursor.h"

struct smtp_param {
    struct slice keyword, value;
    bool has_value;
};

/* Takes the next parameter with the white space before it; false at the end. Fails the cursor when
 * it has no parameter's form. */
bool smtp_param_next(struct cursor *c, struct smtp_param *ret);

/* The reply to a parameter that is not served; its text belongs behind it. */
extern const char smtp_unsupported[];
/* The parameter as it was written. */
struct slice smtp_param_text(const struct smtp_param *p);

/* xtext (RFC 3461 4) of at most max octets. */
bool smtp_xtext_valid(struct slice s, size_t max);
/* NOTIFY=: NEVER, or a list of SUCCESS, FAILURE, DELAY (RFC 3461 4.1). */
bool smtp_notify_valid(struct slice s);
/* ORCPT=: addr-type ";" xtext (RFC 3461 4.2), or with utf-8-addr-xtext (RFC 6533). */
bool smtp_orcpt_valid(struct slice s);

#endif
