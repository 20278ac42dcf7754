/* fuzz_sts.c: any bytes as a TXT record, as a policy and as a kept entry of MTA-STS. What is taken
 * keeps its bounds, and a policy written anew is the same policy. */
#include "proto/sts/sts.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_policy(const struct sts_policy *p)
{
    struct sts_policy again;
    struct buf out;
    buf_init(&out, 2 * STS_POLICY_BYTES_MAX);
    sts_policy_write(p, &out);
    if (!buf_ok(&out) || sts_policy_parse(buf_slice(&out), &again, NULL) != OK)
        abort();
    if (again.mode != p->mode || again.max_age != p->max_age || again.n_mx != p->n_mx)
        abort();
    for (size_t i = 0; i < p->n_mx; i++)
        if (!slice_eq(again.mx[i], p->mx[i]))
            abort();
    buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size), id;
    struct sts_policy p;
    struct sts_entry e;
    if (sts_record(&text, 1, &id) == OK && (id.len == 0 || id.len > STS_ID_MAX))
        abort();
    if (sts_policy_parse(text, &p, NULL) == OK) {
        if (p.n_mx > STS_MX_MAX || p.max_age > STS_MAX_AGE_MAX)
            abort();
        check_policy(&p);
        (void)sts_policy_names(&p, text);
    }
    if (sts_entry_read(text, &e) == OK)
        (void)sts_entry_stale(&e, SLICE("1"), 1);
    return 0;
}
