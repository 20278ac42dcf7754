/* fuzz_dovecot_auth.c: Dovecot's authentication protocol, the server's side. The bytes come in
 * pieces whose length the first byte says; the driver's answers are drawn from it too. */
#include "proto/auth/dovecot.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(struct dovecot_auth *d, const struct dovecot_request *req, struct buf *out)
{
    struct slice seen = req->response.len ? req->response : req->mechanism;
    if (req->slot >= DOVECOT_SLOTS || !d->slots[req->slot].used)
        abort();
    unsigned pick = seen.len ? (unsigned char)seen.data[seen.len - 1] % 4 : 0;
    if (pick == 0)
        dovecot_right(d, SLICE("a\tb"), out);
    else if (pick == 1)
        dovecot_refused(d, seen.len % 2, "no", out);
    else
        dovecot_challenge(d, seen, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dovecot_auth d;
    struct dovecot_request req;
    struct buf in, out;
    if (size == 0)
        return 0;
    size_t piece = data[0] + 1u, at = 1;
    buf_init(&in, DOVECOT_IN_MAX);
    buf_init(&out, DOVECOT_OUT_MAX);
    dovecot_open(&d, SLICE("MECH\tPLAIN\n"), 1, 2, "00", &out);
    enum dovecot_want want = DOVECOT_WANT_INPUT;
    while (want != DOVECOT_WANT_CLOSE) {
        if (want == DOVECOT_WANT_INPUT) {
            struct slice more = slice_sub(slice_of(data, size), at, piece);
            at += more.len;
            if (more.len == 0)
                break;
            buf_append(&in, more);
            if (!buf_ok(&in))
                break;
        } else if (want != DOVECOT_WANT_CANCEL) {
            answer(&d, &req, &out);
        }
        buf_reset(&out);
        struct slice rest = buf_slice(&in);
        want = dovecot_step(&d, &rest, &out, &req);
        buf_consume(&in, buf_len(&in) - rest.len);
        if (want == DOVECOT_WANT_ANSWER || !buf_ok(&out))
            abort();
    }
    dovecot_release(&d);
    buf_release(&in);
    buf_release(&out);
    return 0;
}
