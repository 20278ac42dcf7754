/* fuzz_maildrop.c: files of the folder maildrop: any bytes, since every user may lay one there.
 * What was taken is within its limits, and written again it says the same. */
#include <stdlib.h>

#include "submit/drop.h"

enum { ARENA_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct drop *d)
{
    if (d->rcpts.n == 0 || d->rcpts.n > DROP_RCPTS_MAX || !drop_address_ok(d->sender))
        abort();
    for (size_t i = 0; i < d->rcpts.n; i++)
        if (d->rcpts.items[i].len == 0 || !drop_address_ok(d->rcpts.items[i]))
            abort();
}

static void check_same(const struct drop *a, const struct drop *b)
{
    if (!slice_eq(a->sender, b->sender) || !slice_eq(a->ret, b->ret) ||
        !slice_eq(a->envid, b->envid) || !slice_eq(a->notify, b->notify) || a->probe != b->probe ||
        a->smtputf8 != b->smtputf8 || a->eightbit != b->eightbit || a->rcpts.n != b->rcpts.n ||
        !slice_eq(a->message, b->message))
        abort();
    for (size_t i = 0; i < a->rcpts.n; i++)
        if (!slice_eq(a->rcpts.items[i], b->rcpts.items[i]))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct drop d, again;
    struct error err;
    struct buf out;
    arena_init(&arena, ARENA_MAX);
    buf_init(&out, DROP_HEAD_MAX + size);
    if (drop_parse(slice_of(data, size), &arena, &d, &err) == OK) {
        check(&d);
        if (drop_format_head(&d, &out) != OK)
            abort();
        buf_append(&out, d.message);
        if (drop_parse(buf_slice(&out), &arena, &again, &err) != OK)
            abort();
        check_same(&d, &again);
    }
    buf_release(&out);
    arena_release(&arena);
    return 0;
}
