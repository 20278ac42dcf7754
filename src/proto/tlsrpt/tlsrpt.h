/* tlsrpt.h: TLS-RPT (RFC 8460) as text: the TXT record that says who wants reports of how mail to a
 * domain went under TLS, what is counted for them, and the reports. No I/O: role/relay counts,
 * role/mailbox keeps and sends (docs/formats/tlsrpt.md).
 *
 *   record.c  the TXT record at _smtp._tls.DOMAIN
 *   row.c     what is counted, as key and value
 *   report.c  the report as JSON, and as a message that carries it */
#ifndef PROTO_TLSRPT_TLSRPT_H
#define PROTO_TLSRPT_TLSRPT_H

#include "base/buf.h"

enum {
    TLSRPT_RUA_MAX = 4,      /* reports of one domain; further ones are passed over */
    TLSRPT_URI_MAX = 500,    /* bytes */
    TLSRPT_POLICY_MAX = 4096 /* bytes of a policy's text that are told */
};

/* ---- record.c ---- */
/* Of the TXT records of _smtp._tls.DOMAIN: where its reports go, "mailto:a@b" or "https://…";
 * pointing into them. NOT_FOUND: none is of TLS-RPT; INVALID: malformed, or several (3). */
MUST_USE enum result tlsrpt_record(const struct slice *records, size_t n,
                                   struct slice ret_rua[static TLSRPT_RUA_MAX], size_t *ret_n);
/* The address of "mailto:a@b?…". INVALID. */
MUST_USE enum result tlsrpt_mailto(struct slice uri, struct slice *ret);
/* The host of "https://host/…"; a port other than 443 is not taken. INVALID. */
MUST_USE enum result tlsrpt_https(struct slice uri, struct slice *ret_host);

/* ---- row.c ---- */
/* Sessions of one kind, on one day (UTC, days since 1970). */
struct tlsrpt_row {
    uint32_t day;
    struct slice domain; /* the policy's */
    struct slice type;   /* "sts", "tlsa", "no-policy-found" */
    struct slice mx;     /* host; "": none was reached */
    struct slice result; /* "": success; else as in 4.3: "certificate-expired" */
    uint64_t count;
    /* Of the last such session: */
    struct slice policy; /* a line each: of the policy's file, or TLSA records */
    struct slice sender_ip, mx_ip, reason;
};
/* Key behind the table's prefix; it sorts by day, domain, type. */
void tlsrpt_row_key(const struct tlsrpt_row *r, struct buf *out);
void tlsrpt_row_value(const struct tlsrpt_row *r, struct buf *out);
/* Slices point into both. CORRUPT. */
MUST_USE enum result tlsrpt_row_read(struct slice key, struct slice value, struct tlsrpt_row *ret);
/* Is it what may be counted: the types and results that there are, texts within their limits? */
bool tlsrpt_row_valid(const struct tlsrpt_row *r);

/* ---- report.c ---- */
struct tlsrpt_report {
    struct slice organization, contact, id; /* of who reports; id: the report's own */
    struct slice domain;
    uint32_t day;
    const struct tlsrpt_row *rows; /* of this domain and day, in the order of their keys */
    size_t n_rows;
};
/* RFC 8460 4.4. */
void tlsrpt_json(const struct tlsrpt_report *r, struct buf *out);
/* FAILED: no memory. LIMIT: out is too small. */
MUST_USE enum result tlsrpt_gzip(struct slice bytes, struct buf *out);
/* The report in a message (5.3). from: an address; submitter: our name; now_s: for Date. */
struct tlsrpt_mail {
    struct slice from, to, submitter;
    int64_t now_s;
    struct slice gzip; /* of the JSON */
};
void tlsrpt_message(const struct tlsrpt_report *r, const struct tlsrpt_mail *m, struct buf *out);

#endif
