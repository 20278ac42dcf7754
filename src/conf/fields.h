/* fields.h: an item of a MAPS setting that is a record: "{driver=passwd-file, path=/etc/users,
 * scheme={CRYPT}}". Who calls it: readers of passdb, userdb, namespace and mailbox, and the readers
 * of the old stack's files, which write such items. */
#ifndef CONF_FIELDS_H
#define CONF_FIELDS_H

#include "base/buf.h"

/* Cuts the next "key=value" off *rest, which begins as the item (its outer braces are dropped at
 * the first call). A value in braces is given without them. A word without "=" has the value "yes".
 * False: there is none left. */
bool conf_field_next(struct slice *rest, struct slice *ret_key, struct slice *ret_value);

/* The value of a key in the item (the last one counts); data NULL: not there. */
struct slice conf_field(struct slice item, const char *key);

/* INVALID with the reason when the item's form is wrong, or a key is none of the words (NULL ends
 * them). */
MUST_USE enum result conf_fields_check(struct slice item, const char *const *words,
                                       struct error *why);

/* Appends "key=value" to an item under way (", " between two); in braces where the value needs
 * them. INVALID: it can't be carried: a line break, or braces that don't match. */
MUST_USE enum result conf_field_put(struct buf *item, const char *key, struct slice value);

#endif
