/* fuzz_saslauthd.c: saslauthd's questions and answers: any bytes; what was parsed is written as it
 * came. */
#include "proto/auth/saslauthd.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct saslauthd_question q;
    struct slice in = slice_of(data, size), text;
    struct buf again;
    bool right;
    if (saslauthd_parse_answer(in, &right, &text) == OK &&
        !slice_starts(text, right ? SLICE("OK") : SLICE("NO")))
        abort();
    if (saslauthd_parse(in, &q) != OK)
        return 0;
    buf_init(&again, SASLAUTHD_QUESTION_MAX);
    saslauthd_put_question(&q, &again);
    if (!buf_ok(&again) || !slice_eq(buf_slice(&again), in))
        abort();
    buf_release(&again);
    return 0;
}
