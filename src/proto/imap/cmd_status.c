/* cmd_status.c: STATUS (RFC 3501 6.3.10), also for LIST … RETURN (STATUS …) (RFC 5819). */
#include "proto/imap/list.h"

struct status {
    struct slice mailbox;
    unsigned items;
};

enum {
    ITEM_MESSAGES = 1,
    ITEM_RECENT = 2,
    ITEM_UIDNEXT = 4,
    ITEM_UIDVALIDITY = 8,
    ITEM_UNSEEN = 16,
    ITEM_SIZE = 32,
    ITEM_DELETED = 64,
    ITEM_HIGHESTMODSEQ = 128,
    ITEM_MAILBOXID = 256,
    ITEM_APPENDLIMIT = 512
};

static const struct {
    const char *name;
    unsigned item;
} items_table[] = {{"MESSAGES", ITEM_MESSAGES},   {"RECENT", ITEM_RECENT},
                   {"UIDNEXT", ITEM_UIDNEXT},     {"UIDVALIDITY", ITEM_UIDVALIDITY},
                   {"UNSEEN", ITEM_UNSEEN},       {"SIZE", ITEM_SIZE},
                   {"DELETED", ITEM_DELETED},     {"HIGHESTMODSEQ", ITEM_HIGHESTMODSEQ},
                   {"MAILBOXID", ITEM_MAILBOXID}, {"APPENDLIMIT", ITEM_APPENDLIMIT}};
enum { ITEMS = sizeof items_table / sizeof *items_table };

static unsigned parse_item(struct imap_parser *p)
{
    struct slice word = imap_parse_atom(p);
    for (size_t i = 0; i < ITEMS; i++)
        if (slice_is_nocase(word, items_table[i].name))
            return items_table[i].item;
    imap_parser_fail(p, "Unknown status item");
    return 0;
}

unsigned imap_parse_status_items(struct imap_parser *p)
{
    unsigned items = 0;
    imap_parse_char(p, '(');
    do
        items |= parse_item(p);
    while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
    return items;
}

static void parse_status(struct imap_parser *p, struct imap_command *cmd)
{
    struct status *s = ARENA_NEW(&cmd->arena, struct status);
    struct status nowhere = {0};
    cmd->data = s;
    s = s ? s : &nowhere;
    imap_parse_space(p);
    s->mailbox = imap_parse_mailbox(p);
    imap_parse_space(p);
    s->items = imap_parse_status_items(p);
}

static uint32_t count_deleted(const struct imap *im, const struct imap_view *v, uint32_t count)
{
    uint32_t n = 0;
    for (uint32_t seq = 1; seq <= count; seq++)
        n += (im->ops->entry(v, seq)->flags & IMAP_DELETED) != 0;
    return n;
}

static uint64_t item_value(const struct imap *im, const struct imap_view *v,
                           const struct imap_view_info *info, unsigned item)
{
    switch (item) {
    case ITEM_MESSAGES:
        return info->count;
    case ITEM_UIDNEXT:
        return info->uidnext;
    case ITEM_UIDVALIDITY:
        return info->uidvalidity;
    case ITEM_UNSEEN:
        return info->unseen;
    case ITEM_SIZE:
        return info->bytes;
    case ITEM_APPENDLIMIT:
        return im->config->append_max;
    case ITEM_HIGHESTMODSEQ:
        return info->highest_modseq;
    case ITEM_DELETED:
        return count_deleted(im, v, info->count);
    default:
        return 0; /* no message is \Recent to us */
    }
}

static void put_item(struct imap *im, const struct imap_mailbox *m, const struct imap_view *v,
                     const struct imap_view_info *info, size_t i)
{
    unsigned item = items_table[i].item;
    if (item == ITEM_MAILBOXID) {
        imap_put_object_id(im->out, items_table[i].name, 'F', im->ops->mailbox_id(m));
        return;
    }
    buf_puts(im->out, items_table[i].name);
    buf_putc(im->out, ' ');
    if (item == ITEM_APPENDLIMIT && !im->config->append_max)
        buf_puts(im->out, "NIL"); /* RFC 7889 3.2 */
    else
        buf_put_u64(im->out, item_value(im, v, info, item));
}

enum result imap_put_status(struct imap *im, struct slice name, unsigned items)
{
    struct imap_mailbox *m = NULL;
    struct imap_view *v = NULL;
    /* RFC 7162 3.1: whoever asks knows what it is for. */
    if (items & ITEM_HIGHESTMODSEQ)
        im->enabled |= IMAP_CONDSTORE;
    enum result r = im->ops->open(im->ctx, name, &m);
    if (r != OK)
        return r;
    r = im->ops->view(im->ctx, m, &v);
    if (r == OK) {
        struct imap_view_info info;
        im->ops->view_info(v, &info);
        buf_puts(im->out, "* STATUS ");
        imap_put_mailbox(im, name);
        char separator = '(';
        buf_putc(im->out, ' ');
        for (size_t i = 0; i < ITEMS; i++) {
            if (!(items & items_table[i].item))
                continue;
            buf_putc(im->out, separator);
            put_item(im, m, v, &info, i);
            separator = ' ';
        }
        buf_puts(im->out, ")\r\n");
        im->ops->view_release(v);
    }
    im->ops->close(im->ctx, m);
    return r;
}

static enum imap_step run_status(struct imap *im, struct imap_command *cmd)
{
    const struct status *s = cmd->data;
    enum result r = imap_put_status(im, s->mailbox, s->items);
    return r == OK ? imap_completed(cmd) : imap_failed(cmd, r);
}

const struct imap_command_spec imap_cmd_status = {
    .name = "STATUS", .states = STATE_ANY, .parse = parse_status, .run = run_status};
