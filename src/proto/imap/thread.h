/* thread.h: the trees of THREAD (RFC 5256 3). thread_tree.c links messages by the ids that they
 * name, thread_group.c takes roots together by subject; cmd_thread.c reads and tells. No function
 * recurses: a thread may be as deep as a mailbox is long. Inside proto/imap only. */
#ifndef PROTO_IMAP_THREAD_H
#define PROTO_IMAP_THREAD_H

#include "base/arena.h"
#include "base/map.h"

enum { THREAD_REFERENCES_MAX = 100, THREAD_ID_MAX = 1000, THREAD_NODES_MAX = 4000000 };

struct thread_node {
    struct thread_node *parent, *child; /* the first */
    struct thread_node *next, *prev;    /* of the same parent */
    uint32_t seq;                       /* 0: no message, only a name */
    bool reply;                         /* its subject said so */
    int64_t date;
    int64_t newest; /* date of it and all below */
    struct slice subject;
};

struct thread_forest {
    struct arena *arena;
    struct map ids; /* message id -> node */
    struct thread_node root;
    struct thread_node **nodes; /* all, for the last steps */
    size_t n_nodes, size_nodes;
    bool failed; /* no memory */
};

void thread_init(struct thread_forest *f, struct arena *arena);
void thread_release(struct thread_forest *f);
/* A message: its own id (may be empty) and those that it names, the oldest first. */
void thread_add(struct thread_forest *f, const struct thread_node *message, struct slice id,
                const struct slice *references, size_t n);
/* A message without relations. */
void thread_add_alone(struct thread_forest *f, const struct thread_node *message);
/* When all are added: steps 2 to 6 of REFERENCES. REFS leaves subjects out and orders threads by
 * their newest message. */
void thread_finish(struct thread_forest *f, bool refs);
/* ORDEREDSUBJECT, of messages that were added alone. */
void thread_by_subject(struct thread_forest *f);

/* Inside: moves a node with all below it under another one, as its first child. */
void thread_link(struct thread_node *parent, struct thread_node *child);
void thread_unlink(struct thread_node *child);
struct thread_node *thread_new(struct thread_forest *f);
/* Sorts each node's children by date. */
void thread_sort(struct thread_forest *f, bool by_newest);
/* Step 5: takes roots of one subject together. */
void thread_group(struct thread_forest *f);

#endif
