#include "mime/structure.h"
#include "mime/params.h"
#include "mime/summary.h"

#include "base/arena.h"

#include <stdlib.h>

enum { BOUNDARY_MAX = 256, BOUNDARY_LINE_MAX = 2 * BOUNDARY_MAX, STATE_HEADER = 0, STATE_BODY };

/* A multipart or message whose end has not been seen. Its index is its node's depth. */
struct open_part {
    size_t node;
    struct slice boundary; /* data == NULL: a message */
    uint64_t lines;        /* seen before its body */
    bool ended;            /* the closing delimiter was seen: only the epilogue follows */
};

struct parser {
    struct structure *s;
    struct arena arena; /* boundaries */
    size_t max_parts, room;
    unsigned max_depth, n_open;
    struct open_part open[SUMMARY_DEPTH_MAX];
    uint32_t hashes[SUMMARY_DEPTH_MAX]; /* of the boundaries, beside each other for speed */
    int state;
    size_t current; /* node that the lines belong to */
    uint64_t current_lines;
    uint64_t lines;
    bool failed;
};

static uint32_t hash_of(struct slice s)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.data[i]) * 16777619u;
    return h;
}

static void begin_node(struct parser *p, size_t header_from)
{
    struct structure *s = p->s;
    if (s->n == p->room) {
        size_t room = p->room ? p->room * 2 : 8;
        struct node *nodes = realloc(s->nodes, room * sizeof *nodes);
        if (!nodes) {
            p->failed = true;
            return;
        }
        s->nodes = nodes;
        p->room = room;
    }
    p->current = s->n++;
    s->nodes[p->current] = (struct node){
        .kind = NODE_LEAF, .type = TYPE_AS_WRITTEN, .depth = p->n_open, .header_from = header_from};
    p->state = STATE_HEADER;
}

static bool push(struct parser *p, size_t node, struct slice boundary)
{
    p->hashes[p->n_open] = hash_of(boundary);
    p->open[p->n_open] = (struct open_part){.node = node, .boundary = boundary, .lines = p->lines};
    p->n_open++;
    return true;
}

static bool parent_is_digest(const struct parser *p, const struct node *n)
{
    return n->depth > 0 && p->s->nodes[p->open[n->depth - 1].node].digest;
}

static struct slice find_boundary(struct parser *p, struct slice params)
{
    struct buf value;
    struct slice boundary = SLICE_NONE;
    buf_init(&value, BOUNDARY_MAX);
    if (param_find(params, "boundary", &value) == OK) {
        struct slice s = buf_slice(&value);
        while (s.len && (s.data[s.len - 1] == ' ' || s.data[s.len - 1] == '\t'))
            s.len--;
        if (s.len)
            boundary = arena_dup(&p->arena, s);
    }
    buf_release(&value);
    return boundary;
}

static void begin_multipart(struct parser *p, struct node *n, const struct content_type *t)
{
    struct slice boundary = find_boundary(p, t->params);
    if (boundary.len == 0) {
        n->type = TYPE_TEXT;
        return;
    }
    n->kind = NODE_MULTIPART;
    n->digest = slice_is_nocase(t->subtype, "digest");
    push(p, p->current, boundary);
}

static void begin_message(struct parser *p, struct node *n)
{
    n->kind = NODE_MESSAGE;
    push(p, p->current, SLICE_NONE);
    begin_node(p, n->body_from);
}

/* The header of the current node has ended before `at`. */
static void end_header(struct parser *p, size_t at)
{
    struct node *n = &p->s->nodes[p->current];
    struct mime_fields f;
    struct content_type t = {SLICE_NONE, SLICE_NONE, SLICE_NONE};
    n->header_len = at - n->header_from;
    n->body_from = at;
    p->state = STATE_BODY;
    p->current_lines = p->lines;
    mime_fields_collect(node_header(p->s, n), &f);
    if (!f.type.data && parent_is_digest(p, n))
        n->type = TYPE_MESSAGE;
    else if (!f.type.data || content_type_parse(f.type, &t) != OK)
        n->type = TYPE_TEXT;
    bool multipart = slice_is_nocase(t.type, "multipart");
    bool message = n->type == TYPE_MESSAGE ||
                   (slice_is_nocase(t.type, "message") && slice_is_nocase(t.subtype, "rfc822"));
    if (!multipart && !message)
        return;
    if (p->s->n >= p->max_parts || p->n_open >= p->max_depth)
        n->type = TYPE_OPAQUE;
    else if (multipart)
        begin_multipart(p, n, &t);
    else
        begin_message(p, n);
}

static void end_body(struct parser *p, size_t node, uint64_t lines_before, size_t end,
                     uint64_t lines)
{
    struct node *n = &p->s->nodes[node];
    n->body_len = end > n->body_from ? end - n->body_from : 0;
    n->lines = n->body_len && lines > lines_before ? lines - lines_before : 0;
    /* A multipart without parts would have no form in IMAP: its text is shown as it is. */
    if (n->kind == NODE_MULTIPART &&
        (node + 1 == p->s->n || p->s->nodes[node + 1].depth <= n->depth)) {
        n->kind = NODE_LEAF;
        n->type = TYPE_TEXT;
    }
}

/* Ends the current node and all open ones but the first `keep`. */
static void close_down_to(struct parser *p, unsigned keep, size_t end, uint64_t lines)
{
    size_t body_from = p->s->nodes[p->current].body_from;
    /* The empty line behind a header is the header's even where a delimiter follows at once. */
    if (end < body_from) {
        end = body_from;
        lines++;
    }
    bool is_open = p->n_open && p->open[p->n_open - 1].node == p->current;
    if (!is_open)
        end_body(p, p->current, p->current_lines, end, lines);
    while (p->n_open > keep) {
        const struct open_part *o = &p->open[--p->n_open];
        end_body(p, o->node, o->lines, end, lines);
    }
}

/* The innermost open multipart that the line ends or continues; n_open: none. Sets *ret_last when
 * it is the closing delimiter. */
static unsigned match_boundary(const struct parser *p, struct slice line, bool *ret_last)
{
    while (line.len && strchr(" \t\r\n", line.data[line.len - 1]) && line.data[line.len - 1])
        line.len--;
    struct slice next = slice_from(line, 2);
    struct slice last = next;
    bool dashes = next.len >= 2 && next.data[next.len - 1] == '-' && next.data[next.len - 2] == '-';
    last.len -= dashes ? 2 : 0;
    uint32_t next_hash = hash_of(next), last_hash = hash_of(last);
    for (unsigned i = p->n_open; i-- > 0;) {
        if (p->hashes[i] != next_hash && p->hashes[i] != last_hash)
            continue;
        const struct open_part *o = &p->open[i];
        if (!o->boundary.data || o->ended)
            continue;
        *ret_last = !slice_eq(o->boundary, next);
        if (!*ret_last || (dashes && slice_eq(o->boundary, last)))
            return i;
    }
    return p->n_open;
}

/* RFC 2046 5.1.1: the line end in front of a delimiter belongs to the delimiter. */
static size_t before_line_end(struct slice message, size_t at)
{
    if (at && message.data[at - 1] == '\n')
        at--;
    if (at && message.data[at - 1] == '\r')
        at--;
    return at;
}

/* The last node that there may be: all that follows, unread. */
static void begin_rest(struct parser *p, size_t from)
{
    begin_node(p, from);
    if (p->failed)
        return;
    p->s->nodes[p->current].type = TYPE_OPAQUE;
    p->s->nodes[p->current].body_from = from;
    p->state = STATE_BODY;
    p->current_lines = p->lines;
}

/* A delimiter line of open[i] stands at [from, to). False: nothing more is to be read. */
static bool take_delimiter(struct parser *p, unsigned i, bool last, size_t from, size_t to)
{
    while (p->state == STATE_HEADER && !p->failed)
        end_header(p, from);
    if (p->failed)
        return false;
    close_down_to(p, i + 1, before_line_end(p->s->message, from), p->lines ? p->lines - 1 : 0);
    p->lines++;
    if (last) {
        p->open[i].ended = true;
        p->current = p->open[i].node;
        p->state = STATE_BODY;
        return true;
    }
    if (p->s->n + 1 < p->max_parts) {
        begin_node(p, to);
        return !p->failed;
    }
    p->current = p->open[i].node;
    if (p->s->n < p->max_parts)
        begin_rest(p, to);
    return false;
}

static bool is_empty_line(struct slice line)
{
    return slice_is(line, "\r\n") || slice_is(line, "\n");
}

static void read_lines(struct parser *p)
{
    struct slice message = p->s->message;
    size_t at = 0;
    while (at < message.len && !p->failed) {
        struct slice rest = slice_from(message, at);
        size_t lf = slice_find(rest, '\n');
        struct slice line = lf == SIZE_MAX ? rest : slice_sub(rest, 0, lf + 1);
        bool last = false;
        unsigned hit = p->n_open;
        if (p->n_open && line.len <= BOUNDARY_LINE_MAX && slice_starts(line, SLICE("--")))
            hit = match_boundary(p, line, &last);
        if (hit < p->n_open) {
            if (!take_delimiter(p, hit, last, at, at + line.len))
                return;
        } else {
            p->lines += lf != SIZE_MAX;
            if (p->state == STATE_HEADER && is_empty_line(line))
                end_header(p, at + line.len);
        }
        at += line.len;
    }
}

enum result structure_parse(struct slice message, size_t max_parts, unsigned max_depth,
                            struct structure *ret)
{
    struct structure s = {.message = message};
    struct parser p = {.s = &s, .max_parts = max_parts, .max_depth = max_depth};
    if (p.max_depth > SUMMARY_DEPTH_MAX)
        p.max_depth = SUMMARY_DEPTH_MAX;
    arena_init(&p.arena, (size_t)SUMMARY_DEPTH_MAX * SUMMARY_PARTS_MAX * BOUNDARY_MAX);
    begin_node(&p, 0);
    read_lines(&p);
    while (!p.failed && p.state == STATE_HEADER)
        end_header(&p, message.len);
    if (!p.failed)
        close_down_to(&p, 0, message.len, p.lines);
    arena_release(&p.arena);
    if (p.failed) {
        structure_release(&s);
        return FAILED;
    }
    *ret = s;
    return OK;
}

void structure_release(struct structure *s)
{
    free(s->nodes);
    *s = (struct structure){.n = 0};
}
