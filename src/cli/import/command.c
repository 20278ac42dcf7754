/* command.c: postrider import maildir|mbox PATH --user U …, or --all. */
#include <dirent.h>
#include <fcntl.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/faces/doveadm.h"
#include "cli/import/import.h"

static const char usage[] =
    "usage: import maildir|mbox PATH --user NAME [--mailbox NAME] [--inbox PATH] [--layout fs] "
    "[--uidl-format FORMAT] [--quiet] | import --all [--quiet]";

struct import_words {
    const char *kind, *path, *user;
    bool all, quiet;
    struct import_options options;
};

/* ---- the words ---- */

static int parse(struct import_words *w, char **words, int n)
{
    static const struct option options[] = {
        {"user", 1, NULL, 'u'},        {"mailbox", 1, NULL, 'm'},
        {"inbox", 1, NULL, 'i'},       {"layout", 1, NULL, 'l'},
        {"uidl-format", 1, NULL, 'f'}, {"quiet", 0, NULL, 'q'},
        {"all", 0, NULL, 'a'},         {NULL, 0, NULL, 0}};
    int c;
    *w = (struct import_words){.options.uidl_format = SLICE("%08Xu%08Xv")};
    optind = 0; /* begin anew: main has read its own */
    opterr = 0;
    while ((c = getopt_long(n, words, "", options, NULL)) != -1) {
        if (c == 'u')
            w->user = optarg;
        else if (c == 'm')
            w->options.mailbox = optarg;
        else if (c == 'i')
            w->options.inbox = optarg;
        else if (c == 'l' && strcmp(optarg, "fs") == 0)
            w->options.fs_layout = true;
        else if (c == 'f')
            w->options.uidl_format = slice_cstr(optarg);
        else if (c == 'q')
            w->quiet = true;
        else if (c == 'a')
            w->all = true;
        else
            return cli_fail(2, "%s", usage);
    }
    if (w->all)
        return n == optind && !w->user ? 0 : cli_fail(2, "%s", usage);
    if (n - optind != 2 || !w->user || strlen(w->user) > 255)
        return cli_fail(2, "%s", usage);
    w->kind = words[optind];
    w->path = words[optind + 1];
    if (strcmp(w->kind, "maildir") != 0 && strcmp(w->kind, "mbox") != 0)
        return cli_fail(2, "%s", usage);
    if (strcmp(w->kind, "maildir") == 0 && w->options.mailbox)
        return cli_fail(2, "--mailbox is for mbox alone: a Maildir's folders keep their names");
    return 0;
}

/* ---- before it begins ---- */

/* Mail of the same account from two imports at once could come twice. */
static int lock(const char *state_directory)
{
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/import.lock", state_directory);
    if (n < 0 || (size_t)n >= sizeof path)
        return cli_fail(-1, "the path is too long: %s/import.lock", state_directory);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return cli_fail(-1, "%s: %m", path);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        close(fd);
        return cli_fail(-1, "another import is under way (%s)", path);
    }
    return fd;
}

static unsigned count_files(const char *path, unsigned depth)
{
    unsigned n = 0;
    DIR *d = opendir(path);
    for (struct dirent *e; d && n < 1000000 && (e = readdir(d));) {
        char below[4096];
        if (e->d_name[0] == '.')
            continue;
        if (e->d_type != DT_DIR)
            n++;
        else if (depth && snprintf(below, sizeof below, "%s/%s", path, e->d_name) < 4096)
            n += count_files(below, depth - 1);
    }
    if (d)
        closedir(d);
    return n;
}

/* Mail that Postfix still has to send is Postfix's: its queue is not read. */
static void warn_of_queue(const char *spool)
{
    static const char *const queues[] = {"maildrop", "incoming", "active", "deferred", "hold"};
    unsigned n = 0;
    for (size_t i = 0; i < sizeof queues / sizeof *queues; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", spool, queues[i]);
        n += count_files(path, 2);
    }
    if (n)
        fprintf(stderr,
                "postrider: %u messages wait in %s: they are not imported. Let Postfix send them "
                "first (stop its smtp service, \"postqueue -f\", until \"mailq\" is empty)\n",
                n, spool);
}

/* Wherever the server would find it (passdb, userdb), or as a user of the machine. A database that
 * can't be asked has told so. */
static bool is_known(struct cli *c, const char *user)
{
    struct doveadm d = {.cli = c};
    struct buf fields;
    buf_init(&fields, 64 * 1024);
    enum result r = doveadm_find_user(&d, slice_cstr(user), &fields);
    buf_release(&fields);
    return r != NOT_FOUND || getpwnam(user) != NULL;
}

/* ---- */

static int report(const struct import_counts *n, bool complete)
{
    printf(
        "%llu folders: %llu messages found, %llu imported (%llu bytes), %llu already there, %llu "
        "failed\n",
        (unsigned long long)n->folders, (unsigned long long)n->found,
        (unsigned long long)n->imported, (unsigned long long)n->bytes, (unsigned long long)n->there,
        (unsigned long long)n->failed);
    if (n->new_uids)
        printf("%llu messages have new UIDs: IMAP clients fetch them again\n",
               (unsigned long long)n->new_uids);
    if (!complete)
        return cli_fail(1, "the import was broken off: what is there stays; start it again");
    return n->failed ? cli_fail(1, "not all messages could be imported: see above") : 0;
}

static int run(struct cli *c, const struct import_words *w)
{
    struct import_sink *s = import_sink_open(c->conf->state_directory.data, w->quiet);
    if (!s)
        return 1;
    bool ok;
    if (!w->all)
        import_sink_account(s, slice_cstr(w->user));
    if (w->all)
        ok = import_all(s, c->conf);
    else if (strcmp(w->kind, "maildir") == 0)
        ok = import_maildir(s, w->path, &w->options);
    else
        ok = import_mbox(s, w->path, &w->options);
    struct import_counts n = import_sink_close(s);
    int status = report(&n, ok);
    bool empty = !w->all && ok && n.folders == 0 && n.failed == 0;
    return empty && strcmp(w->kind, "maildir") == 0
               ? import_tell_no_maildir(w->path, w->options.fs_layout)
               : status;
}

static bool is_folder(const char *path, const char *name)
{
    char full[CLI_PATH_SIZE];
    struct stat st;
    int n = snprintf(full, sizeof full, "%s/%s", path, name);
    return n > 0 && (size_t)n < sizeof full && stat(full, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What a single import names has to be there, and of that kind. */
static int check(struct cli *c, const struct import_words *w)
{
    bool mbox = strcmp(w->kind, "mbox") == 0;
    if (access(w->path, R_OK) != 0)
        return cli_fail(1, "%s: %m", w->path);
    if (mbox && is_folder(w->path, "cur") && is_folder(w->path, "new"))
        return cli_fail(1, "%s is a Maildir: \"import maildir\" takes it", w->path);
    if (!mbox && !is_folder(w->path, "."))
        return cli_fail(1, "%s is a file: \"import mbox\" takes it", w->path);
    if (!is_known(c, w->user))
        fprintf(
            stderr,
            "postrider: note: there is no account %s, neither in passdb, userdb or users_file nor "
            "of the system: is the name right? The mail is imported under it all the same\n",
            w->user);
    return 0;
}

int cli_import(struct cli *c, char **words, int n)
{
    struct import_words w;
    int status = parse(&w, words, n);
    if (status == 0 && !w.all)
        status = check(c, &w);
    if (status != 0)
        return status;
    warn_of_queue(c->conf->queue_directory.data);
    int fd = lock(c->conf->state_directory.data);
    if (fd < 0)
        return 1;
    status = run(c, &w);
    close(fd);
    return status;
}
