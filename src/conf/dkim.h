/* dkim.h: an item of dkim_keys. Who calls it: the loader, master (which opens the file), auth and
 * `dkim`. */
#ifndef CONF_DKIM_H
#define CONF_DKIM_H

#include "base/result.h"
#include "base/slice.h"

/* "DOMAIN:SELECTOR:/path/of/key.pem", taken apart. INVALID with the reason. */
MUST_USE enum result conf_dkim_key(struct slice item, struct slice *ret_domain,
                                   struct slice *ret_selector, struct slice *ret_path,
                                   struct error *why);
/* Domain and selector as DNS has them: letters, digits, hyphens, underscores and dots. */
bool conf_dkim_name(struct slice name);

#endif
