/* looks.c: a folder in which no Maildir was found: what it looks like, and what to do about it. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/import/import.h"

enum { ENTRIES_MAX = 1000 }; /* looked at */

static bool is_there(int dir, const char *name, const char *below, mode_t type)
{
    char path[CLI_PATH_SIZE];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s%s%s", name, *below ? "/" : "", below);
    return n > 0 && (size_t)n < sizeof path && fstatat(dir, path, &st, 0) == 0 &&
           (st.st_mode & S_IFMT) == type;
}

static bool is_mbox(int dir, const char *name)
{
    char start[5] = "";
    int fd = is_there(dir, name, "", S_IFREG)
                 ? openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
                 : -1;
    bool is = fd >= 0 && read(fd, start, sizeof start) == (ssize_t)sizeof start &&
              memcmp(start, "From ", sizeof start) == 0;
    if (fd >= 0)
        close(fd);
    return is;
}

static bool is_dbox(int dir)
{
    return is_there(dir, "mailboxes", "", S_IFDIR) || is_there(dir, "storage", "", S_IFDIR) ||
           is_there(dir, "dbox-Mails", "", S_IFDIR);
}

/* What the first entry that tells something says; "": none does. */
static void look(DIR *d, bool fs_layout, const char *path, char *out, size_t size)
{
    unsigned seen = 0;
    for (const struct dirent *e; (e = readdir(d)) && ++seen <= ENTRIES_MAX && !*out;) {
        if (e->d_name[0] == '.')
            continue;
        if (is_mbox(dirfd(d), e->d_name))
            snprintf(out, size,
                     "%s in it is an mbox file: \"import mbox\" takes the file, or the folder",
                     e->d_name);
        else if (is_there(dirfd(d), e->d_name, "cur", S_IFDIR) && !fs_layout)
            snprintf(out, size,
                     "%s in it is a Maildir: name %s/%s if that is the account's, or write "
                     "\"--layout fs\" if it is one of the account's folders",
                     e->d_name, path, e->d_name);
    }
}

int import_tell_no_maildir(const char *path, bool fs_layout)
{
    char text[2 * CLI_PATH_SIZE] = "";
    DIR *d = opendir(path);
    if (d && is_dbox(dirfd(d)))
        snprintf(text, sizeof text,
                 "it looks like Dovecot's dbox: have Dovecot write a Maildir first (\"doveadm -o "
                 "mail_location=... sync maildir:DIR\") and import that");
    else if (d)
        look(d, fs_layout, path, text, sizeof text);
    if (d)
        closedir(d);
    return cli_fail(1, "%s is no Maildir, nothing was imported: %s", path,
                    *text ? text
                          : "it has no folder \"cur\", nor has any folder in it whose name begins "
                            "with a dot");
}
