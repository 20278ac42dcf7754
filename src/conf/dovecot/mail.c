/* mail.c: namespaces and their mailboxes. */
#include "conf/dovecot/map.h"

enum { ITEM_MAX = 8 * 1024, LIST_MAX = 32 * 1024, MAILBOXES_MAX = 200 };

static void add_item(struct buf *list, const struct buf *item)
{
    buf_printf(list, "%s{%.*s}", buf_len(list) ? ", " : "", SLICE_ARG(buf_slice(item)));
}

/* The last setting of that name in all blocks of that name. */
static const struct dovecot_node *find_in(const struct map_dovecot *m,
                                          const struct dovecot_node *space, const char *key)
{
    const struct dovecot_node *found = NULL;
    MAP_EACH(n, m->root)
    if (n->block && slice_is(n->key, "namespace") && slice_eq(n->value, space->value) &&
        (space->value.len || n == space)) {
        const struct dovecot_node *one = dovecot_find(n, key);
        found = one ? one : found;
    }
    return found;
}

static bool flag_in(struct map_dovecot *m, const struct dovecot_node *space, const char *key,
                    bool fallback)
{
    const struct dovecot_node *n = find_in(m, space, key);
    return n ? map_yes(m, n, fallback) : fallback;
}

/* An earlier block of the same name has told all. */
static bool is_continued(const struct map_dovecot *m, const struct dovecot_node *space)
{
    MAP_EACH(n, m->root)
    {
        if (n == space)
            return false;
        if (n->block && slice_is(n->key, "namespace") && n->value.len &&
            slice_eq(n->value, space->value))
            return true;
    }
    return false;
}

/* What the other settings of a namespace block come to. */
static void tell_rest(struct map_dovecot *m, const struct dovecot_node *space)
{
    static const char *const taken[] = {"prefix", "separator",     "inbox",    "hidden",  "list",
                                        "type",   "subscriptions", "location", "disabled"};
    MAP_EACH(n, space)
    {
        bool known = n->block && slice_is(n->key, "mailbox");
        for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
            known = known || (!n->block && slice_is(n->key, taken[i]));
        if (!known)
            map_not_served(m, "namespace", n);
        else if (!n->block && slice_is(n->key, "location") && n->value.len)
            map_note(m, n,
                     "location is not read in place: `postrider import` brings the mail over");
    }
}

static struct slice separator_of(const struct map_dovecot *m, const struct dovecot_node *space)
{
    const struct dovecot_node *n = find_in(m, space, "separator");
    const struct dovecot_node *where = dovecot_find(m->root, "mail_location");
    const struct dovecot_node *driver = dovecot_find(m->root, "mail_driver");
    if (n && n->value.len)
        return n->value;
    /* Dovecot's default is the storage's own: "." in a Maildir, else "/". */
    bool maildir = (where && slice_starts(where->value, SLICE("maildir:"))) ||
                   (driver && slice_is(driver->value, "maildir"));
    bool nested = where && slice_search(where->value, SLICE("LAYOUT=fs")) != SIZE_MAX;
    return maildir && !nested ? SLICE(".") : SLICE("/");
}

static void take_namespace(struct map_dovecot *m, const struct dovecot_node *space,
                           struct buf *list)
{
    struct buf item;
    const struct dovecot_node *type = find_in(m, space, "type");
    const struct dovecot_node *prefix = find_in(m, space, "prefix");
    struct slice separator = separator_of(m, space);
    if (flag_in(m, space, "disabled", false))
        return;
    if (type && type->value.len && !slice_is(type->value, "private")) {
        map_note(m, space, "a %.*s namespace is not served: its mailboxes are not shown",
                 SLICE_ARG(type->value));
        return;
    }
    if (separator.len != 1) {
        map_error(m, space, "separator must be one character");
        return;
    }
    buf_init(&item, ITEM_MAX);
    map_field(m, space, &item, "prefix", prefix ? prefix->value : SLICE(""));
    map_field(m, space, &item, "separator", separator);
    map_field(m, space, &item, "inbox",
              flag_in(m, space, "inbox", false) ? SLICE("yes") : SLICE("no"));
    const struct dovecot_node *shown = find_in(m, space, "list");
    bool hidden = flag_in(m, space, "hidden", false) || (shown && slice_is(shown->value, "no"));
    map_field(m, space, &item, "hidden", hidden ? SLICE("yes") : SLICE("no"));
    add_item(list, &item);
    buf_release(&item);
}

/* ---- mailboxes ---- */

static struct slice mailbox_setting(const struct dovecot_node *box, const char *key)
{
    const struct dovecot_node *n = dovecot_find(box, key);
    if (!n) {
        const char *full = strcmp(key, "auto") == 0          ? "mailbox_auto"
                           : strcmp(key, "special_use") == 0 ? "mailbox_special_use"
                                                             : "mailbox_name";
        n = dovecot_find(box, full);
    }
    return n ? n->value : SLICE_NONE;
}

static void tell_mailbox(struct map_dovecot *m, const struct dovecot_node *box)
{
    static const char *const taken[] = {
        "auto",         "special_use",         "name",
        "mailbox_auto", "mailbox_special_use", "mailbox_name",
        "quota_ignore", "quota_storage_extra", "quota_storage_percentage"};
    MAP_EACH(n, box)
    {
        bool known = false;
        for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
            known = known || slice_is(n->key, taken[i]);
        if (slice_is(n->key, "autoexpunge") || slice_is(n->key, "mailbox_autoexpunge"))
            map_note(m, n,
                     "autoexpunge is not served: messages of %.*s stay until they are deleted",
                     SLICE_ARG(box->value));
        else if (!known)
            map_not_served(m, "mailbox", n);
    }
}

/* Does an earlier block say the same of it? Blocks of one name are one. */
static const struct dovecot_node *later_of(const struct dovecot_node *box)
{
    for (const struct dovecot_node *n = box->next; n; n = n->next)
        if (n->block && slice_is(n->key, "mailbox") && slice_eq(n->value, box->value))
            return n;
    return NULL;
}

static void take_mailbox(struct map_dovecot *m, const struct dovecot_node *box, struct buf *list)
{
    struct buf item;
    const struct dovecot_node *more = later_of(box);
    struct slice name = mailbox_setting(box, "name");
    struct slice use = mailbox_setting(box, "special_use");
    struct slice how = mailbox_setting(box, "auto");
    if (more) { /* the later one is taken, with what is said here alone */
        return;
    }
    buf_init(&item, ITEM_MAX);
    map_field(m, box, &item, "name", name.data ? name : box->value);
    map_field(m, box, &item, "auto", how.len ? how : SLICE("no"));
    if (use.len)
        map_field(m, box, &item, "special_use", use);
    add_item(list, &item);
    buf_release(&item);
    tell_mailbox(m, box);
}

static void take_mailboxes(struct map_dovecot *m, const struct dovecot_node *in, struct buf *list,
                           const struct dovecot_node **from)
{
    MAP_EACH(n, in)
    if (n->block && slice_is(n->key, "mailbox")) {
        take_mailbox(m, n, list);
        *from = *from ? *from : n;
    }
}

static void map_namespaces(struct map_dovecot *m)
{
    struct buf spaces, boxes;
    const struct dovecot_node *from = NULL, *first_box = NULL;
    buf_init(&spaces, LIST_MAX);
    buf_init(&boxes, LIST_MAX);
    MAP_EACH(n, m->root)
    {
        if (!n->block || !slice_is(n->key, "namespace"))
            continue;
        if (!is_continued(m, n))
            take_namespace(m, n, &spaces);
        take_mailboxes(m, n, &boxes, &first_box);
        tell_rest(m, n);
        from = from ? from : n;
    }
    take_mailboxes(m, m->root, &boxes, &first_box);
    if (!buf_ok(&spaces) || !buf_ok(&boxes))
        map_error(m, from ? from : m->root, "the namespaces and mailboxes are too many");
    if (buf_len(&spaces))
        map_set(m, from, "namespace", buf_slice(&spaces));
    map_set(m, first_box ? first_box : m->root, "mailbox", buf_slice(&boxes));
    buf_release(&spaces);
    buf_release(&boxes);
}

void map_mail(struct map_dovecot *m)
{
    map_namespaces(m);
    map_quota(m);
}
