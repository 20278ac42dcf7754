/* chain.c: the passdbs in their order: the first that has the password right decides; one that
 * denies ends it. doc.dovecot.org: "passdb". */
#include "role/auth/check.h"

#include "auth/password.h"

enum { ARENA_LIMIT = 16384 };

/* What became of asking one database. */
enum step { NEXT, WAITING, DECIDED };

const struct auth_database *chain_database(const struct check *k)
{
    const struct auth_databases *all = directory_passdbs(k->directory);
    return k->at < all->n ? &all->items[k->at] : NULL;
}

static bool take_account(struct check *k, struct slice name)
{
    if (name.data && sasl_copy(k->account, sizeof k->account, name))
        return true;
    k->account[0] = '\0';
    return false;
}

static void remember(struct check *k, const char *reason)
{
    (void)error_set(&k->reason, DENIED, "%s", reason);
}

static enum step right(struct check *k)
{
    check_verdict(k, OK, "");
    return DECIDED;
}

static enum step ask_file(struct check *k, const struct auth_database *db)
{
    const struct passwd_user *u = directory_passdb_find(k->directory, db, slice_cstr(k->name));
    if (!u)
        return NEXT;
    k->user = u;
    if (!take_account(k, u->name))
        return NEXT;
    if (db->deny) {
        check_verdict(k, DENIED, "a passdb that denies has the name");
        return DECIDED;
    }
    if (passwd_user_extra(u, "nopassword").data || check_cached(k))
        return right(k);
    if (u->password.len == 0) {
        remember(k, "the account has no password");
        return NEXT;
    }
    check_stand_in_line(k);
    return WAITING;
}

/* What a database says beside the password: another name for the account, and fields that forbid.
 */
static void take_fields(struct check *k, struct slice fields)
{
    struct slice user = auth_field(fields, "user");
    if (user.data && passwd_name_check(user, NULL) == OK)
        (void)take_account(k, user);
    if (!sasl_copy(k->fields, sizeof k->fields, fields))
        k->fields[0] = '\0';
}

static void take_agent_answer(void *arg, struct ipc_message *m)
{
    struct check *k = arg;
    bool answer = m->type == IPC_PASSWORD_RESULT;
    unsigned code = answer ? m->PASSWORD_RESULT.code : 2;
    struct slice why = answer ? m->PASSWORD_RESULT.reason : m->FAILURE.text;
    const struct auth_database *db = chain_database(k);
    bool server = db->driver == DRIVER_SQL || db->driver == DRIVER_LDAP;
    if (code == 0 && server)
        take_fields(k, why);
    else if (code != 0)
        (void)error_set(&k->reason, DENIED, "%s: %.*s", strcmp(k->via, "pam") == 0 ? "PAM" : k->via,
                        SLICE_ARG(why));
    chain_answer(k, code == 0 ? OK : code == 1 ? DENIED : FAILED);
}

/* PAM's service may be the protocol's name: Dovecot's "*" and %s. */
static struct slice pam_service(const struct check *k, const struct auth_database *db)
{
    if (slice_is(db->service, "*") || slice_is(db->service, "%s") ||
        slice_is(db->service, "%{service}") || slice_is(db->service, "%{protocol}"))
        return slice_cstr(k->service);
    return db->service;
}

static void request(struct check *k, const struct auth_database *db, struct slice user)
{
    const struct conf *c = directory_conf(k->directory);
    struct ipc_message m = {.type = IPC_PASSWORD_CHECK,
                            .PASSWORD_CHECK = {.driver = slice_cstr(auth_driver_name(db->driver)),
                                               .pam_service = pam_service(k, db),
                                               .user = user,
                                               .password = slice_cstr(k->password),
                                               .client_ip = slice_cstr(k->client_ip),
                                               .service = slice_cstr(k->service),
                                               .first_uid = (uint64_t)c->first_valid_uid,
                                               .last_uid = (uint64_t)c->last_valid_uid,
                                               .item = db->index}};
    ipc_request(k->auth->role->peers[ROLE_AGENT], &m, take_agent_answer, k);
}

static enum step ask_agent(struct check *k, const struct auth_database *db)
{
    struct arena arena;
    k->elsewhere = true;
    arena_init(&arena, ARENA_LIMIT);
    struct slice name = directory_system_login(k->directory, slice_cstr(k->name), &arena);
    bool taken = take_account(k, name);
    arena_release(&arena);
    if (!taken)
        return NEXT;
    if (check_cached(k))
        return right(k);
    request(k, db, slice_cstr(k->account));
    return WAITING;
}
/* One password for all names, or none at all. */
static enum step ask_static(struct check *k, const struct auth_database *db)
{
    struct buf stored;
    if (!take_account(k, slice_cstr(k->name)))
        return NEXT;
    if (auth_field(db->fields, "nopassword").data)
        return right(k);
    if (!db->password.len)
        return NEXT;
    buf_init(&stored, 2 * PASSWORD_STORED_MAX);
    if (!db->scheme.len && db->password.data[0] != '{')
        buf_puts(&stored, "{PLAIN}");
    auth_database_stored(db, db->password, &stored);
    enum result r = password_verify(buf_slice(&stored), slice_cstr(k->password), &k->reason);
    buf_release(&stored);
    if (r == OK)
        return right(k);
    remember(k, "wrong password");
    return NEXT;
}

/* SQL and LDAP: agent verifies, since it alone may reach them. */
static enum step ask_server(struct check *k, const struct auth_database *db)
{
    k->elsewhere = true;
    if (!take_account(k, slice_cstr(k->name)))
        return NEXT;
    if (check_cached(k))
        return right(k);
    request(k, db, slice_cstr(k->name));
    return WAITING;
}

static enum step ask(struct check *k, const struct auth_database *db)
{
    k->user = NULL;
    k->via = db->name;
    k->fields[0] = '\0';
    switch (db->driver) {
    case DRIVER_PASSWD_FILE:
        return ask_file(k, db);
    case DRIVER_PAM:
    case DRIVER_PASSWD:
    case DRIVER_SHADOW:
    case DRIVER_SASLAUTHD:
    case DRIVER_DOVECOT:
        return ask_agent(k, db);
    case DRIVER_STATIC:
        return ask_static(k, db);
    case DRIVER_SQL:
    case DRIVER_LDAP:
        return ask_server(k, db);
    case DRIVER_PREFETCH:
        break;
    }
    return NEXT;
}

bool chain_find(struct check *k)
{
    const struct auth_database *db = NULL;
    const struct passwd_user *u = directory_find_login(k->directory, slice_cstr(k->login), &db);
    if (!u || db->deny || !take_account(k, u->name))
        return false;
    k->user = u;
    k->at = (size_t)(db - directory_passdbs(k->directory)->items);
    return true;
}

/* Nobody has it. An unknown name costs a hash, as a known one does. */
static void nobody(struct check *k)
{
    k->user = NULL;
    if (k->unavailable)
        check_verdict(k, FAILED, "a passdb could not be asked");
    else if (!k->hashed && !k->elsewhere)
        check_stand_in_line(k);
    else
        check_verdict(k, DENIED, "unknown user");
}

void chain_run(struct check *k)
{
    const struct auth_database *db;
    while ((db = chain_database(k))) {
        if (ask(k, db) != NEXT)
            return;
        k->at++;
    }
    nobody(k);
}

/* users_file has the last word on its own accounts. */
static bool ends_here(const struct check *k, enum result r)
{
    const struct auth_database *db = chain_database(k);
    return r == OK || !db || (r == DENIED && db->final);
}

void chain_answer(struct check *k, enum result r)
{
    if (ends_here(k, r)) {
        check_verdict(k, r, r == OK ? "" : "wrong password");
        return;
    }
    k->unavailable = k->unavailable || r == FAILED;
    k->at++;
    chain_run(k);
}

/* Whose hash an unknown user's password is verified against: by the login, so that the same login
 * always costs the same. NULL when the file has none. */
static const struct passwd_user *stand_in(const struct check *k, const struct passwd_file *f)
{
    size_t n = passwd_file_count(f);
    size_t from = n ? (size_t)(hash_bytes(slice_cstr(k->login)) % n) : 0;
    for (size_t i = 0; i < n && i < 100; i++) {
        const struct passwd_user *u = passwd_file_at(f, (from + i) % n);
        if (u->password.len)
            return u;
    }
    return NULL;
}

static void verify_in_vain(const struct check *k)
{
    const struct auth_databases *all = directory_passdbs(k->directory);
    const struct passwd_user *u = NULL;
    for (size_t i = 0; i < all->n && !u; i++)
        if (all->items[i].driver == DRIVER_PASSWD_FILE && !all->items[i].deny)
            u = stand_in(k, all->items[i].file);
    if (u)
        (void)!password_verify(u->password, slice_cstr(k->password), NULL);
}

void chain_verify(struct check *k)
{
    struct slice password = slice_cstr(k->password);
    const struct auth_database *db = chain_database(k);
    struct buf stored;
    k->hashed = true;
    if (!k->user || !db) {
        verify_in_vain(k);
        check_verdict(k, DENIED, "unknown user");
        return;
    }
    buf_init(&stored, 2 * PASSWORD_STORED_MAX);
    auth_database_stored(db, k->user->password, &stored);
    enum result r = password_verify(buf_slice(&stored), password, &k->reason);
    buf_release(&stored);
    if (r == DENIED)
        remember(k, "wrong password");
    /* INVALID: the file is at fault, and the reason stands in the log. */
    chain_answer(k, r == INVALID ? DENIED : r);
}

void chain_start(struct check *k)
{
    struct arena arena;
    struct slice name;
    arena_init(&arena, ARENA_LIMIT);
    k->via = "";
    k->at = 0;
    enum result r = auth_login_name(directory_conf(k->directory), slice_cstr(k->login), &arena,
                                    &name, &k->reason);
    bool fits = r == OK && sasl_copy(k->name, sizeof k->name, name);
    arena_release(&arena);
    if (fits) {
        chain_run(k);
        return;
    }
    k->at = directory_passdbs(k->directory)->n;
    nobody(k);
}
