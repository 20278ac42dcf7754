/* directory_impl.h: the directory's inside, shared by the files that look things up in it. */
#ifndef AUTH_DIRECTORY_IMPL_H
#define AUTH_DIRECTORY_IMPL_H

#include "auth/address.h"
#include "auth/directory.h"
#include "auth/maps.h"
#include "auth/match.h"
#include "base/map.h"

#include <stdatomic.h>

/* A passwd-file that passdb or userdb names. */
struct account_file {
    char *path;
    struct passwd_file *file;
};

/* What cleanup(8) does to addresses, for all mail or for that of one service. */
struct mapping {
    struct slice service; /* a listener's label; "" all */
    const struct conf *conf;
    const struct map_sets *maps; /* canonical, virtual aliases, copies */
    bool off;                    /* no_address_mappings */
    bool unchecked;              /* no_unknown_recipient_checks */
};

struct directory {
    atomic_uint refs;
    const struct conf *conf;
    struct passwd_file *users;
    char *users_path;
    struct account_file *files;
    size_t n_files;
    struct auth_databases pass, user; /* in the order in which they are asked */
    struct aliases *aliases;
    struct arena mem;        /* of the maps' arrays */
    struct match_list local; /* mydestination, and address literals of our own */
    struct match_list alias_domains, mailbox_domains, relay_domains;
    struct match_list flush_domains; /* fast_flush_domains */
    bool
        domains_broken; /* a domain list could not be read whole: foreign can't be told from ours */
    struct map_sets maps;
    struct mapping mapping; /* of all mail … */
    struct mapping *own;    /* … and of services that have another */
    size_t n_own;
    struct table_finder tables;         /* of all settings */
    bool lists_accounts, lists_aliases; /* local_recipient_maps holds them */
    void (*release)(void *arg);         /* of the tables */
    void *release_arg;
};

/* Is it a domain of mydestination? OK, NOT_FOUND, FAILED: can't be told now. */
MUST_USE enum result directory_is_local(const struct directory *d, struct slice folded_domain,
                                        struct arena *a, struct error *err);
/* The class of a domain, and where it is said: "main.cf:12", "/etc/postfix/relay:3". data NULL: a
 * local name. FAILED: can't be told now. */
MUST_USE enum result directory_class(const struct directory *d, struct slice folded_domain,
                                     struct arena *a, enum domain_class *ret,
                                     struct slice *ret_where, struct error *err);

/* Where the mail of one address goes: here, or by a route. */
enum route_end { END_ROUTE, END_LOCAL, END_MAILBOX };
struct way {
    enum route_end end;
    enum domain_class class;
    struct slice transport, nexthop; /* of a route */
    const char *rule;                /* "transport_maps", "relayhost" … */
    struct slice where;
};
/* FAILED: can't be told now. */
MUST_USE enum result directory_way(const struct directory *d,
                                   const struct directory_address *address, struct slice sender,
                                   struct arena *a, struct way *ret, struct error *err);
/* "transport:nexthop", or "" for SMTP to the address's own domain; data NULL: no memory. */
struct slice way_route(const struct way *w, const struct directory_address *address,
                       struct arena *a);
/* Are addresses of this domain looked up by user alone too (virtual(5))? */
bool directory_short_keys(const struct directory *d, struct slice domain, struct arena *a);
/* propagate_unmatched_extensions: "canonical", "virtual", "alias" … */
bool directory_propagates(const struct conf *c, const char *table);

/* mapping.c: d->maps is there before. FAILED: no memory. */
MUST_USE enum result directory_add_mappings(struct directory *d, const struct table_finder *tables,
                                            void (*each_missing)(void *arg, const char *setting,
                                                                 struct slice spec),
                                            void *arg);
/* That of a service, else d->mapping. */
const struct mapping *directory_mapping(const struct directory *d, struct slice service);
bool directory_mapping_waits(const struct directory *d);

/* canonical.c: an envelope address by the canonical maps and masquerade_domains. *ret (may be NULL)
 * says whether a map changed it, and the last entry that did. FAILED: can't be told now. */
enum address_of { ADDRESS_OF_SENDER, ADDRESS_OF_RECIPIENT };
struct canonical_change {
    bool changed;
    const char *rule;   /* "canonical_maps" … */
    struct slice where; /* "/etc/postfix/canonical:3" */
};
MUST_USE enum result directory_canonical(const struct directory *d, const struct mapping *m,
                                         enum address_of of, struct directory_address *address,
                                         struct arena *a, struct canonical_change *ret,
                                         struct error *err);

/* mailbox_transport, fallback_transport: "transport:nexthop" with the domain where it names no next
 * hop. END_MAILBOX: it is ourselves. */
void directory_named_way(const struct directory *d, struct slice setting, const char *rule,
                         struct slice domain, struct way *ret);

/* The part before the last @, when what is behind it is a local domain; data NULL otherwise. */
struct slice directory_local_user(const struct directory *d, struct slice login);

/* directory_db.c: d->users is read before. FAILED: no memory. */
MUST_USE enum result directory_add_databases(struct directory *d, const struct directory_source *s,
                                             directory_problem_fn *problem, void *arg);
void directory_free_databases(struct directory *d);

#endif
