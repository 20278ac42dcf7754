/* fuzz_sasl.c: SASL exchanges with any responses. The first byte picks the mechanism and whether an
 * initial response comes; lines are responses. */
#include "sasl/sasl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct sasl *s, enum sasl_step step)
{
    if (step != SASL_CHECK_PASSWORD)
        return;
    if (!s->login[0] || strnlen(s->login, sizeof s->login) == sizeof s->login ||
        strnlen(s->password, sizeof s->password) == sizeof s->password)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sasl s;
    size_t n = 0;
    if (size == 0)
        return 0;
    while (sasl_mechanisms[n])
        n++;
    struct slice rest = slice_of(data + 1, size - 1);
    bool initial = data[0] & 1;
    struct slice first = initial ? slice_split(&rest, '\n') : SLICE_NONE;
    enum sasl_step step = sasl_begin(&s, sasl_mechanisms[(data[0] >> 1) % n], initial, first);
    check(&s, step);
    while (step == SASL_CHALLENGE && rest.data) {
        step = sasl_respond(&s, slice_split(&rest, '\n'));
        check(&s, step);
    }
    sasl_end(&s);
    return 0;
}
