/* resolve.h: one address on its way through maps and aliases to its targets: what the files share
 * that walk it. Internal to auth/.
 *
 *   resolve.c   the way: canonical and virtual aliases, then the class's end
 *   local.c     names of this host: aliases, accounts
 *   expand.c    what aliases have beside addresses
 *   forward.c   .forward, luser_relay
 *   listed.c    whether it is on the list of its class
 *   targets.c   what is found */
#ifndef AUTH_RESOLVE_H
#define AUTH_RESOLVE_H

#include "auth/directory_impl.h"

enum { INCLUDES_MAX = 100 };

/* A name and its domain, in the forms that tables are asked with. */
struct names {
    struct slice given;  /* as written */
    struct slice local;  /* lower-cased, with detail */
    struct slice base;   /* without delimiter and detail; == local when there is none */
    struct slice detail; /* as written */
    struct slice domain; /* folded; data NULL: none, a local name */
};

enum chain_source { SOURCE_ALIAS, SOURCE_INCLUDE, SOURCE_FORWARD };

/* What led to the list being expanded. */
struct chain {
    const struct chain *up;
    const struct alias *alias; /* ALIAS */
    struct slice address;      /* a virtual alias: the address; data NULL otherwise */
    unsigned virtual_depth;
    struct slice forward_of; /* FORWARD: the account; data NULL otherwise */
    unsigned depth;
    enum chain_source source;
    struct slice user;      /* whose rights, as in a target (ipc.h) */
    struct slice owner;     /* the envelope sender; data NULL: the message's */
    struct slice recipient; /* on whose behalf, innermost */
    struct slice delivered; /* and outermost, or as frozen_delivered_to says */
};

struct walk {
    const struct directory *d;
    const struct mapping *mapping;
    bool unchecked;  /* whom nobody knows gets the mail of the transport error */
    bool maps_alone; /* what maps make of it is wanted, not where that leads */
    const struct directory_system *system;
    struct arena *arena;
    struct resolved *out;
    const struct chain *here; /* the list being expanded; NULL: none */
    uint64_t *hashes;         /* of the targets, to find duplicates quickly */
    size_t room;
    const struct alias **expanded; /* so that two ways to one alias cost no more than one */
    size_t n_expanded;
    struct slice included[INCLUDES_MAX]; /* files, likewise */
    size_t n_included;
    size_t n_virtual; /* addresses that virtual_alias_maps made */
    bool stop;        /* ASK, BROKEN or UNAVAILABLE: the result is decided */
};

/* ---- resolve.c ---- */
/* An address that aliases lead to, from the maps on. False: it leads nowhere. */
bool resolve_address(struct walk *w, const struct directory_address *address,
                     const struct chain *up);

/* ---- listed.c ---- */
/* An address in one of the maps, by the rules of its domain. */
MUST_USE enum result resolve_find(struct walk *w, enum directory_map m,
                                  const struct directory_address *address, struct table_match *ret,
                                  struct slice *ret_detail, struct error *err);
/* "550 5.1.1 User unknown in … table", by the class; unchecked: taken, and to come back. */
void resolve_refuse_unknown(struct walk *w, const struct directory_address *address);
/* An error transport's words. */
void resolve_refuse_by_transport(struct walk *w, const struct way *way);
/* Would it be somebody's here, though its transport takes it elsewhere? */
bool resolve_is_known(struct walk *w, const struct directory_address *address,
                      enum domain_class class);
/* `taken` by an alias or account, does local_recipient_maps know it? leads: it goes somewhere
 * anyway. */
void resolve_check_local(struct walk *w, const struct directory_address *address, bool taken,
                         bool leads);
void resolve_check_relay(struct walk *w, const struct directory_address *address);

/* ---- targets.c ---- */
void resolve_give_up(struct walk *w, const char *problem, struct slice address);
/* A table can't tell now. */
void resolve_unavailable(struct walk *w, const struct error *err);
/* A part of an alias that leads nowhere: the rest of it is still served. */
void resolve_note(struct walk *w, const char *problem, struct slice address);
/* One copy for an account, whatever the details that led there; one run of a command. */
void resolve_add(struct walk *w, const struct directory_target *t);
void resolve_add_way(struct walk *w, const struct way *way,
                     const struct directory_address *address);
/* A route "transport:nexthop" that the address itself has. data NULL: no memory, and given up. */
void resolve_add_route(struct walk *w, struct slice address, struct slice route);
/* Names the rule that took the address that was asked for: the first one counts. */
void resolve_took(struct walk *w, const char *rule, const char *file, size_t file_len,
                  unsigned line);
void resolve_took_where(struct walk *w, const char *rule, struct slice where);
/* Tells who listens (directory_system.step) of a step. */
void resolve_step(struct walk *w, const char *rule, struct slice where, struct slice from,
                  struct slice to);

/* ---- local.c ---- */
/* An address that ends on this host. False when nobody has it (and nothing was added). */
bool resolve_local(struct walk *w, const struct directory_address *address, const struct chain *up,
                   bool account_only);
/* An address of virtual_mailbox_domains: in users_file, or listed in virtual_mailbox_maps. */
bool resolve_mailbox(struct walk *w, const struct directory_address *address, bool listed);
/* "local@domain"; data NULL without a domain or memory. */
struct slice resolve_join(const struct walk *w, struct slice local, struct slice domain);
/* Every item of a list. */
void resolve_list(struct walk *w, struct slice_list items, const struct chain *here);

/* ---- expand.c ---- */
/* The whole address of a local name. */
struct slice resolve_recipient(const struct walk *w, const struct names *n);
/* What Delivered-To says of a recipient that `up` led to. */
struct slice resolve_delivered(const struct walk *w, const struct chain *up,
                               struct slice recipient);
/* Whose rights the alias's commands and files get. False: no memory, and given up. */
bool resolve_rights(struct walk *w, const struct alias *a, struct chain *here);
/* The envelope sender of what the alias sends on; data NULL: the message's. */
struct slice resolve_owner(struct walk *w, const struct alias *a, const struct names *n,
                           const struct chain *up);
void resolve_served(struct walk *w, enum alias_item kind, struct slice text,
                    const struct chain *here);
void resolve_include(struct walk *w, struct slice path, const struct chain *here);
/* Reads a file of recipients. False: there is none, or w->stop. */
bool resolve_read(struct walk *w, const struct directory_wish *wish, struct slice what,
                  struct directory_found *ret);
/* Everything that a file lists; rule (may be NULL) is what took it then. False: it is empty. */
bool resolve_file_list(struct walk *w, const struct directory_found *f, const char *rule,
                       const struct chain *here);

/* ---- forward.c ---- */
/* True when the account's .forward took the mail, or must be asked for first. */
bool resolve_forward(struct walk *w, struct slice account, struct slice detail);
/* True when luser_relay took what nobody has. */
bool resolve_luser(struct walk *w, const struct names *n);

#endif
