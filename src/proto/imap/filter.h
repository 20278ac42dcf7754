/* filter.h: which mailboxes are meant (RFC 5465 6, RFC 7377 2.2). Inside proto/imap only. */
#ifndef PROTO_IMAP_FILTER_H
#define PROTO_IMAP_FILTER_H

#include "proto/imap/command.h"

enum imap_filter_kind {
    FILTER_SELECTED,
    FILTER_SELECTED_DELAYED, /* NOTIFY alone */
    FILTER_INBOXES,          /* where mail is delivered */
    FILTER_PERSONAL,         /* all of the account's */
    FILTER_SUBSCRIBED,
    FILTER_SUBTREE,
    FILTER_SUBTREE_ONE, /* one level of it */
    FILTER_MAILBOXES
};

struct imap_filter {
    struct imap_filter *next;
    enum imap_filter_kind kind;
    struct slice *names;
    size_t n;
};

/* "personal", "subtree (a b)"; fails. NULL: no memory, or failed. */
struct imap_filter *imap_filter_parse(struct imap_parser *p);
/* Never the selected one as such: false for these filters. */
bool imap_filter_matches(const struct imap_filter *f, char separator,
                         const struct imap_mailbox_info *m);

#endif
