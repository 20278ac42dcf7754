/* doveadm_pw.c: doveadm pw: makes and tests stored passwords. */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "auth/password.h"
#include "auth/password_make.h"
#include "cli/faces/doveadm.h"

struct options {
    const char *scheme, *password, *hash;
    unsigned rounds;
    bool list, verify;
};

static int list_schemes(void)
{
    for (size_t i = 0; password_scheme_name(i); i++)
        printf("%s ", password_scheme_name(i));
    putchar('\n');
    return 0;
}

static int test_hash(const struct options *o, struct slice password)
{
    struct error err = {""};
    if (o->hash[0] != '{')
        return doveadm_fatal(EX_TEMPFAIL, "Missing {scheme} prefix from hash");
    enum result r = password_verify(slice_cstr(o->hash), password, &err);
    if (r != OK)
        return doveadm_fatal(EX_TEMPFAIL, "reverse password verification check failed: %s",
                             r == DENIED ? "Password mismatch" : err.text);
    printf("%s (verified)\n", o->hash);
    return 0;
}

static int make_hash(const struct options *o, struct slice password)
{
    struct error err = {""};
    struct buf out;
    buf_init(&out, PASSWORD_STORED_MAX);
    enum result r =
        password_make(slice_cstr(o->scheme ? o->scheme : "CRYPT"), password, o->rounds, &out, &err);
    if (r == OK && o->verify)
        r = password_verify(buf_slice(&out), password, &err);
    int status = 0;
    if (r == OK)
        printf("%.*s%s\n", SLICE_ARG(buf_slice(&out)), o->verify ? " (verified)" : "");
    else
        status = doveadm_fatal(EX_TEMPFAIL, "%s", err.text);
    buf_release(&out);
    return status;
}

static bool ask_twice(struct slice *ret)
{
    static char first[PASSWORD_MAX + 2];
    const char *typed = getpass("Enter new password: ");
    if (!typed)
        return false;
    snprintf(first, sizeof first, "%s", typed);
    typed = getpass("Retype new password: ");
    *ret = slice_cstr(first);
    return typed && strcmp(first, typed) == 0;
}

int doveadm_pw(struct doveadm *d, char **words, int n)
{
    struct options o = {0};
    int option;
    (void)d;
    while ((option = getopt(n, words, "lp:r:s:t:u:V")) != -1) {
        switch (option) {
        case 'l':
            o.list = true;
            break;
        case 'p':
            o.password = optarg;
            break;
        case 'r':
            o.rounds = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 's':
            o.scheme = optarg;
            break;
        case 't':
            o.hash = optarg;
            break;
        case 'V':
            o.verify = true;
            break;
        case 'u':
            break; /* of schemes that hash the name too, which are not made */
        default:
            return EX_USAGE;
        }
    }
    if (o.list)
        return list_schemes();
    struct slice password = slice_cstr(o.password);
    if (!o.password && !ask_twice(&password))
        return doveadm_fatal(EX_TEMPFAIL, "Passwords don't match!");
    return o.hash ? test_hash(&o, password) : make_hash(&o, password);
}
