/* tls.c: see tls.h. */
#include "conf/tls.h"

/* By their bit; those that are long gone have none, and may be named. */
static const struct {
    const char *name;
    int rank; /* of the bit; < 0: no TLS that OpenSSL still has */
} versions[] = {{"SSLv2", -2},  {"SSLv3", -1},  {"TLSv1", 0},
                {"TLSv1.1", 1}, {"TLSv1.2", 2}, {"TLSv1.3", 3}};

static enum result find_version(struct slice name, int *ret, struct error *why)
{
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (slice_is_nocase(name, versions[i].name)) {
            *ret = versions[i].rank;
            return OK;
        }
    return error_set(why, INVALID,
                     "`%.*s` is no version: SSLv2, SSLv3, TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3",
                     SLICE_ARG(name));
}

static unsigned bit_of(int rank)
{
    return rank < 0 ? 0 : 1u << rank;
}

static unsigned bits_from(int rank)
{
    return rank < 0 ? CONF_TLS_ALL : CONF_TLS_ALL & ~(bit_of(rank) - 1);
}

static unsigned bits_to(int rank)
{
    return rank < 0 ? 0 : bit_of(rank) | (bit_of(rank) - 1);
}

static const char BETWEEN[] = ",: \t\n\v\f\r";

struct protocols {
    unsigned allowed, named;
    bool names; /* some were named: others are not meant */
};

static enum result take_word(struct protocols *p, struct slice word, struct error *why)
{
    bool least = slice_starts(word, SLICE(">=")), most = slice_starts(word, SLICE("<="));
    bool not = slice_starts(word, SLICE("!"));
    int rank;
    enum result r = find_version(slice_from(word, least || most ? 2 : not ), &rank, why);
    if (r != OK)
        return r;
    if (least)
        p->allowed &= bits_from(rank);
    else if (most)
        p->allowed &= bits_to(rank);
    else if (not )
        p->allowed &= ~bit_of(rank);
    else
        p->named |= bit_of(rank);
    p->names |= !least && !most && !not ;
    return OK;
}

enum result conf_tls_protocols(struct slice text, unsigned *ret_versions, struct error *why)
{
    struct protocols p = {CONF_TLS_ALL, 0, false};
    struct slice rest = text, word;
    while ((word = slice_word(&rest, BETWEEN)).len) {
        enum result r = take_word(&p, word, why);
        if (r != OK)
            return r;
    }
    unsigned left = p.allowed & (p.names ? p.named : CONF_TLS_ALL);
    if (!left)
        return error_set(why, INVALID, "`%.*s` leaves no version of TLS", SLICE_ARG(text));
    *ret_versions = left;
    return OK;
}

enum result conf_tls_least(struct slice text, unsigned *ret_versions, struct error *why)
{
    int rank;
    if (slice_is_nocase(text, "ANY")) {
        *ret_versions = CONF_TLS_ALL;
        return OK;
    }
    if (slice_is_nocase(text, "LATEST"))
        text = SLICE("TLSv1.3");
    enum result r = find_version(text, &rank, why);
    if (r == OK)
        *ret_versions = bits_from(rank);
    return r;
}
