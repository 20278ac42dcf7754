/* cmd_quit.c: DELE, RSET, NOOP and QUIT (RFC 1939 5, 6): marks until the end, effects only there.
 */
#include "proto/pop3/core.h"

#include <stdlib.h>

bool pop3_deleted(const struct pop3 *p, uint32_t number)
{
    return p->deleted && (p->deleted[(number - 1) / 8] >> ((number - 1) % 8) & 1);
}

uint32_t pop3_deleted_count(const struct pop3 *p)
{
    return p->n_deleted;
}

enum pop3_want pop3_cmd_dele(struct pop3 *p, struct slice args, struct buf *out,
                             struct pop3_request *ret)
{
    uint32_t number;
    (void)ret;
    if (!pop3_number(p, slice_trim(args), out, &number))
        return POP3_WANT_INPUT;
    if (!p->deleted)
        p->deleted = calloc(p->drop.count / 8 + 1, 1);
    if (!p->deleted) {
        pop3_err(out, "[SYS/TEMP] Out of memory.");
        return POP3_WANT_INPUT;
    }
    p->deleted[(number - 1) / 8] |= (uint8_t)(1u << ((number - 1) % 8));
    p->n_deleted++;
    pop3_ok(out, "Marked to be deleted.");
    return POP3_WANT_INPUT;
}

enum pop3_want pop3_cmd_rset(struct pop3 *p, struct slice args, struct buf *out,
                             struct pop3_request *ret)
{
    (void)ret;
    if (args.len)
        return pop3_bad(p, "RSET takes no argument.", out);
    free(p->deleted);
    p->deleted = NULL;
    p->n_deleted = 0;
    pop3_ok(out, "");
    return POP3_WANT_INPUT;
}

enum pop3_want pop3_cmd_noop(struct pop3 *p, struct slice args, struct buf *out,
                             struct pop3_request *ret)
{
    (void)ret;
    if (args.len)
        return pop3_bad(p, "NOOP takes no argument.", out);
    pop3_ok(out, "");
    return POP3_WANT_INPUT;
}

enum pop3_want pop3_cmd_quit(struct pop3 *p, struct slice args, struct buf *out,
                             struct pop3_request *ret)
{
    (void)ret;
    if (args.len)
        return pop3_bad(p, "QUIT takes no argument.", out);
    if (p->n_deleted)
        return POP3_WANT_COMMIT;
    pop3_ok(out, "Logging out.");
    p->state = POP3_ENDED;
    return POP3_WANT_INPUT;
}

void pop3_committed(struct pop3 *p, enum result r, struct buf *out)
{
    p->waiting = 0;
    p->state = POP3_ENDED;
    if (r == OK)
        pop3_ok(out, "Logging out, messages deleted.");
    else
        pop3_err(out, "[SYS/TEMP] Some deleted messages were not removed.");
}
