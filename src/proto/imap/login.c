/* login.c: see login.h. Passwords pass through `scratch`, which is wiped as soon as the answer is
 * there. */
#include "proto/imap/login.h"

#include "mime/encoding.h"
#include "proto/imap/id.h"
#include "proto/imap/parse.h"

enum {
    COMMAND_MAX = 12 * 1024, /* a line of AUTHENTICATE: as RFC 4954 4.5 for SMTP */
    SCRATCH_MAX = 16 * 1024,
    TAG_MAX = 100,
    CLIENT_ID_MAX = 400,
    BAD_DEFAULT = 10,
    FAILURES_DEFAULT = 6
};

/* A command of the moment: its words lie in an arena that ends with it. */
struct line {
    struct slice tag, name;
    struct imap_parser p;
};

static bool may_send_passwords(const struct imap_login *l)
{
    return l->secured || l->config->plaintext_clear;
}

static struct slice offered(const struct imap_login *l)
{
    return l->secured ? l->config->mechanisms : l->config->mechanisms_clear;
}

static void put_capabilities(const struct imap_login *l, struct buf *out)
{
    buf_puts(out, "CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE");
    if (l->config->starttls && !l->tls)
        buf_puts(out, " STARTTLS");
    /* RFC 3501 6.2.3: says that LOGIN will be refused. */
    if (!may_send_passwords(l))
        buf_puts(out, " LOGINDISABLED");
    struct slice rest = offered(l);
    while (rest.data) {
        struct slice mechanism = slice_split(&rest, ' ');
        if (mechanism.len) {
            buf_puts(out, " AUTH=");
            buf_append(out, mechanism);
        }
    }
}

void imap_refuse_connection(const char *text, struct buf *out)
{
    buf_puts(out, "* BYE ");
    buf_puts(out, text);
    buf_puts(out, "\r\n");
}

void imap_login_open(struct imap_login *l, const struct imap_login_config *config, bool secured,
                     bool tls, struct buf *out)
{
    *l = (struct imap_login){.config = config, .secured = secured, .tls = tls};
    buf_init(&l->scratch, SCRATCH_MAX);
    buf_init(&l->tag, TAG_MAX);
    buf_init(&l->client_id, CLIENT_ID_MAX);
    buf_puts(out, "* OK [");
    put_capabilities(l, out);
    buf_puts(out, "] ");
    buf_append(out, config->greeting);
    buf_puts(out, "\r\n");
}

static void wipe(struct buf *b)
{
    if (b->mem)
        explicit_bzero(b->mem, b->size);
    buf_clear(b);
}

void imap_login_release(struct imap_login *l)
{
    wipe(&l->scratch);
    buf_release(&l->tag);
    buf_release(&l->client_id);
}

static void reply(struct buf *out, struct slice tag, const char *text)
{
    buf_append(out, tag.len ? tag : SLICE("*"));
    buf_putc(out, ' ');
    buf_puts(out, text);
    buf_puts(out, "\r\n");
}

void imap_login_bye(struct imap_login *l, const char *text, struct buf *out)
{
    l->closing = true;
    imap_refuse_connection(text, out);
}

/* Too many of them: whoever talks so is no mail client. */
static void bad(struct imap_login *l, struct buf *out, struct slice tag, const char *text)
{
    unsigned most = l->config->max_bad ? l->config->max_bad : BAD_DEFAULT;
    buf_append(out, tag.len ? tag : SLICE("*"));
    buf_puts(out, " BAD ");
    buf_puts(out, text);
    buf_puts(out, "\r\n");
    if (++l->bad >= most)
        imap_login_bye(l, "Too many invalid commands.", out);
}

/* The rest of a command becomes the scratch's, from where requests point into it. */
static struct slice keep(struct imap_login *l, struct slice s)
{
    size_t from = buf_len(&l->scratch);
    buf_append(&l->scratch, s);
    return slice_from(buf_slice(&l->scratch), from);
}

static enum imap_login_want ask(struct imap_login *l, enum imap_login_want want)
{
    l->waiting = (uint8_t)want;
    return want;
}

static bool is_offered(const struct imap_login *l, struct slice mechanism)
{
    struct slice rest = offered(l);
    while (rest.data)
        if (slice_eq_nocase(slice_split(&rest, ' '), mechanism))
            return true;
    return false;
}

/* RFC 4959 3: the initial response is base64, "=" an empty one. False: it is not. */
static bool take_initial(struct imap_login *l, struct imap_parser *p,
                         struct imap_login_request *ret)
{
    ret->has_initial = imap_accept(p, ' ');
    if (!ret->has_initial)
        return true;
    struct slice text = p->c.rest;
    size_t from = buf_len(&l->scratch);
    if (!slice_is(text, "=") && base64_decode(text, &l->scratch) != OK)
        return false;
    ret->initial = slice_from(buf_slice(&l->scratch), from);
    return true;
}

static enum imap_login_want do_authenticate(struct imap_login *l, struct line *c, struct buf *out,
                                            struct imap_login_request *ret)
{
    imap_parse_space(&c->p);
    struct slice mechanism = imap_parse_atom(&c->p);
    if (!imap_parser_ok(&c->p) || mechanism.len > 64) {
        bad(l, out, c->tag, "Missing mechanism");
        return IMAP_WANT_INPUT;
    }
    if (!is_offered(l, mechanism)) {
        reply(out, c->tag,
              l->secured ? "NO Unsupported authentication mechanism."
                         : "NO [PRIVACYREQUIRED] Authentication is not offered without TLS.");
        return IMAP_WANT_INPUT;
    }
    char upper[64];
    for (size_t i = 0; i < mechanism.len; i++)
        upper[i] = ascii_upper(mechanism.data[i]);
    /* Reserved first, so that the slices into it stay where they are. */
    if (!buf_reserve(&l->scratch, SCRATCH_MAX - 1, NULL) || !take_initial(l, &c->p, ret)) {
        wipe(&l->scratch);
        bad(l, out, c->tag, "Invalid base64");
        return IMAP_WANT_INPUT;
    }
    ret->mechanism = keep(l, slice_of(upper, mechanism.len));
    l->exchanging = true;
    return ask(l, IMAP_WANT_AUTH_START);
}

static enum imap_login_want do_login(struct imap_login *l, struct line *c, struct buf *out,
                                     struct imap_login_request *ret)
{
    if (!may_send_passwords(l)) {
        /* RFC 3501 6.2.3 with RFC 5530's code. */
        reply(out, c->tag, "NO [PRIVACYREQUIRED] Plaintext authentication needs TLS.");
        return IMAP_WANT_INPUT;
    }
    imap_parse_space(&c->p);
    struct slice user = imap_parse_astring(&c->p);
    imap_parse_space(&c->p);
    struct slice password = imap_parse_astring(&c->p);
    if (!imap_parser_done(&c->p)) {
        bad(l, out, c->tag, c->p.error);
        return IMAP_WANT_INPUT;
    }
    if (!buf_reserve(&l->scratch, SCRATCH_MAX - 1, NULL)) {
        reply(out, c->tag, "NO [UNAVAILABLE] Out of memory.");
        return IMAP_WANT_INPUT;
    }
    ret->user = keep(l, user);
    ret->password = keep(l, password);
    return ask(l, IMAP_WANT_PASS);
}

static enum imap_login_want do_starttls(struct imap_login *l, struct line *c, struct buf *out)
{
    if (!l->config->starttls || l->tls) {
        bad(l, out, c->tag, l->tls ? "TLS is already active." : "TLS is not available.");
        return IMAP_WANT_INPUT;
    }
    reply(out, c->tag, "OK Begin TLS negotiation now.");
    return ask(l, IMAP_WANT_STARTTLS);
}

static void do_id(struct imap_login *l, struct line *c, struct buf *out)
{
    buf_clear(&l->client_id);
    imap_parse_id(&c->p, &l->client_id);
    l->client_id.failed = false; /* what did not fit is left out */
    if (!imap_parser_done(&c->p)) {
        bad(l, out, c->tag, c->p.error);
        return;
    }
    imap_put_id(out);
    reply(out, c->tag, "OK ID completed.");
}

static void do_capability(struct imap_login *l, struct line *c, struct buf *out)
{
    buf_puts(out, "* ");
    put_capabilities(l, out);
    buf_puts(out, "\r\n");
    reply(out, c->tag, "OK CAPABILITY completed.");
}

static enum imap_login_want do_logout(struct imap_login *l, struct line *c, struct buf *out)
{
    imap_login_bye(l, "Logging out", out);
    reply(out, c->tag, "OK LOGOUT completed.");
    return IMAP_WANT_CLOSE;
}

static enum imap_login_want run_command(struct imap_login *l, struct line *c, struct buf *out,
                                        struct imap_login_request *ret)
{
    if (slice_is_nocase(c->name, "AUTHENTICATE"))
        return do_authenticate(l, c, out, ret);
    if (slice_is_nocase(c->name, "LOGIN"))
        return do_login(l, c, out, ret);
    if (slice_is_nocase(c->name, "ID")) {
        do_id(l, c, out);
        return IMAP_WANT_INPUT;
    }
    /* The others have no arguments. */
    bool bare = cursor_at_end(&c->p.c);
    if (bare && slice_is_nocase(c->name, "STARTTLS"))
        return do_starttls(l, c, out);
    if (bare && slice_is_nocase(c->name, "LOGOUT"))
        return do_logout(l, c, out);
    if (bare && slice_is_nocase(c->name, "CAPABILITY"))
        do_capability(l, c, out);
    else if (bare && slice_is_nocase(c->name, "NOOP"))
        reply(out, c->tag, "OK NOOP completed.");
    else
        bad(l, out, c->tag, "Unknown command, bad arguments, or a login is needed first.");
    return IMAP_WANT_INPUT;
}

/* A whole command. */
static enum imap_login_want take_command(struct imap_login *l, struct slice text, struct buf *out,
                                         struct imap_login_request *ret)
{
    struct arena arena;
    struct line c = {0};
    arena_init(&arena, SCRATCH_MAX);
    imap_parser_init(&c.p, imap_line(text), &arena);
    c.tag = imap_parse_tag(&c.p);
    imap_parse_space(&c.p);
    c.name = imap_parse_atom(&c.p);
    enum imap_login_want want = IMAP_WANT_INPUT;
    buf_reset(&l->tag);
    if (c.tag.len <= TAG_MAX)
        buf_append(&l->tag, c.tag);
    if (!imap_parser_ok(&c.p) || c.tag.len > TAG_MAX)
        bad(l, out, c.tag.len <= TAG_MAX ? c.tag : SLICE_NONE, "Invalid command.");
    else
        want = run_command(l, &c, out, ret);
    arena_release(&arena);
    return want;
}

static void end_exchange(struct imap_login *l)
{
    l->exchanging = false;
    l->waiting = 0;
    wipe(&l->scratch);
}

/* A line of an exchange (RFC 3501 6.2.2): base64, or "*" which breaks it off. */
static enum imap_login_want take_response(struct imap_login *l, struct slice text, struct buf *out,
                                          struct imap_login_request *ret)
{
    struct slice line = imap_line(text);
    bool cancelled = slice_is(line, "*");
    wipe(&l->scratch);
    if (!cancelled && base64_decode(line, &l->scratch) == OK) {
        ret->initial = buf_slice(&l->scratch);
        ret->has_initial = true;
        return ask(l, IMAP_WANT_AUTH_STEP);
    }
    end_exchange(l);
    if (cancelled)
        reply(out, buf_slice(&l->tag), "BAD Authentication cancelled.");
    else
        bad(l, out, buf_slice(&l->tag), "Invalid base64 in the response.");
    return IMAP_WANT_AUTH_CANCEL;
}

/* A literal in LOGIN or elsewhere. */
static void take_literal_header(struct imap_login *l, struct slice *in, size_t len, struct buf *out)
{
    struct imap_reader *r = &l->reader;
    if (r->literal <= COMMAND_MAX && r->literal + len <= COMMAND_MAX && !l->exchanging) {
        if (r->sync)
            buf_puts(out, "+ OK\r\n");
        imap_reader_accept(r);
        return;
    }
    struct slice head = *in;
    size_t tag = slice_find(slice_sub(head, 0, len), ' ');
    bad(l, out, tag <= TAG_MAX ? slice_sub(head, 0, tag) : SLICE_NONE, "Literal is too long.");
    *in = slice_from(*in, len);
    imap_reader_refuse(r);
}

static enum imap_login_want after_long_line(struct imap_login *l, struct buf *out)
{
    bool exchanging = l->exchanging;
    bad(l, out, exchanging ? buf_slice(&l->tag) : SLICE_NONE, "Command line is too long.");
    if (exchanging)
        end_exchange(l);
    return exchanging ? IMAP_WANT_AUTH_CANCEL : IMAP_WANT_INPUT;
}

static enum imap_login_want take_input(struct imap_login *l, struct slice *in, struct buf *out,
                                       struct imap_login_request *ret)
{
    size_t len = 0;
    enum imap_login_want want = IMAP_WANT_INPUT;
    while (want == IMAP_WANT_INPUT && !l->closing) {
        switch (imap_reader_step(&l->reader, in, COMMAND_MAX, &len)) {
        case IMAP_READ_MORE:
            return IMAP_WANT_INPUT;
        case IMAP_READ_TOO_LONG:
            want = after_long_line(l, out);
            break;
        case IMAP_READ_LITERAL:
            take_literal_header(l, in, len, out);
            break;
        case IMAP_READ_COMMAND: {
            struct slice text = slice_sub(*in, 0, len);
            *in = slice_from(*in, len);
            imap_reader_reset(&l->reader);
            want =
                l->exchanging ? take_response(l, text, out, ret) : take_command(l, text, out, ret);
            break;
        }
        }
        /* Much pipelined: let the driver write what is there. */
        if (want == IMAP_WANT_INPUT && buf_len(out) > out->max / 2)
            imap_login_bye(l, "Too many commands at once.", out);
    }
    return want;
}

enum imap_login_want imap_login_step(struct imap_login *l, struct slice *input, struct buf *out,
                                     struct imap_login_request *ret)
{
    *ret = (struct imap_login_request){0};
    if (l->closing)
        return IMAP_WANT_CLOSE;
    if (l->waiting)
        return IMAP_WANT_ANSWER;
    enum imap_login_want want = take_input(l, input, out, ret);
    return l->closing && want != IMAP_WANT_AUTH_CANCEL ? IMAP_WANT_CLOSE : want;
}

void imap_login_challenge(struct imap_login *l, struct slice challenge, struct buf *out)
{
    l->waiting = 0;
    wipe(&l->scratch);
    buf_puts(out, "+ ");
    base64_encode(challenge, out);
    buf_puts(out, "\r\n");
}

void imap_login_refused(struct imap_login *l, enum imap_refusal why, struct buf *out)
{
    static const char *const texts[] = {
        [IMAP_REFUSE_WRONG] = "NO [AUTHENTICATIONFAILED] Authentication failed.",
        [IMAP_REFUSE_MALFORMED] = "BAD The exchange does not follow the mechanism's rules.",
        [IMAP_REFUSE_NO_MECHANISM] = "NO Unsupported authentication mechanism.",
        [IMAP_REFUSE_THROTTLED] = "NO [UNAVAILABLE] Too many failures, try again later.",
        [IMAP_REFUSE_UNAVAILABLE] = "NO [UNAVAILABLE] Temporary failure, try again later.",
        [IMAP_REFUSE_LIMIT] = ("NO [LIMIT] Maximum number of connections from user+IP exceeded "
                               "(mail_max_userip_connections)."),
    };
    unsigned most = l->config->max_auth_failures ? l->config->max_auth_failures : FAILURES_DEFAULT;
    /* RFC 3501 6.2.3: LOGIN has no mechanism; what none can carry, as an empty password, is wrong.
     */
    if (why == IMAP_REFUSE_MALFORMED && !l->exchanging)
        why = IMAP_REFUSE_WRONG;
    end_exchange(l);
    reply(out, buf_slice(&l->tag), texts[why]);
    if (why != IMAP_REFUSE_UNAVAILABLE && ++l->auth_failures >= most)
        imap_login_bye(l, "Too many failed logins.", out);
}

void imap_login_done(struct imap_login *l)
{
    end_exchange(l);
}

void imap_login_tls_started(struct imap_login *l)
{
    l->waiting = 0;
    l->secured = l->tls = true;
    /* RFC 3501 6.2.1: what was known before is forgotten. */
    buf_clear(&l->client_id);
    imap_reader_reset(&l->reader);
}

struct slice imap_login_tag(const struct imap_login *l)
{
    return buf_slice(&l->tag);
}

struct slice imap_login_client_id(const struct imap_login *l)
{
    return buf_slice(&l->client_id);
}
