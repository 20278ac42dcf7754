/* test_jwt.c: JSON in place, and bearer tokens: RFC vectors, each claim, each confusion of keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "auth/jwt.h"
#include "base/base64.h"
#include "base/json_read.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#define SECRET "0123456789abcdef0123456789abcdef"

/* ---- JSON ---- */

static void json_values(void **state)
{
    static const char *const broken[] = {
        "",        "{",         "[1,]",  "{\"a\"}",  "{\"a\":}",
        "01",      "1.",        "\"a",   "tru",      "{\"a\":1,}",
        "\"\\x\"", "\"\\u12\"", "[1 2]", "\"a\nb\"", "[[[[[[[[[[[[[[[[[[1]"};
    struct json_value v, m;
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
        assert_int_equal(json_parse(slice_cstr(broken[i]), &v), INVALID);
    assert_int_equal(
        json_parse(SLICE(" { \"a\" : [ 1 , \"x\" ] , \"b\":{\"a\":2} ,\"c\":-1.5e3 } "), &v), OK);
    assert_int_equal(json_find(&v, "a", &m), OK);
    assert_int_equal(m.kind, JSON_ARRAY);
    struct json_value item;
    size_t at = 0;
    assert_true(json_next(&m, &at, &item) && item.kind == JSON_NUMBER);
    assert_true(json_next(&m, &at, &item) && json_is(&item, SLICE("x")));
    assert_false(json_next(&m, &at, &item));
    assert_int_equal(json_find(&v, "z", &m), NOT_FOUND);
    assert_int_equal(json_find(&v, "c", &m), OK);
    int64_t n = 0;
    assert_int_equal(json_number(&m, &n), INVALID);
    assert_int_equal(json_parse(SLICE("{\"a\":1,\"a\":2}"), &v), OK);
    assert_int_equal(json_find(&v, "a", &m), INVALID);
}

static void json_texts(void **state)
{
    struct json_value v;
    struct buf out;
    (void)state;
    buf_init(&out, 100);
    assert_int_equal(json_parse(SLICE("\"\\u00e4\\ud83d\\ude00\\n\\\"\\/x\""), &v), OK);
    assert_int_equal(json_text(&v, &out), OK);
    assert_true(slice_is(buf_slice(&out), "\xc3\xa4\xf0\x9f\x98\x80\n\"/x"));
    static const char *const bad[] = {"\"\\ud83d\"", "\"\\ud83dx\"", "\"\\udc00\"", "\"\\u0000\"",
                                      "\"\\ud83d\\u0041\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(json_parse(slice_cstr(bad[i]), &v), OK);
        assert_int_equal(json_text(&v, &out), INVALID);
    }
    buf_release(&out);
}

/* ---- tokens ---- */

static void url_base64(struct slice bytes, struct buf *out)
{
    struct buf plain;
    buf_init(&plain, 8192);
    base64_encode(bytes, &plain);
    struct slice text = buf_slice(&plain);
    for (size_t i = 0; i < text.len && text.data[i] != '='; i++)
        buf_putc(out, text.data[i] == '+' ? '-' : text.data[i] == '/' ? '_' : text.data[i]);
    buf_release(&plain);
}

static void put_two(const char *header, const char *payload, struct buf *out)
{
    url_base64(slice_cstr(header), out);
    buf_putc(out, '.');
    url_base64(slice_cstr(payload), out);
}

/* By the secret. */
static void hs256(const char *header, const char *payload, struct buf *out)
{
    unsigned char mac[32];
    put_two(header, payload, out);
    struct slice text = buf_slice(out);
    HMAC(EVP_sha256(), SECRET, 32, (const unsigned char *)text.data, text.len, mac, NULL);
    buf_putc(out, '.');
    url_base64(slice_of(mac, 32), out);
}

/* By a private key. */
static void sign(const char *header, const char *payload, EVP_PKEY *key, struct buf *out)
{
    unsigned char sig[512], raw[64];
    size_t n = sizeof sig;
    bool ed = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
    put_two(header, payload, out);
    struct slice text = buf_slice(out);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, ed ? NULL : EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(ctx, sig, &n, (const unsigned char *)text.data, text.len), 1);
    EVP_MD_CTX_free(ctx);
    struct slice signature = slice_of(sig, n);
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        const unsigned char *at = sig;
        ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &at, (long)n);
        BN_bn2binpad(ECDSA_SIG_get0_r(s), raw, 32);
        BN_bn2binpad(ECDSA_SIG_get0_s(s), raw + 32, 32);
        ECDSA_SIG_free(s);
        signature = slice_of(raw, 64);
    }
    buf_putc(out, '.');
    url_base64(signature, out);
}

static void add_public(struct jwt_keys *keys, EVP_PKEY *key, enum result want)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *pem;
    struct error err;
    assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
    long n = BIO_get_mem_data(bio, &pem);
    assert_int_equal(jwt_keys_add(keys, slice_of(pem, (size_t)n), false, &err), want);
    BIO_free(bio);
}

static struct slice audience = {"mail", 4}, issuer = {"https://idp.test", 16};
static const struct jwt_rules rules = {
    .issuers = {&issuer, 1}, .audience = {&audience, 1}, .username = {"email", 5}};

#define GOOD "\"iss\":\"https://idp.test\",\"aud\":\"mail\",\"email\":\"alice@h.test\""

/* The user, or NULL. */
static const char *user_of(const struct jwt_keys *keys, struct buf *token, const char **ret_why)
{
    static char name[256];
    struct buf user;
    buf_init(&user, 255);
    *ret_why = jwt_check(keys, &rules, buf_slice(token), 1000, &user);
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(buf_slice(&user)));
    buf_release(&user);
    buf_reset(token);
    return *ret_why ? NULL : name;
}

static void claims(void **state)
{
    static const struct {
        const char *payload, *why;
    } cases[] = {
        {"{" GOOD ",\"exp\":2000}", NULL},
        {"{" GOOD ",\"exp\":941}", NULL}, /* the leeway */
        {"{" GOOD ",\"exp\":939}", "expired"},
        {"{" GOOD "}", "no exp"},
        {"{" GOOD ",\"exp\":\"2000\"}", "no exp"},
        {"{" GOOD ",\"exp\":2000,\"nbf\":1060}", NULL},
        {"{" GOOD ",\"exp\":2000,\"nbf\":1061}", "not valid yet"},
        {"{" GOOD ",\"exp\":2000,\"nbf\":null}", "not valid yet"},
        {"{" GOOD ",\"exp\":2000,\"exp\":3000}", "no exp"},
        {"{\"iss\":\"https://"
         "idp.test\",\"aud\":[\"x\",\"mail\"],\"email\":\"alice@h.test\",\"exp\":2000}",
         NULL},
        {"{\"iss\":\"https://idp.test\",\"aud\":[\"x\"],\"email\":\"a\",\"exp\":2000}", "audience"},
        {"{\"iss\":\"https://idp.test\",\"email\":\"a\",\"exp\":2000}", "audience"},
        {"{\"iss\":\"https://evil.test\",\"aud\":\"mail\",\"email\":\"a\",\"exp\":2000}", "issuer"},
        {"{\"aud\":\"mail\",\"email\":\"a\",\"exp\":2000}", "issuer"},
        {"{\"iss\":\"https://idp.test\",\"aud\":\"mail\",\"exp\":2000}", "name a user"},
        {"{\"iss\":\"https://idp.test\",\"aud\":\"mail\",\"email\":7,\"exp\":2000}", "name a user"},
        {"[]", "no JSON object"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf user;
        buf_init(&user, 255);
        const char *why = jwt_check_claims(&rules, slice_cstr(cases[i].payload), 1000, &user);
        if (!cases[i].why)
            assert_null(why);
        else
            assert_true(why && strstr(why, cases[i].why));
        buf_release(&user);
    }
}

static void a_shared_secret(void **state)
{
    struct jwt_keys *keys;
    struct buf token;
    const char *why;
    (void)state;
    buf_init(&token, JWT_MAX + 100);
    assert_int_equal(jwt_keys_new(&keys), OK);
    hs256("{\"alg\":\"HS256\"}", "{" GOOD ",\"exp\":2000}", &token);
    assert_null(user_of(keys, &token, &why)); /* no key */
    assert_int_equal(jwt_keys_add(keys, SLICE("short"), true, NULL), INVALID);
    assert_int_equal(jwt_keys_add(keys, SLICE(SECRET "\n"), true, NULL), OK);
    hs256("{\"alg\":\"HS256\"}", "{" GOOD ",\"exp\":2000}", &token);
    assert_string_equal(user_of(keys, &token, &why), "alice@h.test");
    hs256("{\"alg\":\"RS256\"}", "{" GOOD ",\"exp\":2000}", &token);
    assert_null(user_of(keys, &token, &why));
    hs256("{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", "{" GOOD ",\"exp\":2000}", &token);
    assert_null(user_of(keys, &token, &why));
    hs256("{\"alg\":\"hs256\"}", "{" GOOD ",\"exp\":2000}", &token);
    assert_null(user_of(keys, &token, &why));
    put_two("{\"alg\":\"none\"}", "{" GOOD ",\"exp\":2000}", &token);
    buf_putc(&token, '.');
    assert_null(user_of(keys, &token, &why));
    hs256("{\"alg\":\"HS256\"}", "{" GOOD ",\"exp\":2000}", &token);
    token.mem[token.end - 3] ^= 1;
    assert_null(user_of(keys, &token, &why));
    jwt_keys_unref(keys);
    buf_release(&token);
}

/* RFC 7515 A.1: the signature is right; the token has no aud and is of 2011. */
static void rfc_7515_vector(void **state)
{
    static const unsigned char key[] = {
        3,   35,  53, 75,  43,  15, 165, 188, 131, 126, 6,   101, 119, 123, 166, 143,
        90,  179, 40, 230, 240, 84, 201, 40,  169, 15,  132, 178, 210, 80,  46,  191,
        211, 251, 90, 146, 210, 6,  71,  239, 150, 138, 180, 195, 119, 98,  61,  34,
        61,  46,  33, 114, 5,   46, 79,  8,   192, 205, 154, 245, 103, 208, 128, 163};
    struct jwt_keys *keys;
    struct buf token;
    const char *why;
    (void)state;
    buf_init(&token, JWT_MAX);
    assert_int_equal(jwt_keys_new(&keys), OK);
    assert_int_equal(jwt_keys_add(keys, slice_of(key, sizeof key), true, NULL), OK);
    buf_puts(&token,
             "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
             "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
             "Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_null(user_of(keys, &token, &why));
    assert_non_null(strstr(why, "issuer"));
    jwt_keys_unref(keys);
    buf_release(&token);
}

static void public_keys(void **state)
{
    EVP_PKEY *rsa = EVP_RSA_gen(2048), *ec = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
    EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *weak = EVP_RSA_gen(1024);
    EVP_PKEY *large = EVP_EC_gen("P-384");
    struct jwt_keys *keys;
    struct buf token;
    const char *why, *payload = "{" GOOD ",\"exp\":2000}";
    (void)state;
    buf_init(&token, JWT_MAX);
    assert_int_equal(jwt_keys_new(&keys), OK);
    add_public(keys, rsa, OK);
    add_public(keys, ec, OK);
    add_public(keys, ed, OK);
    add_public(keys, weak, INVALID);
    add_public(keys, large, INVALID);
    assert_int_equal(jwt_keys_add(keys, SLICE("no PEM"), false, NULL), INVALID);
    assert_int_equal(jwt_keys_count(keys), 3);
    sign("{\"alg\":\"RS256\"}", payload, rsa, &token);
    assert_string_equal(user_of(keys, &token, &why), "alice@h.test");
    sign("{\"alg\":\"ES256\"}", payload, ec, &token);
    assert_string_equal(user_of(keys, &token, &why), "alice@h.test");
    sign("{\"alg\":\"EdDSA\"}", payload, ed, &token);
    assert_string_equal(user_of(keys, &token, &why), "alice@h.test");
    sign("{\"alg\":\"ES256\"}", payload, other, &token);
    assert_null(user_of(keys, &token, &why));
    sign("{\"alg\":\"ES256\"}", payload, rsa, &token);
    assert_null(user_of(keys, &token, &why));
    /* RFC 8725 2.1: a public key taken for a secret. */
    hs256("{\"alg\":\"HS256\"}", payload, &token);
    assert_null(user_of(keys, &token, &why));
    jwt_keys_unref(keys);
    buf_release(&token);
    EVP_PKEY *const all[] = {rsa, ec, other, ed, weak, large};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        EVP_PKEY_free(all[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_values),     cmocka_unit_test(json_texts),
        cmocka_unit_test(claims),          cmocka_unit_test(a_shared_secret),
        cmocka_unit_test(rfc_7515_vector), cmocka_unit_test(public_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
