/* status.c: what a role says of itself: its own figures, and what the runtime knows of it. */
#include "base/clock.h"
#include "os/process.h"
#include "role/runtime.h"

enum { STATUS_BYTES_MAX = 64 * 1024, STATUS_ITEMS_MAX = 256 };

static void add_item(void *arg, const char *key, uint64_t value)
{
    buf_printf(arg, "%s=%llu\n", key, (unsigned long long)value);
}

void role_status_items(struct role *r, struct buf *out)
{
    struct runtime *rt = runtime_of(r);
    add_item(out, "uptime_s", (uint64_t)(clock_monotonic_ms() - rt->started_ms) / 1000);
    add_item(out, "memory_bytes", process_memory(rt->memory_fd));
    add_item(out, "uid", rt->sandbox.uid);
    add_item(out, "seccomp", rt->sandbox.seccomp);
    add_item(out, "landlock_abi", (uint64_t)rt->sandbox.landlock_abi);
    add_item(out, "chroot", rt->sandbox.chroot);
    if (r->ops->status)
        r->ops->status(r, add_item, out);
}

void runtime_answer_status(struct runtime *rt, struct ipc_channel *c, uint64_t call)
{
    struct slice items[STATUS_ITEMS_MAX];
    struct ipc_message m = {.type = IPC_STATUS_RESULT};
    struct buf text;
    size_t n = 0;
    buf_init(&text, STATUS_BYTES_MAX);
    role_status_items(&rt->role, &text);
    for (struct slice rest = buf_slice(&text); rest.len && n < STATUS_ITEMS_MAX;)
        items[n++] = slice_split(&rest, '\n');
    m.STATUS_RESULT.items = (struct slice_list){items, n};
    ipc_answer(c, call, &m);
    buf_release(&text);
}
