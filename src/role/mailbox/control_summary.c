/* control_summary.c: queue summary: what waits, by destination and age, as qshape(1) shows it. */
#include <stdlib.h>

#include "base/json.h"
#include "role/mailbox/control.h"
#include "role/mailbox/mailbox.h"

enum { ROWS_SHOWN = 50, NAME_WIDTH = 30 };

struct rows {
    struct queue_summary *items; /* destinations are owned */
    size_t n, room;
    bool failed;
    struct queue_summary total;
};

static bool grow(struct rows *r)
{
    size_t room = r->room ? r->room * 2 : 64;
    struct queue_summary *more =
        r->n < r->room ? r->items : realloc(r->items, room * sizeof *r->items);
    if (!more)
        return false;
    r->room = r->n < r->room ? r->room : room;
    r->items = more;
    return true;
}

static void keep(void *arg, const struct queue_summary *s)
{
    struct rows *r = arg;
    char *name = strndup(s->destination.data, s->destination.len);
    if (!name || !grow(r)) {
        free(name);
        r->failed = true;
        return;
    }
    r->items[r->n] = *s;
    r->items[r->n++].destination = slice_of(name, s->destination.len);
    r->total.total += s->total;
    for (size_t i = 0; i < QUEUE_AGES; i++)
        r->total.ages[i] += s->ages[i];
}

static int by_total(const void *a, const void *b)
{
    const struct queue_summary *x = a, *y = b;
    if (x->total != y->total)
        return x->total < y->total ? 1 : -1;
    return slice_cmp(x->destination, y->destination);
}

static void put_row(struct control_call *c, struct slice name, const struct queue_summary *s)
{
    buf_printf(&c->out, "%*.*s %7llu", NAME_WIDTH, SLICE_ARG(name), (unsigned long long)s->total);
    for (size_t i = 0; i < QUEUE_AGES; i++)
        buf_printf(&c->out, " %6llu", (unsigned long long)s->ages[i]);
    buf_putc(&c->out, '\n');
    control_flush_some(c);
}

static struct slice name_of(const struct queue_summary *s)
{
    return s->destination.len ? s->destination : SLICE("(others)");
}

static void put_text(struct control_call *c, const struct rows *r)
{
    buf_printf(&c->out, "%*s %7s", NAME_WIDTH, "minutes waiting", "T");
    for (unsigned i = 0, minutes = 5; i < QUEUE_AGES - 1; i++, minutes *= 2)
        buf_printf(&c->out, " %6u", minutes);
    buf_puts(&c->out, "  1280+\n");
    put_row(c, SLICE("TOTAL"), &r->total);
    for (size_t i = 0; i < r->n && i < ROWS_SHOWN; i++)
        put_row(c, name_of(&r->items[i]), &r->items[i]);
    if (r->n > ROWS_SHOWN)
        buf_printf(&c->out, "%*s %zu further destinations: --json lists all\n", NAME_WIDTH, "",
                   r->n - ROWS_SHOWN);
}

static void put_json_row(struct json *list, const struct queue_summary *s)
{
    json_item(list);
    struct json j = json_begin(list->out, '{');
    json_put_string(&j, "destination", s->destination);
    json_put_number(&j, "recipients", (int64_t)s->total);
    json_key(&j, "ages");
    struct json ages = json_begin(list->out, '[');
    for (size_t i = 0; i < QUEUE_AGES; i++) {
        json_item(&ages);
        buf_put_u64(list->out, s->ages[i]);
    }
    json_end(&ages);
    json_end(&j);
}

static void put_json(struct control_call *c, const struct rows *r)
{
    struct json list = json_begin(&c->out, '[');
    for (size_t i = 0; i < r->n; i++) {
        put_json_row(&list, &r->items[i]);
        control_flush_some(c);
    }
    json_end(&list);
    buf_putc(&c->out, '\n');
}

void control_summary(struct control_call *c, bool as_json)
{
    struct rows rows = {.items = NULL};
    enum result r = queue_summarize(c->mailbox->queue, keep, &rows);
    if (rows.failed)
        r = FAILED;
    if (rows.n)
        qsort(rows.items, rows.n, sizeof *rows.items, by_total);
    if (r == OK && as_json)
        put_json(c, &rows);
    else if (r == OK)
        put_text(c, &rows);
    for (size_t i = 0; i < rows.n; i++)
        free((char *)rows.items[i].destination.data);
    free(rows.items);
    control_end(c, r != OK, result_name(r));
}
