#include "role/auth/policies.h"
#include "role/auth/tables.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SERVICES_MAX = 251, OWN_IPS_MAX = 256 };

struct service_policy {
    const struct conf *conf; /* of the service, as long as the whole lives */
    const struct policy *policy;
};

struct auth_policies {
    atomic_uint refs;
    const struct conf *conf;
    struct table_set *tables;
    struct service_policy services[SERVICES_MAX];
    size_t n_services;
};

static const struct table *find_table(void *arg, struct slice spec)
{
    struct auth_policies *ps = arg;
    return table_set_find(ps->tables, spec);
}

/* ---- policies ---- */

static bool add_service(struct auth_policies *ps, const struct conf *c, struct conf_errors *errors)
{
    struct policy_tables tables = {find_table, ps};
    const struct policy *p = NULL;
    for (size_t i = 0; i < ps->n_services; i++)
        if (ps->services[i].conf == c)
            return true;
    if (ps->n_services == SERVICES_MAX || policy_new(c, &tables, errors, &p) != OK)
        return false;
    ps->services[ps->n_services++] = (struct service_policy){c, p};
    return true;
}

static bool add_all(struct auth_policies *ps, struct conf_errors *errors)
{
    const struct conf *c = ps->conf;
    bool ok = add_service(ps, c, errors);
    for (size_t i = 0; i < c->listen.n; i++) {
        struct listen_url url;
        if (listen_parse(c->listen.items[i], &url) == OK)
            ok &= add_service(ps, conf_for_service(c, url.label), errors);
    }
    return ok;
}

static void free_policies(struct auth_policies *ps)
{
    for (size_t i = 0; i < ps->n_services; i++)
        policy_free(ps->services[i].policy);
    table_set_unref(ps->tables);
    conf_unref(ps->conf);
    free(ps);
}

static void log_errors(struct slice text)
{
    for (struct slice rest = text; rest.len;) {
        struct slice line = slice_split(&rest, '\n');
        if (line.len)
            LOG(LOG_ERROR, "policy.failed", LOG_S("text", line));
    }
}

void auth_build_policies(struct auth_role *a)
{
    struct conf_errors errors;
    struct auth_policies *ps = calloc(1, sizeof *ps), *old = NULL;
    if (!ps) {
        LOG(LOG_ERROR, "policy.failed", LOG_C("text", "no memory; the old ones stay in force"));
        return;
    }
    conf_errors_init(&errors);
    atomic_init(&ps->refs, 1);
    ps->conf = role_conf(a->role);
    ps->tables = table_set_ref(a->tables);
    if (add_all(ps, &errors)) {
        pthread_mutex_lock(&a->lock);
        old = a->policies;
        a->policies = ps;
        pthread_mutex_unlock(&a->lock);
        auth_policies_unref(old);
    } else {
        log_errors(buf_slice(&errors.text));
        free_policies(ps);
    }
    conf_errors_release(&errors);
}

struct auth_policies *auth_policies_get(struct auth_role *a)
{
    pthread_mutex_lock(&a->lock);
    struct auth_policies *ps = a->policies;
    if (ps)
        atomic_fetch_add(&ps->refs, 1);
    pthread_mutex_unlock(&a->lock);
    return ps;
}

void auth_policies_unref(struct auth_policies *ps)
{
    if (ps && atomic_fetch_sub(&ps->refs, 1) == 1)
        free_policies(ps);
}

const struct policy *auth_policy_for(const struct auth_policies *ps, struct slice label)
{
    const struct conf *c = conf_for_service(ps->conf, label);
    for (size_t i = 0; i < ps->n_services; i++)
        if (ps->services[i].conf == c)
            return ps->services[i].policy;
    return ps->services[0].policy;
}

/* ---- addresses of this host ---- */

static char own_texts[OWN_IPS_MAX][INET6_ADDRSTRLEN];
static struct slice own_items[OWN_IPS_MAX];
static struct slice_list own_ips = {own_items, 0};

static void add_own(const struct sockaddr *sa)
{
    char *text = own_texts[own_ips.n];
    const void *address = NULL;
    if (sa->sa_family == AF_INET)
        address = &((const struct sockaddr_in *)(const void *)sa)->sin_addr;
    else if (sa->sa_family == AF_INET6)
        address = &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr;
    if (address && inet_ntop(sa->sa_family, address, text, INET6_ADDRSTRLEN))
        own_items[own_ips.n++] = slice_cstr(text);
}

void auth_find_own_ips(void)
{
    struct ifaddrs *all = NULL;
    if (getifaddrs(&all) != 0)
        return;
    own_ips.n = 0;
    for (struct ifaddrs *i = all; i && own_ips.n < OWN_IPS_MAX; i = i->ifa_next)
        if (i->ifa_addr)
            add_own(i->ifa_addr);
    freeifaddrs(all);
}

const struct slice_list *auth_own_ips(void)
{
    return &own_ips;
}
