/* tables.c: an account's mailboxes and names in memory, as kv holds them. Loaded when the account
 * is opened and again after each change of the names (those are rare); mailboxes that are in memory
 * keep their head, which is ahead of kv. */
#include <stdlib.h>

#include "base/cursor.h"
#include "store/internal.h"

/* What a scan gathers. */
struct scan {
    struct account *account;
    struct folder *folders;
    size_t n_folders, cap_folders;
    struct mailbox **mailboxes;
    size_t n_mailboxes, cap_mailboxes;
};

static bool grow(void *array_at, size_t *cap, size_t n, size_t size)
{
    if (n < *cap)
        return true;
    size_t more = *cap ? *cap * 2 : 8;
    void *bigger = realloc(*(void **)array_at, more * size);
    if (!bigger)
        return false;
    *(void **)array_at = bigger;
    *cap = more;
    return true;
}

static struct mailbox *find_mailbox(struct mailbox *const *list, size_t n, uint64_t id)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list[middle]->id == id)
            return list[middle];
        if (list[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static enum result scan_head(struct scan *s, uint64_t id, struct slice value)
{
    struct account *a = s->account;
    struct mailbox *m = find_mailbox(a->mailboxes, a->n_mailboxes, id);
    if (m) {
        atomic_fetch_add(&m->refs, 1);
    } else {
        struct head head;
        enum result r = head_decode(value, &head);
        if (r != OK)
            return r;
        m = mailbox_new(a, id, &head);
    }
    if (!m || !grow(&s->mailboxes, &s->cap_mailboxes, s->n_mailboxes, sizeof *s->mailboxes)) {
        if (m)
            mailbox_release(m);
        return FAILED;
    }
    s->mailboxes[s->n_mailboxes++] = m;
    return OK;
}

/* Their keys come behind those of the heads. */
static enum result scan_keywords(struct scan *s, uint64_t id, struct slice value)
{
    struct mailbox *m = find_mailbox(s->mailboxes, s->n_mailboxes, id);
    if (!m || m->keywords)
        return OK;
    return keywords_decode(value, &m->keywords);
}

static enum result scan_folder(struct scan *s, struct slice name, struct slice value)
{
    struct folder_record rec;
    enum result r = folder_record_decode(value, &rec);
    if (r != OK)
        return r;
    struct mailbox *m = find_mailbox(s->mailboxes, s->n_mailboxes, rec.mailbox);
    if (rec.mailbox && !m)
        return CORRUPT;
    char *copy = malloc(name.len + 1);
    if (!copy || !grow(&s->folders, &s->cap_folders, s->n_folders, sizeof *s->folders)) {
        free(copy);
        return FAILED;
    }
    memcpy(copy, name.data, name.len);
    s->folders[s->n_folders++] = (struct folder){slice_of(copy, name.len), rec.attrs, m};
    return OK;
}

/* A damaged record is skipped: its neighbours stay readable. */
static enum result scan_record(struct scan *s, struct slice key, struct slice value)
{
    struct cursor c = cursor_of(slice_from(key, 9));
    uint8_t kind = cursor_u8(&c);
    enum result r = CORRUPT;
    if (kind == 'n' && c.rest.len)
        r = scan_folder(s, c.rest, value);
    else if (kind == 'h' && c.rest.len == 8)
        r = scan_head(s, cursor_be64(&c), value);
    else if (kind == 'k' && c.rest.len == 8)
        r = scan_keywords(s, cursor_be64(&c), value);
    if (r == CORRUPT) {
        atomic_fetch_add(&s->account->store->damaged, 1);
        r = OK;
    }
    return r;
}

static int by_name(const void *a, const void *b)
{
    return name_cmp(((const struct folder *)a)->name, ((const struct folder *)b)->name);
}

static void free_arrays(struct folder *folders, size_t n_folders, struct mailbox **mailboxes,
                        size_t n_mailboxes)
{
    for (size_t i = 0; i < n_folders; i++)
        free((char *)folders[i].name.data);
    free(folders);
    for (size_t i = 0; i < n_mailboxes; i++)
        mailbox_release(mailboxes[i]);
    free(mailboxes);
}

void account_free_tables(struct account *a)
{
    free_arrays(a->folders, a->n_folders, a->mailboxes, a->n_mailboxes);
    a->folders = NULL;
    a->mailboxes = NULL;
    a->n_folders = a->n_mailboxes = 0;
}

static void replace_tables(struct account *a, struct scan *s)
{
    for (size_t i = 0; i < a->n_mailboxes; i++)
        if (!find_mailbox(s->mailboxes, s->n_mailboxes, a->mailboxes[i]->id))
            mailbox_die(a->mailboxes[i]);
    account_free_tables(a);
    a->folders = s->folders;
    a->n_folders = s->n_folders;
    a->mailboxes = s->mailboxes;
    a->n_mailboxes = s->n_mailboxes;
    a->bytes = a->messages = 0;
    for (size_t i = 0; i < a->n_mailboxes; i++) {
        a->bytes += a->mailboxes[i]->head.bytes;
        a->messages += a->mailboxes[i]->head.count;
    }
    a->loaded = true;
}

enum result account_load_tables(struct account *a)
{
    struct scan s = {.account = a};
    struct key prefix = key_account_prefix(a->id);
    struct kv_iter *it = kv_iter_new(a->store->kv, NULL, key_slice(&prefix), SLICE_NONE);
    if (!it)
        return FAILED;
    enum result r = OK;
    struct slice key, value;
    while (r == OK && kv_iter_next(it, &key, &value))
        r = scan_record(&s, key, value);
    enum result end = kv_iter_free(it);
    if (r == OK)
        r = end;
    if (r != OK) {
        free_arrays(s.folders, s.n_folders, s.mailboxes, s.n_mailboxes);
        return r;
    }
    if (s.n_folders)
        qsort(s.folders, s.n_folders, sizeof *s.folders, by_name);
    replace_tables(a, &s);
    return OK;
}

size_t folder_seek(const struct account *a, struct slice name, bool *ret_found)
{
    size_t low = 0, high = a->n_folders;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = name_cmp(a->folders[middle].name, name);
        if (c == 0) {
            *ret_found = true;
            return middle;
        }
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_found = false;
    return low;
}

struct folder *folder_find(const struct account *a, struct slice name)
{
    bool found;
    size_t i = folder_seek(a, name, &found);
    return found ? &a->folders[i] : NULL;
}

struct slice folder_name_of(const struct mailbox *m)
{
    const struct account *a = m->account;
    for (size_t i = 0; i < a->n_folders; i++)
        if (a->folders[i].mailbox == m)
            return a->folders[i].name;
    return SLICE("");
}
