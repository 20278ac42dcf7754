/* cmd_append.c: APPEND (RFC 3501 6.3.11, APPENDUID of RFC 4315, UTF8 of RFC 6855), also of parts
 * (CATENATE, RFC 4469), and REPLACE (RFC 8508), which is an APPEND with whose commit another
 * message goes. The message's literals go to the store piece by piece as they come; nothing of them
 * is kept here. What stands between two of them is a chunk: read, parsed and carried out before the
 * next. */
#include "proto/imap/catenate.h"

enum { REST_MAX = 1000, CHUNK_MAX = 16 * 1024, PARTS_MAX = 1000 };

struct url_part {
    struct url_part *next;
    struct slice url;
};

/* What a chunk says: URLs, then a literal of the message or its end. */
struct parts {
    struct url_part *first, **end;
    unsigned n;
    bool text, sync; /* a literal comes; the client waits for a continuation */
    uint64_t size;   /* of it */
};

struct append {
    struct imap_append to;
    struct imap_flag_list flags;
    struct parts parts;
    bool catenate, replace;
    bool utf8;       /* as UTF8 (…): a parenthesis follows */
    bool open;       /* the driver has a message under way */
    bool reading;    /* source is open */
    uint32_t number; /* of the message to be replaced; 0: "*" */
    enum { APPEND_NEW, APPEND_PARTS, APPEND_BYTES, APPEND_REST, APPEND_SUBMITTED } stage;
    struct catenate_source source;
    uint64_t left;  /* of the literal */
    uint64_t total; /* what the message has, with the part that is being added */
    uint32_t uidvalidity, uid;
};

/* ---- arguments ---- */

static void parse_literal(struct imap_parser *p, struct parts *ret)
{
    imap_parse_char(p, '{');
    ret->size = imap_parse_number(p, 0, UINT64_MAX);
    ret->sync = !imap_accept(p, '+');
    imap_parse_char(p, '}');
    ret->text = true;
}

static void parse_url(struct imap_parser *p, struct parts *ret)
{
    struct url_part *part = ARENA_NEW(p->arena, struct url_part);
    imap_parse_space(p);
    struct slice url = imap_parse_astring(p);
    if (!part)
        return;
    part->url = url;
    *ret->end = part;
    ret->end = &part->next;
}

/* RFC 4469 5: up to a literal or ")". */
static void parse_parts(struct imap_parser *p, struct parts *ret)
{
    while (imap_parser_ok(p)) {
        if (++ret->n > PARTS_MAX)
            imap_parser_fail(p, "Too many parts");
        if (imap_accept_word(p, "TEXT")) {
            imap_parse_space(p);
            imap_accept(p, '~');
            parse_literal(p, ret);
            return;
        }
        if (!imap_accept_word(p, "URL"))
            imap_parser_fail(p, "Missing part");
        parse_url(p, ret);
        if (imap_accept(p, ')'))
            return;
        imap_parse_space(p);
    }
}

static void parse_message(struct imap_parser *p, struct append *a)
{
    a->parts.end = &a->parts.first;
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
    a->to.flags = a->flags.system;
    a->to.keywords = a->flags.keywords;
    a->to.n_keywords = a->flags.n;
    a->catenate = imap_accept_word(p, "CATENATE");
    if (a->catenate) {
        imap_parse_space(p);
        imap_parse_char(p, '(');
        parse_parts(p, &a->parts);
        return;
    }
    /* RFC 6855 4: UTF8 (~{n}, and the parenthesis behind it; RFC 3516 4.4: literal8. */
    if (imap_accept_word(p, "UTF8")) {
        imap_parse_space(p);
        imap_parse_char(p, '(');
        a->utf8 = true;
    }
    if (!imap_accept(p, '~') && a->utf8)
        imap_parser_fail(p, "Missing literal8");
    parse_literal(p, &a->parts);
    a->to.size = a->parts.size;
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
    const struct append *a = cmd.data;
    is = is && imap_parser_done(&p) && a && a->parts.text;
    arena_release(&arena);
    return is;
}

/* ---- failures ---- */

static void abandon(struct imap *im, struct append *a)
{
    if (a->open)
        im->ops->append_abandon(im->ctx);
    if (a->reading)
        catenate_release(&a->source);
    a->open = a->reading = false;
}

/* Ends it: bytes that come nevertheless are skipped. */
static enum imap_step refuse(struct imap *im, struct imap_command *cmd, const char *code,
                             const char *text)
{
    struct append *a = cmd->data;
    abandon(im, a);
    if (a->stage == APPEND_BYTES)
        imap_reader_skip_literal(&im->reader, a->left);
    else if (a->stage <= APPEND_PARTS && a->parts.text && !a->parts.sync)
        imap_reader_skip_literal(&im->reader, a->parts.size);
    return imap_reply(cmd, IMAP_NO, code, text);
}

static enum imap_step give_up(struct imap *im, struct imap_command *cmd, enum result r)
{
    const struct append *a = cmd->data;
    /* RFC 3501 6.3.11: the client may create it and try again. */
    if (r == NOT_FOUND)
        return refuse(im, cmd, "TRYCREATE", "There is no such mailbox.");
    if (r == LIMIT)
        return refuse(im, cmd, "OVERQUOTA", "Quota exceeded.");
    if (r == CONFLICT && a->replace)
        return refuse(im, cmd, "EXPUNGEISSUED", "The message to be replaced is gone.");
    imap_failed(cmd, r);
    return refuse(im, cmd, cmd->code, cmd->text);
}

/* RFC 4469 5: the code names the URL, where it may stand in one. */
static enum imap_step bad_url(struct imap *im, struct imap_command *cmd, struct slice url)
{
    bool fits = url.len && url.len < 1000;
    for (size_t i = 0; i < url.len; i++)
        fits = fits && url.data[i] > ' ' && url.data[i] < 127 && !strchr("\"\\[]", url.data[i]);
    const char *code = arena_printf(&cmd->arena, "BADURL \"%.*s\"", SLICE_ARG(url));
    return refuse(im, cmd, fits ? code : "BADURL \"\"", "There is nothing of that name.");
}

/* Another part's bytes. False: told TOOBIG. */
static bool add_size(struct imap *im, struct imap_command *cmd, uint64_t size)
{
    struct append *a = cmd->data;
    a->total = size < UINT64_MAX - a->total ? a->total + size : UINT64_MAX;
    if (!im->config->append_max || a->total <= im->config->append_max)
        return true;
    refuse(im, cmd, "TOOBIG", "Message is larger than is allowed.");
    return false;
}

/* ---- the message ---- */

/* The message that REPLACE names. False: told why not. */
static bool find_replaced(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
    struct imap_view_info info;
    im->ops->view_info(im->view, &info);
    uint32_t seq = a->number;
    if (!cmd->uid && (im->enabled & IMAP_UIDONLY)) {
        refuse(im, cmd, "UIDREQUIRED", "Only UIDs can be used.");
        cmd->status = IMAP_BAD;
        return false;
    }
    if (cmd->uid && seq) {
        seq = im->ops->seek(im->view, a->number);
        if (seq > info.count || im->ops->entry(im->view, seq)->uid != a->number) {
            refuse(im, cmd, "NONEXISTENT", "There is no such message.");
            return false;
        }
    } else if (seq > info.count || info.count == 0) {
        refuse(im, cmd, NULL, "Invalid message sequence number");
        cmd->status = IMAP_BAD;
        return false;
    }
    if (im->read_only) {
        refuse(im, cmd, NULL, "Mailbox is read-only.");
        return false;
    }
    a->to.replaced = im->mailbox;
    a->to.replaced_uid = im->ops->entry(im->view, seq ? seq : info.count)->uid;
    return true;
}

static enum imap_step begin(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
    if (a->replace && !find_replaced(im, cmd))
        return STEP_DONE;
    if (!a->catenate && im->config->append_max && a->to.size > im->config->append_max)
        return refuse(im, cmd, "TOOBIG", "Message is larger than is allowed.");
    if (!a->catenate && a->to.size == 0)
        return refuse(im, cmd, "CANNOT", "An empty message can't be stored.");
    enum result r = im->ops->append_begin(im->ctx, &a->to);
    if (r != OK)
        return give_up(im, cmd, r);
    a->open = true;
    a->stage = APPEND_PARTS;
    return STEP_INPUT;
}

static enum result write_bytes(struct imap *im, struct append *a, struct slice bytes)
{
    enum result r = im->ops->append_write(im->ctx, bytes);
    if (r != OK)
        a->open = false; /* the driver has forgotten it */
    return r;
}

static enum imap_step submit(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
    if (a->total == 0)
        return refuse(im, cmd, "CANNOT", "An empty message can't be stored.");
    a->stage = APPEND_SUBMITTED;
    a->open = false;
    enum result r = im->ops->append_end(im->ctx, &a->uidvalidity, &a->uid);
    return r == OK ? imap_wait(im) : give_up(im, cmd, r);
}

/* Some of what the URL names; it is done with when nothing is left. */
static enum imap_step add_url(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
    struct url_part *part = a->parts.first;
    enum result r = OK;
    if (!a->reading) {
        a->reading = true;
        r = catenate_open(im, &cmd->arena, part->url, &a->source);
        if (r == NOT_FOUND)
            return bad_url(im, cmd, part->url);
        if (r == OK && !add_size(im, cmd, a->source.at.len))
            return STEP_DONE;
    }
    struct buf piece;
    buf_init(&piece, 2 * IMAP_PIECE);
    if (r == OK)
        r = catenate_read(im, &a->source, &piece);
    if (r == OK && buf_len(&piece))
        r = write_bytes(im, a, buf_slice(&piece));
    buf_release(&piece);
    if (r == NOT_FOUND)
        return bad_url(im, cmd, part->url);
    if (r != OK)
        return give_up(im, cmd, r);
    if (a->source.at.len)
        return STEP_TURN;
    catenate_release(&a->source);
    a->reading = false;
    a->parts.first = part->next;
    return STEP_INPUT;
}

/* What the chunk says, up to its literal or the end. */
static enum imap_step take_parts(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
    while (a->parts.first) {
        enum imap_step step = add_url(im, cmd);
        if (step != STEP_INPUT)
            return step;
    }
    if (!a->parts.text)
        return submit(im, cmd);
    if (!add_size(im, cmd, a->parts.size))
        return STEP_DONE;
    a->left = a->parts.size;
    a->stage = APPEND_BYTES;
    if (a->parts.sync)
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
        enum result r = write_bytes(im, a, piece);
        if (r != OK)
            return give_up(im, cmd, r);
    }
    if (a->left == 0)
        a->stage = APPEND_REST;
    return STEP_INPUT;
}

/* ---- behind a literal ---- */

static enum imap_step bad_rest(struct imap *im, struct imap_command *cmd)
{
    abandon(im, cmd->data);
    return imap_reply(cmd, IMAP_BAD, NULL, "Unexpected text behind the message");
}

/* The line end behind the only literal. */
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
    return read == IMAP_READ_COMMAND && ends ? submit(im, cmd) : bad_rest(im, cmd);
}

/* False: that is no chunk. */
static bool parse_chunk(struct imap_command *cmd, struct slice text, struct parts *ret)
{
    const struct append *a = cmd->data;
    struct imap_parser p;
    *ret = (struct parts){.n = a->parts.n};
    ret->end = &ret->first;
    imap_parser_init(&p, arena_dup(&cmd->arena, text), &cmd->arena);
    if (!imap_accept(&p, ')')) {
        imap_parse_space(&p);
        parse_parts(&p, ret);
    }
    return imap_parser_done(&p) && !arena_failed(&cmd->arena);
}

/* A literal's header that is not one of the message is one of a URL. */
static enum imap_step take_url_literal(struct imap *im, struct imap_command *cmd, size_t len)
{
    struct imap_reader *r = &im->reader;
    if (r->literal > CHUNK_MAX || len + r->literal > CHUNK_MAX) {
        *im->in = slice_from(*im->in, len);
        imap_reader_refuse(r);
        return bad_rest(im, cmd);
    }
    if (r->sync)
        buf_puts(im->out, "+ OK\r\n");
    imap_reader_accept(r);
    return STEP_TURN;
}

static enum imap_step take_chunk(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
    struct parts parts = {0};
    size_t len = 0;
    enum imap_read read = imap_reader_step(&im->reader, im->in, CHUNK_MAX, &len);
    if (read == IMAP_READ_MORE)
        return STEP_INPUT;
    if (read == IMAP_READ_TOO_LONG)
        return bad_rest(im, cmd);
    bool is_chunk = parse_chunk(cmd, imap_line(slice_sub(*im->in, 0, len)), &parts);
    if (read == IMAP_READ_LITERAL && !(is_chunk && parts.text))
        return take_url_literal(im, cmd, len);
    *im->in = slice_from(*im->in, len);
    imap_reader_reset(&im->reader);
    if (!is_chunk || parts.text != (read == IMAP_READ_LITERAL))
        return bad_rest(im, cmd);
    a->parts = parts;
    a->stage = APPEND_PARTS;
    return STEP_TURN;
}

static enum imap_step finish(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
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

static enum imap_step run_append(struct imap *im, struct imap_command *cmd)
{
    struct append *a = cmd->data;
    enum imap_step step = STEP_INPUT;
    if (a->stage == APPEND_NEW)
        step = begin(im, cmd);
    if (step == STEP_INPUT && a->stage == APPEND_PARTS)
        step = take_parts(im, cmd);
    if (step == STEP_INPUT && a->stage == APPEND_BYTES)
        step = take_bytes(im, cmd);
    if (step == STEP_INPUT && a->stage == APPEND_REST)
        return a->catenate ? take_chunk(im, cmd) : take_rest(im, cmd);
    return step == STEP_INPUT && a->stage == APPEND_SUBMITTED ? finish(im, cmd) : step;
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
