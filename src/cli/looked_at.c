#include "cli/looked_at.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth/compiled.h"
#include "auth/startable.h"
#include "cli/check_tables.h"
#include "conf/paths.h"
#include "conf/source.h"
#include "table/table.h"

/* ---- tables ---- */

struct looking {
    const struct cli *cli;
    struct conf_errors *errors;
    const struct conf_table_place *at;
};

static void look_at_file(void *arg, struct slice path)
{
    struct looking *l = arg;
    char name[4096], database[4096];
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(path));
    if (access(name, F_OK) == 0)
        return;
    if (errno == ENOENT && compiled_path(name, database, sizeof database) == OK)
        conf_warn(l->errors, l->at->source, 0, "%s: %s: there is no text file; %s is read instead",
                  l->at->name, name, database);
    else
        conf_warn(l->errors, l->at->source, 0,
                  "%s: %s: %s; whatever needs the table is put off until it is there", l->at->name,
                  name, strerror(errno));
}

static void look_at_table(void *arg, const struct conf_table_place *p)
{
    struct looking *l = arg;
    struct error err;
    l->at = p;
    if (table_files(p->spec, look_at_file, l, &err) != OK)
        return; /* auth_startable tells it */
}

/* ---- accounts ---- */

/* Its lines are told by cli_check_tables. */
static void look_at_users(const struct cli *c, struct conf_errors *errors)
{
    const char *path = c->conf->users_file.data;
    if (c->conf->users_file.len && access(path, R_OK) != 0)
        conf_note(errors, conf_source(c->conf, "users_file"), 0, "users_file: %s: %s", path,
                  errno == ENOENT ? "there are no accounts in it yet" : strerror(errno));
}

/* ---- programs ---- */

/* The path that a command line begins with; of one for the shell nothing is known. */
static void look_at_program(struct looking *l, const char *setting, struct slice command)
{
    char path[4096];
    struct slice first = slice_sub(command, 0, slice_find(command, ' '));
    if (first.len == 0 || first.data[0] != '/' || first.len >= sizeof path)
        return;
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(first));
    if (access(path, X_OK) != 0)
        conf_warn(l->errors, conf_source(l->cli->conf, setting), 0,
                  "%s: %s: %s; mail for it is put off or returned until it is there", setting, path,
                  strerror(errno));
}

/* ---- certificates ---- */

static FILE *open_pem(struct slice path)
{
    char name[4096];
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(conf_path(path)));
    return fopen(name, "re");
}

static int no_pass_phrase(char *out, int size, int writing, void *arg)
{
    (void)out, (void)size, (void)writing, (void)arg;
    return -1;
}

/* What is not there, or not for this user to read, was told of before. */
static void look_at_pair(struct looking *l, const char *setting, struct slice cert,
                         struct slice key)
{
    FILE *cert_file = cert.len ? open_pem(cert) : NULL, *key_file = key.len ? open_pem(key) : NULL;
    X509 *x = cert_file ? PEM_read_X509(cert_file, NULL, no_pass_phrase, NULL) : NULL;
    EVP_PKEY *k = key_file ? PEM_read_PrivateKey(key_file, NULL, no_pass_phrase, NULL) : NULL;
    const char *wrong = NULL;
    if (cert_file && !x)
        wrong = "there is no certificate in PEM form in it";
    else if (key_file && !k)
        wrong = "there is no private key in PEM form (without a pass phrase) in its key file";
    else if (x && k && X509_check_private_key(x, k) != 1)
        wrong = "another key belongs to it than the one that is named";
    else if (x && X509_cmp_current_time(X509_get0_notAfter(x)) < 0)
        conf_warn(l->errors, conf_source(l->cli->conf, setting), 0, "%s: %.*s has expired", setting,
                  SLICE_ARG(cert));
    if (wrong)
        conf_error(l->errors, conf_source(l->cli->conf, setting), 0, "%s: %.*s: %s", setting,
                   SLICE_ARG(cert), wrong);
    ERR_clear_error();
    X509_free(x);
    EVP_PKEY_free(k);
    if (cert_file)
        fclose(cert_file);
    if (key_file)
        fclose(key_file);
}

static void look_at_files(const struct cli *c, struct conf_errors *errors)
{
    const struct conf *conf = c->conf;
    struct looking l = {.cli = c, .errors = errors};
    conf_table_places(conf, look_at_table, &l);
    look_at_users(c, errors);
    look_at_program(&l, "mailbox_command", conf->mailbox_command);
    look_at_pair(&l, "smtpd_tls_cert_file", conf->smtpd_tls_cert_file, conf->smtpd_tls_key_file);
    look_at_pair(&l, "smtpd_tls_eccert_file", conf->smtpd_tls_eccert_file,
                 conf->smtpd_tls_eckey_file);
    look_at_pair(&l, "ssl_cert", conf->ssl_cert, conf->ssl_key);
    look_at_pair(&l, "ssl_alt_cert", conf->ssl_alt_cert, conf->ssl_alt_key);
}

enum result cli_look(const struct cli *c, struct conf_errors *errors)
{
    enum result paths = conf_paths_check(c->conf, errors);
    enum result startable = auth_startable(c->conf, errors);
    look_at_files(c, errors);
    cli_check_tables(c->conf, errors);
    return errors->count == 0 && paths == OK && startable == OK ? OK : INVALID;
}
