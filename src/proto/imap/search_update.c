/* search_update.c: see search_update.h; and CANCELUPDATE. */
#include "proto/imap/search_update.h"

#include <stdlib.h>

#include "proto/imap/ranges.h"

enum {
    CONTEXTS_MAX = 8,
    CONTEXT_MAX = IMAP_COMMAND_MAX + 4096,
    RUN_MAX = 64 * 1024 * 1024,
    SORTED_CHANGES_MAX = 10000,   /* that one response tells with their places … */
    SORTED_LINE_MAX = 256 * 1024, /* … in so many bytes at most */
    PLACED_A_TURN = 64
};

struct imap_context {
    struct imap_context *next;
    struct arena mem; /* tag, text */
    struct slice tag, text;
    bool uid;
    struct imap_ranges found; /* UIDs */
    bool sorted;              /* of SORT: */
    struct sort_order order;  /* the same, in its order */
    struct buf line;          /* what is to be told of it */
    /* The look that is under way. */
    bool running, looked;
    struct arena arena;
    struct search_program program;
    struct search_message message;
    size_t at;
    uint32_t *added, *removed; /* UIDs, ascending */
    size_t n_added, n_removed;
    bool taken_out; /* of the order: the removed */
    size_t placed;  /* in the order: how many of the added */
};

static void stop(struct imap_context *c)
{
    if (!c->running)
        return;
    search_release(&c->program);
    search_message_release(&c->message);
    arena_release(&c->arena);
    c->running = false;
}

static void free_context(struct imap_context *c)
{
    stop(c);
    imap_ranges_release(&c->found);
    sort_order_release(&c->order);
    buf_release(&c->line);
    arena_release(&c->mem);
    free(c);
}

void search_update_clear(struct imap *im)
{
    while (im->contexts) {
        struct imap_context *c = im->contexts;
        im->contexts = c->next;
        free_context(c);
    }
}

static struct imap_context **find(struct imap *im, struct slice tag)
{
    struct imap_context **at = &im->contexts;
    while (*at && !slice_eq((*at)->tag, tag))
        at = &(*at)->next;
    return at;
}

/* RFC 5267 4.3: from here on, or from the beginning, the client must ask by itself. */
static void put_noupdate(struct imap *im, struct slice tag)
{
    buf_puts(im->out, "* NO [NOUPDATE ");
    imap_put_string(im->out, tag);
    buf_puts(im->out, "] The result is not kept up to date.\r\n");
}

static struct imap_context *new_context(struct imap *im, const struct imap_command *cmd,
                                        const struct search_scan *scan, struct slice text,
                                        const struct search_sorted *sorted)
{
    struct imap_context *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    arena_init(&c->mem, CONTEXT_MAX);
    c->tag = arena_dup(&c->mem, cmd->tag);
    c->text = arena_dup(&c->mem, text);
    c->uid = cmd->uid;
    c->sorted = sorted;
    buf_init(&c->line, SORTED_LINE_MAX);
    bool ok = !sorted ||
              (sorted->uids && sort_order_init(&c->order, sorted->keys, sorted->uids, scan->n));
    for (uint32_t seq = 1; seq <= scan->count; seq++) {
        uint32_t uid = search_is_found(scan, seq) ? im->ops->entry(im->view, seq)->uid : 0;
        if (uid)
            imap_ranges_add(&c->found, uid, uid);
    }
    if (ok && !arena_failed(&c->mem) && !c->found.failed)
        return c;
    free_context(c);
    return NULL;
}

void search_update_add(struct imap *im, const struct imap_command *cmd,
                       const struct search_scan *scan, struct slice text,
                       const struct search_sorted *sorted)
{
    unsigned n = 0;
    for (const struct imap_context *c = im->contexts; c; c = c->next)
        n++;
    /* What sequence numbers and "$" mean does not stay. */
    bool can = n < CONTEXTS_MAX && !scan->program.fleeting && !*find(im, cmd->tag);
    struct imap_context *c = can ? new_context(im, cmd, scan, text, sorted) : NULL;
    if (c)
        *find(im, cmd->tag) = c;
    else
        put_noupdate(im, cmd->tag);
}

/* ---- what is told ---- */

static bool has(const struct imap_ranges *r, uint32_t uid)
{
    return imap_range_has(r->items, r->n, uid);
}

static void put_set(struct imap *im, const struct imap_context *c, const char *head, uint32_t *uids,
                    size_t n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n && !c->uid; i++)
        uids[i] = im->ops->seek(im->view, uids[i]);
    buf_puts(im->out, head);
    imap_put_set(im->out, uids, n);
    buf_putc(im->out, ')');
}

/* What was found, without and with these; all of them are in the view. False: no memory. */
static bool change_found(const struct imap *im, struct imap_context *c)
{
    struct imap_view_info info;
    struct imap_ranges now = {0};
    size_t added = 0, removed = 0;
    im->ops->view_info(im->view, &info);
    for (uint32_t seq = 1; seq <= info.count; seq++) {
        uint32_t uid = im->ops->entry(im->view, seq)->uid;
        bool in = has(&c->found, uid);
        if (removed < c->n_removed && c->removed[removed] == uid) {
            in = false;
            removed++;
        }
        if (added < c->n_added && c->added[added] == uid) {
            in = true;
            added++;
        }
        if (in)
            imap_ranges_add(&now, uid, uid);
    }
    if (now.failed) {
        imap_ranges_release(&now);
        return false;
    }
    imap_ranges_release(&c->found);
    c->found = now;
    return true;
}

/* False: no memory. */
static bool tell(struct imap *im, struct imap_context *c)
{
    if (!c->n_added && !c->n_removed)
        return true;
    if (!change_found(im, c))
        return false;
    buf_puts(im->out, "* ESEARCH (TAG ");
    imap_put_string(im->out, c->tag);
    buf_puts(im->out, c->uid ? ") UID" : ")");
    if (c->sorted) {
        buf_append(im->out, buf_slice(&c->line));
    } else {
        put_set(im, c, " REMOVEFROM (0 ", c->removed, c->n_removed);
        put_set(im, c, " ADDTO (0 ", c->added, c->n_added);
    }
    buf_puts(im->out, "\r\n");
    return true;
}

/* Brings the order up to date and writes what is to be told of it. BUSY: let others have the
 * thread. */
static enum result reorder(struct imap *im, struct imap_context *c)
{
    if (c->n_added + c->n_removed > SORTED_CHANGES_MAX)
        return LIMIT;
    if (!c->taken_out) {
        buf_reset(&c->line);
        sort_order_remove(im, &c->order, c->uid, c->removed, c->n_removed, &c->line);
        c->taken_out = true;
    }
    for (int i = 0; c->placed < c->n_added; i++, c->placed++) {
        if (i == PLACED_A_TURN)
            return BUSY;
        enum result r = sort_order_insert(im, &c->order, c->added[c->placed]);
        if (r != OK)
            return r;
    }
    sort_order_put_added(im, &c->order, c->uid, c->added, c->n_added, &c->line);
    return buf_ok(&c->line) ? OK : LIMIT;
}

/* It can't go on. */
static void give_up(struct imap *im, struct imap_context **at)
{
    struct imap_context *c = *at;
    *at = c->next;
    put_noupdate(im, c->tag);
    free_context(c);
}

/* ---- expunges ---- */

static bool remove_gone(struct imap *im, struct imap_context *c, const uint32_t *uids, size_t n)
{
    c->removed = malloc((n + 1) * sizeof *c->removed);
    c->n_removed = c->n_added = c->placed = 0;
    c->taken_out = false;
    for (size_t i = 0; c->removed && i < n; i++)
        if (has(&c->found, uids[i]))
            c->removed[c->n_removed++] = uids[i];
    bool ok = c->removed && (!c->sorted || reorder(im, c) == OK) && tell(im, c);
    free(c->removed);
    c->removed = NULL;
    return ok;
}

void search_update_gone(struct imap *im, const uint32_t *uids, size_t n)
{
    for (struct imap_context **at = &im->contexts; *at;) {
        if (remove_gone(im, *at, uids, n))
            at = &(*at)->next;
        else
            give_up(im, at);
    }
}

/* ---- changes and new messages ---- */

static bool start(struct imap *im, struct imap_context *c, size_t most)
{
    struct imap_parser p;
    c->running = true;
    c->at = c->n_added = c->n_removed = c->placed = 0;
    c->taken_out = false;
    c->program = (struct search_program){0};
    search_message_init(&c->message);
    arena_init(&c->arena, RUN_MAX);
    imap_parser_init(&p, c->text, &c->arena);
    p.utf8 = im->enabled & (IMAP_REV2 | IMAP_UTF8);
    p.enabled = im->enabled;
    if (c->sorted)
        sort_parse_search(&p, &c->program);
    else
        search_parse(&p, &c->program);
    if (!imap_parser_ok(&p))
        return false;
    search_bind(&c->program, im, &c->arena);
    c->added = arena_alloc_n(&c->arena, most + 1, sizeof *c->added);
    c->removed = arena_alloc_n(&c->arena, most + 1, sizeof *c->removed);
    return !arena_failed(&c->arena);
}

/* False: let others have the thread. */
static bool look(struct imap *im, struct imap_context *c, const uint32_t *changed, size_t n,
                 uint32_t first_new, size_t total)
{
    c->message.work = 0;
    for (; c->at < total; c->at++) {
        if (c->message.work > IMAP_TURN_WORK)
            return false;
        uint32_t seq = c->at < n ? changed[c->at] : first_new + (uint32_t)(c->at - n);
        const struct imap_entry *e = im->ops->entry(im->view, seq);
        search_message_next(&c->message, seq, e);
        bool now = search_match(im, c->program.root, &c->message);
        if (now == has(&c->found, e->uid))
            continue;
        if (now)
            c->added[c->n_added++] = e->uid;
        else
            c->removed[c->n_removed++] = e->uid;
    }
    return true;
}

bool search_update_step(struct imap *im, const uint32_t *changed, size_t n, uint32_t first_new)
{
    struct imap_view_info info;
    im->ops->view_info(im->view, &info);
    size_t total = n + (first_new <= info.count ? info.count - first_new + 1 : 0);
    for (struct imap_context **at = &im->contexts; total && *at;) {
        struct imap_context *c = *at;
        bool ok = true;
        if (imap_full(im))
            return false;
        if (!c->looked) {
            ok = c->running || start(im, c, total);
            if (ok && !look(im, c, changed, n, first_new, total))
                return false;
            enum result r = ok && c->sorted ? reorder(im, c) : OK;
            if (r == BUSY)
                return false;
            ok = ok && r == OK && tell(im, c);
            c->looked = true;
            stop(c);
        }
        if (ok)
            at = &c->next;
        else
            give_up(im, at);
    }
    for (struct imap_context *c = im->contexts; c; c = c->next)
        c->looked = false;
    return true;
}

/* ---- CANCELUPDATE ---- */

struct cancel {
    struct cancel *next;
    struct slice tag;
};

static void parse_cancel(struct imap_parser *p, struct imap_command *cmd)
{
    struct cancel *first = NULL;
    imap_parse_space(p);
    do {
        struct cancel *c = ARENA_NEW(p->arena, struct cancel);
        struct slice tag = imap_parse_string(p);
        if (!c)
            return;
        *c = (struct cancel){first, tag};
        first = c;
    } while (imap_parser_ok(p) && imap_accept(p, ' '));
    cmd->data = first;
}

static enum imap_step run_cancel(struct imap *im, struct imap_command *cmd)
{
    for (const struct cancel *c = cmd->data; c; c = c->next)
        if (!*find(im, c->tag))
            return imap_reply(cmd, IMAP_BAD, NULL, "There is no such update.");
    for (const struct cancel *c = cmd->data; c; c = c->next) {
        struct imap_context **at = find(im, c->tag), *gone = *at;
        if (!gone)
            continue; /* named twice */
        *at = gone->next;
        free_context(gone);
    }
    return imap_completed(cmd);
}

const struct imap_command_spec imap_cmd_cancelupdate = {
    .name = "CANCELUPDATE", .states = STATE_SELECTED, .parse = parse_cancel, .run = run_cancel};
