/* key.h: the form in which keys are compared: case folded, as Postfix folds them (Unicode's folding
 * for what is valid UTF-8). */
#ifndef TABLE_KEY_H
#define TABLE_KEY_H

#include "base/arena.h"

/* The folded key in the arena; data NULL: no memory. A key that is ASCII in lower case already is
 * given back as it is. */
struct slice table_fold_key(struct slice key, struct arena *a);
/* Valid UTF-8, or ASCII. */
bool table_key_is_utf8(struct slice key);

#endif
