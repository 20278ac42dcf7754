/* address.c: the address of MAIL and RCPT as the rest of the system sees it. */
#include "proto/smtp/command.h"

#include "mime/address.h"

struct slice smtp_given_address(struct smtp_tx *tx, const struct address *a)
{
    struct buf text;
    bool quoted = a->local.len && a->local.data[0] == '"';
    if (a->local.len == 0 || (a->domain.len && !a->final_dot && !quoted))
        return SLICE_NONE;
    buf_init(&text, 2 * ADDRESS_MAX);
    address_unquote(a->local, &text);
    if (a->domain.len)
        buf_printf(&text, "@%.*s%s", SLICE_ARG(a->domain), a->final_dot ? "." : "");
    struct slice given = buf_ok(&text) ? arena_dup(&tx->arena, buf_slice(&text)) : SLICE_NONE;
    buf_release(&text);
    return given;
}

bool smtp_address_odd(const struct address *a)
{
    char mem[2 * ADDRESS_MAX];
    struct buf local = {.mem = mem, .size = sizeof mem, .max = sizeof mem};
    size_t digits = 0;
    address_unquote(a->local, &local); /* as a command would get it */
    while (digits < a->domain.len && strchr("0123456789.", a->domain.data[digits]))
        digits++;
    return (buf_len(&local) && mem[0] == '-') || (a->domain.len && digits == a->domain.len);
}

struct slice smtp_full_address(const struct smtp_session *s, struct smtp_tx *tx,
                               const struct address *a)
{
    if (a->local.len == 0) /* the null sender */
        return arena_dup(&tx->arena, SLICE(""));
    /* RFC 5321 4.1.1.3: <postmaster> is this host's own, whatever myorigin says. */
    struct slice domain = a->domain.len                             ? a->domain
                          : slice_is_nocase(a->local, "postmaster") ? s->config->hostname
                                                                    : s->config->origin;
    char *text = arena_printf(&tx->arena, "%.*s@%.*s", SLICE_ARG(a->local), SLICE_ARG(domain));
    return slice_cstr(text);
}
