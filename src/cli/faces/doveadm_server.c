/* doveadm_server.c: what the running server is asked: auth test, who, kick. */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/faces/doveadm.h"
#include "os/fds.h"

enum { ANSWER_MAX = 16 << 20, WORDS_MAX = 40, SESSIONS_MAX = 20000 };

int doveadm_ask(struct doveadm *d, const char *const *words, size_t n, struct buf *out)
{
    struct error err = {""};
    buf_init(out, ANSWER_MAX);
    int fd = cli_connect(d->cli->conf->state_directory.data);
    enum result r = fd < 0 ? NOT_FOUND : control_ask(fd, words, n, out, &err);
    fd_close(&fd);
    if (r == OK)
        return 0;
    return doveadm_fatal(EX_TEMPFAIL, "%s", err.text[0] ? err.text : "the server is not running");
}

/* ---- auth test, auth login ---- */

struct auth_info {
    const char *service, *client_ip;
};

static void take_info(struct auth_info *i, const char *word)
{
    if (strncmp(word, "service=", 8) == 0)
        i->service = word + 8;
    else if (strncmp(word, "rip=", 4) == 0)
        i->client_ip = word + 4;
}

static void put_login(struct doveadm *d, const char *name)
{
    struct buf fields;
    buf_init(&fields, 64 * 1024);
    printf("userdb extra fields:\n  %s\n", name);
    if (doveadm_find_user(d, slice_cstr(name), &fields) == OK)
        for (struct slice rest = buf_slice(&fields); rest.len;) {
            struct slice value = slice_split(&rest, '\n'), key = slice_split(&value, '\t');
            if (key.len)
                printf("  %.*s=%.*s\n", SLICE_ARG(key), SLICE_ARG(value));
        }
    puts("  auth_mech=PLAIN");
    buf_release(&fields);
}

int doveadm_auth(struct doveadm *d, char **words, int n)
{
    struct auth_info info = {"doveadm", ""};
    struct buf out;
    const char *verb = n > 1 ? words[1] : "";
    int option;
    bool login = strcmp(verb, "login") == 0;
    if (!login && strcmp(verb, "test") != 0) {
        fputs("doveadm auth test|login [-x <auth info>] <user> [<password>]\n", stderr);
        return EX_USAGE;
    }
    while ((option = getopt(n - 1, words + 1, "a:A:M:x:")) != -1) {
        if (option == 'x')
            take_info(&info, optarg);
        else if (option == '?')
            return EX_USAGE;
    }
    const char *user = words[1 + optind];
    if (1 + optind >= n)
        return EX_USAGE;
    const char *password = 2 + optind < n ? words[2 + optind] : getpass("Password: ");
    const char *question[] = {"auth", info.service, info.client_ip, user, password ? password : ""};
    int status = doveadm_ask(d, question, 5, &out);
    bool right = status == 0 && slice_starts(buf_slice(&out), SLICE("right\t"));
    if (status == 0) {
        printf("passdb: %s auth %s\nextra fields:\n  user=%s\n", user,
               right ? "succeeded" : "failed", user);
        if (right && login)
            put_login(d, user);
    }
    buf_release(&out);
    return status ? status : right ? 0 : EX_NOPERM;
}

/* ---- who, kick ---- */

/* Lines of one account and protocol are one. */
struct group {
    struct slice account, service;
    unsigned n;
    struct buf pids, ips;
};

bool doveadm_has_word(struct slice text, struct slice word)
{
    while (text.data)
        if (slice_eq(slice_split(&text, ' '), word))
            return true;
    return false;
}

static void add_session(struct group *g, struct slice pid, struct slice ip)
{
    buf_printf(&g->pids, "%s%.*s", g->n ? " " : "", SLICE_ARG(pid));
    if (!doveadm_has_word(buf_slice(&g->ips), ip))
        buf_printf(&g->ips, "%s%.*s", g->n ? " " : "", SLICE_ARG(ip));
    g->n++;
}

static struct group *group_of(struct group *groups, size_t *n, struct slice account,
                              struct slice service)
{
    for (size_t i = 0; i < *n; i++)
        if (slice_eq(groups[i].account, account) && slice_eq(groups[i].service, service))
            return &groups[i];
    if (*n == SESSIONS_MAX)
        return NULL;
    struct group *g = &groups[(*n)++];
    *g = (struct group){.account = account, .service = service};
    buf_init(&g->pids, 1 << 20);
    buf_init(&g->ips, 1 << 20);
    return g;
}

static void print_groups(struct doveadm *d, const struct group *groups, size_t n)
{
    int width = 8, pids = 6;
    bool tab = d->format == DOVEADM_TAB;
    for (size_t i = 0; i < n; i++) {
        width = groups[i].account.len > (size_t)width ? (int)groups[i].account.len : width;
        int len = (int)buf_len(&groups[i].pids) + 2;
        pids = len > pids ? len : pids;
    }
    if (tab)
        puts("username\t#\tproto\t(pids)\t(ips)");
    else
        printf("%-*s # proto %-*s %-29s\n", width, "username", pids, "(pids)", "(ips)");
    for (size_t i = 0; i < n; i++) {
        const struct group *g = &groups[i];
        struct slice p = buf_slice(&g->pids), a = buf_slice(&g->ips);
        if (tab)
            printf("%.*s\t%u\t%.*s\t(%.*s)\t(%.*s)\n", SLICE_ARG(g->account), g->n,
                   SLICE_ARG(g->service), SLICE_ARG(p), SLICE_ARG(a));
        else
            printf("%-*.*s %u %-5.*s (%.*s)%*s (%.*s)\n", width, SLICE_ARG(g->account), g->n,
                   SLICE_ARG(g->service), SLICE_ARG(p), pids - 2 - (int)p.len, "", SLICE_ARG(a));
    }
}

static void group_sessions(struct doveadm *d, struct slice lines)
{
    struct group *groups = calloc(SESSIONS_MAX, sizeof *groups);
    size_t n = 0;
    while (groups && lines.len) {
        struct slice ip = slice_split(&lines, '\n');
        struct slice account = slice_split(&ip, '\t'), service = slice_split(&ip, '\t'),
                     pid = slice_split(&ip, '\t');
        struct group *g = group_of(groups, &n, account, service);
        if (g)
            add_session(g, pid, ip);
    }
    if (groups)
        print_groups(d, groups, n);
    for (size_t i = 0; i < n; i++) {
        buf_release(&groups[i].pids);
        buf_release(&groups[i].ips);
    }
    free(groups);
}

static void each_session(struct doveadm *d, struct slice lines)
{
    bool tab = d->format == DOVEADM_TAB;
    if (tab)
        puts("username\tproto\tpid\tip");
    else
        printf("%-33s %-5s %-4s %s\n", "username", "proto", "pid", "ip");
    while (lines.len) {
        struct slice ip = slice_split(&lines, '\n');
        struct slice account = slice_split(&ip, '\t'), service = slice_split(&ip, '\t'),
                     pid = slice_split(&ip, '\t');
        if (tab)
            printf("%.*s\t%.*s\t%.*s\t%.*s\n", SLICE_ARG(account), SLICE_ARG(service),
                   SLICE_ARG(pid), SLICE_ARG(ip));
        else
            printf("%-33.*s %-5.*s %-4.*s %.*s\n", SLICE_ARG(account), SLICE_ARG(service),
                   SLICE_ARG(pid), SLICE_ARG(ip));
    }
}

static int ask_sessions(struct doveadm *d, const char *verb, char **masks, int n, struct buf *out)
{
    const char *words[WORDS_MAX] = {"sessions", verb};
    size_t count = 2;
    for (int i = 0; i < n && count < 32; i++)
        words[count++] = masks[i];
    return doveadm_ask(d, words, count, out);
}

int doveadm_who(struct doveadm *d, char **words, int n)
{
    struct buf out;
    bool one = false;
    int option;
    while ((option = getopt(n, words, "1a:f:")) != -1) {
        if (option == '1')
            one = true;
        else if (option == '?')
            return EX_USAGE;
    }
    int status = ask_sessions(d, "list", words + optind, n - optind, &out);
    if (status == 0 && one)
        each_session(d, buf_slice(&out));
    else if (status == 0)
        group_sessions(d, buf_slice(&out));
    buf_release(&out);
    return status;
}

int doveadm_kick(struct doveadm *d, char **words, int n)
{
    struct buf out;
    struct slice last = SLICE_NONE;
    if (n < 2) {
        fputs("doveadm kick <user mask>[|]<ip/bits> ...\n", stderr);
        return EX_USAGE;
    }
    int status = ask_sessions(d, "kick", words + 1, n - 1, &out);
    struct slice rest = buf_slice(&out);
    if (status == 0 && rest.len == 0) {
        puts("no users kicked");
        status = 68;
    } else if (status == 0) {
        puts("kicked connections from the following users:");
        while (rest.len) {
            struct slice line = slice_split(&rest, '\n'), account = slice_split(&line, '\t');
            if (!last.data || !slice_eq(account, last))
                printf("%.*s ", SLICE_ARG(account));
            last = account;
        }
        putchar('\n');
    }
    buf_release(&out);
    return status;
}
