/* authorities.c: the folder of smtpd_tls_CApath or smtp_tls_CApath, which edge or relay gets as one
 * text (role/file_list.h). Only the names that OpenSSL itself would look for there count
 * (c_rehash(1): "8d1a2b3c.0", and ".r0" of revocation lists): another file in the folder makes
 * nobody an authority. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ipc/ipc.h"
#include "role/file_list.h"
#include "role/master/master.h"

enum { AUTHORITIES_MAX = 1024, AUTHORITIES_BYTES = 2 << 20, HASH_DIGITS = 8 };

static bool is_hashed(const char *name)
{
    size_t digits = strspn(name, "0123456789abcdef");
    if (digits != HASH_DIGITS || name[digits] != '.')
        return false;
    name += digits + 1;
    name += *name == 'r';
    size_t rest = strspn(name, "0123456789");
    return rest > 0 && name[rest] == 0;
}

static int only_hashed(const struct dirent *d)
{
    return is_hashed(d->d_name);
}

struct folder {
    struct dirent **names;
    int n;
};

/* In the order of their names. False with errno. */
static bool folder_list(const char *path, struct folder *ret)
{
    struct folder f = {NULL, 0};
    f.n = scandir(path, &f.names, only_hashed, alphasort);
    *ret = f;
    return f.n >= 0;
}

static void folder_free(struct folder *f)
{
    for (int i = 0; i < f->n; i++)
        free(f->names[i]);
    free(f->names);
}

bool authorities_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static void mix(uint64_t *sum, uint64_t value)
{
    *sum = (*sum ^ value) * 0x100000001b3u; /* FNV-1a, by words */
}

struct file_stamp authorities_stamp(const char *path)
{
    struct file_stamp all = file_stamp(path);
    struct folder f;
    if (!folder_list(path, &f))
        return all;
    for (int i = 0; i < f.n && i < AUTHORITIES_MAX; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, f.names[i]->d_name);
        struct file_stamp one = file_stamp(name);
        mix(&all.size, one.device);
        mix(&all.size, one.inode);
        mix(&all.size, one.size);
        mix(&all.size, (uint64_t)one.modified_ns);
    }
    folder_free(&f);
    return all;
}

/* NULL, or why it was not. */
static const char *read_file(const char *name, struct buf *out)
{
    struct stat st;
    char piece[4096];
    ssize_t n = 1;
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return strerror(errno);
    bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    while (regular && buf_ok(out) && (n = read(fd, piece, sizeof piece)) > 0)
        buf_append(out, slice_of(piece, (size_t)n));
    int why = errno;
    fd_close(&fd);
    return !regular ? "it is no regular file" : n < 0 ? strerror(why) : NULL;
}

/* One that can't be read is left out. False: it is too large. */
static bool append_file(const char *path, const char *file, struct buf *out)
{
    struct buf bytes;
    char name[4096];
    buf_init(&bytes, AUTHORITIES_BYTES);
    snprintf(name, sizeof name, "%s/%s", path, file);
    const char *why = read_file(name, &bytes);
    if (why)
        LOG(LOG_WARNING, "file.not_read", LOG_C("setting", "CApath"), LOG_C("path", name),
            LOG_C("why", why));
    else
        file_list_put(out, slice_cstr(file), buf_slice(&bytes));
    bool fits = buf_ok(&bytes);
    buf_release(&bytes);
    return fits;
}

int authorities_open(const char *path)
{
    struct folder f;
    struct buf all;
    int fd = -1;
    if (!folder_list(path, &f))
        return -1;
    buf_init(&all, AUTHORITIES_BYTES);
    bool fits = f.n <= AUTHORITIES_MAX;
    for (int i = 0; fits && i < f.n; i++)
        fits = append_file(path, f.names[i]->d_name, &all);
    fits = fits && buf_ok(&all);
    if (!fits || ipc_memfd(buf_slice(&all), &fd) != OK) {
        errno = fits ? ENOMEM : EFBIG;
        fd = -1;
    }
    buf_release(&all);
    folder_free(&f);
    return fd;
}

const char *authorities_of_system(void)
{
    /* Debian, SUSE and Arch; Fedora and its kin; older SUSE; Alpine. */
    static const char *const paths[] = {"/etc/ssl/certs/ca-certificates.crt",
                                        "/etc/pki/tls/certs/ca-bundle.crt",
                                        "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        if (access(paths[i], R_OK) == 0)
            return paths[i];
    return "";
}
