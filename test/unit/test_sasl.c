/* test_sasl.c: the exchanges of each mechanism, step by step, and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/base64.h"
#include "sasl/client.h"
#include "sasl/md5.h"
#include "sasl/sasl.h"

static enum sasl_step begin(struct sasl *s, const struct sasl_mechanism *m, bool has_initial,
                            struct slice initial)
{
    return sasl_begin(s, m, has_initial, initial, NULL);
}

static enum sasl_step plain(struct sasl *s, struct slice initial)
{
    return begin(s, sasl_find(SLICE("plain")), true, initial);
}

static void plain_with_and_without_initial_response(void **state)
{
    struct sasl s;
    (void)state;
    assert_int_equal(plain(&s, SLICE("\0alice\0secret")), SASL_CHECK_PASSWORD);
    assert_string_equal(s.login, "alice");
    assert_string_equal(s.password, "secret");
    assert_string_equal(s.authzid, "");
    assert_int_equal(begin(&s, &sasl_plain, false, SLICE_NONE), SASL_CHALLENGE);
    assert_int_equal(s.challenge.len, 0);
    assert_int_equal(sasl_respond(&s, SLICE("bob\0alice\0se:cret ")), SASL_CHECK_PASSWORD);
    assert_string_equal(s.authzid, "bob");
    assert_string_equal(s.password, "se:cret ");
    sasl_end(&s);
    for (size_t i = 0; i < sizeof s.password; i++)
        assert_int_equal(s.password[i], 0);
}

static void plain_refuses_what_is_not_its_syntax(void **state)
{
    struct sasl s;
    char longest[SASL_RESPONSE_MAX + 1];
    (void)state;
    assert_int_equal(plain(&s, SLICE("")), SASL_MALFORMED);
    assert_int_equal(plain(&s, SLICE("alice")), SASL_MALFORMED);
    assert_int_equal(plain(&s, SLICE("\0alice")), SASL_MALFORMED);
    assert_int_equal(plain(&s, SLICE("\0alice\0")), SASL_MALFORMED);
    assert_int_equal(plain(&s, SLICE("\0\0secret")), SASL_MALFORMED);
    assert_int_equal(plain(&s, SLICE("\0alice\0sec\0ret")), SASL_MALFORMED);
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "\0a\0", 3);
    assert_int_equal(plain(&s, slice_of(longest, sizeof longest)), SASL_MALFORMED);
    assert_int_equal(plain(&s, slice_of(longest, 3 + SASL_PASSWORD_MAX + 1)), SASL_MALFORMED);
    assert_int_equal(plain(&s, slice_of(longest, 3 + SASL_PASSWORD_MAX)), SASL_CHECK_PASSWORD);
    memset(longest, 'x', sizeof longest);
    longest[0] = '\0';
    longest[1 + SASL_NAME_MAX + 1] = '\0';
    assert_int_equal(plain(&s, slice_of(longest, 400)), SASL_MALFORMED);
    sasl_end(&s);
}

static void login_asks_twice(void **state)
{
    struct sasl s;
    (void)state;
    assert_int_equal(begin(&s, sasl_find(SLICE("LOGIN")), false, SLICE_NONE), SASL_CHALLENGE);
    assert_true(slice_is(s.challenge, "Username:"));
    assert_int_equal(sasl_respond(&s, SLICE("alice")), SASL_CHALLENGE);
    assert_true(slice_is(s.challenge, "Password:"));
    assert_int_equal(sasl_respond(&s, SLICE("secret")), SASL_CHECK_PASSWORD);
    assert_string_equal(s.login, "alice");
    assert_string_equal(s.password, "secret");
    assert_int_equal(sasl_respond(&s, SLICE("more")), SASL_MALFORMED);
    struct sasl_secret none = {.real = false};
    assert_int_equal(sasl_secret(&s, &none), SASL_WRONG);
}

static void login_takes_the_name_as_initial_response(void **state)
{
    struct sasl s;
    (void)state;
    assert_int_equal(begin(&s, &sasl_login, true, SLICE("alice")), SASL_CHALLENGE);
    assert_true(slice_is(s.challenge, "Password:"));
    assert_int_equal(sasl_respond(&s, SLICE("sec\0ret")), SASL_MALFORMED);
    assert_int_equal(begin(&s, &sasl_login, true, SLICE("")), SASL_MALFORMED);
    assert_int_equal(begin(&s, &sasl_login, true, SLICE("a\0b")), SASL_MALFORMED);
    sasl_end(&s);
}

static void unknown_mechanisms_are_not_found(void **state)
{
    (void)state;
    assert_null(sasl_find(SLICE("")));
    assert_null(sasl_find(SLICE("PLAI")));
    assert_null(sasl_find(SLICE("DIGEST-MD5")));
    assert_non_null(sasl_find(SLICE("PlAiN")));
}

/* ---- CRAM-MD5 ---- */

static struct sasl_secret cram_secret(const char *password)
{
    struct sasl_secret secret = {.real = true};
    struct hmac_md5_state k;
    hmac_md5_key(&k, slice_cstr(password));
    memcpy(secret.inner, k.inner, sizeof k.inner);
    memcpy(secret.outer, k.outer, sizeof k.outer);
    return secret;
}

/* RFC 2195 section 2. */
static void cram_md5_vector(void **state)
{
    struct sasl s;
    struct sasl_channel ch = {.nonce = "<1896.697170952@postoffice.reston.mci.net>"};
    struct sasl_secret secret = cram_secret("tanstaaftanstaaf");
    (void)state;
    assert_int_equal(sasl_begin(&s, &sasl_cram_md5, false, SLICE_NONE, &ch), SASL_CHALLENGE);
    assert_true(slice_is(s.challenge, ch.nonce));
    assert_int_equal(sasl_respond(&s, SLICE("tim b913a602c7eda7a495b4e6e7334d3890")),
                     SASL_NEED_SECRET);
    assert_string_equal(s.login, "tim");
    assert_int_equal(sasl_secret(&s, &secret), SASL_RIGHT);
    secret.real = false;
    assert_int_equal(sasl_secret(&s, &secret), SASL_WRONG);
    secret = cram_secret("tanstaaf");
    assert_int_equal(sasl_secret(&s, &secret), SASL_WRONG);
    assert_int_equal(sasl_respond(&s, SLICE("tim b913a602c7eda7a495b4e6e7334d3890")),
                     SASL_MALFORMED);
    sasl_end(&s);
}

static void cram_md5_syntax(void **state)
{
    static const char *const broken[] = {"", "tim", "tim ", " b913a602c7eda7a495b4e6e7334d3890",
                                         "tim b913a602c7eda7a495b4e6e7334d38"};
    struct sasl s;
    struct sasl_channel ch = {.host = "mail.example.test"};
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        assert_int_equal(sasl_begin(&s, &sasl_cram_md5, false, SLICE_NONE, &ch), SASL_CHALLENGE);
        assert_true(s.challenge.data[0] == '<');
        assert_true(slice_search(s.challenge, SLICE("@mail.example.test>")) != SIZE_MAX);
        assert_int_equal(sasl_respond(&s, slice_cstr(broken[i])), SASL_MALFORMED);
        sasl_end(&s);
    }
    assert_int_equal(sasl_begin(&s, &sasl_cram_md5, true, SLICE(""), &ch), SASL_MALFORMED);
    sasl_end(&s);
    assert_int_equal(sasl_begin(&s, &sasl_cram_md5, false, SLICE_NONE, &ch), SASL_CHALLENGE);
    assert_int_equal(sasl_respond(&s, SLICE("tim smith B913A602c7eda7a495b4e6e7334d3890")),
                     SASL_NEED_SECRET);
    assert_string_equal(s.login, "tim smith");
    sasl_end(&s);
}

/* RFC 2202 section 2: lengths below, at and above MD5's block. */
static void hmac_md5_vectors(void **state)
{
    unsigned char out[MD5_LEN];
    struct hmac_md5_state k;
    char key[80];
    (void)state;
    hmac_md5_key(&k, SLICE("Jefe"));
    hmac_md5(&k, SLICE("what do ya want for nothing?"), out);
    assert_memory_equal(out, "\x75\x0c\x78\x3e\x6a\xb0\xb5\x03\xea\xa8\x6e\x31\x0a\x5d\xb7\x38",
                        16);
    memset(key, 0xaa, sizeof key);
    hmac_md5_key(&k, slice_of(key, sizeof key));
    hmac_md5(&k, SLICE("Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data"),
             out);
    assert_memory_equal(out, "\x6f\x63\x0f\xad\x67\xcd\xa0\xee\x1f\xb1\xf5\x62\xdb\x3a\xa5\x3e",
                        16);
}

/* ---- SCRAM ---- */

static void unbase64(const char *text, unsigned char *out, size_t size)
{
    struct buf b;
    buf_init(&b, size);
    assert_int_equal(base64_decode(slice_cstr(text), &b), OK);
    memcpy(out, buf_slice(&b).data, buf_len(&b));
    buf_release(&b);
}

/* RFC 5802 section 5: user "user", password "pencil". Keys were derived with Python's hashlib. */
static struct sasl_secret scram_sha_1_secret(void)
{
    struct sasl_secret s = {.real = true, .iterations = 4096, .salt_len = 16, .key_len = 20};
    unbase64("QSXCR+Q6sek8bf92", s.salt, sizeof s.salt);
    s.salt_len = 12;
    unbase64("6dlGYMOdZcOPutkcNY8U2g7vK9Y=", s.stored_key, sizeof s.stored_key);
    unbase64("D+CSWLOshSulAsxiupA+qs2/fTE=", s.server_key, sizeof s.server_key);
    return s;
}

/* RFC 7677 section 3. */
static struct sasl_secret scram_sha_256_secret(void)
{
    struct sasl_secret s = {.real = true, .iterations = 4096, .salt_len = 16, .key_len = 32};
    unbase64("W22ZaJ0SNY7soEsUEjb6gQ==", s.salt, sizeof s.salt);
    unbase64("WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=", s.stored_key, sizeof s.stored_key);
    unbase64("wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", s.server_key, sizeof s.server_key);
    return s;
}

static void scram_sha_1_vector(void **state)
{
    struct sasl s;
    struct sasl_channel ch = {.nonce = "3rfcNHYJY1ZVvWVs7j"};
    struct sasl_secret secret = scram_sha_1_secret();
    (void)state;
    assert_int_equal(
        sasl_begin(&s, &sasl_scram_sha_1, true, SLICE("n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"), &ch),
        SASL_NEED_SECRET);
    assert_string_equal(s.login, "user");
    assert_int_equal(sasl_secret(&s, &secret), SASL_CHALLENGE);
    assert_true(slice_is(s.challenge,
                         "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"));
    assert_int_equal(sasl_respond(&s, SLICE("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
                                            "p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")),
                     SASL_CHALLENGE);
    assert_true(slice_is(s.challenge, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="));
    assert_int_equal(sasl_respond(&s, SLICE("")), SASL_RIGHT);
    assert_int_equal(sasl_respond(&s, SLICE("")), SASL_MALFORMED);
    sasl_end(&s);
}

static const char first_256[] = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
static const char final_256[] = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

static enum sasl_step sha_256(struct sasl *s, const struct sasl_secret *secret, const char *first)
{
    struct sasl_channel ch = {.nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"};
    enum sasl_step step = sasl_begin(s, &sasl_scram_sha_256, true, slice_cstr(first), &ch);
    return step == SASL_NEED_SECRET ? sasl_secret(s, secret) : step;
}

static void scram_sha_256_vector(void **state)
{
    struct sasl s;
    struct sasl_secret secret = scram_sha_256_secret();
    (void)state;
    assert_int_equal(sha_256(&s, &secret, first_256), SASL_CHALLENGE);
    assert_int_equal(sasl_respond(&s, slice_cstr(final_256)), SASL_CHALLENGE);
    assert_true(slice_is(s.challenge, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
    assert_int_equal(sasl_respond(&s, SLICE("")), SASL_RIGHT);
    sasl_end(&s);
    secret.real = false; /* the same for an account that is not there, but for the end */
    assert_int_equal(sha_256(&s, &secret, first_256), SASL_CHALLENGE);
    assert_int_equal(sasl_respond(&s, slice_cstr(final_256)), SASL_WRONG);
    assert_int_equal(sasl_respond(&s, SLICE("")), SASL_MALFORMED);
    sasl_end(&s);
}

/* Each byte of the last message changed: never right. */
static void scram_takes_no_changed_proof(void **state)
{
    struct sasl s;
    struct sasl_secret secret = scram_sha_256_secret();
    char text[sizeof final_256];
    (void)state;
    for (size_t i = 0; i < sizeof final_256 - 1; i++) {
        memcpy(text, final_256, sizeof text);
        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_int_equal(sha_256(&s, &secret, first_256), SASL_CHALLENGE);
        enum sasl_step step = sasl_respond(&s, slice_cstr(text));
        assert_true(step == SASL_WRONG || step == SASL_MALFORMED);
        sasl_end(&s);
    }
}

static void scram_syntax(void **state)
{
    static const char *const broken[] = {"",
                                         "n",
                                         "n,",
                                         "n,,",
                                         "n,,n=user",
                                         "n,,r=x,n=user",
                                         "x,,n=u,r=x",
                                         "n,b,n=u,r=x",
                                         "n,a=,n=u,r=x",
                                         "n,,n=,r=x",
                                         "n,,n=u=2c,r=x",
                                         "n,,n=u,r=",
                                         "n,,n=u,r=a b",
                                         "n,,m=x,n=u,r=x",
                                         "p=tls-unique,,n=u,r=x",
                                         "n,,n=u=,r=x",
                                         "n,,n=u=2,r=x"};
    struct sasl s;
    struct sasl_secret secret = scram_sha_256_secret();
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        assert_int_equal(sha_256(&s, &secret, broken[i]), SASL_MALFORMED);
        sasl_end(&s);
    }
    assert_int_equal(sha_256(&s, &secret, "y,a=o=3Dther,n=a=2Cb,r=x,ext=1"), SASL_CHALLENGE);
    assert_string_equal(s.login, "a,b");
    assert_string_equal(s.authzid, "o=ther");
    assert_int_equal(sasl_respond(&s, SLICE("c=,r=,p=")), SASL_WRONG);
    sasl_end(&s);
}

/* ---- channel binding ---- */

static enum sasl_step bind_first(struct sasl *s, const struct sasl_mechanism *m, const char *first,
                                 bool offered)
{
    struct sasl_channel ch = {.nonce = "N", .bound_offered = offered};
    memset(ch.bindings[SASL_TLS_EXPORTER].data, 'e', 32);
    ch.bindings[SASL_TLS_EXPORTER].len = 32;
    return sasl_begin(s, m, true, slice_cstr(first), &ch);
}

static void plus_binds_to_the_channel(void **state)
{
    struct sasl s;
    struct sasl_secret secret = scram_sha_256_secret();
    (void)state;
    const struct sasl_mechanism *plus = &sasl_scram_sha_256_plus;
    assert_int_equal(bind_first(&s, plus, "n,,n=u,r=x", true), SASL_MALFORMED);
    sasl_end(&s);
    assert_int_equal(bind_first(&s, plus, "p=tls-unique,,n=u,r=x", true), SASL_WRONG);
    sasl_end(&s);
    assert_int_equal(bind_first(&s, plus, "p=what,,n=u,r=x", true), SASL_WRONG);
    sasl_end(&s);
    assert_int_equal(bind_first(&s, plus, "p=tls-exporter,,n=u,r=x", true), SASL_NEED_SECRET);
    assert_int_equal(sasl_secret(&s, &secret), SASL_CHALLENGE);
    /* "p=tls-exporter,," without the data, then with data of another channel. */
    assert_int_equal(sasl_respond(&s, SLICE("c=cD10bHMtZXhwb3J0ZXIsLA==,r=xN,"
                                            "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")),
                     SASL_WRONG);
    assert_non_null(strstr(s.why, "channel binding"));
    sasl_end(&s);
}

/* RFC 5802 section 6: "y" where a -PLUS was on offer. */
static void a_downgrade_is_noticed(void **state)
{
    struct sasl s;
    (void)state;
    assert_int_equal(bind_first(&s, &sasl_scram_sha_256, "y,,n=u,r=x", true), SASL_WRONG);
    sasl_end(&s);
    assert_int_equal(bind_first(&s, &sasl_scram_sha_256, "y,,n=u,r=x", false), SASL_NEED_SECRET);
    sasl_end(&s);
    assert_int_equal(bind_first(&s, &sasl_scram_sha_256, "n,,n=u,r=x", true), SASL_NEED_SECRET);
    sasl_end(&s);
}

/* ---- EXTERNAL, ANONYMOUS ---- */

static void external_is_the_certificates_name(void **state)
{
    struct sasl s;
    struct sasl_channel ch = {.identity = "alice"};
    (void)state;
    assert_int_equal(sasl_begin(&s, &sasl_external, true, SLICE(""), &ch), SASL_RIGHT);
    assert_string_equal(s.login, "alice");
    sasl_end(&s);
    assert_int_equal(sasl_begin(&s, &sasl_external, true, SLICE("bob"), &ch), SASL_RIGHT);
    assert_string_equal(s.login, "alice");
    assert_string_equal(s.authzid, "bob");
    sasl_end(&s);
    assert_int_equal(sasl_begin(&s, &sasl_external, true, SLICE("bob"), NULL), SASL_WRONG);
    sasl_end(&s);
}

static void anonymous_has_an_account(void **state)
{
    struct sasl s;
    struct sasl_channel ch = {.anonymous = "guest"};
    (void)state;
    assert_int_equal(sasl_begin(&s, &sasl_anonymous, true, SLICE("x@y"), &ch), SASL_RIGHT);
    assert_string_equal(s.login, "guest");
    sasl_end(&s);
    assert_int_equal(sasl_begin(&s, &sasl_anonymous, true, SLICE("x@y"), NULL), SASL_WRONG);
    sasl_end(&s);
}

/* ---- OAUTHBEARER (RFC 7628 section 4.1), XOAUTH2 ---- */

static void bearer_tokens(void **state)
{
    struct sasl s;
    (void)state;
    assert_int_equal(sasl_begin(&s, &sasl_oauthbearer, true,
                                SLICE("n,a=user@example.com,\1host=server.example.com\1port=143\1"
                                      "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\1\1"),
                                NULL),
                     SASL_CHECK_TOKEN);
    assert_string_equal(s.authzid, "user@example.com");
    assert_true(slice_is(sasl_token(&s), "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="));
    assert_int_equal(sasl_token_checked(&s, SLICE(""), "expired"), SASL_CHALLENGE);
    assert_true(slice_is(s.challenge, "{\"status\":\"invalid_token\"}"));
    assert_int_equal(sasl_respond(&s, SLICE("\1")), SASL_WRONG);
    sasl_end(&s);
    assert_int_equal(sasl_begin(&s, &sasl_xoauth2, true,
                                SLICE("user=someuser@example.com\1auth=Bearer ya29.v\1\1"), NULL),
                     SASL_CHECK_TOKEN);
    assert_string_equal(s.authzid, "someuser@example.com");
    assert_true(slice_is(sasl_token(&s), "ya29.v"));
    assert_int_equal(sasl_token_checked(&s, SLICE("u"), NULL), SASL_RIGHT);
    sasl_end(&s);
}

static void broken_bearers(void **state)
{
    static const char *const broken[] = {"",
                                         "n",
                                         "n,,",
                                         "n,,\1\1",
                                         "n,,\1auth=Basic x\1\1",
                                         "n,,\1auth=Bearer \1\1",
                                         "n,,x\1auth=Bearer x\1\1",
                                         "p=x,,\1auth=Bearer x\1\1",
                                         "n,,\1auth\1\1",
                                         "n,x,\1auth=Bearer x\1\1"};
    struct sasl s;
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        assert_int_equal(sasl_begin(&s, &sasl_oauthbearer, true, slice_cstr(broken[i]), NULL),
                         SASL_MALFORMED);
        sasl_end(&s);
    }
    assert_int_equal(sasl_begin(&s, &sasl_xoauth2, true, SLICE("user=x\1\1"), NULL),
                     SASL_MALFORMED);
    sasl_end(&s);
}

/* ---- the client's side ---- */

static void binding_of(struct sasl_channel *ch, struct sasl_login *login)
{
    memset(ch->bindings[SASL_TLS_EXPORTER].data, 7, 32);
    ch->bindings[SASL_TLS_EXPORTER].len = 32;
    memset(login->binding_data, 7, 32);
    login->binding = SASL_TLS_EXPORTER;
    login->binding_len = 32;
}

/* The step that our client and our server come to, by the secret of "pencil". */
static enum sasl_step meet(const char *name, const struct sasl_login *login,
                           const struct sasl_channel *ch, enum result *ret_finish)
{
    struct sasl_client c;
    struct sasl s;
    struct sasl_secret secret = {.real = true};
    struct buf out;
    const char *why = "";
    bool initial = false;
    const struct sasl_mechanism *m = sasl_find(slice_cstr(name));
    buf_init(&out, 65536);
    if (m->secret == SASL_SECRET_CRAM_MD5)
        secret = cram_secret("pencil");
    else if (m->secret == SASL_SECRET_SCRAM_SHA_1 || m->secret == SASL_SECRET_SCRAM_SHA_256)
        secret =
            m->secret == SASL_SECRET_SCRAM_SHA_1 ? scram_sha_1_secret() : scram_sha_256_secret();
    assert_int_equal(
        sasl_client_start(&c, sasl_client_find(slice_cstr(name)), login, &out, &initial, &why), OK);
    enum sasl_step step = sasl_begin(&s, m, initial, buf_slice(&out), ch);
    for (int i = 0; i < 10; i++) {
        if (step == SASL_NEED_SECRET) {
            step = sasl_secret(&s, &secret);
        } else if (step == SASL_CHECK_TOKEN) {
            step = sasl_token_checked(
                &s, slice_is(sasl_token(&s), "pencil") ? SLICE("alice") : SLICE(""), "no");
        } else if (step == SASL_CHALLENGE) {
            buf_reset(&out);
            struct slice challenge = s.challenge.len ? s.challenge : SLICE("");
            if (sasl_client_respond(&c, challenge, &out, &why) != OK)
                break;
            step = sasl_respond(&s, buf_slice(&out));
        }
    }
    if (step == SASL_CHECK_PASSWORD)
        step = strcmp(s.password, "pencil") == 0 ? SASL_RIGHT : SASL_WRONG;
    if (step == SASL_RIGHT)
        assert_string_equal(s.login, "al,i=ce");
    *ret_finish = sasl_client_finish(&c, &why);
    sasl_client_end(&c);
    sasl_end(&s);
    buf_release(&out);
    return step;
}

static void clients_log_in_to_our_servers(void **state)
{
    static const char *const names[] = {"PLAIN",
                                        "LOGIN",
                                        "CRAM-MD5",
                                        "SCRAM-SHA-1",
                                        "SCRAM-SHA-256",
                                        "SCRAM-SHA-1-PLUS",
                                        "SCRAM-SHA-256-PLUS"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct sasl_channel ch = {.host = "mail.test"};
        struct sasl_login login = {
            .user = SLICE("al,i=ce"), .password = SLICE("pencil"), .prepared = SLICE("pencil")};
        enum result finish;
        binding_of(&ch, &login);
        login.bound_offered = ch.bound_offered = true;
        assert_int_equal(meet(names[i], &login, &ch, &finish), SASL_RIGHT);
        assert_int_equal(finish, OK);
        login.password = login.prepared = SLICE("pencils");
        assert_int_not_equal(meet(names[i], &login, &ch, &finish), SASL_RIGHT);
        assert_int_equal(finish, strstr(names[i], "SCRAM") ? INVALID : OK);
    }
}

static void clients_bind_to_the_channel(void **state)
{
    struct sasl_channel ch = {.host = "mail.test"};
    struct sasl_login login = {
        .user = SLICE("al,i=ce"), .password = SLICE("pencil"), .prepared = SLICE("pencil")};
    enum result finish;
    (void)state;
    binding_of(&ch, &login);
    /* Somebody cut the -PLUS mechanisms out of what the server offered. */
    ch.bound_offered = true;
    login.bound_offered = false;
    assert_int_equal(meet("SCRAM-SHA-256", &login, &ch, &finish), SASL_WRONG);
    ch.bound_offered = false;
    assert_int_equal(meet("SCRAM-SHA-256", &login, &ch, &finish), SASL_RIGHT);
    /* Somebody in between has a TLS connection of his own to each side. */
    login.bound_offered = ch.bound_offered = true;
    login.binding_data[3] ^= 1;
    assert_int_equal(meet("SCRAM-SHA-256-PLUS", &login, &ch, &finish), SASL_WRONG);
    struct sasl_client c;
    struct buf out;
    const char *why = "";
    bool initial;
    buf_init(&out, 4096);
    login.binding_len = 0;
    assert_int_equal(
        sasl_client_start(&c, &sasl_client_scram_sha_256_plus, &login, &out, &initial, &why),
        INVALID);
    buf_release(&out);
}

/* RFC 7677 section 3. */
static void client_scram_vector(void **state)
{
    struct sasl_client c;
    struct buf out;
    const char *why = "";
    bool initial = false;
    struct sasl_login login = {
        .user = SLICE("user"), .prepared = SLICE("pencil"), .nonce = "rOprNGfwEbeRWgbNEkqO"};
    (void)state;
    buf_init(&out, 4096);
    assert_int_equal(sasl_client_start(&c, sasl_client_find(SLICE("scram-sha-256")), &login, &out,
                                       &initial, &why),
                     OK);
    assert_true(initial && slice_is(buf_slice(&out), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO"));
    buf_reset(&out);
    assert_int_equal(
        sasl_client_respond(&c,
                            SLICE("r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                  "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
                            &out, &why),
        OK);
    assert_true(slice_is(buf_slice(&out),
                         "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                         "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
    assert_int_equal(sasl_client_finish(&c, &why), INVALID); /* a 235 too early */
    buf_release(&out);
}

static void refuses_first(const char *challenge)
{
    struct sasl_client c;
    struct buf out;
    const char *why = "";
    bool initial = false;
    struct sasl_login login = {.user = SLICE("user"), .prepared = SLICE("p"), .nonce = "abc"};
    buf_init(&out, 4096);
    assert_int_equal(sasl_client_start(&c, &sasl_client_scram_sha_1, &login, &out, &initial, &why),
                     OK);
    struct slice text = challenge ? slice_cstr(challenge) : SLICE_NONE;
    assert_int_equal(sasl_client_respond(&c, text, &out, &why), INVALID);
    assert_true(*why);
    assert_int_equal(sasl_client_respond(&c, text, &out, &why), INVALID); /* and ever after */
    buf_release(&out);
}

static void clients_do_not_believe_servers(void **state)
{
    struct sasl_client c;
    struct buf out;
    const char *why = "";
    bool initial = false;
    struct sasl_login login = {.user = SLICE("user"), .prepared = SLICE("p"), .nonce = "abc"};
    (void)state;
    refuses_first(NULL);
    refuses_first("r=abc,s=QSXCR+Q6sek8bf92,i=4096");       /* our nonce alone */
    refuses_first("r=xyzdef,s=QSXCR+Q6sek8bf92,i=4096");    /* another's */
    refuses_first("r=abcdef,s=QSXCR+Q6sek8bf92,i=1");       /* gives the password away */
    refuses_first("r=abcdef,s=QSXCR+Q6sek8bf92,i=4000000"); /* keeps us busy */
    refuses_first("r=abcdef,s=QSXCR+Q6sek8bf92,i=-4096");
    refuses_first("r=abcdef,s=%,i=4096");
    refuses_first("r=abcdef,s=,i=4096");
    refuses_first("m=ext,r=abcdef,s=QSXCR+Q6sek8bf92,i=4096");
    refuses_first("s=QSXCR+Q6sek8bf92,r=abcdef,i=4096");
    refuses_first("e=unknown-user");
    /* A server that does not know the password takes any proof, and can't show its own. */
    buf_init(&out, 4096);
    assert_int_equal(sasl_client_start(&c, &sasl_client_scram_sha_1, &login, &out, &initial, &why),
                     OK);
    assert_int_equal(
        sasl_client_respond(&c, SLICE("r=abcdef,s=QSXCR+Q6sek8bf92,i=4096"), &out, &why), OK);
    assert_int_equal(sasl_client_respond(&c, SLICE("v=rmF9pqV8S7suAoZWja4dJRkFsKQ="), &out, &why),
                     INVALID);
    assert_int_equal(sasl_client_finish(&c, &why), INVALID);
    buf_release(&out);
}

static void clients_show_tokens(void **state)
{
    static const struct {
        const char *name, *says, *dummy;
    } cases[] = {{"XOAUTH2", "user=a@x.test\1auth=Bearer tok\1\1", ""},
                 {"OAUTHBEARER", "n,a=a@x.test,\1auth=Bearer tok\1\1", "\1"}};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct sasl_client c;
        struct buf out;
        const char *why = "";
        bool initial = false;
        struct sasl_login login = {.user = SLICE("a@x.test"), .password = SLICE("tok")};
        const struct sasl_client_mechanism *m = sasl_client_find(slice_cstr(cases[i].name));
        buf_init(&out, 4096);
        assert_int_equal(sasl_client_start(&c, m, &login, &out, &initial, &why), OK);
        assert_true(initial && slice_is(buf_slice(&out), cases[i].says));
        struct sasl s;
        assert_int_equal(
            sasl_begin(&s, sasl_find(slice_cstr(m->name)), true, buf_slice(&out), NULL),
            SASL_CHECK_TOKEN);
        assert_true(slice_is(sasl_token(&s), "tok"));
        sasl_end(&s);
        buf_reset(&out);
        assert_int_equal(sasl_client_respond(&c, SLICE("{\"status\":\"401\"}"), &out, &why), OK);
        assert_true(slice_is(buf_slice(&out), cases[i].dummy));
        assert_int_equal(sasl_client_respond(&c, SLICE("x"), &out, &why), INVALID);
        login.password = SLICE("t\1auth=Bearer other");
        assert_int_equal(sasl_client_start(&c, m, &login, &out, &initial, &why), INVALID);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_with_and_without_initial_response),
        cmocka_unit_test(plain_refuses_what_is_not_its_syntax),
        cmocka_unit_test(login_asks_twice),
        cmocka_unit_test(login_takes_the_name_as_initial_response),
        cmocka_unit_test(unknown_mechanisms_are_not_found),
        cmocka_unit_test(cram_md5_vector),
        cmocka_unit_test(cram_md5_syntax),
        cmocka_unit_test(hmac_md5_vectors),
        cmocka_unit_test(scram_sha_1_vector),
        cmocka_unit_test(scram_sha_256_vector),
        cmocka_unit_test(scram_takes_no_changed_proof),
        cmocka_unit_test(scram_syntax),
        cmocka_unit_test(plus_binds_to_the_channel),
        cmocka_unit_test(a_downgrade_is_noticed),
        cmocka_unit_test(external_is_the_certificates_name),
        cmocka_unit_test(anonymous_has_an_account),
        cmocka_unit_test(bearer_tokens),
        cmocka_unit_test(broken_bearers),
        cmocka_unit_test(clients_log_in_to_our_servers),
        cmocka_unit_test(clients_bind_to_the_channel),
        cmocka_unit_test(client_scram_vector),
        cmocka_unit_test(clients_do_not_believe_servers),
        cmocka_unit_test(clients_show_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
