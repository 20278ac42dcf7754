/* cmd_bdat.c: BDAT: the message in chunks of announced length (RFC 3030 2). A chunk's bytes follow
 * its command whatever the reply will be, so they are taken off the input even when the command is
 * refused. */
#include "proto/smtp/command.h"

/* "count [LAST]" */
static bool parse(struct slice args, uint64_t *ret_count, bool *ret_last)
{
    struct slice count = slice_split(&args, ' ');
    struct slice last = args.data ? slice_trim(args) : SLICE_NONE;
    *ret_last = slice_is_nocase(last, "LAST");
    return slice_parse_u64(count, UINT64_MAX / 2, ret_count) == OK && (last.len == 0 || *ret_last);
}

/* The chunk's bytes are in. */
static void end_chunk(struct smtp_session *s)
{
    s->state = STATE_COMMAND;
    if (s->chunk_refused)
        return; /* the reply has been given */
    if (!s->chunk_last) {
        smtp_reply(s, "250 2.0.0 Ok");
        return;
    }
    smtp_data_finish(&s->tx->data, &s->tx->message);
    smtp_message_complete(s);
}

static void begin_chunk(struct smtp_session *s)
{
    if (!s->tx->chunked)
        smtp_message_begin(s, true);
    s->state = STATE_CHUNK;
    if (s->chunk_left == 0)
        end_chunk(s);
}

void cmd_bdat(struct smtp_session *s, struct slice args)
{
    if (smtp_discards(s, "CHUNKING")) {
        smtp_reply(s, "521 5.5.1 Error: command not implemented");
        s->closing = true;
        return;
    }
    if (!parse(args, &s->chunk_left, &s->chunk_last)) {
        /* How much to skip is not known: whatever came next might be message text. */
        smtp_reply(s, "521 5.5.4 Syntax: BDAT count [LAST]");
        s->closing = true;
        return;
    }
    const char *broken = smtp_broken_rule(s, NEEDS_RCPT | IN_CHUNKS);
    s->chunk_refused = broken != NULL;
    if (!broken && !s->tx->chunked) {
        smtp_ask_policy(s, SMTP_AT_DATA, begin_chunk);
        return;
    }
    if (broken)
        smtp_reply(s, "%s", broken);
    s->state = STATE_CHUNK;
    if (s->chunk_left == 0)
        end_chunk(s);
}

void smtp_take_chunk(struct smtp_session *s)
{
    struct slice piece = slice_sub(*s->input, 0, s->chunk_left);
    bool ended;
    if (!s->chunk_refused)
        (void)smtp_data_take(&s->tx->data, piece, &s->tx->message, &ended);
    *s->input = slice_from(*s->input, piece.len);
    s->chunk_left -= piece.len;
    if (s->chunk_left == 0)
        end_chunk(s);
}
