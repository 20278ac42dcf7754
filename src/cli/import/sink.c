/* sink.c: sends what the sources read to the running server, several messages at a time so that
 * they share its commits, counts the answers and says how it goes. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/import/import.h"
#include "ipc/ipc.h"

enum { WINDOW = 64, WORDS_MAX = 16, BAR = 24, BAR_MS = 200 };

struct sent {
    uint64_t call;
    uint32_t uid;
    uint64_t bytes;
    char origin[IMPORT_ORIGIN_MAX + 1];
};

struct import_sink {
    int fd;
    bool quiet, bar, broken;
    char account[256];
    struct buf folder; /* name */
    size_t expected;
    struct import_counts total, here; /* here: of the folder */
    uint32_t uidvalidity, uidnext;    /* as the source has them */
    bool uidnext_passed;
    bool uids_fit; /* the server took the UIDVALIDITY */
    uint64_t last_call;
    struct sent window[WINDOW];
    size_t waiting;
    struct arena arena;
    struct buf packet;
    int64_t bar_ms;
};

struct import_sink *import_sink_open(const char *state_directory, bool quiet)
{
    struct import_sink *s = calloc(1, sizeof *s);
    if (!s) {
        cli_fail(1, "no memory");
        return NULL;
    }
    s->fd = cli_connect(state_directory);
    if (s->fd < 0) {
        free(s);
        return NULL;
    }
    s->quiet = quiet;
    s->bar = !quiet && isatty(STDERR_FILENO);
    buf_init(&s->folder, 4096);
    buf_init(&s->packet, IPC_PACKET_MAX);
    arena_init(&s->arena, 1 << 20);
    return s;
}

void import_sink_account(struct import_sink *s, struct slice account)
{
    snprintf(s->account, sizeof s->account, "%.*s", SLICE_ARG(account));
}

/* ---- what is said ---- */

static void wipe_bar(struct import_sink *s)
{
    if (s->bar)
        fputs("\r\033[K", stderr);
}

static void draw_bar(struct import_sink *s)
{
    int64_t now = clock_monotonic_ms();
    if (!s->bar || now - s->bar_ms < BAR_MS || !s->expected)
        return;
    s->bar_ms = now;
    uint64_t done = s->here.found < s->expected ? s->here.found : s->expected;
    int full = (int)(done * BAR / s->expected);
    fprintf(stderr, "\r\033[K%s %.*s [%.*s%*s] %llu/%zu", s->account,
            SLICE_ARG(buf_slice(&s->folder)), full, "########################", BAR - full, "",
            (unsigned long long)done, s->expected);
    fflush(stderr);
}

void import_note(struct import_sink *s, const char *path, const char *what)
{
    wipe_bar(s);
    fprintf(stderr, "postrider: %s: %s\n", path, what);
}

void import_failed(struct import_sink *s, const char *path, const char *why)
{
    s->here.found++;
    s->here.failed++;
    import_note(s, path, why);
}

/* ---- questions and answers ---- */

static bool give_up(struct import_sink *s, const char *why)
{
    if (!s->broken)
        import_note(s, s->account, why);
    s->broken = true;
    return false;
}

static void count_answer(struct import_sink *s, const struct sent *sent,
                         const struct ipc_CONTROL_END *end)
{
    uint64_t uid;
    if (end->status != 0) {
        s->here.failed++;
        wipe_bar(s);
        fprintf(stderr, "postrider: %s %.*s: %s: %.*s\n", s->account,
                SLICE_ARG(buf_slice(&s->folder)), sent->origin, SLICE_ARG(end->error));
    } else if (slice_is(end->error, "there")) {
        s->here.there++;
    } else {
        s->here.imported++;
        s->here.bytes += sent->bytes;
        bool kept = slice_parse_u64(end->error, UINT32_MAX, &uid) == OK && uid == sent->uid;
        s->here.new_uids += sent->uid && !(kept && s->uids_fit);
    }
}

/* The next end of a command; its slices live until the one after. */
static bool receive(struct import_sink *s, struct ipc_message *ret)
{
    arena_clear(&s->arena);
    buf_reset(&s->packet);
    if (ipc_receive_blocking(s->fd, &s->arena, &s->packet, ret) == OK &&
        ret->type == IPC_CONTROL_END)
        return true;
    return give_up(s, "the server closed the connection: start it and import again");
}

/* Waits for one answer, of whichever message. */
static bool take_answer(struct import_sink *s)
{
    struct ipc_message m;
    if (!receive(s, &m))
        return false;
    for (size_t i = 0; i < s->waiting; i++) {
        if (s->window[i].call != m.call)
            continue;
        count_answer(s, &s->window[i], &m.CONTROL_END);
        s->window[i] = s->window[--s->waiting];
        return slice_is(m.CONTROL_END.error, "the disk is nearly full") && m.CONTROL_END.status
                   ? give_up(s, "the disk is nearly full: make room and import again")
                   : true;
    }
    return give_up(s, "the server answered what was not asked");
}

static bool send_words(struct import_sink *s, struct slice *words, size_t n, int fd)
{
    struct ipc_message m = {.type = IPC_CONTROL, .call = ++s->last_call};
    m.CONTROL.words = (struct slice_list){words, n};
    m.n_fds = fd >= 0;
    m.fds[0] = fd;
    return ipc_send_blocking(s->fd, &m) == OK || give_up(s, "the server did not listen");
}

/* ---- folders ---- */

static bool adopt(struct import_sink *s, uint32_t uidnext, unsigned attrs, uint32_t *ret_validity)
{
    char validity[16], next[16], bits[16];
    snprintf(validity, sizeof validity, "%u", s->uidvalidity);
    snprintf(next, sizeof next, "%u", uidnext);
    snprintf(bits, sizeof bits, "%u", attrs);
    struct slice words[] = {SLICE("import"),       SLICE("mailbox"),     slice_cstr(s->account),
                            buf_slice(&s->folder), slice_cstr(validity), slice_cstr(next),
                            slice_cstr(bits)};
    struct ipc_message m;
    if (!send_words(s, words, sizeof words / sizeof *words, -1))
        return false;
    if (!receive(s, &m))
        return false;
    if (m.CONTROL_END.status != 0) {
        wipe_bar(s);
        fprintf(stderr, "postrider: %s %.*s: %.*s\n", s->account, SLICE_ARG(buf_slice(&s->folder)),
                SLICE_ARG(m.CONTROL_END.error));
        return give_up(s, "the mailbox could not be made");
    }
    struct slice told = m.CONTROL_END.error;
    uint64_t n = 0;
    if (slice_parse_u64(slice_split(&told, ' '), UINT32_MAX, &n) != OK)
        return give_up(s, "the server's answer was not understood");
    *ret_validity = (uint32_t)n;
    return true;
}

/* Messages that the source's list of UIDs does not know are newer than all that it ever gave out.
 */
static bool pass_uidnext(struct import_sink *s)
{
    uint32_t validity;
    while (s->waiting && take_answer(s))
        ;
    s->uidnext_passed = true;
    return !s->broken && adopt(s, s->uidnext, 0, &validity);
}

bool import_folder_begin(struct import_sink *s, const struct import_folder *f)
{
    uint32_t validity;
    s->here = (struct import_counts){.folders = 1};
    s->expected = f->messages;
    s->uidvalidity = f->uidvalidity;
    s->uidnext = f->uidnext;
    s->uidnext_passed = false;
    buf_reset(&s->folder);
    buf_append(&s->folder, f->name);
    if (!adopt(s, 0, f->attrs, &validity))
        return false;
    s->uids_fit = f->uidvalidity && validity == f->uidvalidity;
    return true;
}

static void add_counts(struct import_counts *to, const struct import_counts *from)
{
    to->folders += from->folders;
    to->found += from->found;
    to->imported += from->imported;
    to->there += from->there;
    to->failed += from->failed;
    to->new_uids += from->new_uids;
    to->bytes += from->bytes;
}

bool import_folder_end(struct import_sink *s)
{
    uint32_t validity;
    while (s->waiting && take_answer(s))
        ;
    if (s->broken || (s->uids_fit && !adopt(s, s->uidnext, 0, &validity)))
        return false;
    const struct import_counts *n = &s->here;
    wipe_bar(s);
    if (!s->quiet)
        printf("%s %.*s: found=%llu imported=%llu there=%llu failed=%llu%s\n", s->account,
               SLICE_ARG(buf_slice(&s->folder)), (unsigned long long)n->found,
               (unsigned long long)n->imported, (unsigned long long)n->there,
               (unsigned long long)n->failed,
               n->new_uids ? " (UIDs are new: the mailbox had messages before)" : "");
    add_counts(&s->total, n);
    s->here = (struct import_counts){0};
    return true;
}

struct import_counts import_sink_close(struct import_sink *s)
{
    while (s->waiting && !s->broken && take_answer(s))
        ;
    add_counts(&s->total, &s->here); /* of a folder that was given up */
    struct import_counts total = s->total;
    close(s->fd);
    buf_release(&s->folder);
    buf_release(&s->packet);
    arena_release(&s->arena);
    free(s);
    return total;
}

/* ---- messages ---- */

static bool send_message(struct import_sink *s, const struct import_message *m, int fd)
{
    char uid[16], flags[8], date[24], size[24];
    snprintf(uid, sizeof uid, "%u", s->uids_fit ? m->uid : 0);
    snprintf(flags, sizeof flags, "%u", m->flags);
    snprintf(date, sizeof date, "%lld", (long long)m->date);
    snprintf(size, sizeof size, "%zu", m->bytes.len);
    struct slice words[] = {SLICE("import"),       SLICE("message"), slice_cstr(s->account),
                            buf_slice(&s->folder), m->origin,        slice_cstr(uid),
                            slice_cstr(flags),     slice_cstr(date), m->uidl,
                            m->keywords,           slice_cstr(size), fd < 0 ? m->bytes : SLICE("")};
    if (!send_words(s, words, sizeof words / sizeof *words, fd))
        return false;
    struct sent *sent = &s->window[s->waiting++];
    *sent = (struct sent){.call = s->last_call, .uid = m->uid, .bytes = m->bytes.len};
    snprintf(sent->origin, sizeof sent->origin, "%.*s", SLICE_ARG(m->origin));
    return true;
}

bool import_message(struct import_sink *s, const struct import_message *m)
{
    int fd = -1;
    s->here.found++;
    draw_bar(s);
    while (s->waiting == WINDOW)
        if (!take_answer(s))
            return false;
    if (m->uid == 0 && s->uids_fit && s->uidnext && !s->uidnext_passed && !pass_uidnext(s))
        return false;
    if (m->bytes.len > IPC_INLINE_MAX && ipc_memfd(m->bytes, &fd) != OK)
        return give_up(s, "no memory to send a message");
    bool ok = send_message(s, m, fd);
    if (fd >= 0)
        close(fd);
    return ok;
}
