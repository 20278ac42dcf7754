#include "auth/secret.h"

#include "auth/encode.h"
#include "auth/password.h"
#include "auth/scram.h"
#include "base/map.h"
#include "sasl/md5.h"

#include <assert.h>

enum { SALT_LEN = 16, STAND_INS = 100 };

static const char *digest_of(enum sasl_secret_kind kind)
{
    return kind == SASL_SECRET_SCRAM_SHA_1 ? "SHA1" : "SHA256";
}

static enum result make_salt(struct slice name, enum sasl_secret_kind kind,
                             const unsigned char key[MAC_KEY_LEN], unsigned char ret[MAC_LEN])
{
    struct mac m;
    mac_init(&m);
    mac_add(&m, SLICE("salt"));
    mac_add_u64(&m, kind);
    mac_add(&m, name);
    return mac_finish(&m, key, ret);
}

static void take_verifier(const struct scram_verifier *v, struct sasl_secret *ret)
{
    static_assert(sizeof v->salt <= sizeof ret->salt, "a salt fits");
    ret->iterations = v->iterations;
    ret->salt_len = v->salt_len;
    ret->key_len = v->key_len;
    memcpy(ret->salt, v->salt, v->salt_len);
    memcpy(ret->stored_key, v->stored_key, v->key_len);
    memcpy(ret->server_key, v->server_key, v->key_len);
}

static enum result parse_verifier(struct slice text, enum sasl_secret_kind kind,
                                  struct sasl_secret *ret)
{
    struct scram_verifier v;
    if (scram_parse(text, digest_of(kind), &v, NULL) != OK)
        return NOT_FOUND;
    take_verifier(&v, ret);
    explicit_bzero(&v, sizeof v);
    return OK;
}

static enum result derive(struct slice name, struct slice password, enum sasl_secret_kind kind,
                          const unsigned char key[MAC_KEY_LEN], struct sasl_secret *ret)
{
    struct scram_verifier v = {
        .digest = digest_of(kind), .iterations = SCRAM_ITERATIONS, .salt_len = SALT_LEN};
    unsigned char salt[MAC_LEN];
    enum result r = make_salt(name, kind, key, salt);
    memcpy(v.salt, salt, SALT_LEN);
    if (r == OK)
        r = scram_derive(&v, password, NULL);
    if (r == OK)
        take_verifier(&v, ret);
    explicit_bzero(&v, sizeof v);
    return r;
}

static enum result scram_of(struct slice name, struct slice stored, struct slice verifier,
                            enum sasl_secret_kind kind, const unsigned char key[MAC_KEY_LEN],
                            struct sasl_secret *ret)
{
    enum password_kind form;
    struct slice data;
    if (kind == SASL_SECRET_SCRAM_SHA_256 && verifier.len)
        return parse_verifier(verifier, kind, ret);
    if (password_open(stored, &form, &data) != OK)
        return NOT_FOUND;
    if (form == PASSWORD_PLAIN && data.len)
        return derive(name, data, kind, key, ret);
    bool fits = kind == SASL_SECRET_SCRAM_SHA_1 ? form == PASSWORD_SCRAM_SHA_1
                                                : form == PASSWORD_SCRAM_SHA_256;
    return fits ? parse_verifier(data, kind, ret) : NOT_FOUND;
}

static enum result cram_of(struct slice stored, struct sasl_secret *ret)
{
    enum password_kind form;
    struct slice data;
    struct hmac_md5_state k;
    unsigned char bytes[HMAC_MD5_STATE_LEN];
    size_t len = 0;
    if (password_open(stored, &form, &data) != OK)
        return NOT_FOUND;
    if (form == PASSWORD_PLAIN && data.len)
        hmac_md5_key(&k, data);
    else if (form == PASSWORD_CRAM_MD5 && hex_decode(data, bytes, sizeof bytes, &len) == OK &&
             len == sizeof bytes)
        hmac_md5_read(&k, bytes);
    else
        return NOT_FOUND;
    memcpy(ret->inner, k.inner, sizeof k.inner);
    memcpy(ret->outer, k.outer, sizeof k.outer);
    explicit_bzero(&k, sizeof k);
    explicit_bzero(bytes, sizeof bytes);
    return OK;
}

enum result secret_of_stored(struct slice name, struct slice stored, struct slice verifier,
                             enum sasl_secret_kind kind, const unsigned char key[MAC_KEY_LEN],
                             struct sasl_secret *ret)
{
    struct sasl_secret s = {.real = true};
    enum result r = NOT_FOUND;
    if (kind == SASL_SECRET_CRAM_MD5)
        r = cram_of(stored, &s);
    else if (kind == SASL_SECRET_SCRAM_SHA_1 || kind == SASL_SECRET_SCRAM_SHA_256)
        r = scram_of(name, stored, verifier, kind, key, &s);
    if (r == OK)
        *ret = s;
    explicit_bzero(&s, sizeof s);
    return r;
}

static enum result of_user(const struct auth_database *db, const struct passwd_user *u,
                           enum sasl_secret_kind kind, const unsigned char key[MAC_KEY_LEN],
                           struct sasl_secret *ret)
{
    struct buf stored;
    buf_init(&stored, 2 * PASSWORD_STORED_MAX);
    auth_database_stored(db, u->password, &stored);
    enum result r = secret_of_stored(u->name, buf_slice(&stored),
                                     passwd_user_extra(u, PASSWD_SCRAM_FIELD), kind, key, ret);
    if (stored.mem)
        explicit_bzero(stored.mem, stored.size);
    buf_release(&stored);
    return r;
}

static enum result of_one_in(const struct auth_database *db, struct slice name,
                             enum sasl_secret_kind kind, const unsigned char key[MAC_KEY_LEN],
                             struct sasl_secret *ret)
{
    size_t n = passwd_file_count(db->file);
    size_t from = n ? (size_t)(hash_bytes(name) % n) : 0;
    enum result r = NOT_FOUND;
    for (size_t i = 0; r == NOT_FOUND && i < n && i < STAND_INS; i++)
        r = of_user(db, passwd_file_at(db->file, (from + i) % n), kind, key, ret);
    return r;
}

/* Somebody's secret of that kind, always the same for a name: the made-up one has its form. */
static enum result of_stand_in(const struct directory *d, struct slice name,
                               enum sasl_secret_kind kind, const unsigned char key[MAC_KEY_LEN],
                               struct sasl_secret *ret)
{
    const struct auth_databases *all = directory_passdbs(d);
    for (size_t i = 0; i < all->n; i++) {
        const struct auth_database *db = &all->items[i];
        enum result r = db->driver == DRIVER_PASSWD_FILE && !db->deny
                            ? of_one_in(db, name, kind, key, ret)
                            : NOT_FOUND;
        if (r != NOT_FOUND)
            return r;
    }
    *ret = (struct sasl_secret){.iterations = SCRAM_ITERATIONS, .salt_len = SALT_LEN};
    ret->key_len = kind == SASL_SECRET_SCRAM_SHA_1 ? 20 : 32;
    return OK;
}

static enum result make_up(const struct directory *d, struct slice name, enum sasl_secret_kind kind,
                           const unsigned char key[MAC_KEY_LEN], struct sasl_secret *ret)
{
    unsigned char salt[MAC_LEN];
    struct sasl_secret s;
    enum result r = of_stand_in(d, name, kind, key, &s);
    if (r == OK)
        r = make_salt(name, kind, key, salt);
    if (r != OK)
        return r;
    s.real = false;
    if (s.salt_len > sizeof salt)
        s.salt_len = sizeof salt;
    memcpy(s.salt, salt, s.salt_len);
    s.inner[0] ^= 1; /* nobody's */
    s.stored_key[0] ^= 1;
    *ret = s;
    explicit_bzero(&s, sizeof s);
    return OK;
}

enum result secret_find(const struct directory *d, struct slice login, enum sasl_secret_kind kind,
                        const unsigned char key[MAC_KEY_LEN], struct sasl_secret *ret)
{
    const struct auth_database *db = NULL;
    const struct passwd_user *u = directory_find_login(d, login, &db);
    enum result r = u && !db->deny ? of_user(db, u, kind, key, ret) : NOT_FOUND;
    if (r != NOT_FOUND)
        return r;
    struct arena a;
    arena_init(&a, 4096);
    struct slice name = directory_system_login(d, login, &a);
    r = make_up(d, name.data ? name : login, kind, key, ret);
    arena_release(&a);
    return r;
}
