#include "role/relay/passwords.h"

#include "auth/offer.h"
#include "policy/tls_policy.h"
#include "sasl/md5.h"

/* ---- passwords ---- */

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

/* ---- mechanisms ---- */

/* CRAM-MD5 takes the password, never its hash. */
static void cram_md5(const struct smtp_client_config *c, struct slice challenge, struct buf *out)
{
    struct hmac_md5_state k;
    unsigned char mac[MD5_LEN];
    hmac_md5_key(&k, c->password);
    hmac_md5(&k, challenge, mac);
    for (size_t i = 0; i < sizeof mac; i++)
        buf_printf(out, "%02x", mac[i]);
    explicit_bzero(&k, sizeof k);
}

/* The first item that speaks of it decides: "plain", "!plain", "static:rest". */
static bool filter_allows(struct slice_list filter, const char *mechanism)
{
    for (size_t i = 0; i < filter.n; i++) {
        struct slice item = filter.items[i];
        bool negated = item.len && item.data[0] == '!';
        struct slice name = slice_from(item, negated);
        if (slice_is_nocase(name, mechanism) || slice_starts(name, SLICE("static:")))
            return !negated;
    }
    return filter.n == 0;
}

static unsigned mechanisms(const struct conf *c, const struct slice_list *options)
{
    static const struct {
        const char *name;
        unsigned bit;
    } all[] = {{"PLAIN", SMTP_CLIENT_PLAIN},
               {"LOGIN", SMTP_CLIENT_LOGIN},
               {"CRAM-MD5", SMTP_CLIENT_CRAM_MD5}};
    unsigned found = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const struct sasl_mechanism *m = sasl_find(slice_cstr(all[i].name));
        if (m && offer_options_allow(options, m) &&
            filter_allows(c->smtp_sasl_mechanism_filter, all[i].name))
            found |= all[i].bit;
    }
    return found;
}

bool passwords_wait(const struct conf *c, const struct relay_tables *tables)
{
    return c->smtp_sasl_auth_enable && relay_tables_wait(tables, c->smtp_sasl_password_maps);
}

enum result passwords_find(const struct conf *c, const struct relay_tables *tables,
                           const struct login_peer *peer, struct arena *a,
                           struct smtp_client_config *config, struct error *err)
{
    struct tables maps;
    struct slice value;
    config->user = config->password = SLICE("");
    if (!c->smtp_sasl_auth_enable || c->smtp_sasl_password_maps.n == 0)
        return OK;
    enum result r = relay_tables_of(tables, "smtp_sasl_password_maps", c->smtp_sasl_password_maps,
                                    a, &maps, err);
    if (r == OK)
        r = look_up(c, &maps, peer, a, &value, err);
    if (r != OK)
        return r == NOT_FOUND ? OK : FAILED;
    config->user = slice_split(&value, ':');
    config->password = value.data ? value : SLICE("");
    config->auth_tls = mechanisms(c, &c->smtp_sasl_tls_security_options);
    config->auth_clear =
        peer->loopback ? config->auth_tls : mechanisms(c, &c->smtp_sasl_security_options);
    config->cram_md5 = cram_md5;
    return OK;
}
