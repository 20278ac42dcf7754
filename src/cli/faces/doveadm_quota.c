/* doveadm_quota.c: doveadm quota get, recalc. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/faces/doveadm.h"

struct quota {
    struct doveadm_users users;
    struct doveadm_table table;
};

static void put_row(struct quota *q, const char *user, struct slice root, const char *type,
                    uint64_t value, struct slice limit, uint64_t unit)
{
    uint64_t most = 0;
    bool limited = slice_parse_u64(limit, UINT64_MAX, &most) == OK && most > 0;
    if (doveadm_many(&q->users))
        doveadm_table_put(&q->table, slice_cstr(user));
    doveadm_table_put(&q->table, root);
    doveadm_table_put(&q->table, slice_cstr(type));
    doveadm_table_number(&q->table, (value + unit - 1) / unit);
    if (limited)
        doveadm_table_number(&q->table, most / unit);
    else
        doveadm_table_put(&q->table, SLICE("-"));
    doveadm_table_number(&q->table, limited ? (uint64_t)((double)value * 100 / (double)most) : 0);
}

static int get(struct doveadm *d, const char *user, bool many, void *arg)
{
    struct quota *q = arg;
    struct buf out;
    const char *question[] = {"quota", user};
    int status = doveadm_ask(d, question, 2, &out);
    struct slice line = buf_slice(&out), f[5];
    (void)many;
    line = slice_split(&line, '\n');
    for (size_t i = 0; i < 5; i++)
        f[i] = slice_split(&line, '\t');
    uint64_t bytes = 0, messages = 0;
    if (status == 0 && slice_parse_u64(f[1], UINT64_MAX, &bytes) == OK &&
        slice_parse_u64(f[3], UINT64_MAX, &messages) == OK) {
        put_row(q, user, f[0], "STORAGE", bytes, f[2], 1024);
        put_row(q, user, f[0], "MESSAGE", messages, f[4], 1);
    }
    buf_release(&out);
    return status;
}

/* The sums are part of every change: there is nothing to count anew. */
static int recalc(struct doveadm *d, const char *user, bool many, void *arg)
{
    (void)d, (void)user, (void)many, (void)arg;
    return 0;
}

static void begin_table(struct doveadm *d, struct quota *q)
{
    static const struct doveadm_column columns[] = {
        {"Username", false, true}, {"Quota name", false, false}, {"Type", false, false},
        {"Value", true, false},    {"Limit", true, false},       {"%", true, false}};
    bool many = doveadm_many(&q->users);
    doveadm_table_begin(&q->table, d->format ? d->format : DOVEADM_TABLE, columns + !many,
                        5 + many);
}

int doveadm_quota(struct doveadm *d, char **words, int n)
{
    struct quota q = {.users = {getenv("USER"), false}};
    const char *verb = n > 1 ? words[1] : "";
    bool asked = strcmp(verb, "get") == 0;
    int option;
    if (!asked && strcmp(verb, "recalc") != 0) {
        fputs("doveadm quota get|recalc [-u <user>|-A]\n", stderr);
        return EX_USAGE;
    }
    while ((option = getopt(n - 1, words + 1, "Au:")) != -1) {
        if (option == 'u')
            q.users.name = optarg;
        else if (option == 'A')
            q.users.all = true;
        else
            return EX_USAGE;
    }
    if (!asked)
        return doveadm_turns(d, &q.users, recalc, NULL);
    begin_table(d, &q);
    int status = doveadm_turns(d, &q.users, get, &q);
    doveadm_table_end(&q.table);
    return status;
}
