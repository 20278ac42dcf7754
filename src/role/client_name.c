#include "role/client_name.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "mime/address.h"

enum { TYPE_A = 1, TYPE_PTR = 12, TYPE_AAAA = 28, REVERSE_MAX = 80 };

struct search {
    struct role *role;
    client_name_fn *fn;
    void *arg;
    char ip[46];
    struct client_name found;
};

static void finish(struct search *s, enum policy_name_status name, enum policy_name_status reverse)
{
    s->found.name_status = name;
    s->found.reverse_status = reverse;
    s->fn(s->arg, &s->found, true);
    free(s);
}

static enum policy_name_status missing(const struct ipc_message *m)
{
    bool told = m->type == IPC_RESOLVE_RESULT && m->RESOLVE_RESULT.code != 2;
    return told ? POLICY_NAME_NONE : POLICY_NAME_TEMPORARY;
}

static void ask(struct search *s, const char *name, uint32_t type, ipc_answer_fn *fn)
{
    struct ipc_message m = {.type = IPC_RESOLVE, .RESOLVE = {slice_cstr(name), type}};
    ipc_request(s->role->peers[ROLE_RELAY], &m, fn, s);
}

static bool is_found(const struct ipc_message *m)
{
    return m->type == IPC_RESOLVE_RESULT && m->RESOLVE_RESULT.code == 0 &&
           m->RESOLVE_RESULT.answers.n > 0;
}

/* The name's addresses: is the client's among them? */
static void take_addresses(void *arg, struct ipc_message *m)
{
    struct search *s = arg;
    enum policy_name_status status = is_found(m) ? POLICY_NAME_FORGED : missing(m);
    for (size_t i = 0; is_found(m) && i < m->RESOLVE_RESULT.answers.n; i++)
        if (slice_eq_nocase(m->RESOLVE_RESULT.answers.items[i], slice_cstr(s->ip)))
            status = POLICY_NAME_OK;
    finish(s, status, POLICY_NAME_OK);
}

static void take_name(void *arg, struct ipc_message *m)
{
    struct search *s = arg;
    struct slice name = is_found(m) ? m->RESOLVE_RESULT.answers.items[0] : SLICE("");
    if (!is_found(m)) {
        enum policy_name_status status = missing(m);
        finish(s, status, status);
    } else if (name.len > CLIENT_NAME_MAX || !domain_valid(name, false)) {
        finish(s, POLICY_NAME_NONE, POLICY_NAME_NONE);
    } else {
        snprintf(s->found.reverse, sizeof s->found.reverse, "%.*s", SLICE_ARG(name));
        s->found.name_status = POLICY_NAME_TEMPORARY;
        s->found.reverse_status = POLICY_NAME_OK;
        s->fn(s->arg, &s->found, false);
        ask(s, s->found.reverse, strchr(s->ip, ':') ? TYPE_AAAA : TYPE_A, take_addresses);
    }
}

/* "1.2.0.192.in-addr.arpa" */
static bool reverse_name(const char *ip, char out[static REVERSE_MAX])
{
    unsigned char b[16];
    size_t n = 0;
    if (inet_pton(AF_INET, ip, b) == 1) {
        snprintf(out, REVERSE_MAX, "%u.%u.%u.%u.in-addr.arpa", b[3], b[2], b[1], b[0]);
        return true;
    }
    if (inet_pton(AF_INET6, ip, b) != 1)
        return false;
    for (int i = 15; i >= 0; i--)
        n += (size_t)snprintf(out + n, REVERSE_MAX - n, "%x.%x.", b[i] & 15, b[i] >> 4);
    snprintf(out + n, REVERSE_MAX - n, "ip6.arpa");
    return true;
}

void client_name_find(struct role *r, const char *ip, client_name_fn *fn, void *arg)
{
    char name[REVERSE_MAX];
    struct search *s = calloc(1, sizeof *s);
    if (!s) {
        struct client_name none = {.name_status = POLICY_NAME_TEMPORARY,
                                   .reverse_status = POLICY_NAME_TEMPORARY};
        fn(arg, &none, true);
        return;
    }
    *s = (struct search){.role = r, .fn = fn, .arg = arg};
    snprintf(s->ip, sizeof s->ip, "%s", ip);
    if (reverse_name(s->ip, name))
        ask(s, name, TYPE_PTR, take_name);
    else
        finish(s, POLICY_NAME_NONE, POLICY_NAME_NONE);
}
