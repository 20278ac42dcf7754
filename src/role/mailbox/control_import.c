/* control_import.c: mail of another server, sent by `postrider import` mailbox by mailbox and
 * message by message (the words: ipc/messages.h). What is here already, by its origin, is told and
 * left. */
#include "mime/summary.h"
#include "role/mailbox/control.h"
#include "role/mailbox/mailbox.h"

#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE_MAX = 1 << 30 };

/* What the commit thread needs to end the call. */
struct pending {
    struct control_call *call;
    uint32_t uid;
    struct mailbox_status status;
};

/* told: the result of a success. */
static void end_with(struct control_call *c, enum result r, const char *told)
{
    static const char *const texts[] = {[FULL] = "the disk is nearly full",
                                        [LIMIT] = "a limit was reached",
                                        [INVALID] = "the mailbox's name is not valid here"};
    const char *text = r < sizeof texts / sizeof *texts ? texts[r] : NULL;
    control_end(c, r != OK, r == OK ? told : text ? text : result_name(r));
}

static void message_done(void *arg, enum result r)
{
    struct pending *p = arg;
    char told[16];
    snprintf(told, sizeof told, "%u", p->uid);
    end_with(p->call, r, told);
    free(p);
}

static void mailbox_done(void *arg, enum result r)
{
    struct pending *p = arg;
    char told[32];
    snprintf(told, sizeof told, "%u %u", p->status.uidvalidity, p->status.uidnext);
    end_with(p->call, r, told);
    free(p);
}

static bool number(struct slice word, uint64_t max, uint64_t *ret)
{
    return slice_parse_u64(word, max, ret) == OK;
}

/* ---- mailbox ---- */

static enum result adopt(struct pending *p, struct account *a, const struct slice *w)
{
    uint64_t uidvalidity, uidnext, attrs;
    if (!number(w[1], UINT32_MAX, &uidvalidity) || !number(w[2], UINT32_MAX, &uidnext) ||
        !number(w[3], UINT32_MAX, &attrs))
        return INVALID;
    struct mailbox_origin o = {w[0], (uint32_t)uidvalidity, (uint32_t)uidnext, (unsigned)attrs};
    return mailbox_adopt(a, &o, &p->status, mailbox_done, p);
}

/* ---- message ---- */

enum word { MAILBOX, ORIGIN, UID, FLAGS, DATE, UIDL, KEYWORDS, SIZE, BYTES, MESSAGE_WORDS };

static size_t split_keywords(struct slice text, struct slice out[static KEYWORDS_MAX])
{
    size_t n = 0;
    while (text.data && text.len && n < KEYWORDS_MAX) {
        struct slice word = slice_split(&text, ' ');
        if (word.len && word.len <= KEYWORD_LENGTH_MAX)
            out[n++] = word;
    }
    return n;
}

static enum result fill(struct delivery *d, struct slice bytes)
{
    struct buf summary;
    buf_init(&summary, SUMMARY_BYTES_MAX);
    enum result r = summary_build(bytes, &summary);
    if (r == OK)
        r = delivery_write(d, bytes);
    if (r == OK)
        delivery_summary(d, buf_slice(&summary));
    buf_release(&summary);
    return r;
}

static enum result deliver(struct pending *p, const struct delivery_target *t, struct slice bytes)
{
    struct delivery *d;
    enum result r = delivery_new(p->call->mailbox->store, log_id_new(), &d);
    if (r != OK)
        return r;
    r = fill(d, bytes);
    if (r == OK)
        r = delivery_add(d, t);
    if (r == OK)
        return delivery_submit(d, message_done, p);
    delivery_abandon(d);
    return r;
}

static enum result import_message(struct pending *p, struct account *a, const struct slice *w)
{
    struct slice keywords[KEYWORDS_MAX];
    uint64_t uid, flags, date, size;
    if (!number(w[UID], UINT32_MAX, &uid) || !number(w[FLAGS], 31, &flags) ||
        !number(w[DATE], INT64_MAX, &date) || !number(w[SIZE], MESSAGE_MAX, &size) ||
        w[ORIGIN].len == 0)
        return INVALID;
    struct delivery_target t = {.account = a,
                                .mailbox = w[MAILBOX],
                                .flags = (uint8_t)flags,
                                .keywords = keywords,
                                .n_keywords = split_keywords(w[KEYWORDS], keywords),
                                .internaldate = (int64_t)date,
                                .must_exist = true,
                                .origin = w[ORIGIN],
                                .uidl = w[UIDL],
                                .uid = (uint32_t)uid,
                                .ret_uid = &p->uid};
    if (p->call->fd < 0)
        return w[BYTES].len == size ? deliver(p, &t, w[BYTES]) : INVALID;
    struct slice mapped;
    enum result r = ipc_memfd_map(p->call->fd, size, &mapped);
    if (r != OK)
        return r;
    r = deliver(p, &t, mapped);
    ipc_memfd_unmap(mapped);
    return r;
}

/* ---- both ---- */

static enum result begin(struct pending *p, const struct slice *words, size_t n)
{
    struct account *a;
    bool message = slice_is(words[0], "message");
    if (!message && !slice_is(words[0], "mailbox"))
        return INVALID;
    if (n != (message ? 2 + (size_t)MESSAGE_WORDS : 6))
        return INVALID;
    enum result r = account_open(p->call->mailbox->store, words[1], &a);
    if (r != OK)
        return r;
    r = message ? import_message(p, a, words + 2) : adopt(p, a, words + 2);
    account_unref(a);
    return r;
}

void control_import(struct control_call *c, const struct slice *words, size_t n)
{
    struct pending *p = calloc(1, sizeof *p);
    if (!p || n < 2) {
        free(p);
        end_with(c, p ? INVALID : FAILED, NULL);
        return;
    }
    p->call = c;
    enum result r = begin(p, words, n);
    if (r == OK)
        return; /* ends with the commit */
    free(p);
    end_with(c, r == EXISTS ? OK : r, "there");
}
