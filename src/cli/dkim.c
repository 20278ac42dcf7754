/* dkim.c: dkim new | show: keys of dkim_keys and what of them stands in DNS. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/cli.h"
#include "conf/dkim.h"
#include "dkim/key.h"

enum { PATH_SIZE = 4096, RECORD_MAX = 4096, STRING_MAX = 255 /* of a TXT record: RFC 1035 3.3 */ };

struct key_place {
    struct slice domain, selector, path;
};

static int usage(void)
{
    return cli_fail(2, "usage: dkim new DOMAIN [--selector NAME] [--algorithm rsa|ed25519] "
                       "[--directory DIR] | show [DOMAIN] [--json]");
}

/* ---- what stands in DNS ---- */

static int make_record(const struct dkim_key *key, struct buf *record)
{
    if (dkim_key_record(key, record) == OK)
        return 0;
    return cli_fail(1, "the key's record could not be made: no memory");
}

/* As a zone's file has it: strings of at most 255 octets. */
static void print_record(const struct key_place *p, struct slice record)
{
    printf("%.*s._domainkey.%.*s. IN TXT (", SLICE_ARG(p->selector), SLICE_ARG(p->domain));
    for (; record.len; record = slice_from(record, STRING_MAX)) {
        struct slice piece = slice_sub(record, 0, STRING_MAX);
        printf(" \"%.*s\"", SLICE_ARG(piece));
    }
    puts(" )");
}

/* ---- new ---- */

/* A folder that does not exist yet is made for root alone. */
static int make_folder(const char *path)
{
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    return cli_fail(1, "%s: %s", path, strerror(errno));
}

/* Never over a key that is there. */
static int write_file(const char *path, struct slice pem)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return cli_fail(1, "%s: %s", path,
                        errno == EEXIST ? "there is a key already: choose another --selector"
                                        : strerror(errno));
    ssize_t n = write(fd, pem.data, pem.len);
    bool good = n == (ssize_t)pem.len && fsync(fd) == 0;
    int error = errno;
    close(fd);
    if (good)
        return 0;
    unlink(path);
    return cli_fail(1, "%s: %s", path, strerror(error));
}

static int store_key(const struct dkim_key *key, const char *path)
{
    struct buf pem;
    buf_init(&pem, DKIM_PEM_MAX);
    int status = dkim_key_write(key, &pem) == OK ? write_file(path, buf_slice(&pem))
                                                 : cli_fail(1, "the key could not be written");
    explicit_bzero(pem.mem, pem.size);
    buf_release(&pem);
    return status;
}

static int make_key(enum dkim_algorithm algorithm, const struct key_place *p, const char *path)
{
    struct dkim_key *key = NULL;
    struct buf record;
    if (dkim_key_new(algorithm, &key) != OK)
        return cli_fail(1, "no key could be made");
    buf_init(&record, RECORD_MAX);
    int status = store_key(key, path);
    if (status == 0)
        status = make_record(key, &record);
    if (status == 0) {
        printf("The key is in %s. Publish this in DNS:\n\n", path);
        print_record(p, buf_slice(&record));
        printf("\nWhen it can be seen there, add to dkim_keys, and reload:\n\n    "
               "%.*s:%.*s:%s\n",
               SLICE_ARG(p->domain), SLICE_ARG(p->selector), path);
    }
    buf_release(&record);
    dkim_key_free(key);
    return status;
}

/* "202611" and for Ed25519 "202611e": two of a month can stand beside one another. */
static void default_selector(enum dkim_algorithm a, char *out, size_t size)
{
    time_t now = time(NULL);
    struct tm tm;
    size_t n = gmtime_r(&now, &tm) ? strftime(out, size, "%Y%m", &tm) : 0;
    if (a == DKIM_ED25519)
        snprintf(out + n, size - n, "e");
}

struct new_words {
    const char *domain, *selector, *algorithm, *folder;
};

static bool take_new_words(char **words, int n, struct new_words *w)
{
    for (int i = 2; i < n; i++) {
        const char **to = strcmp(words[i], "--selector") == 0    ? &w->selector
                          : strcmp(words[i], "--algorithm") == 0 ? &w->algorithm
                          : strcmp(words[i], "--directory") == 0 ? &w->folder
                                                                 : NULL;
        if (to && i + 1 < n)
            *to = words[++i];
        else if (!to && words[i][0] != '-' && !w->domain)
            w->domain = words[i];
        else
            return false;
    }
    return w->domain != NULL;
}

static int new_key(struct cli *c, char **words, int n)
{
    struct new_words w = {.algorithm = "rsa"};
    char selector[32] = "", folder[PATH_SIZE], path[PATH_SIZE];
    bool ed25519;
    if (!take_new_words(words, n, &w))
        return usage();
    ed25519 = strcmp(w.algorithm, "ed25519") == 0;
    if (!ed25519 && strcmp(w.algorithm, "rsa") != 0)
        return cli_fail(2, "--algorithm %s: rsa or ed25519", w.algorithm);
    enum dkim_algorithm algorithm = ed25519 ? DKIM_ED25519 : DKIM_RSA;
    default_selector(algorithm, selector, sizeof selector);
    struct key_place p = {slice_cstr(w.domain), slice_cstr(w.selector ? w.selector : selector),
                          SLICE_NONE};
    if (!conf_dkim_name(p.domain) || !conf_dkim_name(p.selector))
        return cli_fail(2, "domain and selector are names as DNS has them (A-labels)");
    int len = snprintf(folder, sizeof folder, "%.*s/dkim", SLICE_ARG(c->conf->state_directory));
    if (w.folder)
        len = snprintf(folder, sizeof folder, "%s", w.folder);
    bool fits = len > 0 && (size_t)len < sizeof folder &&
                (size_t)snprintf(path, sizeof path, "%s/%s.%.*s.pem", folder, w.domain,
                                 SLICE_ARG(p.selector)) < sizeof path;
    if (!fits || folder[0] != '/')
        return cli_fail(1, "%s: not an absolute path, or too long", folder);
    int status = make_folder(folder);
    return status ? status : make_key(algorithm, &p, path);
}

/* ---- show ---- */

static enum result read_key(struct slice path, struct dkim_key **ret, struct error *err)
{
    char name[PATH_SIZE], pem[DKIM_PEM_MAX];
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(path));
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, pem, sizeof pem);
    enum result r = n < 0 ? error_set(err, FAILED, "%s", strerror(errno))
                          : dkim_key_read(slice_of(pem, (size_t)n), ret, err);
    explicit_bzero(pem, sizeof pem);
    if (fd >= 0)
        close(fd);
    return r;
}

static void add_json(struct json *list, const struct key_place *p, const struct dkim_key *key,
                     struct slice record)
{
    json_item(list);
    struct json j = json_begin(list->out, '{');
    json_put_string(&j, "domain", p->domain);
    json_put_string(&j, "selector", p->selector);
    json_put_string(&j, "algorithm", slice_cstr(dkim_algorithm_name(dkim_key_algorithm(key))));
    json_put_string(&j, "file", p->path);
    json_put_string(&j, "record", record);
    json_end(&j);
}

/* json: NULL for people. */
static int show_one(struct slice item, const char *domain, struct json *json)
{
    struct error err = {""};
    struct key_place p;
    struct dkim_key *key = NULL;
    struct buf record;
    enum result r = conf_dkim_key(item, &p.domain, &p.selector, &p.path, &err);
    if (r == OK && domain && !slice_is_nocase(p.domain, domain))
        return 0;
    if (r == OK)
        r = read_key(p.path, &key, &err);
    if (r != OK)
        return cli_fail(1, "%.*s: %s", SLICE_ARG(item), err.text);
    buf_init(&record, RECORD_MAX);
    int status = make_record(key, &record);
    if (status == 0 && json)
        add_json(json, &p, key, buf_slice(&record));
    else if (status == 0)
        print_record(&p, buf_slice(&record));
    buf_release(&record);
    dkim_key_free(key);
    return status;
}

static int show(struct cli *c, char **words, int n)
{
    const char *domain = NULL;
    bool as_json = false;
    struct buf out;
    int status = 0;
    for (int i = 2; i < n; i++) {
        if (strcmp(words[i], "--json") == 0)
            as_json = true;
        else if (words[i][0] != '-' && !domain)
            domain = words[i];
        else
            return usage();
    }
    buf_init(&out, 1 << 24);
    struct json list = json_begin(&out, '[');
    for (size_t i = 0; i < c->conf->dkim_keys.n; i++)
        status |= show_one(c->conf->dkim_keys.items[i], domain, as_json ? &list : NULL);
    json_end(&list);
    if (as_json)
        printf("%.*s\n", SLICE_ARG(buf_slice(&out)));
    buf_release(&out);
    return status;
}

int cli_dkim(struct cli *c, char **words, int n)
{
    if (n > 1 && strcmp(words[1], "new") == 0)
        return new_key(c, words, n);
    if (n > 1 && strcmp(words[1], "show") == 0)
        return show(c, words, n);
    return usage();
}
