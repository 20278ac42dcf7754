/* tls_counts.h: how mail that leaves went under TLS, for the reports of RFC 8460 (docs/formats/
 * tlsrpt.md). What relay tells is gathered in memory, and written once a minute. */
#ifndef ROLE_MAILBOX_TLS_COUNTS_H
#define ROLE_MAILBOX_TLS_COUNTS_H

#include "proto/tlsrpt/tlsrpt.h"
#include "role/mailbox/mailbox.h"

#define TLS_COUNTS_PREFIX "pr"

MUST_USE enum result tls_counts_new(struct mailbox_role *m, struct tls_counts **ret);
void tls_counts_free(struct tls_counts *t); /* NULL is fine */
/* TLS_RESULT, of relay alone. */
void tls_counts_take(struct tls_counts *t, struct ipc_channel *from, struct ipc_message *msg);
/* Writes what has gathered; waits for its commit. */
void tls_counts_write(struct tls_counts *t);
/* Every row that is written, in the order of their keys, until `each` returns false. */
MUST_USE enum result tls_counts_each(struct mailbox_role *m,
                                     bool (*each)(void *arg, const struct tlsrpt_row *r),
                                     void *arg);
/* Deletes the rows of the domain and day, or (domain "") all of days before `day`. Waits. */
MUST_USE enum result tls_counts_drop(struct mailbox_role *m, struct slice domain, uint32_t day);
uint32_t tls_counts_today(void);

#endif
