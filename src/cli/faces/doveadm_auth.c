/* doveadm_auth.c: doveadm auth test, auth login. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/faces/doveadm.h"

struct auth_info {
    const char *service, *client_ip;
};

static void take_info(struct auth_info *i, const char *word)
{
    if (strncmp(word, "service=", 8) == 0)
        i->service = word + 8;
    else if (strncmp(word, "rip=", 4) == 0)
        i->client_ip = word + 4;
}

static void put_login(struct doveadm *d, const char *name)
{
    struct buf fields;
    buf_init(&fields, 64 * 1024);
    printf("userdb extra fields:\n  %s\n", name);
    if (doveadm_find_user(d, slice_cstr(name), &fields) == OK)
        for (struct slice rest = buf_slice(&fields); rest.len;) {
            struct slice value = slice_split(&rest, '\n'), key = slice_split(&value, '\t');
            if (key.len)
                printf("  %.*s=%.*s\n", SLICE_ARG(key), SLICE_ARG(value));
        }
    puts("  auth_mech=PLAIN");
    buf_release(&fields);
}

int doveadm_auth(struct doveadm *d, char **words, int n)
{
    struct auth_info info = {"doveadm", ""};
    struct buf out;
    const char *verb = n > 1 ? words[1] : "";
    int option;
    bool login = strcmp(verb, "login") == 0;
    if (!login && strcmp(verb, "test") != 0) {
        fputs("doveadm auth test|login [-x <auth info>] <user> [<password>]\n", stderr);
        return EX_USAGE;
    }
    while ((option = getopt(n - 1, words + 1, "a:A:M:x:")) != -1) {
        if (option == 'x')
            take_info(&info, optarg);
        else if (option == '?')
            return EX_USAGE;
    }
    const char *user = words[1 + optind];
    if (1 + optind >= n)
        return EX_USAGE;
    const char *password = 2 + optind < n ? words[2 + optind] : getpass("Password: ");
    const char *question[] = {"auth", info.service, info.client_ip, user, password ? password : ""};
    int status = doveadm_ask(d, question, 5, &out);
    bool right = status == 0 && slice_starts(buf_slice(&out), SLICE("right\t"));
    if (status == 0) {
        printf("passdb: %s auth %s\nextra fields:\n  user=%s\n", user,
               right ? "succeeded" : "failed", user);
        if (right && login)
            put_login(d, user);
    }
    buf_release(&out);
    return status ? status : right ? 0 : EX_NOPERM;
}
