/* template.h: Postfix's reply templates: $name, ${name}, ${name?text}, ${name:text} and $$ in
 * default_rbl_reply, rbl_reply_maps and smtpd_reject_footer. Values are made harmless
 * (smtpd_expansion_filter's default). Who calls it: policy/ and proto/smtp/. */
#ifndef BASE_TEMPLATE_H
#define BASE_TEMPLATE_H

#include "base/arena.h"

enum { TEMPLATE_MAX = 4096, TEMPLATE_DEPTH_MAX = 10 };

/* The value of a name; "" where it has none. */
typedef struct slice template_macro_fn(void *arg, struct slice name);

/* In the arena; at most TEMPLATE_MAX bytes. A $ that makes no sense stands for itself. */
struct slice template_expand(struct slice text, template_macro_fn *macro, void *arg,
                             struct arena *a);
/* $sender, $sender_name, $sender_domain, $recipient …; "" for other names. */
struct slice template_address(struct slice name, struct slice sender, struct slice rcpt);

#endif
