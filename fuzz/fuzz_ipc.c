/* fuzz_ipc.c: any bytes as a packet: decoded or refused; what was decoded encodes to the same
 * bytes. A target's text goes the same way. */
#include <stdlib.h>

#include "base/arena.h"
#include "ipc/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_target(struct slice text)
{
    struct target t;
    struct buf out;
    if (target_parse(text, &t) != OK)
        return;
    buf_init(&out, text.len + 10);
    target_format(&t, &out);
    struct target again;
    if (!buf_ok(&out) || target_parse(buf_slice(&out), &again) != OK || again.local != t.local)
        abort();
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice packet = slice_of(data, size);
    struct ipc_message m;
    struct arena a;
    struct buf out;
    arena_init(&a, IPC_LIST_MAX * 16 * 16);
    buf_init(&out, IPC_PACKET_MAX);
    if (ipc_decode(packet, &a, &m) == OK) {
        if (ipc_encode(&m, &out) != OK || !slice_eq(buf_slice(&out), packet))
            abort();
        if (m.type == IPC_EXPAND)
            check_target(m.EXPAND.address);
    }
    arena_release(&a);
    buf_release(&out);
    return 0;
}
