/* hash.c: a system account's own hash and number, from passwd and shadow by the name services. Runs
 * in a child. */
#include "auth/password.h"
#include "role/agent/agent.h"

#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <time.h>

enum { RIGHT = 0, WRONG = 1, UNASKED = 2 };

/* shadow(5): days since 1970; the account ends with its day, the password after `max` days and the
 * grace of `inact`. */
static bool expired(const struct spwd *sp)
{
    long today = (long)(time(NULL) / 86400);
    bool old = sp->sp_max >= 0 && sp->sp_inact >= 0 && sp->sp_lstchg > 0 &&
               today > sp->sp_lstchg + sp->sp_max + sp->sp_inact;
    return (sp->sp_expire > 0 && today >= sp->sp_expire) || old;
}

static const char *shadow_hash(const char *user, struct buf *reason)
{
    const struct spwd *sp = getspnam(user);
    if (!sp)
        buf_puts(reason, "unknown user");
    else if (expired(sp))
        buf_puts(reason, "the account has expired");
    return sp && !expired(sp) ? sp->sp_pwdp : NULL;
}

static const char *passwd_hash(const char *user, struct buf *reason)
{
    const struct passwd *pw = getpwnam(user);
    if (!pw)
        buf_puts(reason, "unknown user");
    return pw ? pw->pw_passwd : NULL;
}

int agent_hash_check(bool shadow, const char *user, const char *password, struct buf *reason)
{
    struct error why = {""};
    const char *hash = shadow ? shadow_hash(user, reason) : passwd_hash(user, reason);
    if (!hash)
        return WRONG;
    /* "x", "*" and "!" stand where there is no hash; the empty one is nobody's password. */
    if (strlen(hash) < 3) {
        buf_puts(reason, "the account has no password here");
        return WRONG;
    }
    enum result r = password_verify(slice_cstr(hash), slice_cstr(password), &why);
    if (r != OK)
        buf_puts(reason, r == DENIED ? "wrong password" : why.text);
    return r == OK ? RIGHT : r == FAILED ? UNASKED : WRONG;
}

int agent_uid_check(const char *user, uint64_t first, uint64_t last, struct buf *reason)
{
    const struct passwd *pw = getpwnam(user);
    if (!pw) {
        buf_puts(reason, "no system account of that name");
        return WRONG;
    }
    if (pw->pw_uid >= first && (last == 0 || pw->pw_uid <= last))
        return RIGHT;
    buf_printf(reason, "user number %u is not between first_valid_uid and last_valid_uid",
               (unsigned)pw->pw_uid);
    return WRONG;
}
