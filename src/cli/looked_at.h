/* looked_at.h: what `config check` looks at beyond the settings themselves: whether the server
 * could use what they name. */
#ifndef CLI_LOOKED_AT_H
#define CLI_LOOKED_AT_H

#include "cli/cli.h"

struct conf_errors;

/* All that the server would refuse to start on, and certificates that can't be used or that another
 * key belongs to: errors. Files of tables that are not there, and what is wrong inside the files
 * (check_tables.h): warnings. INVALID: `errors` has errors. */
MUST_USE enum result cli_look(const struct cli *c, struct conf_errors *errors);

#endif
