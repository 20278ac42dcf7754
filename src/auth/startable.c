#include "auth/startable.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "auth/server.h"
#include "conf/source.h"
#include "os/users.h"
#include "table/table.h"

/* ---- users ---- */

static void look_at_user(const struct conf *c, const char *setting, struct slice name,
                         struct conf_errors *errors)
{
    struct os_user user;
    struct error err = {""};
    if (user_find(name, &user, &err) != OK)
        conf_error(errors, conf_source(c, setting), 0, "%s: %s", setting, err.text);
}

/* Of ordinary users the server becomes no other. */
static void look_at_users(const struct conf *c, struct conf_errors *errors)
{
    if (!user_is_root())
        return;
    look_at_user(c, "auth_user", c->auth_user, errors);
    look_at_user(c, "edge_user", c->edge_user, errors);
    look_at_user(c, "mailbox_user", c->mailbox_user, errors);
    look_at_user(c, "relay_user", c->relay_user, errors);
}

/* ---- tables ---- */

struct looking {
    const struct conf *conf;
    struct conf_errors *errors;
    const struct conf_table_place *at;
};

static void take_file(void *arg, struct slice path)
{
    (void)arg, (void)path; /* one that is missing may come later */
}

static bool is_others_alone(struct slice table)
{
    size_t at = slice_find(table, ':');
    const char *path = at == SIZE_MAX ? "" : table.data + at + 1;
    return path[0] == '/' && !user_is_root() && access(path, R_OK) != 0 && errno == EACCES;
}

static void tell_server(const struct looking *l, const char *table, const char *why)
{
    bool named = strncmp(why, table, strlen(table)) == 0;
    conf_error(l->errors, l->at->source, 0, "%s: %s%s%s", l->at->name, named ? "" : table,
               named ? "" : ": ", why);
}

/* Its parameters: agent reads them with each question, as root. */
static void look_at_server(void *arg, struct slice table)
{
    const struct looking *l = arg;
    char name[4096];
    struct error err = {""};
    if (table.len >= sizeof name)
        return;
    memcpy(name, table.data, table.len);
    name[table.len] = 0;
    if (is_others_alone(slice_cstr(name)))
        conf_note(l->errors, l->at->source, 0, "%s: %s can't be looked at by you", l->at->name,
                  name);
    else if (server_check(slice_cstr(name), l->conf->postfix_config, &err) != OK)
        tell_server(l, name, err.text);
}

/* aliases(5) have a form of their own, which is read from files alone. */
static bool is_alias_file(struct slice spec)
{
    static const char *const types[] = {"hash:", "btree:", "lmdb:", "cdb:", "dbm:", "texthash:"};
    while (slice_starts(spec, SLICE("proxy:")))
        spec = slice_from(spec, 6);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_starts(spec, slice_cstr(types[i])))
            return true;
    return slice_starts(spec, SLICE("/"));
}

static void look_at_table(void *arg, const struct conf_table_place *p)
{
    struct looking *l = arg;
    struct error err = {""};
    l->at = p;
    if (table_files(p->spec, take_file, NULL, &err) != OK ||
        table_servers(p->spec, look_at_server, l, &err) != OK)
        conf_error(l->errors, p->source, 0, "%s: %s", p->name, err.text);
    else if (strcmp(p->setting, "alias_maps") == 0 && !is_alias_file(p->spec))
        conf_error(l->errors, p->source, 0,
                   "alias_maps: %.*s: aliases are read from text files alone (hash:/etc/aliases): "
                   "write them into one, or into virtual_alias_maps",
                   SLICE_ARG(p->spec));
}

enum result auth_startable(const struct conf *c, struct conf_errors *errors)
{
    struct looking l = {.conf = c, .errors = errors};
    unsigned before = errors->count;
    look_at_users(c, errors);
    conf_table_places(c, look_at_table, &l);
    return errors->count == before ? OK : INVALID;
}
