/* cmd_idle.c: IDLE (RFC 2177). The command itself ends at once; what stays is its tag, so that a
 * session that idles holds next to nothing. */
#include <stdlib.h>

#include "proto/imap/command.h"

enum { DONE_MAX = 100 };

static enum imap_step run_idle(struct imap *im, struct imap_command *cmd)
{
    im->idle_tag = strndup(cmd->tag.data, cmd->tag.len);
    if (!im->idle_tag)
        return imap_failed(cmd, FAILED);
    buf_puts(im->out, "+ idling\r\n");
    if (im->mailbox)
        im->ops->watch(im->ctx, im->mailbox);
    return imap_completed(cmd);
}

static void end_idle(struct imap *im, const char *words)
{
    if (im->mailbox)
        im->ops->unwatch(im->ctx, im->mailbox);
    buf_puts(im->out, im->idle_tag);
    buf_puts(im->out, words);
    free(im->idle_tag);
    im->idle_tag = NULL;
}

/* The line that ends it. */
static enum imap_next read_done(struct imap *im)
{
    size_t len = 0;
    enum imap_read read = imap_reader_step(&im->reader, im->in, DONE_MAX, &len);
    if (read == IMAP_READ_MORE)
        return IMAP_NEED_INPUT;
    struct slice line = imap_line(slice_sub(*im->in, 0, len));
    bool done = read == IMAP_READ_COMMAND && slice_is_nocase(line, "DONE");
    if (read == IMAP_READ_COMMAND) {
        *im->in = slice_from(*im->in, len);
        imap_reader_reset(&im->reader);
    } else {
        imap_reader_skip(&im->reader);
    }
    if (!done)
        im->bad++;
    end_idle(im, done ? " OK IDLE completed.\r\n" : " BAD Expected DONE.\r\n");
    return 0;
}

enum imap_next imap_idle(struct imap *im)
{
    if (im->view && !im->sync && imap_sync_begin(im, true, false, NULL) == NOT_FOUND) {
        imap_bye(im, "The selected mailbox was deleted.", im->out);
        return IMAP_NEED_CLOSE;
    }
    if (!imap_sync_step(im))
        return IMAP_NEED_FLUSH;
    return read_done(im);
}

const struct imap_command_spec imap_cmd_idle = {
    .name = "IDLE", .states = STATE_ANY, .flags = CMD_SILENT, .run = run_idle};
