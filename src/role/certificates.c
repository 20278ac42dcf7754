/* certificates.c: see certificates.h. */
#include "role/certificates.h"

#include <stdio.h>

#include "conf/fields.h"
#include "conf/paths.h"
#include "table/lines.h"
#include "table/spec.h"

enum { TABLE_MAX = 1 << 20, OWN_PATH_MAX = 4096 };

/* ---- those for all names ---- */

static bool smtp_configured(const struct conf *c)
{
    return c->smtpd_tls_chain_files.n || c->smtpd_tls_cert_file.len || c->smtpd_tls_eccert_file.len;
}

bool certificates_configured(const struct conf *c, enum certificate_side side)
{
    if (side == CERTIFICATES_SMTP)
        return smtp_configured(c) || (c->ssl_cert.len && !c->postfix_config.len);
    return c->ssl_cert.len || (smtp_configured(c) && !c->dovecot_config.len);
}

bool certificates_none(const struct conf *c, enum certificate_side side)
{
    return !certificates_configured(c, side) &&
           (side == CERTIFICATES_SMTP ? c->postfix_config : c->dovecot_config).len > 0;
}

static void put_pair(const char *setting, struct slice cert, struct slice key, certificate_fn *each,
                     void *arg)
{
    struct certificate x = {.setting = setting, .name = SLICE(""), .address = SLICE(""), .n = 2};
    x.paths[0] = conf_path(cert);
    x.paths[1] = key.len ? conf_path(key) : x.paths[0];
    if (x.paths[0].len)
        each(arg, &x);
}

static void put_smtpd(const struct conf *c, certificate_fn *each, void *arg)
{
    struct certificate x = {
        .setting = "smtpd_tls_chain_files", .name = SLICE(""), .address = SLICE(""), .chain = true};
    for (size_t i = 0; i < c->smtpd_tls_chain_files.n && i < CERTIFICATE_PATHS_MAX; i++)
        x.paths[x.n++] = c->smtpd_tls_chain_files.items[i];
    if (x.n) {
        each(arg, &x);
        return;
    }
    put_pair("smtpd_tls_cert_file", c->smtpd_tls_cert_file, c->smtpd_tls_key_file, each, arg);
    put_pair("smtpd_tls_eccert_file", c->smtpd_tls_eccert_file, c->smtpd_tls_eckey_file, each, arg);
}

static void put_login(const struct conf *c, certificate_fn *each, void *arg)
{
    put_pair("ssl_cert", c->ssl_cert, c->ssl_key, each, arg);
    put_pair("ssl_alt_cert", c->ssl_alt_cert, c->ssl_alt_key, each, arg);
}

static void put_self_signed(const struct conf *c, certificate_fn *each, void *arg)
{
    char cert[OWN_PATH_MAX], key[OWN_PATH_MAX];
    snprintf(cert, sizeof cert, "%.*s/self-signed.crt", SLICE_ARG(c->state_directory));
    snprintf(key, sizeof key, "%.*s/self-signed.key", SLICE_ARG(c->state_directory));
    put_pair("state_directory", slice_cstr(cert), slice_cstr(key), each, arg);
}

static void put_default(const struct conf *c, enum certificate_side side, certificate_fn *each,
                        void *arg)
{
    bool smtpd = smtp_configured(c), dovecot = c->ssl_cert.len > 0;
    if (!certificates_configured(c, side)) {
        if (!certificates_none(c, side))
            put_self_signed(c, each, arg);
    } else if (side == CERTIFICATES_SMTP ? smtpd : !dovecot) {
        put_smtpd(c, each, arg);
    } else {
        put_login(c, each, arg);
    }
}

/* ---- tls_certificates ---- */

static struct slice take_word(struct slice *rest)
{
    struct slice word;
    return table_next_item(rest, &word) ? word : SLICE("");
}

static void put_item(struct slice item, certificate_fn *each, void *arg)
{
    struct certificate x = {.setting = "tls_certificates",
                            .address = conf_field(item, "address"),
                            .chain = conf_field(item, "chain").len > 0};
    static const char *const pairs[2][2] = {{"cert", "key"}, {"alt_cert", "alt_key"}};
    struct slice names = conf_field(item, "name");
    if (!x.address.data)
        x.address = SLICE("");
    do {
        x.name = take_word(&names);
        if (x.chain) {
            x.paths[0] = conf_field(item, "chain");
            x.n = 1;
            each(arg, &x);
        }
        for (size_t i = 0; !x.chain && i < 2; i++) {
            x.paths[0] = conf_field(item, pairs[i][0]);
            x.paths[1] = conf_field(item, pairs[i][1]);
            x.n = 2;
            if (x.paths[0].len)
                each(arg, &x);
        }
    } while (slice_trim(names).len);
}

static void put_items(const struct conf *c, enum certificate_side side, certificate_fn *each,
                      void *arg)
{
    static const char *const words[] = {"smtp", "login"};
    for (size_t i = 0; i < c->tls_certificates.n; i++) {
        struct slice use = conf_field(c->tls_certificates.items[i], "for");
        if (use.len == 0 || slice_is(use, words[side]))
            put_item(c->tls_certificates.items[i], each, arg);
    }
}

/* ---- tls_server_sni_maps ---- */

static void put_files(struct slice name, struct slice files, certificate_fn *each, void *arg)
{
    struct certificate x = {
        .setting = "tls_server_sni_maps", .name = name, .address = SLICE(""), .chain = true};
    struct slice path;
    while (x.n < CERTIFICATE_PATHS_MAX && table_next_item(&files, &path))
        x.paths[x.n++] = path;
    if (x.n && name.len)
        each(arg, &x);
}

static void put_lines(struct slice text, certificate_fn *each, void *arg)
{
    struct table_lines lines;
    struct slice line;
    table_lines_init(&lines, text);
    while (table_lines_next(&lines, &line)) {
        size_t n = 0;
        while (n < line.len && !table_space(line.data[n]))
            n++;
        put_files(slice_sub(line, 0, n), table_trim(slice_from(line, n)), each, arg);
    }
    table_lines_release(&lines);
}

/* inline:{ name = file, { name = file file } } */
static void put_inline(struct slice spec, certificate_fn *each, void *arg)
{
    struct slice items, item, name, files;
    const char *why;
    if (table_braces(table_trim(spec), &items, &why) != OK)
        return;
    while (table_next_item(&items, &item)) {
        struct slice inner;
        if (slice_starts(item, SLICE("{")) && table_braces(item, &inner, &why) == OK)
            item = inner;
        if (table_name_value(item, &name, &files) == NULL)
            put_files(name, files, each, arg);
    }
}

static struct slice rest_of(struct slice spec)
{
    return slice_from(spec, table_spec_type(spec).len + 1);
}

static void put_tables(const struct conf *c, const struct table_reader *reader,
                       certificate_fn *each, void *arg)
{
    for (size_t i = 0; i < c->tls_server_sni_maps.n; i++) {
        struct slice spec = c->tls_server_sni_maps.items[i];
        struct error err = {""};
        struct buf text;
        if (slice_is(table_spec_type(spec), "inline")) {
            put_inline(rest_of(spec), each, arg);
            continue;
        }
        buf_init(&text, TABLE_MAX);
        if (reader->read(reader->arg, rest_of(spec), &text, &err) == OK)
            put_lines(buf_slice(&text), each, arg);
        buf_release(&text);
    }
}

void certificates_tables(const struct conf *c, void (*each)(void *arg, struct slice path),
                         void *arg)
{
    for (size_t i = 0; i < c->tls_server_sni_maps.n; i++)
        if (!slice_is(table_spec_type(c->tls_server_sni_maps.items[i]), "inline"))
            each(arg, rest_of(c->tls_server_sni_maps.items[i]));
}

void certificates_each(const struct conf *c, enum certificate_side side,
                       const struct table_reader *reader, certificate_fn *each, void *arg)
{
    put_default(c, side, each, arg);
    put_items(c, side, each, arg);
    if (side == CERTIFICATES_SMTP)
        put_tables(c, reader, each, arg);
}
