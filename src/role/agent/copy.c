/* copy.c: a message as local(8) hands it to commands and files: "From sender date", Return-Path,
 * X-Original-To, Delivered-To, then the message, with LF at its line ends (pipe(8) may want
 * others). */
#include "role/agent/agent.h"

#include <stdio.h>
#include <time.h>

#include "os/fds.h"

enum { CHUNK = 64 * 1024 };

struct writer {
    int fd;
    struct slice eol;
    struct buf out;
    bool failed;
};

static void flush(struct writer *w)
{
    if (!w->failed && buf_len(&w->out) && !fd_write_all(w->fd, buf_slice(&w->out)))
        w->failed = true;
    buf_reset(&w->out);
}

static void put(struct writer *w, struct slice s)
{
    while (s.len) {
        struct slice part = slice_sub(s, 0, CHUNK);
        if (buf_len(&w->out) + part.len > 2 * CHUNK)
            flush(w);
        buf_append(&w->out, part);
        s = slice_from(s, part.len);
    }
}

/* What goes into a line of its own must not end it. */
static void put_value(struct writer *w, struct slice s)
{
    for (size_t i = 0; i < s.len && i < 2000; i++) {
        char c = s.data[i];
        put(w, slice_of(c == '\n' || c == '\r' || c == '\0' ? "?" : &c, 1));
    }
}

static void put_field(struct writer *w, const char *name, struct slice value, bool brackets)
{
    put(w, slice_cstr(name));
    put(w, slice_cstr(brackets ? ": <" : ": "));
    put_value(w, value);
    put(w, slice_cstr(brackets ? ">" : ""));
    put(w, w->eol);
}

/* "From MAILER-DAEMON Tue Nov 24 08:43:32 2026" */
static void put_from_line(struct writer *w, struct slice sender)
{
    char text[64];
    struct tm tm;
    time_t now = time(NULL);
    localtime_r(&now, &tm);
    strftime(text, sizeof text, "  %a %b %e %H:%M:%S %Y", &tm);
    put(w, SLICE("From "));
    put_value(w, sender.len ? sender : SLICE("MAILER-DAEMON"));
    put(w, slice_cstr(text));
    put(w, w->eol);
}

static void put_lines(struct writer *w, const struct local_copy *c)
{
    struct slice rest = c->message;
    while (rest.len && !w->failed) {
        struct slice line = slice_split(&rest, '\n');
        if (line.len && line.data[line.len - 1] == '\r')
            line.len--;
        if (c->quote_from && slice_starts(line, SLICE("From ")))
            put(w, SLICE(">"));
        if (c->dots && slice_starts(line, SLICE(".")))
            put(w, SLICE("."));
        put(w, line);
        put(w, w->eol);
    }
}

enum result local_copy_write(const struct local_copy *c, int fd)
{
    struct writer w = {.fd = fd, .eol = c->eol.len ? c->eol : SLICE("\n")};
    buf_init(&w.out, 2 * CHUNK);
    if (c->from_line)
        put_from_line(&w, c->sender);
    if (!c->without_path)
        put_field(&w, "Return-Path", c->sender, true);
    if (c->original.len && !c->without_original)
        put_field(&w, "X-Original-To", c->original, false);
    if (c->delivered_to)
        put_field(&w, "Delivered-To", c->delivered.data ? c->delivered : c->recipient, false);
    put_lines(&w, c);
    if (c->blank_end)
        put(&w, w.eol);
    w.failed |= !buf_ok(&w.out);
    flush(&w);
    buf_release(&w.out);
    return w.failed ? FAILED : OK;
}
