/* location.c: where the mail of an account is: Dovecot's mail_location
 * ("maildir:~/Maildir:LAYOUT=fs", "mbox:~/mail:INBOX=/var/mail/%u") or its words in 2.4
 * (mail_driver, mail_path, mail_inbox_path), else Postfix's home_mailbox, else a file of
 * mail_spool_directory. */
#include "cli/import/import.h"
#include "conf/conf.h"

struct expansion {
    const struct import_account *account;
    struct buf out;
    const char *why;
};

static struct slice domain_of(struct slice user)
{
    size_t at = slice_rfind(user, '@');
    return at == SIZE_MAX ? SLICE("") : slice_from(user, at + 1);
}

static struct slice name_of(struct slice user)
{
    return slice_sub(user, 0, slice_rfind(user, '@'));
}

static bool put_variable(struct expansion *e, struct slice name)
{
    static const struct {
        const char *name;
        char letter;
    } words[] = {{"user", 'u'},        {"user|username", 'n'},
                 {"user|domain", 'd'}, {"home", 'h'},
                 {"u", 'u'},           {"n", 'n'},
                 {"d", 'd'},           {"h", 'h'}};
    const struct import_account *a = e->account;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!slice_is(name, words[i].name))
            continue;
        char c = words[i].letter;
        buf_append(&e->out, c == 'u'   ? a->user
                            : c == 'n' ? name_of(a->user)
                            : c == 'd' ? domain_of(a->user)
                                       : a->home);
        return true;
    }
    e->why = "its location has a %variable that is not known here";
    return false;
}

static bool expand(struct expansion *e, struct slice text)
{
    if (text.len && text.data[0] == '~' && (text.len == 1 || text.data[1] == '/')) {
        if (!e->account->home.len) {
            e->why = "its location needs a home folder, which is not known";
            return false;
        }
        buf_append(&e->out, e->account->home);
        text = slice_from(text, 1);
    }
    while (text.len) {
        size_t at = slice_find(text, '%');
        buf_append(&e->out, slice_sub(text, 0, at));
        if (at == SIZE_MAX)
            break;
        text = slice_from(text, at + 1);
        size_t modifiers = 0; /* %Lu, %Ln: lower case, which names are here */
        while (modifiers < text.len && text.data[modifiers] == 'L')
            modifiers++;
        text = slice_from(text, modifiers);
        bool braced = text.len && text.data[0] == '{';
        size_t end = braced ? slice_find(text, '}') : 1;
        if (!put_variable(e, braced ? slice_sub(text, 1, end - 1) : slice_sub(text, 0, 1)))
            return false;
        text = end == SIZE_MAX ? SLICE("") : slice_from(text, braced ? end + 1 : 1);
    }
    return true;
}

/* NULL: e->why says why. */
static const char *expanded(struct expansion *e, struct slice text, struct arena *a)
{
    buf_init(&e->out, 4096);
    struct slice kept =
        expand(e, text) && buf_ok(&e->out) ? arena_dup(a, buf_slice(&e->out)) : SLICE_NONE;
    buf_release(&e->out);
    if (!kept.data && !e->why)
        e->why = "its location is too long";
    return kept.data;
}

/* "maildir:PATH:OPTION=…:…" */
static const char *take_location(struct expansion *e, struct slice text, struct arena *a,
                                 struct import_location *l)
{
    struct slice driver = slice_split(&text, ':');
    l->maildir = slice_is(driver, "maildir");
    if (!l->maildir && !slice_is(driver, "mbox")) {
        e->why = "only maildir: and mbox: can be imported";
        return NULL;
    }
    struct slice path = text.data ? slice_split(&text, ':') : SLICE("");
    while (text.data) {
        struct slice option = slice_split(&text, ':');
        if (slice_starts(option, SLICE("INBOX=")))
            l->options.inbox = expanded(e, slice_from(option, 6), a);
        l->options.fs_layout |= slice_is_nocase(option, "LAYOUT=fs");
    }
    return expanded(e, path, a);
}

static const char *take_words(struct expansion *e, const struct conf *c, struct arena *a,
                              struct import_location *l)
{
    l->maildir = slice_is(c->mail_driver, "maildir");
    if (!l->maildir && !slice_is(c->mail_driver, "mbox")) {
        e->why = "only mail_driver maildir and mbox can be imported";
        return NULL;
    }
    if (c->mail_inbox_path.len)
        l->options.inbox = expanded(e, c->mail_inbox_path, a);
    return expanded(e, c->mail_path, a);
}

static const char *take_postfix(struct expansion *e, const struct conf *c, struct arena *a,
                                struct import_location *l)
{
    struct slice path = c->home_mailbox;
    l->maildir = path.len && path.data[path.len - 1] == '/';
    char *text = path.len ? arena_printf(a, "~/%.*s", SLICE_ARG(path))
                          : arena_printf(a, "%.*s/%%u", SLICE_ARG(c->mail_spool_directory));
    return text ? expanded(e, slice_cstr(text), a) : NULL;
}

enum result import_locate(const struct conf *c, const struct import_account *account,
                          struct arena *a, struct import_location *ret, const char **ret_why)
{
    struct import_account own = *account;
    struct expansion e = {.account = &own};
    struct import_location l = {.options.uidl_format = SLICE("%08Xu%08Xv")};
    if (c->mail_home.len) {
        const char *home = expanded(&e, c->mail_home, a);
        own.home = home ? slice_cstr(home) : own.home;
        e.why = NULL;
    }
    if (account->mail.len)
        l.path = take_location(&e, account->mail, a, &l);
    else if (c->mail_location.len)
        l.path = take_location(&e, c->mail_location, a, &l);
    else if (c->mail_driver.len)
        l.path = take_words(&e, c, a, &l);
    else
        l.path = take_postfix(&e, c, a, &l);
    if (!l.path) {
        *ret_why = e.why ? e.why : "no memory";
        return INVALID;
    }
    *ret = l;
    return OK;
}
