/* classes.c: Postfix's address classes (ADDRESS_CLASS_README): whose is a domain? */
#include "auth/directory_impl.h"

static enum result broken(const struct directory *d, struct error *err)
{
    return d->domains_broken ? error_set(err, FAILED, "a list of domains can't be read") : OK;
}

enum result directory_is_local(const struct directory *d, struct slice domain, struct arena *a,
                               struct error *err)
{
    struct slice where;
    if (!domain.data)
        return OK;
    return match_list_find(&d->local, domain, a, &where, err);
}

/* *ret_where: the table's line, else the setting's. */
static enum result is_in(const struct directory *d, const struct match_list *list,
                         struct slice domain, const char *setting, struct arena *a,
                         struct slice *ret_where, struct error *err)
{
    struct slice where;
    enum result r = match_list_find(list, domain, a, &where, err);
    if (r == OK)
        *ret_where = where.len ? where : slice_cstr(conf_source(d->conf, setting));
    return r;
}

enum result directory_class(const struct directory *d, struct slice domain, struct arena *a,
                            enum domain_class *ret, struct slice *ret_where, struct error *err)
{
    const struct {
        const struct match_list *list;
        const char *setting;
        enum domain_class class;
    } lists[] = {
        {&d->local, "mydestination", CLASS_LOCAL},
        {&d->alias_domains, "virtual_alias_domains", CLASS_ALIAS},
        {&d->mailbox_domains, "virtual_mailbox_domains", CLASS_MAILBOX},
        {&d->relay_domains, "relay_domains", CLASS_RELAY},
    };
    *ret_where = SLICE("");
    *ret = CLASS_LOCAL;
    for (size_t i = 0; domain.data && i < sizeof lists / sizeof *lists; i++) {
        *ret = lists[i].class;
        if (lists[i].list->n == 0)
            continue;
        enum result r = is_in(d, lists[i].list, domain, lists[i].setting, a, ret_where, err);
        if (r != NOT_FOUND)
            return r == OK ? OK : FAILED;
    }
    if (domain.data)
        *ret = CLASS_OTHER;
    return domain.data ? broken(d, err) : OK;
}

enum result directory_flushes(const struct directory *d, struct slice domain, struct arena *a,
                              struct error *err)
{
    struct slice where;
    struct buf folded;
    buf_init(&folded, 1024);
    enum result r = domain_to_ascii(domain, &folded);
    if (r == OK)
        r = match_list_find(&d->flush_domains, buf_slice(&folded), a, &where, err);
    else
        r = NOT_FOUND;
    buf_release(&folded);
    return r;
}
