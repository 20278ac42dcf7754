/* certificates.h: which certificates the configuration names, for whom. Who calls it: the master,
 * which opens the files, and edge, which makes TLS contexts of them; both see the same list. */
#ifndef ROLE_CERTIFICATES_H
#define ROLE_CERTIFICATES_H

#include "conf/conf.h"
#include "table/table.h"

enum certificate_side { CERTIFICATES_SMTP, CERTIFICATES_LOGIN, CERTIFICATE_SIDES };
enum { CERTIFICATE_PATHS_MAX = 8 };

struct certificate {
    const char *setting;
    struct slice name;    /* as tls_server_add takes it; "": for all others */
    struct slice address; /* of ours that the client came to (CIDR); "": any */
    bool chain;           /* paths are files as of smtpd_tls_chain_files; else: chain, key */
    struct slice paths[CERTIFICATE_PATHS_MAX];
    size_t n;
};
typedef void certificate_fn(void *arg, const struct certificate *x);

/* Every one of a side, those of all names first. reader: reads the tables of tls_server_sni_maps;
 * what can't be read is left out (its reader tells it). Slices live during the call. */
void certificates_each(const struct conf *c, enum certificate_side side,
                       const struct table_reader *reader, certificate_fn *each, void *arg);
/* Is one configured for all names? Else one of our own making serves, unless the side's settings
 * are those of another program, which then has no TLS (certificates_none). */
bool certificates_configured(const struct conf *c, enum certificate_side side);
bool certificates_none(const struct conf *c, enum certificate_side side);
/* The files of tls_server_sni_maps. */
void certificates_tables(const struct conf *c, void (*each)(void *arg, struct slice path),
                         void *arg);

#endif
