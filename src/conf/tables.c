/* tables.c: which lookup tables a configuration names, wherever tables may stand. */
#include "conf/fields.h"
#include "conf/snapshot.h"

struct walk {
    conf_table_fn *each;
    void *arg;
    const char *setting;
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
        w->each(w->arg, w->setting, item);
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

static void walk_part(struct walk *w, const struct snapshot *s)
{
    for (size_t i = 0; i < CONF_SETTING_COUNT; i++) {
        w->setting = conf_table[i].name;
        if (takes_tables(&conf_table[i]))
            walk_list(w, (const struct slice_list *)(const void *)((const char *)&s->conf +
                                                                   conf_table[i].offset));
    }
    w->setting = "smtpd_restriction_classes";
    for (size_t i = 0; i < s->n_classes; i++)
        walk_list(w, &s->classes[i].items);
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

void conf_tables(const struct conf *c, conf_table_fn *each, void *arg)
{
    struct walk w = {.each = each, .arg = arg};
    const struct snapshot *s = snapshot_of(c);
    walk_part(&w, s);
    for (size_t i = 0; i < s->n_services; i++)
        walk_part(&w, s->services[i]);
}
