#include "auth/mac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

/* The longest input: a recipient with a thousand targets. */
enum { INPUT_MAX = 1024 * 1024 };

void mac_init(struct mac *m)
{
    buf_init(&m->input, INPUT_MAX);
}

void mac_add_u64(struct mac *m, uint64_t n)
{
    buf_put_be64(&m->input, n);
}

void mac_add(struct mac *m, struct slice field)
{
    mac_add_u64(m, field.len);
    buf_append(&m->input, field);
}

enum result mac_finish(struct mac *m, const unsigned char key[MAC_KEY_LEN],
                       unsigned char ret[MAC_LEN])
{
    unsigned char out[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    bool ok = buf_ok(&m->input) &&
              HMAC(EVP_sha256(), key, MAC_KEY_LEN, (const unsigned char *)buf_slice(&m->input).data,
                   buf_len(&m->input), out, &len);
    if (m->input.mem)
        explicit_bzero(m->input.mem, m->input.size);
    buf_release(&m->input);
    if (!ok || len != MAC_LEN)
        return FAILED;
    memcpy(ret, out, MAC_LEN);
    return OK;
}

bool mac_equal(const void *a, const void *b)
{
    return CRYPTO_memcmp(a, b, MAC_LEN) == 0;
}

enum result random_bytes(void *out, size_t n)
{
    return n <= 256 && getrandom(out, n, 0) == (ssize_t)n ? OK : FAILED;
}
