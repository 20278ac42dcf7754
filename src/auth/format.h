/* format.h: Dovecot's %variables in user names and queries: %u %n %d %s %r %l, with L, U and D
 * before the letter, %{user} %{username} %{domain} %{service} …, and 2.4's filters "%{user | lower
 * | username}". Who calls it: the login's journey through passdb and userdb. doc.dovecot.org:
 * "config variables". */
#ifndef AUTH_FORMAT_H
#define AUTH_FORMAT_H

#include "base/buf.h"

enum { FORMAT_VALUE_MAX = 64 * 1024 };

struct format_names {
    struct slice user; /* the whole name: "user@domain" or "user" */
    struct slice service, client_ip, local_ip, password;
};

/* How a value is put into a query ("" what it can't hold is left out); NULL: as it is. */
typedef void format_escape_fn(void *arg, struct slice value, struct buf *out);

/* Appends. INVALID with the reason: a variable or filter that there is not. LIMIT: too long. */
MUST_USE enum result format_put(struct slice format, const struct format_names *n,
                                format_escape_fn *escape, void *arg, struct buf *out,
                                struct error *why);

/* Is every variable of the format known? */
MUST_USE enum result format_check(struct slice format, struct error *why);

#endif
