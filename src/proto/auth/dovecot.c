#include "proto/auth/dovecot.h"

#include "base/base64.h"

#define ESCAPE '\1'

void dovecot_escape(struct slice value, struct buf *out)
{
    static const char special[] = {'\0', '\t', '\n', '\r', ESCAPE};
    static const char code[] = {'0', 't', 'n', 'r', '1'};
    for (size_t i = 0; i < value.len; i++) {
        const char *at = memchr(special, value.data[i], sizeof special);
        if (at)
            buf_putc(out, ESCAPE);
        buf_putc(out, at ? code[at - special] : value.data[i]);
    }
}

void dovecot_unescape(struct slice value, struct buf *out)
{
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        if (c == ESCAPE && i + 1 < value.len) {
            c = value.data[++i];
            c = c == '0'   ? '\0'
                : c == 't' ? '\t'
                : c == 'n' ? '\n'
                : c == 'r' ? '\r'
                : c == '1' ? ESCAPE
                           : c;
        }
        buf_putc(out, c);
    }
}

void dovecot_open(struct dovecot_auth *d, struct slice mechanisms, uint64_t pid,
                  uint64_t connection, const char *cookie, struct buf *out)
{
    *d = (struct dovecot_auth){.greeted = false};
    buf_init(&d->scratch, DOVECOT_LINE_MAX);
    buf_puts(out, "VERSION\t1\t2\n");
    buf_append(out, mechanisms);
    buf_printf(out, "SPID\t%llu\nCUID\t%llu\nCOOKIE\t%s\nDONE\n", (unsigned long long)pid,
               (unsigned long long)connection, cookie);
}

static void wipe(struct dovecot_auth *d)
{
    if (d->scratch.mem)
        explicit_bzero(d->scratch.mem, d->scratch.size);
    buf_clear(&d->scratch);
}

void dovecot_release(struct dovecot_auth *d)
{
    wipe(d);
}

/* DOVECOT_SLOTS: there is none of that id. */
static unsigned find_slot(const struct dovecot_auth *d, uint32_t id)
{
    unsigned i = 0;
    while (i < DOVECOT_SLOTS && !(d->slots[i].used && d->slots[i].id == id))
        i++;
    return i;
}

static unsigned free_slot(const struct dovecot_auth *d)
{
    unsigned i = 0;
    while (i < DOVECOT_SLOTS && d->slots[i].used)
        i++;
    return i;
}

static enum dovecot_want end(struct dovecot_auth *d)
{
    d->ended = true;
    return DOVECOT_WANT_CLOSE;
}

static void put_fail(struct buf *out, uint64_t id, const char *more)
{
    buf_printf(out, "FAIL\t%llu%s\n", (unsigned long long)id, more);
}

/* A text of the request, unescaped, in the scratch, which has room for all of the line. */
static struct slice keep(struct dovecot_auth *d, struct slice text)
{
    size_t from = buf_len(&d->scratch);
    dovecot_unescape(text, &d->scratch);
    return slice_from(buf_slice(&d->scratch), from);
}

static bool keep_base64(struct dovecot_auth *d, struct slice text, struct slice *ret)
{
    size_t from = buf_len(&d->scratch);
    if (text.len && !slice_is(text, "=") && base64_decode(text, &d->scratch) != OK)
        return false;
    *ret = slice_from(buf_slice(&d->scratch), from);
    if (!ret->data)
        *ret = SLICE("");
    return true;
}

static enum dovecot_want ask(struct dovecot_auth *d, enum dovecot_want want, unsigned slot,
                             struct dovecot_request *ret)
{
    d->waiting = (uint8_t)want;
    d->slot = (uint8_t)slot;
    ret->slot = slot;
    return want;
}

/* Parameters that we don't know mean nothing to us: newer versions send more of them. False: the
 * response is no base64. */
static bool take_parameters(struct dovecot_auth *d, struct slice rest, struct dovecot_request *ret)
{
    while (rest.data) {
        struct slice value = slice_split(&rest, '\t');
        struct slice key = slice_split(&value, '=');
        if (slice_is(key, "service"))
            ret->service = keep(d, value);
        else if (slice_is(key, "rip"))
            ret->client_ip = keep(d, value);
        else if (slice_is(key, "secured"))
            ret->secured = true;
        else if (slice_is(key, "resp")) {
            ret->has_response = true;
            if (!keep_base64(d, value, &ret->response))
                return false;
        }
    }
    return true;
}

static enum dovecot_want take_auth(struct dovecot_auth *d, uint32_t id, struct slice rest,
                                   struct buf *out, struct dovecot_request *ret)
{
    unsigned slot = free_slot(d);
    if (find_slot(d, id) < DOVECOT_SLOTS)
        return end(d); /* the id is in use: the client has lost its count */
    wipe(d);
    struct slice mechanism = slice_split(&rest, '\t');
    const char *why = NULL;
    if (slot == DOVECOT_SLOTS)
        why = "\ttemp\treason=Too many logins under way";
    else if (!buf_reserve(&d->scratch, DOVECOT_LINE_MAX, NULL))
        why = "\ttemp\treason=Out of memory";
    else if (mechanism.len == 0 || mechanism.len > 64)
        why = "\treason=Unsupported authentication mechanism";
    else if (ret->mechanism = keep(d, mechanism), !take_parameters(d, rest, ret))
        why = "\treason=Invalid base64 data in initial response";
    if (why) {
        put_fail(out, id, why);
        return DOVECOT_WANT_INPUT;
    }
    d->slots[slot] = (struct dovecot_slot){.used = true, .id = id};
    return ask(d, DOVECOT_WANT_START, slot, ret);
}

static enum dovecot_want take_continuation(struct dovecot_auth *d, uint32_t id, struct slice rest,
                                           struct buf *out, struct dovecot_request *ret)
{
    unsigned slot = find_slot(d, id);
    if (slot == DOVECOT_SLOTS) {
        put_fail(out, id, "\treason=Authentication request timed out");
        return DOVECOT_WANT_INPUT;
    }
    wipe(d);
    ret->has_response = true;
    if (buf_reserve(&d->scratch, DOVECOT_LINE_MAX, NULL) && keep_base64(d, rest, &ret->response))
        return ask(d, DOVECOT_WANT_STEP, slot, ret);
    put_fail(out, id, "\treason=Invalid base64 data in continued response");
    d->slots[slot].used = false;
    ret->slot = slot;
    return DOVECOT_WANT_CANCEL;
}

static enum dovecot_want take_cancel(struct dovecot_auth *d, uint32_t id,
                                     struct dovecot_request *ret)
{
    unsigned slot = find_slot(d, id);
    if (slot == DOVECOT_SLOTS)
        return DOVECOT_WANT_INPUT;
    d->slots[slot].used = false;
    ret->slot = slot;
    return DOVECOT_WANT_CANCEL;
}

static enum dovecot_want take_line(struct dovecot_auth *d, struct slice line, struct buf *out,
                                   struct dovecot_request *ret)
{
    uint64_t id = 0;
    *ret = (struct dovecot_request){0}; /* nothing of a line that was refused before */
    struct slice rest = line;
    struct slice verb = slice_split(&rest, '\t');
    if (slice_is(verb, "VERSION")) {
        d->greeted = slice_is(slice_split(&rest, '\t'), "1");
        return d->greeted ? DOVECOT_WANT_INPUT : end(d);
    }
    bool auth = slice_is(verb, "AUTH"), cont = slice_is(verb, "CONT");
    if (!auth && !cont && !slice_is(verb, "CANCEL"))
        return DOVECOT_WANT_INPUT; /* CPID, and what newer versions say */
    if (!d->greeted || slice_parse_u64(slice_split(&rest, '\t'), UINT32_MAX, &id) != OK)
        return end(d);
    if (auth)
        return take_auth(d, (uint32_t)id, rest, out, ret);
    return cont ? take_continuation(d, (uint32_t)id, rest, out, ret)
                : take_cancel(d, (uint32_t)id, ret);
}

enum dovecot_want dovecot_step(struct dovecot_auth *d, struct slice *input, struct buf *out,
                               struct dovecot_request *ret)
{
    *ret = (struct dovecot_request){0};
    enum dovecot_want want = d->ended     ? DOVECOT_WANT_CLOSE
                             : d->waiting ? DOVECOT_WANT_ANSWER
                                          : DOVECOT_WANT_INPUT;
    while (want == DOVECOT_WANT_INPUT) {
        size_t n = slice_find(*input, '\n');
        if (n == SIZE_MAX)
            return input->len > DOVECOT_LINE_MAX ? end(d) : DOVECOT_WANT_INPUT;
        struct slice line = slice_sub(*input, 0, n);
        *input = slice_from(*input, n + 1);
        if (line.len && line.data[line.len - 1] == '\r')
            line.len--;
        want = line.len > DOVECOT_LINE_MAX ? end(d) : take_line(d, line, out, ret);
        if (want == DOVECOT_WANT_INPUT && buf_len(out) > DOVECOT_OUT_MAX / 2)
            want = end(d); /* it asks and does not read */
    }
    return want;
}

/* ---- answers ---- */

static uint32_t answered(struct dovecot_auth *d, bool over)
{
    struct dovecot_slot *s = &d->slots[d->slot];
    d->waiting = 0;
    s->used = !over;
    wipe(d);
    return s->id;
}

void dovecot_challenge(struct dovecot_auth *d, struct slice challenge, struct buf *out)
{
    buf_printf(out, "CONT\t%u\t", d->slots[d->slot].id);
    base64_encode(challenge, out); /* it may lie in what `answered` wipes */
    buf_putc(out, '\n');
    (void)answered(d, false);
}

void dovecot_right(struct dovecot_auth *d, struct slice user, struct buf *out)
{
    buf_printf(out, "OK\t%u\tuser=", d->slots[d->slot].id);
    dovecot_escape(user, out);
    buf_putc(out, '\n');
    (void)answered(d, true);
}

void dovecot_refused(struct dovecot_auth *d, bool temporary, const char *reason, struct buf *out)
{
    buf_printf(out, "FAIL\t%u%s", answered(d, true), temporary ? "\ttemp" : "");
    if (reason[0]) {
        buf_puts(out, "\treason=");
        dovecot_escape(slice_cstr(reason), out);
    }
    buf_putc(out, '\n');
}
