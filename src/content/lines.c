#include "content/lines.h"

#include "mime/header.h"
#include "mime/summary.h"

enum { PARTS_MAX = 10000 };

/* Fields of MIME are checked as such wherever they stand. */
static bool is_mime_field(struct slice raw)
{
    static const char *const names[] = {"Content-Type",        "Content-Transfer-Encoding",
                                        "Content-Disposition", "Content-Description",
                                        "Content-ID",          "MIME-Version"};
    size_t colon = slice_find(raw, ':');
    struct slice name = slice_trim(slice_sub(raw, 0, colon == SIZE_MAX ? 0 : colon));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is_nocase(name, names[i]))
            return true;
    return false;
}

enum result content_lines_open(struct content_lines *l, struct slice message,
                               const struct content_checks *checks)
{
    size_t parts = checks->disable_mime ? 1 : PARTS_MAX;
    unsigned depth = checks->disable_mime ? 0 : SUMMARY_DEPTH_MAX;
    *l = (struct content_lines){.message = message, .checks = checks};
    buf_init(&l->joined, checks->header_size_limit + 8);
    enum result r = structure_parse(message, parts, depth, &l->structure);
    return r;
}

void content_lines_close(struct content_lines *l)
{
    structure_release(&l->structure);
    buf_release(&l->joined);
}

/* The node in front of this one that holds it; NODE_LEAF: none, it is the message itself. */
static enum node_kind parent_kind(const struct structure *s, size_t i)
{
    for (size_t k = i; k-- > 0;)
        if (s->nodes[k].depth < s->nodes[i].depth)
            return s->nodes[k].kind;
    return NODE_LEAF;
}

static enum content_class class_of_header(const struct content_lines *l, struct slice raw)
{
    if (!l->checks->disable_mime && is_mime_field(raw))
        return CONTENT_MIME;
    switch (parent_kind(&l->structure, l->node)) {
    case NODE_MESSAGE:
        return CONTENT_NESTED;
    case NODE_MULTIPART:
        return CONTENT_MIME;
    default:
        return CONTENT_HEADER;
    }
}

/* The logical field in its form for matching, cut at header_size_limit. */
static void join(struct content_lines *l, struct slice raw)
{
    size_t most = l->checks->header_size_limit;
    buf_reset(&l->joined);
    while (raw.len && buf_len(&l->joined) < most) {
        struct slice line = slice_split(&raw, '\n');
        if (line.len && line.data[line.len - 1] == '\r')
            line.len--;
        if (buf_len(&l->joined))
            buf_putc(&l->joined, '\n');
        buf_append(
            &l->joined,
            slice_sub(line, 0, most - (buf_len(&l->joined) < most ? buf_len(&l->joined) : most)));
    }
}

/* Within the header of the node at hand? Moves on to the next node behind it. */
static bool in_header(struct content_lines *l)
{
    const struct structure *s = &l->structure;
    while (l->node + 1 < s->n && l->at >= s->nodes[l->node + 1].header_from) {
        l->node++;
        l->body_from = s->nodes[l->node].header_from + s->nodes[l->node].header_len;
    }
    const struct node *n = &s->nodes[l->node];
    if (l->node == 0)
        l->body_from = n->header_from + n->header_len;
    return l->at >= n->header_from && l->at < n->header_from + n->header_len;
}

static void take_body_line(struct content_lines *l, struct content_line *ret)
{
    struct slice rest = slice_from(l->message, l->at);
    size_t lf = slice_find(rest, '\n');
    struct slice raw = slice_sub(rest, 0, lf == SIZE_MAX ? rest.len : lf + 1);
    struct slice text = raw;
    size_t most = l->checks->line_length_limit;
    if (text.len && text.data[text.len - 1] == '\n')
        text.len--;
    if (text.len && text.data[text.len - 1] == '\r')
        text.len--;
    if (text.len > most)
        raw = text = slice_sub(text, 0, most);
    *ret = (struct content_line){CONTENT_BODY, raw, text, l->at - l->body_from};
}

/* Nobody looks at the body: on to the next header behind it. */
static bool next_header(struct content_lines *l)
{
    bool more = l->node + 1 < l->structure.n;
    l->at = more ? l->structure.nodes[l->node + 1].header_from : l->message.len;
    return more && l->at < l->message.len;
}

bool content_lines_next(struct content_lines *l, struct content_line *ret)
{
    struct header_field f;
    if (l->at >= l->message.len)
        return false;
    if (!in_header(l)) {
        if (l->checks->tables[CONTENT_BODY].n == 0)
            return next_header(l) && content_lines_next(l, ret);
        take_body_line(l, ret);
        l->at += ret->raw.len;
        return true;
    }
    const struct node *n = &l->structure.nodes[l->node];
    size_t end = n->header_from + n->header_len;
    struct slice rest = slice_sub(l->message, l->at, end - l->at);
    if (!header_next(&rest, &f)) { /* the empty line */
        *ret = (struct content_line){CONTENT_BODY, slice_sub(l->message, l->at, end - l->at),
                                     SLICE(""), 0};
        l->at = end;
        return true;
    }
    join(l, f.raw);
    *ret = (struct content_line){class_of_header(l, f.raw), f.raw, buf_slice(&l->joined), 0};
    l->at += f.raw.len;
    return true;
}
