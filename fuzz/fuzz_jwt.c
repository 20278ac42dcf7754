/* fuzz_jwt.c: bearer tokens: any bytes as a token and as a token's claims. */
#include "auth/jwt.h"
#include "base/json_read.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct json_value *v)
{
    struct json_value item;
    struct buf text;
    size_t at = 0, before = 0;
    while (json_next(v, &at, &item)) {
        if (at <= before || at > v->raw.len)
            abort();
        before = at;
    }
    buf_init(&text, 1 << 20);
    if (v->kind == JSON_STRING && json_text(v, &text) == OK && buf_len(&text) > v->raw.len)
        abort();
    buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice audience = SLICE("mail"), in = slice_of(data, size);
    const struct jwt_rules rules = {.audience = {&audience, 1}, .username = SLICE("email")};
    struct jwt_keys *keys = NULL;
    struct json_value v, member;
    struct buf user;
    if (jwt_keys_new(&keys) != OK)
        return 0;
    buf_init(&user, 255);
    if (jwt_keys_add(keys, SLICE("0123456789abcdef0123456789abcdef"), true, NULL) != OK)
        abort();
    if (!jwt_check(keys, &rules, in, 1000, &user))
        (void)0; /* the corpus has some that are right */
    buf_reset(&user);
    if (!jwt_check_claims(&rules, in, 1000, &user) && buf_len(&user) == 0)
        abort();
    if (json_parse(in, &v) == OK) {
        walk(&v);
        if (json_find(&v, "email", &member) == OK)
            walk(&member);
    }
    buf_release(&user);
    jwt_keys_unref(keys);
    return 0;
}
