#include "table/key.h"

#include <stdlib.h>
#include <unicase.h>
#include <unistr.h>

bool table_key_is_utf8(struct slice key)
{
    return u8_check((const uint8_t *)(key.data ? key.data : ""), key.len) == NULL;
}

static struct slice fold_ascii(struct slice key, struct arena *a)
{
    char *out = arena_alloc(a, key.len + 1);
    if (!out)
        return SLICE_NONE;
    for (size_t i = 0; i < key.len; i++)
        out[i] = ascii_lower(key.data[i]);
    return slice_of(out, key.len);
}

static struct slice fold_unicode(struct slice key, struct arena *a)
{
    size_t len = 0;
    uint8_t *folded = u8_casefold((const uint8_t *)key.data, key.len, NULL, NULL, NULL, &len);
    if (!folded)
        return fold_ascii(key, a);
    struct slice out = arena_dup(a, slice_of(folded, len));
    free(folded);
    return out;
}

struct slice table_fold_key(struct slice key, struct arena *a)
{
    bool upper = false, ascii = true;
    for (size_t i = 0; i < key.len; i++) {
        upper |= key.data[i] >= 'A' && key.data[i] <= 'Z';
        ascii &= (unsigned char)key.data[i] < 0x80;
    }
    if (ascii && !upper)
        return key.data ? key : SLICE("");
    return ascii || !table_key_is_utf8(key) ? fold_ascii(key, a) : fold_unicode(key, a);
}
