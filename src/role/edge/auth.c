/* auth.c: SASL exchanges of a connection with the auth role, whatever protocol they come by. */
#include <stdio.h>
#include <stdlib.h>

#include "role/edge/conn.h"

static char *dup_cstr(struct slice s)
{
    return strndup(s.len ? s.data : "", s.len);
}

bool conn_set_login(struct conn *c, const struct ipc_AUTH_RESULT *a)
{
    free(c->account);
    free(c->login_name);
    free((char *)c->grant.data);
    char *grant = malloc(a->grant.len + 1);
    c->account = dup_cstr(a->account);
    c->login_name = dup_cstr(a->login);
    if (grant && a->grant.len)
        memcpy(grant, a->grant.data, a->grant.len);
    c->grant = slice_of(grant, grant ? a->grant.len : 0);
    return c->account && c->login_name && grant;
}

/* Channel bindings by enum sasl_binding. */
static struct slice_list bindings_of(const struct conn *c, struct slice items[SASL_BINDINGS],
                                     unsigned char bytes[SASL_BINDINGS][TLS_BINDING_MAX])
{
    static const enum tls_binding kinds[SASL_BINDINGS] = {
        [SASL_TLS_EXPORTER] = TLS_BINDING_EXPORTER,
        [SASL_TLS_UNIQUE] = TLS_BINDING_UNIQUE,
        [SASL_TLS_SERVER_END_POINT] = TLS_BINDING_SERVER_END_POINT};
    for (size_t i = 0; c->stream.tls && i < SASL_BINDINGS; i++)
        items[i] = slice_of(bytes[i], tls_binding(c->stream.tls, kinds[i], bytes[i]));
    return (struct slice_list){items, c->stream.tls ? SASL_BINDINGS : 0};
}

void conn_auth_start_as(struct conn *c, const struct ipc_AUTH_START *s)
{
    struct ipc_message m = {.type = IPC_AUTH_START, .AUTH_START = *s};
    conn_request(c, ROLE_AUTH, &m);
}

void conn_auth_start(struct conn *c, const char *service, struct slice mechanism, bool has_initial,
                     struct slice initial)
{
    struct slice items[SASL_BINDINGS];
    unsigned char bytes[SASL_BINDINGS][TLS_BINDING_MAX];
    struct ipc_AUTH_START s = {
        .conn = c->id,
        .service = slice_cstr(service),
        .client_ip = slice_cstr(c->ip),
        .listener = slice_cstr(c->label),
        .link = (uint8_t)conn_link(c),
        .bindings = bindings_of(c, items, bytes),
        .identity = slice_cstr(c->identity),
        .mechanism = mechanism,
        .has_initial = has_initial,
        .initial = initial,
    };
    snprintf(c->sasl_method, sizeof c->sasl_method, "%.*s", SLICE_ARG(mechanism));
    c->auth_known = true;
    conn_auth_start_as(c, &s);
}

void conn_auth_step_as(struct conn *c, uint64_t id, struct slice response)
{
    struct ipc_message m = {.type = IPC_AUTH_STEP};
    m.AUTH_STEP = (struct ipc_AUTH_STEP){.conn = id, .response = response};
    conn_request(c, ROLE_AUTH, &m);
}

void conn_auth_step(struct conn *c, struct slice response)
{
    conn_auth_step_as(c, c->id, response);
}

void conn_auth_cancel_as(struct conn *c, uint64_t id, bool forget)
{
    struct ipc_message m = {.type = IPC_AUTH_CANCEL};
    m.AUTH_CANCEL = (struct ipc_AUTH_CANCEL){.conn = id, .forget = forget};
    if (ipc_send(c->edge->role->peers[ROLE_AUTH], &m) != OK)
        LOG(LOG_DEBUG, "auth.cancel.dropped", LOG_CTX(conn_ctx(c)));
}

void conn_auth_cancel(struct conn *c, bool forget)
{
    conn_auth_cancel_as(c, c->id, forget);
    c->auth_known = !forget;
}

void conn_log_auth(struct conn *c, const struct conn_answer *a)
{
    bool answered = a->type == IPC_AUTH_RESULT;
    bool ok = answered && a->auth.outcome == AUTH_OK;
    atomic_fetch_add(ok ? &c->edge->count.auth_ok : &c->edge->count.auth_failed, 1);
    /* What auth decides it logs itself, with the same conn and the reason. */
    if (!answered)
        LOG(LOG_ERROR, "auth.no_answer", LOG_CTX(conn_ctx(c)), LOG_C("service", c->protocol->name));
}
