/* lookup.c: questions to SQL databases and LDAP directories, in a child. */
#include <assert.h>

#include "auth/lookup.h"

#include "role/agent/agent.h"

enum { RIGHT = 0, WRONG = 1, UNASKED = 2, ARENA_LIMIT = 1 << 20 };
static_assert((int)LOOKUP_KNOWN_MAX <= (int)CHILD_OUTPUT_MAX / 2,
              "what an account's fields say fits");

static int code_of(enum result r, const struct error *err, struct slice fields, struct buf *reason)
{
    if (r == OK)
        buf_append(reason, fields);
    else if (err->text[0])
        buf_printf(reason, "%.*s", 200, err->text);
    else
        buf_puts(reason, r == NOT_FOUND ? "unknown user" : "wrong password");
    return r == OK ? RIGHT : r == NOT_FOUND || r == DENIED ? WRONG : UNASKED;
}

static enum result configure(struct slice item, bool of_userdb, struct arena *a,
                             struct lookup_config *ret, struct error *err)
{
    struct auth_database db;
    enum result r = auth_database_parse(item, &db, err);
    db.of_userdb = of_userdb;
    return r == OK ? lookup_configure(&db, a, ret, err) : r;
}

int agent_lookup_password(struct slice item, const struct format_names *names, struct buf *reason)
{
    struct arena a;
    struct lookup_config c;
    struct error err = {""};
    struct slice fields = SLICE("");
    arena_init(&a, ARENA_LIMIT);
    enum result r = configure(item, false, &a, &c, &err);
    r = r == OK ? lookup_password(&c, names, &a, &fields, &err) : FAILED;
    int code = code_of(r, &err, fields, reason);
    arena_release(&a);
    return code;
}

int agent_lookup_account(struct slice item, bool of_userdb, const struct format_names *names,
                         struct buf *reason)
{
    struct arena a;
    struct lookup_config c;
    struct error err = {""};
    struct slice fields = SLICE("");
    arena_init(&a, ARENA_LIMIT);
    enum result r = configure(item, of_userdb, &a, &c, &err);
    r = r == OK ? lookup_user(&c, names, !of_userdb, &a, &fields, &err) : FAILED;
    int code = code_of(r, &err, fields, reason);
    arena_release(&a);
    return code;
}
