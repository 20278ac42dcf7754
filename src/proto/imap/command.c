/* command.c: the table of commands, and what is alike for all: reading, state, arguments, handler,
 * the mailbox's changes, tagged reply. Commands run one after the other, so that a pipelined one
 * sees what the one before did (RFC 3501 5.5 is honoured without looking at ambiguities). */
#include "proto/imap/command.h"
#include "proto/imap/notify.h"

#include <stdlib.h>

enum {
    ARENA_MAX = 64 * 1024 * 1024, /* UIDs of some millions of messages */
    BAD_DEFAULT = 20
};

static const struct imap_command_spec *const commands[] = {
    &imap_cmd_append,       &imap_cmd_capability,  &imap_cmd_check,       &imap_cmd_close,
    &imap_cmd_copy,         &imap_cmd_create,      &imap_cmd_delete,      &imap_cmd_enable,
    &imap_cmd_examine,      &imap_cmd_expunge,     &imap_cmd_fetch,       &imap_cmd_id,
    &imap_cmd_idle,         &imap_cmd_list,        &imap_cmd_logout,      &imap_cmd_lsub,
    &imap_cmd_move,         &imap_cmd_namespace,   &imap_cmd_noop,        &imap_cmd_rename,
    &imap_cmd_search,       &imap_cmd_select,      &imap_cmd_status,      &imap_cmd_store,
    &imap_cmd_getmetadata,  &imap_cmd_setmetadata, &imap_cmd_sort,        &imap_cmd_thread,
    &imap_cmd_subscribe,    &imap_cmd_unselect,    &imap_cmd_unsubscribe, &imap_cmd_getquota,
    &imap_cmd_getquotaroot, &imap_cmd_setquota,    &imap_cmd_compress,    &imap_cmd_replace,
    &imap_cmd_esearch,      &imap_cmd_notify,      &imap_cmd_cancelupdate};

static const struct imap_command_spec *find(struct slice name)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (slice_is_nocase(name, commands[i]->name))
            return commands[i];
    return NULL;
}

/* ---- replies ---- */

enum imap_step imap_reply(struct imap_command *cmd, enum imap_status status, const char *code,
                          const char *text)
{
    cmd->status = status;
    cmd->code = code;
    cmd->text = text;
    return STEP_DONE;
}

enum imap_step imap_completed(struct imap_command *cmd)
{
    return imap_reply(cmd, IMAP_OK, NULL, NULL);
}

enum imap_step imap_failed(struct imap_command *cmd, enum result r)
{
    switch (r) {
    case NOT_FOUND:
        return imap_reply(cmd, IMAP_NO, "NONEXISTENT", "There is no such mailbox.");
    case EXISTS:
        return imap_reply(cmd, IMAP_NO, "ALREADYEXISTS", "Mailbox exists already.");
    case INVALID:
        return imap_reply(cmd, IMAP_NO, "CANNOT", "Mailbox name is not allowed.");
    case LIMIT:
        return imap_reply(cmd, IMAP_NO, "LIMIT", "Limit reached.");
    case DENIED:
        return imap_reply(cmd, IMAP_NO, "CANNOT", "That can't be done with this mailbox.");
    case CORRUPT:
        return imap_reply(cmd, IMAP_NO, "CORRUPTION", "Stored data is damaged.");
    case FULL:
        return imap_reply(cmd, IMAP_NO, "UNAVAILABLE", "The disk is full. Try again later.");
    default:
        return imap_reply(cmd, IMAP_NO, "UNAVAILABLE", "Temporary failure. Try again later.");
    }
}

enum imap_step imap_wait(struct imap *im)
{
    im->pending = im->waiting = true;
    return STEP_WAIT;
}

bool imap_resolve(struct imap *im, struct imap_command *cmd, struct imap_seqset *s)
{
    if (imap_saved_fill(im, &cmd->arena, s))
        return imap_seqset_resolve(s, im->ops, im->view, IMAP_UIDS);
    if (!cmd->uid && (im->enabled & IMAP_UIDONLY)) {
        imap_reply(cmd, IMAP_BAD, "UIDREQUIRED", "Only UIDs can be used.");
        return false;
    }
    if (imap_seqset_resolve(s, im->ops, im->view, cmd->uid ? IMAP_UIDS : IMAP_SEQS))
        return true;
    imap_reply(cmd, IMAP_BAD, NULL, "Invalid message sequence number");
    return false;
}

static void put_tagged(struct imap *im, const struct imap_command *cmd)
{
    static const char *const words[] = {" OK ", " NO ", " BAD "};
    struct buf *out = im->out;
    buf_append(out, cmd->tag.len ? cmd->tag : SLICE("*"));
    buf_puts(out, words[cmd->status]);
    if (cmd->tell_modseq && cmd->status == IMAP_OK && im->view) {
        struct imap_view_info info;
        im->ops->view_info(im->view, &info);
        buf_printf(out, "[HIGHESTMODSEQ %llu] ", (unsigned long long)info.highest_modseq);
    } else if (cmd->code) {
        buf_putc(out, '[');
        buf_puts(out, cmd->code);
        buf_puts(out, "] ");
    }
    if (cmd->text) {
        buf_puts(out, cmd->text);
    } else {
        buf_puts(out, cmd->uid ? "UID " : "");
        buf_puts(out, cmd->spec ? cmd->spec->name : "Command");
        buf_puts(out, " completed.");
    }
    buf_puts(out, "\r\n");
}

static void count_bad(struct imap *im, bool bad)
{
    unsigned most = im->config->max_bad ? im->config->max_bad : BAD_DEFAULT;
    im->bad = bad ? im->bad + 1 : 0;
    if (im->bad >= most)
        imap_bye(im, "Too many invalid commands.", im->out);
}

/* ---- the command under way ---- */

static void free_command(struct imap *im)
{
    struct imap_command *cmd = im->command;
    if (cmd->spec && cmd->spec->release)
        cmd->spec->release(im, cmd);
    arena_release(&cmd->arena);
    free(cmd);
    im->command = NULL;
}

static void finish(struct imap *im)
{
    struct imap_command *cmd = im->command;
    bool silent = cmd->spec && (cmd->spec->flags & CMD_SILENT) && cmd->status == IMAP_OK;
    bool own = cmd->own;
    if (!silent && !cmd->mute && !own)
        put_tagged(im, cmd);
    bool bad = cmd->status == IMAP_BAD;
    free_command(im);
    if (!own)
        count_bad(im, bad);
}

/* RFC 3501 7.4.1 with its note: UID FETCH, UID STORE and UID SEARCH are other commands. */
static bool may_expunge(const struct imap_command *cmd)
{
    return cmd->uid || !(cmd->spec->flags & CMD_NO_EXPUNGE);
}

static void begin_sync(struct imap *im, struct imap_command *cmd)
{
    if (!im->view || cmd->synced || !cmd->spec || (cmd->spec->flags & CMD_NO_SYNC))
        return;
    if (imap_sync_begin(im, may_expunge(cmd), cmd->uid, &cmd->quiet) == NOT_FOUND)
        imap_bye(im, "The selected mailbox was deleted.", im->out);
}

/* Runs the command on; 0 when it is finished. */
static enum imap_next advance(struct imap *im)
{
    struct imap_command *cmd = im->command;
    if (!cmd->done) {
        switch (cmd->spec->run(im, cmd)) {
        case STEP_FLUSH:
            return IMAP_NEED_FLUSH;
        case STEP_WAIT:
            return IMAP_NEED_ANSWER;
        case STEP_TURN:
            return IMAP_NEED_TURN;
        case STEP_INPUT:
            return IMAP_NEED_INPUT;
        case STEP_DONE:
            break;
        }
        cmd->done = true;
        begin_sync(im, cmd);
    }
    if (!imap_sync_step(im))
        return IMAP_NEED_FLUSH;
    finish(im);
    return 0;
}

static void parse_name(struct imap_parser *p, struct imap_command *cmd)
{
    cmd->tag = imap_parse_tag(p);
    imap_parse_space(p);
    cmd->name = imap_parse_atom(p);
    if (!slice_is_nocase(cmd->name, "UID"))
        return;
    cmd->uid = true;
    imap_parse_space(p);
    cmd->name = imap_parse_atom(p);
}

/* Finds it and checks the state. False: told BAD. */
static bool admit(const struct imap *im, struct imap_command *cmd)
{
    static const char *const before_login[] = {"LOGIN", "AUTHENTICATE", "STARTTLS"};
    const struct imap_command_spec *spec = find(cmd->name);
    const char *why = NULL;
    if (!spec || (cmd->uid && !(spec->flags & CMD_UID)))
        why = "Unknown command";
    else if (!(spec->states & STATE_AUTHENTICATED) && !im->mailbox)
        why = "No mailbox is selected";
    for (size_t i = 0; i < sizeof before_login / sizeof *before_login; i++)
        if (slice_is_nocase(cmd->name, before_login[i]))
            why = "Already logged in";
    if (why)
        imap_reply(cmd, IMAP_BAD, NULL, why);
    else
        cmd->spec = spec;
    return !why;
}

static void parse_command(struct imap *im, struct imap_command *cmd, struct slice text)
{
    struct imap_parser p;
    imap_parser_init(&p, imap_line(text), &cmd->arena);
    p.utf8 = im->enabled & (IMAP_REV2 | IMAP_UTF8);
    p.enabled = im->enabled;
    parse_name(&p, cmd);
    if (imap_parser_ok(&p)) {
        if (!admit(im, cmd)) {
            cmd->done = true;
            return;
        }
        if (cmd->spec->parse)
            cmd->spec->parse(&p, cmd);
        if (imap_parser_done(&p)) {
            im->enabled |= cmd->uses;
            return;
        }
    }
    imap_reply(cmd, IMAP_BAD, NULL, p.error);
    cmd->done = true;
}

/* False: no memory. */
static bool start_command(struct imap *im, struct slice text)
{
    struct imap_command *cmd = calloc(1, sizeof *cmd);
    if (!cmd)
        return false;
    arena_init(&cmd->arena, ARENA_MAX);
    struct slice copy = arena_dup(&cmd->arena, text);
    if (!copy.data) {
        free(cmd);
        return false;
    }
    im->command = cmd;
    parse_command(im, cmd, copy);
    return true;
}

void imap_start_own(struct imap *im, struct slice text)
{
    if (start_command(im, text))
        im->command->own = true;
}

/* ---- reading ---- */

static struct slice tag_of(struct slice text)
{
    struct imap_parser p;
    struct arena none;
    arena_init(&none, 0);
    imap_parser_init(&p, slice_sub(text, 0, 256), &none);
    struct slice tag = imap_parse_tag(&p);
    return imap_accept(&p, ' ') ? tag : SLICE("*");
}

static void refuse(struct imap *im, struct slice text, const char *reply)
{
    buf_append(im->out, tag_of(text));
    buf_putc(im->out, ' ');
    buf_puts(im->out, reply);
    buf_puts(im->out, "\r\n");
}

/* A literal's header has come. False: no memory. */
static bool take_literal(struct imap *im, size_t len)
{
    struct imap_reader *r = &im->reader;
    struct slice text = slice_sub(*im->in, 0, len);
    if (imap_append_is_message(text)) {
        bool started = start_command(im, text);
        *im->in = slice_from(*im->in, len);
        /* What was refused already leaves its literal behind. */
        if (started && im->command->done)
            imap_reader_refuse(r);
        else
            imap_reader_divert(r);
        return started;
    }
    if (r->literal > IMAP_COMMAND_MAX || len + r->literal > IMAP_COMMAND_MAX) {
        refuse(im, text, "BAD [TOOBIG] Literal is too long.");
        *im->in = slice_from(*im->in, len);
        imap_reader_refuse(r);
        count_bad(im, true);
        return true;
    }
    if (r->sync)
        buf_puts(im->out, "+ OK\r\n");
    imap_reader_accept(r);
    return true;
}

static enum imap_next read_command(struct imap *im)
{
    size_t len = 0;
    bool started = true;
    switch (imap_reader_step(&im->reader, im->in, IMAP_COMMAND_MAX, &len)) {
    case IMAP_READ_MORE:
        return IMAP_NEED_INPUT;
    case IMAP_READ_TOO_LONG:
        refuse(im, *im->in, "BAD [TOOBIG] Command is too long.");
        count_bad(im, true);
        break;
    case IMAP_READ_LITERAL:
        started = take_literal(im, len);
        break;
    case IMAP_READ_COMMAND:
        started = start_command(im, slice_sub(*im->in, 0, len));
        *im->in = slice_from(*im->in, len);
        imap_reader_reset(&im->reader);
        break;
    }
    if (!started)
        imap_bye(im, "[UNAVAILABLE] Out of memory.", im->out);
    return 0;
}

/* ---- the session ---- */

void imap_open(struct imap *im, const struct imap_config *config, const struct imap_ops *ops,
               void *ctx, struct slice tag, struct buf *out)
{
    *im = (struct imap){.config = config, .ops = ops, .ctx = ctx};
    if (tag.len) {
        buf_append(out, tag);
        buf_puts(out, " OK [CAPABILITY ");
    } else {
        buf_puts(out, "* PREAUTH [CAPABILITY ");
    }
    imap_put_capabilities(im, out);
    buf_puts(out, "] Logged in.\r\n");
}

void imap_release(struct imap *im)
{
    if (im->command)
        free_command(im);
    if (im->mailbox)
        imap_deselect(im);
    imap_saved_clear(im);
    imap_notify_end(im);
    free(im->idle_tag);
    im->idle_tag = NULL;
}

void imap_bye(struct imap *im, const char *text, struct buf *out)
{
    /* RFC 3501 7.1.5; in the middle of a command's data it would be taken for some of them. */
    if (!im->closing && (!im->command || im->command->done)) {
        buf_puts(out, "* BYE ");
        buf_puts(out, text);
        buf_puts(out, "\r\n");
    }
    im->closing = true;
}

void imap_answer(struct imap *im, enum result r)
{
    im->pending = im->waiting = false;
    if (im->command)
        im->command->answer = r;
}

static enum imap_next run(struct imap *im)
{
    for (;;) {
        enum imap_next next = 0;
        if (im->closing)
            return IMAP_NEED_CLOSE;
        if (im->waiting)
            return IMAP_NEED_ANSWER;
        if (imap_full(im))
            return IMAP_NEED_FLUSH;
        if (im->compress && !im->command) {
            im->compress = false;
            return IMAP_NEED_COMPRESSION;
        }
        if (im->command)
            next = advance(im);
        else if (im->notify && ((next = imap_notify_run(im)) || im->command || imap_full(im)))
            ; /* told, or to be told by a command of its own */
        else if (im->idle_tag)
            next = imap_idle(im);
        else
            next = read_command(im);
        if (next && !im->closing)
            return next;
    }
}

enum imap_next imap_run(struct imap *im, struct slice *in, struct buf *out)
{
    im->in = in;
    im->out = out;
    enum imap_next next = run(im);
    im->in = NULL;
    im->out = NULL;
    return next;
}
