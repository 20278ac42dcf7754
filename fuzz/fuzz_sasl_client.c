/* fuzz_sasl_client.c: the client's side of SASL with any challenges. The first byte picks the
 * mechanism and what is known of the connection; lines are challenges, the last one is the server's
 * "welcome". */
#include "sasl/client.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {
        "PLAIN",   "LOGIN",       "CRAM-MD5",      "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS",
        "XOAUTH2", "SCRAM-SHA-1", "SCRAM-SHA-256", "OAUTHBEARER"};
    unsigned how = size ? data[0] : 0;
    struct slice rest = slice_of(data + (size > 0), size ? size - 1 : 0);
    struct sasl_login login = {.user = SLICE("u,=x"),
                               .password = SLICE("p"),
                               .prepared = SLICE("p"),
                               .nonce = "N",
                               .binding_len = how & 16 ? 12 : 0,
                               .bound_offered = how & 32};
    const struct sasl_client_mechanism *m =
        sasl_client_find(slice_cstr(names[(how & 15) % (sizeof names / sizeof *names)]));
    struct sasl_client c;
    struct buf out;
    const char *why = NULL;
    bool initial = false;
    buf_init(&out, 1 << 20);
    enum result r = sasl_client_start(&c, m, &login, &out, &initial, &why);
    for (int i = 0; r == OK && rest.data && i < 20; i++) {
        buf_reset(&out);
        struct slice challenge = slice_split(&rest, '\n');
        r = sasl_client_respond(&c, challenge.len ? challenge : SLICE(""), &out, &why);
    }
    if (r != OK && !why)
        abort();
    /* Nobody who has not the password can prove it, but for a chance of 2^-160. */
    if (m->finish && sasl_client_finish(&c, &why) == OK)
        abort();
    sasl_client_end(&c);
    buf_release(&out);
    return 0;
}
