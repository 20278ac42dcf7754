/* fuzz_import.c: what other servers keep: UID lists, keyword lists, subscriptions, mbox files.
 * Input: a byte that chooses, then the file. */
#include <stdlib.h>

#include "cli/import/import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(void *arg, struct slice name)
{
    (void)arg;
    if (name.len == 0)
        abort();
}

static void read_mbox(struct slice text)
{
    struct mbox_message m;
    struct slice rest = text;
    size_t total = 0;
    while (mbox_next(&rest, &m)) {
        if (m.header.len + m.body.len > text.len || rest.data > text.data + text.len)
            abort();
        total += m.header.len + m.body.len;
    }
    if (total > text.len)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct uidlist u;
    struct buf out;
    if (size == 0)
        return 0;
    struct slice text = slice_of(data + 1, size - 1);
    uidlist_init(&u);
    buf_init(&out, 256);
    switch (data[0] % 6) {
    case 0:
        (void)uidlist_parse_dovecot(&u, text);
        break;
    case 1:
        (void)uidlist_parse_courier(&u, text);
        break;
    case 2:
        (void)uidlist_parse_keywords(&u, text);
        break;
    case 3:
        subscriptions_parse(text, check_name, NULL);
        break;
    case 4:
        if (uidl_format(text, 1, 2, SLICE("file"), &out) && buf_len(&out) > 70)
            abort();
        break;
    default:
        read_mbox(text);
    }
    buf_release(&out);
    uidlist_release(&u);
    return 0;
}
