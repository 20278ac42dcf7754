/* maildir.c: a Maildir and its folders: Maildir++ (".Sent.2020" beside cur and new, names in
 * modified UTF-7) or LAYOUT=fs (folders below folders). */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/import/import.h"
#include "mime/utf7.h"
#include "store/store.h"

enum { FOLDERS_MAX = 10000, FILES_MAX = 10000000, DEPTH_MAX = 32, NAME_BYTES = 1000 };

struct walk {
    struct import_sink *sink;
    const struct import_options *options;
    const char *root;
    struct map subscribed; /* names in UTF-8 with '/' */
    size_t folders;
};

struct file {
    char *name;
    bool fresh; /* in new/ */
    uint32_t uid;
};

struct files {
    struct file *items;
    size_t n, room;
};

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- the files of one Maildir ---- */

static bool push(struct files *list, const char *name, bool fresh, uint32_t uid)
{
    if (list->n == FILES_MAX)
        return false;
    if (list->n == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        struct file *more = realloc(list->items, room * sizeof *more);
        if (!more)
            return false;
        list->items = more;
        list->room = room;
    }
    char *copy = strdup(name);
    if (!copy)
        return false;
    list->items[list->n++] = (struct file){copy, fresh, uid};
    return true;
}

static void files_free(struct files *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i].name);
    free(list->items);
}

static struct slice base_of(const char *name)
{
    struct slice s = slice_cstr(name);
    return slice_sub(s, 0, slice_find(s, ':'));
}

static bool list_files(const char *maildir, const char *sub, bool fresh, const struct uidlist *u,
                       struct files *list)
{
    char path[PATH_BYTES];
    DIR *d = path_join(path, maildir, sub) ? opendir(path) : NULL;
    bool ok = d != NULL;
    for (struct dirent *e; ok && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        const struct uid_entry *known = map_get(&u->uids, base_of(e->d_name));
        ok = push(list, e->d_name, fresh, known ? known->uid : 0);
    }
    if (d)
        closedir(d);
    return ok;
}

/* Those with a UID in its order, then the others by name, which begins with the time. */
static int by_uid(const void *a, const void *b)
{
    const struct file *x = a, *y = b;
    if (x->uid != y->uid)
        return x->uid - 1 < y->uid - 1 ? -1 : 1; /* 0 comes last */
    return strcmp(x->name, y->name);
}

/* ---- one message ---- */

/* "…:2,FRSTa": the letters behind the comma. */
static struct slice info_of(const char *name)
{
    struct slice s = slice_cstr(name);
    size_t at = slice_search(s, SLICE(":2,"));
    return at == SIZE_MAX ? SLICE("") : slice_from(s, at + 3);
}

static void take_flags(struct slice info, const struct uidlist *u, struct import_message *m,
                       struct buf *keywords)
{
    static const struct {
        char letter;
        uint8_t flag;
    } flags[] = {{'S', FLAG_SEEN},
                 {'R', FLAG_ANSWERED},
                 {'F', FLAG_FLAGGED},
                 {'T', FLAG_DELETED},
                 {'D', FLAG_DRAFT}};
    for (size_t i = 0; i < info.len; i++) {
        char c = info.data[i];
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
            m->flags |= c == flags[k].letter ? flags[k].flag : 0;
        struct slice keyword = c == 'P' ? SLICE("$Forwarded") : SLICE_NONE;
        if (c >= 'a' && c <= 'z')
            keyword = u->keywords[c - 'a'];
        if (keyword.len) {
            buf_append(keywords, keyword);
            buf_putc(keywords, ' ');
        }
    }
    m->keywords = buf_slice(keywords);
}

static void take_uidl(const struct walk *w, const struct uidlist *u, const char *name,
                      struct import_message *m, struct buf *uidl)
{
    const struct uid_entry *e = map_get(&u->uids, base_of(name));
    if (e && e->uidl.data)
        buf_append(uidl, e->uidl);
    else if (!uidl_format(w->options->uidl_format, m->uid, u->uidvalidity, base_of(name), uidl))
        buf_reset(uidl);
    m->uidl = buf_slice(uidl);
}

/* The file, read; its date is that of its last change, as Dovecot takes it. */
static bool read_message(const char *path, struct buf *raw, struct buf *bytes, int64_t *ret_date,
                         const char **ret_why)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        *ret_why = strerror(errno);
        return false;
    }
    *ret_date = st.st_mtime > 0 ? st.st_mtime : 1;
    if (!S_ISREG(st.st_mode)) {
        *ret_why = "not a file";
        return false;
    }
    if (!file_read(path, raw, ret_why))
        return false;
    crlf_append(bytes, buf_slice(raw));
    *ret_why = "larger than 1 GiB";
    return buf_ok(bytes);
}

static bool send_file(struct walk *w, const char *maildir, const struct uidlist *u,
                      const struct file *f)
{
    char folder[PATH_BYTES], path[PATH_BYTES];
    const char *why = "path too long";
    struct buf raw, bytes, uidl, keywords;
    struct import_message m = {.origin = base_of(f->name), .uid = f->uid};
    buf_init(&raw, IMPORT_MESSAGE_MAX);
    buf_init(&bytes, IMPORT_MESSAGE_MAX);
    buf_init(&uidl, 256);
    buf_init(&keywords, 4096);
    m.origin = slice_sub(m.origin, 0, IMPORT_ORIGIN_MAX);
    bool ok = true;
    if (path_join(folder, maildir, f->fresh ? "new" : "cur") && path_join(path, folder, f->name) &&
        read_message(path, &raw, &bytes, &m.date, &why)) {
        m.bytes = buf_slice(&bytes);
        take_flags(f->fresh ? SLICE("") : info_of(f->name), u, &m, &keywords);
        take_uidl(w, u, f->name, &m, &uidl);
        ok = import_message(w->sink, &m);
    } else {
        import_failed(w->sink, path, why);
    }
    buf_release(&raw);
    buf_release(&bytes);
    buf_release(&uidl);
    buf_release(&keywords);
    return ok;
}

/* ---- one folder ---- */

static bool send_folder(struct walk *w, const char *maildir, struct slice name)
{
    struct uidlist u;
    struct files files = {0};
    unsigned bad;
    uidlist_read(&u, maildir, &bad);
    if (bad)
        import_note(w->sink, maildir, "lines of its UID or keyword list were not understood");
    bool listed = list_files(maildir, "cur", false, &u, &files) &&
                  list_files(maildir, "new", true, &u, &files);
    if (!listed)
        import_failed(w->sink, maildir, "cur or new can't be listed");
    if (files.n)
        qsort(files.items, files.n, sizeof *files.items, by_uid);
    struct import_folder f = {.name = name,
                              .uidvalidity = u.uidvalidity,
                              .uidnext = u.uidnext,
                              .attrs = map_get(&w->subscribed, name) ? MAILBOX_SUBSCRIBED : 0,
                              .messages = files.n};
    bool ok = import_folder_begin(w->sink, &f);
    for (size_t i = 0; ok && i < files.n; i++)
        ok = send_file(w, maildir, &u, &files.items[i]);
    ok = ok && import_folder_end(w->sink);
    files_free(&files);
    uidlist_release(&u);
    return ok;
}

/* ---- names ---- */

/* ".Sent.2020" or "Sent.2020" to "Sent/2020": each level decoded by itself. A level that is no
 * UTF-7 is taken as it is. */
static bool decode_name(struct slice name, char separator, struct buf *out)
{
    while (name.data) {
        struct slice level = slice_split(&name, separator);
        if (level.len == 0)
            return false;
        if (buf_len(out))
            buf_putc(out, '/');
        if (imap_utf7_decode(level, out) != OK)
            buf_append(out, level);
    }
    return buf_ok(out) && buf_len(out) > 0;
}

static void take_subscription(void *arg, struct slice line)
{
    struct walk *w = arg;
    struct buf name;
    char separator = w->options->fs_layout ? '/' : '.';
    buf_init(&name, NAME_BYTES);
    if (slice_find(line, '\t') != SIZE_MAX)
        separator = '\t';
    else if (slice_starts(line, SLICE("INBOX.")))
        line = slice_from(line, 6); /* Courier */
    if (decode_name(line, separator, &name) &&
        map_put(&w->subscribed, buf_slice(&name), w) == FAILED)
        import_note(w->sink, w->root, "no memory for a subscription");
    buf_release(&name);
}

static void read_subscriptions(struct walk *w)
{
    static const char *const names[] = {"subscriptions", "courierimapsubscribed"};
    for (size_t i = 0; i < 2; i++) {
        char path[PATH_BYTES];
        const char *why;
        struct buf text;
        buf_init(&text, 1 << 20);
        if (path_join(path, w->root, names[i]) && file_read(path, &text, &why))
            subscriptions_parse(buf_slice(&text), take_subscription, w);
        buf_release(&text);
    }
}

/* ---- the walk ---- */

static bool too_many(struct walk *w, const char *path)
{
    if (++w->folders <= FOLDERS_MAX)
        return false;
    import_failed(w->sink, path,
                  "more than 10,000 folders: this one and those behind are left out");
    return true;
}

static bool is_maildir(const char *path)
{
    char cur[PATH_BYTES];
    return path_join(cur, path, "cur") && is_folder(cur);
}

static bool send_named(struct walk *w, const char *path, struct slice raw, char separator)
{
    struct buf name;
    buf_init(&name, NAME_BYTES);
    bool ok = true;
    if (decode_name(raw, separator, &name))
        ok = send_folder(w, path, buf_slice(&name));
    else
        import_failed(w->sink, path, "its name is no mailbox name");
    buf_release(&name);
    return ok;
}

static bool walk_plus(struct walk *w)
{
    struct dirent **list;
    int n = list_names(w->root, &list);
    bool ok = true;
    for (int i = 0; i < n; i++) {
        char path[PATH_BYTES];
        const char *name = list[i]->d_name;
        bool folder = name[0] == '.' && name[1] && name[1] != '.';
        if (ok && folder && path_join(path, w->root, name) && is_maildir(path) &&
            !too_many(w, path))
            ok = send_named(w, path, slice_cstr(name + 1), '.');
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return ok;
}

static bool walk_fs(struct walk *w, const char *below, const char *prefix, unsigned depth)
{
    struct dirent **list;
    char folder[PATH_BYTES];
    if (depth > DEPTH_MAX || !path_join(folder, w->root, below))
        return true;
    int n = list_names(folder, &list);
    bool ok = true;
    for (int i = 0; i < n; i++) {
        char path[PATH_BYTES], relative[PATH_BYTES];
        const char *name = list[i]->d_name;
        bool own = name[0] == '.' || strcmp(name, "cur") == 0 || strcmp(name, "new") == 0 ||
                   strcmp(name, "tmp") == 0;
        int len = snprintf(relative, sizeof relative, "%s%s", prefix, name);
        if (ok && !own && len < PATH_BYTES && path_join(path, w->root, relative) &&
            is_folder(path)) {
            bool inbox = strcmp(relative, "INBOX") == 0 && is_maildir(w->root);
            if (is_maildir(path) && !inbox && !too_many(w, path))
                ok = send_named(w, path, slice_cstr(relative), '/');
            char deeper[PATH_BYTES];
            len = snprintf(deeper, sizeof deeper, "%s/", relative);
            ok = ok && (len >= PATH_BYTES || walk_fs(w, relative, deeper, depth + 1));
        }
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return ok;
}

bool import_maildir(struct import_sink *s, const char *path, const struct import_options *o)
{
    struct walk w = {.sink = s, .options = o, .root = path};
    const char *inbox = o->inbox ? o->inbox : path;
    map_init(&w.subscribed, FOLDERS_MAX);
    read_subscriptions(&w);
    bool ok = true;
    if (is_maildir(inbox))
        ok = send_folder(&w, inbox, SLICE("INBOX"));
    else if (!is_folder(path))
        import_failed(s, path, "no Maildir here (a folder with cur and new)");
    if (ok)
        ok = o->fs_layout ? walk_fs(&w, ".", "", 0) : walk_plus(&w);
    map_release(&w.subscribed);
    return ok;
}
