/* sts.h: MTA-STS (RFC 8461) as text: the TXT record that says that a domain has a policy and which
 * one, the policy itself, and what is kept of both. No I/O: role/relay asks DNS and the web server,
 * mailbox keeps the entries (docs/formats/sts.md), and all of it reads what strangers wrote.
 *
 *   record.c  the TXT record at _mta-sts.DOMAIN
 *   policy.c  the policy, and which MX hosts it names
 *   entry.c   a kept policy: its bytes, and when it is fetched again */
#ifndef PROTO_STS_STS_H
#define PROTO_STS_STS_H

#include "base/buf.h"

enum {
    STS_ID_MAX = 32,                /* characters (RFC 8461 3.1) */
    STS_POLICY_BYTES_MAX = 65536,   /* of the file (3.2 wants a limit, and names this one) */
    STS_MX_MAX = 100,               /* patterns of a policy */
    STS_MAX_AGE_MAX = 31557600,     /* seconds, a year; what says more means this (3.2) */
    STS_RETRY_AFTER_S = 300,        /* a failed fetch is not repeated sooner (3.3) */
    STS_REFRESH_AFTER_S = 24 * 3600 /* a policy is fetched again though its id is the same (5.1) */
};

/* ---- record.c ---- */
/* A next hop's domain as its policy is asked for: lower case, A-labels. INVALID: it is none. */
enum { STS_DOMAIN_SIZE = 256 };
MUST_USE enum result sts_domain(struct slice nexthop, char out[static STS_DOMAIN_SIZE]);
/* Of the TXT records of _mta-sts.DOMAIN: the policy's id, which points into them. NOT_FOUND: none
 * is of MTA-STS; INVALID: one is malformed, or there are several: as if there were none (3.1). */
MUST_USE enum result sts_record(const struct slice *records, size_t n, struct slice *ret_id);

/* ---- policy.c ---- */
enum sts_mode { STS_MODE_NONE, STS_MODE_TESTING, STS_MODE_ENFORCE };
const char *sts_mode_name(enum sts_mode m); /* "enforce" */

struct sts_policy {
    enum sts_mode mode;
    uint32_t max_age; /* seconds */
    size_t n_mx;
    struct slice mx[STS_MX_MAX]; /* "mail.example.org", "*.example.org"; they point into the text */
};
/* INVALID with the reason, or LIMIT; unknown fields are passed over, of a repeated one the first
 * counts (3.2). */
MUST_USE enum result sts_policy_parse(struct slice text, struct sts_policy *ret, struct error *err);
/* The same policy again, without what no one asks for: what is kept. */
void sts_policy_write(const struct sts_policy *p, struct buf *out);
/* Is the host one of the policy's (4.1)? "*." stands for one label. */
bool sts_policy_names(const struct sts_policy *p, struct slice host);

/* ---- entry.c ---- */
/* What is known of a domain. Slices point into the bytes that it was read from. */
struct sts_entry {
    struct slice id;     /* of the policy; "": there is none */
    struct slice policy; /* as sts_policy_write has it; "": none was ever fetched */
    int64_t fetched_s;   /* when it was, seconds since 1970 */
    int64_t until_s;     /* it holds so long */
    int64_t failed_s;    /* when a fetch failed since; 0: none did */
};
void sts_entry_write(const struct sts_entry *e, struct buf *out);
/* CORRUPT. */
MUST_USE enum result sts_entry_read(struct slice bytes, struct sts_entry *ret);
/* Is there a policy that still holds? */
bool sts_entry_holds(const struct sts_entry *e, int64_t now_s);
/* The record says that the domain has the policy `id` ("": no record): is it to be fetched now?
 * What holds goes on where it fails, and where the record is gone (RFC 8461 5.1). */
bool sts_entry_stale(const struct sts_entry *e, struct slice id, int64_t now_s);
/* The entry after a fetch; policy: the text as `p` was read from. The slices stay the caller's. */
struct sts_entry sts_entry_fetched(const struct sts_policy *p, struct slice written,
                                   struct slice id, int64_t now_s);

#endif
