/* fake_store.h: kv and store in memory, for tests of what stands on them. Commits wait until
 * fake_commit, so that a test decides what is durable when; fake_auto commits at once. */
#ifndef TEST_FAKE_STORE_H
#define TEST_FAKE_STORE_H

#include "store/store.h"

struct store *fake_store_new(bool auto_commit);
void fake_store_free(struct store *s);
/* Applies what was submitted and calls `done`. */
void fake_commit(struct store *s);
/* Everything that is not durable is lost, as in a crash; `done`s are not called. */
void fake_crash(struct store *s);
/* A message's bytes for message_read. */
void fake_message(struct store *s, uint64_t id, struct slice bytes);
/* How many messages the queue has released. */
unsigned fake_released(const struct store *s);
/* Keys that begin with the prefix. */
size_t fake_count(const struct store *s, const char *prefix);
/* Entries that iterators have walked over so far. */
size_t fake_walked(const struct store *s);
/* The next n submits fail. */
void fake_fail(struct store *s, unsigned n, enum result r);
void fake_put(struct store *s, struct slice key, struct slice value);

#endif
