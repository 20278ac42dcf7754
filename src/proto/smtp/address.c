/* address.c: the address of MAIL and RCPT as the rest of the system sees it. */
#include "proto/smtp/command.h"

#include "mime/address.h"

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
