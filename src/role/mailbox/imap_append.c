/* imap_append.c: APPEND: the message is gathered whole, since its summary needs all of it, and
 * stored in one batch. Line ends become CRLF, as everything that reads messages expects.
 * message_size_limit bounds it (the core refuses larger ones before they are sent). */
#include "mime/summary.h"
#include "role/mailbox/imap.h"

enum { NO_LIMIT_MAX = 1 << 30, SLACK = 64 * 1024 };

static struct imap_incoming *incoming_of(void *ctx)
{
    return &((struct imap_session *)ctx)->incoming;
}

static void forget(struct imap_incoming *in)
{
    buf_release(&in->bytes);
    in->delivery = NULL;
}

void imap_append_abandon(void *ctx)
{
    struct imap_incoming *in = incoming_of(ctx);
    if (in->delivery)
        delivery_abandon(in->delivery);
    forget(in);
}

static enum result check_target(struct account *a, struct slice name)
{
    struct mailbox *m;
    enum result r = mailbox_open(a, name, &m);
    if (r == OK)
        mailbox_unref(m);
    return r;
}

enum result imap_append_begin(void *ctx, const struct imap_append *a)
{
    struct imap_session *i = ctx;
    struct imap_incoming *in = &i->incoming;
    struct buf name;
    enum result r = imap_own_name(ctx, a->mailbox, &name);
    if (r == OK)
        r = check_target(i->session->account, buf_slice(&name));
    if (r == OK)
        r = delivery_new(i->session->store, log_id_new(), &in->delivery);
    if (r != OK) {
        buf_release(&name);
        return r;
    }
    /* Room for the CRs that may be added. */
    buf_init(&in->bytes, i->config.append_max
                             ? i->config.append_max + i->config.append_max / 16 + SLACK
                             : NO_LIMIT_MAX);
    in->after_cr = false;
    struct delivery_target target = {
        .account = i->session->account,
        .mailbox = buf_slice(&name),
        .flags = a->flags,
        .keywords = a->keywords,
        .n_keywords = a->n_keywords,
        .internaldate = a->internaldate,
        .must_exist = true,
        .ret_uid = &in->uid,
        .ret_uidvalidity = &in->uidvalidity,
    };
    r = delivery_add(in->delivery, &target);
    if (a->replaced)
        delivery_replace(in->delivery, (struct mailbox *)a->replaced, a->replaced_uid);
    buf_release(&name);
    if (r != OK)
        imap_append_abandon(ctx);
    return r;
}

static void add_lines(struct imap_incoming *in, struct slice bytes)
{
    while (bytes.len) {
        size_t end = slice_find(bytes, '\n');
        struct slice line = slice_sub(bytes, 0, end);
        buf_append(&in->bytes, line);
        if (line.len)
            in->after_cr = line.data[line.len - 1] == '\r';
        if (end == SIZE_MAX)
            return;
        buf_puts(&in->bytes, in->after_cr ? "\n" : "\r\n");
        in->after_cr = false;
        bytes = slice_from(bytes, end + 1);
    }
}

enum result imap_append_write(void *ctx, struct slice bytes)
{
    struct imap_incoming *in = incoming_of(ctx);
    add_lines(in, bytes);
    if (buf_ok(&in->bytes))
        return OK;
    imap_append_abandon(ctx);
    return LIMIT;
}

static enum result add_bytes(struct imap_incoming *in)
{
    struct buf summary;
    buf_init(&summary, SUMMARY_BYTES_MAX);
    enum result r = summary_build(buf_slice(&in->bytes), &summary);
    if (r == OK)
        r = delivery_write(in->delivery, buf_slice(&in->bytes));
    if (r == OK)
        delivery_summary(in->delivery, buf_slice(&summary));
    buf_release(&summary);
    return r;
}

enum result imap_append_end(void *ctx, uint32_t *ret_uidvalidity, uint32_t *ret_uid)
{
    struct imap_incoming *in = incoming_of(ctx);
    enum result r = add_bytes(in);
    if (r != OK) {
        imap_append_abandon(ctx);
        return r;
    }
    struct delivery *d = in->delivery;
    forget(in);
    imap_begin(ctx);
    r = delivery_submit(d, imap_done, ctx);
    if (r != OK)
        return imap_not_begun(ctx, r);
    *ret_uidvalidity = in->uidvalidity;
    *ret_uid = in->uid;
    return OK;
}
