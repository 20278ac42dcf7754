/* messages.h: every message between roles, declared once. struct, encoder and decoder of each come
 * from these lists (ipc.h). A role trusts a message only as far as its sender deserves: edge is
 * believed neither who somebody is nor where mail may go (grants, auth/grant.h).
 *
 * Field kinds: U8 U32 U64 (numbers), STR (bytes), LIST (array of bytes). File descriptors travel
 * beside the message (IPC_FDS_MAX). Every request carries `call`, which the answer repeats (ipc.h
 * does it). X(name, who sends to whom, fields). Answers are named after their requests. */
#ifndef IPC_MESSAGES_H
#define IPC_MESSAGES_H

#define IPC_MESSAGES(X)                                                                            \
    X(CONFIGURE)                                                                                   \
    X(LISTENERS)                                                                                   \
    X(CHANNEL)                                                                                     \
    X(SECRET)                                                                                      \
    X(READY)                                                                                       \
    X(STOP)                                                                                        \
    X(FAILURE)                                                                                     \
    X(GRANT_KEY)                                                                                   \
    X(AUTH_START)                                                                                  \
    X(AUTH_STEP)                                                                                   \
    X(AUTH_CANCEL)                                                                                 \
    X(AUTH_RESULT)                                                                                 \
    X(RCPT_CHECK)                                                                                  \
    X(RCPT_RESULT)                                                                                 \
    X(DELIVER)                                                                                     \
    X(DELIVER_RESULT)                                                                              \
    X(FLUSH_SITE)                                                                                  \
    X(FLUSH_SITE_RESULT)                                                                           \
    X(LOGGED_IN)                                                                                   \
    X(LOGGED_IN_RESULT)                                                                            \
    X(RELAY_JOB)                                                                                   \
    X(RELAY_RESULT)                                                                                \
    X(RELAY_WINDOW)                                                                                \
    X(RELAY_MESSAGE)                                                                               \
    X(RELAY_MESSAGE_RESULT)                                                                        \
    X(STS_ASK)                                                                                     \
    X(STS_RESULT)                                                                                  \
    X(STS_KEPT)                                                                                    \
    X(STS_KEEP)                                                                                    \
    X(HTTPS_POST)                                                                                  \
    X(HTTPS_RESULT)                                                                                \
    X(TLS_RESULT)                                                                                  \
    X(EXPAND)                                                                                      \
    X(EXPAND_RESULT)                                                                               \
    X(EXPLAIN)                                                                                     \
    X(EXPLAIN_RESULT)                                                                              \
    X(PASSWORD_CHECK)                                                                              \
    X(PASSWORD_RESULT)                                                                             \
    X(CONNECT)                                                                                     \
    X(CONNECT_RESULT)                                                                              \
    X(ROUTE)                                                                                       \
    X(ROUTE_RESULT)                                                                                \
    X(RESOLVE)                                                                                     \
    X(RESOLVE_RESULT)                                                                              \
    X(STATUS)                                                                                      \
    X(STATUS_RESULT)                                                                               \
    X(CONTROL)                                                                                     \
    X(CONTROL_OUTPUT)                                                                              \
    X(CONTROL_END)                                                                                 \
    X(AUTH_TEST)                                                                                   \
    X(ACCOUNT_CHECK)                                                                               \
    X(ACCOUNT_RESULT)                                                                              \
    X(LOCAL_JOB)                                                                                   \
    X(LOCAL_RESULT)                                                                                \
    X(FILE_READ)                                                                                   \
    X(FILE_RESULT)                                                                                 \
    X(REWRITE)                                                                                     \
    X(REWRITE_RESULT)                                                                              \
    X(ACTION_ASK)                                                                                  \
    X(ACTION_RESULT)                                                                               \
    X(CHECK_ASK)                                                                                   \
    X(CHECK_RESULT)                                                                                \
    X(DKIM_SIGN)                                                                                   \
    X(DKIM_SIGN_RESULT)                                                                            \
    X(USER_CHECK)                                                                                  \
    X(USER_RESULT)                                                                                 \
    X(QUOTA)                                                                                       \
    X(TABLE_ASK)                                                                                   \
    X(TABLE_RESULT)

/* master -> every role. The effective settings as "name = value\n" text (conf_dump). */
#define IPC_FIELDS_CONFIGURE(F) F(STR, settings) F(U64, generation)
/* master -> edge, with one listening fd per entry: "smtp://127.0.0.1:2525" as configured. Replaces
 * all. */
#define IPC_FIELDS_LISTENERS(F) F(LIST, urls)
/* master -> role, with one fd: a new channel to the role named (enum ipc_role). */
#define IPC_FIELDS_CHANNEL(F) F(U8, role)
/* master -> role, with one readable fd: a file that the role may not open itself, by the name of
 * its setting and its path; `last` = 1 with the last of a set: they take effect together. */
#define IPC_FIELDS_SECRET(F) F(STR, setting) F(STR, path) F(U8, last)
/* role -> master: started, or a configuration was taken. */
#define IPC_FIELDS_READY(F) F(U64, generation)
#define IPC_FIELDS_STOP(F) F(U8, unused)
/* any: the answer to a request that could not be served: the environment failed. */
#define IPC_FIELDS_FAILURE(F) F(STR, text)

/* master -> auth, mailbox: the key that signs grants, the same for as long as the master lives:
 * what auth granted holds when auth or mailbox restarts. */
#define IPC_FIELDS_GRANT_KEY(F) F(STR, key)

/* edge -> auth: a SASL exchange. `conn` names the connection for all of its life. service: "smtp",
 * "pop3", "imap"; listener: "submissions" …; link: enum offer_link (auth/offer.h); bindings:
 * channel binding data by enum sasl_binding, "" where there is none; identity: whom the verified
 * client certificate names; has_initial tells an empty initial response from none. */
#define IPC_FIELDS_AUTH_START(F)                                                                   \
    F(U64, conn)                                                                                   \
    F(STR, service)                                                                                \
    F(STR, client_ip)                                                                              \
    F(STR, listener)                                                                               \
    F(U8, link)                                                                                    \
    F(LIST, bindings)                                                                              \
    F(STR, identity)                                                                               \
    F(STR, mechanism)                                                                              \
    F(U8, has_initial)                                                                             \
    F(STR, initial)
#define IPC_FIELDS_AUTH_STEP(F) F(U64, conn) F(STR, response)
/* edge -> auth: connection gone or exchange cancelled ("*"); no answer. forget = 1: forget its
 * login too. */
#define IPC_FIELDS_AUTH_CANCEL(F) F(U64, conn) F(U8, forget)
/* outcome: enum auth_outcome (ipc.h). challenge: raw bytes, for CHALLENGE and for the data that
 * comes with OK. account: the store's account name; login: as the client wrote it. grant: login
 * token (auth/grant.h). */
#define IPC_FIELDS_AUTH_RESULT(F)                                                                  \
    F(U8, outcome)                                                                                 \
    F(STR, challenge)                                                                              \
    F(STR, account)                                                                                \
    F(STR, login)                                                                                  \
    F(STR, grant)                                                                                  \
    F(STR, reason)

/* edge -> auth: may this envelope go to this recipient, and where does it lead? Or, at another
 * stage (policy.h: enum policy_stage), may the session go on? conn: its login counts when it has
 * one. service: "smtp", "submission", "lmtp", "sendmail"; label: of the listener
 * (conf_for_service). client_name and reverse_name: from DNS, "" unknown, with enum
 * policy_name_status. flags: CHECK_… (ipc.h). sender
 * ("" null sender) and rcpt without brackets and with their domains; …_given: as the client wrote
 * them, "" where that is the same. Where the client's address may permit something, and with
 * "sendmail", its socket comes along (fd) as proof. */
#define IPC_FIELDS_RCPT_CHECK(F)                                                                   \
    F(U64, conn)                                                                                   \
    F(U8, stage)                                                                                   \
    F(STR, service)                                                                                \
    F(STR, label)                                                                                  \
    F(STR, client_ip)                                                                              \
    F(STR, client_name)                                                                            \
    F(STR, reverse_name)                                                                           \
    F(U8, name_status)                                                                             \
    F(U8, reverse_status)                                                                          \
    F(U32, flags)                                                                                  \
    F(STR, helo_name)                                                                              \
    F(STR, sender)                                                                                 \
    F(STR, sender_given)                                                                           \
    F(STR, rcpt)                                                                                   \
    F(STR, rcpt_given)                                                                             \
    F(U32, n_rcpts)                                                                                \
    F(STR, etrn)                                                                                   \
    F(STR, cert_fingerprint)                                                                       \
    F(STR, key_fingerprint)
/* code 250 or 4xx/5xx, enhanced "5.7.1", text for the client; rule and where: for the log
 * ("permit_sasl_authenticated", "main.cf:12"). targets: see ipc.h, target_*; grant covers rcpt and
 * targets. actions: what access tables asked for beside (policy.h: struct decision). sender: the
 * envelope's as it goes on (canonical_maps and the like). */
#define IPC_FIELDS_RCPT_RESULT(F)                                                                  \
    F(U32, code)                                                                                   \
    F(STR, enhanced)                                                                               \
    F(STR, text)                                                                                   \
    F(STR, rule)                                                                                   \
    F(STR, where)                                                                                  \
    F(LIST, actions)                                                                               \
    F(LIST, targets)                                                                               \
    F(STR, grant)                                                                                  \
    F(STR, sender)

/* edge -> mailbox. message: the bytes with CRLF, Received on top, no Return-Path; or in a sealed
 * memfd (fd) when larger than 64 KiB. summary: mime/summary.h. rcpts, targets, grants: rcpts[i] has
 * target_counts[i] consecutive entries of targets (numbers in decimal), and grants[i]. dsn_*: one
 * per rcpt, "" when absent. client_name, helo, tls, login, rules: for the trace; rules[i] permitted
 * rcpts[i] ("permit_mynetworks main.cf:12"), "" where it is the one before, "-": no room to tell.
 * protocol: SMTP or ESMTP, and sasl_method: what the client logged in with, "" where neither is.
 * client_port: in decimal; sasl_sender: MAIL's AUTH=, by the client's word; "" where there is none.
 * hold: why it waits in the queue, on hold, for all of its recipients; "": it does not. */
#define IPC_FIELDS_DELIVER(F)                                                                      \
    F(U64, conn)                                                                                   \
    F(U64, message_id)                                                                             \
    F(STR, sender)                                                                                 \
    F(STR, account)                                                                                \
    F(STR, client_ip)                                                                              \
    F(STR, service)                                                                                \
    F(STR, client_name)                                                                            \
    F(STR, helo)                                                                                   \
    F(STR, tls)                                                                                    \
    F(STR, login)                                                                                  \
    F(STR, protocol)                                                                               \
    F(STR, sasl_method)                                                                            \
    F(STR, client_port)                                                                            \
    F(STR, sasl_sender)                                                                            \
    F(LIST, rules)                                                                                 \
    F(U8, smtputf8)                                                                                \
    F(U8, require_tls)                                                                             \
    F(U8, eightbit)                                                                                \
    F(STR, hold)                                                                                   \
    F(STR, ret)                                                                                    \
    F(STR, envid)                                                                                  \
    F(LIST, rcpts)                                                                                 \
    F(LIST, target_counts)                                                                         \
    F(LIST, targets)                                                                               \
    F(LIST, grants)                                                                                \
    F(LIST, dsn_notify)                                                                            \
    F(LIST, dsn_orcpt)                                                                             \
    F(U64, size)                                                                                   \
    F(STR, message)                                                                                \
    F(STR, summary)
/* codes[i] "250" "452" "554"… and texts[i] per rcpt (enhanced code first, "2.0.0 …"). */
#define IPC_FIELDS_DELIVER_RESULT(F) F(LIST, codes) F(LIST, texts)

/* edge -> mailbox: ETRN: what waits for this domain is due now. Nobody is asked whether edge may: a
 * delivery attempt that comes early is the worst of it. ok 0: another one is under way, or the
 * queue could not be read. */
#define IPC_FIELDS_FLUSH_SITE(F) F(U64, conn) F(STR, domain)
#define IPC_FIELDS_FLUSH_SITE_RESULT(F) F(U8, ok)

/* edge -> mailbox, with the connection's fd (or the plaintext socket pair of a TLS connection).
 * service "pop3" or "imap"; grant: AUTH_RESULT's. tag: IMAP tag of the login command, answered by
 * mailbox. pending: bytes already read behind the login command. tls: "" or "TLSv1.3 CIPHER". */
#define IPC_FIELDS_LOGGED_IN(F)                                                                    \
    F(U64, conn)                                                                                   \
    F(STR, service)                                                                                \
    F(STR, account)                                                                                \
    F(STR, login)                                                                                  \
    F(STR, grant)                                                                                  \
    F(STR, client_ip)                                                                              \
    F(STR, tag)                                                                                    \
    F(STR, tls)                                                                                    \
    F(STR, pending)                                                                                \
    F(STR, client_id)
/* code: enum login_result; taken, the fd is mailbox's. text: why not, for the log. */
#define IPC_FIELDS_LOGGED_IN_RESULT(F) F(U8, code) F(STR, text)

/* mailbox -> relay: one delivery attempt. All rcpts go to one destination: a domain, or a route
 * "transport:nexthop" (ipc.h: target).
 * The message comes inline or as a memfd, as in DELIVER. attempt counts from 1; concurrency: most
 * connections to the destination by now. Answer: RELAY_RESULT. */
#define IPC_FIELDS_RELAY_JOB(F)                                                                    \
    F(U64, message_id)                                                                             \
    F(STR, destination)                                                                            \
    F(STR, sender)                                                                                 \
    F(LIST, rcpts)                                                                                 \
    F(U8, smtputf8)                                                                                \
    F(U8, require_tls)                                                                             \
    F(U8, eightbit)                                                                                \
    F(STR, ret)                                                                                    \
    F(STR, envid)                                                                                  \
    F(LIST, dsn_notify)                                                                            \
    F(LIST, dsn_orcpt)                                                                             \
    F(U32, attempt)                                                                                \
    F(U32, concurrency)                                                                            \
    F(U64, size)                                                                                   \
    F(STR, message)
/* One entry per rcpt: outcomes "sent" | "deferred" | "failed"; statuses "4.4.1"; replies: the
 * remote's words or ours; remotes: "host[address]" or ""; diag_types: "smtp" when reply is the
 * remote's, else "x-postrider". reports: the remote took RET and NOTIFY over (RFC 3461). missed:
 * nobody was reached there who could say anything of this message. */
#define IPC_FIELDS_RELAY_RESULT(F)                                                                 \
    F(U64, message_id)                                                                             \
    F(LIST, outcomes)                                                                              \
    F(LIST, statuses)                                                                              \
    F(LIST, replies)                                                                               \
    F(LIST, remotes)                                                                               \
    F(LIST, diag_types)                                                                            \
    F(U8, reports)                                                                                 \
    F(U8, missed)                                                                                  \
    F(STR, tls)
/* relay -> mailbox: how many jobs it takes at a time. */
#define IPC_FIELDS_RELAY_WINDOW(F) F(U32, jobs)
#define IPC_FIELDS_RELAY_MESSAGE(F) F(U64, message_id)
#define IPC_FIELDS_RELAY_MESSAGE_RESULT(F) F(STR, message)

/* relay -> mailbox: what is kept of the MTA-STS policy of a domain (in A-labels, lower case):
 * entry as proto/sts writes it, "" where there is none. And what is to be kept from now on;
 * answered when it is. */
#define IPC_FIELDS_STS_ASK(F) F(STR, domain)
#define IPC_FIELDS_STS_RESULT(F) F(STR, entry)
#define IPC_FIELDS_STS_KEEP(F) F(STR, domain) F(STR, entry)
#define IPC_FIELDS_STS_KEPT(F) F(U8, unused)
/* mailbox -> relay: a POST to the web server of url, which is at one of the addresses ("192.0.2.1,
 * 2001:db8::1", without the space). reason "": it was taken. */
#define IPC_FIELDS_HTTPS_POST(F)                                                                   \
    F(STR, url)                                                                                    \
    F(STR, host)                                                                                   \
    F(STR, addresses)                                                                              \
    F(STR, media_type)                                                                             \
    F(STR, body)
#define IPC_FIELDS_HTTPS_RESULT(F) F(STR, reason)
/* relay -> mailbox: a session to count for the reports of TLS: fields as in struct tlsrpt_row. */
#define IPC_FIELDS_TLS_RESULT(F)                                                                   \
    F(STR, domain)                                                                                 \
    F(STR, policy_type)                                                                            \
    F(STR, policy)                                                                                 \
    F(STR, mx)                                                                                     \
    F(STR, result)                                                                                 \
    F(STR, sender_ip)                                                                              \
    F(STR, mx_ip)                                                                                  \
    F(STR, reason)

/* mailbox -> auth: where do these addresses lead (bounces to local users, postmaster)? One target
 * list as in RCPT_RESULT. */
#define IPC_FIELDS_EXPAND(F) F(STR, address)
#define IPC_FIELDS_EXPAND_RESULT(F) F(U32, code) F(STR, text) F(LIST, targets)

/* relay -> agent: a connection to a Unix socket (lmtp:unix:/path), which relay can't see: reason ""
 * comes with one fd, else it says why not. Only sockets that the settings name, or that
 * transport_sockets permits. */
#define IPC_FIELDS_CONNECT(F) F(STR, path)
#define IPC_FIELDS_CONNECT_RESULT(F) F(STR, reason)

/* mailbox -> auth: which way do these addresses take by now (a message that was deferred may have
 * been routed by older settings)? One route per address, "" to its own domain (ipc.h: target). */
#define IPC_FIELDS_ROUTE(F) F(STR, sender) F(LIST, addresses)
#define IPC_FIELDS_ROUTE_RESULT(F) F(LIST, routes)

/* mailbox -> auth: `postrider explain`: what RCPT_CHECK would say of such a client, at RCPT or at
 * the stages before it that it would be asked at. service: a listener's label; client_name: "" is
 * looked up; login: as if it had proven to be that. */
#define IPC_FIELDS_EXPLAIN(F)                                                                      \
    F(STR, service)                                                                                \
    F(STR, client_ip)                                                                              \
    F(STR, client_name)                                                                            \
    F(STR, helo)                                                                                   \
    F(STR, sender)                                                                                 \
    F(STR, rcpt)                                                                                   \
    F(STR, login)                                                                                  \
    F(U8, tls)
/* The decision, as RCPT_RESULT has it but without a grant. stage: "connect", "helo", "mail" or
 * "rcpt". Fields of an item have NULs between them. steps: what was looked at: kind ("list",
 * "restriction", "table", "dns", "address"), stage, depth, name, key, where, result. ways: rule,
 * where, from, to of each step of the recipient's way. cut: there was more. */
#define IPC_FIELDS_EXPLAIN_RESULT(F)                                                               \
    F(U32, code)                                                                                   \
    F(STR, enhanced)                                                                               \
    F(STR, text)                                                                                   \
    F(STR, rule)                                                                                   \
    F(STR, where)                                                                                  \
    F(STR, stage)                                                                                  \
    F(STR, sender)                                                                                 \
    F(U8, cut)                                                                                     \
    F(LIST, steps)                                                                                 \
    F(LIST, ways)                                                                                  \
    F(LIST, targets)                                                                               \
    F(LIST, actions)                                                                               \
    F(LIST, notes)

/* auth -> agent: a password that auth can't verify itself. driver: "pam" (with its service),
 * "passwd" (the hash of getpwnam) or "shadow" (of getspnam), of an account whose user number is not
 * below first_uid, nor above last_uid where that is not 0; "sql" or "ldap", asked as that item of
 * passdb says; "saslauthd" or "dovecot", at the socket that the settings name. service: the
 * protocol. */
#define IPC_FIELDS_PASSWORD_CHECK(F)                                                               \
    F(STR, driver)                                                                                 \
    F(STR, pam_service)                                                                            \
    F(STR, user)                                                                                   \
    F(STR, password)                                                                               \
    F(STR, client_ip)                                                                              \
    F(STR, service)                                                                                \
    F(U64, first_uid)                                                                              \
    F(U64, last_uid)                                                                               \
    F(U32, item)
/* code: 0 right, 1 wrong (or unknown, expired …: reason says), 2 could not be asked. With 0, reason
 * is what "sql" and "ldap" know of the account: "user=name allow_nets=…". */
#define IPC_FIELDS_PASSWORD_RESULT(F) F(U8, code) F(STR, reason)

/* mailbox -> auth: `doveadm auth test`: is it the user's password, for this protocol, as if it had
 * come from client_ip (may be "")? Answer: AUTH_RESULT. */
#define IPC_FIELDS_AUTH_TEST(F) F(STR, user) F(STR, password) F(STR, service) F(STR, client_ip)

/* auth -> agent: is there an account of this name? driver: "passwd" (getpwnam), or "sql" or "ldap",
 * asked as that item of userdb (of_userdb = 1) or passdb says. code: 0 yes, 1 no, 2 could not be
 * asked. */
#define IPC_FIELDS_ACCOUNT_CHECK(F) F(STR, driver) F(STR, user) F(U8, of_userdb) F(U32, item)
#define IPC_FIELDS_ACCOUNT_RESULT(F) F(U8, code) F(STR, fields)
/* auth -> mailbox: limits of single accounts: rules[i] of accounts[i], '\n' between several
 * (conf/quota.h). reset: those told before no longer hold. */
#define IPC_FIELDS_QUOTA(F) F(U8, reset) F(LIST, accounts) F(LIST, rules)

/* auth, relay -> agent: a lookup table that asks a server, one that the configuration names
 * ("pgsql:/etc/postfix/x.cf"). code: 0 there is a value, 1 none, 2 could not be asked: reason says
 * why. */
#define IPC_FIELDS_TABLE_ASK(F) F(STR, table) F(STR, key)
#define IPC_FIELDS_TABLE_RESULT(F) F(U8, code) F(STR, value) F(STR, reason)

/* edge, relay -> auth: addresses, and for each "s" (sender's) or "r" (recipient's): what becomes of
 * them. To edge, header fields' by canonical maps and masquerade_domains of the listener's service;
 * to relay, by the smtp_generic_maps of that service ("smtp/unix"). As many come back, in order. */
#define IPC_FIELDS_REWRITE(F) F(STR, service) F(LIST, classes) F(LIST, addresses)
#define IPC_FIELDS_REWRITE_RESULT(F) F(LIST, addresses)

/* edge -> auth: an action asks for another recipient (REDIRECT, BCC) or for a filter (FILTER).
 * label: of the listener. source: "header_checks" and its like, with the line as text: auth looks
 * into its own tables what is to be done with it. For FILTER also a recipient with targets and
 * grant as auth gave them to conn before: these come back with the filter in the place of where
 * they would lead. */
#define IPC_FIELDS_ACTION_ASK(F)                                                                   \
    F(U64, conn)                                                                                   \
    F(STR, label)                                                                                  \
    F(STR, sender)                                                                                 \
    F(STR, source)                                                                                 \
    F(STR, text)                                                                                   \
    F(STR, rcpt)                                                                                   \
    F(LIST, targets)                                                                               \
    F(STR, grant)
/* address "": there is none, reason says why. targets and grant as in RCPT_RESULT. */
#define IPC_FIELDS_ACTION_RESULT(F) F(STR, address) F(LIST, targets) F(STR, grant) F(STR, reason)

/* edge -> auth: what do the tables of header_checks or its like (source) say to a line of a
 * message, where one of them asks a server? label: of the listener, as in RCPT_CHECK. code: 0 a
 * value, 1 none has the line, 2 could not be asked: reason says why. where: of the entry, for the
 * log. */
#define IPC_FIELDS_CHECK_ASK(F) F(STR, label) F(STR, source) F(STR, text)
#define IPC_FIELDS_CHECK_RESULT(F) F(U8, code) F(STR, value) F(STR, where) F(STR, reason)

/* edge, mailbox -> auth: sign what is signed of a message (dkim/gather.h). auth signs for mailbox,
 * and for clients that have proven themselves: logged in as conn, or by the socket that comes along
 * (fd) as with RCPT_CHECK. fields: DKIM-Signature, each with CRLF; n = 0 of them: there is no key
 * for it, or no such proof.
 */
#define IPC_FIELDS_DKIM_SIGN(F)                                                                    \
    F(U64, conn)                                                                                   \
    F(STR, service)                                                                                \
    F(STR, domain)                                                                                 \
    F(STR, names)                                                                                  \
    F(STR, signed_fields)                                                                          \
    F(STR, body_hash)
#define IPC_FIELDS_DKIM_SIGN_RESULT(F) F(U32, n) F(STR, fields)

/* auth, mailbox -> agent: does the list (conf/users.h) let this uid? code: 0 yes, 1 no, 2 could not
 * be asked. */
#define IPC_FIELDS_USER_CHECK(F) F(U32, uid) F(LIST, allowed)
#define IPC_FIELDS_USER_RESULT(F) F(U8, code)

/* mailbox -> agent: one attempt to give a message to a command or a file. target: a COMMAND or FILE
 * of ipc.h, or "" where route is "transport:nexthop" of a pipe transport, which has any number of
 * rcpts. originals: the recipients as the client said them, at least one. The message comes inline
 * or as a memfd, as in DELIVER, without Return-Path. client_ip to sasl_sender: as in DELIVER, ""
 * where not known. One answer holds for all recipients. */
#define IPC_FIELDS_LOCAL_JOB(F)                                                                    \
    F(U64, message_id)                                                                             \
    F(STR, target)                                                                                 \
    F(STR, route)                                                                                  \
    F(STR, sender)                                                                                 \
    F(LIST, rcpts)                                                                                 \
    F(LIST, originals)                                                                             \
    F(STR, account)                                                                                \
    F(STR, client_ip)                                                                              \
    F(STR, client_name)                                                                            \
    F(STR, helo)                                                                                   \
    F(STR, protocol)                                                                               \
    F(STR, sasl_method)                                                                            \
    F(STR, client_port)                                                                            \
    F(STR, sasl_sender)                                                                            \
    F(U32, attempt)                                                                                \
    F(U64, size)                                                                                   \
    F(STR, message)
/* outcome, status and reply as in RELAY_RESULT. */
#define IPC_FIELDS_LOCAL_RESULT(F) F(STR, outcome) F(STR, status) F(STR, reply)

/* auth -> agent: a file that names recipients, read as that user ("-": as default_privs). kind
 * "include": `path` is one path; "forward": the first that is there of the paths in `path`, each
 * ended by NUL, with $home and $shell in them still to be replaced. */
#define IPC_FIELDS_FILE_READ(F) F(STR, kind) F(STR, user) F(STR, path)
/* code: 0 read, 1 there is none, 2 must not be used or could not be read now: reason says why.
 * path: which one; owner: its owner's number. */
#define IPC_FIELDS_FILE_RESULT(F)                                                                  \
    F(U8, code) F(STR, path) F(U32, owner) F(STR, bytes) F(STR, reason)

/* any -> relay: DNS. type: 1 A, 2 NS, 12 PTR, 15 MX, 28 AAAA, 16 TXT. */
#define IPC_FIELDS_RESOLVE(F) F(STR, name) F(U32, type)
/* code 0 found, 1 nothing of that type, 2 try again, 3 no such name; answers as text ("10
 * mx.example.org"). */
#define IPC_FIELDS_RESOLVE_RESULT(F) F(U8, code) F(LIST, answers) F(U8, secure)

/* mailbox -> every role; items are "key=value" pairs. */
#define IPC_FIELDS_STATUS(F) F(U8, unused)
#define IPC_FIELDS_STATUS_RESULT(F) F(LIST, items)

/* command line -> mailbox, over the control socket in state_directory: a command and its words
 * ("queue", "list", "--json"). Answered by any number of CONTROL_OUTPUT and one CONTROL_END.
 *
 * Import has words of its own, and its program sends several before the first is answered:
 *   "import" "mailbox" ACCOUNT NAME UIDVALIDITY UIDNEXT ATTRS
 *       (enum mailbox_attr as a number); END's text: "UIDVALIDITY UIDNEXT"
 *   "import" "message" ACCOUNT MAILBOX ORIGIN UID FLAGS DATE UIDL KEYWORDS SIZE BYTES
 *       (FLAGS: enum message_flag as a number; KEYWORDS: with spaces between; BYTES with CRLF, or
 *       a sealed memfd beside and BYTES empty); END's text: the UID, or "there" */
#define IPC_FIELDS_CONTROL(F) F(LIST, words)
#define IPC_FIELDS_CONTROL_OUTPUT(F) F(STR, text)
#define IPC_FIELDS_CONTROL_END(F) F(U8, status) F(STR, error)

#endif
