/* post.c: see post.h. */
#include "role/relay/post.h"

#include <stdlib.h>

#include "role/relay/https.h"
#include "role/relay/tls.h"

enum { POST_ARENA_MAX = 256 * 1024, ANSWER_MAX = 64 * 1024 };

struct posting {
    struct relay *relay;
    struct ipc_channel *from;
    uint64_t call;
    struct arena arena;
    struct https_request request;
};

/* On a helper thread. What the server says beside its status is of no interest. */
static void post(void *arg)
{
    struct posting *p = arg;
    struct ipc_message answer = {.type = IPC_HTTPS_RESULT};
    struct error err = {""};
    struct buf authorities, said;
    relay_authorities(p->relay, &authorities);
    buf_init(&said, ANSWER_MAX);
    p->request.authorities = buf_slice(&authorities);
    enum result r = https_ask(&p->request, &said, &err);
    answer.HTTPS_RESULT.reason = slice_cstr(r == OK ? "" : err.text);
    ipc_answer(p->from, p->call, &answer);
    buf_release(&said);
    buf_release(&authorities);
    arena_release(&p->arena);
    free(p);
}

static bool take(struct posting *p, const struct ipc_HTTPS_POST *m)
{
    arena_init(&p->arena, POST_ARENA_MAX);
    p->request = (struct https_request){
        .url = arena_dup(&p->arena, m->url).data,
        .addresses =
            arena_printf(&p->arena, "%.*s:443:%.*s", SLICE_ARG(m->host), SLICE_ARG(m->addresses)),
        .media_type = arena_dup(&p->arena, m->media_type).data,
        .body = arena_dup(&p->arena, m->body)};
    return !arena_failed(&p->arena) && m->addresses.len;
}

void relay_post(struct relay *r, struct ipc_channel *from, struct ipc_message *m)
{
    struct posting *p = calloc(1, sizeof *p);
    if (p) {
        *p = (struct posting){.relay = r, .from = from, .call = m->call};
        if (take(p, &m->HTTPS_POST) && io_run_blocking(r->role->engine, post, p) == OK)
            return;
        arena_release(&p->arena);
    }
    free(p);
    ipc_answer_failure(from, m->call,
                       m->HTTPS_POST.addresses.len ? "too much is under way"
                                                   : "the server has no address");
}
