/* pipe_argv.c: a pipe transport's command line for one message: pipe(8) "argv". A word that names
 * the recipient becomes as many words as there are recipients. */
#include <stdio.h>

#include "base/log.h"
#include "conf/expand.h"
#include "conf/pipe.h"
#include "mime/address.h"
#include "role/agent/agent.h"

enum { WORD_MAX = 64 * 1024 };

struct expanding {
    const struct pipe_transport *transport;
    const struct pipe_mail *mail;
    struct arena *arena;
    size_t rcpt;        /* the one at hand */
    bool by_rcpt;       /* the word named it */
    char number[2][24]; /* size, queue id */
};

static struct slice folded(struct expanding *x, struct slice s, unsigned flag)
{
    struct slice copy = x->transport->flags & flag ? arena_dup(x->arena, s) : s;
    for (size_t i = 0; copy.data != s.data && i < copy.len; i++)
        ((char *)copy.data)[i] = ascii_lower(copy.data[i]);
    return copy;
}

static struct slice in_buf(struct expanding *x, void (*put)(struct slice s, struct buf *out),
                           struct slice s)
{
    struct buf b;
    buf_init(&b, WORD_MAX);
    put(s, &b);
    struct slice kept = arena_dup(x->arena, buf_slice(&b));
    buf_release(&b);
    return kept.data ? kept : SLICE("");
}

/* An envelope address taken apart: its local part without quotes. */
static void take_apart(struct expanding *x, struct slice address, struct slice *ret_local,
                       struct slice *ret_domain)
{
    size_t at = slice_rfind(address, '@');
    *ret_local = in_buf(x, address_unquote, slice_sub(address, 0, at));
    *ret_domain = at == SIZE_MAX ? SLICE("") : slice_from(address, at + 1);
}

/* A whole address, as the flags q, u and h want it. */
static struct slice whole(struct expanding *x, struct slice address, bool fold)
{
    struct slice local, domain;
    take_apart(x, address, &local, &domain);
    if (fold) {
        local = folded(x, local, PIPE_FOLD_USER);
        domain = folded(x, domain, PIPE_FOLD_DOMAIN);
    }
    if (x->transport->flags & PIPE_QUOTE)
        local = in_buf(x, address_quote, local);
    return slice_cstr(arena_printf(x->arena, "%.*s%s%.*s", SLICE_ARG(local), domain.len ? "@" : "",
                                   SLICE_ARG(domain)));
}

static struct slice sender_of(struct expanding *x)
{
    struct slice s = x->mail->sender.len ? x->mail->sender : x->transport->null_sender;
    return s.len ? whole(x, s, false) : SLICE("");
}

/* ---- macros ---- */

/* False: it is none of the recipient. */
static bool rcpt_macro(struct expanding *x, struct slice name, struct slice *ret)
{
    struct slice local, domain, user, detail, folded_local;
    struct slice address = x->mail->rcpts.items[x->rcpt];
    take_apart(x, address, &local, &domain);
    folded_local = folded(x, local, PIPE_FOLD_USER);
    address_split_detail(folded_local, x->mail->conf->recipient_delimiter, &user, &detail);
    if (slice_is(name, "recipient"))
        *ret = whole(x, address, true);
    else if (slice_is(name, "original_recipient"))
        *ret = whole(x, x->mail->originals.items[x->rcpt], true);
    else if (slice_is(name, "user"))
        *ret = user;
    else if (slice_is(name, "extension"))
        *ret = detail.data ? detail : SLICE("");
    else if (slice_is(name, "mailbox"))
        *ret = folded_local;
    else if (slice_is(name, "domain"))
        *ret = folded(x, domain, PIPE_FOLD_DOMAIN);
    else
        return false;
    x->by_rcpt = true;
    return true;
}

static bool mail_macro(struct expanding *x, struct slice name, struct slice *ret)
{
    const struct {
        const char *name;
        struct slice value;
    } all[] = {{"sender", sender_of(x)},
               {"nexthop", folded(x, x->mail->nexthop, PIPE_FOLD_DOMAIN)},
               {"size", slice_cstr(x->number[0])},
               {"queue_id", slice_cstr(x->number[1])},
               {"client_address", x->mail->origin->client_ip},
               {"client_hostname", x->mail->origin->client_name},
               {"client_helo", x->mail->origin->helo},
               {"client_protocol", x->mail->origin->protocol},
               {"sasl_method", x->mail->origin->sasl_method},
               {"sasl_username", x->mail->origin->account},
               {"client_port", x->mail->origin->client_port},
               {"sasl_sender", x->mail->origin->sasl_sender}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (slice_is(name, all[i].name)) {
            *ret = all[i].value;
            return true;
        }
    return false;
}

static bool look_up(void *arg, struct slice name, struct slice *ret, enum conf_grammar *ret_grammar)
{
    struct expanding *x = arg;
    *ret = SLICE("");
    *ret_grammar = CONF_LITERAL; /* what an address holds is no macro */
    return rcpt_macro(x, name, ret) || mail_macro(x, name, ret);
}

/* ---- words ---- */

static enum result expand_word(struct expanding *x, struct slice word, char **ret,
                               struct error *why)
{
    struct conf_expander e = {look_up, x};
    struct buf b;
    buf_init(&b, WORD_MAX);
    enum result r = conf_expand(&e, word, CONF_OWN, &b, why);
    if (r == OK && slice_find(buf_slice(&b), '\0') != SIZE_MAX)
        r = error_set(why, INVALID, "a word of the command would hold a NUL byte");
    /* What a stranger wrote must not be taken for an option. */
    if (r == OK && buf_len(&b) && buf_slice(&b).data[0] == '-' && word.data[0] != '-')
        r = error_set(why, INVALID, "a word of the command would become an option");
    if (r == OK)
        *ret = arena_printf(x->arena, "%.*s", SLICE_ARG(buf_slice(&b)));
    buf_release(&b);
    return r == OK && !*ret ? error_set(why, FAILED, "out of memory") : r;
}

enum result pipe_argv(const struct pipe_transport *t, const struct pipe_mail *m, struct arena *a,
                      char ***ret, struct error *why)
{
    struct expanding x = {.transport = t, .mail = m, .arena = a};
    size_t n = 0, room = t->argv.n * (m->rcpts.n + 1) + 1;
    char **words = arena_alloc_n(a, room, sizeof(char *));
    if (!words)
        return error_set(why, FAILED, "out of memory");
    snprintf(x.number[0], sizeof x.number[0], "%zu", m->message.len);
    snprintf(x.number[1], sizeof x.number[1], "%s", log_id(m->id).text);
    for (size_t i = 0; i < t->argv.n; i++) {
        x.by_rcpt = false;
        for (x.rcpt = 0; x.rcpt == 0 || (x.by_rcpt && x.rcpt < m->rcpts.n); x.rcpt++) {
            enum result r = expand_word(&x, t->argv.items[i], &words[n], why);
            if (r != OK)
                return r;
            n++;
        }
    }
    words[n] = NULL;
    *ret = words;
    return OK;
}
