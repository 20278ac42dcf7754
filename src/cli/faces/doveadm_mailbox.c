/* doveadm_mailbox.c: doveadm mailbox list and mailbox status, asked of the running server. */
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
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
    const char *user, *fields;
    bool subscribed, total;
    char **masks;
    int n_masks;
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

static void print_status(struct doveadm *d, const struct mailboxes *m, const struct slice *f)
{
    bool tab = d->format == DOVEADM_TAB;
    printf("%.*s", SLICE_ARG(f[0]));
    for (size_t i = 2; i < FIELDS; i++)
        if (field_wanted(m, i) && tab)
            printf("\t%.*s", SLICE_ARG(f[i]));
        else if (field_wanted(m, i))
            printf(" %s=%.*s", field_names[i], SLICE_ARG(f[i]));
    putchar('\n');
}

static void print_titles(const struct mailboxes *m)
{
    fputs("mailbox", stdout);
    for (size_t i = 2; i < FIELDS; i++)
        if (field_wanted(m, i))
            printf("\t%s", field_names[i]);
    putchar('\n');
}

static void print_totals(const struct mailboxes *m, const uint64_t *sums)
{
    const char *between = "";
    for (size_t i = 2; i < FIELDS; i++)
        if (field_wanted(m, i) && has_total[i]) {
            printf("%s%s=%llu", between, field_names[i], (unsigned long long)sums[i]);
            between = " ";
        }
    putchar('\n');
}

/* How many mailboxes were told. */
static size_t print_mailboxes(struct doveadm *d, const struct mailboxes *m, struct slice lines)
{
    uint64_t sums[FIELDS] = {0}, value;
    size_t told = 0;
    if (m->fields && d->format == DOVEADM_TAB)
        print_titles(m);
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
        if (!m->fields)
            printf("%.*s\n", SLICE_ARG(f[0]));
        else if (!m->total)
            print_status(d, m, f);
    }
    if (m->fields && m->total)
        print_totals(m, sums);
    return told;
}

static int show_mailboxes(struct doveadm *d, const struct mailboxes *m)
{
    struct buf fields, out;
    const char *question[] = {"names", m->user};
    buf_init(&fields, 64 * 1024);
    enum result r = doveadm_find_user(d, slice_cstr(m->user), &fields);
    buf_release(&fields);
    if (r == NOT_FOUND) {
        fprintf(stderr, "doveadm(%s): Error: User doesn't exist\n", m->user);
        return EX_NOUSER;
    }
    int status = r == OK ? doveadm_ask(d, question, 2, &out) : EX_TEMPFAIL;
    if (r != OK)
        return status;
    if (status == 0 && print_mailboxes(d, m, buf_slice(&out)) == 0 && m->fields) {
        fprintf(stderr, "doveadm(%s): Error: Mailbox %s: Mailbox doesn't exist\n", m->user,
                m->n_masks ? m->masks[0] : "");
        status = 68;
    }
    buf_release(&out);
    return status;
}

int doveadm_mailbox(struct doveadm *d, char **words, int n)
{
    struct mailboxes m = {.user = getenv("USER")};
    const char *verb = n > 1 ? words[1] : "";
    bool status = strcmp(verb, "status") == 0;
    int option;
    if (!status && strcmp(verb, "list") != 0) {
        fputs("doveadm mailbox list|status [-u <user>] ... (others are not served)\n", stderr);
        return EX_USAGE;
    }
    while ((option = getopt(n - 1, words + 1, "78stu:A")) != -1) {
        if (option == 'u')
            m.user = optarg;
        else if (option == 's')
            m.subscribed = true;
        else if (option == 't')
            m.total = true;
        else if (option == 'A')
            return doveadm_fatal(EX_USAGE, "-A is not served: name each user with -u");
        else if (option == '?')
            return EX_USAGE;
    }
    if (!m.user)
        return doveadm_fatal(EX_USAGE, "USER environment is missing and -u option not used");
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
    return show_mailboxes(d, &m);
}
