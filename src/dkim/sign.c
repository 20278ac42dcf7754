#include "dkim/sign.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "mime/encoding.h"

enum { FIELD_MAX = 32 * 1024, INPUT_MAX = DKIM_FIELDS_BYTES_MAX + FIELD_MAX, LINE = 72 };
static const struct slice field_name = {"DKIM-Signature", 14};

struct signer {
    char *domain, *selector;
    struct dkim_key *key;
};

struct dkim_keys {
    atomic_uint refs;
    size_t n;
    struct signer items[DKIM_KEYS_MAX];
};

enum result dkim_keys_new(struct dkim_keys **ret)
{
    struct dkim_keys *k = calloc(1, sizeof *k);
    if (!k)
        return FAILED;
    atomic_init(&k->refs, 1);
    *ret = k;
    return OK;
}

struct dkim_keys *dkim_keys_ref(struct dkim_keys *k)
{
    if (k)
        atomic_fetch_add(&k->refs, 1);
    return k;
}

static void free_signer(struct signer *s)
{
    free(s->domain);
    free(s->selector);
    dkim_key_free(s->key);
}

void dkim_keys_unref(struct dkim_keys *k)
{
    if (!k || atomic_fetch_sub(&k->refs, 1) != 1)
        return;
    for (size_t i = 0; i < k->n; i++)
        free_signer(&k->items[i]);
    free(k);
}

enum result dkim_keys_add(struct dkim_keys *k, struct slice domain, struct slice selector,
                          struct dkim_key *key)
{
    struct signer s = {strndup(domain.data, domain.len), strndup(selector.data, selector.len), key};
    if (!s.domain || !s.selector || k->n == DKIM_KEYS_MAX) {
        enum result r = k->n == DKIM_KEYS_MAX ? LIMIT : FAILED;
        free_signer(&s);
        return r;
    }
    k->items[k->n++] = s;
    return OK;
}

/* A list of words with colons between them, folded so that lines stay short. */
static void put_folded(struct buf *out, struct slice words)
{
    size_t line = 0;
    while (words.len) {
        size_t n = slice_find(words, ':');
        n = n < words.len ? n + 1 : words.len;
        if (line && line + n > LINE) {
            buf_puts(out, "\r\n\t");
            line = 0;
        }
        buf_append(out, slice_sub(words, 0, n));
        line += n;
        words = slice_from(words, n);
    }
}

/* Everything of the field's body up to the signature itself. */
static void put_tags(const struct signer *s, const struct dkim_parts *p, int64_t now,
                     struct buf *out)
{
    buf_printf(out, " v=1; a=%s; c=relaxed/relaxed; d=%s;\r\n\ts=%s; t=%lld;\r\n\th=",
               dkim_algorithm_name(dkim_key_algorithm(s->key)), s->domain, s->selector,
               (long long)now);
    put_folded(out, p->names);
    buf_puts(out, ";\r\n\tbh=");
    base64_encode(p->body_hash, out);
    buf_puts(out, ";\r\n\tb=");
}

static void put_signature(struct slice signature, struct buf *out)
{
    struct buf text;
    buf_init(&text, FIELD_MAX);
    base64_encode(signature, &text);
    for (struct slice rest = buf_slice(&text); rest.len; rest = slice_from(rest, LINE)) {
        buf_append(out, slice_sub(rest, 0, LINE));
        if (rest.len > LINE)
            buf_puts(out, "\r\n\t");
    }
    buf_puts(out, "\r\n");
    buf_release(&text);
}

static enum result sign_one(const struct signer *s, const struct dkim_parts *p, int64_t now,
                            struct buf *out)
{
    struct buf tags, input, signature;
    buf_init(&tags, FIELD_MAX);
    buf_init(&input, INPUT_MAX);
    buf_init(&signature, FIELD_MAX);
    put_tags(s, p, now, &tags);
    buf_append(&input, p->fields);
    dkim_canon_field(field_name, buf_slice(&tags), &input);
    enum result r = buf_ok(&tags) && buf_ok(&input)
                        ? dkim_key_sign(s->key, buf_slice(&input), &signature)
                        : FAILED;
    if (r == OK) {
        buf_append(out, field_name);
        buf_putc(out, ':');
        buf_append(out, buf_slice(&tags));
        put_signature(buf_slice(&signature), out);
    }
    buf_release(&tags);
    buf_release(&input);
    buf_release(&signature);
    return r == OK && !buf_ok(out) ? FAILED : r;
}

static enum result sign_for(const struct dkim_keys *k, struct slice domain,
                            const struct dkim_parts *p, int64_t now, struct buf *out, size_t *ret_n)
{
    enum result r = OK;
    *ret_n = 0;
    for (size_t i = 0; i < k->n && r == OK && *ret_n < DKIM_SIGNATURES_MAX; i++) {
        if (!slice_is_nocase(domain, k->items[i].domain))
            continue;
        r = sign_one(&k->items[i], p, now, out);
        ++*ret_n;
    }
    return r;
}

enum result dkim_sign(const struct dkim_keys *k, const struct dkim_parts *p, int64_t now,
                      struct buf *out, size_t *ret_n)
{
    size_t before = buf_len(out), n = 0;
    enum result r = OK;
    for (struct slice d = p->domain; d.len && n == 0 && r == OK;) {
        r = sign_for(k, d, p, now, out, &n);
        size_t dot = slice_find(d, '.');
        d = dot < d.len ? slice_from(d, dot + 1) : SLICE_NONE;
    }
    if (r != OK)
        buf_truncate(out, before);
    else
        *ret_n = n;
    return r;
}
