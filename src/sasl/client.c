/* client.c: see client.h; the mechanisms of one message, and LOGIN and CRAM-MD5. */
#include "sasl/client.h"

#include "sasl/md5.h"

static enum result wrong(const char **why, const char *text)
{
    *why = text;
    return INVALID;
}

/* ---- PLAIN (RFC 4616) ---- */

static enum result plain(struct sasl_client *c, struct buf *out, const char **why)
{
    (void)why;
    buf_putc(out, 0);
    buf_append(out, c->login->user);
    buf_putc(out, 0);
    buf_append(out, c->login->password);
    return OK;
}

/* A server that did not see the initial response asks with an empty challenge. */
static enum result plain_again(struct sasl_client *c, struct slice challenge, struct buf *out,
                               const char **why)
{
    (void)challenge;
    return c->step++ == 0 ? plain(c, out, why) : wrong(why, "the server asks for more than PLAIN");
}

/* ---- LOGIN ---- */

/* Whatever the words of its questions are. */
static enum result login(struct sasl_client *c, struct slice challenge, struct buf *out,
                         const char **why)
{
    (void)challenge;
    if (c->step > 1)
        return wrong(why, "the server asks for more than LOGIN has");
    buf_append(out, c->step++ == 0 ? c->login->user : c->login->password);
    return OK;
}

/* ---- CRAM-MD5 (RFC 2195) ---- */

static enum result cram_md5(struct sasl_client *c, struct slice challenge, struct buf *out,
                            const char **why)
{
    struct hmac_md5_state k;
    unsigned char mac[MD5_LEN];
    if (c->step++)
        return wrong(why, "the server asks for more than CRAM-MD5 has");
    if (!challenge.data)
        return wrong(why, "the server's challenge is not base64");
    hmac_md5_key(&k, c->login->password);
    hmac_md5(&k, challenge, mac);
    buf_append(out, c->login->user);
    buf_putc(out, ' ');
    for (size_t i = 0; i < sizeof mac; i++)
        buf_printf(out, "%02x", mac[i]);
    explicit_bzero(&k, sizeof k);
    return OK;
}

/* ---- OAUTHBEARER (RFC 7628) and XOAUTH2 ---- */

static bool has_separator(const struct sasl_login *l)
{
    return slice_find(l->user, '\1') != SIZE_MAX || slice_find(l->password, '\1') != SIZE_MAX;
}

static enum result oauthbearer(struct sasl_client *c, struct buf *out, const char **why)
{
    if (has_separator(c->login))
        return wrong(why, "the user or the token holds a control character");
    buf_puts(out, "n,a=");
    for (size_t i = 0; i < c->login->user.len; i++) {
        char ch = c->login->user.data[i];
        if (ch == ',' || ch == '=')
            buf_puts(out, ch == ',' ? "=2C" : "=3D");
        else
            buf_putc(out, ch);
    }
    buf_printf(out, ",\1auth=Bearer %.*s\1\1", SLICE_ARG(c->login->password));
    return OK;
}

static enum result xoauth2(struct sasl_client *c, struct buf *out, const char **why)
{
    if (has_separator(c->login))
        return wrong(why, "the user or the token holds a control character");
    buf_printf(out, "user=%.*s\1auth=Bearer %.*s\1\1", SLICE_ARG(c->login->user),
               SLICE_ARG(c->login->password));
    return OK;
}

/* A server that did not see the initial response asks with an empty challenge; else its challenge
 * is why it refuses, and its reply comes behind our dummy. */
static enum result bearer_again(struct sasl_client *c, struct slice challenge, struct buf *out,
                                const char **why)
{
    if (c->step++)
        return wrong(why, "the server asks for more than its mechanism has");
    if (challenge.data && challenge.len == 0)
        return c->mechanism->start(c, out, why);
    if (slice_is(slice_cstr(c->mechanism->name), "OAUTHBEARER"))
        buf_putc(out, '\1');
    return OK;
}

/* ---- the exchange ---- */

static const struct sasl_client_mechanism all[] = {
    {.name = "PLAIN", .start = plain, .respond = plain_again},
    {.name = "LOGIN", .respond = login},
    {.name = "CRAM-MD5", .respond = cram_md5},
    {.name = "OAUTHBEARER", .start = oauthbearer, .respond = bearer_again},
    {.name = "XOAUTH2", .start = xoauth2, .respond = bearer_again},
};

const struct sasl_client_mechanism *sasl_client_find(struct slice name)
{
    static const struct sasl_client_mechanism *const scram[] = {
        &sasl_client_scram_sha_256_plus, &sasl_client_scram_sha_256, &sasl_client_scram_sha_1_plus,
        &sasl_client_scram_sha_1};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (slice_is_nocase(name, all[i].name))
            return &all[i];
    for (size_t i = 0; i < sizeof scram / sizeof *scram; i++)
        if (slice_is_nocase(name, scram[i]->name))
            return scram[i];
    return NULL;
}

enum result sasl_client_start(struct sasl_client *c, const struct sasl_client_mechanism *m,
                              const struct sasl_login *login_data, struct buf *out,
                              bool *ret_initial, const char **why)
{
    *c = (struct sasl_client){.mechanism = m, .login = login_data};
    if (m->bound && login_data->binding_len == 0)
        return wrong(why, "the mechanism binds to TLS, which is not there");
    enum result r = m->start ? m->start(c, out, why) : OK;
    if (r == OK)
        *ret_initial = m->start != NULL;
    return r;
}

enum result sasl_client_respond(struct sasl_client *c, struct slice challenge, struct buf *out,
                                const char **why)
{
    return c->mechanism->respond(c, challenge, out, why);
}

enum result sasl_client_finish(struct sasl_client *c, const char **why)
{
    return c->mechanism->finish ? c->mechanism->finish(c, why) : OK;
}

void sasl_client_end(struct sasl_client *c)
{
    explicit_bzero(c, sizeof *c);
}
