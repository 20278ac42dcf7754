/* tables.c: which lookup tables a configuration names, wherever tables may stand. */
#include "conf/fields.h"
#include "conf/snapshot.h"

struct walk {
    conf_table_place_fn *each;
    void *arg;
    bool told; /* to be told of: without defaults and what is the whole's */
    struct conf_table_place at;
    unsigned depth;
};

enum { BRACES_MAX = 8 };

/* LIST settings whose items may be tables too: domains and networks by a table. */
static bool takes_tables(const struct conf_setting *s)
{
    static const char *const lists[] = {"mydestination", "mynetworks", "permit_mx_backup_networks"};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp(lists[i], s->name) == 0)
            return true;
    /* Dovecot's lists of blocks name no tables. */
    return s->kind == CONF_MAPS && strcmp(s->origin, "postfix") == 0;
}

/* "type:rest". A path may stand for a table or for a list in a file: what it is made of is the same
 * file. An IPv6 address or a socket is neither. */
static bool is_table(struct slice item)
{
    size_t n = 0;
    if (item.len && item.data[0] == '/')
        return true;
    if (item.len == 0 || !ascii_alpha(item.data[0]) || slice_starts(item, SLICE("inet:")))
        return false;
    while (n < item.len && (ascii_alnum(item.data[n]) || item.data[n] == '_'))
        n++;
    return n + 1 < item.len && item.data[n] == ':' && item.data[n + 1] != ':';
}

static void walk_text(struct walk *w, struct slice text);

static void walk_item(struct walk *w, struct slice item, struct slice before)
{
    if (item.len && item.data[0] == '!')
        item = slice_from(item, 1);
    if (item.len > 1 && item.data[0] == '{' && w->depth < BRACES_MAX) {
        w->depth++;
        walk_text(w, slice_sub(item, 1, item.len - 2));
        w->depth--;
    } else if (!slice_is(before, "check_policy_service") && is_table(item)) {
        w->at.spec = item;
        w->each(w->arg, &w->at);
    }
}

static bool separates(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The items of a text in braces. */
static void walk_text(struct walk *w, struct slice text)
{
    struct slice before = SLICE("");
    size_t depth = 0, from = 0;
    for (size_t at = 0; at <= text.len; at++) {
        if (at < text.len && text.data[at] == '{')
            depth++;
        else if (at < text.len && text.data[at] == '}' && depth)
            depth--;
        if (at < text.len && (depth || !separates(text.data[at])))
            continue;
        struct slice item = slice_sub(text, from, at - from);
        if (item.len)
            walk_item(w, item, before), before = item;
        from = at + 1;
    }
}

static void walk_list(struct walk *w, const struct slice_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        walk_item(w, list->items[i], i ? list->items[i - 1] : SLICE(""));
}

static bool is_skipped(const struct walk *w, const struct snapshot *s, size_t i)
{
    return w->told &&
           (conf_source_is_default(s->sources[i]) || (s->parent && !snapshot_differs(s, i)));
}

static void walk_class(struct walk *w, const struct snapshot *s, const struct conf_class *c)
{
    const struct snapshot *whole = s->parent ? s->parent : s;
    for (size_t i = 0; w->told && whole != s && i < whole->n_classes; i++)
        if (slice_eq(whole->classes[i].name, c->name) &&
            slice_eq(whole->classes[i].value, c->value))
            return;
    w->at.setting = "smtpd_restriction_classes";
    w->at.name = c->name.data;
    w->at.source = c->source;
    walk_list(w, &c->items);
}

static void walk_part(struct walk *w, const struct snapshot *s)
{
    for (size_t i = 0; i < CONF_SETTING_COUNT; i++) {
        if (!takes_tables(&conf_table[i]) || is_skipped(w, s, i))
            continue;
        w->at = (struct conf_table_place){
            .setting = conf_table[i].name, .name = conf_table[i].name, .source = s->sources[i]};
        walk_list(w, (const struct slice_list *)(const void *)((const char *)&s->conf +
                                                               conf_table[i].offset));
    }
    for (size_t i = 0; i < s->n_classes; i++)
        walk_class(w, s, &s->classes[i]);
}

static void walk_all(struct walk *w, const struct conf *c)
{
    const struct snapshot *s = snapshot_of(c);
    walk_part(w, s);
    for (size_t i = 0; i < s->n_services; i++)
        walk_part(w, s->services[i]);
}

bool conf_table_is_outgoing(const char *setting)
{
    static const char *const names[] = {"smtp_sasl_password_maps", "smtp_tls_policy_maps",
                                        "lmtp_tls_policy_maps",    "smtp_header_checks",
                                        "smtp_mime_header_checks", "smtp_nested_header_checks",
                                        "smtp_body_checks"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], setting) == 0)
            return true;
    return false;
}

struct plain {
    conf_table_fn *each;
    void *arg;
};

static void without_place(void *arg, const struct conf_table_place *p)
{
    const struct plain *to = arg;
    to->each(to->arg, p->setting, p->spec);
}

void conf_tables(const struct conf *c, conf_table_fn *each, void *arg)
{
    struct plain to = {each, arg};
    walk_all(&(struct walk){.each = without_place, .arg = &to}, c);
}

/* The default of alias_maps names a file; the other defaults refer to what is set. */
void conf_table_places(const struct conf *c, conf_table_place_fn *each, void *arg)
{
    const char *source = conf_source(c, "alias_maps");
    for (size_t i = 0; i < c->alias_maps.n; i++)
        each(arg, &(struct conf_table_place){"alias_maps", "alias_maps", source,
                                             c->alias_maps.items[i]});
    walk_all(&(struct walk){.each = each, .arg = arg, .told = true}, c);
}
