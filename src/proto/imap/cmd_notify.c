/* cmd_notify.c: NOTIFY (RFC 5465): reads what a client wants to be told of; notify.c tells it. */
#include <stdlib.h>

#include "proto/imap/fetch.h"
#include "proto/imap/notify.h"

enum { GROUPS_MAX = 100, ARENA_MAX = 4 * 1024 * 1024 };

struct notify {
    struct imap_notify *made; /* NULL: NONE, or given away */
    bool status, bad_event, begun;
};

static const struct {
    const char *name;
    unsigned event;
} events[] = {{"MessageNew", NOTIFY_NEW},
              {"MessageExpunge", NOTIFY_EXPUNGE},
              {"FlagChange", NOTIFY_FLAGS},
              {"MailboxName", NOTIFY_NAME},
              {"SubscriptionChange", NOTIFY_SUBSCRIPTION},
              {"MailboxMetadataChange", NOTIFY_METADATA},
              {"ServerMetadataChange", NOTIFY_SERVER_METADATA}};

#define SUPPORTED                                                                                  \
    "BADEVENT (MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange "               \
    "MailboxMetadataChange ServerMetadataChange)"

static unsigned parse_event(struct imap_parser *p, struct notify *n)
{
    struct slice word = imap_parse_atom(p);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (slice_is_nocase(word, events[i].name))
            return events[i].event;
    n->bad_event = true;
    return 0;
}

/* RFC 5465 5.2: behind MessageNew of the selected mailbox: "(" fetch-att … ")". */
static void parse_fetch(struct imap_parser *p, struct notify *n)
{
    struct fetch_items items = {0};
    struct slice from = p->c.rest;
    if (cursor_peek(&p->c) != '(')
        return;
    fetch_parse_items(p, &items);
    n->made->fetch = slice_sub(from, 0, from.len - p->c.rest.len);
}

static unsigned parse_events(struct imap_parser *p, struct notify *n, bool selected)
{
    unsigned mask = 0;
    if (imap_accept_word(p, "NONE"))
        return 0;
    imap_parse_char(p, '(');
    do {
        unsigned event = parse_event(p, n);
        mask |= event;
        /* A list of items follows a space, as the next event does. */
        if (event == NOTIFY_NEW && selected && slice_starts(p->c.rest, SLICE(" ("))) {
            imap_parse_space(p);
            parse_fetch(p, n);
        }
    } while (imap_parser_ok(p) && imap_accept(p, ' '));
    imap_parse_char(p, ')');
    /* RFC 5465 5: neither makes sense without the other, nor flags without both. */
    unsigned both = NOTIFY_NEW | NOTIFY_EXPUNGE;
    if ((mask & NOTIFY_MESSAGES) && (mask & both) != both)
        imap_parser_fail(p, "MessageNew and MessageExpunge go together");
    return mask;
}

static void parse_group(struct imap_parser *p, struct notify *n)
{
    struct imap_notify *made = n->made;
    struct notify_group *g = ARENA_NEW(p->arena, struct notify_group);
    imap_parse_char(p, '(');
    struct imap_filter *f = imap_filter_parse(p);
    imap_parse_space(p);
    if (!g || !f)
        return;
    bool selected = f->kind == FILTER_SELECTED || f->kind == FILTER_SELECTED_DELAYED;
    if (selected && made->selected)
        imap_parser_fail(p, "The selected mailbox is named twice");
    g->filter = f;
    g->events = parse_events(p, n, selected);
    imap_parse_char(p, ')');
    if (selected) {
        made->selected = g->events & NOTIFY_MESSAGES;
        made->delayed = f->kind == FILTER_SELECTED_DELAYED;
        return;
    }
    made->events |= g->events;
    struct notify_group **end = &made->groups;
    while (*end)
        end = &(*end)->next;
    *end = g;
}

/* All of it lies in an arena of its own, with the text, since it outlives the command. */
static void parse_set(struct imap_parser *p, struct notify *n)
{
    struct imap_parser own = *p;
    unsigned groups = 0;
    struct slice text = arena_dup(&n->made->arena, p->c.rest);
    imap_parser_init(&own, text, &n->made->arena);
    own.utf8 = p->utf8;
    own.enabled = p->enabled;
    imap_parse_space(&own);
    n->status = imap_accept_word(&own, "STATUS");
    if (n->status)
        imap_parse_space(&own);
    do {
        parse_group(&own, n);
        if (++groups > GROUPS_MAX)
            imap_parser_fail(&own, "Too many event groups");
    } while (imap_parser_ok(&own) && imap_accept(&own, ' '));
    if (!imap_parser_done(&own) || arena_failed(&n->made->arena))
        imap_parser_fail(p, own.error ? own.error : "Too long");
    (void)cursor_take(&p->c, p->c.rest.len);
}

static void parse_notify(struct imap_parser *p, struct imap_command *cmd)
{
    struct notify *n = ARENA_NEW(&cmd->arena, struct notify);
    cmd->data = n;
    imap_parse_space(p);
    if (!n || imap_accept_word(p, "NONE"))
        return;
    if (!imap_accept_word(p, "SET"))
        imap_parser_fail(p, "Expected SET or NONE");
    n->made = calloc(1, sizeof *n->made);
    if (!n->made)
        return;
    arena_init(&n->made->arena, ARENA_MAX);
    parse_set(p, n);
}

static enum imap_step run_notify(struct imap *im, struct imap_command *cmd)
{
    struct notify *n = cmd->data;
    if (n->bad_event)
        return imap_reply(cmd, IMAP_NO, SUPPORTED, "There is no such event.");
    if (!n->begun) {
        struct imap_notify *made = n->made;
        n->begun = true;
        n->made = NULL;
        imap_notify_end(im);
        enum result r = made ? imap_notify_begin(im, made) : OK;
        if (r == LIMIT)
            return imap_reply(cmd, IMAP_NO, "NOTIFICATIONOVERFLOW", "Too many mailboxes.");
        if (r != OK)
            return imap_failed(cmd, r);
    }
    /* RFC 5465 3.1: how things are, before the changes. */
    while (n->status) {
        if (imap_full(im))
            return STEP_FLUSH;
        n->status = imap_notify_put_status(im);
    }
    return imap_completed(cmd);
}

static void release_notify(struct imap *im, struct imap_command *cmd)
{
    struct notify *n = cmd->data;
    (void)im;
    if (!n || !n->made)
        return;
    arena_release(&n->made->arena);
    free(n->made);
}

const struct imap_command_spec imap_cmd_notify = {.name = "NOTIFY",
                                                  .states = STATE_ANY,
                                                  .parse = parse_notify,
                                                  .run = run_notify,
                                                  .release = release_notify};
