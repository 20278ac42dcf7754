/* address.h: mail addresses: SMTP's Mailbox and Path (RFC 5321 4.1.2, RFC 6531 3.3) and the address
 * lists of header fields (RFC 5322 3.4 with the obsolete forms of 4.4).
 *
 * SMTP's parser is strict, since it decides where mail goes; the header's parser takes anything,
 * since it only tells what is there. */
#ifndef MIME_ADDRESS_H
#define MIME_ADDRESS_H

#include "base/buf.h"
#include "base/cursor.h"

enum {
    ADDRESS_LOCAL_MAX = 64,   /* RFC 5321 4.5.3.1.1 */
    ADDRESS_DOMAIN_MAX = 255, /* 4.5.3.1.2 */
    ADDRESS_MAX = 254         /* 4.5.3.1.3: a path with its brackets has at most 256 octets */
};

/* Slices point into what was parsed. */
struct address {
    struct slice local;  /* as written, a quoted one with its quotes; empty: the null path <> */
    struct slice domain; /* as written, a literal with its brackets; empty: <postmaster> */
    bool literal;        /* domain is [1.2.3.4] or [IPv6:…] */
    bool utf8;           /* has bytes above 127: needs SMTPUTF8 to be passed on */
    bool final_dot;      /* behind the domain stood a dot, which is not in `domain` */
};

enum address_options {
    ADDRESS_UTF8 = 1,      /* bytes above 127 are allowed (and must be UTF-8) */
    ADDRESS_NULL = 2,      /* <> is allowed */
    ADDRESS_NO_DOMAIN = 4, /* <local> without a domain is allowed */
    ADDRESS_BARE = 8,      /* a path may stand without its brackets */
    ADDRESS_FINAL_DOT = 16 /* "user@example.org.": taken, the dot is dropped */
};

/* A whole text is one Mailbox: local-part@domain. INVALID or LIMIT. */
MUST_USE enum result address_parse(struct slice text, unsigned options, struct address *ret);
/* Takes a path off the front: "<@route:local@domain>" (RFC 5321 4.1.2). A source route is checked
 * and dropped, as 4.1.1.3 and appendix C want it. On failure the cursor stays where it was. */
MUST_USE enum result address_parse_path(struct cursor *c, unsigned options, struct address *ret);

/* The normal form, which two addresses of one mailbox share as far as a stranger can tell (RFC 5321
 * 2.4: case of the local part counts): unneeded quotes off, domain in lower case and as A-labels.
 * INVALID when the domain can't be an IDN. */
MUST_USE enum result address_normal(const struct address *a, struct buf *out);
/* For addresses that are ours: the normal form with the local part's case folded too. */
MUST_USE enum result address_folded(const struct address *a, struct buf *out);
/* Appends the local part without quotes and backslashes. */
void address_unquote(struct slice local, struct buf *out);
/* Appends a local part, quoted where it needs to be. */
void address_quote(struct slice unquoted, struct buf *out);

/* "user+detail" with the characters of recipient_delimiter: at the first one of them that is not
 * the first character. Without one detail is empty (data == NULL). Takes an unquoted local part.
 * Not split: postmaster, mailer-daemon and double-bounce (as Postfix does). */
void address_split_detail(struct slice local, struct slice delimiters, struct slice *ret_user,
                          struct slice *ret_detail);

/* A host name of letters, digits, hyphens (and underscores, which exist), with labels of 1 to 63;
 * utf8: also U-labels. One trailing dot is not taken. */
bool domain_valid(struct slice domain, bool utf8);
/* Lower case, U-labels as A-labels (IDNA 2008 with UTS 46 mapping). INVALID when it can't be. A
 * literal is copied in lower case. */
MUST_USE enum result domain_to_ascii(struct slice domain, struct buf *out);
/* The same domain, whatever the case and the form of their labels? */
bool domain_equal(struct slice a, struct slice b);
/* [1.2.3.4], [IPv6:…] */
bool domain_is_literal(struct slice domain);

/* ---- lists in header fields ---- */

enum { ADDRESS_LIST_MAX = 10000, ADDRESS_LIST_BYTES_MAX = 256 * 1024 };

struct address_item {
    enum { ADDRESS_MAILBOX, ADDRESS_GROUP, ADDRESS_GROUP_END } kind;
    /* Quotes, comments and folding are gone; RFC 2047 words are as they were. name: display name,
     * or the comment behind an address (RFC 822's way), or a group's name. domain may be empty. */
    struct slice name, route, local, domain;
};

/* Calls each for every address of the field's body, in order, until it returns false. Slices live
 * for the call. Anything unreadable is skipped up to the next comma. Reads at most
 * ADDRESS_LIST_BYTES_MAX. False: something was unreadable (checks want to know it). */
bool address_list_each(struct slice body, bool (*each)(void *arg, const struct address_item *item),
                       void *arg);

#endif
