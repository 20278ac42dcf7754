/* ask_dovecot.c: asks a running Dovecot by its authentication protocol, as Postfix does with
 * smtpd_sasl_type = dovecot: one PLAIN exchange on a connection of its own. */
#include "base/base64.h"
#include "proto/auth/dovecot.h"
#include "role/agent/agent.h"

#include <unistd.h>

enum { IN_MAX = 64 * 1024 };

static void put_plain(const char *user, const char *password, struct buf *out)
{
    struct buf plain;
    buf_init(&plain, 4096);
    buf_putc(&plain, 0);
    buf_puts(&plain, user);
    buf_putc(&plain, 0);
    buf_puts(&plain, password);
    base64_encode(buf_slice(&plain), out);
    if (plain.mem)
        explicit_bzero(plain.mem, plain.size);
    buf_release(&plain);
}

/* resp= comes last: Dovecot takes the rest of the line for it. */
static void put_question(const char *user, const char *password, const char *client_ip,
                         struct buf *out)
{
    buf_printf(out, "VERSION\t1\t1\nCPID\t%d\nAUTH\t1\tPLAIN\tservice=smtp\tnologin\tsecured",
               (int)getpid());
    if (client_ip[0])
        buf_printf(out, "\trip=%s", client_ip);
    buf_puts(out, "\tresp=");
    put_plain(user, password, out);
    buf_putc(out, '\n');
}

static int take_fail(struct slice rest, struct buf *reason)
{
    int code = AGENT_WRONG;
    while (rest.data) {
        struct slice value = slice_split(&rest, '\t');
        struct slice key = slice_split(&value, '=');
        if (slice_is(key, "temp"))
            code = AGENT_UNASKED;
        else if (slice_is(key, "reason"))
            dovecot_unescape(slice_sub(value, 0, 100), reason);
    }
    return code;
}

/* -1: the line does not decide. */
static int take_line(struct slice line, struct buf *reason)
{
    struct slice rest = line;
    struct slice verb = slice_split(&rest, '\t');
    if (slice_is(verb, "VERSION") && !slice_is(slice_split(&rest, '\t'), "1")) {
        buf_puts(reason, "Dovecot speaks another version of the protocol");
        return AGENT_UNASKED;
    }
    bool right = slice_is(verb, "OK");
    if (!right && !slice_is(verb, "FAIL"))
        return -1;
    if (!slice_is(slice_split(&rest, '\t'), "1"))
        return -1;
    return right ? AGENT_RIGHT : take_fail(rest, reason);
}

static int read_verdict(int fd, struct buf *reason)
{
    struct buf in;
    int code = -1;
    buf_init(&in, IN_MAX);
    while (code < 0) {
        struct slice all = buf_slice(&in);
        size_t end = slice_find(all, '\n');
        if (end != SIZE_MAX) {
            code = take_line(slice_sub(all, 0, end), reason);
            buf_consume(&in, end + 1);
        } else if (!agent_read(fd, &in, reason)) {
            code = AGENT_UNASKED;
        }
    }
    buf_release(&in);
    return code;
}

int agent_ask_dovecot(const char *path, const char *user, const char *password,
                      const char *client_ip, struct buf *reason)
{
    struct buf out;
    buf_init(&out, 8192);
    put_question(user, password, client_ip, &out);
    return agent_ask_socket(path, &out, read_verdict, reason);
}
