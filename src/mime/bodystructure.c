#include "mime/bodystructure.h"
#include "mime/lex.h"
#include "mime/params.h"
#include "mime/wire.h"

struct body_writer {
    const struct structure *s;
    const struct wire_limits *limits;
    bool extensible;
    struct buf *out;
};

static void read_type(const struct node *n, const struct mime_fields *f, struct part_type *ret)
{
    struct content_type t;
    struct slice rest;
    *ret = (struct part_type){.type = SLICE("TEXT"), .subtype = SLICE("PLAIN")};
    if (n->type == TYPE_OPAQUE) {
        ret->type = SLICE("APPLICATION");
        ret->subtype = SLICE("OCTET-STREAM");
    } else if (n->type == TYPE_MESSAGE) {
        ret->type = SLICE("MESSAGE");
        ret->subtype = SLICE("RFC822");
    } else if (n->type == TYPE_AS_WRITTEN && content_type_parse(f->type, &t) == OK) {
        *ret = (struct part_type){.type = t.type, .subtype = t.subtype, .params = t.params};
    }
    /* RFC 2045 6.1: 7bit when nothing is said. */
    ret->encoding = f->encoding.data ? mime_token(f->encoding, &rest) : SLICE_NONE;
    if (ret->encoding.len == 0)
        ret->encoding = SLICE("7BIT");
}

void part_type_read(const struct structure *s, const struct node *n, struct part_type *ret)
{
    struct mime_fields f;
    mime_fields_collect(node_header(s, n), &f);
    read_type(n, &f, ret);
}

static void put_params(const struct body_writer *w, struct slice params)
{
    struct cursor c = cursor_of(slice_sub(params, 0, PARAMS_BYTES_MAX));
    struct slice name;
    struct buf value;
    unsigned n = 0;
    buf_init(&value, PARAMS_BYTES_MAX);
    while (n < PARAMS_MAX && param_next(&c, &name, &value)) {
        buf_putc(w->out, n++ ? ' ' : '(');
        wire_upper(w->out, name, w->limits->string_max);
        buf_putc(w->out, ' ');
        wire_string(w->out, buf_slice(&value), w->limits->string_max);
    }
    buf_puts(w->out, n ? ")" : "NIL");
    buf_release(&value);
}

static void put_disposition(const struct body_writer *w, struct slice body)
{
    struct slice params;
    struct slice kind = body.data ? mime_token(body, &params) : SLICE_NONE;
    if (kind.len == 0) {
        buf_puts(w->out, " NIL");
        return;
    }
    buf_puts(w->out, " (");
    wire_upper(w->out, kind, w->limits->string_max);
    buf_putc(w->out, ' ');
    put_params(w, params);
    buf_putc(w->out, ')');
}

/* RFC 3282: tags with commas between them. */
static void put_language(const struct body_writer *w, struct slice body)
{
    struct slice tag, rest = body;
    unsigned n = 0;
    buf_putc(w->out, ' ');
    while (body.data && n < 20 && (tag = mime_token(rest, &rest)).len) {
        buf_putc(w->out, n++ ? ' ' : '(');
        wire_string(w->out, tag, w->limits->string_max);
        struct cursor c = cursor_of(rest);
        lex_cfws(&c, NULL);
        cursor_accept(&c, ',');
        rest = c.rest;
    }
    buf_puts(w->out, n ? ")" : "NIL");
}

static void put_field(const struct body_writer *w, struct slice body)
{
    buf_putc(w->out, ' ');
    wire_unfolded(w->out, body, w->limits->string_max);
}

/* body-fld-dsp, body-fld-lang, body-fld-loc: the end of both kinds of extension data. */
static void put_extension(const struct body_writer *w, const struct mime_fields *f)
{
    put_disposition(w, f->disposition);
    put_language(w, f->language);
    put_field(w, f->location);
}

static void put_type_params(const struct body_writer *w, const struct node *n,
                            const struct part_type *t)
{
    /* RFC 2045 5.2: the default is plain text in US-ASCII, and RFC 3501's example says so too. */
    if (n->type == TYPE_TEXT)
        buf_puts(w->out, "(\"CHARSET\" \"US-ASCII\")");
    else
        put_params(w, t->params);
}

static void put_node(const struct body_writer *w, size_t i);

/* body-type-1part */
static void put_single(const struct body_writer *w, size_t i)
{
    const struct node *n = &w->s->nodes[i];
    size_t max = w->limits->string_max;
    struct mime_fields f;
    struct part_type t;
    mime_fields_collect(node_header(w->s, n), &f);
    read_type(n, &f, &t);
    buf_putc(w->out, '(');
    wire_upper(w->out, t.type, max);
    buf_putc(w->out, ' ');
    wire_upper(w->out, t.subtype, max);
    buf_putc(w->out, ' ');
    put_type_params(w, n, &t);
    put_field(w, f.id);
    put_field(w, f.description);
    buf_putc(w->out, ' ');
    wire_upper(w->out, t.encoding, max);
    buf_printf(w->out, " %zu", n->body_len);
    if (n->kind == NODE_MESSAGE) {
        buf_putc(w->out, ' ');
        envelope_write(node_header(w->s, n + 1), w->limits->field_max, w->out);
        buf_putc(w->out, ' ');
        put_node(w, i + 1);
    }
    if (n->kind == NODE_MESSAGE || slice_is_nocase(t.type, "text"))
        buf_printf(w->out, " %llu", (unsigned long long)n->lines);
    if (w->extensible) {
        put_field(w, f.md5);
        put_extension(w, &f);
    }
    buf_putc(w->out, ')');
}

/* body-type-mpart */
static void put_multipart(const struct body_writer *w, size_t i)
{
    const struct node *n = &w->s->nodes[i];
    struct mime_fields f;
    struct part_type t;
    mime_fields_collect(node_header(w->s, n), &f);
    read_type(n, &f, &t);
    buf_putc(w->out, '(');
    for (size_t k = i + 1; k < w->s->n && w->s->nodes[k].depth > n->depth; k++)
        if (w->s->nodes[k].depth == n->depth + 1)
            put_node(w, k);
    buf_putc(w->out, ' ');
    wire_upper(w->out, t.subtype, w->limits->string_max);
    if (w->extensible) {
        buf_putc(w->out, ' ');
        put_params(w, t.params);
        put_extension(w, &f);
    }
    buf_putc(w->out, ')');
}

/* Recursion ends at SUMMARY_DEPTH_MAX. */
static void put_node(const struct body_writer *w, size_t i)
{
    if (!buf_ok(w->out))
        return;
    if (w->s->nodes[i].kind == NODE_MULTIPART)
        put_multipart(w, i);
    else
        put_single(w, i);
}

void bodystructure_write(const struct structure *s, bool extensible, const struct wire_limits *l,
                         struct buf *out)
{
    struct body_writer w = {.s = s, .limits = l, .extensible = extensible, .out = out};
    put_node(&w, 0);
}
