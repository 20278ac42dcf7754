/* directory.h: who is who: the local domains, the aliases and the accounts, as one immutable
 * snapshot that threads share. Who calls it: role/auth builds one at each start and change of
 * users_file, alias_maps or settings, and asks it for every recipient, sender and login.
 *
 * Addresses are looked up as Postfix does it: canonical_maps, virtual_alias_maps,
 * the class of the domain, transport_maps.
 *
 * An address of a local domain leads, in this order, to: an alias ("user+detail@domain",
 * "user+detail", "user@domain", "user"), an account (the same names), a system account (where PAM
 * is in use), a catch-all alias ("@domain"). An alias that leads to itself ("bob: bob, archive")
 * means the account of that name. postmaster is never unknown (RFC 5321 4.5.1): without alias and
 * account it leads to root, else to the first account of users_file. */
#ifndef AUTH_DIRECTORY_H
#define AUTH_DIRECTORY_H

#include "auth/address.h"
#include "auth/aliases.h"
#include "auth/databases.h"
#include "auth/match.h"
#include "auth/passwd_file.h"
#include "base/arena.h"
#include "conf/conf.h"

enum { DIRECTORY_TARGETS_MAX = 1000, DIRECTORY_DEPTH_MAX = 20 };

struct directory;

/* What it is built from. Bytes are copied. */
struct directory_file {
    struct slice path, bytes;
    unsigned owner; /* its user */
};
struct directory_source {
    const struct conf *conf;
    struct directory_file users;          /* bytes.data == NULL: none */
    const struct directory_file *aliases; /* in the order of alias_maps */
    size_t n_aliases;
    const struct directory_file *databases; /* files that passdb and userdb name */
    size_t n_databases;
    struct table_finder tables; /* of the settings in maps.h and of domain lists */
    /* Called when the directory is done with the tables. May be NULL. */
    void (*release)(void *arg);
    void *release_arg;
    struct slice_list addresses; /* of this host, as text: for inet_interfaces = all */
};

/* Something in the files that is wrong and was skipped. */
typedef void directory_problem_fn(void *arg, struct slice file, unsigned line, const char *reason);

MUST_USE enum result directory_new(const struct directory_source *s, directory_problem_fn *problem,
                                   void *arg, const struct directory **ret);
const struct directory *directory_ref(const struct directory *d);
void directory_unref(const struct directory *d);

const struct conf *directory_conf(const struct directory *d);
const struct passwd_file *directory_users(const struct directory *d);
size_t directory_alias_count(const struct directory *d);

/* Where passwords and accounts are, users_file first. */
/* The account of a login name in the passdbs that are files, the first that has it; *ret_db is the
 * one. NULL: none has. */
const struct passwd_user *directory_find_login(const struct directory *d, struct slice login,
                                               const struct auth_database **ret_db);
const struct auth_databases *directory_passdbs(const struct directory *d);
const struct auth_databases *directory_userdbs(const struct directory *d);
/* The account of exactly that name in users_file or a passwd-file of userdb, or NULL; and the file
 * that it is in. */
const struct passwd_user *directory_account(const struct directory *d, struct slice name);
const char *directory_account_path(const struct directory *d, const struct passwd_user *u);
/* The user of a passwd-file that a login means, or NULL. */
const struct passwd_user *directory_passdb_find(const struct directory *d,
                                                const struct auth_database *db, struct slice login);
/* Are there accounts that must be asked for elsewhere (struct directory_system)? By their names, or
 * by whole addresses too. */
enum directory_outside { OUTSIDE_NONE, OUTSIDE_NAMES, OUTSIDE_ADDRESSES };
enum directory_outside directory_outside(const struct directory *d);

/* The account that a login name means: "user", "user@domain" (as written, else "user" when the
 * domain is local). NULL when users_file and the
 * passwd-files of passdb have none. */
const struct passwd_user *directory_login(const struct directory *d, struct slice login);
/* The name to ask PAM for: the login without a local domain, lower-cased; data NULL when it can't
 * be a system account. */
struct slice directory_system_login(const struct directory *d, struct slice login, struct arena *a);

/* What a question comes with. System accounts are known elsewhere: the callback answers from what
 * is known by now. */
enum account_known { ACCOUNT_ABSENT, ACCOUNT_THERE, ACCOUNT_ASK };
/* A file that lists recipients and must be read by somebody who may (IPC FILE_READ has the fields).
 */
struct directory_wish {
    bool forward;      /* .forward; else :include: */
    struct slice user; /* as in a target (ipc.h) */
    struct slice path; /* forward: paths, each ended by NUL */
};
struct directory_found {
    struct slice path, bytes;
    unsigned owner;
    struct slice refused; /* why it must not be used, or could not be read; "" it was read */
};
struct directory_system {
    enum account_known (*known)(void *arg, struct slice name); /* NULL: there are none */
    void *arg;
    /* THERE: *ret is in the arena. NULL: no such file can be read. */
    enum account_known (*file)(void *arg, const struct directory_wish *wish, struct arena *a,
                               struct directory_found *ret);
    struct slice service; /* that the mail came in by, a listener's label: its mapping holds; ""
                             that of all */
    struct slice sender;  /* of the envelope, for the maps that go by it; "" the null sender */
    /* Told of each step of the way, for those who want it explained; may be NULL. */
    void (*step)(void *arg, const char *rule, struct slice where, struct slice from,
                 struct slice to);
    void *step_arg;
};

enum directory_kind { DIRECTORY_MAIL, DIRECTORY_COMMAND, DIRECTORY_FILE };
struct directory_target {
    bool local;
    struct slice account, detail; /* local */
    struct slice address;     /* remote, as it is to be sent; of COMMAND and FILE the recipient */
    struct slice route;       /* remote: "transport:nexthop"; "": to its own domain by SMTP */
    bool filter;              /* remote: the route is a content filter's */
    enum directory_kind kind; /* MAIL: local or remote */
    struct slice user, text;  /* COMMAND, FILE: as in a target (ipc.h) */
    struct slice owner;       /* the envelope sender that it gets; data NULL: the message's own */
    struct slice
        delivered;         /* the recipient whose alias or .forward led here; data NULL: none did */
    bool bcc;              /* of always_bcc and its like */
    struct slice copy_for; /* with bcc: the address that these named, complete */
};

/* Postfix's address classes. */
enum domain_class {
    CLASS_LOCAL,   /* mydestination, our own addresses */
    CLASS_ALIAS,   /* virtual_alias_domains */
    CLASS_MAILBOX, /* virtual_mailbox_domains */
    CLASS_RELAY,   /* relay_domains */
    CLASS_OTHER
};

enum resolve_kind {
    RESOLVE_LOCAL,      /* of a domain that we serve, and leads to `targets` (some may be remote) */
    RESOLVE_UNKNOWN,    /* nobody's, or refused by its transport: code, status and text say how */
    RESOLVE_FOREIGN,    /* not of a domain that we serve: `targets` is where it goes */
    RESOLVE_MALFORMED,  /* no address */
    RESOLVE_ASK,        /* find out about the system account `ask`, then resolve again */
    RESOLVE_BROKEN,     /* aliases too deep or too many, or no memory: `problem` says what */
    RESOLVE_UNAVAILABLE /* a table can't be asked now: `problem` says why */
};

struct resolved {
    enum resolve_kind kind;
    enum domain_class class;
    struct slice class_where; /* "main.cf:12": where its domain is said to be ours */
    bool routed;              /* foreign, and its user names a further domain: user%domain@there */
    struct slice full;        /* the address, completed */
    struct directory_address canonical; /* and changed by canonical maps; for copies */
    struct directory_target *targets;   /* without duplicates */
    size_t n;
    const char *rule;   /* what took it: "alias_maps", "users_file", "pam_service"; "" unknown */
    struct slice where; /* "/etc/postrider/aliases:12" */
    struct slice ask;   /* the account to ask about; "" … */
    const struct directory_wish *wish; /* … or the file; NULL: none */
    unsigned code;             /* UNKNOWN: 550, "5.1.1", "User unknown in local recipient table" */
    struct slice status, text; /* (without "Recipient address rejected: ") */
    const char *problem;       /* NULL, or why (a part of) it leads nowhere */
    struct slice problem_address;
};

/* Which way mail for an address that is not delivered here goes. */
struct route_choice {
    struct slice route; /* "transport:nexthop"; "": by SMTP to the address's own domain */
    const char *rule;   /* "relayhost", "transport_maps" … */
    struct slice where;
};
/* sender: "" is the null sender. What *ret points to lives in the arena (or the directory). FAILED:
 * can't be told now. */
MUST_USE enum result directory_route(const struct directory *d, struct slice address,
                                     struct slice sender, struct arena *a, struct route_choice *ret,
                                     struct error *err);

/* An address of a header field as canonical maps and masquerade_domains (of the service that the
 * message came in by) have it: text itself where nothing changes. FAILED: a table can't tell now.
 */
MUST_USE enum result directory_header_address(const struct directory *d, struct slice service,
                                              bool sender, struct slice text, struct arena *a,
                                              struct slice *ret, struct error *err);
/* An address as the smtp_generic_maps of a transport's service ("smtp/unix") have it, generic(5):
 * text itself where nothing changes. FAILED: a table can't tell now. */
MUST_USE enum result directory_generic(const struct directory *d, struct slice service,
                                       struct slice text, struct arena *a, struct slice *ret,
                                       struct error *err);
/* The envelope's sender as it goes on: completed, by canonical maps and masquerade_domains of the
 * service that the message came in by; `sender` itself where nothing changes it. FAILED: can't be
 * told now. */
MUST_USE enum result directory_sender(const struct directory *d, struct slice service,
                                      struct slice sender, struct arena *a, struct slice *ret,
                                      struct error *err);
/* Adds who else gets a message from this sender (as directory_sender gave it) for this recipient:
 * always_bcc, sender_bcc_maps, recipient_bcc_maps of system->service. May change r->kind to ASK,
 * UNAVAILABLE, BROKEN. */
void directory_add_copies(const struct directory *d, struct slice sender,
                          const struct directory_system *system, struct arena *a,
                          struct resolved *r);
/* Must questions be asked on a helper thread, since a table waits for a server? */
bool directory_waits(const struct directory *d);

/* The addresses that canonical maps and virtual aliases of a service make of one that leads
 * somewhere, and no further: as targets without a route. Of kind UNAVAILABLE, BROKEN or MALFORMED
 * it has none. Lives as directory_resolve's. */
void directory_map_address(const struct directory *d, struct slice address, struct slice service,
                           struct arena *a, struct resolved *ret);
/* Which recipients exist is said by the maps of all mail, even where a service maps its own
 * otherwise; what leads nowhere then comes back later (the transport error), as with Postfix, where
 * smtpd knows recipients and cleanup maps them. All of *ret lives in the arena (or the directory).
 */
void directory_resolve(const struct directory *d, struct slice address,
                       const struct directory_system *system, struct arena *a,
                       struct resolved *ret);

/* May ETRN ask for the domain's mail (fast_flush_domains)? OK, NOT_FOUND, or FAILED: a table can't
 * tell now. */
MUST_USE enum result directory_flushes(const struct directory *d, struct slice domain,
                                       struct arena *a, struct error *err);

#endif
