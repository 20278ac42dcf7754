/* certificates.c: which files the master opens for edge's TLS: those that the certificates of the
 * configuration (also of single listeners) are in, the tables that name some, and the authorities
 * of client certificates; and for relay's those of the authorities that it knows servers by and of
 * the certificates that it shows. */
#include "role/certificates.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/paths.h"
#include "role/master/master.h"

struct listing {
    certificate_file_fn *each;
    void *arg;
};

static void add_paths(void *arg, const struct certificate *x)
{
    const struct listing *l = arg;
    for (size_t i = 0; i < x->n; i++)
        l->each(l->arg, x->paths[i]);
}

/* A table is a small text of the administrator's. */
static enum result read_table(void *arg, struct slice path, struct buf *out, struct error *err)
{
    char name[4096];
    ssize_t n = 1;
    (void)arg;
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(path));
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    while (fd >= 0 && n > 0) {
        char piece[4096];
        n = read(fd, piece, sizeof piece);
        if (n > 0)
            buf_append(out, slice_of(piece, (size_t)n));
    }
    int why = errno;
    bool ok = fd >= 0 && n == 0 && buf_ok(out);
    fd_close(&fd);
    return ok ? OK : error_set(err, FAILED, "%s: %s", name, strerror(why));
}

static void add_of(const struct conf *c, struct listing *l)
{
    const struct table_reader reader = {.read = read_table};
    for (int side = 0; side < CERTIFICATE_SIDES; side++)
        certificates_each(c, (enum certificate_side)side, &reader, add_paths, l);
    certificates_tables(c, l->each, l->arg);
    l->each(l->arg, conf_path(c->smtpd_tls_CAfile));
    l->each(l->arg, conf_path(c->smtpd_tls_CApath));
    l->each(l->arg, conf_path(c->ssl_ca));
}

void certificate_files(const struct conf *c, certificate_file_fn *each, void *arg)
{
    struct listing l = {each, arg};
    add_of(c, &l);
    for (size_t i = 0; i < c->listen.n; i++) {
        struct listen_url u;
        if (listen_parse(c->listen.items[i], &u) != OK)
            continue;
        const struct conf *own = conf_for_service(c, u.label);
        if (own != c)
            add_of(own, &l);
    }
}

static void add_of_relay(const struct conf *c, struct listing *l)
{
    const struct slice paths[] = {
        c->smtp_tls_CAfile,      c->smtp_tls_CApath,      c->lmtp_tls_CAfile,
        c->lmtp_tls_CApath,      c->smtp_tls_cert_file,   c->smtp_tls_key_file,
        c->smtp_tls_eccert_file, c->smtp_tls_eckey_file,  c->lmtp_tls_cert_file,
        c->lmtp_tls_key_file,    c->lmtp_tls_eccert_file, c->lmtp_tls_eckey_file};
    const struct slice_list lists[] = {c->smtp_tls_chain_files, c->lmtp_tls_chain_files,
                                       c->smtp_tls_trust_anchor_file,
                                       c->lmtp_tls_trust_anchor_file};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        l->each(l->arg, conf_path(paths[i]));
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (size_t k = 0; k < lists[i].n; k++)
            l->each(l->arg, conf_path(lists[i].items[k]));
}

void authority_files(const struct conf *c, certificate_file_fn *each, void *arg)
{
    struct listing l = {each, arg};
    add_of_relay(c, &l);
    for (size_t i = 0; i < c->transport_services.n; i++) {
        char label[80];
        struct slice kind = c->transport_services.items[i], name = slice_split(&kind, '=');
        snprintf(label, sizeof label, "%.*s/unix", SLICE_ARG(name));
        const struct conf *own = conf_for_service(c, slice_cstr(label));
        if (own != c)
            add_of_relay(own, &l);
    }
}

struct looking {
    const char *path;
    bool found;
};

static void look(void *arg, struct slice path)
{
    struct looking *l = arg;
    l->found = l->found || slice_is(path, l->path);
}

bool certificate_table(const struct conf *c, const char *path)
{
    struct looking l = {path, false};
    certificates_tables(c, look, &l);
    return l.found;
}
