/* files.c: files that the master opens for roles that may not: accounts, aliases, certificate,
 * credentials. They are watched: a changed file is sent again, with its set, without a reload. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "auth/compiled.h"
#include "base/clock.h"
#include "base/log.h"
#include "conf/dkim.h"
#include "conf/fields.h"
#include "role/master/master.h"
#include "role/wiring.h"
#include "table/table.h"

/* Postfix's lookup tables name their type; the text file is what we read. */
static struct slice without_type(struct slice s)
{
    static const char *const types[] = {"hash:", "btree:", "lmdb:", "cdb:", "texthash:", "dbm:"};
    while (slice_starts(s, SLICE("proxy:")))
        s = slice_from(s, 6);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_starts(s, slice_cstr(types[i])))
            return slice_from(s, strlen(types[i]));
    return s;
}

static enum result add(struct master *m, size_t *n, enum ipc_role role, const char *setting,
                       struct slice path, struct error *err)
{
    struct slice file = without_type(path);
    if (file.len == 0)
        return OK;
    if (*n == FILES_MAX || file.len >= sizeof m->files[0].path)
        return error_set(err, LIMIT, "%s: too many files, or too long a path: %.*s", setting,
                         SLICE_ARG(file));
    struct watched_file *f = &m->files[(*n)++];
    *f = (struct watched_file){.role = role};
    snprintf(f->setting, sizeof f->setting, "%s", setting);
    snprintf(f->path, sizeof f->path, "%.*s", SLICE_ARG(file));
    return OK;
}

/* The passwd-files of passdb and userdb, each once. */
static enum result add_databases(struct master *m, size_t *n, struct slice_list items,
                                 struct error *err)
{
    enum result r = OK;
    for (size_t i = 0; i < items.n && r == OK; i++) {
        struct slice path = conf_field(items.items[i], "path");
        bool known = path.len == 0;
        for (size_t j = 0; j < *n && !known; j++)
            known = strcmp(m->files[j].setting, "passdb") == 0 && slice_is(path, m->files[j].path);
        if (!known)
            r = add(m, n, ROLE_AUTH, "passdb", path, err);
    }
    return r;
}

struct adding {
    struct master *master;
    size_t *n;
    enum ipc_role role;
    const char *setting;
    enum result r;
    struct error *err;
};

/* Their name tells edge that tables are not read from them. */
static void add_certificate(void *arg, struct slice path)
{
    struct adding *a = arg;
    for (size_t i = 0; i < *a->n; i++)
        if (strcmp(a->master->files[i].setting, a->setting) == 0 &&
            slice_is(path, a->master->files[i].path))
            return;
    if (a->r == OK)
        a->r = add(a->master, a->n, a->role, a->setting, path, a->err);
}

static enum result add_certificates(struct master *m, size_t *n, const struct conf *c,
                                    struct error *err)
{
    struct adding a = {m, n, ROLE_EDGE, "smtpd_tls_files", OK, err};
    certificate_files(c, add_certificate, &a);
    return a.r;
}

static enum result add_authorities(struct master *m, size_t *n, const struct conf *c,
                                   struct error *err)
{
    struct adding a = {m, n, ROLE_RELAY, SECRET_AUTHORITIES, OK, err};
    authority_files(c, add_certificate, &a);
    a.setting = SECRET_SYSTEM_AUTHORITIES;
    if (a.r == OK && (c->tls_append_default_CA || !slice_is_nocase(c->smtp_mta_sts, "no")))
        a.r = add(m, n, ROLE_RELAY, a.setting, slice_cstr(authorities_of_system()), err);
    if (a.r == OK && slice_is_nocase(c->smtp_dns_support_level, "dnssec"))
        a.r = add(m, n, ROLE_RELAY, "smtp_dnssec_trust_anchor_file",
                  c->smtp_dnssec_trust_anchor_file, err);
    return a.r;
}

/* ---- files of lookup tables ---- */

/* Which roles ask the tables of a setting. */
static const struct {
    const char *setting;
    enum ipc_role role;
} askers[] = {
    {"canonical_maps", ROLE_EDGE},           {"canonical_maps", ROLE_AUTH},
    {"sender_canonical_maps", ROLE_EDGE},    {"sender_canonical_maps", ROLE_AUTH},
    {"recipient_canonical_maps", ROLE_EDGE}, {"recipient_canonical_maps", ROLE_AUTH},
    {"smtp_reply_filter", ROLE_RELAY},
};

struct listing {
    struct master *m;
    size_t *n;
    enum ipc_role role;
    enum result result;
    struct error *err;
};

static void add_table_file(void *arg, struct slice path)
{
    struct listing *l = arg;
    for (size_t i = 0; i < *l->n; i++) {
        const struct watched_file *f = &l->m->files[i];
        if (f->role == l->role && strcmp(f->setting, "table") == 0 && slice_is(path, f->path))
            return;
    }
    if (l->result == OK)
        l->result = add(l->m, l->n, l->role, "table", path, l->err);
}

static void add_files_of(struct listing *l, enum ipc_role role, const char *setting,
                         struct slice spec)
{
    struct error why = {""};
    l->role = role;
    if (table_files(spec, add_table_file, l, &why) != OK && l->result == OK)
        l->result = error_set(l->err, INVALID, "%s: %s", setting, why.text);
}

/* edge runs them; auth looks again at a line that asks for another recipient. */
static bool is_content(const char *setting)
{
    return strcmp(setting, "header_checks") == 0 || strcmp(setting, "mime_header_checks") == 0 ||
           strcmp(setting, "nested_header_checks") == 0 || strcmp(setting, "body_checks") == 0;
}

static void add_table(void *arg, const char *setting, struct slice spec)
{
    struct listing *l = arg;
    bool known = false;
    for (size_t i = 0; i < sizeof askers / sizeof *askers; i++)
        if (strcmp(askers[i].setting, setting) == 0) {
            add_files_of(l, askers[i].role, setting, spec);
            known = true;
        }
    if (is_content(setting))
        add_files_of(l, ROLE_EDGE, setting, spec);
    if (!known)
        add_files_of(l, conf_table_is_outgoing(setting) ? ROLE_RELAY : ROLE_AUTH, setting, spec);
}

static enum result add_named_tables(struct master *m, size_t *n, const struct conf *c,
                                    struct error *err)
{
    struct listing l = {m, n, ROLE_AUTH, OK, err};
    conf_tables(c, add_table, &l);
    return l.result;
}

enum result files_list(struct master *m, const struct conf *c, struct error *err)
{
    size_t n = 0;
    enum result r = add(m, &n, ROLE_AUTH, "users_file", c->users_file, err);
    for (size_t i = 0; i < c->alias_maps.n && r == OK; i++)
        r = add(m, &n, ROLE_AUTH, "alias_maps", c->alias_maps.items[i], err);
    for (size_t i = 0; i < c->oauth2_keys.n && r == OK; i++) {
        struct slice path = c->oauth2_keys.items[i];
        bool secret = slice_starts(path, SLICE("hs256:"));
        r = add(m, &n, ROLE_AUTH, secret ? "oauth2_secret" : "oauth2_keys",
                slice_from(path, secret ? 6 : 0), err);
    }
    for (size_t i = 0; i < c->dkim_keys.n && r == OK; i++) {
        struct slice domain, selector, path;
        r = conf_dkim_key(c->dkim_keys.items[i], &domain, &selector, &path, err);
        if (r == OK)
            r = add(m, &n, ROLE_AUTH, "dkim_keys", path, err);
    }
    if (r == OK)
        r = add_databases(m, &n, c->passdb, err);
    if (r == OK)
        r = add_databases(m, &n, c->userdb, err);
    if (r == OK)
        r = add_named_tables(m, &n, c, err);
    if (r == OK)
        r = add_certificates(m, &n, c, err);
    if (r == OK)
        r = add_authorities(m, &n, c, err);
    m->n_files = n;
    return r;
}

/* smtpd_tls_CApath and its sisters are the only folders among them. */
static bool is_folder(const struct watched_file *f)
{
    return (strcmp(f->setting, "smtpd_tls_files") == 0 ||
            strcmp(f->setting, SECRET_AUTHORITIES) == 0) &&
           authorities_is_folder(f->path);
}

/* Certificates and the like have no databases. */
static bool may_be_compiled(const struct watched_file *f)
{
    return strcmp(f->setting, "table") == 0 || strcmp(f->setting, "alias_maps") == 0;
}

/* Of the text file; where there is none, of its database. */
static struct file_stamp stamp_of(const struct watched_file *f)
{
    char database[sizeof f->path + 8];
    struct file_stamp s = is_folder(f) ? authorities_stamp(f->path) : file_stamp(f->path);
    if (s.inode == 0 && may_be_compiled(f) &&
        compiled_path(f->path, database, sizeof database) == OK)
        s = file_stamp(database);
    return s;
}

/* -1: there is none, and errno says why. */
static int open_watched(const struct watched_file *f)
{
    char database[sizeof f->path + 8];
    struct error err = {""};
    if (is_folder(f))
        return authorities_open(f->path);
    int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 || errno != ENOENT || !may_be_compiled(f))
        return fd;
    enum result r = compiled_path(f->path, database, sizeof database);
    if (r == OK && compiled_open(database, &fd, &err) == OK)
        return fd;
    if (r != NOT_FOUND)
        LOG(LOG_ERROR, "file.database", LOG_C("path", f->path),
            LOG_C("why", r == OK ? err.text : "there is no text file, and more than one database"));
    errno = ENOENT;
    return -1;
}

/* A file that is not there is sent as empty: accounts may come later. */
static void send_one(struct master *m, struct watched_file *f, bool last)
{
    struct ipc_message msg = {.type = IPC_SECRET};
    msg.SECRET.setting = slice_cstr(f->setting);
    msg.SECRET.path = slice_cstr(f->path);
    msg.SECRET.last = last;
    f->stamp = stamp_of(f);
    int fd = open_watched(f);
    if (fd < 0)
        LOG(LOG_WARNING, "file.not_read", LOG_C("setting", f->setting), LOG_C("path", f->path),
            LOG_C("why", strerror(errno)),
            LOG_C("then", strcmp(f->setting, "table") == 0 ? "its table fails" : "taken as empty"));
    msg.n_fds = fd >= 0;
    msg.fds[0] = fd;
    if (child_send(m, f->role, &msg) != OK)
        LOG(LOG_ERROR, "file.not_sent", LOG_C("role", ipc_role_name(f->role)),
            LOG_C("path", f->path));
    fd_close(&fd);
}

void files_send(struct master *m, enum ipc_role role)
{
    struct watched_file *last = NULL;
    struct ipc_message none = {.type = IPC_SECRET};
    if (!role_gets_secrets(role))
        return;
    for (size_t i = 0; i < m->n_files; i++) {
        if (m->files[i].role != role)
            continue;
        if (last)
            send_one(m, last, false);
        last = &m->files[i];
    }
    none.SECRET.last = 1;
    if (last)
        send_one(m, last, true);
    else if (child_send(m, role, &none) != OK)
        LOG(LOG_ERROR, "file.not_sent", LOG_C("role", ipc_role_name(role)));
}

void files_watch(struct master *m)
{
    bool changed[ROLE_COUNT] = {false}, relist = false;
    struct error err = {""};
    for (size_t i = 0; i < m->n_files; i++) {
        struct watched_file *f = &m->files[i];
        if (file_stamp_eq(stamp_of(f), f->stamp))
            continue;
        changed[f->role] = true;
        relist = relist || certificate_table(m->conf, f->path);
        LOG(LOG_INFO, "file.changed", LOG_C("setting", f->setting), LOG_C("path", f->path));
    }
    /* It may name other files now. */
    if (relist && files_list(m, m->conf, &err) != OK)
        LOG(LOG_ERROR, "file.list", LOG_C("why", err.text));
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++)
        if (changed[r] && m->children[r].pid)
            files_send(m, r);
}
