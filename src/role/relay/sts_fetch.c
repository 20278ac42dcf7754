/* sts_fetch.c: a policy from https://mta-sts.DOMAIN/.well-known/mta-sts.txt (RFC 8461 3.3). */
#include <stdio.h>

#include "role/relay/https.h"
#include "role/relay/sts.h"
#include "role/relay/tls.h"

static enum result ask(struct relay *r, struct sts *s, const char *addresses)
{
    char url[320];
    struct buf authorities;
    snprintf(url, sizeof url, "https://mta-sts.%s/.well-known/mta-sts.txt", s->domain);
    relay_authorities(r, &authorities);
    struct https_request q = {
        .url = url, .addresses = addresses, .authorities = buf_slice(&authorities)};
    enum result result = https_ask(&q, &s->fetched, &s->why);
    buf_release(&authorities);
    return result;
}

void sts_fetch(struct relay *r, struct sts *s)
{
    char addresses[2000];
    struct sts_policy policy;
    s->why = (struct error){""};
    buf_init(&s->fetched, STS_POLICY_BYTES_MAX);
    if (buf_len(&s->addresses) == 0) {
        s->result = error_set(&s->why, FAILED, "mta-sts.%s has no address", s->domain);
        return;
    }
    snprintf(addresses, sizeof addresses, "mta-sts.%s:443:%.*s", s->domain,
             SLICE_ARG(buf_slice(&s->addresses)));
    s->result = ask(r, s, addresses);
    if (s->result == OK && sts_policy_parse(buf_slice(&s->fetched), &policy, &s->why) != OK)
        s->result = LIMIT;
}
