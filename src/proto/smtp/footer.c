/* footer.c: what stands behind each refusal (smtpd_reject_footer): "\n" in it begins a new line, a
 * "\c" at its begin goes on with the reply's own. */
#include "proto/smtp/command.h"

#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/template.h"

struct footer {
    struct smtp_session *s;
    struct arena arena;
};

static struct slice local_time(struct footer *f)
{
    char text[64];
    time_t now = (time_t)clock_realtime_s();
    struct tm tm;
    localtime_r(&now, &tm);
    size_t n = strftime(text, sizeof text, "%b %d %H:%M:%S", &tm);
    return arena_dup(&f->arena, slice_of(text, n));
}

static struct slice macro(void *arg, struct slice name)
{
    struct footer *f = arg;
    const struct smtp_session *s = f->s;
    struct slice client = s->peer->name.len ? s->peer->name : SLICE("unknown");
    if (slice_is(name, "client"))
        return slice_cstr(
            arena_printf(&f->arena, "%.*s[%.*s]", SLICE_ARG(client), SLICE_ARG(s->peer->ip)));
    if (slice_is(name, "client_address"))
        return s->peer->ip;
    if (slice_is(name, "client_name"))
        return client;
    if (slice_is(name, "helo_name"))
        return slice_cstr(s->helo);
    if (slice_is(name, "server_name"))
        return s->config->hostname;
    if (slice_is(name, "localtime"))
        return local_time(f);
    return template_address(name, s->tx ? s->tx->sender : SLICE(""),
                            s->tx ? s->tx->being_asked.address : SLICE(""));
}

/* "550 5.7.1 " of the reply, with the character behind the code. */
static void put_prefix(struct slice reply, char mark, struct buf *out)
{
    size_t status = slice_find(slice_from(reply, 4), ' ');
    bool enhanced = reply.len > 9 && reply.data[5] == '.' && status != SIZE_MAX && status < 12;
    buf_append(out, slice_sub(reply, 0, 3));
    buf_putc(out, mark);
    if (enhanced)
        buf_append(out, slice_sub(reply, 4, status + 1));
}

void smtp_put_refusal(struct smtp_session *s, struct slice reply, struct buf *out)
{
    struct footer f = {.s = s};
    arena_init(&f.arena, 64 * 1024);
    struct slice text = template_expand(s->config->footer, macro, &f, &f.arena);
    bool same_line = slice_starts(text, SLICE("\\c"));
    if (same_line)
        text = slice_from(text, 2);
    size_t end = slice_search(text, SLICE("\\n"));
    bool more = !same_line || end != SIZE_MAX;
    put_prefix(reply, more ? '-' : ' ', out);
    struct buf head;
    buf_init(&head, 64);
    put_prefix(reply, ' ', &head);
    buf_append(out, slice_from(reply, buf_len(&head)));
    buf_release(&head);
    while (text.data) {
        end = slice_search(text, SLICE("\\n"));
        if (!same_line) {
            buf_puts(out, "\r\n");
            put_prefix(reply, end == SIZE_MAX ? ' ' : '-', out);
        }
        buf_append(out, slice_sub(text, 0, end));
        text = end == SIZE_MAX ? SLICE_NONE : slice_from(text, end + 2);
        same_line = false;
    }
    buf_puts(out, "\r\n");
    arena_release(&f.arena);
}
