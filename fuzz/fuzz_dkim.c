/* fuzz_dkim.c: any bytes as a message to sign: what is gathered keeps its bounds and its form, a
 * signature comes of it, and no line of the field is longer than it may be. */
#include "dkim/sign.h"

#include <stdlib.h>

enum { LINE_MAX_BYTES = 998 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(struct slice field)
{
    while (field.len) {
        size_t n = slice_search(field, SLICE("\r\n"));
        if (n > LINE_MAX_BYTES)
            abort();
        field = slice_from(field, n + 2);
        if (field.len && field.data[0] != '\t')
            abort(); /* a second field */
    }
}

static void sign(const struct dkim_parts *p)
{
    static struct dkim_keys *keys;
    struct dkim_key *key = NULL;
    struct buf out;
    size_t n = 0;
    if (!keys && (dkim_keys_new(&keys) != OK || dkim_key_new(DKIM_ED25519, &key) != OK ||
                  dkim_keys_add(keys, SLICE("test"), SLICE("s"), key) != OK))
        abort();
    buf_init(&out, 1 << 20);
    if (dkim_sign(keys, p, 0, &out, &n) != OK)
        abort();
    if ((n == 1) != (buf_len(&out) > 0))
        abort();
    check_lines(buf_slice(&out));
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dkim_parts p;
    struct arena a;
    arena_init(&a, 1 << 20);
    if (dkim_gather(slice_of(data, size), &a, &p) == OK) {
        if (p.fields.len > DKIM_FIELDS_BYTES_MAX || p.body_hash.len != DKIM_HASH_LEN)
            abort();
        sign(&p);
    }
    arena_release(&a);
    return 0;
}
