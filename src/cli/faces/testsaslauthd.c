/* testsaslauthd.c: testsaslauthd(8): asks saslauthd's socket, whoever listens there. Output and
 * exit status are the original's: 0 right, 255 not, 1 for a wrong use. */
#include "cli/faces/testsaslauthd.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "auth/databases.h"
#include "cli/faces.h"
#include "cli/running.h"
#include "proto/auth/saslauthd.h"

enum { FAILED_STATUS = 255, USAGE_STATUS = 1 };

static int usage(const char *name)
{
    fprintf(stderr,
            "%s: usage: %s -u username -p password\n"
            "              [-r realm] [-s servicename]\n"
            "              [-f socket path] [-R repeatnum] [-v]\n",
            name, name);
    return USAGE_STATUS;
}

/* -1 with errno. */
static int connect_to(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static bool send_all(int fd, struct slice bytes)
{
    while (bytes.len) {
        ssize_t n = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (n <= 0 && errno != EINTR)
            return false;
        bytes = slice_from(bytes, n > 0 ? (size_t)n : 0);
    }
    return true;
}

/* 0 right, 1 wrong, -1 told on stderr. */
static int read_answer(int fd)
{
    char bytes[SASLAUTHD_ANSWER_MAX];
    size_t have = 0;
    bool right = false;
    struct slice text;
    for (;;) {
        enum result r = saslauthd_parse_answer(slice_of(bytes, have), &right, &text);
        if (r == OK)
            return right ? 0 : 1;
        /* What is neither OK nor NO is none. */
        if (r != BUSY)
            return 1;
        ssize_t n = recv(fd, bytes + have, sizeof bytes - have, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            fprintf(stderr, have < 2 ? "size read failed\n" : "read failed\n");
            return -1;
        }
        have += (size_t)n;
    }
}

static int ask(const struct testsaslauthd *t, int *ret_connect_error)
{
    struct buf out;
    struct saslauthd_question q = {slice_cstr(t->user), slice_cstr(t->password),
                                   slice_cstr(t->service), slice_cstr(t->realm)};
    int fd = connect_to(t->path);
    if (fd < 0) {
        *ret_connect_error = errno;
        perror("connect() ");
        return -1;
    }
    buf_init(&out, SASLAUTHD_QUESTION_MAX);
    saslauthd_put_question(&q, &out);
    int answer = -1;
    if (!buf_ok(&out) || !send_all(fd, buf_slice(&out)))
        fprintf(stderr, "write failed\n");
    else
        answer = read_answer(fd);
    buf_release(&out);
    close(fd);
    if (answer >= 0)
        puts(answer == 0 ? "OK \"Success.\"" : "NO \"authentication failed\"");
    return answer;
}

/* False: the use is wrong. */
static bool take_options(struct testsaslauthd *t, char **words, int n)
{
    int option;
    while ((option = getopt(n, words, "u:p:r:s:f:R:v")) != -1) {
        const char **const texts[] = {['u'] = &t->user,
                                      ['p'] = &t->password,
                                      ['r'] = &t->realm,
                                      ['s'] = &t->service,
                                      ['f'] = &t->path};
        if (option == 'v')
            t->verbose = true;
        else if (option == 'R')
            t->repeat = strtol(optarg, NULL, 10);
        else if (option != '?')
            *texts[option] = optarg;
        else
            return false;
    }
    return t->user && t->password;
}

/* Where the configuration says; without one, where saslauthd has it. */
static void choose_path(struct cli *c, char *room, size_t size)
{
    struct conf_errors quiet;
    conf_errors_init(&quiet);
    cli_use_running(c);
    c->origin.path = c->config_path;
    if (conf_load(&c->origin, &c->conf, &quiet) == OK)
        auth_socket_path(c->conf, DRIVER_SASLAUTHD, room, size);
    else
        c->conf = NULL;
    conf_errors_release(&quiet);
}

int face_testsaslauthd(struct cli *c, char **words, int n)
{
    struct testsaslauthd t = {.realm = "", .service = "imap", .repeat = 1};
    char path[PATH_MAX] = "/var/run/saslauthd/mux";
    int answer = 0, connect_error = 0;
    if (!take_options(&t, words, n))
        return usage(words[0]);
    if (!t.path)
        choose_path(c, path, sizeof path);
    t.path = t.path ? t.path : path;
    for (long i = 0; i < t.repeat; i++) {
        printf("%ld: ", i);
        fflush(stdout);
        answer = ask(&t, &connect_error);
    }
    fflush(stdout);
    if (t.verbose)
        testsaslauthd_explain(c, &t, connect_error);
    return answer == 0 ? 0 : FAILED_STATUS;
}
