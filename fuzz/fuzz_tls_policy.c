/* fuzz_tls_policy.c: any entry of smtp_tls_policy_maps, and any TLSA record. The first byte chooses
 * the settings behind it; the same bytes are also the next hop that is looked up. */
#include <stdlib.h>

#include "policy/tls_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct tls_policy *p, const struct tls_peer_names *who, struct arena *a)
{
    struct slice_list names;
    bool known = p->level == TLS_LEVEL_FINGERPRINT || p->level == TLS_LEVEL_VERIFY ||
                 p->level == TLS_LEVEL_SECURE;
    if (known != (p->match.n > 0))
        abort(); /* what must be known can be told by something, and nothing else is looked at */
    if (tls_policy_names(p, who, a, &names) == OK && names.n > p->match.n)
        abort();
    (void)tls_policy_servername(p, who);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct slice match = {"nexthop", 7};
    unsigned how = size ? data[0] : 0;
    struct slice text = slice_of(data + (size > 0), size ? size - 1 : 0);
    struct tls_policy_settings s = {.level = how & 1 ? SLICE("secure") : SLICE("dane"),
                                    .insecure_mx = how & 2 ? SLICE("may") : SLICE("dane"),
                                    .verify_match = {&match, how >> 2 & 1},
                                    .secure_match = {&match, 1},
                                    .fingerprint_match = {&match, how >> 3 & 1},
                                    .servername = SLICE("")};
    struct arena a;
    struct tls_policy p;
    const struct table *t = NULL;
    struct buf spec;
    arena_init(&a, 1 << 20);
    buf_init(&spec, 1 << 20);
    buf_puts(&spec, "static:");
    buf_append(&spec, text);
    if (table_open(buf_slice(&spec), NULL, NULL, NULL, &t, NULL) == OK) {
        const struct tables maps = {&t, 1}, none = {NULL, 0};
        const struct tls_peer_names who = {tls_nexthop_name(text), SLICE("mx.test")};
        if (tls_policy_find(&s, &maps, SLICE("x.test"), &a, &p, NULL) == OK)
            check(&p, &who, &a);
        if (tls_policy_find(&s, &none, text, &a, &p, NULL) == OK)
            check(&p, &who, &a);
        table_close(t);
    }
    if (tlsa_usable(text) && text.len < 4)
        abort();
    buf_release(&spec);
    arena_release(&a);
    return 0;
}
