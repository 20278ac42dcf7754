/* fuzz_imap.c: the whole IMAP core over a world in memory. The first byte says what the client
 * talks to: IMAP before the login, or a session with a mailbox selected, whole or in pieces; the
 * rest are its bytes. Between pieces, another session changes the mailbox. */
#include <stdint.h>
#include <stdlib.h>

#include "../test/unit/fake_imap.h"
#include "proto/imap/login.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct imap_login_config login_config = {
    .greeting = {"x", 1}, .mechanisms = {"PLAIN LOGIN", 11}, .starttls = true, .max_bad = 1000};

static void fuzz_login(struct slice bytes)
{
    struct imap_login l;
    struct imap_login_request req;
    struct buf out;
    buf_init(&out, IMAP_LOGIN_OUT_MAX);
    imap_login_open(&l, &login_config, true, false, &out);
    for (unsigned turn = 0;; turn++) {
        buf_reset(&out);
        switch (imap_login_step(&l, &bytes, &out, &req)) {
        case IMAP_WANT_AUTH_START:
        case IMAP_WANT_AUTH_STEP:
            if (turn % 3)
                imap_login_challenge(&l, SLICE("challenge"), &out);
            else
                imap_login_refused(&l, IMAP_REFUSE_WRONG, &out);
            break;
        case IMAP_WANT_PASS:
            imap_login_refused(&l, IMAP_REFUSE_UNAVAILABLE, &out);
            break;
        case IMAP_WANT_STARTTLS:
            imap_login_tls_started(&l);
            break;
        case IMAP_WANT_AUTH_CANCEL:
            break;
        default:
            buf_release(&out);
            imap_login_release(&l);
            return;
        }
    }
}

static void meddle(struct fake_world *w, unsigned how)
{
    struct fake_mailbox *inbox = &w->boxes[0];
    uint32_t uid = 1 + how % 7;
    if (how % 5 == 0)
        fake_deliver(inbox, (int)(how % FAKE_TEXTS), (uint8_t)(how & 31));
    else if (how % 5 == 1)
        fake_expunge(inbox, uid);
    else if (how % 5 == 2)
        fake_flag(inbox, uid, (uint8_t)(how & 31));
    else if (how % 5 == 3)
        w->fail = how & 1 ? FULL : OK;
}

/* False when the session ended. */
static bool drive(struct imap *im, struct fake_world *w, struct buf *in, struct buf *out)
{
    for (;;) {
        struct slice bytes = buf_slice(in);
        enum imap_next next = imap_run(im, &bytes, out);
        buf_consume(in, buf_len(in) - bytes.len);
        if (!buf_ok(out))
            abort();
        fake_answer(w, im);
        buf_reset(out);
        if (next == IMAP_NEED_INPUT || next == IMAP_NEED_CLOSE)
            return next == IMAP_NEED_INPUT;
    }
}

static void fuzz_session(struct slice bytes, size_t piece)
{
    static const struct imap_config config = {.append_max = 5000, .max_bad = 1000};
    struct fake_world *w = malloc(sizeof *w);
    struct imap im;
    struct buf in, out;
    if (!w)
        return;
    fake_init(w);
    buf_init(&in, IMAP_IN_MAX);
    buf_init(&out, IMAP_OUT_MAX);
    imap_open(&im, &config, &fake_ops, w, SLICE("t"), &out);
    buf_puts(&in, "s SELECT INBOX\r\n");
    bool alive = drive(&im, w, &in, &out);
    for (unsigned turn = 1; alive && bytes.len; turn++) {
        struct slice now = slice_sub(bytes, 0, piece);
        bytes = slice_from(bytes, now.len);
        buf_append(&in, now);
        if (!buf_ok(&in))
            abort(); /* the core lets the input grow past its limit */
        if (piece != SIZE_MAX)
            meddle(w, turn + now.len);
        alive = drive(&im, w, &in, &out);
    }
    imap_release(&im);
    if (w->views || w->mailboxes || w->watched || w->appending)
        abort();
    fake_release(w);
    buf_release(&in);
    buf_release(&out);
    free(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > IMAP_COMMAND_MAX)
        return 0;
    struct slice bytes = slice_of(data + 1, size - 1);
    if (data[0] % 4 == 0)
        fuzz_login(bytes);
    else
        fuzz_session(bytes, data[0] % 4 == 1 ? SIZE_MAX : data[0]);
    return 0;
}
