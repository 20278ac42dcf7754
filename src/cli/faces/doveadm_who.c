/* doveadm_who.c: doveadm who, kick: the sessions of the running server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/faces/doveadm.h"

enum { WORDS_MAX = 40, SESSIONS_MAX = 20000 };

/* Lines of one account and protocol are one. */
struct group {
    struct slice account, service;
    unsigned n;
    struct buf pids, ips;
};

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
    static const struct doveadm_column columns[] = {{"username", false, false},
                                                    {"#", true, false},
                                                    {"proto", false, false},
                                                    {"(pids)", false, false},
                                                    {"(ips)", false, false}};
    struct doveadm_table t;
    doveadm_table_begin(&t, d->format ? d->format : DOVEADM_TABLE, columns, 5);
    for (size_t i = 0; i < n; i++) {
        const struct group *g = &groups[i];
        doveadm_table_put(&t, g->account);
        doveadm_table_number(&t, g->n);
        doveadm_table_put(&t, g->service);
        doveadm_table_printf(&t, "(%.*s)", SLICE_ARG(buf_slice(&g->pids)));
        doveadm_table_printf(&t, "(%.*s)", SLICE_ARG(buf_slice(&g->ips)));
    }
    doveadm_table_end(&t);
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
    static const struct doveadm_column columns[] = {{"username", false, false},
                                                    {"proto", false, false},
                                                    {"pid", true, false},
                                                    {"ip", false, false}};
    struct doveadm_table t;
    doveadm_table_begin(&t, d->format ? d->format : DOVEADM_TABLE, columns, 4);
    while (lines.len) {
        struct slice line = slice_split(&lines, '\n');
        for (size_t i = 0; i < 4; i++)
            doveadm_table_put(&t, slice_split(&line, '\t'));
    }
    doveadm_table_end(&t);
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
