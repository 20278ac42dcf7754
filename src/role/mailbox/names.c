#include "role/mailbox/names.h"

#include <stdlib.h>

#include "conf/fields.h"

static bool yes(struct slice s)
{
    return slice_is_nocase(s, "yes");
}

static void take_namespace(struct mailbox_names *n, struct slice item)
{
    struct slice separator = conf_field(item, "separator"), prefix = conf_field(item, "prefix");
    struct namespace space = {prefix.data ? prefix : SLICE(""),
                              separator.len == 1 ? separator.data[0] : '/'};
    if (n->n_spaces == NAMESPACES_MAX)
        return;
    /* INBOX's own comes first. */
    if (n->n_spaces && yes(conf_field(item, "inbox"))) {
        n->spaces[n->n_spaces++] = n->spaces[0];
        n->spaces[0] = space;
    } else {
        n->spaces[n->n_spaces++] = space;
    }
}

static unsigned use_of(struct slice word)
{
    static const struct {
        const char *name;
        unsigned attr;
    } uses[] = {{"Drafts", MAILBOX_DRAFTS},  {"Sent", MAILBOX_SENT}, {"Junk", MAILBOX_JUNK},
                {"Trash", MAILBOX_TRASH},    {"All", MAILBOX_ALL},   {"Archive", MAILBOX_ARCHIVE},
                {"Flagged", MAILBOX_FLAGGED}};
    if (word.len && word.data[0] == '\\')
        word = slice_from(word, 1);
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++)
        if (slice_is_nocase(word, uses[i].name))
            return uses[i].attr;
    return 0;
}

static unsigned uses_of(struct slice words)
{
    unsigned attrs = 0;
    while (words.data)
        attrs |= use_of(slice_split(&words, ' '));
    return attrs;
}

static void take_mailbox(struct mailbox_names *n, struct slice item)
{
    struct slice how = conf_field(item, "auto");
    struct named_mailbox box = {.name = conf_field(item, "name")};
    box.attrs = uses_of(conf_field(item, "special_use"));
    box.made = slice_is(how, "create") || slice_is(how, "subscribe");
    if (slice_is(how, "subscribe"))
        box.attrs |= MAILBOX_SUBSCRIBED;
    if (n->n_boxes < NAMED_MAILBOXES_MAX && box.name.len && !slice_is_nocase(box.name, "INBOX"))
        n->boxes[n->n_boxes++] = box;
}

struct mailbox_names *names_new(const struct conf *c)
{
    struct mailbox_names *n = calloc(1, sizeof *n);
    if (!n)
        return NULL;
    atomic_init(&n->refs, 1);
    n->conf = conf_ref(c);
    for (size_t i = 0; i < c->namespace.n; i++)
        take_namespace(n, c->namespace.items[i]);
    if (!n->n_spaces)
        n->spaces[n->n_spaces++] = (struct namespace){SLICE(""), '/'};
    for (size_t i = 0; i < c->mailbox.n; i++)
        take_mailbox(n, c->mailbox.items[i]);
    return n;
}

struct mailbox_names *names_ref(struct mailbox_names *n)
{
    atomic_fetch_add(&n->refs, 1);
    return n;
}

void names_unref(struct mailbox_names *n)
{
    if (!n || atomic_fetch_sub(&n->refs, 1) != 1)
        return;
    conf_unref(n->conf);
    free(n);
}

/* Appends the name with the two characters exchanged. */
static enum result put_swapped(struct slice name, char separator, struct buf *out)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        buf_putc(out, c == separator ? '/' : c == '/' ? separator : c);
    }
    return buf_ok(out) ? OK : LIMIT;
}

/* The part of the name behind the namespace's prefix; data NULL: it is not in there. */
static struct slice within(const struct namespace *space, struct slice name)
{
    bool inbox = space->prefix.len > 5 && slice_starts_nocase(space->prefix, SLICE("INBOX"));
    if (inbox ? slice_starts_nocase(name, space->prefix) : slice_starts(name, space->prefix))
        return slice_from(name, space->prefix.len);
    return SLICE_NONE;
}

enum result names_to_store(const struct mailbox_names *n, struct slice client, struct buf *out)
{
    const struct namespace *best = NULL;
    if (slice_is_nocase(client, "INBOX")) {
        buf_puts(out, "INBOX");
        return buf_ok(out) ? OK : LIMIT;
    }
    /* The longest prefix that fits; of equal ones the first. */
    for (size_t i = 0; i < n->n_spaces; i++) {
        struct slice rest = within(&n->spaces[i], client);
        if (rest.len && (!best || n->spaces[i].prefix.len > best->prefix.len))
            best = &n->spaces[i];
    }
    if (!best)
        return NOT_FOUND;
    return put_swapped(within(best, client), best->separator, out);
}

enum result names_to_client(const struct mailbox_names *n, struct slice store, struct buf *out)
{
    const struct namespace *space = &n->spaces[0];
    if (!slice_is(store, "INBOX"))
        buf_append(out, space->prefix);
    return put_swapped(store, space->separator, out);
}

static bool same_name(const struct mailbox_names *n, struct slice configured, struct slice store)
{
    char separator = n->spaces[0].separator;
    if (configured.len != store.len)
        return false;
    for (size_t i = 0; i < store.len; i++)
        if ((configured.data[i] == separator ? '/' : configured.data[i]) != store.data[i])
            return false;
    return true;
}

unsigned names_special_use(const struct mailbox_names *n, struct slice store)
{
    unsigned attrs = 0;
    for (size_t i = 0; i < n->n_boxes; i++)
        if (same_name(n, n->boxes[i].name, store))
            attrs |= n->boxes[i].attrs & MAILBOX_SPECIAL;
    return attrs;
}

enum result names_configure_store(const struct mailbox_names *n, struct store *s)
{
    struct store_folder folders[NAMED_MAILBOXES_MAX];
    struct buf text;
    size_t made = 0, at[NAMED_MAILBOXES_MAX];
    buf_init(&text, NAMED_MAILBOXES_MAX * MAILBOX_NAME_MAX);
    for (size_t i = 0; i < n->n_boxes; i++) {
        if (!n->boxes[i].made || n->boxes[i].name.len > MAILBOX_NAME_MAX)
            continue;
        at[made] = buf_len(&text);
        (void)!put_swapped(n->boxes[i].name, n->spaces[0].separator, &text);
        folders[made].name.len = n->boxes[i].name.len;
        folders[made++].attrs = n->boxes[i].attrs;
    }
    for (size_t i = 0; i < made; i++)
        folders[i].name = slice_sub(buf_slice(&text), at[i], folders[i].name.len);
    enum result r = buf_ok(&text) ? store_set_folders(s, folders, made) : LIMIT;
    buf_release(&text);
    return r;
}

static void make_one(const struct mailbox_names *n, const struct named_mailbox *box,
                     struct account *a)
{
    struct buf name;
    struct mailbox *m;
    buf_init(&name, MAILBOX_NAME_MAX);
    enum result r = put_swapped(box->name, n->spaces[0].separator, &name);
    if (r == OK)
        r = mailbox_open(a, buf_slice(&name), &m);
    if (r == OK) {
        mailbox_unref(m);
    } else if (r == NOT_FOUND) {
        r = mailbox_create(a, buf_slice(&name), box->attrs & MAILBOX_SPECIAL);
        if (r == OK && (box->attrs & MAILBOX_SUBSCRIBED))
            r = mailbox_subscribe(a, buf_slice(&name), true);
    }
    /* Without it the session works all the same; the next one tries again. */
    (void)r;
    buf_release(&name);
}

void names_make_missing(const struct mailbox_names *n, struct account *a)
{
    for (size_t i = 0; i < n->n_boxes; i++)
        if (n->boxes[i].made)
            make_one(n, &n->boxes[i], a);
}
