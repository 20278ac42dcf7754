/* cmd_data.c: DATA: the message's bytes until CRLF.CRLF (RFC 5321 4.1.1.4). */
#include "proto/smtp/command.h"

static void begin(struct smtp_session *s)
{
    smtp_message_begin(s, false);
    s->state = STATE_DATA;
    smtp_reply(s, "354 End data with <CR><LF>.<CR><LF>");
}

void cmd_data(struct smtp_session *s, struct slice args)
{
    (void)args;
    s->chunk_left = 0;
    smtp_ask_policy(s, SMTP_AT_DATA, begin);
}

void smtp_take_data(struct smtp_session *s)
{
    bool ended;
    size_t taken = smtp_data_take(&s->tx->data, *s->input, &s->tx->message, &ended);
    *s->input = slice_from(*s->input, taken);
    if (!ended)
        return;
    s->state = STATE_COMMAND;
    smtp_message_complete(s);
}
