/* drop.h: taking records out of one of the store's tables by what they say. Who calls it: sts.c and
 * tls_counts.c, for what is over. */
#ifndef ROLE_MAILBOX_DROP_H
#define ROLE_MAILBOX_DROP_H

#include "kv/kv.h"

/* Deletes the records of the prefix for which `drops` is true, a thousand a commit, and waits for
 * the commits. OK: *ret_left records are left; else some may be gone, and it is untouched. */
MUST_USE enum result drop_records(struct kv *kv, struct slice prefix,
                                  bool (*drops)(void *arg, struct slice key, struct slice value),
                                  void *arg, size_t *ret_left);

#endif
