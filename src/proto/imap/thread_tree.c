/* thread_tree.c: see thread.h. Steps are those of RFC 5256 3, REFERENCES. */
#include "proto/imap/thread.h"

#include <stdlib.h>

void thread_init(struct thread_forest *f, struct arena *arena)
{
    *f = (struct thread_forest){.arena = arena};
    map_init(&f->ids, THREAD_NODES_MAX);
}

void thread_release(struct thread_forest *f)
{
    map_release(&f->ids);
    free(f->nodes);
}

static bool remember(struct thread_forest *f, struct thread_node *n)
{
    if (f->n_nodes == f->size_nodes) {
        size_t size = f->size_nodes ? f->size_nodes * 2 : 256;
        struct thread_node **more =
            size > THREAD_NODES_MAX ? NULL : realloc(f->nodes, size * sizeof(struct thread_node *));
        if (!more)
            return false;
        f->nodes = more;
        f->size_nodes = size;
    }
    f->nodes[f->n_nodes++] = n;
    return true;
}

struct thread_node *thread_new(struct thread_forest *f)
{
    struct thread_node *n = ARENA_NEW(f->arena, struct thread_node);
    if (!n || !remember(f, n)) {
        f->failed = true;
        return NULL;
    }
    return n;
}

void thread_link(struct thread_node *parent, struct thread_node *child)
{
    child->parent = parent;
    child->prev = NULL;
    child->next = parent->child;
    if (child->next)
        child->next->prev = child;
    parent->child = child;
}

void thread_unlink(struct thread_node *child)
{
    if (child->prev)
        child->prev->next = child->next;
    else
        child->parent->child = child->next;
    if (child->next)
        child->next->prev = child->prev;
    child->parent = child->next = child->prev = NULL;
}

/* The node of that id, made when missing. */
static struct thread_node *node_of(struct thread_forest *f, struct slice id)
{
    struct thread_node *n = map_get(&f->ids, id);
    if (n)
        return n;
    n = thread_new(f);
    if (n && map_put(&f->ids, id, n) != OK) {
        f->failed = true;
        return NULL;
    }
    return n;
}

/* Would child be its own ancestor? One without children is nobody's. */
static bool makes_loop(const struct thread_node *parent, const struct thread_node *child)
{
    if (parent == child)
        return true;
    if (!child->child)
        return false;
    for (const struct thread_node *n = parent; n; n = n->parent)
        if (n == child)
            return true;
    return false;
}

/* 1.A: one refers to the next, where that is not known otherwise. Returns the last one. */
static struct thread_node *link_references(struct thread_forest *f, const struct slice *ids,
                                           size_t n)
{
    struct thread_node *before = NULL;
    for (size_t i = 0; i < n && !f->failed; i++) {
        struct thread_node *node = node_of(f, ids[i]);
        if (node && before && !node->parent && !makes_loop(before, node))
            thread_link(before, node);
        before = node;
    }
    return before;
}

static void set_message(struct thread_node *n, const struct thread_node *message)
{
    n->seq = message->seq;
    n->date = message->date;
    n->subject = message->subject;
    n->reply = message->reply;
}

void thread_add_alone(struct thread_forest *f, const struct thread_node *message)
{
    struct thread_node *n = thread_new(f);
    if (n)
        set_message(n, message);
}

void thread_add(struct thread_forest *f, const struct thread_node *message, struct slice id,
                const struct slice *references, size_t n)
{
    struct thread_node *node = id.len ? map_get(&f->ids, id) : NULL;
    /* 1: a second message of the same id is one without. */
    if (id.len && !(node && node->seq))
        node = node_of(f, id);
    else
        node = thread_new(f);
    if (!node)
        return;
    set_message(node, message);
    struct thread_node *parent = link_references(f, references, n);
    /* 1.B: what the message says itself counts more than what others guessed. */
    if (node->parent && parent != node->parent)
        thread_unlink(node);
    if (parent && !node->parent && !makes_loop(parent, node))
        thread_link(parent, node);
}

/* ---- 2, 3: roots, without nodes that are only names ---- */

/* The children take the node's place. */
static void promote(struct thread_node *n)
{
    struct thread_node *parent = n->parent, *child;
    thread_unlink(n);
    while ((child = n->child)) {
        thread_unlink(child);
        thread_link(parent, child);
    }
}

/* The node that comes after all below it. */
static struct thread_node *deepest(struct thread_node *n)
{
    while (n->child)
        n = n->child;
    return n;
}

static void prune_node(struct thread_forest *f, struct thread_node *n)
{
    if (n->seq)
        return;
    bool many = n->child && n->child->next;
    /* RFC 5256 3: a root keeps several children together. */
    if (n->parent != &f->root || !many)
        promote(n);
}

static void prune(struct thread_forest *f)
{
    for (size_t i = 0; i < f->n_nodes; i++)
        if (!f->nodes[i]->parent)
            thread_link(&f->root, f->nodes[i]);
    struct thread_node *n = deepest(&f->root), *after;
    for (; n != &f->root; n = after) {
        after = n->next ? deepest(n->next) : n->parent;
        prune_node(f, n);
    }
}

/* ---- 4, 6: order ---- */

static int by_date(const void *a, const void *b)
{
    const struct thread_node *x = *(struct thread_node *const *)a;
    const struct thread_node *y = *(struct thread_node *const *)b;
    if (x->date != y->date)
        return x->date < y->date ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static int by_newest_date(const void *a, const void *b)
{
    const struct thread_node *x = *(struct thread_node *const *)a;
    const struct thread_node *y = *(struct thread_node *const *)b;
    if (x->newest != y->newest)
        return x->newest < y->newest ? -1 : 1;
    return by_date(a, b);
}

static void sort_children(struct thread_node *n, struct thread_node **space,
                          int (*order)(const void *, const void *))
{
    size_t count = 0;
    for (struct thread_node *c = n->child; c; c = c->next)
        space[count++] = c;
    if (count > 1)
        qsort(space, count, sizeof *space, order);
    n->child = count ? space[0] : NULL;
    for (size_t i = 0; i < count; i++) {
        space[i]->next = i + 1 < count ? space[i + 1] : NULL;
        space[i]->prev = i ? space[i - 1] : NULL;
    }
}

/* A node without message is as old as its first child. */
static void settle(struct thread_node *n, struct thread_node **space)
{
    sort_children(n, space, by_date);
    if (!n->seq && n->child) {
        n->date = n->child->date;
        n->subject = n->child->subject;
        n->reply = n->child->reply;
    }
    n->newest = n->seq ? n->date : INT64_MIN;
    for (const struct thread_node *c = n->child; c; c = c->next)
        if (c->newest > n->newest)
            n->newest = c->newest;
}

void thread_sort(struct thread_forest *f, bool by_newest)
{
    struct thread_node **space = malloc((f->n_nodes + 1) * sizeof(struct thread_node *));
    if (!space) {
        f->failed = true;
        return;
    }
    struct thread_node *n = deepest(&f->root), *after;
    for (; n != &f->root; n = after) {
        /* Before the node itself is sorted among its brothers: those are sorted after it. */
        after = n->next ? deepest(n->next) : n->parent;
        settle(n, space);
    }
    sort_children(&f->root, space, by_newest ? by_newest_date : by_date);
    free(space);
}

void thread_finish(struct thread_forest *f, bool refs)
{
    prune(f);
    thread_sort(f, refs);
    if (refs || f->failed)
        return;
    thread_group(f);
    thread_sort(f, false);
}
