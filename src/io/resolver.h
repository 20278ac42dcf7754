/* resolver.h: DNS through libunbound, which caches, follows aliases and validates in a thread of
 * its own. The answers come to a task of the engine.
 *
 * What needs files (resolv.conf, hosts) is done in resolver_new, before the sandbox closes; the
 * thread starts with the first question, inside it. */
#ifndef IO_RESOLVER_H
#define IO_RESOLVER_H

#include "base/buf.h"
#include "io/io.h"

enum {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_PTR = 12,
    DNS_MX = 15,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_TLSA = 52
};
enum { RESOLVER_ANSWERS_MAX = 64, RESOLVER_UNDER_WAY_MAX = 10000 };

struct resolver;

struct resolver_options {
    const char *forward; /* "host:port", "[v6]:port" of a resolver to ask; NULL or "": the system's
                            (resolv.conf), or when it names none, from the root down */
    struct slice system; /* "address\n" of each of the system's resolvers, for where its files can't
                            be read any more (resolver_system); data NULL: read them now */
    struct slice
        anchors; /* DNSSEC: trust anchors, a DS or DNSKEY record a line (comments begin with
                    ';'); "": nothing is validated */
};
/* The resolvers that /etc/resolv.conf names, in the form of `system` above; without the file none.
 */
void resolver_system(struct buf *out);

/* INVALID: the options are wrong. */
MUST_USE enum result resolver_new(const struct resolver_options *o, struct resolver **ret,
                                  struct error *err);
MUST_USE enum result resolver_start(struct resolver *r, struct io_engine *e, struct error *err);
/* Nobody will ask it again: when the questions under way are answered it frees itself, in its own
 * task, and tells `gone` first. */
void resolver_retire(struct resolver *r, void (*gone)(void *arg, struct resolver *r), void *arg);
/* The engine does not run any more; questions under way are forgotten, their `fn` not called. */
void resolver_free(struct resolver *r);

enum resolver_outcome {
    RESOLVER_FOUND,
    RESOLVER_NO_NAME,  /* NXDOMAIN */
    RESOLVER_NO_DATA,  /* the name exists, but nothing of this type */
    RESOLVER_TEMPORARY /* no answer, SERVFAIL, or an answer that failed validation */
};
struct resolver_answer {
    enum resolver_outcome outcome;
    bool secure; /* validated */
    unsigned type;
    const char *canonical; /* the end of the aliases (CNAME), without its final dot; "": none */
    size_t n;              /* at most RESOLVER_ANSWERS_MAX */
    struct slice records[RESOLVER_ANSWERS_MAX]; /* rdata; names in it are not compressed */
};
/* Called once from the resolver's task; the answer lives until it returns. */
typedef void resolver_fn(void *arg, const struct resolver_answer *a);

/* From any thread. BUSY: too many under way; FAILED; INVALID (no name): fn is not called. */
MUST_USE enum result resolver_ask(struct resolver *r, const char *name, unsigned type,
                                  resolver_fn *fn, void *arg);

/* Readings of a record. The name comes without its final dot, labels joined by dots; "" is the
 * root. INVALID: malformed, or a label holds what no host's name may. */
MUST_USE enum result resolver_mx(struct slice record, uint16_t *ret_preference, struct buf *name);
MUST_USE enum result resolver_name(struct slice record, struct buf *name);
/* As text: "192.0.2.1", "10 mx.example.org", "text". */
MUST_USE enum result resolver_text(unsigned type, struct slice record, struct buf *out);

#endif
