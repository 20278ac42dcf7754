/* fuzz_pop3.c: the POP3 core fed by a stranger, and by a driver whose answers the input chooses.
 * The first byte: how the session begins; the second: how the driver answers. */
#include "proto/pop3/pop3.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct pop3_config config = {.greeting = {"ready", 5},
                                          .mechanisms = {"PLAIN LOGIN", 11},
                                          .mechanisms_clear = {"LOGIN", 5},
                                          .stls = true,
                                          .max_bad = 1000,
                                          .max_auth_failures = 1000};
static const char mail[] = "Subject: x\r\n\r\n.\n..\r\r\na\r\n.";

static void require(bool holds)
{
    if (!holds)
        abort();
}

static uint64_t mail_size(void *arg, uint32_t number)
{
    (void)arg;
    return number % 3 * (sizeof mail - 1);
}

static void mail_uidl(void *arg, uint32_t number, struct buf *out)
{
    (void)arg;
    buf_put_u64(out, number);
}

/* All that a well-behaved driver may do, chosen by the input. False: the session is over. */
static bool act(struct pop3 *p, enum pop3_want want, const struct pop3_request *q, uint8_t choice,
                struct buf *out)
{
    switch (want) {
    case POP3_WANT_AUTH_START:
    case POP3_WANT_AUTH_STEP:
        if (choice % 3 == 0)
            pop3_auth_challenge(p, q->initial, out);
        else
            pop3_auth_refused(p, choice % 6, out);
        return true;
    case POP3_WANT_PASS:
        pop3_auth_refused(p, choice % 6, out);
        return true;
    case POP3_WANT_STARTTLS:
        pop3_tls_started(p);
        return true;
    case POP3_WANT_MESSAGE:
        require(q->len > 0 && q->from + q->len <= mail_size(NULL, q->number));
        if (choice % 5 == 4)
            pop3_message_failed(p, choice % 2, out);
        else
            pop3_message_bytes(p, slice_of(mail + q->from % (sizeof mail - 1), 1), out);
        return true;
    case POP3_WANT_COMMIT:
        require(pop3_deleted_count(p) > 0);
        pop3_committed(p, choice % 2 ? OK : FAILED, out);
        return true;
    default:
        return want == POP3_WANT_AUTH_CANCEL || want == POP3_WANT_FLUSH;
    }
}

static void drain(struct buf *out)
{
    require(buf_ok(out));
    buf_reset(out);
}

/* Until it wants more input; false: the session is over. */
static bool settle(struct pop3 *p, struct buf *in, struct buf *out, uint8_t choice)
{
    for (;;) {
        struct slice rest = buf_slice(in);
        struct pop3_request q;
        enum pop3_want want = pop3_step(p, &rest, out, &q);
        buf_consume(in, buf_len(in) - rest.len);
        require(want != POP3_WANT_ANSWER);
        if (want == POP3_WANT_INPUT)
            return true;
        if (!act(p, want, &q, choice, out))
            return false;
        drain(out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pop3 p;
    struct buf in, out;
    struct pop3_maildrop drop = {.count = 7, .size = mail_size, .uidl = mail_uidl};
    if (size < 2)
        return 0;
    buf_init(&in, POP3_AUTH_LINE_MAX + size);
    buf_init(&out, POP3_OUT_SOFT + POP3_OUT_ROOM);
    if (data[0] & 1)
        require(pop3_open_maildrop(&p, &config, &drop, &out) == OK);
    else
        pop3_open(&p, &config, data[0] & 2, data[0] & 4, &out);
    /* In pieces whose length the input chooses too. */
    size_t piece = (data[0] >> 3) + 1u;
    struct slice rest = slice_of(data + 2, size - 2);
    bool open = true;
    for (; rest.len && open; rest = slice_from(rest, piece)) {
        buf_append(&in, slice_sub(rest, 0, piece));
        open = settle(&p, &in, &out, data[1]);
        drain(&out);
    }
    pop3_release(&p);
    buf_release(&in);
    buf_release(&out);
    return 0;
}
