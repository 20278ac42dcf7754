/* cmd_append.c: APPEND (RFC 3501 6.3.11, APPENDUID of RFC 4315, UTF8 of RFC 6855). The message's
 * literal goes to the store piece by piece as it comes; nothing of it is kept here. */
#include "proto/imap/command.h"

enum { REST_MAX = 1000 };

struct append {
    struct imap_append to;
    struct imap_flag_list flags;
    bool utf8; /* as UTF8 (…): a parenthesis follows */
    bool sync; /* the client waits for a continuation */
    enum { APPEND_NEW, APPEND_BYTES, APPEND_REST, APPEND_SUBMITTED } stage;
    bool open; /* the driver has a message under way */
    uint64_t left;
    uint32_t uidvalidity, uid;
};

static void parse_append(struct imap_parser *p, struct imap_command *cmd)
{
    struct append *a = ARENA_NEW(p->arena, struct append);
    struct append nowhere = {0};
    cmd->data = a;
    a = a ? a : &nowhere;
    imap_parse_space(p);
    a->to.mailbox = imap_parse_mailbox(p);
    imap_parse_space(p);
    if (cursor_peek(&p->c) == '(') {
        imap_parse_flags(p, false, &a->flags);
        imap_parse_space(p);
    }
    if (cursor_peek(&p->c) == '"') {
        a->to.internaldate = imap_parse_date_time(p);
        imap_parse_space(p);
    }
    /* RFC 6855 4: UTF8 (~{n}, and the parenthesis behind it; RFC 3516 4.4: literal8. */
    if (imap_accept_word(p, "UTF8")) {
        imap_parse_space(p);
        imap_parse_char(p, '(');
        a->utf8 = true;
    }
    if (!imap_accept(p, '~') && a->utf8)
        imap_parser_fail(p, "Missing literal8");
    imap_parse_char(p, '{');
    a->to.size = imap_parse_number(p, 0, UINT64_MAX);
    a->sync = !imap_accept(p, '+');
    imap_parse_char(p, '}');
    a->to.flags = a->flags.system;
    a->to.keywords = a->flags.keywords;
    a->to.n_keywords = a->flags.n;
}

bool imap_append_is_message(struct slice text)
{
    struct arena arena;
    struct imap_command cmd = {0};
    struct imap_parser p;
    arena_init(&arena, IMAP_COMMAND_MAX * 2);
    imap_parser_init(&p, imap_line(text), &arena);
    imap_parse_tag(&p);
    imap_parse_space(&p);
    bool is = imap_accept_word(&p, imap_cmd_append.name);
    if (is)
        parse_append(&p, &cmd);
    is = is && imap_parser_done(&p);
    arena_release(&arena);
    return is;
}

/* Ends it with NO; bytes that come nevertheless are skipped. */
static enum imap_step give_up(struct imap *im, struct imap_command *cmd, enum result r,
                              uint64_t coming)
{
    struct append *a = cmd->data;
    a->open = false; /* the driver has forgotten it */
    if (a->stage != APPEND_NEW || !a->sync)
        imap_reader_skip_literal(&im->reader, coming);
    /* RFC 3501 6.3.11: the client may create it and try again. */
    if (r == NOT_FOUND)
        return imap_reply(cmd, IMAP_NO, "TRYCREATE", "There is no such mailbox.");
    if (r == LIMIT)
        return imap_reply(cmd, IMAP_NO, "OVERQUOTA", "Quota exceeded.");
    return imap_failed(cmd, r);
}

static enum imap_step begin(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
    a->left = a->to.size;
    if (im->config->append_max && a->to.size > im->config->append_max) {
        give_up(im, cmd, FAILED, a->left);
        return imap_reply(cmd, IMAP_NO, "TOOBIG", "Message is larger than is allowed.");
    }
    if (a->to.size == 0) {
        give_up(im, cmd, FAILED, a->left);
        return imap_reply(cmd, IMAP_NO, "CANNOT", "An empty message can't be stored.");
    }
    enum result r = im->ops->append_begin(im->ctx, &a->to);
    if (r != OK)
        return give_up(im, cmd, r, a->left);
    a->open = true;
    a->stage = APPEND_BYTES;
    if (a->sync)
        buf_puts(im->out, "+ OK\r\n");
    return STEP_INPUT;
}

static enum imap_step take_bytes(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
    struct slice piece = slice_sub(*im->in, 0, a->left < SIZE_MAX ? (size_t)a->left : SIZE_MAX);
    if (piece.len) {
        *im->in = slice_from(*im->in, piece.len);
        a->left -= piece.len;
        enum result r = im->ops->append_write(im->ctx, piece);
        if (r != OK)
            return give_up(im, cmd, r, a->left);
    }
    if (a->left == 0)
        a->stage = APPEND_REST;
    return STEP_INPUT;
}

static void abandon(struct imap *im, struct append *a)
{
    if (a->open)
        im->ops->append_abandon(im->ctx);
    a->open = false;
}

/* The line end behind the literal. */
static enum imap_step take_rest(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
    size_t len = 0;
    enum imap_read read = imap_reader_step(&im->reader, im->in, REST_MAX, &len);
    if (read == IMAP_READ_MORE)
        return STEP_INPUT;
    struct slice line = imap_line(slice_sub(*im->in, 0, len));
    *im->in = slice_from(*im->in, len);
    if (read == IMAP_READ_COMMAND)
        imap_reader_reset(&im->reader);
    else if (read == IMAP_READ_LITERAL)
        imap_reader_refuse(&im->reader);
    bool ends = a->utf8 ? slice_is(line, ")") : line.len == 0;
    if (read != IMAP_READ_COMMAND || !ends) {
        abandon(im, a);
        return imap_reply(cmd, IMAP_BAD, NULL, "Unexpected text behind the message");
    }
    a->stage = APPEND_SUBMITTED;
    a->open = false;
    enum result r = im->ops->append_end(im->ctx, &a->uidvalidity, &a->uid);
    if (r == OK)
        return imap_wait(im);
    return r == LIMIT       ? imap_reply(cmd, IMAP_NO, "OVERQUOTA", "Quota exceeded.")
           : r == NOT_FOUND ? imap_reply(cmd, IMAP_NO, "TRYCREATE", "There is no such mailbox.")
                            : imap_failed(cmd, r);
}

static enum imap_step run_append(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
    enum imap_step step = STEP_INPUT;
    if (a->stage == APPEND_NEW)
        step = begin(im, cmd);
    if (step == STEP_INPUT && a->stage == APPEND_BYTES)
        step = take_bytes(im, cmd);
    if (step == STEP_INPUT && a->stage == APPEND_REST)
        return take_rest(im, cmd);
    if (a->stage != APPEND_SUBMITTED)
        return step;
    if (cmd->answer != OK)
        return imap_failed(cmd, cmd->answer);
    const char *code = arena_printf(&cmd->arena, "APPENDUID %u %u", a->uidvalidity, a->uid);
    return imap_reply(cmd, IMAP_OK, a->uid ? code : NULL, "APPEND completed.");
}

static void release_append(struct imap *im, struct imap_command *cmd)
{
    if (cmd->data)
        abandon(im, cmd->data);
}

const struct imap_command_spec imap_cmd_append = {.name = "APPEND",
                                                  .states = STATE_ANY,
                                                  .parse = parse_append,
                                                  .run = run_append,
                                                  .release = release_append};
