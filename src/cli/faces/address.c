/* address.c: addresses as people write them ("Anna <anna@example.org>, bob") for the envelope. */
#include "cli/faces/sendmail.h"

#include "mime/address.h"

struct collecting {
    struct arena *arena;
    struct slice_list *list;
    size_t room;
    enum result result;
};

/* The address as SMTP writes it: quoted where it must be. */
static struct slice as_text(const struct address_item *item, struct arena *a)
{
    struct buf b;
    buf_init(&b, DROP_ADDRESS_MAX + 1);
    address_quote(item->local, &b);
    if (item->domain.len)
        buf_printf(&b, "@%.*s", SLICE_ARG(item->domain));
    struct slice text =
        buf_ok(&b) && drop_address_ok(buf_slice(&b)) ? arena_dup(a, buf_slice(&b)) : SLICE_NONE;
    buf_release(&b);
    return text;
}

static bool take(void *arg, const struct address_item *item)
{
    struct collecting *c = arg;
    if (item->kind != ADDRESS_MAILBOX || item->local.len == 0)
        return true;
    struct slice text = as_text(item, c->arena);
    if (!text.data)
        c->result = INVALID;
    else if (c->list->n == c->room)
        c->result = LIMIT;
    else
        c->list->items[c->list->n++] = text;
    return c->result == OK;
}

enum result faces_addresses(struct slice text, struct arena *a, struct slice_list *list,
                            size_t room)
{
    struct collecting c = {a, list, room, OK};
    (void)address_list_each(text, take, &c); /* the readable ones; none is the caller's business */
    return c.result;
}

bool faces_is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] >= 0x80)
            return false;
    return true;
}
