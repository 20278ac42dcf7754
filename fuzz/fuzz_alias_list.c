/* fuzz_alias_list.c: lists of recipients as aliases, :include: files and .forward have them, and
 * the targets that travel between roles. Input: a list or a file of lists. */
#include <stdlib.h>

#include "auth/alias_list.h"
#include "ipc/ipc.h"
#include "mime/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_items(struct slice_list l)
{
    if (l.n > ALIAS_TARGETS_MAX)
        abort();
    for (size_t i = 0; i < l.n; i++) {
        struct slice text = alias_item_text(l.items[i]);
        bool address = alias_item_kind(l.items[i]) == ITEM_ADDRESS;
        if (text.len == 0 || text.len > (address ? (size_t)ADDRESS_MAX : (size_t)ALIAS_TEXT_MAX))
            abort();
    }
}

/* What parses has one form. */
static void check_target(struct slice text)
{
    struct target t, again;
    struct buf out;
    if (target_parse(text, &t) != OK)
        return;
    buf_init(&out, text.len + 100);
    target_format(&t, &out);
    if (!buf_ok(&out) || target_parse(buf_slice(&out), &again) != OK || again.kind != t.kind ||
        !slice_eq(again.text, t.text) || !slice_eq(again.address, t.address) ||
        !slice_eq(again.sender, t.sender) || !slice_eq(again.delivered, t.delivered))
        abort();
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct slice items[ALIAS_TARGETS_MAX];
    struct slice text = slice_of(data, size);
    struct slice_list lines;
    struct arena a;
    const char *wrong;
    unsigned line;
    size_t n = 0;
    if (size > 1 << 18)
        return 0;
    arena_init(&a, 64 << 20);
    if (!alias_list_parse(text, &a, items, &n))
        check_items((struct slice_list){items, n});
    if (alias_lines_parse(text, &a, &lines, &wrong, &line) == OK)
        check_items(lines);
    arena_release(&a);
    check_target(text);
    return 0;
}
