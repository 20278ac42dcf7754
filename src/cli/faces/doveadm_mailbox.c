/* doveadm_mailbox.c: doveadm mailbox list, status, and what changes mailboxes. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/faces/doveadm.h"

enum { FIELDS = 10 };

/* As the server's lines have them; no message is ever recent here, as in IMAP. */
static const char *const field_names[FIELDS] = {
    "mailbox",     "",       "messages",      "recent", "uidnext",
    "uidvalidity", "unseen", "highestmodseq", "vsize",  "guid"};
static const bool has_total[FIELDS] = {[2] = true, [3] = true, [6] = true, [8] = true};

struct mailboxes {
    struct doveadm_users users;
    const char *fields;
    bool subscribed, total;
    char **masks;
    int n_masks;
    struct doveadm_table table;
};

static bool wanted(const struct mailboxes *m, struct slice name)
{
    char text[2048];
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
    for (int i = 0; i < m->n_masks; i++)
        if (fnmatch(m->masks[i], text, 0) == 0)
            return true;
    return m->n_masks == 0;
}

static bool field_wanted(const struct mailboxes *m, size_t i)
{
    struct slice list = slice_cstr(m->fields);
    return field_names[i][0] &&
           (strcmp(m->fields, "all") == 0 || doveadm_has_word(list, slice_cstr(field_names[i])));
}

/* The first of the words that is no field; data NULL: all are. */
static struct slice unknown_field(const char *words)
{
    struct slice rest = slice_cstr(words);
    while (rest.data) {
        struct slice word = slice_split(&rest, ' ');
        bool known = word.len == 0 || slice_is(word, "all");
        for (size_t i = 2; i < FIELDS && !known; i++)
            known = slice_is(word, field_names[i]);
        if (!known)
            return word;
    }
    return SLICE_NONE;
}

static void begin_table(struct doveadm *d, struct mailboxes *m)
{
    struct doveadm_column columns[FIELDS + 1];
    size_t n = 0;
    if (doveadm_many(&m->users))
        columns[n++] = (struct doveadm_column){"Username", false, true};
    if (!m->total)
        columns[n++] = (struct doveadm_column){"mailbox", false, true};
    for (size_t i = 2; m->fields && i < FIELDS; i++)
        if (field_wanted(m, i) && (!m->total || has_total[i]))
            columns[n++] = (struct doveadm_column){field_names[i], i != FIELDS - 1, false};
    doveadm_table_begin(&m->table, d->format ? d->format : DOVEADM_FLOW, columns, n);
}

static void put_row(struct mailboxes *m, const char *user, const struct slice *f)
{
    if (doveadm_many(&m->users))
        doveadm_table_put(&m->table, slice_cstr(user));
    if (!m->total)
        doveadm_table_put(&m->table, f[0]);
    for (size_t i = 2; m->fields && i < FIELDS; i++)
        if (field_wanted(m, i) && (!m->total || has_total[i]))
            doveadm_table_put(&m->table, f[i]);
}

static void put_sums(struct mailboxes *m, const char *user, const uint64_t *sums)
{
    char text[FIELDS][24];
    struct slice f[FIELDS];
    for (size_t i = 0; i < FIELDS; i++) {
        snprintf(text[i], sizeof text[i], "%llu", (unsigned long long)sums[i]);
        f[i] = slice_cstr(text[i]);
    }
    put_row(m, user, f);
}

/* How many mailboxes were told. */
static size_t put_mailboxes(struct mailboxes *m, const char *user, struct slice lines)
{
    uint64_t sums[FIELDS] = {0}, value;
    size_t told = 0;
    while (lines.len) {
        struct slice line = slice_split(&lines, '\n'), f[FIELDS];
        for (size_t i = 0; i < FIELDS; i++)
            f[i] = slice_split(&line, '\t');
        if (!wanted(m, f[0]) || (m->subscribed && !slice_is(f[1], "1")))
            continue;
        told++;
        for (size_t i = 2; i < FIELDS; i++)
            if (slice_parse_u64(f[i], UINT64_MAX / 2, &value) == OK)
                sums[i] += value;
        if (!m->total)
            put_row(m, user, f);
    }
    if (m->total)
        put_sums(m, user, sums);
    return told;
}

static int show_mailboxes(struct doveadm *d, const char *user, bool many, void *arg)
{
    struct mailboxes *m = arg;
    struct buf out;
    const char *question[] = {"names", user};
    int status = doveadm_ask(d, question, 2, &out);
    if (status == 0 && put_mailboxes(m, user, buf_slice(&out)) == 0 && m->fields && !many) {
        fprintf(stderr, "doveadm(%s): Error: Mailbox %s: Mailbox doesn't exist\n", user,
                m->n_masks ? m->masks[0] : "");
        status = 68;
    }
    buf_release(&out);
    return status;
}

/* ---- create, delete, rename, subscribe, unsubscribe ---- */

struct changing {
    const char *verb;
    bool subscribe;
    char **names;
    int n;
};

static int ask_change(struct doveadm *d, const char *user, const char *verb, const char *one,
                      const char *two)
{
    const char *question[] = {"change", user, verb, one, two};
    struct buf out;
    int status = doveadm_ask(d, question, two ? 5 : 4, &out);
    struct slice said = buf_slice(&out);
    struct slice why = slice_split(&said, '\n');
    if (status == 0 && why.len) {
        fprintf(stderr, "doveadm(%s): Error: Can't %s mailbox %s: %.*s\n", user, verb, one,
                SLICE_ARG(why));
        status = 68;
    }
    buf_release(&out);
    return status;
}

static int change(struct doveadm *d, const char *user, bool many, void *arg)
{
    const struct changing *c = arg;
    int status = 0;
    (void)many;
    if (strcmp(c->verb, "rename") == 0)
        return ask_change(d, user, c->verb, c->names[0], c->names[1]);
    for (int i = 0; i < c->n; i++) {
        int one = ask_change(d, user, c->verb, c->names[i], NULL);
        if (one == 0 && c->subscribe)
            one = ask_change(d, user, strcmp(c->verb, "delete") ? "subscribe" : "unsubscribe",
                             c->names[i], NULL);
        status = one ? one : status;
    }
    return status;
}

static bool is_change(const char *verb)
{
    static const char *const verbs[] = {"create", "delete", "rename", "subscribe", "unsubscribe"};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(verb, verbs[i]) == 0)
            return true;
    return false;
}

static int change_mailboxes(struct doveadm *d, char **words, int n)
{
    struct changing c = {.verb = words[0]};
    struct doveadm_users users = {getenv("USER"), false};
    int option;
    while ((option = getopt(n, words, "Asu:")) != -1) {
        if (option == 'u')
            users.name = optarg;
        else if (option == 'A')
            users.all = true;
        else if (option == 's')
            c.subscribe = true;
        else
            return EX_USAGE;
    }
    c.names = words + optind;
    c.n = n - optind;
    if (c.n < 1 || (strcmp(c.verb, "rename") == 0 && c.n != 2))
        return doveadm_fatal(EX_USAGE, "doveadm mailbox %s [-u <user>|-A] [-s] <mailbox> [...]",
                             c.verb);
    return doveadm_turns(d, &users, change, &c);
}

int doveadm_mailbox(struct doveadm *d, char **words, int n)
{
    struct mailboxes m = {.users = {getenv("USER"), false}};
    const char *verb = n > 1 ? words[1] : "";
    bool status = strcmp(verb, "status") == 0;
    int option;
    if (is_change(verb))
        return change_mailboxes(d, words + 1, n - 1);
    if (!status && strcmp(verb, "list") != 0) {
        fputs("doveadm mailbox list|status|create|delete|rename|subscribe|unsubscribe "
              "[-u <user>|-A] ... (others are not served)\n",
              stderr);
        return EX_USAGE;
    }
    while ((option = getopt(n - 1, words + 1, "78stu:A")) != -1) {
        if (option == 'u')
            m.users.name = optarg;
        else if (option == 's')
            m.subscribed = true;
        else if (option == 't')
            m.total = true;
        else if (option == 'A')
            m.users.all = true;
        else if (option == '?')
            return EX_USAGE;
    }
    m.masks = words + 1 + optind;
    m.n_masks = n - 1 - optind;
    if (status && m.n_masks < 2)
        return doveadm_fatal(EX_USAGE, "doveadm mailbox status [-u <user>] <fields> <mask> ...");
    if (status) {
        m.fields = m.masks[0];
        m.masks++;
        m.n_masks--;
    }
    struct slice unknown = status ? unknown_field(m.fields) : SLICE_NONE;
    if (unknown.data)
        return doveadm_fatal(EX_USAGE, "Unknown status field: %.*s", SLICE_ARG(unknown));
    begin_table(d, &m);
    int done = doveadm_turns(d, &m.users, show_mailboxes, &m);
    doveadm_table_end(&m.table);
    return done;
}
