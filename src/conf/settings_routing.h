/* settings_routing.h: Where mail goes: domains, address maps, next hops, the queue. Rows as in
 * settings.h. */
#ifndef CONF_SETTINGS_ROUTING_H
#define CONF_SETTINGS_ROUTING_H

/* clang-format off */
#define CONF_SETTINGS_ROUTING(X) \
    X(TEXT, myorigin, "$myhostname", 0, 0, "postfix", "Domain that completes addresses without one.") \
    X(LIST, mydestination, "$myhostname, localhost.$mydomain, localhost", 0, 0, "postfix", "Domains whose mail is delivered here.") \
    X(TEXT, relayhost, "", 0, 0, "postfix", "Next hop for all foreign mail: host, host:port, [host] or [host]:port; brackets switch the MX lookup off.") \
    X(LIST, transport_services, "smtp=smtp relay=smtp lmtp=lmtp local=local virtual=virtual error=error retry=error discard=discard", 0, 0, "postrider", "The transports that there are, each name=kind: smtp, lmtp, local, virtual, error, discard or pipe. Settings of one alone are those of the service \"name/unix\".") \
    X(MAPS, pipe_transports, "", 0, 0, "postrider", "Transports of kind pipe: {name=maildrop, flags=DRhu, user=vmail, argv={/usr/bin/maildrop -d $${recipient}}}: pipe(8)'s attributes.") \
    X(TEXT, recipient_delimiter, "+", 0, 0, "postfix", "Separates user and detail in user+detail. Empty: none.") \
    X(TEXT, smtp_tls_security_level, "may", 0, 0, "postfix", "none, may or encrypt: TLS towards other servers.") \
    X(SECONDS, smtp_connect_timeout, "30s", 1, DAY_S, "postfix", "Longest wait for a connection to another server.") \
    X(SECONDS, smtp_helo_timeout, "300s", 1, DAY_S, "postfix", "Longest wait for a reply of another server.") \
    X(TEXT, smtp_helo_name, "$myhostname", 0, 0, "postfix", "Name in our EHLO.") \
    X(NUMBER, smtp_port, "25", 1, 65535, "postrider", "Port of other servers where none is given.") \
    X(TEXT, smtp_dns_resolver, "", 0, 0, "postrider", "host:port of the resolver to ask. Empty: the system's.") \
    X(TEXT, smtp_sasl_password_maps, "", 0, 0, "postfix", "Text file \"host user:password\": credentials for relayhost.") \
    X(NUMBER, default_destination_concurrency_limit, "20", 1, 10000, "postfix", "Most deliveries at a time to one destination.") \
    X(NUMBER, default_destination_recipient_limit, "50", 1, 10000, "postfix", "Most recipients of one outgoing transaction.") \
    X(SECONDS, minimal_backoff_time, "300s", 1, YEAR_S, "postfix", "First wait before a deferred message is tried again; doubles each time.") \
    X(SECONDS, maximal_backoff_time, "4000s", 1, YEAR_S, "postfix", "Longest wait between attempts.") \
    X(SECONDS, maximal_queue_lifetime, "5d", 0, YEAR_S, "postfix", "A message that could not be sent so long is returned.") \
    X(SECONDS, bounce_queue_lifetime, "5d", 0, YEAR_S, "postfix", "The same for bounces.")
/* clang-format on */

#endif
