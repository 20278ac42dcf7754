/* mbox.c: mbox files, with what Dovecot, UW imapd and qpopper write into headers: Status, X-Status,
 * X-Keywords, X-UID, X-IMAP, X-UIDL. Those lines are taken out of the message: clients never saw
 * them. Lines ">From " stay as they are, as Dovecot leaves them. */
#include <dirent.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/import/import.h"
#include "mime/date.h"
#include "mime/utf7.h"
#include "store/store.h"

enum {
    NAME_BYTES = 1000,
    DEPTH_MAX = 16,
    FOLDERS_MAX = 10000,
    EQUAL_MAX = 10000,
    LINE_BYTES = 1000
};

/* ---- messages ---- */

/* "Tue Nov 24 08:00:00 [ZONE] 2026 [ZONE]", as asctime writes it, to seconds. */
static bool parse_asctime(struct slice text, int64_t *ret)
{
    struct slice words[8];
    size_t n = 0;
    while (text.data && n < 8) {
        struct slice w = slice_split(&text, ' ');
        if (w.len)
            words[n++] = w;
    }
    if (n < 5)
        return false;
    bool zone_first = !ascii_digit(words[4].data[0]) || words[4].len != 4;
    struct slice year = zone_first && n > 5 ? words[5] : words[4];
    struct slice zone = zone_first ? words[4] : n > 5 ? words[5] : SLICE("+0000");
    char mail[128]; /* the form of RFC 5322 */
    int len = snprintf(mail, sizeof mail, "%.*s, %.*s %.*s %.*s %.*s %.*s", SLICE_ARG(words[0]),
                       SLICE_ARG(words[2]), SLICE_ARG(words[1]), SLICE_ARG(year),
                       SLICE_ARG(words[3]), SLICE_ARG(zone));
    return len > 0 && (size_t)len < sizeof mail && date_parse(slice_cstr(mail), ret, NULL) == OK;
}

/* "From sender date": the date begins at a week day. A line without a date begins no message. */
static bool parse_from_line(struct slice line, int64_t *ret_date)
{
    static const char days[] = "MonTueWedThuFriSatSun";
    if (!slice_starts(line, SLICE("From ")) || line.len > LINE_BYTES)
        return false;
    for (size_t at = 4; at + 4 < line.len; at++) {
        if (line.data[at] != ' ')
            continue;
        for (size_t d = 0; d < 7; d++)
            if (memcmp(line.data + at + 1, days + d * 3, 3) == 0 &&
                parse_asctime(slice_from(line, at + 1), ret_date))
                return true;
    }
    return false;
}

static struct slice take_line(struct slice *rest)
{
    struct slice line = slice_split(rest, '\n');
    if (!rest->data)
        *rest = slice_of(line.data + line.len, 0);
    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Where the next "From " line begins that follows an empty line, or the end. */
static size_t find_end(struct slice text)
{
    bool after_empty = true; /* a message may be empty */
    int64_t date;
    for (struct slice rest = text; rest.len;) {
        size_t at = (size_t)(rest.data - text.data);
        struct slice line = take_line(&rest);
        if (after_empty && parse_from_line(line, &date))
            return at;
        after_empty = line.len == 0;
    }
    return text.len;
}

static size_t header_length(struct slice text)
{
    for (struct slice rest = text; rest.len;)
        if (take_line(&rest).len == 0)
            return (size_t)(rest.data - text.data);
    return text.len;
}

/* The empty line before the next message is the mbox's, not the message's. */
static struct slice without_last_empty_line(struct slice s)
{
    if (s.len >= 2 && s.data[s.len - 1] == '\n' && s.data[s.len - 2] == '\n')
        s.len--;
    else if (s.len >= 4 && memcmp(s.data + s.len - 4, "\r\n\r\n", 4) == 0)
        s.len -= 2;
    return s;
}

bool mbox_next(struct slice *rest, struct mbox_message *ret)
{
    struct slice text = *rest;
    while (text.len && (text.data[0] == '\n' || text.data[0] == '\r'))
        text = slice_from(text, 1);
    struct mbox_message m = {0};
    m.from_line = text.len ? take_line(&text) : SLICE("");
    if (!parse_from_line(m.from_line, &m.date))
        return false;
    size_t end = find_end(text);
    struct slice whole = slice_sub(text, 0, end);
    size_t header = header_length(whole);
    m.header = slice_sub(whole, 0, header);
    m.body = without_last_empty_line(slice_from(whole, header));
    *rest = slice_from(text, end);
    *ret = m;
    return true;
}

/* ---- what stands in headers ---- */

struct file {
    struct import_sink *sink;
    const struct import_options *options;
    const char *path;
    uint32_t uidvalidity, uidnext;
    struct map seen; /* origins, so that equal messages get different ones */
    struct arena mem;
};

struct found {
    struct import_message message;
    struct buf bytes, keywords, uidl;
    bool pseudo; /* Dovecot's and UW imapd's own, not a message */
};

static void found_init(struct found *f)
{
    *f = (struct found){0};
    buf_init(&f->bytes, IMPORT_MESSAGE_MAX);
    buf_init(&f->keywords, 8192);
    buf_init(&f->uidl, 256);
}

static void found_release(struct found *f)
{
    buf_release(&f->bytes);
    buf_release(&f->keywords);
    buf_release(&f->uidl);
}

static void take_status(struct slice value, struct import_message *m)
{
    static const struct {
        char letter;
        uint8_t flag;
    } flags[] = {{'R', FLAG_SEEN},
                 {'A', FLAG_ANSWERED},
                 {'F', FLAG_FLAGGED},
                 {'D', FLAG_DELETED},
                 {'T', FLAG_DRAFT}};
    for (size_t i = 0; i < value.len; i++)
        for (size_t k = 0; k < sizeof flags / sizeof *flags; k++)
            m->flags |= value.data[i] == flags[k].letter ? flags[k].flag : 0;
}

static uint32_t number(struct slice s)
{
    uint64_t n;
    return slice_parse_u64(s, UINT32_MAX, &n) == OK ? (uint32_t)n : 0;
}

/* "X-IMAPbase: UIDVALIDITY LASTUID keywords". */
static void take_base(struct file *f, struct slice value)
{
    f->uidvalidity = number(slice_split(&value, ' '));
    uint32_t last = value.data ? number(slice_split(&value, ' ')) : 0;
    f->uidnext = last && last < UINT32_MAX ? last + 1 : f->uidnext;
}

/* True when the field is the store's, not the sender's: it is left out. */
static bool take_field(struct file *f, struct found *to, struct slice name, struct slice value)
{
    if (slice_is_nocase(name, "Status") || slice_is_nocase(name, "X-Status"))
        take_status(value, &to->message);
    else if (slice_is_nocase(name, "X-Keywords"))
        buf_append(&to->keywords, value);
    else if (slice_is_nocase(name, "X-UID"))
        to->message.uid = number(value);
    else if (slice_is_nocase(name, "X-UIDL"))
        buf_append(&to->uidl, value);
    else if (slice_is_nocase(name, "X-IMAP") || slice_is_nocase(name, "X-IMAPbase"))
        take_base(f, value);
    else if (!slice_is_nocase(name, "Content-Length"))
        return false;
    to->pseudo |= slice_is_nocase(name, "X-IMAP");
    return true;
}

/* A field with its continuation lines, cut off *rest. */
static struct slice take_raw_field(struct slice *rest)
{
    struct slice at = *rest;
    take_line(rest);
    while (rest->len && (rest->data[0] == ' ' || rest->data[0] == '\t'))
        take_line(rest);
    return slice_sub(at, 0, (size_t)(rest->data - at.data));
}

static void take_header(struct file *f, struct found *to, struct slice header)
{
    while (header.len) {
        struct slice raw = take_raw_field(&header);
        size_t colon = slice_find(raw, ':');
        bool ours = colon != SIZE_MAX && take_field(f, to, slice_trim(slice_sub(raw, 0, colon)),
                                                    slice_trim(slice_from(raw, colon + 1)));
        if (!ours)
            crlf_append(&to->bytes, raw);
    }
}

/* ---- one message ---- */

/* By what it is, and how many equal ones came before: the same in a repeated import. */
static struct slice origin_of(struct file *f, struct slice bytes)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    char hex[2 * 16 + 1];
    SHA256((const unsigned char *)bytes.data, bytes.len, digest);
    for (size_t i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    for (unsigned nth = 0; nth < EQUAL_MAX; nth++) {
        char *text = arena_printf(&f->mem, "mbox:%s:%u", hex, nth);
        enum result r = text ? map_put(&f->seen, slice_cstr(text), f) : FAILED;
        if (r == OK)
            return slice_cstr(text);
        if (r != EXISTS)
            break;
    }
    return SLICE("");
}

static bool send_message(struct file *f, const struct mbox_message *m, struct found *to)
{
    take_header(f, to, m->header);
    if (to->pseudo)
        return true;
    crlf_append(&to->bytes, m->body);
    to->message.bytes = buf_slice(&to->bytes);
    to->message.date = m->date > 0 ? m->date : 1;
    to->message.keywords = buf_slice(&to->keywords);
    to->message.origin = origin_of(f, to->message.bytes);
    if (buf_len(&to->uidl) == 0 && f->uidvalidity &&
        !uidl_format(f->options->uidl_format, to->message.uid, f->uidvalidity, SLICE(""),
                     &to->uidl))
        buf_reset(&to->uidl);
    to->message.uidl = buf_slice(&to->uidl);
    if (to->message.origin.len && buf_ok(&to->bytes))
        return import_message(f->sink, &to->message);
    import_failed(f->sink, f->path, "a message is larger than 1 GiB, or memory is short");
    return true;
}

static bool send_next(struct file *f, const struct mbox_message *m)
{
    struct found to;
    found_init(&to);
    bool ok = send_message(f, m, &to);
    found_release(&to);
    return ok;
}

/* ---- one file ---- */

/* UIDVALIDITY stands in the first message: it is wanted before the folder begins. */
static size_t look_ahead(struct file *f, struct slice text)
{
    struct mbox_message m;
    struct found to;
    size_t n = 0;
    found_init(&to);
    for (struct slice rest = text; mbox_next(&rest, &m); n++)
        if (n == 0)
            take_header(f, &to, m.header);
    found_release(&to);
    return to.pseudo ? n - 1 : n;
}

static bool send_text(struct file *f, struct slice name, struct slice text, bool subscribed)
{
    struct mbox_message m;
    size_t n = look_ahead(f, text);
    if (n == 0 && slice_trim(text).len && !f->uidvalidity) {
        import_failed(f->sink, f->path,
                      "no mbox: it does not begin with a line \"From sender date\"");
        return true;
    }
    struct import_folder folder = {.name = name,
                                   .uidvalidity = f->uidvalidity,
                                   .uidnext = f->uidnext,
                                   .attrs = subscribed ? MAILBOX_SUBSCRIBED : 0,
                                   .messages = n};
    bool ok = import_folder_begin(f->sink, &folder);
    while (ok && mbox_next(&text, &m))
        ok = send_next(f, &m);
    return ok && import_folder_end(f->sink);
}

static bool send_file(struct import_sink *s, const struct import_options *o, const char *path,
                      struct slice name, bool subscribed)
{
    struct file f = {.sink = s, .options = o, .path = path};
    const char *why;
    struct buf text;
    buf_init(&text, IMPORT_MESSAGE_MAX);
    map_init(&f.seen, 10000000);
    arena_init(&f.mem, (size_t)1 << 30);
    bool ok = true;
    if (file_read(path, &text, &why))
        ok = send_text(&f, name, buf_slice(&text), subscribed);
    else
        import_failed(s, path, why);
    buf_release(&text);
    map_release(&f.seen);
    arena_release(&f.mem);
    return ok;
}

/* ---- folders of files ---- */

struct walk {
    struct import_sink *sink;
    const struct import_options *options;
    struct map subscribed;
    size_t folders;
};

static void take_subscription(void *arg, struct slice line)
{
    struct walk *w = arg;
    struct buf name;
    buf_init(&name, NAME_BYTES);
    if (imap_utf7_decode(line, &name) != OK)
        buf_append(&name, line);
    if (map_put(&w->subscribed, buf_slice(&name), w) == FAILED)
        import_note(w->sink, ".subscriptions", "no memory for a subscription");
    buf_release(&name);
}

static void read_subscriptions(struct walk *w, const char *path)
{
    char file[PATH_BYTES];
    const char *why;
    struct buf text;
    buf_init(&text, 1 << 20);
    if (path_join(file, path, ".subscriptions") && file_read(file, &text, &why))
        subscriptions_parse(buf_slice(&text), take_subscription, w);
    buf_release(&text);
}

static bool walk_folder(struct walk *w, const char *path, const char *prefix, unsigned depth);

static bool send_named(struct walk *w, const char *path, const char *relative, unsigned depth)
{
    struct stat st;
    struct buf name;
    char deeper[PATH_BYTES];
    if (stat(path, &st) != 0)
        return true;
    if (S_ISDIR(st.st_mode)) {
        int n = snprintf(deeper, sizeof deeper, "%s/", relative);
        return n >= PATH_BYTES || walk_folder(w, path, deeper, depth + 1);
    }
    if (!S_ISREG(st.st_mode) || ++w->folders > FOLDERS_MAX)
        return true;
    buf_init(&name, NAME_BYTES);
    if (imap_utf7_decode(slice_cstr(relative), &name) != OK)
        buf_append(&name, slice_cstr(relative));
    bool ok = true;
    if (buf_ok(&name))
        ok = send_file(w->sink, w->options, path, buf_slice(&name),
                       map_get(&w->subscribed, buf_slice(&name)));
    else
        import_failed(w->sink, path, "its name is too long for a mailbox");
    buf_release(&name);
    return ok;
}

static bool walk_folder(struct walk *w, const char *path, const char *prefix, unsigned depth)
{
    struct dirent **list;
    if (depth > DEPTH_MAX) {
        import_failed(w->sink, path, "folders are nested too deeply");
        return true;
    }
    int n = list_names(path, &list);
    if (n < 0)
        import_failed(w->sink, path, "can't be listed");
    bool ok = true;
    for (int i = 0; i < n; i++) {
        char file[PATH_BYTES], relative[PATH_BYTES];
        const char *name = list[i]->d_name;
        int len = snprintf(relative, sizeof relative, "%s%s", prefix, name);
        if (ok && name[0] != '.' && len < PATH_BYTES && path_join(file, path, name))
            ok = send_named(w, file, relative, depth);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return ok;
}

bool import_mbox(struct import_sink *s, const char *path, const struct import_options *o)
{
    struct stat st;
    struct walk w = {.sink = s, .options = o};
    bool folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    bool ok = true;
    map_init(&w.subscribed, FOLDERS_MAX);
    if (folder)
        read_subscriptions(&w, path);
    if (o->inbox)
        ok = send_file(s, o, o->inbox, SLICE("INBOX"), true);
    if (ok && folder)
        ok = walk_folder(&w, path, "", 0);
    else if (ok && (!o->inbox || stat(path, &st) == 0))
        ok = send_file(s, o, path, slice_cstr(o->mailbox ? o->mailbox : "INBOX"), true);
    map_release(&w.subscribed);
    return ok;
}
