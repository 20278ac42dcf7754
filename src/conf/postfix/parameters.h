/* parameters.h: every parameter of Postfix 3.7's main.cf: its default, and what it means that
 * Postrider does not serve it (where conf/settings.h has no row of that name). */
#ifndef CONF_POSTFIX_PARAMETERS_H
#define CONF_POSTFIX_PARAMETERS_H

#include "base/slice.h"

enum postfix_class {
    READ,     /* the readers take it, or a setting has its name */
    INNER,    /* of Postfix's own processes and files; there is nothing here that it would set */
    UNSERVED, /* means something to mail or its users that does not happen here */
    GUARD,    /* keeps something out, or in: to ignore it would weaken security */
    OBSOLETE  /* has a successor, or does nothing in Postfix either */
};

struct postfix_parameter {
    const char *name, *fallback; /* the default, in main.cf's syntax */
    enum postfix_class class;
    const char *text; /* its effect that is missed, and what to do; "": what its class says */
};

/* NULL: Postfix has no such parameter. Those that each transport of master.cf has
 * (maildrop_destination_recipient_limit) are found too. */
const struct postfix_parameter *postfix_parameter_find(struct slice name);

/* What a name that is none of those was meant for among the parameters that each transport has, by
 * a slip of one or two letters: "_destination_rate_delay", which belongs behind the first *ret_at
 * octets of name, the transport's. NULL: nothing; ret_at is not written. */
const char *postfix_transport_suggest(struct slice name, size_t *ret_at);

/* What one of our settings means where Postfix's value of that name is empty; NULL: that it is
 * empty. */
const char *postfix_when_empty(struct slice name);

/* Our own settings that Postfix has no parameter for, where Postfix's defaults hold: as Postfix
 * behaves. NULL: our default holds. */
const char *postfix_own_default(struct slice name);

/* The unit of a time without one: that of the parameter's default. 0: it is no time. postconf(5).
 */
char postfix_time_unit(const struct postfix_parameter *p);

/* All, for suggestions and tests; NULL at the end. */
const struct postfix_parameter *postfix_parameter_at(size_t i);

#endif
