#include "conf/join.h"

static struct slice value_of(struct conf_scope *s, const char *name, struct arena *a)
{
    struct slice value = SLICE("");
    /* What can't be expanded is told when the settings are evaluated. */
    if (conf_scope_value(s, slice_cstr(name), a, &value, NULL) != OK)
        return SLICE("");
    return value;
}

static const char *place(struct arena *a, const struct conf_assignment *x)
{
    return x->line ? arena_printf(a, "%s:%u", x->file, x->line) : x->file;
}

/* name = what both say; where one says nothing, `otherwise` ("" too) stands for the first. */
static enum result join_two(struct conf_scope *s, struct conf_reading *r, const char *name,
                            const struct conf_assignment *one, const struct conf_assignment *two,
                            const char *otherwise)
{
    struct slice first = one ? one->value : slice_cstr(otherwise);
    const char *between = first.len && two->value.len ? ", " : "";
    const char *value =
        arena_printf(r->arena, "%.*s%s%.*s", SLICE_ARG(first), between, SLICE_ARG(two->value));
    const char *from = one ? place(r->arena, one) : first.len ? "default" : NULL;
    const char *file =
        from ? arena_printf(r->arena, "%s, %s", from, place(r->arena, two)) : place(r->arena, two);
    if (!value || !file)
        return FAILED;
    r->found = s->layers[CONF_LAYER_POSTFIX];
    enum result result = conf_assign(r, &r->found,
                                     (struct conf_assignment){.name = slice_cstr(name),
                                                              .value = slice_cstr(value),
                                                              .service = SLICE(""),
                                                              .file = file,
                                                              .grammar = CONF_LITERAL});
    s->layers[CONF_LAYER_POSTFIX] = r->found;
    return result;
}

/* SMTP's listeners are Postfix's, or ours without it; POP3's and IMAP's are Dovecot's. */
static enum result join_listeners(struct conf_scope *s, struct conf_reading *r)
{
    static const char ours[] = "smtp://:25, submission://:587, submissions://:465";
    struct conf_assignment *smtp = conf_layer_find(&s->layers[CONF_LAYER_POSTFIX], SLICE("listen"));
    struct conf_assignment *imap = conf_layer_find(&s->layers[CONF_LAYER_DOVECOT], SLICE("listen"));
    return imap ? join_two(s, r, "listen", smtp, imap, ours) : OK;
}

/* Without accounts of our own, saslauthd's socket is where we ask (pwcheck_method), not answer. */
static bool has_accounts(struct conf_scope *s, struct arena *a)
{
    return value_of(s, "passdb", a).len || value_of(s, "pam_service", a).len;
}

static enum result join_sockets(struct conf_scope *s, struct conf_reading *r)
{
    const struct slice name = SLICE("listen_if_free");
    struct conf_assignment *cyrus = conf_layer_find(&s->layers[CONF_LAYER_CYRUS], name);
    struct conf_assignment *dovecot = conf_layer_find(&s->layers[CONF_LAYER_DOVECOT], name);
    if (cyrus && !has_accounts(s, r->arena))
        cyrus->value = SLICE("");
    return cyrus && dovecot ? join_two(s, r, name.data, cyrus, dovecot, "") : OK;
}

enum result conf_join(struct conf_scope *s, struct conf_reading *r)
{
    enum result result = join_listeners(s, r);
    return result == OK ? join_sockets(s, r) : result;
}
