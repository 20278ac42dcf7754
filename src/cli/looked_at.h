/* looked_at.h: what `config check` looks at beyond the settings themselves: whether the server
 * could use what they name. */
#ifndef CLI_LOOKED_AT_H
#define CLI_LOOKED_AT_H

#include "cli/cli.h"

struct conf_errors;

/* Files of lookup tables that are not there and lines of users_file that are no accounts: warnings.
 * Certificates that can't be used, or that another key belongs to: errors. */
void cli_look_at_files(const struct cli *c, struct conf_errors *errors);
/* All of it: that, and whatever the server would refuse to start on. INVALID: `errors` has errors.
 */
MUST_USE enum result cli_look(const struct cli *c, struct conf_errors *errors);

#endif
