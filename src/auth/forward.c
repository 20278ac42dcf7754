/* forward.c: ~/.forward of system accounts, and luser_relay: what local(8) looks for behind and
 * without an account. Both settings hold $name parameters of the recipient. */
#include "auth/resolve.h"

enum { EXPANDED_MAX = 4096, NESTING_MAX = 8 };

struct parameters {
    const struct walk *walk;
    struct slice user, local, extension, domain, recipient, delimiter;
    bool agent_knows; /* $home and $shell stay as they are */
    struct slice filter;
    struct buf *out;
};

/* ---- $name ---- */

/* data NULL: not defined, as ${name?…} sees it. */
static struct slice value_of(const struct parameters *p, struct slice name)
{
    const struct {
        const char *name;
        struct slice value;
    } known[] = {
        {"user", p->user},     {"local", p->local},         {"extension", p->extension},
        {"domain", p->domain}, {"recipient", p->recipient}, {"recipient_delimiter", p->delimiter},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_is(name, known[i].name))
            return known[i].value;
    return SLICE_NONE;
}

static void put_value(const struct parameters *p, struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        bool fit = slice_find(p->filter, value.data[i]) != SIZE_MAX;
        buf_putc(p->out, fit ? value.data[i] : '_');
    }
}

static void put_expanded(const struct parameters *p, struct slice text, unsigned depth);

/* The bytes between the bracket at the front of s and its match; SIZE_MAX: there is none. */
static size_t bracket_end(struct slice s, char open, char close)
{
    size_t depth = 0;
    for (size_t i = 0; i < s.len; i++) {
        depth += s.data[i] == open;
        depth -= s.data[i] == close;
        if (depth == 0)
            return i;
    }
    return SIZE_MAX;
}

/* Takes "{value}", or all that is left, off the front. */
static struct slice take_alternative(struct slice *rest)
{
    size_t end = rest->len && rest->data[0] == '{' ? bracket_end(*rest, '{', '}') : SIZE_MAX;
    struct slice value = end == SIZE_MAX ? *rest : slice_sub(*rest, 1, end - 1);
    *rest = end == SIZE_MAX ? SLICE("") : slice_from(*rest, end + 1);
    return value;
}

/* What stands in ${…}: name, name?value, name:value, name?{a}:{b}. */
static void put_braced(const struct parameters *p, struct slice inner, unsigned depth)
{
    size_t end = 0;
    while (end < inner.len && (ascii_alnum(inner.data[end]) || inner.data[end] == '_'))
        end++;
    struct slice name = slice_sub(inner, 0, end), rest = slice_from(inner, end);
    struct slice value = value_of(p, name);
    bool defined = value.len > 0 || (p->agent_knows && slice_is(name, "home"));
    if (rest.len == 0) {
        if (p->agent_knows && (slice_is(name, "home") || slice_is(name, "shell")))
            buf_printf(p->out, "$%.*s", SLICE_ARG(name));
        put_value(p, value);
        return;
    }
    char how = rest.data[0];
    rest = slice_from(rest, 1);
    struct slice first = take_alternative(&rest);
    struct slice second = rest.len > 1 && rest.data[0] == ':' ? slice_from(rest, 1) : SLICE("");
    second = take_alternative(&second);
    if ((how == '?') == defined)
        put_expanded(p, first, depth + 1);
    else if (how == '?')
        put_expanded(p, second, depth + 1);
}

static void put_expanded(const struct parameters *p, struct slice text, unsigned depth)
{
    while (text.len && depth < NESTING_MAX) {
        size_t end = 0;
        if (text.data[0] != '$' || text.len == 1) {
            buf_putc(p->out, text.data[0]);
            text = slice_from(text, 1);
            continue;
        }
        text = slice_from(text, 1);
        char open = text.data[0];
        if (open == '{' || open == '(') {
            end = bracket_end(text, open, open == '{' ? '}' : ')');
            put_braced(p, end == SIZE_MAX ? text : slice_sub(text, 1, end - 1), depth);
            text = end == SIZE_MAX ? SLICE("") : slice_from(text, end + 1);
            continue;
        }
        while (end < text.len && (ascii_alnum(text.data[end]) || text.data[end] == '_'))
            end++;
        put_braced(p, slice_sub(text, 0, end), depth);
        text = slice_from(text, end);
    }
}

static struct parameters parameters_of(const struct walk *w, struct slice user, struct slice detail,
                                       struct slice domain, struct buf *out)
{
    const struct conf *c = directory_conf(w->d);
    struct parameters p = {.walk = w,
                           .user = user,
                           .local = user,
                           .extension = detail,
                           .domain = domain.data ? domain : c->myorigin,
                           .filter = c->forward_expansion_filter,
                           .out = out};
    if (detail.len) {
        p.delimiter = slice_sub(c->recipient_delimiter, 0, 1);
        char *local = arena_printf(w->arena, "%.*s%.*s%.*s", SLICE_ARG(user),
                                   SLICE_ARG(p.delimiter), SLICE_ARG(detail));
        p.local = slice_cstr(local ? local : "");
    }
    p.recipient = resolve_join(w, p.local, p.domain);
    return p;
}

/* ---- .forward ---- */

/* A user in their own .forward means their mailbox. */
static bool is_in_own(const struct walk *w, struct slice account)
{
    for (const struct chain *c = w->here; c; c = c->up)
        if (c->forward_of.data && slice_eq(c->forward_of, account))
            return true;
    return false;
}

/* The paths of forward_path, each ended by NUL. */
static struct slice paths_of(const struct walk *w, struct slice account, struct slice detail)
{
    const struct conf *c = directory_conf(w->d);
    struct buf out;
    buf_init(&out, EXPANDED_MAX);
    struct parameters p = parameters_of(w, account, detail, SLICE_NONE, &out);
    p.agent_knows = true;
    for (size_t i = 0; i < c->forward_path.n; i++) {
        put_expanded(&p, c->forward_path.items[i], 0);
        buf_putc(&out, '\0');
    }
    struct slice paths = buf_ok(&out) ? arena_dup(w->arena, buf_slice(&out)) : SLICE_NONE;
    buf_release(&out);
    return paths;
}

bool resolve_forward(struct walk *w, struct slice account, struct slice detail)
{
    struct directory_found found;
    if (directory_conf(w->d)->forward_path.n == 0 || !w->system->file || is_in_own(w, account))
        return false;
    char *user = arena_printf(w->arena, "~%.*s", SLICE_ARG(account));
    struct directory_wish wish = {true, slice_cstr(user ? user : ""), paths_of(w, account, detail)};
    if (!user || !wish.path.data) {
        resolve_give_up(w, "out of memory, or forward_path is too long", account);
        return true;
    }
    if (!resolve_read(w, &wish, account, &found))
        return w->stop;
    const struct chain *up = w->here;
    struct chain here = {.up = up,
                         .forward_of = account,
                         .depth = up ? up->depth + 1 : 1,
                         .source = SOURCE_FORWARD,
                         .user = wish.user,
                         .owner = up ? up->owner : SLICE_NONE,
                         .recipient = resolve_join(w, account, directory_conf(w->d)->myorigin)};
    here.delivered = resolve_delivered(w, up, here.recipient);
    if (here.depth > DIRECTORY_DEPTH_MAX) {
        resolve_give_up(w, "the .forward files are nested too deeply", account);
        return true;
    }
    /* An empty one forwards nothing; one that leads nowhere loses no mail. */
    size_t before = w->out->n;
    return resolve_file_list(w, &found, "forward_path", &here) && (w->stop || w->out->n > before);
}

/* ---- luser_relay ---- */

bool resolve_luser(struct walk *w, const struct names *n)
{
    const struct conf *c = directory_conf(w->d);
    struct buf out;
    if (c->luser_relay.len == 0 || w->stop)
        return false;
    buf_init(&out, EXPANDED_MAX);
    struct parameters p = parameters_of(w, n->base, n->detail, n->domain, &out);
    put_expanded(&p, c->luser_relay, 0);
    struct slice item = buf_ok(&out) ? arena_dup(w->arena, buf_slice(&out)) : SLICE_NONE;
    buf_release(&out);
    struct chain here = {.depth = 1,
                         .source = SOURCE_ALIAS,
                         .user = SLICE("-"),
                         .recipient = resolve_recipient(w, n)};
    here.delivered = here.recipient;
    if (item.len == 0)
        return false;
    const char *source = conf_source(c, "luser_relay");
    size_t before = w->out->n;
    resolve_step(w, "luser_relay", slice_cstr(source ? source : ""), p.recipient, item);
    resolve_list(w, (struct slice_list){&item, 1}, &here);
    if (w->out->n > before)
        resolve_took(w, "luser_relay", source, source ? strlen(source) : 0, 0);
    return w->stop || w->out->n > before;
}
