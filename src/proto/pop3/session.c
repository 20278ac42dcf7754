/* session.c: the POP3 machine: lines in, commands run, wants out. */
#include "proto/pop3/core.h"

#include <stdlib.h>

static const struct command {
    const char *name;
    unsigned states;
    pop3_command_fn *run;
} commands[] = {
    {"CAPA", IN_AUTHORIZATION | IN_TRANSACTION, pop3_cmd_capa},
    {"USER", IN_AUTHORIZATION, pop3_cmd_user},
    {"PASS", IN_AUTHORIZATION, pop3_cmd_pass},
    {"AUTH", IN_AUTHORIZATION, pop3_cmd_auth},
    {"STLS", IN_AUTHORIZATION, pop3_cmd_stls},
    {"QUIT", IN_AUTHORIZATION | IN_TRANSACTION, pop3_cmd_quit},
    {"STAT", IN_TRANSACTION, pop3_cmd_stat},
    {"LIST", IN_TRANSACTION, pop3_cmd_list},
    {"UIDL", IN_TRANSACTION, pop3_cmd_uidl},
    {"RETR", IN_TRANSACTION, pop3_cmd_retr},
    {"TOP", IN_TRANSACTION, pop3_cmd_top},
    {"DELE", IN_TRANSACTION, pop3_cmd_dele},
    {"NOOP", IN_TRANSACTION, pop3_cmd_noop},
    {"RSET", IN_TRANSACTION, pop3_cmd_rset},
};

enum { BAD_DEFAULT = 10, COUNT_MAX = 50 * 1000 * 1000 };

void pop3_ok(struct buf *out, const char *text)
{
    buf_printf(out, "+OK%s%s\r\n", *text ? " " : "", text);
}

void pop3_err(struct buf *out, const char *text)
{
    buf_printf(out, "-ERR %s\r\n", text);
}

enum pop3_want pop3_bad(struct pop3 *p, const char *text, struct buf *out)
{
    unsigned max = p->config->max_bad ? p->config->max_bad : BAD_DEFAULT;
    if (++p->bad >= max) {
        pop3_err(out, "Too many invalid commands.");
        p->state = POP3_ENDED;
    } else {
        pop3_err(out, text);
    }
    return POP3_WANT_INPUT;
}

bool pop3_full(const struct pop3 *p, const struct buf *out)
{
    return buf_len(out) >= (p->config->out_soft ? p->config->out_soft : POP3_OUT_SOFT);
}

void pop3_wipe(struct buf *b)
{
    if (b->mem)
        explicit_bzero(b->mem, b->size);
    buf_clear(b);
}

static void init(struct pop3 *p, const struct pop3_config *config)
{
    *p = (struct pop3){.config = config};
    buf_init(&p->user, POP3_LINE_MAX);
    buf_init(&p->scratch, POP3_AUTH_LINE_MAX);
}

void pop3_open(struct pop3 *p, const struct pop3_config *config, bool secured, bool tls,
               struct buf *out)
{
    init(p, config);
    p->secured = secured || tls;
    p->tls = tls;
    buf_printf(out, "+OK %.*s\r\n", SLICE_ARG(config->greeting));
}

enum result pop3_open_maildrop(struct pop3 *p, const struct pop3_config *config,
                               const struct pop3_maildrop *drop, struct buf *out)
{
    if (drop->count > COUNT_MAX)
        return LIMIT;
    init(p, config);
    p->state = POP3_TRANSACTION;
    p->drop = *drop;
    pop3_ok(out, "Logged in.");
    return OK;
}

void pop3_release(struct pop3 *p)
{
    pop3_wipe(&p->user);
    pop3_wipe(&p->scratch);
    free(p->deleted);
    p->deleted = NULL;
}

void pop3_bye(struct pop3 *p, const char *text, struct buf *out)
{
    /* Within an answer of several lines it would be taken for a part of it. */
    if (p->state != POP3_ENDED && !p->multi.started)
        pop3_err(out, text);
    p->state = POP3_ENDED;
    p->waiting = 0;
}

/* ---- lines ---- */

/* RFC 2449 4 limits commands; RFC 5034 4 lets SASL's lines be longer. */
static size_t line_limit(const struct pop3 *p, struct slice input)
{
    bool auth = p->auth == LINE_AUTH_RESPONSE || slice_starts_nocase(input, SLICE("AUTH "));
    return auth ? POP3_AUTH_LINE_MAX : POP3_LINE_MAX;
}

static struct slice cut_cr(struct slice line)
{
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

enum line { LINE_NONE, LINE_WHOLE, LINE_TOO_LONG };

/* The rest of a line that is too long is dropped as it comes, and answered at its end. */
static enum line take_line(struct pop3 *p, struct slice *input, struct slice *ret)
{
    size_t limit = line_limit(p, *input);
    size_t lf = slice_find(*input, '\n');
    bool over = p->skipping || (lf == SIZE_MAX ? input->len >= limit : lf + 1 > limit);
    if (lf == SIZE_MAX) {
        if (over)
            *input = slice_from(*input, input->len);
        p->skipping = over;
        return LINE_NONE;
    }
    *ret = cut_cr(slice_sub(*input, 0, lf));
    *input = slice_from(*input, lf + 1);
    p->skipping = false;
    return over ? LINE_TOO_LONG : LINE_WHOLE;
}

static enum pop3_want run_command(struct pop3 *p, struct slice line, struct buf *out,
                                  struct pop3_request *ret)
{
    unsigned state = p->state == POP3_TRANSACTION ? IN_TRANSACTION : IN_AUTHORIZATION;
    struct slice args = line;
    struct slice name = slice_split(&args, ' ');
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (!slice_is_nocase(name, commands[i].name))
            continue;
        if (!(commands[i].states & state))
            return pop3_bad(p, state == IN_TRANSACTION ? "Already logged in." : "Log in first.",
                            out);
        return commands[i].run(p, args, out, ret);
    }
    return pop3_bad(p, "Unknown command.", out);
}

static enum pop3_want run_line(struct pop3 *p, enum line kind, struct slice line, struct buf *out,
                               struct pop3_request *ret)
{
    if (p->auth == LINE_AUTH_RESPONSE)
        return kind == LINE_TOO_LONG ? pop3_auth_break(p, "Line too long.", out)
                                     : pop3_auth_response(p, line, out, ret);
    return kind == LINE_TOO_LONG ? pop3_bad(p, "Line too long.", out)
                                 : run_command(p, line, out, ret);
}

static bool owes_answer(enum pop3_want w)
{
    return w == POP3_WANT_AUTH_START || w == POP3_WANT_AUTH_STEP || w == POP3_WANT_PASS ||
           w == POP3_WANT_STARTTLS || w == POP3_WANT_MESSAGE || w == POP3_WANT_COMMIT;
}

/* One step of what is next: more of an answer under way, or a line. */
static enum pop3_want next(struct pop3 *p, struct slice *input, struct buf *out,
                           struct pop3_request *ret, bool *again)
{
    struct slice line;
    if (p->multi.kind == MULTI_MESSAGE)
        return pop3_message_more(p, ret);
    if (p->multi.kind != MULTI_NONE) {
        pop3_list_more(p, out);
        *again = true;
        return POP3_WANT_INPUT;
    }
    enum line kind = take_line(p, input, &line);
    if (kind == LINE_NONE)
        return POP3_WANT_INPUT;
    *again = true;
    enum pop3_want w = run_line(p, kind, line, out, ret);
    /* RFC 2595 4, RFC 3207 4.2: what came in clear behind STLS is not the client's. */
    if (w == POP3_WANT_STARTTLS)
        *input = slice_from(*input, input->len);
    return w;
}

enum pop3_want pop3_step(struct pop3 *p, struct slice *input, struct buf *out,
                         struct pop3_request *ret)
{
    for (;;) {
        bool again = false;
        if (p->state == POP3_ENDED || !buf_ok(out))
            return POP3_WANT_CLOSE;
        if (p->waiting || p->state == POP3_HANDED_OVER)
            return POP3_WANT_ANSWER;
        if (pop3_full(p, out))
            return POP3_WANT_FLUSH;
        *ret = (struct pop3_request){.has_initial = false};
        enum pop3_want w = next(p, input, out, ret, &again);
        if (owes_answer(w))
            p->waiting = (uint8_t)w;
        if (w != POP3_WANT_INPUT || !again)
            return w;
    }
}
