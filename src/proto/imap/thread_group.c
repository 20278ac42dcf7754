/* thread_group.c: threads by subject: step 5 of REFERENCES, and ORDEREDSUBJECT (RFC 5256 3). */
#include <stdlib.h>

#include "proto/imap/thread.h"

/* Of several threads with one subject, the one that the others join. */
static bool is_better(const struct thread_node *n, const struct thread_node *than)
{
    if (!n->seq != !than->seq)
        return !n->seq;
    return n->seq && than->reply && !n->reply;
}

static void make_table(struct thread_forest *f, struct map *table)
{
    for (struct thread_node *n = f->root.child; n; n = n->next) {
        if (!n->subject.len)
            continue;
        struct thread_node *there = map_get(table, n->subject);
        if (there && !is_better(n, there))
            continue;
        if (there)
            (void)map_remove(table, n->subject);
        if (map_put(table, n->subject, n) != OK)
            f->failed = true;
    }
}

/* A new node without message above both. */
static void join_below_new(struct thread_forest *f, struct map *table, struct thread_node *there,
                           struct thread_node *n)
{
    struct thread_node *top = thread_new(f);
    if (!top)
        return;
    top->subject = there->subject;
    top->parent = &f->root;
    thread_link(top, there);
    thread_link(top, n);
    (void)map_remove(table, top->subject);
    if (map_put(table, top->subject, top) != OK)
        f->failed = true;
}

/* n is a root no more when it returns. */
static void join(struct thread_forest *f, struct map *table, struct thread_node *there,
                 struct thread_node *n)
{
    struct thread_node *child;
    if (!there->seq && !n->seq) {
        while ((child = n->child)) {
            thread_unlink(child);
            thread_link(there, child);
        }
        n->parent = NULL;
    } else if (!there->seq || (n->reply && !there->reply)) {
        thread_link(there, n);
    } else {
        join_below_new(f, table, there, n);
    }
}

/* Roots are marked by their parent alone while they are regrouped; their list is made at the end.
 */
static void relink_roots(struct thread_forest *f)
{
    f->root.child = NULL;
    for (size_t i = 0; i < f->n_nodes; i++)
        if (f->nodes[i]->parent == &f->root)
            thread_link(&f->root, f->nodes[i]);
}

static size_t list_roots(const struct thread_forest *f, struct thread_node **roots)
{
    size_t n = 0;
    for (struct thread_node *r = f->root.child; r; r = r->next)
        roots[n++] = r;
    return n;
}

void thread_group(struct thread_forest *f)
{
    struct map table;
    struct thread_node **roots = malloc((f->n_nodes + 1) * sizeof(struct thread_node *));
    if (!roots) {
        f->failed = true;
        return;
    }
    size_t n = list_roots(f, roots);
    map_init(&table, THREAD_NODES_MAX);
    make_table(f, &table);
    for (size_t i = 0; i < n && !f->failed; i++) {
        struct thread_node *there =
            roots[i]->subject.len ? map_get(&table, roots[i]->subject) : NULL;
        if (there && there != roots[i] && roots[i]->parent == &f->root)
            join(f, &table, there, roots[i]);
    }
    map_release(&table);
    free(roots);
    relink_roots(f);
}

/* ---- ORDEREDSUBJECT ---- */

static int by_subject(const void *a, const void *b)
{
    const struct thread_node *x = *(struct thread_node *const *)a;
    const struct thread_node *y = *(struct thread_node *const *)b;
    int order = slice_cmp(x->subject, y->subject);
    if (order)
        return order;
    if (x->date != y->date)
        return x->date < y->date ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

void thread_by_subject(struct thread_forest *f)
{
    struct thread_node *top = NULL;
    if (f->n_nodes)
        qsort(f->nodes, f->n_nodes, sizeof(struct thread_node *), by_subject);
    for (size_t i = 0; i < f->n_nodes; i++) {
        struct thread_node *n = f->nodes[i];
        bool same = top && slice_eq(top->subject, n->subject);
        top = same ? top : n;
        thread_link(same ? top : &f->root, n);
    }
    thread_sort(f, false);
}
