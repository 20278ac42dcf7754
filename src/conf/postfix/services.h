/* services.h: what the files share that read master.cf's services.
 *
 *   services.c     listeners, settings of a service alone, daemons
 *   screen.c       postscreen
 *   cleanup.c      what a cleanup service's settings hold for; pickup
 *   transports.c   the clients: smtp, lmtp, pipe; what main.cf says of one transport */
#ifndef CONF_POSTFIX_SERVICES_H
#define CONF_POSTFIX_SERVICES_H

#include "conf/postfix/interfaces.h"
#include "conf/postfix/master_cf.h"
#include "conf/scope.h"

struct services {
    struct conf_scope *scope;
    struct conf_reading *reading;
    const char *file;
    struct slice hosts[INTERFACES_MAX]; /* what inet_interfaces stands for; "" all */
    size_t n_hosts;
    struct buf listen, transports, pipes;
    unsigned listen_line, transports_line, pipes_line; /* the first that is in them */
    enum result result;
};

/* Takes the options; returns the index of the first word behind them. */
size_t services_take_options(struct services *s, const struct master_service *m,
                             struct slice service);
/* A setting of one service, as -o has it. */
void services_assign(struct services *s, struct slice name, struct slice value,
                     struct slice service, unsigned line);
/* A parameter's value as it is for all; "" where it can't be told. */
struct slice services_value(struct services *s, const char *name);

/* screen.c: may plain SMTP take the place of this postscreen? An error where it kept clients out.
 */
void services_check_screen(struct services *s, const struct master_service *m);

/* cleanup.c: is it a parameter of cleanup(8), and one that a service may have? */
bool services_is_cleanups(struct slice name);
/* One that smtpd reads only to know which recipients there are? */
bool services_knows_recipients(struct slice name);
/* A listener's (m) mail, whose settings are those of `service`, gets those of the cleanup service
 * that it names, behind its own options. */
void services_take_cleanup(struct services *s, const struct master_service *m,
                           const struct master_services *all, struct slice service);
/* Warns of what a cleanup service can't have alone. */
void services_report_cleanup(struct services *s, const struct master_service *m);
void services_take_pickup(struct services *s, const struct master_service *m,
                          const struct master_services *all);

void services_put_transport(struct services *s, const struct master_service *m, const char *kind);
void services_take_client(struct services *s, const struct master_service *m);
/* Does the path name Dovecot's program that brings mail to mailboxes, which are ours now? */
bool services_is_dovecots(struct slice program);
void services_take_pipe(struct services *s, const struct master_service *m);
/* maildrop_destination_recipient_limit and its like become settings of the transport's service. */
void services_take_limits(struct services *s);

#endif
