#include "store/keys.h"

#include "base/cursor.h"

static void add(struct key *k, const void *bytes, size_t n)
{
    memcpy(k->bytes + k->len, bytes, n);
    k->len += n;
}

static void add_letter(struct key *k, char letter)
{
    k->bytes[k->len++] = letter;
}

static void add_be64(struct key *k, uint64_t n)
{
    uint64_t be = __builtin_bswap64(n);
    add(k, &be, sizeof be);
}

static void add_be32(struct key *k, uint32_t n)
{
    uint32_t be = __builtin_bswap32(n);
    add(k, &be, sizeof be);
}

static struct key key_of(char letter, uint64_t id)
{
    struct key k = {0};
    add_letter(&k, letter);
    add_be64(&k, id);
    return k;
}

struct key key_format(void)
{
    struct key k = {0};
    add_letter(&k, 'f');
    return k;
}

struct key key_account_prefix(uint64_t account)
{
    return key_of('c', account);
}

static struct key key_in_account(uint64_t account, char kind, uint64_t mailbox)
{
    struct key k = key_of('c', account);
    add_letter(&k, kind);
    add_be64(&k, mailbox);
    return k;
}

struct key key_head(uint64_t account, uint64_t mailbox)
{
    return key_in_account(account, 'h', mailbox);
}

struct key key_keywords(uint64_t account, uint64_t mailbox)
{
    return key_in_account(account, 'k', mailbox);
}

struct key key_entries(uint64_t mailbox)
{
    return key_of('e', mailbox);
}

static struct key key_of_uid(char letter, uint64_t mailbox, uint32_t uid)
{
    struct key k = key_of(letter, mailbox);
    add_be32(&k, uid);
    return k;
}

struct key key_entry(uint64_t mailbox, uint32_t uid)
{
    return key_of_uid('e', mailbox, uid);
}

struct key key_message(uint64_t message)
{
    return key_of('m', message);
}

struct key key_references(uint64_t message)
{
    return key_of('r', message);
}

struct key key_reference(uint64_t message, uint64_t mailbox, uint32_t uid)
{
    struct key k = key_of('r', message);
    add_letter(&k, 'm');
    add_be64(&k, mailbox);
    add_be32(&k, uid);
    return k;
}

struct key key_maybe_dead(uint64_t message)
{
    return key_of('d', message);
}

struct key key_tombstones(uint64_t mailbox)
{
    return key_of('x', mailbox);
}

struct key key_tombstone(uint64_t mailbox, uint64_t modseq)
{
    struct key k = key_of('x', mailbox);
    add_be64(&k, modseq);
    return k;
}

struct key key_dead_mailbox(uint64_t mailbox)
{
    return key_of('z', mailbox);
}

struct key key_uidls(uint64_t mailbox)
{
    return key_of('u', mailbox);
}

struct key key_uidl(uint64_t mailbox, uint32_t uid)
{
    return key_of_uid('u', mailbox, uid);
}

struct key key_origins(uint64_t mailbox)
{
    return key_of('i', mailbox);
}

struct key key_annotations(uint64_t object)
{
    return key_of('o', object);
}

void key_origin(struct buf *out, uint64_t mailbox, struct slice origin)
{
    struct key k = key_origins(mailbox);
    buf_append(out, key_slice(&k));
    buf_append(out, origin);
}

void key_account(struct buf *out, struct slice name)
{
    buf_putc(out, 'a');
    buf_append(out, name);
}

void key_folder(struct buf *out, uint64_t account, struct slice name)
{
    struct key k = key_of('c', account);
    add_letter(&k, 'n');
    buf_append(out, key_slice(&k));
    buf_append(out, name);
}

void key_holder(struct buf *out, uint64_t message, struct slice holder)
{
    struct key k = key_of('r', message);
    add_letter(&k, 'h');
    buf_append(out, key_slice(&k));
    buf_append(out, holder);
}

/* ---- records ---- */

static void put_version(struct buf *out)
{
    buf_putc(out, STORE_FORMAT);
}

static struct cursor open_record(struct slice value)
{
    struct cursor c = cursor_of(value);
    if (cursor_u8(&c) != STORE_FORMAT)
        cursor_fail(&c);
    return c;
}

static uint64_t zigzag(int64_t n)
{
    return ((uint64_t)n << 1) ^ (uint64_t)(n >> 63);
}

static int64_t unzigzag(uint64_t n)
{
    return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

static uint32_t take_u32(struct cursor *c)
{
    uint64_t n = cursor_varint(c);
    if (n > UINT32_MAX)
        cursor_fail(c);
    return (uint32_t)n;
}

void head_encode(const struct head *h, struct buf *out)
{
    put_version(out);
    buf_put_varint(out, h->uidvalidity);
    buf_put_varint(out, h->uidnext);
    buf_put_varint(out, h->modseq);
    buf_put_varint(out, h->count);
    buf_put_varint(out, h->unseen);
    buf_put_varint(out, h->bytes);
    buf_put_varint(out, h->tombstones);
    buf_put_varint(out, h->tombstone_floor);
    buf_put_varint(out, zigzag(h->tombstone_oldest));
}

enum result head_decode(struct slice value, struct head *ret)
{
    struct cursor c = open_record(value);
    struct head h = {0};
    h.uidvalidity = take_u32(&c);
    h.uidnext = take_u32(&c);
    h.modseq = cursor_varint(&c);
    h.count = take_u32(&c);
    h.unseen = take_u32(&c);
    h.bytes = cursor_varint(&c);
    h.tombstones = take_u32(&c);
    h.tombstone_floor = cursor_varint(&c);
    h.tombstone_oldest = unzigzag(cursor_varint(&c));
    if (!cursor_done(&c) || h.uidnext == 0)
        return CORRUPT;
    *ret = h;
    return OK;
}

void entry_encode(const struct entry *e, struct buf *out)
{
    put_version(out);
    buf_putc(out, (char)e->flags);
    buf_put_varint(out, e->keywords);
    buf_put_varint(out, e->modseq);
    buf_put_varint(out, zigzag(e->internaldate));
    buf_put_varint(out, e->size);
    buf_put_le64(out, e->message);
    if (e->savedate)
        buf_put_varint(out, zigzag(e->savedate));
}

enum result entry_decode(struct slice value, uint32_t uid, struct entry *ret)
{
    struct cursor c = open_record(value);
    struct entry e = {.uid = uid};
    e.flags = cursor_u8(&c);
    e.keywords = cursor_varint(&c);
    e.modseq = cursor_varint(&c);
    e.internaldate = unzigzag(cursor_varint(&c));
    e.size = cursor_varint(&c);
    e.message = cursor_le64(&c);
    /* Entries from before it was kept end here. */
    if (!cursor_at_end(&c))
        e.savedate = unzigzag(cursor_varint(&c));
    if (!cursor_done(&c))
        return CORRUPT;
    *ret = e;
    return OK;
}

void account_record_encode(const struct account_record *r, struct buf *out)
{
    put_version(out);
    buf_putc(out, r->deleted);
    buf_put_le64(out, r->id);
    buf_put_varint(out, r->last_uidvalidity);
}

enum result account_record_decode(struct slice value, struct account_record *ret)
{
    struct cursor c = open_record(value);
    struct account_record r;
    r.deleted = cursor_u8(&c) != 0;
    r.id = cursor_le64(&c);
    r.last_uidvalidity = take_u32(&c);
    if (!cursor_done(&c))
        return CORRUPT;
    *ret = r;
    return OK;
}

void folder_record_encode(const struct folder_record *r, struct buf *out)
{
    put_version(out);
    buf_put_varint(out, r->attrs);
    buf_put_le64(out, r->mailbox);
}

enum result folder_record_decode(struct slice value, struct folder_record *ret)
{
    struct cursor c = open_record(value);
    struct folder_record r;
    r.attrs = take_u32(&c);
    r.mailbox = cursor_le64(&c);
    if (!cursor_done(&c))
        return CORRUPT;
    *ret = r;
    return OK;
}

void message_record_encode(uint64_t size, uint64_t blob_size, const uint64_t *blobs, size_t n,
                           struct slice summary, struct buf *out)
{
    put_version(out);
    buf_put_varint(out, size);
    buf_put_varint(out, blob_size);
    buf_put_varint(out, n);
    for (size_t i = 0; i < n; i++)
        buf_put_le64(out, blobs[i]);
    buf_append(out, summary);
}

enum result message_record_decode(struct slice value, struct message_record *ret)
{
    struct cursor c = open_record(value);
    struct message_record r;
    r.size = cursor_varint(&c);
    r.blob_size = cursor_varint(&c);
    uint64_t n = cursor_varint(&c);
    if (n > c.rest.len / 8 || (n && r.blob_size == 0))
        return CORRUPT;
    if (n ? (r.size - 1) / r.blob_size + 1 != n : r.size != 0)
        return CORRUPT;
    r.n_blobs = n;
    r.blobs = cursor_take(&c, n * 8);
    r.summary = c.rest;
    if (!cursor_ok(&c))
        return CORRUPT;
    *ret = r;
    return OK;
}

uint64_t message_record_blob(const struct message_record *r, size_t i)
{
    struct cursor c = cursor_of(slice_sub(r->blobs, i * 8, 8));
    return cursor_le64(&c);
}
