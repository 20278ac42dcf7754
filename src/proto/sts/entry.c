/* entry.c: what is kept of a domain (docs/formats/sts.md), and when it is asked for again. */
#include "base/cursor.h"
#include "proto/sts/sts.h"

enum { FORMAT = 1 };

void sts_entry_write(const struct sts_entry *e, struct buf *out)
{
    buf_putc(out, FORMAT);
    buf_put_le64(out, (uint64_t)e->until_s);
    buf_put_le64(out, (uint64_t)e->fetched_s);
    buf_put_le64(out, (uint64_t)e->failed_s);
    buf_putc(out, (char)e->id.len);
    buf_append(out, e->id);
    buf_append(out, e->policy);
}

enum result sts_entry_read(struct slice bytes, struct sts_entry *ret)
{
    struct cursor c = cursor_of(bytes);
    struct sts_entry e;
    uint8_t format = cursor_u8(&c);
    e.until_s = (int64_t)cursor_le64(&c);
    e.fetched_s = (int64_t)cursor_le64(&c);
    e.failed_s = (int64_t)cursor_le64(&c);
    e.id = cursor_take(&c, cursor_u8(&c));
    e.policy = c.rest;
    if (!cursor_ok(&c) || format != FORMAT || e.id.len > STS_ID_MAX)
        return CORRUPT;
    *ret = e;
    return OK;
}

bool sts_entry_holds(const struct sts_entry *e, int64_t now_s)
{
    return e->policy.len > 0 && now_s < e->until_s;
}

/* A clock that was set back must not stop fetching for long. */
static bool is_within(int64_t since_s, int64_t seconds, int64_t now_s)
{
    return since_s <= now_s && now_s < since_s + seconds;
}

bool sts_entry_stale(const struct sts_entry *e, struct slice id, int64_t now_s)
{
    if (id.len == 0 || (e->failed_s && is_within(e->failed_s, STS_RETRY_AFTER_S, now_s)))
        return false;
    return !sts_entry_holds(e, now_s) || !slice_eq(e->id, id) ||
           !is_within(e->fetched_s, STS_REFRESH_AFTER_S, now_s);
}

struct sts_entry sts_entry_fetched(const struct sts_policy *p, struct slice written,
                                   struct slice id, int64_t now_s)
{
    return (struct sts_entry){
        .id = id, .policy = written, .fetched_s = now_s, .until_s = now_s + p->max_age};
}
