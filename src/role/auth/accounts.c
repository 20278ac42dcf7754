/* accounts.c: the files of accounts and aliases, from the master's bytes to the snapshot. */
#include "role/auth/auth.h"
#include "role/auth/policies.h"
#include "role/auth/tables.h"

#include <stdio.h>
#include <stdlib.h>

const struct directory *auth_directory(struct auth_role *a)
{
    pthread_mutex_lock(&a->lock);
    const struct directory *d = directory_ref(a->directory);
    pthread_mutex_unlock(&a->lock);
    return d;
}

static void free_secret(struct role_secret *s)
{
    if (s->bytes.data) {
        explicit_bzero((char *)s->bytes.data, s->bytes.len);
        free((char *)s->bytes.data);
    }
    free((char *)s->setting.data);
    free((char *)s->path.data);
}

void auth_drop_secrets(struct auth_role *a)
{
    for (size_t i = 0; i < a->n_secrets; i++)
        free_secret(&a->secrets[i]);
    free(a->secrets);
    a->secrets = NULL;
    a->n_secrets = 0;
}

enum result auth_keep_secrets(struct auth_role *a, const struct role_secret *s, size_t n)
{
    auth_drop_secrets(a);
    a->secrets = calloc(n ? n : 1, sizeof *a->secrets);
    if (!a->secrets)
        return FAILED;
    for (a->n_secrets = 0; a->n_secrets < n; a->n_secrets++) {
        struct role_secret *to = &a->secrets[a->n_secrets];
        const struct role_secret *from = &s[a->n_secrets];
        if (!slice_copy(from->setting, &to->setting) || !slice_copy(from->path, &to->path) ||
            !slice_copy(from->bytes, &to->bytes)) {
            free_secret(to);
            return FAILED;
        }
        to->owner = from->owner;
        to->there = from->there;
    }
    return OK;
}

static void report(void *arg, struct slice file, unsigned line, const char *reason)
{
    char where[300];
    (void)arg;
    if (line)
        snprintf(where, sizeof where, "%.*s:%u", SLICE_ARG(file), line);
    else
        snprintf(where, sizeof where, "%.*s", SLICE_ARG(file));
    LOG(LOG_WARNING, "accounts.skipped", LOG_C("where", where), LOG_C("reason", reason));
}

static const struct table *find_table(void *arg, struct slice spec)
{
    return table_set_find(arg, spec);
}

static void release_tables(void *arg)
{
    table_set_unref(arg);
}

/* Takes the secrets apart. `aliases` and `databases` have room for all. */
static struct directory_source source_of(const struct auth_role *a, const struct conf *c,
                                         struct directory_file *aliases,
                                         struct directory_file *databases)
{
    struct directory_source s = {.conf = c,
                                 .aliases = aliases,
                                 .databases = databases,
                                 .tables = {find_table, a->tables},
                                 .release = release_tables,
                                 .release_arg = table_set_ref(a->tables)};
    for (size_t i = 0; i < a->n_secrets; i++) {
        const struct role_secret *secret = &a->secrets[i];
        struct directory_file f = {secret->path, secret->bytes, secret->owner};
        if (slice_is(secret->setting, "users_file"))
            s.users = f;
        else if (slice_starts(secret->setting, SLICE("alias_maps")))
            aliases[s.n_aliases++] = f;
        else if (slice_is(secret->setting, "passdb"))
            databases[s.n_databases++] = f;
    }
    return s;
}

/* Keys that can't be used are told, and left out. */
static enum result read_token_keys(const struct auth_role *a, struct jwt_keys **ret)
{
    struct jwt_keys *keys = NULL;
    if (jwt_keys_new(&keys) != OK)
        return FAILED;
    for (size_t i = 0; i < a->n_secrets; i++) {
        const struct role_secret *s = &a->secrets[i];
        struct error err = {""};
        bool secret = slice_is(s->setting, "oauth2_secret");
        if (!secret && !slice_is(s->setting, "oauth2_keys"))
            continue;
        if (jwt_keys_add(keys, s->bytes, secret, &err) != OK)
            report(NULL, s->path, 0, err.text);
    }
    *ret = keys;
    return OK;
}

enum result auth_build_directory(struct auth_role *a)
{
    struct jwt_keys *keys = NULL, *old_keys;
    const struct directory *fresh = NULL, *old;
    struct directory_file *aliases = calloc(2 * (a->n_secrets + 1), sizeof *aliases);
    if (!aliases)
        return FAILED;
    const struct conf *c = role_conf(a->role);
    struct directory_source s = source_of(a, c, aliases, aliases + a->n_secrets + 1);
    s.addresses = *auth_own_ips();
    enum result r = read_token_keys(a, &keys);
    if (r == OK)
        r = directory_new(&s, report, NULL, &fresh);
    conf_unref(c);
    free(aliases);
    if (r != OK) {
        jwt_keys_unref(keys);
        release_tables(s.release_arg);
        return r;
    }
    pthread_mutex_lock(&a->lock);
    old = a->directory;
    old_keys = a->token_keys;
    a->directory = fresh;
    a->token_keys = keys;
    pthread_mutex_unlock(&a->lock);
    jwt_keys_unref(old_keys);
    directory_unref(old);
    LOG(LOG_INFO, "accounts.loaded", LOG_U("accounts", passwd_file_count(directory_users(fresh))),
        LOG_U("aliases", directory_alias_count(fresh)));
    return OK;
}
