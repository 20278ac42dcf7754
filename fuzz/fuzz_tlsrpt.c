/* fuzz_tlsrpt.c: any bytes as a TXT record of TLS-RPT, and as a row that is kept: what is taken can
 * go into a header field, and a row written anew is the same row. */
#include "proto/tlsrpt/tlsrpt.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_uri(struct slice uri)
{
    struct slice part;
    if (uri.len > TLSRPT_URI_MAX)
        abort();
    for (size_t i = 0; i < uri.len; i++)
        if (uri.data[i] <= 0x20 || uri.data[i] >= 0x7f)
            abort();
    if (tlsrpt_mailto(uri, &part) != OK && tlsrpt_https(uri, &part) != OK)
        abort();
}

static void check_row(const struct tlsrpt_row *r, struct slice key)
{
    struct buf k, v;
    struct tlsrpt_row again;
    buf_init(&k, 1 << 20);
    buf_init(&v, 1 << 20);
    tlsrpt_row_key(r, &k);
    tlsrpt_row_value(r, &v);
    if (!slice_eq(buf_slice(&k), key) ||
        tlsrpt_row_read(buf_slice(&k), buf_slice(&v), &again) != OK || again.count != r->count)
        abort();
    buf_release(&k);
    buf_release(&v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size), rua[TLSRPT_RUA_MAX];
    struct tlsrpt_row r;
    size_t n = 0;
    if (tlsrpt_record(&text, 1, rua, &n) == OK)
        for (size_t i = 0; i < n; i++)
            check_uri(rua[i]);
    size_t half = size ? data[0] : 0;
    struct slice key = slice_sub(text, 1, half);
    if (tlsrpt_row_read(key, slice_from(text, 1 + half), &r) == OK)
        check_row(&r, key);
    return 0;
}
