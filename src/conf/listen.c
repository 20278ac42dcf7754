/* listen.c: listeners: smtp://192.0.2.1:25, imaps://[::1]:993, pop3://:110,
 * lmtp:/run/postrider/lmtp, smtp://127.0.0.1:10025#reinject. */
#include "conf/conf.h"

static const char *const service_names[] = {
    [LISTEN_SMTP] = "smtp",
    [LISTEN_SMTPS] = "smtps",
    [LISTEN_SUBMISSION] = "submission",
    [LISTEN_SUBMISSIONS] = "submissions",
    [LISTEN_LMTP] = "lmtp",
    [LISTEN_POP3] = "pop3",
    [LISTEN_POP3S] = "pop3s",
    [LISTEN_IMAP] = "imap",
    [LISTEN_IMAPS] = "imaps",
    [LISTEN_SASLAUTHD] = "saslauthd",
    [LISTEN_DOVECOT_AUTH] = "dovecot-auth",
    [LISTEN_SENDMAIL] = "sendmail",
};
enum { SERVICE_COUNT = sizeof service_names / sizeof *service_names, SOCKET_PATH_MAX = 107 };

const char *listen_service_name(enum listen_service s)
{
    return service_names[s];
}

static enum result parse_service(struct slice name, enum listen_service *ret)
{
    for (int i = 0; i < SERVICE_COUNT; i++)
        if (slice_is(name, service_names[i])) {
            *ret = (enum listen_service)i;
            return OK;
        }
    return INVALID;
}

static enum result parse_host_port(struct slice text, struct listen_url *url)
{
    uint64_t port;
    size_t colon = slice_rfind(text, ':');
    if (colon == SIZE_MAX || slice_parse_u64(slice_from(text, colon + 1), 65535, &port) != OK ||
        port == 0)
        return INVALID;
    url->port = (uint16_t)port;
    url->host = slice_sub(text, 0, colon);
    if (url->host.len && url->host.data[0] == '[') {
        if (url->host.data[url->host.len - 1] != ']')
            return INVALID;
        url->host = slice_sub(url->host, 1, url->host.len - 2);
    } else if (slice_find(url->host, ':') != SIZE_MAX) {
        return INVALID; /* an IPv6 address wants its brackets */
    }
    if (slice_is(url->host, "*"))
        url->host = SLICE("");
    return OK;
}

static bool may_be_path(enum listen_service s)
{
    return s == LISTEN_LMTP || s == LISTEN_SENDMAIL || s == LISTEN_SASLAUTHD ||
           s == LISTEN_DOVECOT_AUTH;
}

/* What comes over these is believed by who may open the socket. */
static bool must_be_path(enum listen_service s)
{
    return s == LISTEN_SENDMAIL || s == LISTEN_SASLAUTHD;
}

enum result listen_parse(struct slice text, struct listen_url *ret)
{
    struct listen_url url = {0};
    size_t mark = slice_find(text, '#');
    struct slice rest = slice_sub(text, 0, mark);
    struct slice label = mark == SIZE_MAX ? SLICE("") : slice_from(text, mark + 1);
    if (label.len == 0 && mark != SIZE_MAX)
        return INVALID;
    if (parse_service(slice_split(&rest, ':'), &url.service) != OK || !rest.data)
        return INVALID;
    if (slice_starts(rest, SLICE("//"))) {
        if (must_be_path(url.service) || parse_host_port(slice_from(rest, 2), &url) != OK)
            return INVALID;
    } else {
        if (!may_be_path(url.service) || rest.len < 2 || rest.data[0] != '/' ||
            rest.len > SOCKET_PATH_MAX)
            return INVALID;
        url.path = rest;
    }
    url.label = label.len ? label : slice_cstr(service_names[url.service]);
    *ret = url;
    return OK;
}
