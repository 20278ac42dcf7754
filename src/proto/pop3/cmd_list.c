/* cmd_list.c: STAT, LIST and UIDL: what is in the maildrop (RFC 1939 5, 7). */
#include "proto/pop3/core.h"

bool pop3_number(struct pop3 *p, struct slice text, struct buf *out, uint32_t *ret)
{
    uint64_t n;
    if (slice_parse_u64(text, UINT64_MAX, &n) != OK) {
        (void)pop3_bad(p, "Not a message number.", out);
        return false;
    }
    if (n == 0 || n > p->drop.count || pop3_deleted(p, (uint32_t)n)) {
        buf_printf(out, "-ERR There's no message %llu.\r\n", (unsigned long long)n);
        return false;
    }
    *ret = (uint32_t)n;
    return true;
}

enum pop3_want pop3_cmd_stat(struct pop3 *p, struct slice args, struct buf *out,
                             struct pop3_request *ret)
{
    uint64_t bytes = 0;
    (void)ret;
    if (args.len)
        return pop3_bad(p, "STAT takes no argument.", out);
    for (uint32_t n = 1; n <= p->drop.count; n++)
        if (!pop3_deleted(p, n))
            bytes += p->drop.size(p->drop.arg, n);
    buf_printf(out, "+OK %u %llu\r\n", p->drop.count - p->n_deleted, (unsigned long long)bytes);
    return POP3_WANT_INPUT;
}

static void put_entry(const struct pop3 *p, bool uidl, uint32_t number, struct buf *out)
{
    buf_printf(out, "%u ", number);
    if (uidl)
        p->drop.uidl(p->drop.arg, number, out);
    else
        buf_put_u64(out, p->drop.size(p->drop.arg, number));
    buf_puts(out, "\r\n");
}

static enum pop3_want list(struct pop3 *p, bool uidl, struct slice args, struct buf *out)
{
    uint32_t number;
    args = slice_trim(args);
    if (args.len) {
        if (pop3_number(p, args, out, &number)) {
            buf_puts(out, "+OK ");
            put_entry(p, uidl, number, out);
        }
        return POP3_WANT_INPUT;
    }
    buf_printf(out, "+OK %u messages:\r\n", p->drop.count - p->n_deleted);
    p->multi.kind = uidl ? MULTI_UIDL : MULTI_LIST;
    p->multi.number = 1;
    p->multi.started = true;
    return POP3_WANT_INPUT;
}

void pop3_list_more(struct pop3 *p, struct buf *out)
{
    bool uidl = p->multi.kind == MULTI_UIDL;
    uint32_t n = p->multi.number;
    for (; n <= p->drop.count && !pop3_full(p, out); n++)
        if (!pop3_deleted(p, n))
            put_entry(p, uidl, n, out);
    p->multi.number = n;
    if (n <= p->drop.count)
        return;
    buf_puts(out, ".\r\n");
    p->multi.kind = MULTI_NONE;
    p->multi.started = false;
}

enum pop3_want pop3_cmd_list(struct pop3 *p, struct slice args, struct buf *out,
                             struct pop3_request *ret)
{
    (void)ret;
    return list(p, false, args, out);
}

enum pop3_want pop3_cmd_uidl(struct pop3 *p, struct slice args, struct buf *out,
                             struct pop3_request *ret)
{
    (void)ret;
    return list(p, true, args, out);
}
