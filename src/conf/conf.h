/* conf.h: the configuration: read whole, checked whole, then an immutable snapshot.
 *
 * The file has main.cf's syntax: "name = value", continuation by leading white space, comments with
 * #, $name, ${name} and $$. Who calls it: the master and the command line (conf_load), and every
 * role, which gets the effective values as text from the master (conf_parse_effective). */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include "base/buf.h"
#include "conf/settings.h"

#define CONF_TYPE_BOOL bool
#define CONF_TYPE_NUMBER int64_t
#define CONF_TYPE_SECONDS int64_t
#define CONF_TYPE_TEXT struct slice
#define CONF_TYPE_LIST struct slice_list
#define CONF_TYPE_MAPS struct slice_list
#define CONF_DECLARE(kind, name, ...) CONF_TYPE_##kind name;

/* Texts are NUL-terminated behind their length. */
struct conf {
    CONF_SETTINGS(CONF_DECLARE)
};

/* One reference; immutable, may be shared by threads. */
const struct conf *conf_ref(const struct conf *c);
void conf_unref(const struct conf *c);

/* The snapshot that holds for a service: with what master.cf (-o) or "service/name = value" of the
 * own file overrides for it, else c itself. Lives as long as c. service: a listener's
 * (listen_url.label): "smtp", "submission", "127.0.0.1:10025"; or "relay/unix", a client of
 * master.cf. */
const struct conf *conf_for_service(const struct conf *c, struct slice service);

/* Is the word among receive_override_options: "no_address_mappings", "no_header_body_checks",
 * "no_unknown_recipient_checks"? Ask the snapshot of the service that mail comes in by. */
bool conf_overrides(const struct conf *c, const char *option);

/* A restriction class (smtpd_restriction_classes) by its name: what stands for it. NULL: none. */
const struct slice_list *conf_restriction_class(const struct conf *c, struct slice name);

/* "FILE:LINE: reason, and what to do" lines: in text one for each error, in warnings one for each
 * thing that is taken but not served as it says, in notes those that mean nothing here. */
struct conf_errors {
    struct buf text, warnings, notes;
    unsigned count; /* of errors */
};
void conf_errors_init(struct conf_errors *e);
void conf_errors_release(struct conf_errors *e);

/* Where a configuration comes from; the texts are borrowed. */
struct conf_origin {
    const char *path; /* postrider.conf */
    bool optional;    /* it need not be there */
    /* Of the command line, before what the file says; NULL: not given. */
    const char *postfix, *dovecot, *sasl;
};

/* Reads and checks the file, and the old stack's files that it names. INVALID: every error is in
 * `errors`. Warnings and notes are there on success too. */
MUST_USE enum result conf_load(const struct conf_origin *origin, const struct conf **ret,
                               struct conf_errors *errors);
/* From text; `name` stands for the file in messages. */
MUST_USE enum result conf_parse(struct slice text, const char *name, const struct conf **ret,
                                struct conf_errors *errors);

/* The effective values as text that conf_parse_effective takes back: what a role gets. */
void conf_dump(const struct conf *c, struct buf *out);
MUST_USE enum result conf_parse_effective(struct slice text, const struct conf **ret);

/* Every setting: its name, effective value (as text, in `value`) and source: "postrider.conf:12",
 * "default" or "Postfix's default". Then what differs at a service, as "submission/name". */
void conf_each(const struct conf *c,
               void (*each)(void *arg, const char *name, struct slice value, const char *source),
               void *arg);
/* Every restriction class: those that hold for all services, then those that a service has
 * otherwise, as "submission/name". */
void conf_each_class(const struct conf *c,
                     void (*each)(void *arg, const char *name, struct slice value), void *arg);
/* Where the value of a setting comes from: "postrider.conf:12" or "default"; NULL: no such setting.
 */
const char *conf_source(const struct conf *c, const char *name);
/* Is it that of a default, ours or a program's of the old stack? */
bool conf_source_is_default(const char *source);

/* The kind of a transport ("smtp", "lmtp", "pipe" …) by transport_services; "" (no route) is SMTP;
 * data NULL: there is none of that name. Settings of one alone: conf_for_service(c, "name/unix").
 */
struct slice conf_transport_kind(const struct conf *c, struct slice name);
/* Is there such a transport, and of a kind that takes mail from the queue? If not, mail waits. */
bool conf_transport_takes(const struct conf *c, struct slice name);

/* Every lookup table that the configuration names, services and restriction classes included; one
 * may come several times. spec: "hash:/etc/postfix/access", or a path alone. */
typedef void conf_table_fn(void *arg, const char *setting, struct slice spec);
void conf_tables(const struct conf *c, conf_table_fn *each, void *arg);
/* The same for those who tell of them: with the place of the value, without what a service has
 * from the whole and what defaults refer to. alias_maps is among them. */
struct conf_table_place {
    const char *setting; /* as above; of a restriction class "smtpd_restriction_classes" … */
    const char *name;    /* … and the class's own name */
    const char *source;  /* "main.cf:12" */
    struct slice spec;
};
typedef void conf_table_place_fn(void *arg, const struct conf_table_place *p);
void conf_table_places(const struct conf *c, conf_table_place_fn *each, void *arg);
/* Are the tables of this setting asked by the relay role alone, for mail on its way out? No other
 * role gets their files (smtp_sasl_password_maps holds passwords). */
bool conf_table_is_outgoing(const char *setting);

/* The listeners, taken apart. */
enum listen_service {
    LISTEN_SMTP,
    LISTEN_SMTPS, /* SMTP in TLS from its first byte, else as LISTEN_SMTP */
    LISTEN_SUBMISSION,
    LISTEN_SUBMISSIONS,
    LISTEN_LMTP,
    LISTEN_POP3,
    LISTEN_POP3S,
    LISTEN_IMAP,
    LISTEN_IMAPS,
    LISTEN_SASLAUTHD,    /* a Unix socket: answers saslauthd's questions */
    LISTEN_DOVECOT_AUTH, /* Dovecot's authentication protocol */
    LISTEN_SENDMAIL      /* programs of this machine: a Unix socket alone (submit/drop.h) */
};
struct listen_url {
    enum listen_service service;
    struct slice host; /* "" all addresses; without [] */
    struct slice path; /* Unix socket (then no host and port) */
    uint16_t port;
    struct slice label; /* names the service's settings (conf_for_service): what stands behind a
                           '#', else the service's own name */
};
MUST_USE enum result listen_parse(struct slice url, struct listen_url *ret);
const char *listen_service_name(enum listen_service s); /* "smtp" */

/* CIDR lists such as mynetworks: does the address (text) match an entry? Entries: 192.0.2.0/24,
 * [2001:db8::]/32, single addresses, !entry excludes. *ret_entry names the one that decided. */
bool conf_network_match(struct slice_list networks, struct slice ip, struct slice *ret_entry);

#endif
