/* structure.h: the tree of MIME parts of a message (RFC 2046 5.1), found in one pass over its lines
 * whatever the nesting. Internal to mime/; the rest of the program sees summaries. */
#ifndef MIME_STRUCTURE_H
#define MIME_STRUCTURE_H

#include "base/slice.h"

enum node_kind { NODE_LEAF, NODE_MULTIPART, NODE_MESSAGE };

/* How the type is to be told, when not as the header says. */
enum node_type {
    TYPE_AS_WRITTEN,
    TYPE_TEXT, /* text/plain: no or no readable Content-Type (RFC 2045 5.2), or an empty multipart
                */
    TYPE_MESSAGE, /* message/rfc822: no Content-Type within multipart/digest (RFC 2046 5.1.5) */
    TYPE_OPAQUE   /* application/octet-stream: beyond a limit */
};

/* In document order; children follow their parent. The body of a message (top or enclosed) is a
 * node of its own, whose header is that message's. */
struct node {
    enum node_kind kind;
    enum node_type type;
    unsigned depth;
    bool digest; /* a multipart whose parts are messages when they don't say otherwise */
    size_t header_from, header_len;
    size_t body_from, body_len;
    uint64_t lines; /* line ends in the body */
};

struct structure {
    struct slice message;
    struct node *nodes;
    size_t n;
};

/* Beyond max_parts (at least 1) and max_depth what is inside is not looked at. FAILED: no memory.
 */
MUST_USE enum result structure_parse(struct slice message, size_t max_parts, unsigned max_depth,
                                     struct structure *ret);
void structure_release(struct structure *s);

static inline struct slice node_header(const struct structure *s, const struct node *n)
{
    return slice_sub(s->message, n->header_from, n->header_len);
}

#endif
