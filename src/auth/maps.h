/* maps.h: the directory's lookup tables by the names of their settings, and the rules that all
 * address maps share (canonical(5), virtual(5)): which keys an address is looked up by, and what
 * becomes of the +detail that the key lacked. */
#ifndef AUTH_MAPS_H
#define AUTH_MAPS_H

#include "auth/address.h"
#include "auth/match.h"
#include "conf/conf.h"

#define DIRECTORY_MAPS(X)                                                                          \
    X(local_recipient_maps)                                                                        \
    X(virtual_alias_maps)                                                                          \
    X(virtual_mailbox_maps)                                                                        \
    X(relay_recipient_maps)                                                                        \
    X(canonical_maps)                                                                              \
    X(sender_canonical_maps)                                                                       \
    X(recipient_canonical_maps)                                                                    \
    X(sender_bcc_maps)                                                                             \
    X(recipient_bcc_maps)                                                                          \
    X(relocated_maps)                                                                              \
    X(mailbox_command_maps)                                                                        \
    X(mailbox_transport_maps)                                                                      \
    X(fallback_transport_maps)                                                                     \
    X(transport_maps)                                                                              \
    X(sender_dependent_relayhost_maps)                                                             \
    X(sender_dependent_default_transport_maps)

#define DIRECTORY_MAP_ENUM(name) MAP_##name,
enum directory_map { DIRECTORY_MAPS(DIRECTORY_MAP_ENUM) MAP_COUNT };
const char *directory_map_name(enum directory_map m);

/* One setting's tables. */
struct map_set {
    struct tables tables;
    struct slice missing; /* the first that could not be opened: nothing is told without it */
};
struct map_sets {
    struct map_set of[MAP_COUNT];
    bool any;   /* there is a table */
    bool waits; /* one of them asks a server */
};

/* Finds the tables of all settings. each_missing is told of those that are not there. The arrays
 * live in the arena. FAILED: no memory. */
MUST_USE enum result
map_sets_open(struct map_sets *s, const struct conf *c, const struct table_finder *tables,
              struct arena *a,
              void (*each_missing)(void *arg, const char *setting, struct slice spec), void *arg);

/* One setting's alone; the others stay as they are. */
MUST_USE enum result
map_sets_open_one(struct map_sets *s, enum directory_map m, const struct conf *c,
                  const struct table_finder *tables, struct arena *a,
                  void (*each_missing)(void *arg, const char *setting, struct slice spec),
                  void *arg);

static inline bool map_is_empty(const struct map_sets *s, enum directory_map m)
{
    return s->of[m].tables.n == 0 && s->of[m].missing.len == 0;
}

/* FAILED: can't be told now (err says why). */
MUST_USE enum result map_find_key(const struct map_sets *s, enum directory_map m, struct slice key,
                                  struct arena *a, struct table_match *ret, struct error *err);
MUST_USE enum result map_find_address(const struct map_sets *s, enum directory_map m,
                                      const struct directory_address *address,
                                      struct slice delimiters, bool local_domain, struct arena *a,
                                      struct table_match *ret, struct slice *ret_detail,
                                      struct error *err);

/* An address as tables are asked for it: without quotes. data NULL: no memory. */
struct slice address_key(const struct directory_address *address, struct arena *a);

/* The addresses of a map's result, completed: "@other" stands for the same user there, `detail` is
 * put behind each user. At most `limit`; LIMIT: there are more. INVALID: it holds no address. */
MUST_USE enum result map_addresses(struct slice value, const struct directory_address *from,
                                   struct slice detail, size_t limit, struct arena *a,
                                   struct directory_address **ret, size_t *ret_n);

#endif
