/* action.c: ACTION_ASK: an action of a table names a recipient beside or instead of those that RCPT
 * gave. edge is not believed that there is such an action: what an access table said is remembered
 * from RCPT_CHECK; a line of a message is looked up here once more. */
#include <stdlib.h>

#include "content/set.h"
#include "role/auth/query.h"

/* The last actions that access tables gave, by a hash of connection and text: enough for all
 * transactions that may be under way; an older one is not found, and its message is deferred. */
enum { REMEMBERED = 16 * 1024 };

struct auth_actions {
    pthread_mutex_t lock;
    struct content_set *content; /* NULL: no such table is named */
    uint64_t remembered[REMEMBERED];
    size_t next;
};

enum result auth_actions_new(struct auth_actions **ret)
{
    struct auth_actions *s = calloc(1, sizeof *s);
    if (!s)
        return FAILED;
    pthread_mutex_init(&s->lock, NULL);
    *ret = s;
    return OK;
}

void auth_actions_free(struct auth_actions *s)
{
    if (!s)
        return;
    content_set_unref(s->content);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- what access tables said ---- */

static uint64_t hash_of(uint64_t conn, struct slice text)
{
    struct buf b;
    buf_init(&b, 8 * 1024);
    buf_put_le64(&b, conn);
    buf_append(&b, text);
    uint64_t h = buf_ok(&b) ? hash_bytes(buf_slice(&b)) : 0;
    buf_release(&b);
    return h ? h : 1;
}

void auth_actions_remember(struct auth_role *a, uint64_t conn, struct slice_list actions)
{
    struct auth_actions *s = a->actions;
    for (size_t i = 0; i < actions.n; i++) {
        uint64_t h = hash_of(conn, actions.items[i]);
        pthread_mutex_lock(&s->lock);
        s->remembered[s->next++ % REMEMBERED] = h;
        pthread_mutex_unlock(&s->lock);
    }
}

static bool is_remembered(struct auth_actions *s, uint64_t conn, struct slice text)
{
    uint64_t h = hash_of(conn, text);
    bool found = false;
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < REMEMBERED && !found; i++)
        found = s->remembered[i] == h;
    pthread_mutex_unlock(&s->lock);
    return found;
}

/* ---- tables ---- */

static enum result read_file(void *arg, struct slice path, struct buf *out, struct error *err)
{
    const struct auth_role *a = arg;
    for (size_t i = 0; i < a->n_secrets; i++)
        if (slice_eq(a->secrets[i].path, path)) {
            buf_append(out, a->secrets[i].bytes);
            return buf_ok(out) ? OK : FAILED;
        }
    return error_set(err, NOT_FOUND, "%.*s is not there", SLICE_ARG(path));
}

/* edge opens the same tables and reports what is wrong with them. */
static void silent_problem(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg, (void)file, (void)line, (void)reason;
}

static void silent_failure(void *arg, struct slice spec, const char *why)
{
    (void)arg, (void)spec, (void)why;
}

void auth_actions_build(struct auth_role *a)
{
    const struct conf *conf = role_conf(a->role);
    const struct table_reader reader = {read_file, a};
    struct content_set *fresh = NULL;
    struct content_source s = {.specs = {[CONTENT_HEADER] = conf->header_checks,
                                         [CONTENT_MIME] = conf->mime_header_checks,
                                         [CONTENT_NESTED] = conf->nested_header_checks,
                                         [CONTENT_BODY] = conf->body_checks},
                               .reader = &reader,
                               .problem = silent_problem,
                               .failed = silent_failure,
                               .arg = a};
    enum result r = content_set_open(&s, &fresh);
    conf_unref(conf);
    if (r != OK)
        return;
    pthread_mutex_lock(&a->actions->lock);
    struct content_set *old = a->actions->content;
    a->actions->content = fresh;
    pthread_mutex_unlock(&a->actions->lock);
    content_set_unref(old);
}

/* ---- the question ---- */

/* The address that a line of a message leads to; data NULL: none. */
static struct slice look_up(struct auth_actions *s, struct slice source, struct slice line,
                            struct arena *arena)
{
    enum content_class class = content_class_of(source);
    struct table_match match;
    struct slice text = SLICE_NONE;
    pthread_mutex_lock(&s->lock);
    struct content_set *set = content_set_ref(s->content);
    pthread_mutex_unlock(&s->lock);
    if (set && class < CONTENT_CLASSES &&
        tables_find(&set->checks.tables[class], line, arena, &match, NULL) == OK) {
        enum content_action action = content_action_parse(match.value, &text);
        text =
            action == ACTION_REDIRECT || action == ACTION_BCC ? arena_dup(arena, text) : SLICE_NONE;
    }
    content_set_unref(set);
    return text;
}

static struct slice address_of(struct auth_role *a, const struct ipc_ACTION_ASK *m,
                               struct arena *arena)
{
    if (m->source.len)
        return look_up(a->actions, m->source, m->text, arena);
    struct slice rest = m->text, word = slice_split(&rest, ' ');
    bool known = (slice_is(word, "redirect") || slice_is(word, "bcc")) &&
                 is_remembered(a->actions, m->conn, m->text);
    return known ? rest : SLICE_NONE;
}

void auth_action_ask(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    struct arena arena;
    arena_init(&arena, QUERY_ARENA_LIMIT);
    struct query q = {
        .auth = a,
        .channel = from,
        .call = m->call,
        .conn = m->ACTION_ASK.conn,
        .action = true,
        .stage = POLICY_AT_RCPT,
        .label = SLICE(""),
        .sender = m->ACTION_ASK.sender,
        .rcpt = address_of(a, &m->ACTION_ASK, &arena),
    };
    if (q.rcpt.len) {
        (void)query_look_at(&q);
    } else {
        struct ipc_message none = {.type = IPC_ACTION_RESULT};
        none.ACTION_RESULT.reason = SLICE("no table asks for that");
        ipc_answer(from, m->call, &none);
    }
    arena_release(&arena);
}
