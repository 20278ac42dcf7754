/* settings_delivery.h: Delivery here, and what is changed in a message on its way in. Rows as in
 * settings.h. */
#ifndef CONF_SETTINGS_DELIVERY_H
#define CONF_SETTINGS_DELIVERY_H

/* clang-format off */
#define CONF_SETTINGS_DELIVERY(X) \
    X(LIST, alias_maps, "", 0, 0, "postfix", "Text files \"name: target, target\" of aliases for local recipients; \"@domain: target\" catches all.") \
    X(NUMBER, mailbox_quota, "0", 0, NO_MAX, "postrider", "Most bytes of mail of one account; 0: no limit.")
/* clang-format on */

#endif
