/* user.c: user add | del | passwd | test | list: accounts in users_file. A running server takes a
 * changed file up by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "auth/passwd_file.h"
#include "auth/password.h"
#include "auth/password_make.h"
#include "base/json.h"
#include "cli/cli.h"

static bool take_line(char *line, size_t size)
{
    if (!fgets(line, (int)size, stdin))
        return false;
    line[strcspn(line, "\r\n")] = 0;
    return true;
}

/* Asks without echo where stdin is a terminal. */
static bool ask_hidden(const char *prompt, char *line, size_t size)
{
    struct termios before, silent;
    if (tcgetattr(STDIN_FILENO, &before) != 0)
        return false;
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    fprintf(stderr, "%s: ", prompt);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    bool got = take_line(line, size);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fputc('\n', stderr);
    return got;
}

static int read_password(bool from_stdin, bool twice, char *out, size_t size)
{
    char again[PASSWORD_MAX + 2] = "";
    bool got = from_stdin ? take_line(out, size) : ask_hidden("Password", out, size);
    if (!got)
        return cli_fail(1, "no password was read: type it, or use --password-stdin");
    if (!from_stdin && twice) {
        got = ask_hidden("Again", again, sizeof again) && strcmp(out, again) == 0;
        explicit_bzero(again, sizeof again);
        if (!got)
            return cli_fail(1, "the two passwords differ: nothing was changed");
    }
    if (out[0] == 0)
        return cli_fail(1, "the password is empty");
    return 0;
}

/* What a command is told beside the name. */
struct given {
    bool from_stdin;
    const char *scheme; /* NULL: our own */
};

/* Of the scheme that was asked for. */
static enum result make_stored(const struct given *g, struct slice password, struct buf *out,
                               struct error *err)
{
    if (!g->scheme)
        return password_hash(password, 0, out, err);
    enum result r = password_make(slice_cstr(g->scheme), password, 0, out, err);
    return r == NOT_FOUND ? INVALID : r;
}

static int store_password(const char *path, enum passwd_mode mode, const char *name,
                          const char *password, const struct given *g)
{
    struct buf hash, scram;
    struct error err = {""};
    buf_init(&hash, PASSWORD_STORED_MAX);
    buf_init(&scram, PASSWORD_STORED_MAX);
    struct slice given = slice_cstr(password);
    enum result r = make_stored(g, given, &hash, &err);
    if (r == OK)
        r = password_scram_sha256(given, &scram, &err);
    if (r == OK)
        r = passwd_file_set(path, mode, slice_cstr(name), buf_slice(&hash), buf_slice(&scram),
                            &err);
    buf_release(&hash);
    buf_release(&scram);
    if (r == EXISTS)
        return cli_fail(1, "user %s is there already in %s: use \"user passwd\"", name, path);
    if (r == NOT_FOUND)
        return cli_fail(1, "there is no user %s in %s", name, path);
    return r == OK ? 0 : cli_fail(1, "%s", err.text);
}

static int change_password(const char *path, enum passwd_mode mode, const char *name,
                           const struct given *g)
{
    char password[PASSWORD_MAX + 2] = "";
    struct error err;
    if (passwd_name_check(slice_cstr(name), &err) != OK)
        return cli_fail(1, "\"%s\" can't be a user name: %s", name, err.text);
    int status = read_password(g->from_stdin, true, password, sizeof password);
    if (status == 0)
        status = store_password(path, mode, name, password, g);
    explicit_bzero(password, sizeof password);
    return status;
}

static void report_problem(void *arg, unsigned line, const char *reason)
{
    fprintf(stderr, "%s:%u: %s\n", (const char *)arg, line, reason);
}

static int load(const char *path, struct passwd_file **ret)
{
    struct error err = {""};
    union {
        const char *in;
        void *out;
    } file = {.in = path};
    enum result r = passwd_file_load(path, report_problem, file.out, ret, &err);
    if (r == NOT_FOUND)
        return cli_fail(1, "%s does not exist: \"user add\" makes it", path);
    return r == OK ? 0 : cli_fail(1, "%s", err.text);
}

static int test_password(const char *path, const char *name, bool from_stdin)
{
    char password[PASSWORD_MAX + 2] = "";
    struct passwd_file *f;
    struct error err = {""};
    if (load(path, &f) != 0)
        return 1;
    const struct passwd_user *u = passwd_file_find(f, slice_cstr(name));
    int status = u ? read_password(from_stdin, false, password, sizeof password)
                   : cli_fail(1, "there is no user %s in %s", name, path);
    if (status == 0) {
        enum result r = password_verify(u->password, slice_cstr(password), &err);
        if (r == OK)
            printf("%s: the password is right\n", name);
        else if (r == DENIED)
            status = cli_fail(1, "%s: the password is wrong", name);
        else
            status = cli_fail(1, "%s:%u: the stored password can't be used: %s", path, u->line,
                              err.text);
    }
    explicit_bzero(password, sizeof password);
    passwd_file_free(f);
    return status;
}

static void list_text(void *arg, const struct passwd_user *u)
{
    (void)arg;
    printf("%.*s\n", SLICE_ARG(u->name));
}

static void list_json(void *arg, const struct passwd_user *u)
{
    struct json *l = arg;
    json_item(l);
    struct json o = json_begin(l->out, '{');
    json_put_string(&o, "name", u->name);
    json_key(&o, "login");
    buf_puts(l->out, u->password.len ? "true" : "false");
    json_end(&o);
}

static int list(const char *path, bool as_json)
{
    struct passwd_file *f;
    struct buf out;
    if (load(path, &f) != 0)
        return 1;
    if (as_json) {
        buf_init(&out, 64 << 20);
        struct json l = json_begin(&out, '[');
        passwd_file_each(f, list_json, &l);
        json_end(&l);
        printf("%.*s\n", SLICE_ARG(buf_slice(&out)));
        buf_release(&out);
    } else {
        passwd_file_each(f, list_text, NULL);
    }
    passwd_file_free(f);
    return 0;
}

static int remove_user(const char *path, const char *name)
{
    struct error err = {""};
    enum result r = passwd_file_remove(path, slice_cstr(name), &err);
    if (r == NOT_FOUND)
        return cli_fail(1, "there is no user %s in %s", name, path);
    if (r != OK)
        return cli_fail(1, "%s", err.text);
    printf("%s can't log in any more; the stored mail stays\n", name);
    return 0;
}

static bool take_options(char **words, int n, struct given *g)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(words[i], "--password-stdin") == 0)
            g->from_stdin = true;
        else if (strcmp(words[i], "--scheme") == 0 && i + 1 < n)
            g->scheme = words[++i];
        else
            return false;
    }
    return true;
}

int cli_user(struct cli *c, char **words, int n)
{
    static const char usage[] =
        "usage: user add|passwd NAME [--scheme SCHEME] [--password-stdin] | user test NAME "
        "[--password-stdin] | user del NAME | user list [--json]";
    const char *path = c->conf->users_file.data;
    const char *verb = n > 1 ? words[1] : "";
    const char *option = n > 2 ? words[n - 1] : "";
    if (c->conf->users_file.len == 0)
        return cli_fail(1, "users_file is empty in %s: set it first", c->config_path);
    if (strcmp(verb, "list") == 0 && (n == 2 || (n == 3 && strcmp(option, "--json") == 0)))
        return list(path, n == 3);
    if (strcmp(verb, "del") == 0 && n == 3)
        return remove_user(path, words[2]);
    struct given g = {false, NULL};
    if (n < 3 || !take_options(words + 3, n - 3, &g))
        return cli_fail(2, usage);
    if (strcmp(verb, "add") == 0)
        return change_password(path, PASSWD_ADD, words[2], &g);
    if (strcmp(verb, "passwd") == 0)
        return change_password(path, PASSWD_CHANGE, words[2], &g);
    if (strcmp(verb, "test") == 0 && !g.scheme)
        return test_password(path, words[2], g.from_stdin);
    return cli_fail(2, usage);
}
