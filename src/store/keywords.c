/* keywords.c: the names of a mailbox's keywords: at most 64, each with a bit for life. The table is
 * immutable and shared by views; a new name makes a new table. */
#include <stdlib.h>

#include "base/cursor.h"
#include "store/internal.h"

struct keywords *keywords_new(void)
{
    struct keywords *k = calloc(1, sizeof *k);
    if (k)
        atomic_init(&k->refs, 1);
    return k;
}

struct keywords *keywords_ref(struct keywords *k)
{
    atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
    return k;
}

void keywords_unref(struct keywords *k)
{
    if (!k || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t i = 0; i < k->n; i++)
        free((char *)k->names[i].data);
    free(k);
}

static enum result add_name(struct keywords *k, struct slice name)
{
    if (k->n == KEYWORDS_MAX)
        return LIMIT;
    char *copy = malloc(name.len + 1);
    if (!copy)
        return FAILED;
    memcpy(copy, name.data, name.len);
    copy[name.len] = '\0';
    k->names[k->n++] = slice_of(copy, name.len);
    return OK;
}

/* RFC 3501 9: flag-keyword = atom. */
static bool is_keyword(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c <= ' ' || c >= 0x7f || memchr("(){%*\"\\]", c, 8))
            return false;
    }
    return name.len > 0;
}

static bool find_name(const struct keywords *k, struct slice name, uint32_t *ret)
{
    for (uint32_t i = 0; k && i < k->n; i++) {
        if (slice_eq_nocase(k->names[i], name)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

enum result keyword_bit(struct mailbox *m, struct slice name, uint32_t *ret)
{
    if (!is_keyword(name))
        return INVALID;
    if (name.len > KEYWORD_LENGTH_MAX)
        return LIMIT;
    if (find_name(m->keywords, name, ret))
        return OK;
    struct keywords *k = keywords_new();
    enum result r = k ? OK : FAILED;
    for (uint32_t i = 0; r == OK && m->keywords && i < m->keywords->n; i++)
        r = add_name(k, m->keywords->names[i]);
    if (r == OK)
        r = add_name(k, name);
    if (r != OK) {
        keywords_unref(k);
        return r;
    }
    keywords_unref(m->keywords);
    m->keywords = k;
    m->keywords_dirty = true;
    *ret = k->n - 1;
    return OK;
}

enum result mailbox_keyword(struct mailbox *m, struct slice name, uint32_t *ret_bit)
{
    enum result r = account_enter(m->account);
    if (r != OK)
        return r;
    r = keyword_bit(m, name, ret_bit);
    account_leave(m->account);
    return r;
}

void keywords_encode(const struct keywords *k, struct buf *out)
{
    buf_putc(out, STORE_FORMAT);
    for (uint32_t i = 0; i < k->n; i++) {
        buf_putc(out, (char)k->names[i].len);
        buf_append(out, k->names[i]);
    }
}

enum result keywords_decode(struct slice value, struct keywords **ret)
{
    struct cursor c = cursor_of(value);
    if (cursor_u8(&c) != STORE_FORMAT)
        return CORRUPT;
    struct keywords *k = keywords_new();
    enum result r = k ? OK : FAILED;
    while (r == OK && cursor_ok(&c) && !cursor_at_end(&c)) {
        struct slice name = cursor_take(&c, cursor_u8(&c));
        r = cursor_ok(&c) && is_keyword(name) ? add_name(k, name) : CORRUPT;
    }
    if (r == OK)
        *ret = k;
    else
        keywords_unref(k);
    return r;
}
