/* cmd_append.c: APPEND (RFC 3501 6.3.11, APPENDUID of RFC 4315, UTF8 of RFC 6855) and REPLACE (RFC
 * 8508), which is an APPEND with whose commit another message goes. The message's
 * literal goes to the store piece by piece as it comes; nothing of it is kept here. */
#include "proto/imap/command.h"

enum { REST_MAX = 1000 };

struct append {
    struct imap_append to;
    struct imap_flag_list flags;
    bool utf8; /* as UTF8 (…): a parenthesis follows */
    bool sync; /* the client waits for a continuation */
    enum { APPEND_NEW, APPEND_BYTES, APPEND_REST, APPEND_SUBMITTED } stage;
    bool replace;
    uint32_t number; /* of the message to be replaced; 0: "*" */
    bool open;       /* the driver has a message under way */
    uint64_t left;
    uint32_t uidvalidity, uid;
};

static void parse_message(struct imap_parser *p, struct append *a)
{
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

static void parse_append(struct imap_parser *p, struct imap_command *cmd)
{
    struct append *a = ARENA_NEW(p->arena, struct append);
    struct append nowhere = {0};
    cmd->data = a;
    parse_message(p, a ? a : &nowhere);
}

static void parse_replace(struct imap_parser *p, struct imap_command *cmd)
{
    struct append *a = ARENA_NEW(p->arena, struct append);
    struct append nowhere = {0};
    cmd->data = a;
    a = a ? a : &nowhere;
    a->replace = true;
    imap_parse_space(p);
    if (!imap_accept(p, '*'))
        a->number = (uint32_t)imap_parse_number(p, 1, UINT32_MAX);
    parse_message(p, a);
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
    if (imap_accept_word(&p, "UID"))
        imap_parse_space(&p);
    bool is = true;
    if (imap_accept_word(&p, imap_cmd_append.name))
        parse_append(&p, &cmd);
    else if (imap_accept_word(&p, imap_cmd_replace.name))
        parse_replace(&p, &cmd);
    else
        is = false;
    is = is && imap_parser_done(&p);
    arena_release(&arena);
    return is;
}

static enum imap_step refused(struct imap_command *cmd, enum result r)
{
    const struct append *a = cmd->data;
    if (r == LIMIT)
        return imap_reply(cmd, IMAP_NO, "OVERQUOTA", "Quota exceeded.");
    if (r == CONFLICT && a->replace)
        return imap_reply(cmd, IMAP_NO, "EXPUNGEISSUED", "The message to be replaced is gone.");
    return imap_failed(cmd, r);
}

/* The literal's bytes that come nevertheless. */
static void skip(struct imap *im, const struct append *a, uint64_t coming)
{
    if (a->stage != APPEND_NEW || !a->sync)
        imap_reader_skip_literal(&im->reader, coming);
}

/* Ends it with NO. */
static enum imap_step give_up(struct imap *im, struct imap_command *cmd, enum result r,
                              uint64_t coming)
{
    struct append *a = cmd->data;
    a->open = false; /* the driver has forgotten it */
    skip(im, a, coming);
    /* RFC 3501 6.3.11: the client may create it and try again. */
    if (r == NOT_FOUND)
        return imap_reply(cmd, IMAP_NO, "TRYCREATE", "There is no such mailbox.");
    return refused(cmd, r);
}

/* The message that REPLACE names. False: told why not. */
static bool find_replaced(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
    struct imap_view_info info;
    im->ops->view_info(im->view, &info);
    uint32_t seq = a->number;
    if (!cmd->uid && (im->enabled & IMAP_UIDONLY)) {
        imap_reply(cmd, IMAP_BAD, "UIDREQUIRED", "Only UIDs can be used.");
        return false;
    }
    if (cmd->uid && seq) {
        seq = im->ops->seek(im->view, a->number);
        if (seq > info.count || im->ops->entry(im->view, seq)->uid != a->number) {
            imap_reply(cmd, IMAP_NO, "NONEXISTENT", "There is no such message.");
            return false;
        }
    } else if (seq > info.count || info.count == 0) {
        imap_reply(cmd, IMAP_BAD, NULL, "Invalid message sequence number");
        return false;
    }
    if (im->read_only) {
        imap_reply(cmd, IMAP_NO, NULL, "Mailbox is read-only.");
        return false;
    }
    a->to.replaced = im->mailbox;
    a->to.replaced_uid = im->ops->entry(im->view, seq ? seq : info.count)->uid;
    return true;
}

static enum imap_step begin(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
    a->left = a->to.size;
    if (a->replace && !find_replaced(im, cmd)) {
        skip(im, a, a->left);
        return STEP_DONE;
    }
    if (im->config->append_max && a->to.size > im->config->append_max) {
        skip(im, a, a->left);
        return imap_reply(cmd, IMAP_NO, "TOOBIG", "Message is larger than is allowed.");
    }
    if (a->to.size == 0) {
        skip(im, a, a->left);
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
    return r == NOT_FOUND ? imap_reply(cmd, IMAP_NO, "TRYCREATE", "There is no such mailbox.")
                          : refused(cmd, r);
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
    if (!a->replace)
        return imap_reply(cmd, IMAP_OK, a->uid ? code : NULL, "APPEND completed.");
    /* RFC 8508 3.4: told before the EXPUNGE. */
    if (code && a->uid)
        buf_printf(im->out, "* OK [%s] Replacement message ready.\r\n", code);
    return imap_completed(cmd);
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
const struct imap_command_spec imap_cmd_replace = {.name = "REPLACE",
                                                   .states = STATE_SELECTED,
                                                   .flags = CMD_UID,
                                                   .parse = parse_replace,
                                                   .run = run_append,
                                                   .release = release_append};
