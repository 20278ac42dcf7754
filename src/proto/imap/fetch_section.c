/* fetch_section.c: where the bytes of BODY[section]<partial> are. */
#include "mime/header.h"
#include "proto/imap/fetch.h"

bool fetch_needs_summary(const struct fetch_section *section)
{
    return section->depth || section->kind != PART_ALL;
}

static bool is_wanted(const struct fetch_section *s, struct slice name)
{
    for (size_t i = 0; i < s->n_fields; i++)
        if (slice_eq_nocase(s->fields[i], name))
            return true;
    return false;
}

/* RFC 3501 6.4.5: the fields (or the others) in their order, and the empty line. */
static void pick_fields(const struct fetch_section *s, struct slice header, struct buf *out)
{
    struct header_field f;
    while (header_next(&header, &f))
        if (f.name.len && is_wanted(s, f.name) == (s->kind == PART_FIELDS))
            buf_append(out, f.raw);
    buf_puts(out, "\r\n");
}

static enum result build_fields(struct imap *im, const struct fetch_section *s, uint64_t message,
                                uint64_t from, uint64_t len, struct buf *built)
{
    struct buf header;
    buf_init(&header, FETCH_HEADER_MAX);
    enum result r = im->ops->read(im->ctx, message, from,
                                  len < FETCH_HEADER_MAX ? len : FETCH_HEADER_MAX, &header);
    buf_clear(built);
    if (r == OK)
        pick_fields(s, buf_slice(&header), built);
    buf_release(&header);
    return r == OK && !buf_ok(built) ? FAILED : r;
}

static bool is_binary(const struct fetch_section *s)
{
    return s->kind == PART_BINARY || s->kind == PART_BINARY_SIZE;
}

/* The part's range for a section of the message itself. */
static void top_range(const struct fetch_section *s, const struct imap_entry *e,
                      const struct summary *sum, struct fetch_source *ret)
{
    if (s->kind == PART_ALL || is_binary(s)) {
        ret->len = e->size;
    } else if (s->kind == PART_TEXT) {
        ret->from = sum->header_len;
        ret->len = e->size - sum->header_len;
    } else {
        ret->len = sum->header_len;
    }
}

static void part_range(const struct fetch_section *s, const struct summary_part *part,
                       struct fetch_source *ret)
{
    switch (s->kind) {
    case PART_ALL:
    case PART_BINARY:
    case PART_BINARY_SIZE:
        ret->from = part->body_from;
        ret->len = part->body_len;
        break;
    case PART_MIME:
        ret->from = part->header_from;
        ret->len = part->header_len;
        break;
    case PART_TEXT:
        ret->from = part->inner_text_from;
        ret->len = part->inner_text_len;
        break;
    default:
        ret->from = part->inner_header_from;
        ret->len = part->inner_header_len;
        break;
    }
    /* RFC 3501 6.4.5: HEADER and TEXT are of enclosed messages only. */
    ret->missing =
        s->kind != PART_ALL && s->kind != PART_MIME && !is_binary(s) && !part->is_message;
}

static void cut_partial(const struct fetch_section *s, struct fetch_source *ret)
{
    if (!s->partial || ret->missing)
        return;
    uint64_t skip = s->from < ret->len ? s->from : ret->len;
    ret->from += skip;
    ret->len -= skip;
    if (ret->len > s->len)
        ret->len = s->len;
}

enum result fetch_locate(struct imap *im, const struct fetch_section *section,
                         const struct imap_entry *e, const struct summary *s, struct buf *built,
                         struct fetch_source *ret)
{
    struct fetch_source source = {0};
    struct summary_part part = {0};
    if (section->kind == PART_PREVIEW) {
        enum result r = fetch_preview(im, e, s, built);
        if (r == OK)
            *ret = (struct fetch_source){.in_built = true, .len = buf_len(built)};
        return r;
    }
    if (section->depth == 0)
        top_range(section, e, s, &source);
    else if (summary_part(s, section->path, section->depth, &part) == OK)
        part_range(section, &part, &source);
    else
        source.missing = true;
    bool fields = section->kind == PART_FIELDS || section->kind == PART_FIELDS_NOT;
    if (fields && !source.missing) {
        enum result r = build_fields(im, section, e->message, source.from, source.len, built);
        if (r != OK)
            return r;
        source = (struct fetch_source){.in_built = true, .len = buf_len(built)};
    }
    if (is_binary(section) && !source.missing) {
        enum result r = fetch_locate_binary(im, e, part.encoding, &source);
        if (r != OK)
            return r;
    }
    cut_partial(section, &source);
    *ret = source;
    return OK;
}
