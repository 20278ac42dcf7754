#include "dkim/canon.h"

#include <openssl/evp.h>

static bool is_space(char c)
{
    return ascii_blank(c) || c == '\r' || c == '\n';
}

void dkim_canon_field(struct slice name, struct slice body, struct buf *out)
{
    bool space = false, any = false;
    for (size_t i = 0; i < name.len; i++)
        buf_putc(out, ascii_lower(name.data[i]));
    buf_putc(out, ':');
    for (size_t i = 0; i < body.len; i++) {
        if (is_space(body.data[i])) {
            space = any;
            continue;
        }
        if (space)
            buf_putc(out, ' ');
        buf_putc(out, body.data[i]);
        space = false;
        any = true;
    }
}

/* ---- the body ---- */

/* White space and line ends are held back until something follows them. */
struct relaxing {
    EVP_MD_CTX *md;
    size_t lines; /* line ends held back */
    bool space, good, any;
    size_t n;
    char bytes[4096];
};

static void flush(struct relaxing *x)
{
    x->good = x->good && EVP_DigestUpdate(x->md, x->bytes, x->n) == 1;
    x->n = 0;
}

static void put(struct relaxing *x, char c)
{
    if (x->n == sizeof x->bytes)
        flush(x);
    x->bytes[x->n++] = c;
}

static void take(struct relaxing *x, char c)
{
    if (c == '\n') {
        x->lines++;
        x->space = false;
        return;
    }
    if (ascii_blank(c)) {
        x->space = true;
        return;
    }
    for (; x->lines; x->lines--) {
        put(x, '\r');
        put(x, '\n');
    }
    if (x->space)
        put(x, ' ');
    x->space = false;
    x->any = true;
    put(x, c);
}

enum result dkim_body_hash(struct slice body, unsigned char ret[static DKIM_HASH_LEN])
{
    struct relaxing x = {.md = EVP_MD_CTX_new()};
    x.good = x.md && EVP_DigestInit_ex(x.md, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; i < body.len && x.good; i++) {
        bool line_end = body.data[i] == '\r' && i + 1 < body.len && body.data[i + 1] == '\n';
        if (!line_end)
            take(&x, body.data[i]);
    }
    if (x.any) { /* all empty lines at the end are one line end; an empty body is nothing */
        put(&x, '\r');
        put(&x, '\n');
    }
    flush(&x);
    x.good = x.good && EVP_DigestFinal_ex(x.md, ret, NULL) == 1;
    EVP_MD_CTX_free(x.md);
    return x.good ? OK : FAILED;
}
