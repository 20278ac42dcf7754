/* cmd_esearch.c: ESEARCH (RFC 7377): one search in several mailboxes, whose answers name theirs.
 * The search is parsed anew for each, since binding it to a mailbox changes it. */
#include "proto/imap/filter.h"
#include "proto/imap/search.h"

enum { FILTERS_MAX = 100 };

/* A mailbox to look through. */
struct place {
    struct place *next;
    struct slice name; /* data == NULL: the selected one */
};

struct esearch {
    struct imap_filter *filters;
    bool elsewhere; /* in others than the selected one */
    struct slice program;
    struct search_returns returns;
    bool gathered, failed;
    struct place *first, **end;
    /* The one that is looked through. */
    bool running;
    struct search search;
    struct search_place place;
    struct imap_mailbox *mailbox; /* NULL: the selected one */
    struct imap_view *view;
    struct arena *arena;
    char separator;
};

/* ---- arguments ---- */

static void parse_sources(struct imap_parser *p, struct esearch *s)
{
    unsigned n = 0;
    imap_parse_space(p);
    imap_parse_char(p, '(');
    for (struct imap_filter **end = &s->filters; imap_parser_ok(p) && !imap_accept(p, ')');) {
        struct imap_filter *f = imap_filter_parse(p);
        if (!f)
            return;
        if (f->kind == FILTER_SELECTED_DELAYED)
            imap_parser_fail(p, "Unknown mailbox filter");
        s->elsewhere |= f->kind != FILTER_SELECTED;
        *end = f;
        end = &f->next;
        if (++n > FILTERS_MAX)
            imap_parser_fail(p, "Too many mailbox filters");
        if (cursor_peek(&p->c) != ')')
            imap_parse_space(p);
        /* RFC 7377 4: scope options; there are none yet. */
        if (cursor_peek(&p->c) == '(')
            imap_parser_fail(p, "Unknown scope option");
    }
    if (!s->filters)
        imap_parser_fail(p, "Missing mailbox filter");
    imap_parse_space(p);
}

/* Checked once before the first mailbox. */
static void check_program(struct imap_parser *p, const struct esearch *s)
{
    struct search_program program = {0};
    search_parse(p, &program);
    search_check_relevancy(p, &program, s->returns.relevancy);
    search_release(&program);
    /* RFC 7377 2.2: numbers and saved results are of the selected mailbox. */
    if (s->elsewhere && (program.sets || (s->returns.items & RETURN_SAVE)))
        imap_parser_fail(p, "Numbers and SAVE are of the selected mailbox alone");
}

static void parse_esearch(struct imap_parser *p, struct imap_command *cmd)
{
    struct esearch *s = ARENA_NEW(&cmd->arena, struct esearch);
    cmd->data = s;
    if (!s)
        return;
    s->arena = &cmd->arena;
    s->end = &s->first;
    search_message_init(&s->search.scan.message);
    imap_parse_space(p);
    if (imap_accept_word(p, "IN"))
        parse_sources(p, s);
    search_parse_returns(p, &s->returns);
    search_no_contexts(p, &s->returns);
    s->returns.extended = true;
    s->program = p->c.rest;
    check_program(p, s);
}

/* ---- which mailboxes ---- */

static void add_place(struct esearch *s, struct slice name)
{
    struct place *place = ARENA_NEW(s->arena, struct place);
    if (!place || (name.data && !(name = arena_dup(s->arena, name)).data)) {
        s->failed = true;
        return;
    }
    place->name = name;
    *s->end = place;
    s->end = &place->next;
}

static bool on_mailbox(void *arg, const struct imap_mailbox_info *m)
{
    struct esearch *s = arg;
    bool selected = s->first && !s->first->name.data;
    if (m->attrs & (IMAP_NOSELECT | IMAP_NONEXISTENT) ||
        (selected && slice_eq(m->name, s->place.mailbox)))
        return true;
    for (const struct imap_filter *f = s->filters; f; f = f->next) {
        if (!imap_filter_matches(f, s->separator, m))
            continue;
        add_place(s, m->name);
        break;
    }
    return !s->failed;
}

static bool wants_selected(const struct esearch *s)
{
    for (const struct imap_filter *f = s->filters; f; f = f->next)
        if (f->kind == FILTER_SELECTED)
            return true;
    return !s->filters;
}

static enum result name_of(struct imap *im, struct esearch *s)
{
    struct buf name;
    buf_init(&name, 2 * IMAP_NAME_MAX);
    enum result r = im->ops->mailbox_name(im->ctx, im->mailbox, &name);
    s->place.mailbox = arena_dup(s->arena, buf_slice(&name));
    buf_release(&name);
    return r == OK && !s->place.mailbox.data ? LIMIT : r;
}

static enum result gather(struct imap *im, struct esearch *s)
{
    enum result r = OK;
    s->gathered = true;
    s->separator = imap_separator(im->config);
    if (wants_selected(s)) {
        r = name_of(im, s);
        if (r == OK)
            add_place(s, SLICE_NONE);
    }
    if (r == OK && s->elsewhere)
        r = im->ops->list(im->ctx, on_mailbox, s);
    return s->failed ? LIMIT : r;
}

/* ---- the search ---- */

static void leave(struct imap *im, struct esearch *s)
{
    search_scan_release(&s->search.scan);
    if (s->view)
        im->ops->view_release(s->view);
    if (s->mailbox)
        im->ops->close(im->ctx, s->mailbox);
    s->view = NULL;
    s->mailbox = NULL;
    s->running = false;
}

static enum result enter(struct imap *im, struct imap_command *cmd, struct esearch *s)
{
    struct imap_parser p;
    struct imap_view_info info;
    enum result r = OK;
    s->search = (struct search){.returns = s->returns, .place = &s->place};
    search_message_init(&s->search.scan.message);
    s->running = true;
    if (s->first->name.data) {
        s->place.mailbox = s->first->name;
        r = im->ops->open(im->ctx, s->first->name, &s->mailbox);
        if (r == OK)
            r = im->ops->view(im->ctx, s->mailbox, &s->view);
    }
    if (r != OK)
        return r;
    im->ops->view_info(s->view ? s->view : im->view, &info);
    s->place.uidvalidity = info.uidvalidity;
    imap_parser_init(&p, s->program, &cmd->arena);
    p.utf8 = im->enabled & (IMAP_REV2 | IMAP_UTF8);
    p.enabled = im->enabled;
    search_parse(&p, &s->search.scan.program);
    return imap_parser_ok(&p) ? OK : LIMIT;
}

/* One step in a mailbox, as if it were the selected one. */
static enum imap_step step(struct imap *im, struct imap_command *cmd, struct esearch *s)
{
    struct imap_view *own = im->view;
    im->view = s->view ? s->view : own;
    enum imap_step next = search_step(im, cmd, &s->search);
    im->view = own;
    return next;
}

static enum imap_step run_esearch(struct imap *im, struct imap_command *cmd)
{
    struct esearch *s = cmd->data;
    cmd->uid = true; /* RFC 7377 2.1: what is found is told by UID */
    if (!im->mailbox && wants_selected(s))
        return imap_reply(cmd, IMAP_BAD, NULL, "No mailbox is selected");
    enum result r = s->gathered ? OK : gather(im, s);
    if (r != OK)
        return imap_failed(cmd, r);
    while (s->first) {
        if (imap_full(im))
            return STEP_FLUSH;
        if (!s->running)
            r = enter(im, cmd, s);
        if (r == LIMIT)
            return imap_failed(cmd, r);
        /* One that is gone meanwhile has nothing to tell. */
        enum imap_step next = r == OK ? step(im, cmd, s) : STEP_DONE;
        if (next != STEP_DONE)
            return next;
        if (cmd->status != IMAP_OK)
            return STEP_DONE;
        leave(im, s);
        r = OK;
        s->first = s->first->next;
    }
    return imap_reply(cmd, IMAP_OK, NULL, "ESEARCH completed.");
}

static void release_esearch(struct imap *im, struct imap_command *cmd)
{
    if (cmd->data)
        leave(im, cmd->data);
}

const struct imap_command_spec imap_cmd_esearch = {.name = "ESEARCH",
                                                   .states = STATE_ANY,
                                                   .parse = parse_esearch,
                                                   .run = run_esearch,
                                                   .release = release_esearch};
