/* sockets.c: sockets of Dovecot's service blocks: who may use those of lmtp (which listen.c opens),
 * and those of auth, where Postfix and Exim ask about passwords; as our `socket_access` and
 * `listen_if_free`. */
#include "conf/dovecot/map.h"

enum { ITEM_MAX = 1024, LIST_MAX = 16 * 1024, SOCKET_PATH_MAX = 107 };

struct sockets {
    struct map_dovecot *map;
    struct buf access, urls;
    const struct dovecot_node *access_from, *urls_from;
};

struct slice map_socket_path(struct map_dovecot *m, struct slice name)
{
    const struct dovecot_node *base = dovecot_find(m->root, "base_dir");
    if (name.len && name.data[0] == '/')
        return name;
    const char *path = arena_printf(m->arena, "%s/%.*s", base ? base->value.data : "/run/dovecot",
                                    SLICE_ARG(name));
    return path ? slice_cstr(path) : SLICE("");
}

static bool is_off(const struct dovecot_node *block)
{
    const struct dovecot_node *mode = dovecot_find(block, "mode");
    return mode && (slice_is(mode->value, "0") || slice_is(mode->value, "0000"));
}

/* Dovecot's own defaults: mode 0600 and root, but for lmtp's own socket. */
static void put_access(struct sockets *s, const struct dovecot_node *block, struct slice path,
                       const char *mode)
{
    static const char *const keys[] = {"mode", "user", "group"};
    struct buf item;
    buf_init(&item, ITEM_MAX);
    map_field(s->map, block, &item, "path", path);
    if (mode && !dovecot_find(block, "mode"))
        map_field(s->map, block, &item, "mode", slice_cstr(mode));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct dovecot_node *n = dovecot_find(block, keys[i]);
        if (n && n->value.len)
            map_field(s->map, n, &item, keys[i], n->value);
    }
    buf_printf(&s->access, "%s{%.*s}", buf_len(&s->access) ? ", " : "",
               SLICE_ARG(buf_slice(&item)));
    s->access_from = s->access_from ? s->access_from : block;
    if (!buf_ok(&item))
        map_error(s->map, block, "what is said about the socket is too long");
    buf_release(&item);
}

static void put_url(struct sockets *s, const struct dovecot_node *block, const char *format,
                    struct slice where)
{
    buf_puts(&s->urls, buf_len(&s->urls) ? ", dovecot-auth:" : "dovecot-auth:");
    buf_printf(&s->urls, format, SLICE_ARG(where));
    s->urls_from = s->urls_from ? s->urls_from : block;
}

static void take_lmtp(struct sockets *s, const struct dovecot_node *service)
{
    MAP_EACH(n, service)
    if (n->block && slice_is(n->key, "unix_listener") && !is_off(n))
        put_access(s, n, map_socket_path(s->map, n->value),
                   slice_is(n->value, "lmtp") ? "0666" : NULL);
}

/* Dovecot tells by a socket's name what is spoken there; clients' authentication unless it is one
 * of its own processes'. */
static bool is_for_clients(struct slice name)
{
    size_t slash = slice_rfind(name, '/');
    struct slice last = slash == SIZE_MAX ? name : slice_from(name, slash + 1);
    static const char *const own[] = {"login",       "token-login", "auth-userdb",  "auth-master",
                                      "auth-worker", "auth-token",  "auth-penalty", "auth-login"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (slice_is(last, own[i]) || slice_starts(name, SLICE("login/")))
            return false;
    return true;
}

static void take_client_socket(struct sockets *s, const struct dovecot_node *block,
                               struct slice path)
{
    if (path.len > SOCKET_PATH_MAX) {
        map_error(s->map, block, "the path of the socket is too long");
        return;
    }
    put_url(s, block, "%.*s", path);
    put_access(s, block, path, NULL);
}

static void take_port(struct sockets *s, const struct dovecot_node *block)
{
    const struct dovecot_node *port = dovecot_find(block, "port");
    const struct dovecot_node *address = dovecot_find(block, "address");
    uint64_t number = 0;
    if (!port || slice_is(port->value, "0"))
        return;
    if (slice_parse_u64(port->value, 65535, &number) != OK) {
        map_error(s->map, port, "port: `%.*s` is no port", SLICE_ARG(port->value));
        return;
    }
    struct slice host = address ? address->value : SLICE("");
    bool bare6 = slice_find(host, ':') != SIZE_MAX && host.data[0] != '[';
    const char *where = arena_printf(s->map->arena, "//%s%.*s%s:%u", bare6 ? "[" : "",
                                     SLICE_ARG(host), bare6 ? "]" : "", (unsigned)number);
    if (where)
        put_url(s, block, "%.*s", slice_cstr(where));
}

static void take_auth(struct sockets *s, const struct dovecot_node *service)
{
    bool told = false;
    MAP_EACH(n, service)
    {
        bool local = n->block && slice_is(n->key, "unix_listener");
        if (local && is_for_clients(n->value)) {
            if (!is_off(n))
                take_client_socket(s, n, map_socket_path(s->map, n->value));
        } else if (n->block && slice_is(n->key, "inet_listener")) {
            take_port(s, n);
        } else if (!local && !told) {
            map_not_served(s->map, "service", n);
            told = true; /* one line about a service's processes is enough */
        }
    }
}

/* Dovecot 1: auth default { socket listen { client { path = … mode = 0660 } } }. */
static void take_old(struct sockets *s, const struct dovecot_node *auth)
{
    MAP_EACH(socket, auth)
    {
        if (!socket->block || !slice_is(socket->key, "socket") ||
            !slice_is(socket->value, "listen"))
            continue;
        MAP_EACH(n, socket)
        {
            const struct dovecot_node *path = dovecot_find(n, "path");
            if (n->block && slice_is(n->key, "client") && path && path->value.len)
                take_client_socket(s, n, map_socket_path(s->map, path->value));
        }
    }
}

static bool is_protocol(struct slice service)
{
    static const char *const names[] = {"imap-login", "pop3-login", "submission-login"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(service, names[i]))
            return true;
    return false;
}

static void take_block(struct sockets *s, const struct dovecot_node *n)
{
    bool service = slice_is(n->key, "service");
    if (slice_is(n->key, "auth"))
        take_old(s, n);
    else if (service && slice_is(n->value, "lmtp"))
        take_lmtp(s, n);
    else if (service && slice_is(n->value, "auth"))
        take_auth(s, n);
    else if (service && !is_protocol(n->value) && n->first)
        map_note(s->map, n,
                 "service %.*s is not served: processes and sockets are Postrider's own: "
                 "remove it",
                 SLICE_ARG(n->value));
}

void map_sockets(struct map_dovecot *m)
{
    struct sockets s = {.map = m};
    buf_init(&s.access, LIST_MAX);
    buf_init(&s.urls, LIST_MAX);
    MAP_EACH(n, m->root)
    if (n->block)
        take_block(&s, n);
    if (!buf_ok(&s.access) || !buf_ok(&s.urls))
        map_error(m, m->root, "the sockets are too many");
    if (s.access_from)
        map_set(m, s.access_from, "socket_access", buf_slice(&s.access));
    if (s.urls_from)
        map_set(m, s.urls_from, "listen_if_free", buf_slice(&s.urls));
    buf_release(&s.access);
    buf_release(&s.urls);
}
