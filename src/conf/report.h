/* report.h: what can only be told when all layers are read and evaluated; of load.c. */
#ifndef CONF_REPORT_H
#define CONF_REPORT_H

#include "conf/scope.h"

/* The own file's names that are set twice: a slip. (In main.cf the last one holds.) */
void conf_report_repeated(struct conf_scope *s, struct conf_errors *errors);
/* Names that nobody knows, those that are known and not served, with proposals. */
void conf_report_unknown(struct conf_scope *s, struct conf_errors *errors);
/* Settings that contradict each other. file: the own one. */
void conf_report_combinations(struct conf_scope *s, const struct conf *c, const char *file,
                              struct conf_errors *errors);

#endif
