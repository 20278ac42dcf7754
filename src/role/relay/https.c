/* https.c: see https.h. */
#include "role/relay/https.h"

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

#include "auth/library.h"

#define CURL_FUNCTIONS(F)                                                                          \
    F(curl_global_init)                                                                            \
    F(curl_easy_init)                                                                              \
    F(curl_easy_setopt)                                                                            \
    F(curl_easy_perform)                                                                           \
    F(curl_easy_getinfo)                                                                           \
    F(curl_easy_strerror)                                                                          \
    F(curl_easy_cleanup)                                                                           \
    F(curl_slist_append)                                                                           \
    F(curl_slist_free_all)

static struct api {
    CURL_FUNCTIONS(LIBRARY_POINTER)
} curl;
static bool loaded;

enum result https_load(struct error *err)
{
    static const char *const files[] = {"libcurl.so.4", NULL};
#define SYMBOL(name) {#name, offsetof(struct api, name)},
    static const struct library_symbol symbols[] = {CURL_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    enum result r =
        library_load(files, "libcurl4", symbols, sizeof symbols / sizeof *symbols, &curl, err);
    if (r == OK && curl.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        r = error_set(err, FAILED, "libcurl does not start");
    loaded = r == OK;
    return r;
}

static size_t take(char *bytes, size_t size, size_t n, void *arg)
{
    struct buf *out = arg;
    buf_append(out, slice_of(bytes, size * n));
    return buf_ok(out) ? size * n : 0;
}

/* What a request may not do is said in its options: other protocols, redirects, proxies and files
 * of the environment. */
static CURLcode set_limits(CURL *c)
{
    const struct {
        CURLoption option;
        long value;
    } numbers[] = {{CURLOPT_NOSIGNAL, 1},
                   {CURLOPT_FOLLOWLOCATION, 0},
                   {CURLOPT_SSL_VERIFYPEER, 1},
                   {CURLOPT_SSL_VERIFYHOST, 2},
                   {CURLOPT_NOPROGRESS, 1},
                   {CURLOPT_TIMEOUT, HTTPS_TIMEOUT_S},
                   {CURLOPT_FRESH_CONNECT, 1},
                   {CURLOPT_FORBID_REUSE, 1},
                   {CURLOPT_MAXREDIRS, 0},
                   {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
                   {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1}};
    const struct {
        CURLoption option;
        const char *text;
    } texts[] = {{CURLOPT_PROTOCOLS_STR, "https"},
                 {CURLOPT_PROXY, ""},
                 {CURLOPT_CAINFO, NULL},
                 {CURLOPT_CAPATH, NULL},
                 {CURLOPT_USERAGENT, "Postrider/" POSTRIDER_VERSION}};
    CURLcode r = CURLE_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && r == CURLE_OK; i++)
        r = curl.curl_easy_setopt(c, numbers[i].option, numbers[i].value);
    for (size_t i = 0; i < sizeof texts / sizeof *texts && r == CURLE_OK; i++)
        r = curl.curl_easy_setopt(c, texts[i].option, texts[i].text);
    return r;
}

static CURLcode set_request(CURL *c, const struct https_request *q, struct curl_slist *addresses,
                            struct curl_slist *headers, struct buf *out)
{
    struct curl_blob authorities = {.data = (void *)(uintptr_t)q->authorities.data,
                                    .len = q->authorities.len,
                                    .flags = CURL_BLOB_NOCOPY};
    CURLcode r = curl.curl_easy_setopt(c, CURLOPT_URL, q->url);
    if (r == CURLE_OK)
        r = curl.curl_easy_setopt(c, CURLOPT_RESOLVE, addresses);
    if (r == CURLE_OK)
        r = curl.curl_easy_setopt(c, CURLOPT_CAINFO_BLOB, &authorities);
    if (r == CURLE_OK)
        r = curl.curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
    if (r == CURLE_OK)
        r = curl.curl_easy_setopt(c, CURLOPT_WRITEDATA, out);
    if (r != CURLE_OK || !q->media_type)
        return r;
    r = curl.curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.len);
    if (r == CURLE_OK)
        r = curl.curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->body.data);
    if (r == CURLE_OK)
        r = curl.curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
    return r;
}

/* RFC 8461 3.3: a policy is text/plain, whatever parameters follow. */
static bool is_text(const char *type)
{
    const struct slice want = SLICE("text/plain");
    struct slice s = slice_cstr(type ? type : ""), rest = slice_from(s, want.len);
    return slice_starts_nocase(s, want) &&
           (rest.len == 0 || rest.data[0] == ';' || ascii_blank(rest.data[0]));
}

static enum result judge(CURL *c, const struct https_request *q, struct error *err)
{
    long status = 0;
    const char *type = NULL;
    (void)curl.curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
    (void)curl.curl_easy_getinfo(c, CURLINFO_CONTENT_TYPE, &type);
    if (q->media_type ? status / 100 != 2 : status != 200)
        return error_set(err, INVALID, "the server answers with status %ld", status);
    if (!q->media_type && !is_text(type))
        return error_set(err, INVALID, "the answer is not text/plain, but %s", type ? type : "?");
    return OK;
}

static enum result perform(CURL *c, const struct https_request *q, struct buf *out,
                           struct error *err)
{
    char why[CURL_ERROR_SIZE] = "";
    (void)curl.curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why);
    CURLcode r = curl.curl_easy_perform(c);
    (void)curl.curl_easy_setopt(c, CURLOPT_ERRORBUFFER, NULL);
    if (r == CURLE_OK)
        return judge(c, q, err);
    if (!buf_ok(out))
        return error_set(err, LIMIT, "the answer is too long");
    return error_set(err, r == CURLE_PEER_FAILED_VERIFICATION ? DENIED : FAILED, "%s",
                     why[0] ? why : curl.curl_easy_strerror(r));
}

enum result https_ask(const struct https_request *q, struct buf *out, struct error *err)
{
    char type[128];
    if (!loaded)
        return error_set(err, FAILED, "libcurl is not there");
    snprintf(type, sizeof type, "Content-Type: %s", q->media_type ? q->media_type : "");
    CURL *c = curl.curl_easy_init();
    struct curl_slist *addresses = curl.curl_slist_append(NULL, q->addresses);
    struct curl_slist *headers = curl.curl_slist_append(NULL, type);
    enum result r = FAILED;
    if (c && addresses && headers && set_limits(c) == CURLE_OK &&
        set_request(c, q, addresses, headers, out) == CURLE_OK)
        r = perform(c, q, out, err);
    else
        r = error_set(err, FAILED, "libcurl takes no such request");
    if (c)
        curl.curl_easy_cleanup(c);
    curl.curl_slist_free_all(addresses);
    curl.curl_slist_free_all(headers);
    return r;
}
