/* cli.h: the command line of postrider: everything but `serve`. Commands that need the running
 * server ask it over the control socket in state_directory; the others work on files. Exit status:
 * 0 done, 1 not done (the reason is on stderr), 2 the words are wrong. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "conf/conf.h"

struct cli {
    const char *program, *config_path;
    bool config_given, files_given; /* -c; --postfix, --dovecot or --sasl: what is said counts */
    struct conf_origin origin;      /* its path is config_path */
    const struct conf *conf;        /* loaded before a command that needs it */
};

/* words: the command and what follows. */
int cli_run(struct cli *c, char **words, int n);

/* Loads the configuration, while the server runs the one that it was started with (running.h), or
 * prints every error; 0 or 1. */
int cli_load(struct cli *c);
/* The same; warnings and notes are in `errors` (initialised by the caller). */
int cli_load_told(struct cli *c, struct conf_errors *errors);
/* Prints "postrider: ..." on stderr and returns the status. */
int cli_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

typedef int cli_command_fn(struct cli *c, char **words, int n);
/* The control socket of the running server; -1: not there, and why was printed. */
int cli_connect(const char *state_directory);

cli_command_fn cli_config, cli_user, cli_remote, cli_reload, cli_import, cli_dkim;

/* config route (route.c). False: these are not its words. */
struct route_words {
    const char *address, *sender;
    bool json;
};
bool cli_route_words(char **words, int n, struct route_words *ret);
int cli_route(struct cli *c, const struct route_words *words);

/* Appends a setting's value with **** for the passwords in it (hidden.c), as it may be shown. */
void cli_put_hidden(struct buf *out, struct slice value);

/* postrider.conf(5) from the settings table, as roff. */
void cli_manual(struct buf *out);

#endif
