/* server_lines.c: tcp_table(5), socketmap_table(5), memcache_table(5): tables of simple protocols.
 */
#include "auth/server.h"

#include <stdio.h>
#include <string.h>

enum {
    TCP_LINE_MAX = 4096,
    TCP_REQUEST_MAX = 256 * 1024,
    SOCKETMAP_MAX = 100000,
    MEMCACHE_MAX = 10240,
    MEMCACHE_KEY_MAX = 250
};

static enum result no_protocol(const char *what, struct error *err)
{
    return error_set(err, FAILED, "%s: the server's answer has no form that the protocol knows",
                     what);
}

/* Not NOT_FOUND: a long line of a message would get past a table that checks it. */
static enum result too_long(struct error *err)
{
    return error_set(err, FAILED, "the key is too long");
}

/* ---- tcp ---- */

static bool has_line(struct slice answer)
{
    return slice_find(answer, '\n') != SIZE_MAX;
}

static void put_encoded(struct buf *out, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c <= ' ' || c == '%' || c >= 127)
            buf_printf(out, "%%%02X", c);
        else
            buf_putc(out, (char)c);
    }
}

/* False: a % without two digits, or NUL. */
static bool decode(struct slice s, struct buf *out)
{
    for (size_t i = 0; i < s.len; i++) {
        int c = (unsigned char)s.data[i];
        if (c == '%') {
            if (i + 2 >= s.len || ascii_hex(s.data[i + 1]) < 0 || ascii_hex(s.data[i + 2]) < 0)
                return false;
            c = ascii_hex(s.data[i + 1]) << 4 | ascii_hex(s.data[i + 2]);
            i += 2;
        }
        if (c == 0)
            return false;
        buf_putc(out, (char)c);
    }
    return buf_ok(out);
}

enum result server_read_tcp(struct slice answer, struct arena *a, struct slice *ret,
                            struct error *err)
{
    size_t end = slice_find(answer, '\n');
    struct slice line = slice_sub(answer, 0, end), value = SLICE_NONE;
    struct buf out;
    if (end == SIZE_MAX || line.len < 4 || line.data[3] != ' ')
        return no_protocol("tcp", err);
    buf_init(&out, TCP_LINE_MAX);
    bool decoded = decode(slice_from(line, 4), &out);
    enum result r = OK;
    if (decoded && slice_starts(line, SLICE("500")))
        r = NOT_FOUND;
    else if (decoded && slice_starts(line, SLICE("400")))
        r = error_set(err, FAILED, "tcp: the server says: %.*s",
                      SLICE_ARG(slice_sub(buf_slice(&out), 0, 100)));
    else if (!decoded || !slice_starts(line, SLICE("200")) || buf_len(&out) == 0)
        r = no_protocol("tcp", err);
    else if (!(value = arena_dup(a, buf_slice(&out))).data)
        r = error_set(err, FAILED, "no memory");
    buf_release(&out);
    if (r == OK)
        *ret = value;
    return r;
}

enum result server_ask_tcp(struct slice rest, struct slice key, struct arena *a, struct slice *ret,
                           struct error *err)
{
    struct buf request, answer;
    buf_init(&request, TCP_REQUEST_MAX);
    buf_init(&answer, TCP_LINE_MAX);
    buf_puts(&request, "get ");
    put_encoded(&request, key);
    buf_putc(&request, '\n');
    struct server_exchange x = {rest, buf_slice(&request), has_line, SERVER_TIMEOUT_S};
    enum result r = buf_ok(&request) ? server_exchange(&x, &answer, err) : too_long(err);
    r = r == OK ? server_read_tcp(buf_slice(&answer), a, ret, err) : r;
    buf_release(&request);
    buf_release(&answer);
    return r;
}

/* ---- socketmap ---- */

/* "12:OK something,": the text within. INVALID: no such form; BUSY: it goes on. */
static enum result netstring(struct slice s, struct slice *ret)
{
    uint64_t n;
    size_t colon = slice_find(slice_sub(s, 0, 8), ':');
    if (colon == SIZE_MAX)
        return s.len < 8 ? BUSY : INVALID;
    if (slice_parse_u64(slice_sub(s, 0, colon), SOCKETMAP_MAX, &n) != OK)
        return INVALID;
    if (s.len < colon + 2 + n)
        return BUSY;
    if (s.data[colon + 1 + n] != ',')
        return INVALID;
    *ret = slice_sub(s, colon + 1, n);
    return OK;
}

static bool has_netstring(struct slice answer)
{
    struct slice text;
    return netstring(answer, &text) != BUSY;
}

enum result server_read_socketmap(struct slice answer, struct arena *a, struct slice *ret,
                                  struct error *err)
{
    struct slice text, value;
    if (netstring(answer, &text) != OK)
        return no_protocol("socketmap", err);
    struct slice word = slice_split(&text, ' ');
    if (slice_is(word, "NOTFOUND"))
        return NOT_FOUND;
    if (slice_is(word, "TEMP") || slice_is(word, "TIMEOUT") || slice_is(word, "PERM"))
        return error_set(err, FAILED, "socketmap: the server says %.*s: %.*s", SLICE_ARG(word),
                         SLICE_ARG(slice_sub(text, 0, 100)));
    if (!slice_is(word, "OK") || text.len == 0 || text.len > SERVER_VALUE_MAX ||
        slice_find(text, '\0') != SIZE_MAX)
        return no_protocol("socketmap", err);
    value = arena_dup(a, text);
    if (!value.data)
        return error_set(err, FAILED, "no memory");
    *ret = value;
    return OK;
}

enum result server_ask_socketmap(struct slice rest, struct slice key, struct arena *a,
                                 struct slice *ret, struct error *err)
{
    struct buf request, answer;
    size_t colon = slice_rfind(rest, ':');
    struct slice name = slice_from(rest, colon + 1);
    buf_init(&request, SOCKETMAP_MAX + 16);
    buf_init(&answer, SOCKETMAP_MAX + 16);
    buf_printf(&request, "%zu:", name.len + 1 + key.len);
    buf_append(&request, name);
    buf_putc(&request, ' ');
    buf_append(&request, key);
    buf_putc(&request, ',');
    struct server_exchange x = {slice_sub(rest, 0, colon), buf_slice(&request), has_netstring,
                                SERVER_TIMEOUT_S};
    enum result r = buf_ok(&request) ? server_exchange(&x, &answer, err) : too_long(err);
    r = r == OK ? server_read_socketmap(buf_slice(&answer), a, ret, err) : r;
    buf_release(&request);
    buf_release(&answer);
    return r;
}

/* ---- memcache ---- */

static bool memcache_complete(struct slice answer)
{
    bool refused = slice_starts(answer, SLICE("ERROR")) ||
                   slice_starts(answer, SLICE("CLIENT_ERROR")) ||
                   slice_starts(answer, SLICE("SERVER_ERROR"));
    return refused ? has_line(answer) : slice_ends_nocase(answer, SLICE("END\r\n"));
}

/* "VALUE key flags bytes\r\n", the bytes, "\r\nEND\r\n"; or "END\r\n" alone. */
enum result server_read_memcache(struct slice answer, struct slice key, struct slice *ret,
                                 struct error *err)
{
    struct slice rest = answer, line;
    uint64_t n;
    if (slice_is(answer, "END\r\n"))
        return NOT_FOUND;
    line = slice_split(&rest, '\n');
    if (line.len == 0 || line.data[line.len - 1] != '\r')
        return no_protocol("memcache", err);
    line = slice_sub(line, 0, line.len - 1);
    struct slice word = slice_split(&line, ' '), name = slice_split(&line, ' ');
    (void)slice_split(&line, ' ');
    if (!slice_is(word, "VALUE") || !slice_eq(name, key) ||
        slice_parse_u64(slice_split(&line, ' '), MEMCACHE_MAX, &n) != OK || rest.len != n + 7 ||
        !slice_is(slice_from(rest, n), "\r\nEND\r\n") ||
        slice_find(slice_sub(rest, 0, n), '\0') != SIZE_MAX)
        return no_protocol("memcache", err);
    if (n == 0)
        return NOT_FOUND;
    *ret = slice_sub(rest, 0, n);
    return OK;
}

/* A key that the protocol can't carry is in no table. */
static bool can_be_key(struct slice key)
{
    for (size_t i = 0; i < key.len; i++)
        if ((unsigned char)key.data[i] <= ' ' || key.data[i] == 127)
            return false;
    return key.len > 0 && key.len <= MEMCACHE_KEY_MAX;
}

static enum result ask_memcache(const struct server_table *t, struct slice key, struct arena *a,
                                struct slice *ret, struct error *err)
{
    struct buf request, answer;
    struct slice value;
    uint64_t timeout = server_number(t, "timeout", 2);
    buf_init(&request, MEMCACHE_KEY_MAX + 16);
    buf_init(&answer, 2 * MEMCACHE_MAX);
    buf_printf(&request, "get %.*s\r\n", SLICE_ARG(key));
    struct server_exchange x = {
        server_value(t, "memcache", "inet:localhost:11211"), buf_slice(&request), memcache_complete,
        timeout && timeout < SERVER_TIMEOUT_S ? (unsigned)timeout : SERVER_TIMEOUT_S};
    enum result r = server_exchange(&x, &answer, err);
    r = r == OK ? server_read_memcache(buf_slice(&answer), key, &value, err) : r;
    if (r == OK)
        *ret = arena_dup(a, value);
    buf_release(&request);
    buf_release(&answer);
    return r == OK && arena_failed(a) ? error_set(err, FAILED, "no memory") : r;
}

enum result server_ask_memcache(const struct server_table *t, struct slice key, struct arena *a,
                                struct slice *ret, struct error *err)
{
    struct buf out;
    buf_init(&out, SERVER_VALUE_MAX);
    enum result r = server_expand(t->query, key, SLICE_NONE, NULL, NULL, &out, err);
    if (r == OK)
        r = can_be_key(buf_slice(&out)) ? ask_memcache(t, buf_slice(&out), a, ret, err) : NOT_FOUND;
    buf_release(&out);
    return r;
}
