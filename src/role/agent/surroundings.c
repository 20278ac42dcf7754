/* surroundings.c: where a "|command" runs and how much it and "/file" may write: local(8)
 * "command_execution_directory", "mailbox_size_limit". Runs in a child that has the user's rights
 * already. */
#include "role/agent/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "conf/expand.h"
#include "mime/address.h"

enum { PATH_SIZE = 4096, ARENA_MAX = 1 << 20 };

/* ---- the folder ---- */

struct names {
    const struct local_delivery *delivery;
    struct arena arena;
};

struct slice local_folded(struct slice s, struct arena *a)
{
    struct slice copy = arena_dup(a, s);
    for (size_t i = 0; copy.data && i < copy.len; i++)
        ((char *)copy.data)[i] = ascii_lower(copy.data[i]);
    return copy;
}

static struct slice value_of(const struct local_delivery *d, struct slice name, struct arena *a)
{
    struct slice address = local_folded(d->copy.recipient, a), user, extension;
    size_t at = slice_rfind(address, '@');
    struct slice local = slice_sub(address, 0, at);
    address_split_detail(local, d->conf->recipient_delimiter, &user, &extension);
    const struct {
        const char *name;
        struct slice value;
    } known[] = {
        {"user", user},
        {"local", local},
        {"extension", extension.data ? extension : SLICE("")},
        {"domain", at == SIZE_MAX ? SLICE("") : slice_from(address, at + 1)},
        {"recipient", d->copy.recipient},
        {"recipient_delimiter", extension.data ? slice_sub(local, user.len, 1) : SLICE("")},
        {"home", d->who->context ? slice_cstr(d->who->home) : SLICE("")},
        {"shell", d->who->context ? slice_cstr(d->who->shell) : SLICE("")},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_is(name, known[i].name))
            return known[i].value;
    return SLICE_NONE;
}

/* Bytes of strangers that the filter does not name become '_'. */
static bool look_up(void *arg, struct slice name, struct slice *ret, enum conf_grammar *ret_grammar)
{
    struct names *n = arg;
    struct slice value = value_of(n->delivery, name, &n->arena);
    if (!value.data)
        return false;
    struct slice copy = arena_dup(&n->arena, value);
    for (size_t i = 0; copy.data && i < copy.len; i++)
        if (slice_find(n->delivery->conf->execution_directory_expansion_filter, copy.data[i]) ==
            SIZE_MAX)
            ((char *)copy.data)[i] = '_';
    *ret = copy.data ? copy : SLICE("");
    *ret_grammar = CONF_LITERAL;
    return true;
}

static enum result expand_path(const struct local_delivery *d, char path[PATH_SIZE],
                               struct error *why)
{
    struct names n = {.delivery = d};
    struct conf_expander e = {look_up, &n};
    struct buf b;
    arena_init(&n.arena, ARENA_MAX);
    buf_init(&b, PATH_SIZE - 1);
    enum result r = conf_expand(&e, d->conf->command_execution_directory, CONF_OWN, &b, why);
    if (r == OK && arena_failed(&n.arena))
        r = error_set(why, FAILED, "out of memory");
    if (r == OK && slice_find(buf_slice(&b), '\0') != SIZE_MAX)
        r = error_set(why, INVALID, "the path would hold a NUL byte");
    if (r == OK)
        snprintf(path, PATH_SIZE, "%.*s", SLICE_ARG(buf_slice(&b)));
    buf_release(&b);
    arena_release(&n.arena);
    return r;
}

bool local_enter_directory(const struct local_delivery *d, struct buf *answer)
{
    char path[PATH_SIZE];
    struct error why = {""};
    if (d->conf->command_execution_directory.len == 0) {
        bool home = d->who->context && d->who->home[0] && chdir(d->who->home) == 0;
        if (home || chdir("/") == 0)
            return true;
        buf_printf(answer, "D4.3.0 cannot change directory to /: %s", strerror(errno));
        return false;
    }
    if (expand_path(d, path, &why) != OK) {
        buf_printf(answer, "D4.3.5 command_execution_directory: %s", why.text);
        return false;
    }
    if (chdir(path) == 0)
        return true;
    buf_printf(answer, "D4.3.0 cannot change directory to \"%s\" for uid=%u gid=%u: %s", path,
               d->who->uid, d->who->gid, strerror(errno));
    return false;
}

/* ---- the limit ---- */

void local_limit_files(const struct conf *c)
{
    struct rlimit limit;
    if (c->mailbox_size_limit == 0 || getrlimit(RLIMIT_FSIZE, &limit) != 0)
        return;
    if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > (rlim_t)c->mailbox_size_limit)
        limit.rlim_max = (rlim_t)c->mailbox_size_limit;
    limit.rlim_cur = limit.rlim_max;
    signal(SIGXFSZ, SIG_IGN); /* a write that is too long fails with EFBIG instead */
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}
