#include "auth/password.h"

#include "auth/encode.h"
#include "auth/scram.h"
#include "sasl/md5.h"

#include <assert.h>
#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

/* How a scheme's data is to be read. */
enum form {
    FORM_PLAIN,  /* the password itself */
    FORM_CRYPT,  /* text for crypt(3) */
    FORM_DIGEST, /* binary: the digest, then the salt that was hashed behind the password */
    FORM_MD5,    /* "$1$..." as CRYPT, else a digest */
    FORM_SCRAM,  /* ITERATIONS,SALT,STOREDKEY,SERVERKEY */
    FORM_PBKDF2, /* $1$SALT$ITERATIONS$HEX */
    FORM_CRAM,   /* hex of HMAC-MD5's states */
    FORM_UNSUPPORTED
};

struct scheme {
    const char *name;
    enum form form;
    const char *digest; /* OpenSSL's name */
    bool salted;
    const char *prefix; /* FORM_CRYPT: how the data must begin, or NULL */
};

static const struct scheme schemes[] = {
    {"PLAIN", FORM_PLAIN, NULL, false, NULL},
    {"CLEARTEXT", FORM_PLAIN, NULL, false, NULL},
    {"CLEAR", FORM_PLAIN, NULL, false, NULL},
    {"CRYPT", FORM_CRYPT, NULL, false, NULL},
    {"DES-CRYPT", FORM_CRYPT, NULL, false, NULL},
    {"MD5-CRYPT", FORM_CRYPT, NULL, false, "$1$"},
    {"SHA256-CRYPT", FORM_CRYPT, NULL, false, "$5$"},
    {"SHA512-CRYPT", FORM_CRYPT, NULL, false, "$6$"},
    {"BLF-CRYPT", FORM_CRYPT, NULL, false, "$2"},
    {"YESCRYPT", FORM_CRYPT, NULL, false, "$y$"},
    {"SHA", FORM_DIGEST, "SHA1", false, NULL},
    {"SHA1", FORM_DIGEST, "SHA1", false, NULL},
    {"SSHA", FORM_DIGEST, "SHA1", true, NULL},
    {"SHA256", FORM_DIGEST, "SHA256", false, NULL},
    {"SSHA256", FORM_DIGEST, "SHA256", true, NULL},
    {"SHA512", FORM_DIGEST, "SHA512", false, NULL},
    {"SSHA512", FORM_DIGEST, "SHA512", true, NULL},
    {"MD5", FORM_MD5, "MD5", false, NULL},
    {"PLAIN-MD5", FORM_DIGEST, "MD5", false, NULL},
    {"LDAP-MD5", FORM_DIGEST, "MD5", false, NULL},
    {"SMD5", FORM_DIGEST, "MD5", true, NULL},
    {"SCRAM-SHA-1", FORM_SCRAM, "SHA1", false, NULL},
    {"SCRAM-SHA-256", FORM_SCRAM, "SHA256", false, NULL},
    {"PBKDF2", FORM_PBKDF2, "SHA1", false, NULL},
    {"ARGON2", FORM_UNSUPPORTED, NULL, false, NULL},
    {"ARGON2I", FORM_UNSUPPORTED, NULL, false, NULL},
    {"ARGON2ID", FORM_UNSUPPORTED, NULL, false, NULL},
    {"CRAM-MD5", FORM_CRAM, NULL, false, NULL},
    {"HMAC-MD5", FORM_CRAM, NULL, false, NULL},
    {"DIGEST-MD5", FORM_UNSUPPORTED, NULL, false, NULL},
    {"PLAIN-MD4", FORM_UNSUPPORTED, NULL, false, NULL},
    {"LANMAN", FORM_UNSUPPORTED, NULL, false, NULL},
    {"NTLM", FORM_UNSUPPORTED, NULL, false, NULL},
    {"OTP", FORM_UNSUPPORTED, NULL, false, NULL},
    {"RPA", FORM_UNSUPPORTED, NULL, false, NULL},
};

enum encoding { ENCODING_GUESS, ENCODING_BASE64, ENCODING_HEX };

/* A stored form taken apart. */
struct stored {
    const struct scheme *scheme;
    enum encoding encoding;
    struct slice data;
};

static const struct scheme *find_scheme(struct slice name)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (slice_is_nocase(name, schemes[i].name))
            return &schemes[i];
    return NULL;
}

static enum result parse_encoding(struct slice suffix, enum encoding *ret)
{
    if (!suffix.data)
        *ret = ENCODING_GUESS;
    else if (slice_is_nocase(suffix, "hex"))
        *ret = ENCODING_HEX;
    else if (slice_is_nocase(suffix, "b64") || slice_is_nocase(suffix, "base64"))
        *ret = ENCODING_BASE64;
    else
        return INVALID;
    return OK;
}

/* "{SCHEME.encoding}data"; without braces it is CRYPT, as in Dovecot's passwd-files. */
static enum result parse_stored(struct slice text, struct stored *ret, struct error *err)
{
    struct stored s = {find_scheme(SLICE("CRYPT")), ENCODING_GUESS, text};
    if (text.len > PASSWORD_STORED_MAX)
        return error_set(err, INVALID, "the stored password is longer than %d bytes",
                         PASSWORD_STORED_MAX);
    if (text.len && text.data[0] == '{') {
        s.data = slice_from(text, 1);
        struct slice suffix = slice_split(&s.data, '}');
        if (!s.data.data)
            return error_set(err, INVALID, "the stored password has '{' without '}'");
        struct slice name = slice_split(&suffix, '.');
        s.scheme = find_scheme(name);
        if (!s.scheme)
            return error_set(err, INVALID, "unknown password scheme {%.*s}",
                             name.len > 40 ? 40 : SLICE_ARG(name));
        if (parse_encoding(suffix, &s.encoding) != OK)
            return error_set(err, INVALID, "unknown encoding in password scheme {%s.%.*s}",
                             s.scheme->name, suffix.len > 40 ? 40 : SLICE_ARG(suffix));
    }
    if (s.scheme->form == FORM_UNSUPPORTED)
        return error_set(err, INVALID, "the password scheme {%s} is not supported", s.scheme->name);
    *ret = s;
    return OK;
}

/* Constant time in the content; the length of a secret of fixed size is no secret. */
static enum result compare(const void *a, size_t a_len, const void *b, size_t b_len)
{
    return a_len == b_len && CRYPTO_memcmp(a, b, a_len) == 0 ? OK : DENIED;
}

enum { DIGEST_DATA_MAX = 256 };

/* The lengths of plain text are hidden too: both sides are padded to the longest. */
static enum result verify_plain(struct slice stored, struct slice password)
{
    char a[PASSWORD_STORED_MAX] = {0}, b[PASSWORD_STORED_MAX] = {0};
    static_assert(PASSWORD_STORED_MAX >= PASSWORD_MAX, "a password fits");
    if (stored.len)
        memcpy(a, stored.data, stored.len);
    if (password.len)
        memcpy(b, password.data, password.len);
    bool same = CRYPTO_memcmp(a, b, sizeof a) == 0;
    explicit_bzero(a, sizeof a);
    explicit_bzero(b, sizeof b);
    return same && stored.len == password.len ? OK : DENIED;
}

static enum result verify_crypt(struct slice stored, struct slice password, struct error *err)
{
    char setting[PASSWORD_STORED_MAX + 1], phrase[PASSWORD_MAX + 1];
    if (slice_find(stored, '\0') != SIZE_MAX || stored.len == 0)
        return error_set(err, INVALID, "the stored password is empty or holds NUL");
    memcpy(setting, stored.data, stored.len);
    setting[stored.len] = '\0';
    if (password.len)
        memcpy(phrase, password.data, password.len);
    phrase[password.len] = '\0';
    struct crypt_data *data = calloc(1, sizeof *data);
    if (!data)
        return error_set(err, FAILED, "out of memory");
    /* A failure gives a text that begins with '*' and equals no setting. */
    const char *hash = crypt_rn(phrase, setting, data, sizeof *data);
    enum result r;
    if (hash && hash[0] != '*')
        r = compare(hash, strlen(hash), stored.data, stored.len);
    else if (stored.data[0] == '*' || stored.data[0] == '!')
        r = DENIED; /* the customary mark of a locked account */
    else
        r = error_set(err, INVALID, "crypt does not know this form of stored password");
    explicit_bzero(phrase, sizeof phrase);
    explicit_bzero(data, sizeof *data);
    free(data);
    return r;
}

static const EVP_MD *digest_of(const struct scheme *s)
{
    return EVP_get_digestbyname(s->digest);
}

/* Dovecot takes hex where the length says so, else base64. */
static enum result decode(const struct stored *s, size_t digest_len,
                          unsigned char out[DIGEST_DATA_MAX], size_t *ret_len, struct error *err)
{
    bool hex = s->encoding == ENCODING_HEX || (s->encoding == ENCODING_GUESS &&
                                               !s->scheme->salted && s->data.len == 2 * digest_len);
    enum result r = hex ? hex_decode(s->data, out, DIGEST_DATA_MAX, ret_len)
                        : base64_decode_lenient(s->data, out, DIGEST_DATA_MAX, ret_len);
    if (r != OK)
        return error_set(err, INVALID, "the data of {%s} is not %s", s->scheme->name,
                         hex ? "hex" : "base64");
    if (s->scheme->salted ? *ret_len <= digest_len : *ret_len != digest_len)
        return error_set(err, INVALID, "the data of {%s} has the wrong length", s->scheme->name);
    return OK;
}

static enum result verify_digest(const struct stored *s, struct slice password, struct error *err)
{
    unsigned char data[DIGEST_DATA_MAX], hash[EVP_MAX_MD_SIZE];
    const EVP_MD *md = digest_of(s->scheme);
    size_t len = 0, digest_len = md ? (size_t)EVP_MD_get_size(md) : 0;
    if (!md)
        return error_set(err, INVALID, "this OpenSSL has no %s", s->scheme->digest);
    enum result r = decode(s, digest_len, data, &len, err);
    if (r != OK)
        return r;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestInit_ex(ctx, md, NULL) &&
              EVP_DigestUpdate(ctx, password.data, password.len) &&
              EVP_DigestUpdate(ctx, data + digest_len, len - digest_len) &&
              EVP_DigestFinal_ex(ctx, hash, NULL);
    EVP_MD_CTX_free(ctx);
    r = ok ? compare(hash, digest_len, data, digest_len)
           : error_set(err, FAILED, "%s failed", s->scheme->digest);
    explicit_bzero(hash, sizeof hash);
    return r;
}

static enum result verify_pbkdf2(struct slice data, struct slice password, struct error *err)
{
    unsigned char want[EVP_MAX_MD_SIZE], have[EVP_MAX_MD_SIZE];
    uint64_t rounds = 0;
    size_t len = 0;
    bool ok = slice_starts(data, SLICE("$1$"));
    struct slice rest = slice_from(data, 3);
    struct slice salt = slice_split(&rest, '$');
    ok = ok && slice_parse_u64(slice_split(&rest, '$'), 100000000, &rounds) == OK && rounds > 0 &&
         hex_decode(rest, want, sizeof want, &len) == OK && len >= 16;
    if (!ok)
        return error_set(err, INVALID, "the data of {PBKDF2} is not $1$SALT$ROUNDS$HEX");
    if (!PKCS5_PBKDF2_HMAC(password.data, (int)password.len, (const unsigned char *)salt.data,
                           (int)salt.len, (int)rounds, EVP_sha1(), (int)len, have))
        return error_set(err, FAILED, "PBKDF2 failed");
    enum result r = compare(have, len, want, len);
    explicit_bzero(have, sizeof have);
    return r;
}

static enum result verify_scram(const struct stored *s, struct slice password, struct error *err)
{
    struct scram_verifier v;
    enum result r = scram_parse(s->data, s->scheme->digest, &v, err);
    return r == OK ? scram_verify(&v, password, err) : r;
}

static enum result read_cram(const struct stored *s, struct hmac_md5_state *ret, struct error *err)
{
    unsigned char bytes[HMAC_MD5_STATE_LEN];
    size_t len = 0;
    if (hex_decode(s->data, bytes, sizeof bytes, &len) != OK || len != sizeof bytes)
        return error_set(err, INVALID, "the data of {%s} is not 64 hex digits", s->scheme->name);
    hmac_md5_read(ret, bytes);
    explicit_bzero(bytes, sizeof bytes);
    return OK;
}

static enum result verify_cram(const struct stored *s, struct slice password, struct error *err)
{
    struct hmac_md5_state have, want;
    enum result r = read_cram(s, &want, err);
    if (r != OK)
        return r;
    hmac_md5_key(&have, password);
    r = compare(&have, sizeof have, &want, sizeof want);
    explicit_bzero(&have, sizeof have);
    explicit_bzero(&want, sizeof want);
    return r;
}

static enum result verify_crypt_scheme(const struct stored *s, struct slice password,
                                       struct error *err)
{
    if (s->scheme->prefix && !slice_starts(s->data, slice_cstr(s->scheme->prefix)))
        return error_set(err, INVALID, "the data of {%s} does not begin with %s", s->scheme->name,
                         s->scheme->prefix);
    return verify_crypt(s->data, password, err);
}

enum result password_verify(struct slice stored, struct slice password, struct error *err)
{
    struct stored s;
    enum result r = parse_stored(stored, &s, err);
    if (r != OK)
        return r;
    /* An empty password is nobody's, whatever is stored. */
    if (password.len == 0 || password.len > PASSWORD_MAX || slice_find(password, '\0') != SIZE_MAX)
        return DENIED;
    switch (s.scheme->form) {
    case FORM_PLAIN:
        return verify_plain(s.data, password);
    case FORM_CRYPT:
        return verify_crypt_scheme(&s, password, err);
    case FORM_DIGEST:
        return verify_digest(&s, password, err);
    case FORM_MD5:
        return slice_starts(s.data, SLICE("$1$")) ? verify_crypt(s.data, password, err)
                                                  : verify_digest(&s, password, err);
    case FORM_SCRAM:
        return verify_scram(&s, password, err);
    case FORM_PBKDF2:
        return verify_pbkdf2(s.data, password, err);
    case FORM_CRAM:
        return verify_cram(&s, password, err);
    case FORM_UNSUPPORTED:
        break;
    }
    return error_set(err, INVALID, "the password scheme {%s} is not supported", s.scheme->name);
}

/* Slow forms are only looked at; the quick ones are tried with a password that is nobody's. */
enum result password_check_form(struct slice stored, struct error *err)
{
    struct stored s;
    struct scram_verifier v;
    struct hmac_md5_state k;
    unsigned char data[DIGEST_DATA_MAX];
    size_t len;
    enum result r = parse_stored(stored, &s, err);
    if (r != OK)
        return r;
    const EVP_MD *md = s.scheme->digest ? digest_of(s.scheme) : NULL;
    switch (s.scheme->form) {
    case FORM_CRYPT:
        if (s.scheme->prefix && !slice_starts(s.data, slice_cstr(s.scheme->prefix)))
            return error_set(err, INVALID, "the data of {%s} does not begin with %s",
                             s.scheme->name, s.scheme->prefix);
        return OK;
    case FORM_DIGEST:
        return md ? decode(&s, (size_t)EVP_MD_get_size(md), data, &len, err) : INVALID;
    case FORM_SCRAM:
        return scram_parse(s.data, s.scheme->digest, &v, err);
    case FORM_CRAM:
        return read_cram(&s, &k, err);
    default:
        return OK;
    }
}

enum result password_open(struct slice stored, enum password_kind *ret_kind, struct slice *ret_data)
{
    struct stored s;
    enum result r = parse_stored(stored, &s, NULL);
    if (r != OK)
        return r;
    *ret_data = s.data;
    *ret_kind = PASSWORD_HASHED;
    if (s.scheme->form == FORM_PLAIN)
        *ret_kind = PASSWORD_PLAIN;
    else if (s.scheme->form == FORM_CRAM)
        *ret_kind = PASSWORD_CRAM_MD5;
    else if (s.scheme->form == FORM_SCRAM)
        *ret_kind =
            strcmp(s.scheme->digest, "SHA1") == 0 ? PASSWORD_SCRAM_SHA_1 : PASSWORD_SCRAM_SHA_256;
    return OK;
}

enum result password_hash(struct slice password, unsigned cost, struct buf *out, struct error *err)
{
    char phrase[PASSWORD_MAX + 1], setting[CRYPT_GENSALT_OUTPUT_SIZE];
    if (password.len == 0 || slice_find(password, '\0') != SIZE_MAX)
        return error_set(err, INVALID, "the password is empty or holds a NUL byte");
    if (password.len > PASSWORD_MAX)
        return error_set(err, LIMIT, "the password is longer than %d bytes", PASSWORD_MAX);
    if (!crypt_gensalt_rn("$y$", cost, NULL, 0, setting, sizeof setting))
        return error_set(err, FAILED, "crypt_gensalt failed (is the cost %u in 1-11?)", cost);
    struct crypt_data *data = calloc(1, sizeof *data);
    if (!data)
        return error_set(err, FAILED, "out of memory");
    memcpy(phrase, password.data, password.len);
    phrase[password.len] = '\0';
    const char *hash = crypt_rn(phrase, setting, data, sizeof *data);
    enum result r = hash && hash[0] != '*' ? OK : error_set(err, FAILED, "yescrypt failed");
    if (r == OK)
        buf_printf(out, "{CRYPT}%s", hash);
    explicit_bzero(phrase, sizeof phrase);
    explicit_bzero(data, sizeof *data);
    free(data);
    return r == OK && !buf_ok(out) ? error_set(err, LIMIT, "no room for the hash") : r;
}
