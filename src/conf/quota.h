/* quota.h: Dovecot's quota rules, "MAILBOX:storage=1G:messages=1000": "*" is every account's limit;
 * a named mailbox gets more (+), or does not count (ignore). Who calls it: the check of quota_rule,
 * the reader of dovecot.conf, and role/mailbox, which enforces them.
 * doc.dovecot.org: "quota rules". */
#ifndef CONF_QUOTA_H
#define CONF_QUOTA_H

#include "base/slice.h"

enum { CONF_QUOTA_RULES_MAX = 32 }; /* of one account */

struct conf_quota_amount {
    bool set, percent, negative;
    uint64_t n; /* bytes, messages, or percent of the account's own limit */
};
struct conf_quota_rule {
    struct slice mailbox; /* "*", or a name where * may stand at the end */
    bool ignore;          /* what is in it does not count */
    struct conf_quota_amount bytes, messages;
};

/* "{…}" around it is allowed; slices of the text. INVALID with the reason. */
MUST_USE enum result conf_quota_rule_parse(struct slice text, struct conf_quota_rule *ret,
                                           struct error *why);
/* "10%" (or "10%%"), or a size. */
MUST_USE enum result conf_quota_amount_parse(struct slice text, uint64_t unit,
                                             struct conf_quota_amount *ret, struct error *why);
/* The amount where the account's own limit is `of` (UINT64_MAX: none). */
uint64_t conf_quota_amount_of(const struct conf_quota_amount *a, uint64_t of);
/* Is the rule for that mailbox (of the store: '/' between levels)? */
bool conf_quota_rule_fits(const struct conf_quota_rule *r, struct slice mailbox);

/* Checks of settings. */
MUST_USE enum result conf_check_quota_rule(struct slice text, struct error *why);
MUST_USE enum result conf_check_quota_grace(struct slice text, struct error *why);

#endif
