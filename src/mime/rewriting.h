/* rewriting.h: the addresses of a message that somebody else may turn into others: collected once
 * each, asked for all together, then put in the places where they stood. Who calls it: edge
 * (canonical maps) and relay (smtp_generic_maps); auth makes the answers. */
#ifndef MIME_REWRITING_H
#define MIME_REWRITING_H

#include "base/arena.h"
#include "base/map.h"

enum { REWRITING_MAX = 1000, REWRITING_BYTES_MAX = 60 * 1024 };

struct rewriting {
    struct arena *arena; /* the caller's */
    struct map known;    /* "s" or "r" and the address -> its place in made */
    size_t n, bytes;
    bool left_out;                       /* some did not fit in: they stay as they are */
    struct slice classes[REWRITING_MAX]; /* "s": a sender's, "r": a recipient's */
    struct slice addresses[REWRITING_MAX];
    struct slice made[REWRITING_MAX]; /* the answers; "" where there is none yet */
};

void rewriting_init(struct rewriting *r, struct arena *a);
void rewriting_release(struct rewriting *r);

/* Takes an address up, unless it is known or there are too many. The first is submission_addresses'
 * callback (arg is the struct rewriting); the second takes an envelope's address, "" is none. */
void rewriting_add(void *arg, bool sender, struct slice local, struct slice domain);
void rewriting_add_text(struct rewriting *r, bool sender, struct slice address);

/* What became of an address. The first is a submission_map_fn: false where it stays as it is. */
bool rewriting_find(void *arg, bool sender, struct slice local, struct slice domain,
                    struct slice *ret);
struct slice rewriting_find_text(const struct rewriting *r, bool sender, struct slice address);

#endif
