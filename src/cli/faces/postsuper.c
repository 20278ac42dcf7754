/* postsuper.c: postsuper(1): deletes, holds, releases and requeues messages; says what it did as
 * Postfix does. */
#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/control.h"
#include "cli/faces.h"

enum { IDS_BYTES_MAX = 512 << 20, QUEUES_MAX = 16 };

struct action {
    int option;
    const char *verb;   /* of `queue` */
    const char *done;   /* of one message */
    const char *total;  /* of all */
    const char *states; /* that it is for, when none are named */
};
static const struct action actions[] = {
    {'d', "delete", "removed", "Deleted", "hold active deferred incoming"},
    {'h', "hold", "placed on hold", "Placed on hold", "active deferred incoming"},
    {'H', "release", "released from hold", "Released from hold", "hold"},
    {'r', "flush", "requeued", "Requeued", "hold active deferred incoming"},
};
enum { ACTIONS = sizeof actions / sizeof *actions };

struct super {
    struct cli *cli;
    int fd;
    char **queues; /* behind the options; none: what the action is for */
    int n_queues;
    struct buf ids; /* "ID STATE\n" of the queue, as it was before this kind of action */
    unsigned long done[ACTIONS];
    bool used[ACTIONS];
    bool failed;
};

static int fatal(const char *text)
{
    fprintf(stderr, "postsuper: fatal: %s\n", text);
    return 1;
}

static bool is_word_of(struct slice word, const char *words)
{
    for (struct slice rest = slice_cstr(words); rest.data;)
        if (slice_eq(slice_split(&rest, ' '), word))
            return true;
    return false;
}

static bool concerns(const struct super *s, const struct action *a, struct slice state)
{
    if (s->n_queues == 0)
        return is_word_of(state, a->states);
    for (int i = 0; i < s->n_queues; i++)
        if (slice_is(state, s->queues[i]))
            return true;
    return false;
}

/* "" when there is no such message. */
static struct slice state_of(const struct super *s, const char *id)
{
    for (struct slice rest = buf_slice(&s->ids); rest.data && rest.len;) {
        struct slice state = slice_split(&rest, '\n');
        struct slice name = slice_split(&state, ' ');
        if (slice_is(name, id))
            return state;
    }
    return SLICE("");
}

static bool give(struct super *s, const char *verb, const char *id)
{
    struct error err = {""};
    const char *words[] = {"queue", verb, id};
    enum result r = control_ask(s->fd, words, 3, NULL, &err);
    if (r == OK)
        return true;
    if (!strstr(err.text, "no such message")) {
        fprintf(stderr, "postsuper: warning: %s: %s\n", id, err.text);
        s->failed = true;
    }
    return false;
}

/* -r of what is on hold releases it. */
static bool apply(struct super *s, const struct action *a, const char *id, struct slice state)
{
    bool was_held = a->option == 'r' && slice_is(state, "hold");
    return (!was_held || give(s, "release", id)) && give(s, a->verb, id);
}

static void act_on(struct super *s, size_t action, const char *id)
{
    const struct action *a = &actions[action];
    struct slice state = state_of(s, id);
    if (id[strspn(id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")] || !*id) {
        fprintf(stderr, "postsuper: warning: invalid mail queue id: %s\n", id);
        return;
    }
    if (state.len && concerns(s, a, state) && apply(s, a, id, state)) {
        fprintf(stderr, "postsuper: %s: %s\n", id, a->done);
        s->done[action]++;
    }
}

static void act_on_all(struct super *s, size_t action)
{
    for (struct slice rest = buf_slice(&s->ids); rest.data && rest.len;) {
        char id[64];
        struct slice state = slice_split(&rest, '\n');
        struct slice name = slice_split(&state, ' ');
        snprintf(id, sizeof id, "%.*s", SLICE_ARG(name));
        if (concerns(s, &actions[action], state) && apply(s, &actions[action], id, state))
            s->done[action]++;
    }
}

static void act_on_stdin(struct super *s, size_t action)
{
    char line[512];
    while (fgets(line, sizeof line, stdin)) {
        char *id = line + strspn(line, " \t");
        id[strcspn(id, " \t\r\n")] = 0;
        if (*id)
            act_on(s, action, id);
    }
}

static void act(struct super *s, int option, const char *value)
{
    size_t i = 0;
    while (i < ACTIONS && actions[i].option != option)
        i++;
    if (i == ACTIONS)
        return; /* -s and -p: there is nothing to repair or to purge */
    s->used[i] = true;
    if (strcmp(value, "-") == 0)
        act_on_stdin(s, i);
    else if (strcmp(value, "ALL") == 0)
        act_on_all(s, i);
    else
        act_on(s, i, value);
}

static const char options[] = "c:d:e:f:h:H:pr:sSv";

/* What is wrong with the words, or NULL. */
static const char *check_words(struct super *s, char **words, int n)
{
    static const char known[] = "active deferred hold incoming maildrop";
    int option;
    while ((option = getopt(n, words, options)) != -1) {
        if (option == '?')
            return "usage: postsuper [-d queue_id (delete)] [-h queue_id (hold)] [-H queue_id "
                   "(un-hold)] [-r queue_id (requeue)] [queue...]";
        if (option == 'e' || option == 'f')
            return "-e and -f: forced expiration is not supported; -d deletes";
        if (option == 'c')
            fprintf(stderr, "postsuper: note: -c %s is ignored: there is one server\n", optarg);
    }
    s->queues = words + optind;
    s->n_queues = n - optind;
    for (int i = 0; i < s->n_queues; i++)
        if (!is_word_of(slice_cstr(s->queues[i]), known))
            return "invalid directory name: name active, deferred, hold or incoming";
    return NULL;
}

static void say_totals(const struct super *s)
{
    for (size_t i = 0; i < ACTIONS; i++)
        if (s->used[i])
            fprintf(stderr, "postsuper: %s: %lu message%s\n", actions[i].total, s->done[i],
                    s->done[i] == 1 ? "" : "s");
}

static enum result look(struct super *s, struct error *err)
{
    buf_reset(&s->ids);
    return control_ask(s->fd, (const char *const[]){"queue", "ids"}, 2, &s->ids, err);
}

/* In the order of the words; each kind of action finds what the one before it left. */
static enum result act_on_words(struct super *s, char **words, int n, struct error *err)
{
    int option, before = 0;
    enum result r = OK;
    optind = 0;
    while (r == OK && (option = getopt(n, words, options)) != -1) {
        if (!strchr("dhHr", option))
            continue;
        r = option == before ? OK : look(s, err);
        before = option;
        if (r == OK)
            act(s, option, optarg);
    }
    return r;
}

int face_postsuper(struct cli *c, char **words, int n)
{
    struct super s = {.cli = c};
    struct error err = {""};
    const char *wrong = check_words(&s, words, n);
    if (wrong)
        return fatal(wrong);
    if (control_open(c, &s.fd, &err) != OK)
        return fatal(err.text);
    buf_init(&s.ids, IDS_BYTES_MAX);
    enum result r = act_on_words(&s, words, n, &err);
    close(s.fd);
    buf_release(&s.ids);
    if (r != OK)
        return fatal(strstr(err.text, "not permitted")
                         ? "use of this command is reserved for the superuser"
                         : err.text);
    say_totals(&s);
    return s.failed ? 1 : 0;
}
