/* running.h: the configuration files of the running server. It may have been started with others
 * than postrider.conf says (serve -c, --postfix, --dovecot, --sasl); commands that name none use
 * the same. */
#ifndef CLI_RUNNING_H
#define CLI_RUNNING_H

#include "cli/cli.h"

/* Sets config_path and origin to what the master wrote down in state_directory (conf/origin.h),
 * while it runs; else nothing changes. Only root's word counts, or that of who calls: nobody else
 * can make root's commands read other files. Called before the configuration is loaded. */
void cli_use_running(struct cli *c);

#endif
