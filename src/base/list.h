/* list.h: an intrusive doubly linked list. The node lives in its object; the list owns nothing. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
    struct list_node *prev, *next;
};

/* The list's head is a node of its own. */
static inline void list_init(struct list_node *head)
{
    head->prev = head->next = head;
}
static inline bool list_empty(const struct list_node *head)
{
    return head->next == head;
}
static inline void list_push_back(struct list_node *head, struct list_node *n)
{
    n->prev = head->prev;
    n->next = head;
    head->prev->next = n;
    head->prev = n;
}
static inline void list_push_front(struct list_node *head, struct list_node *n)
{
    list_push_back(head->next, n);
}
/* Leaves the node linked to itself, so that removing it again does no harm. */
static inline void list_remove(struct list_node *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    n->prev = n->next = n;
}
static inline struct list_node *list_pop_front(struct list_node *head)
{
    struct list_node *n = head->next;
    if (n == head)
        return NULL;
    list_remove(n);
    return n;
}

#define CONTAINER_OF(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))
/* The body may remove `n`. */
#define LIST_FOR_EACH(n, head)                                                                     \
    for (struct list_node *n = (head)->next, *n##_next = n->next; n != (head);                     \
         n = n##_next, n##_next = n->next)

#endif
