#include "sasl/md5.h"

enum { BLOCK = 64 };

static const uint32_t start_state[4] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

/* RFC 1321 3.4: 4294967296 times abs(sin(i)). */
static const uint32_t sines[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};
static const unsigned char shifts[4][4] = {
    {7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

static uint32_t word(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_word(unsigned char *p, uint32_t w)
{
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(w >> (8 * i));
}

/* The round's function and which word of the block step i takes. */
static uint32_t mix(unsigned i, uint32_t b, uint32_t c, uint32_t d, unsigned *ret_index)
{
    switch (i / 16) {
    case 0:
        *ret_index = i;
        return (b & c) | (~b & d);
    case 1:
        *ret_index = (5 * i + 1) % 16;
        return (d & b) | (~d & c);
    case 2:
        *ret_index = (3 * i + 5) % 16;
        return b ^ c ^ d;
    default:
        *ret_index = 7 * i % 16;
        return c ^ (b | ~d);
    }
}

static void take_block(uint32_t state[4], const unsigned char block[BLOCK])
{
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
    for (unsigned i = 0; i < 64; i++) {
        unsigned index, shift = shifts[i / 16][i % 4];
        uint32_t sum = mix(i, b, c, d, &index);
        sum += a + sines[i] + word(block + (size_t)4 * index);
        a = d;
        d = c;
        c = b;
        b += sum << shift | sum >> (32 - shift);
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
}

/* The rest of a message of which `before` bytes went into the state, and MD5's padding. */
static void finish(uint32_t state[4], uint64_t before, struct slice rest,
                   unsigned char out[MD5_LEN])
{
    unsigned char block[BLOCK];
    uint64_t bits = (before + rest.len) * 8;
    for (; rest.len >= BLOCK; rest = slice_from(rest, BLOCK))
        take_block(state, (const unsigned char *)rest.data);
    memset(block, 0, sizeof block);
    if (rest.len)
        memcpy(block, rest.data, rest.len);
    block[rest.len] = 0x80;
    if (rest.len >= BLOCK - 8) {
        take_block(state, block);
        memset(block, 0, sizeof block);
    }
    put_word(block + BLOCK - 8, (uint32_t)bits);
    put_word(block + BLOCK - 4, (uint32_t)(bits >> 32));
    take_block(state, block);
    for (int i = 0; i < 4; i++)
        put_word(out + (size_t)4 * i, state[i]);
    explicit_bzero(block, sizeof block);
}

static void start_pad(uint32_t state[4], const unsigned char key[BLOCK], unsigned char pad)
{
    unsigned char block[BLOCK];
    for (size_t i = 0; i < BLOCK; i++)
        block[i] = key[i] ^ pad;
    memcpy(state, start_state, sizeof start_state);
    take_block(state, block);
    explicit_bzero(block, sizeof block);
}

void hmac_md5_key(struct hmac_md5_state *ret, struct slice key)
{
    unsigned char block[BLOCK] = {0};
    if (key.len > BLOCK) {
        uint32_t state[4];
        memcpy(state, start_state, sizeof state);
        finish(state, 0, key, block);
    } else if (key.len) {
        memcpy(block, key.data, key.len);
    }
    start_pad(ret->inner, block, 0x36);
    start_pad(ret->outer, block, 0x5c);
    explicit_bzero(block, sizeof block);
}

void hmac_md5(const struct hmac_md5_state *k, struct slice message, unsigned char out[MD5_LEN])
{
    uint32_t state[4];
    unsigned char inner[MD5_LEN];
    memcpy(state, k->inner, sizeof state);
    finish(state, BLOCK, message, inner);
    memcpy(state, k->outer, sizeof state);
    finish(state, BLOCK, slice_of(inner, sizeof inner), out);
}

void hmac_md5_read(struct hmac_md5_state *ret, const unsigned char bytes[HMAC_MD5_STATE_LEN])
{
    for (size_t i = 0; i < 4; i++) {
        ret->outer[i] = word(bytes + 4 * i);
        ret->inner[i] = word(bytes + 16 + 4 * i);
    }
}
