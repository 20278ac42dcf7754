/* fuzz_smtp.c: the SMTP server core against any bytes. The first byte chooses the service and how
 * the driver answers; the rest is what the client sends, in one piece and in pieces. */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "proto/smtp/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(struct smtp_session *s, enum smtp_want want, unsigned turn, struct buf *out)
{
    struct slice target = SLICE("local bob ");
    struct smtp_outcome outcomes[8];
    switch (want) {
    case SMTP_WANT_AUTH_START:
    case SMTP_WANT_AUTH_STEP:
        if (turn % 3 == 0)
            smtp_auth_challenge(s, SLICE("Password:"), out);
        else if (turn % 3 == 1)
            smtp_auth_done(s, out);
        else
            smtp_auth_refused(s, (enum smtp_auth_refusal)(turn % 5), out);
        break;
    case SMTP_WANT_RCPT:
        if (turn % 4)
            smtp_rcpt_accepted(s, (struct slice_list){&target, 1}, SLICE("grant"), SLICE(""), out);
        else
            smtp_rcpt_refused(s, 554, SLICE("5.7.1"), SLICE("no"), out);
        break;
    case SMTP_WANT_DELIVER:
        for (size_t i = 0; i < 8; i++)
            outcomes[i] = (struct smtp_outcome){turn % 2 ? 250 : 452, SLICE("2.0.0 Ok")};
        assert(buf_len(&s->tx->message) >= s->tx->received_len || !s->tx->received_len);
        smtp_delivered(s, outcomes, s->tx->n_rcpts < 8 ? s->tx->n_rcpts : 0, out);
        break;
    default:
        smtp_tls_started(s, SLICE("TLSv1.3 X"));
    }
}

/* Only the client's lines may end lines of replies: nobody can forge one. */
static void check_replies(const struct buf *out)
{
    struct slice rest = buf_slice(out);
    assert(buf_ok(out));
    while (rest.len) {
        size_t end = slice_search(rest, SLICE("\r\n"));
        assert(end != SIZE_MAX && end >= 3 && ascii_digit(rest.data[0]));
        rest = slice_from(rest, end + 2);
    }
}

static bool wants_answer(enum smtp_want w)
{
    return w == SMTP_WANT_AUTH_START || w == SMTP_WANT_AUTH_STEP || w == SMTP_WANT_RCPT ||
           w == SMTP_WANT_DELIVER || w == SMTP_WANT_STARTTLS;
}

static void play(const struct smtp_config *config, unsigned turn, struct slice bytes, size_t piece)
{
    static const struct smtp_peer peer = {.ip = {"192.0.2.7", 9}, .secured = true};
    struct smtp_session s;
    struct smtp_request req;
    struct buf in, out;
    enum smtp_want want = SMTP_WANT_INPUT;
    buf_init(&in, 64 * 1024);
    buf_init(&out, SMTP_OUT_MAX);
    smtp_open(&s, config, &peer, SLICE_NONE, &out);
    while (want != SMTP_WANT_CLOSE && (want != SMTP_WANT_INPUT || bytes.len)) {
        if (want == SMTP_WANT_INPUT) {
            struct slice more = slice_sub(bytes, 0, piece);
            buf_append(&in, more);
            bytes = slice_from(bytes, more.len);
        }
        struct slice rest = buf_slice(&in);
        want = smtp_step(&s, &rest, &out, &req);
        buf_consume(&in, buf_len(&in) - rest.len);
        check_replies(&out);
        assert(want != SMTP_WANT_ANSWER && buf_len(&in) <= SMTP_IN_MIN + piece);
        buf_reset(&out);
        if (want == SMTP_WANT_STARTTLS)
            buf_reset(&in);
        if (wants_answer(want))
            answer(&s, want, turn++, &out);
    }
    smtp_release(&s);
    buf_release(&in);
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct smtp_config config = {
        .service = (enum smtp_service)(data[0] % 3),
        .hostname = SLICE("mx.example.test"),
        .system = SLICE("Postrider"),
        .banner = SLICE("mx.example.test ESMTP"),
        .origin = SLICE("example.test"),
        .mechanisms = data[0] % 3 == 2 ? SLICE_NONE : SLICE("PLAIN LOGIN"),
        .auth_equals = true,
        .vrfy = true,
        .tell_tls = true,
        .starttls = true,
        .reject_bare = data[0] & 8,
        .size_limit = data[0] & 16 ? 200 : 0,
        .recipient_limit = 6,
        .error_limit = 1000,
        .junk_limit = 1000,
        .hop_limit = 3,
    };
    struct slice bytes = slice_of(data + 1, size - 1);
    clock_set_virtual(0, 1764000000000000);
    play(&config, data[0] >> 5, bytes, 4096);
    play(&config, data[0] >> 5, bytes, 3);
    clock_set_virtual(0, -1);
    return 0;
}
