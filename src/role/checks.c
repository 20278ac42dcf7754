#include "role/checks.h"

void checks_source(const struct conf *c, struct content_source *ret)
{
    static const struct slice_list none = {NULL, 0};
    bool off = conf_overrides(c, "no_header_body_checks");
    ret->specs[CONTENT_HEADER] = off ? none : c->header_checks;
    ret->specs[CONTENT_MIME] = off ? none : c->mime_header_checks;
    ret->specs[CONTENT_NESTED] = off ? none : c->nested_header_checks;
    ret->specs[CONTENT_BODY] = off ? none : c->body_checks;
    ret->header_size_limit = (size_t)c->header_size_limit;
    ret->body_checks_size_limit = (size_t)c->body_checks_size_limit;
    ret->line_length_limit = (size_t)c->line_length_limit;
    ret->disable_mime = c->disable_mime_input_processing;
}

static bool same_list(struct slice_list a, struct slice_list b)
{
    bool same = a.n == b.n;
    for (size_t i = 0; same && i < a.n; i++)
        same = slice_eq(a.items[i], b.items[i]);
    return same;
}

bool checks_same(const struct conf *a, const struct conf *b)
{
    struct content_source x = {.reader = NULL}, y = {.reader = NULL};
    checks_source(a, &x);
    checks_source(b, &y);
    bool same = x.header_size_limit == y.header_size_limit &&
                x.body_checks_size_limit == y.body_checks_size_limit &&
                x.line_length_limit == y.line_length_limit && x.disable_mime == y.disable_mime;
    for (unsigned i = 0; same && i < CONTENT_CLASSES; i++)
        same = same_list(x.specs[i], y.specs[i]);
    return same;
}

struct slice checks_label(const struct conf *c, size_t i)
{
    struct listen_url u;
    if (i < c->listen.n)
        return listen_parse(c->listen.items[i], &u) == OK ? u.label : SLICE("");
    return i == c->listen.n ? SLICE("sendmail") : SLICE_NONE;
}
