/* tls_report.h: the reports of RFC 8460: once a day, what has been counted for a domain goes to
 * whom it names in DNS, as a message or over HTTPS. Everything here waits: for helper threads. */
#ifndef ROLE_MAILBOX_TLS_REPORT_H
#define ROLE_MAILBOX_TLS_REPORT_H

#include "role/mailbox/mailbox.h"

/* One report, or why there is none; text: "mailto:a@b: queued". */
typedef void tls_report_told_fn(void *arg, struct slice domain, uint32_t day, const char *text);

/* Reports what is counted: of one domain, or (domain "") of at most `most` of them; of days before
 * `before`. Those up to *at are passed over, and *at is moved on; it is empty at the end. What was
 * reported, or nobody wants, is no longer counted; what failed stays. */
MUST_USE enum result tls_report_send(struct mailbox_role *m, struct slice domain, uint32_t before,
                                     size_t most, struct buf *at, tls_report_told_fn *told,
                                     void *arg);

#endif
