/* postqueue.c: postqueue(1) and mailq(1): the queue as Postfix lists it, and another attempt. Where
 * the server does not run, what waits in its folder maildrop is listed; its store can't be looked
 * at then. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/control.h"
#include "cli/faces.h"

static const char usage[] = "usage: postqueue -f | postqueue -i queueid | postqueue -j | postqueue "
                            "-p | postqueue -s site";

static int fail(const char *face, const char *text)
{
    fprintf(stderr, "%s: fatal: %s\n", face, text);
    return EX_UNAVAILABLE;
}

/* ---- while the server does not run ---- */

struct waiting {
    unsigned long messages, bytes;
};

static void put_file(const char *name, const struct stat *st, bool as_json, struct waiting *w)
{
    char when[32];
    struct tm tm;
    if (as_json) {
        printf("{\"queue_name\": \"maildrop\", \"queue_id\": \"%s\", \"arrival_time\": %lld, "
               "\"message_size\": %lld, \"forced_expire\": false, \"sender\": \"uid %u\", "
               "\"recipients\": []}\n",
               name, (long long)st->st_mtime, (long long)st->st_size, (unsigned)st->st_uid);
    } else {
        localtime_r(&st->st_mtime, &tm);
        strftime(when, sizeof when, "%a %b %e %H:%M:%S", &tm);
        if (w->messages == 0)
            puts("----Queue ID----- --Size-- ---Arrival Time---- --Sender/Recipient------");
        printf("%-17s %8lld %s (maildrop queue, sender UID %u)\n\n", name, (long long)st->st_size,
               when, (unsigned)st->st_uid);
    }
    w->messages++;
    w->bytes += (unsigned long)st->st_size;
}

static int no_folder(const char *path, int why)
{
    char text[CLI_PATH_SIZE + 100];
    if (why == EACCES)
        snprintf(text, sizeof text, "only root may see what waits to be taken in (%s)", path);
    else if (why == ENOENT)
        snprintf(text, sizeof text, "%s is not there: no server has run with this state_directory",
                 path);
    else
        snprintf(text, sizeof text, "%s: %s", path, strerror(why));
    return fail("postqueue", text);
}

static int list_folder(struct cli *c, bool as_json)
{
    char path[CLI_PATH_SIZE];
    struct waiting w = {0};
    struct stat st;
    if (!cli_state_path(c, "maildrop", path))
        return fail("postqueue", "the configuration can't be read");
    DIR *dir = opendir(path);
    int why = errno;
    fprintf(stderr, "postqueue: warning: Mail system is down -- its queue can't be read; what "
                    "follows is what waits to be taken in\n");
    if (!dir)
        return no_folder(path, why);
    for (const struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.' && fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode))
            put_file(e->d_name, &st, as_json, &w);
    closedir(dir);
    if (!as_json && w.messages)
        printf("-- %lu Kbytes in %lu Request%s.\n", w.bytes / 1024, w.messages,
               w.messages == 1 ? "" : "s");
    return EX_OK;
}

/* ---- with the server ---- */

static int ask(struct cli *c, const char *const *words, size_t n)
{
    struct error err = {""};
    int fd;
    enum result r = control_open(c, &fd, &err);
    if (r != OK)
        return fail("postqueue",
                    r == NOT_FOUND ? "Cannot flush mail queue - mail system is down" : err.text);
    r = control_ask(fd, words, n, NULL, &err);
    close(fd);
    return r == OK ? EX_OK : fail("postqueue", err.text);
}

static int list(struct cli *c, bool as_json)
{
    static const char *const words[] = {"queue", "mailq", "--json"};
    struct error err = {""};
    int fd;
    enum result r = control_open(c, &fd, &err);
    if (r == NOT_FOUND)
        return list_folder(c, as_json);
    if (r == OK) {
        r = control_ask(fd, words, as_json ? 3 : 2, NULL, &err);
        close(fd);
    }
    return r == OK ? EX_OK : fail("postqueue", err.text);
}

static int no_message(const char *id)
{
    fprintf(stderr, "postqueue: fatal: Cannot flush queue ID - no such message in the queue: %s\n",
            id);
    return EX_UNAVAILABLE;
}

/* Who names a message is told where there is none; Postfix says nothing then. */
static int flush_id(struct cli *c, const char *id)
{
    struct error err = {""};
    const char *words[] = {"queue", "flush", id};
    int fd;
    if (id[strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")]) {
        fprintf(stderr, "postqueue: fatal: Cannot flush queue ID - invalid name: \"%s\"\n", id);
        return EX_UNAVAILABLE;
    }
    uint64_t number;
    if (log_id_parse(slice_cstr(id), &number) != OK)
        return no_message(id);
    if (control_open(c, &fd, &err) != OK)
        return fail("postqueue", err.text);
    enum result r = control_ask(fd, words, 3, NULL, &err);
    close(fd);
    if (strstr(err.text, "no such message"))
        return no_message(id);
    return r == OK || strstr(err.text, "under way") ? EX_OK : fail("postqueue", err.text);
}

int face_postqueue(struct cli *c, char **words, int n)
{
    int option, mode = 0;
    const char *value = NULL;
    while ((option = getopt(n, words, "c:fi:jps:v")) != -1) {
        if (option == '?' || (option != 'c' && option != 'v' && mode))
            return fail("postqueue", usage);
        if (option == 'c')
            fprintf(stderr, "postqueue: note: -c %s is ignored: there is one server\n", optarg);
        else if (option != 'v') {
            mode = option;
            value = optarg;
        }
    }
    if (optind != n || !mode)
        return fail("postqueue", usage);
    switch (mode) {
    case 'f':
        return ask(c, (const char *const[]){"queue", "flush"}, 2);
    case 's':
        return ask(c, (const char *const[]){"queue", "site", value}, 3);
    case 'i':
        return flush_id(c, value);
    default:
        return list(c, mode == 'j');
    }
}

/* mailq takes sendmail's options, and needs none of them. */
int face_mailq(struct cli *c, char **words, int n)
{
    (void)words, (void)n;
    return list(c, false);
}
