/* queued.c: see queued.h. */
#include "cli/queued.h"

#include <stdio.h>

enum { PIECE_MAX = 2 << 20 }; /* the server gives half as much */

struct printing {
    unsigned parts;
    bool in_body, after_cr, line_begun;
};

static void put(struct printing *p, char ch)
{
    p->line_begun = ch != '\n';
    if (p->parts & (p->in_body ? QUEUED_BODY : QUEUED_HEADER))
        putchar(ch);
}

/* A CR that no LF follows is a character as others are. */
static void take(struct printing *p, char ch)
{
    if (p->after_cr && ch != '\n')
        put(p, '\r');
    p->after_cr = ch == '\r';
    if (p->after_cr)
        return;
    if (ch == '\n' && !p->line_begun)
        p->in_body = true;
    put(p, ch);
}

/* The store's own first line, which does not travel with the message (RFC 5321 4.4). */
static size_t return_path_len(struct slice message)
{
    size_t end = slice_find(message, '\n');
    return end != SIZE_MAX && slice_starts(message, SLICE("Return-Path:")) ? end + 1 : 0;
}

enum result queued_print(int fd, const char *id, unsigned parts, struct error *err)
{
    struct printing p = {.parts = parts};
    struct buf piece;
    uint64_t from = 0;
    enum result r;
    buf_init(&piece, PIECE_MAX);
    do {
        char at[24];
        snprintf(at, sizeof at, "%llu", (unsigned long long)from);
        buf_reset(&piece);
        r = control_ask(fd, (const char *const[]){"queue", "bytes", id, at}, 4, &piece, err);
        struct slice bytes = buf_slice(&piece);
        for (size_t i = from ? 0 : return_path_len(bytes); i < bytes.len; i++)
            take(&p, bytes.data[i]);
        from += bytes.len;
    } while (r == OK && buf_len(&piece) && !(p.in_body && !(parts & QUEUED_BODY)));
    if (p.line_begun)
        take(&p, '\n');
    buf_release(&piece);
    return r;
}
