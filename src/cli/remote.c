/* remote.c: commands that the running server answers: passes the words over the control socket and
 * prints what comes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/queued.h"

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(word, *list) == 0)
            return true;
    return false;
}

/* Each option once, with its value; those that it can't do without. */
static int check_explain(char **words, int n)
{
    static const char *const known[] = {"--client", "--from",    "--to",  "--name", "--helo",
                                        "--user",   "--service", "--tls", "--json", NULL};
    enum { NEEDED = 3, VALUED = 7 };
    unsigned seen = 0;
    for (int i = 1; i < n; i++) {
        unsigned k = 0;
        while (known[k] && strcmp(words[i], known[k]) != 0)
            k++;
        if (!known[k] || seen & 1u << k || (k < VALUED && ++i == n))
            break;
        seen |= 1u << k;
        if (i == n - 1 && (seen & ((1u << NEEDED) - 1)) == (1u << NEEDED) - 1)
            return 0;
    }
    return cli_fail(2, "usage: explain --client IP --from ADDRESS --to ADDRESS [--name HOSTNAME] "
                       "[--helo NAME] [--user LOGIN] [--service NAME] [--tls] [--json]");
}

/* queue show ID --message */
static bool shows_message(char **words, int n)
{
    return n == 4 && strcmp(words[1], "show") == 0 && strcmp(words[3], "--message") == 0;
}

/* Are these the words of a command? Told here, so that it is told without a running server too. */
static int check_words(char **words, int n)
{
    static const char *const on_id[] = {"show", "hold", "release", "delete", NULL};
    bool json = n > 1 && strcmp(words[n - 1], "--json") == 0;
    int plain = json ? n - 1 : n;
    if (strcmp(words[0], "queue") == 0) {
        if ((plain >= 2 && plain % 2 == 0 && strcmp(words[1], "list") == 0) ||
            (plain == 2 && strcmp(words[1], "summary") == 0) ||
            (!json && (plain == 2 || plain == 3) && strcmp(words[1], "flush") == 0) ||
            (plain == 3 && is_one_of(words[1], on_id)) || shows_message(words, n))
            return 0;
        return cli_fail(
            2, "usage: queue list [--sender A] [--recipient A] [--destination D] "
               "[--reason TEXT] [--older TIME] [--limit N] [--json] | queue summary [--json] | "
               "queue show ID [--message | --json] | "
               "queue flush [ID|all] | queue hold|release|delete ID|all");
    }
    if (strcmp(words[0], "trace") == 0)
        return plain > 1
                   ? 0
                   : cli_fail(2, "usage: trace ID|MESSAGE-ID [--json] | trace [--from ADDRESS] "
                                 "[--to ADDRESS] [--since TIME] [--limit N] [--json]");
    if (strcmp(words[0], "mailbox") == 0)
        return plain == 3 && strcmp(words[1], "list") == 0
                   ? 0
                   : cli_fail(2, "usage: mailbox list NAME [--json]");
    if (strcmp(words[0], "tls-report") == 0)
        return (plain == 2 && strcmp(words[1], "list") == 0) ||
                       (!json && (n == 2 || n == 3) && strcmp(words[1], "send") == 0)
                   ? 0
                   : cli_fail(2, "usage: tls-report list [--json] | tls-report send [DOMAIN]");
    if (strcmp(words[0], "explain") == 0)
        return check_explain(words, n);
    return plain == 1 ? 0 : cli_fail(2, "usage: %s [--json]", words[0]);
}

/* Behind what `queue show ID` tells of a message comes its header, or all of it. */
static enum result print_shown(int fd, char **words, int n, struct error *err)
{
    bool whole = shows_message(words, n);
    if (strcmp(words[0], "queue") != 0 || strcmp(words[1], "show") != 0 ||
        strcmp(words[2], "all") == 0 || (n > 3 && !whole))
        return OK;
    putchar('\n');
    return queued_print(fd, words[2], QUEUED_HEADER | (whole ? QUEUED_BODY : 0u), err);
}

int cli_remote(struct cli *c, char **words, int n)
{
    struct error err = {""};
    int fd, wrong = check_words(words, n);
    if (wrong != 0)
        return wrong;
    if (c->config_given && access(c->config_path, R_OK) != 0)
        return cli_fail(1, "%s: %s", c->config_path, strerror(errno));
    if (control_open(c, &fd, &err) != OK)
        return cli_fail(1, "%s", err.text);
    union {
        char **in;
        const char *const *out;
    } given = {.in = words};
    size_t asked = (size_t)(strcmp(words[0], "queue") == 0 && shows_message(words, n) ? 3 : n);
    enum result r = control_ask(fd, given.out, asked, NULL, &err);
    if (r == OK)
        r = print_shown(fd, words, n, &err);
    close(fd);
    /* Refused without a word: what was printed says it all. */
    return r == OK ? 0 : r == DENIED && !err.text[0] ? 1 : cli_fail(1, "%s", err.text);
}
