#include "role/relay/passwords.h"

#include <stdlib.h>

#include "auth/scram.h"
#include "policy/tls_policy.h"

static enum result look_up(const struct conf *c, const struct tables *maps,
                           const struct login_peer *peer, struct arena *a, struct slice *ret,
                           struct error *err)
{
    struct table_match match = {.value = SLICE("")};
    struct slice detail, keys[] = {peer->nexthop, tls_nexthop_name(peer->nexthop), peer->host};
    enum result r = NOT_FOUND;
    if (peer->sender.len)
        r = tables_find_address(maps, peer->sender, c->recipient_delimiter, false, a, &match,
                                &detail, err);
    for (size_t i = 0; r == NOT_FOUND && i < sizeof keys / sizeof *keys; i++)
        if (keys[i].len)
            r = tables_find(maps, keys[i], a, &match, err);
    *ret = match.value;
    return r;
}

bool passwords_wait(const struct conf *c, const struct relay_tables *tables)
{
    return c->smtp_sasl_auth_enable && relay_tables_wait(tables, c->smtp_sasl_password_maps);
}

/* SCRAM takes the password prepared, in the arena too. */
static enum result prepare(struct sasl_login *login, struct arena *a, struct error *err)
{
    char *prepared = scram_prepare(login->password);
    if (!prepared)
        return error_set(err, FAILED, "out of memory");
    login->prepared = arena_dup(a, slice_cstr(prepared));
    explicit_bzero(prepared, strlen(prepared));
    free(prepared);
    return login->prepared.data ? OK : error_set(err, FAILED, "out of memory");
}

enum result passwords_find(const struct conf *c, const struct relay_tables *tables,
                           const struct login_peer *peer, struct arena *a, struct relay_login *ret,
                           struct error *err)
{
    struct tables maps;
    struct slice value;
    ret->there = false;
    if (!c->smtp_sasl_auth_enable || c->smtp_sasl_password_maps.n == 0)
        return OK;
    enum result r = relay_tables_of(tables, "smtp_sasl_password_maps", c->smtp_sasl_password_maps,
                                    a, &maps, err);
    if (r == OK)
        r = look_up(c, &maps, peer, a, &value, err);
    if (r != OK)
        return r == NOT_FOUND ? OK : FAILED;
    ret->data.user = slice_split(&value, ':');
    ret->data.password = value.data ? value : SLICE("");
    ret->there = ret->data.user.len > 0;
    return prepare(&ret->data, a, err);
}
