/* route.c: config route ADDRESS: where mail to an address would go by the configuration and its
 * files as they are now, each step with the place that decided it. Works on the files, without the
 * server: what an SQL or LDAP server knows of accounts is not asked. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/recipient_file.h"
#include "cli/cli.h"
#include "cli/directory.h"
#include "ipc/target_show.h"
#include "os/fds.h"

enum { ARENA_MAX = 64 << 20, OUT_MAX = 8 << 20, PATH_SIZE = 4096, STEPS_MAX = 5000 };

struct step {
    const char *rule;
    struct slice where, from, to;
};

struct route {
    struct arena arena;
    const struct directory *directory;
    struct step *steps;
    size_t n_steps;
    bool unasked; /* an account is a database's to know */
};

/* ---- what the directory asks ---- */

static enum account_known known_to(const struct auth_databases *all, const char *name, bool *server)
{
    for (size_t i = 0; i < all->n; i++)
        switch (all->items[i].driver) {
        case DRIVER_PAM:
        case DRIVER_PASSWD:
        case DRIVER_SHADOW:
            if (getpwnam(name))
                return ACCOUNT_THERE;
            break;
        case DRIVER_STATIC:
            if (all->items[i].all)
                return ACCOUNT_THERE;
            break;
        case DRIVER_SQL:
        case DRIVER_LDAP:
            *server = true;
            break;
        default:
            break;
        }
    return ACCOUNT_ABSENT;
}

static enum account_known known(void *arg, struct slice name)
{
    struct route *r = arg;
    bool server = false;
    const char *text = arena_printf(&r->arena, "%.*s", SLICE_ARG(name));
    enum account_known k = known_to(directory_userdbs(r->directory), text ? text : "", &server);
    if (k == ACCOUNT_ABSENT)
        k = known_to(directory_passdbs(r->directory), text ? text : "", &server);
    if (k == ACCOUNT_ABSENT && server) {
        r->unasked = true;
        k = ACCOUNT_THERE; /* so that the way is told to its end */
    }
    return k;
}

static bool read_one(struct route *r, bool forward, unsigned uid, const char *path,
                     struct directory_found *ret)
{
    struct stat st;
    struct buf bytes;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && forward && (errno == ENOENT || errno == ENOTDIR))
        return false;
    const char *why =
        fd < 0 || fstat(fd, &st) != 0 ? strerror(errno) : recipient_file_fault(&st, forward, uid);
    buf_init(&bytes, RECIPIENT_FILE_MAX + 1);
    if (!why && fd_read_all(fd, RECIPIENT_FILE_MAX, &bytes) != OK)
        why = "can't be read";
    if (fd >= 0)
        close(fd);
    *ret = (struct directory_found){.path = arena_dup(&r->arena, slice_cstr(path)),
                                    .bytes = arena_dup(&r->arena, buf_slice(&bytes)),
                                    .owner = why ? 0 : st.st_uid,
                                    .refused = SLICE("")};
    if (why)
        ret->refused = slice_cstr(arena_printf(&r->arena, "%s: %s", path, why));
    buf_release(&bytes);
    return true;
}

static enum account_known read_file(void *arg, const struct directory_wish *wish, struct arena *a,
                                    struct directory_found *ret)
{
    struct route *r = arg;
    char path[PATH_SIZE];
    const char *user = arena_printf(a, "%.*s", SLICE_ARG(slice_from(wish->user, 1)));
    const struct passwd *pw = wish->forward && user ? getpwnam(user) : NULL;
    if (!wish->forward) {
        snprintf(path, sizeof path, "%.*s", SLICE_ARG(wish->path));
        return read_one(r, false, 0, path, ret) ? ACCOUNT_THERE : ACCOUNT_ABSENT;
    }
    for (size_t at = 0; pw && at < wish->path.len; at += strlen(wish->path.data + at) + 1) {
        recipient_path_expand(wish->path.data + at, pw->pw_dir, pw->pw_shell, path, sizeof path);
        if (path[0] == '/' && read_one(r, true, pw->pw_uid, path, ret))
            return ACCOUNT_THERE;
    }
    return ACCOUNT_ABSENT;
}

static void take_step(void *arg, const char *rule, struct slice where, struct slice from,
                      struct slice to)
{
    struct route *r = arg;
    if (r->n_steps == STEPS_MAX)
        return;
    r->steps[r->n_steps++] = (struct step){rule, arena_dup(&r->arena, where),
                                           arena_dup(&r->arena, from), arena_dup(&r->arena, to)};
}

/* ---- in words ---- */

/* As much of it as is shown. */
static struct target shown(const struct directory_target *t)
{
    enum target_kind mail = t->local ? TARGET_LOCAL : TARGET_REMOTE;
    return (struct target){.kind = t->kind == DIRECTORY_COMMAND ? TARGET_COMMAND
                                   : t->kind == DIRECTORY_FILE  ? TARGET_FILE
                                                                : mail,
                           .local = t->local,
                           .account = t->account,
                           .detail = t->detail,
                           .address = t->address,
                           .route = t->route,
                           .user = t->user,
                           .text = t->text};
}

/* Its transport is not there: the mail waits. */
static bool waits(const struct route *w, const struct directory_target *t)
{
    struct slice transport, nexthop;
    if (t->local || t->kind != DIRECTORY_MAIL || t->route.len == 0)
        return false;
    target_route_split(t->route, &transport, &nexthop);
    return !conf_transport_takes(directory_conf(w->directory), transport);
}

static const char unavailable[] = "put off: mail transport unavailable";

static void put_target(const struct route *w, const struct directory_target *from, struct buf *out)
{
    const struct target t = shown(from);
    buf_puts(out, "  ");
    target_show(&t, out);
    if (from->owner.data)
        buf_printf(out, ", sent as %.*s", SLICE_ARG(from->owner));
    buf_printf(out, "%s%s%s\n", from->bcc ? " (a copy)" : "", waits(w, from) ? ": " : "",
               waits(w, from) ? unavailable : "");
}

/* Mail to it is taken, and leads somewhere. */
static bool leads(const struct resolved *r)
{
    return (r->kind == RESOLVE_LOCAL || r->kind == RESOLVE_FOREIGN) && r->n > 0;
}

static bool all_go(const struct route *w, const struct resolved *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (waits(w, &r->targets[i]))
            return false;
    return true;
}

/* "" where it leads somewhere. */
static const char *outcome(struct route *w, const struct resolved *r)
{
    const char *text = "";
    if (r->kind == RESOLVE_UNKNOWN)
        text = arena_printf(&w->arena, "refused: %u %.*s %.*s", r->code, SLICE_ARG(r->status),
                            SLICE_ARG(r->text));
    else if (r->kind == RESOLVE_MALFORMED)
        text = "no address";
    else if (r->kind == RESOLVE_BROKEN || r->kind == RESOLVE_UNAVAILABLE)
        text = arena_printf(&w->arena, "put off: %s%s%.*s", r->problem ? r->problem : "",
                            r->problem_address.len ? ": " : "", SLICE_ARG(r->problem_address));
    else if (!leads(r))
        text = "leads nowhere";
    return text ? text : "no memory";
}

static void put_text(struct route *w, struct slice address, const struct resolved *r,
                     struct buf *out)
{
    buf_printf(out, "%.*s\n", SLICE_ARG(address));
    for (size_t i = 0; i < w->n_steps; i++) {
        const struct step *s = &w->steps[i];
        buf_printf(out, "  %-20s %.*s -> %.*s%s%.*s%s\n", s->rule, SLICE_ARG(s->from),
                   SLICE_ARG(s->to), s->where.len ? "  [" : "", SLICE_ARG(s->where),
                   s->where.len ? "]" : "");
    }
    if (!leads(r))
        buf_printf(out, "%s\n", outcome(w, r));
    else
        buf_puts(out, "leads to\n");
    for (size_t i = 0; leads(r) && i < r->n; i++)
        put_target(w, &r->targets[i], out);
    if (leads(r) && r->problem)
        buf_printf(out, "note: %s: %.*s\n", r->problem, SLICE_ARG(r->problem_address));
    const struct conf *c = directory_conf(w->directory);
    if (leads(r) && c->content_filter.len)
        buf_printf(out,
                   "note: before that, mail that comes in goes to the content filter %.*s  [%s]\n",
                   SLICE_ARG(c->content_filter), conf_source(c, "content_filter"));
    if (w->unasked)
        buf_puts(out, "note: an account is a database's to know, which was not asked: see doveadm "
                      "user\n");
}

static void put_json_target(const struct route *w, struct json *list,
                            const struct directory_target *from)
{
    const struct target t = shown(from);
    json_item(list);
    struct json o = json_begin(list->out, '{');
    target_show_json(&t, &o);
    if (from->owner.data)
        json_put_string(&o, "sender", from->owner);
    if (from->bcc)
        json_put_number(&o, "copy", 1);
    if (waits(w, from))
        json_put_string(&o, "problem", slice_cstr(unavailable));
    json_end(&o);
}

static void put_json(struct route *w, struct slice address, const struct resolved *r,
                     struct buf *out)
{
    struct json o = json_begin(out, '{');
    json_put_string(&o, "address", address);
    const char *told = !leads(r) ? outcome(w, r) : all_go(w, r) ? "leads" : unavailable;
    json_put_string(&o, "outcome", slice_cstr(told));
    json_put_string(&o, "content_filter", directory_conf(w->directory)->content_filter);
    json_key(&o, "steps");
    struct json steps = json_begin(out, '[');
    for (size_t i = 0; i < w->n_steps; i++) {
        json_item(&steps);
        struct json s = json_begin(out, '{');
        json_put_string(&s, "rule", slice_cstr(w->steps[i].rule));
        json_put_string(&s, "where", w->steps[i].where);
        json_put_string(&s, "from", w->steps[i].from);
        json_put_string(&s, "to", w->steps[i].to);
        json_end(&s);
    }
    json_end(&steps);
    json_key(&o, "targets");
    struct json targets = json_begin(out, '[');
    for (size_t i = 0; leads(r) && i < r->n; i++)
        put_json_target(w, &targets, &r->targets[i]);
    json_end(&targets);
    json_end(&o);
    buf_putc(out, '\n');
}

/* ---- the command ---- */

static int resolve(struct route *w, const struct route_words *words)
{
    struct resolved r;
    struct buf out;
    struct slice address = slice_cstr(words->address), sender = slice_cstr(words->sender);
    struct directory_system system = {.known = known,
                                      .arg = w,
                                      .file = read_file,
                                      .sender = sender,
                                      .step = take_step,
                                      .step_arg = w};
    w->steps = arena_alloc_n(&w->arena, STEPS_MAX, sizeof *w->steps);
    if (!w->steps)
        return cli_fail(1, "no memory");
    directory_resolve(w->directory, address, &system, &w->arena, &r);
    if (leads(&r))
        directory_add_copies(w->directory, sender, &system, &w->arena, &r);
    buf_init(&out, OUT_MAX);
    (words->json ? put_json : put_text)(w, address, &r, &out);
    fwrite(buf_slice(&out).data, 1, buf_len(&out), stdout);
    buf_release(&out);
    if (fflush(stdout) != 0)
        return cli_fail(1, "cannot write the output");
    return leads(&r) && all_go(w, &r) ? 0 : 1;
}

bool cli_route_words(char **words, int n, struct route_words *ret)
{
    struct route_words w = {.sender = ""};
    for (int i = 0; i < n; i++) {
        if (strcmp(words[i], "--json") == 0)
            w.json = true;
        else if (strcmp(words[i], "--sender") == 0 && i + 1 < n)
            w.sender = words[++i];
        else if (words[i][0] != '-' && !w.address)
            w.address = words[i];
        else
            return false;
    }
    *ret = w;
    return w.address != NULL;
}

int cli_route(struct cli *c, const struct route_words *words)
{
    struct route w = {.n_steps = 0};
    struct error err = {""};
    if (cli_directory_open(c->conf, &w.directory, &err) != OK)
        return cli_fail(1, "%s", err.text);
    arena_init(&w.arena, ARENA_MAX);
    int status = resolve(&w, words);
    arena_release(&w.arena);
    directory_unref(w.directory);
    return status;
}
