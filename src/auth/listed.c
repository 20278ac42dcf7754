/* listed.c: is an address on the list of its class (LOCAL_RECIPIENT_README, ADDRESS_CLASS_README),
 * and what is said when it is not. */
#include "auth/resolve.h"
#include "auth/rewrite.h"

enum result resolve_find(struct walk *w, enum directory_map m,
                         const struct directory_address *address, struct table_match *ret,
                         struct slice *ret_detail, struct error *err)
{
    const struct directory *d = w->d;
    const struct map_sets *maps = m == MAP_virtual_alias_maps ? w->mapping->maps : &d->maps;
    if (map_is_empty(maps, m))
        return NOT_FOUND;
    bool local = directory_short_keys(d, address->domain, w->arena);
    return map_find_address(maps, m, address, d->conf->recipient_delimiter, local, w->arena, ret,
                            ret_detail, err);
}

static void refuse(struct walk *w, unsigned code, struct slice status, struct slice text)
{
    w->out->kind = RESOLVE_UNKNOWN;
    w->out->code = code;
    w->out->status = status;
    w->out->text = text;
}

/* It goes somewhere or comes back later, but is taken now. */
static void accept_unknown(struct walk *w, const struct directory_address *address)
{
    struct slice text = address_text(address, w->arena);
    bool local = w->out->class == CLASS_LOCAL;
    const char *route = arena_printf(w->arena, "error:5.1.1 unknown user: \"%.*s\"",
                                     SLICE_ARG(local ? address->local : text));
    if (w->out->class == CLASS_ALIAS)
        route = w->d->conf->show_user_unknown_table_name
                    ? "error:5.1.1 User unknown in virtual alias table"
                    : "error:5.1.1 User unknown";
    resolve_add_route(w, text, slice_cstr(route));
}

void resolve_refuse_unknown(struct walk *w, const struct directory_address *address)
{
    static const char *const tables[] = {[CLASS_LOCAL] = "local recipient",
                                         [CLASS_ALIAS] = "virtual alias",
                                         [CLASS_MAILBOX] = "virtual mailbox",
                                         [CLASS_RELAY] = "relay recipient",
                                         [CLASS_OTHER] = "local recipient"};
    const struct conf *c = w->d->conf;
    const int64_t codes[] = {[CLASS_LOCAL] = c->unknown_local_recipient_reject_code,
                             [CLASS_ALIAS] = c->unknown_virtual_alias_reject_code,
                             [CLASS_MAILBOX] = c->unknown_virtual_mailbox_reject_code,
                             [CLASS_RELAY] = c->unknown_relay_recipient_reject_code,
                             [CLASS_OTHER] = 550};
    enum domain_class class = w->out->class;
    const char *text = c->show_user_unknown_table_name
                           ? arena_printf(w->arena, "User unknown in %s table", tables[class])
                           : NULL;
    bool later = codes[class] / 100 == 4;
    if (w->unchecked) {
        accept_unknown(w, address);
        return;
    }
    refuse(w, (unsigned)codes[class], later ? SLICE("4.1.1") : SLICE("5.1.1"),
           text ? slice_cstr(text) : SLICE("User unknown"));
}

/* "5.1.6 User has moved": the status that an error transport's text begins with, else 5.1.1. */
void resolve_refuse_by_transport(struct walk *w, const struct way *way)
{
    struct slice rest = way->nexthop, first = slice_split(&rest, ' ');
    bool later = slice_is(way->transport, "retry");
    bool status = first.len >= 5 && first.len <= 9 && first.data[1] == '.' && rest.data &&
                  (first.data[0] == '4' || first.data[0] == '5');
    struct slice text = status ? slice_trim(rest) : way->nexthop;
    refuse(w, later ? 450 : 550, status ? first : later ? SLICE("4.1.1") : SLICE("5.1.1"), text);
    w->out->rule = way->rule;
    w->out->where = way->where;
}

void resolve_check_local(struct walk *w, const struct directory_address *address, bool taken,
                         bool leads)
{
    const struct directory *d = w->d;
    struct table_match match;
    struct slice detail;
    struct error err = {""};
    bool by_alias = strcmp(w->out->rule, "alias_maps") == 0;
    bool listed = taken && (by_alias ? d->lists_aliases : d->lists_accounts);
    if (listed)
        return;
    bool all = w->unchecked || d->conf->local_recipient_maps.n == 0;
    enum result r =
        all ? OK : resolve_find(w, MAP_local_recipient_maps, address, &match, &detail, &err);
    if (r == OK && !all)
        resolve_took_where(w, "local_recipient_maps", match.where);
    if (r == OK && !taken && !leads)
        accept_unknown(w, address);
    else if (r == NOT_FOUND)
        resolve_refuse_unknown(w, address);
    else if (r != OK)
        resolve_unavailable(w, &err);
}

void resolve_check_relay(struct walk *w, const struct directory_address *address)
{
    struct table_match match;
    struct slice detail;
    struct error err = {""};
    if (w->unchecked || map_is_empty(&w->d->maps, MAP_relay_recipient_maps))
        return;
    enum result r = resolve_find(w, MAP_relay_recipient_maps, address, &match, &detail, &err);
    if (r == OK)
        resolve_took_where(w, "relay_recipient_maps", match.where);
    else if (r == NOT_FOUND)
        resolve_refuse_unknown(w, address);
    else
        resolve_unavailable(w, &err);
}

bool resolve_is_known(struct walk *w, const struct directory_address *address,
                      enum domain_class class)
{
    struct resolved out = {.rule = "", .where = SLICE("")};
    struct directory_system system = *w->system;
    struct walk dry = {
        .d = w->d, .mapping = w->mapping, .system = &system, .arena = w->arena, .out = &out};
    struct table_match match;
    struct slice detail;
    struct error err = {""};
    system.step = NULL;
    if (class == CLASS_MAILBOX && !map_is_empty(&w->d->maps, MAP_virtual_mailbox_maps)) {
        enum result r = resolve_find(w, MAP_virtual_mailbox_maps, address, &match, &detail, &err);
        if (r != OK && r != NOT_FOUND)
            resolve_unavailable(w, &err);
        return r == OK;
    }
    if (class != CLASS_LOCAL || w->d->conf->local_recipient_maps.n == 0)
        return true;
    bool known = resolve_local(&dry, address, NULL, false) && out.n > 0;
    if (dry.stop) {
        w->out->kind = out.kind;
        w->out->ask = out.ask;
        w->out->wish = out.wish;
        w->out->problem = out.problem;
        w->stop = true;
    }
    if (known)
        resolve_took_where(w, out.rule, out.where);
    return known;
}
