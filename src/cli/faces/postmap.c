/* postmap.c: postmap(1) and postalias(1) as far as they ask: -q and -s. Tables are read from their
 * text files, so making a database is nothing but a check of the file; changing one (-d, -i) is not
 * possible. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/faces.h"
#include "cli/table_reader.h"

enum { ARENA_MAX = 8 << 20 };

struct run {
    const char *face; /* postmap or postalias */
    const char *usage;
    const char *key;    /* of -q */
    bool list;          /* -s */
    bool headers, body; /* -h, -b */
    char **words;       /* the tables */
    int n;
    const struct table **tables;
    const char *postfix;        /* of -c: the folder of main.cf */
    struct table_reader reader; /* that one's, for tables with their parameters there */
    struct arena arena;         /* of one question */
};

__attribute__((format(printf, 2, 3))) static int fatal(const struct run *run, const char *format,
                                                       ...)
{
    va_list ap;
    fprintf(stderr, "%s: fatal: ", run->face);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    return 1;
}

static enum result open_table(const struct run *run, const char *word, const struct table **ret)
{
    struct arena a;
    struct error err = {""};
    arena_init(&a, ARENA_MAX);
    struct slice spec = cli_table_spec(word, &a);
    enum result r = table_open(spec, &run->reader, cli_table_problem, (void *)run->face, ret, &err);
    if (r != OK)
        fatal(run, "open database %.*s: %s", SLICE_ARG(spec), err.text);
    arena_release(&a);
    return r;
}

/* Status 2: in no table. */
static int ask(struct run *run, struct slice key, bool with_key)
{
    struct table_match m;
    for (int i = 0; i < run->n; i++) {
        struct error err = {""};
        enum result r = table_find(run->tables[i], key, &run->arena, &m, &err);
        if (r == FAILED)
            return fatal(run, "table %.*s: query error: %s", SLICE_ARG(table_name(run->tables[i])),
                         err.text);
        if (r != OK)
            continue;
        if (m.value.len == 0)
            fprintf(stderr,
                    "%s: warning: table %.*s: key %.*s: empty string result is not "
                    "allowed\n%s: warning: table %.*s should return NO RESULT in case "
                    "of NOT FOUND\n",
                    run->face, SLICE_ARG(table_name(run->tables[i])), SLICE_ARG(key), run->face,
                    SLICE_ARG(table_name(run->tables[i])));
        if (with_key)
            printf("%.*s\t", SLICE_ARG(key));
        printf("%.*s\n", SLICE_ARG(m.value));
        return 0;
    }
    return 2;
}

static int ask_and_clear(struct run *run, struct slice key, int so_far)
{
    int status = ask(run, key, true);
    arena_clear(&run->arena);
    return status == 2 ? so_far : status;
}

static struct slice without_newline(const char *line, ssize_t n)
{
    struct slice s = slice_of(line, (size_t)n);
    if (s.len && s.data[s.len - 1] == '\n')
        s.len--;
    return s;
}

/* Each line of stdin is a key. */
static int ask_lines(struct run *run)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    int status = 2;
    while (status != 1 && (n = getline(&line, &size, stdin)) >= 0)
        status = ask_and_clear(run, without_newline(line, n), status);
    free(line);
    return status;
}

static bool is_header(struct slice line)
{
    size_t colon = slice_find(line, ':');
    for (size_t i = 0; i < colon && i < line.len; i++)
        if (line.data[i] <= ' ' && !(i > 0 && line.data[i] == ' '))
            return false;
    return colon != SIZE_MAX && colon > 0;
}

/* stdin is a message: its headers (whole, with their line breaks) or the lines of its body are
 * keys. */
static int ask_message(struct run *run)
{
    struct buf header;
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    bool in_header = true;
    int status = 2;
    buf_init(&header, TABLE_PATTERN_KEY_MAX);
    while (status != 1 && (n = getline(&line, &size, stdin)) >= 0) {
        struct slice s = without_newline(line, n);
        bool goes_on =
            in_header && buf_len(&header) && s.len && (*s.data == ' ' || *s.data == '\t');
        if (in_header && !goes_on) {
            if (run->headers)
                status = ask_and_clear(run, buf_slice(&header), status);
            buf_reset(&header);
            in_header = is_header(s);
        }
        if (goes_on)
            buf_putc(&header, '\n');
        if (in_header)
            buf_append(&header, s);
        else if (run->body)
            status = ask_and_clear(run, s, status);
    }
    if (status != 1 && run->headers)
        status = ask_and_clear(run, buf_slice(&header), status);
    free(line);
    buf_release(&header);
    return status;
}

static void print_entry(void *arg, struct slice key, struct slice value)
{
    const struct run *run = arg;
    bool aliases = strcmp(run->face, "postalias") == 0, ends = slice_ends_nocase(key, SLICE(":"));
    /* A line "name: targets" is kept under both keys that it may be asked by (table/text.c). */
    if (!aliases || !ends)
        printf("%.*s%s\t%.*s\n", SLICE_ARG(key), aliases ? ":" : "", SLICE_ARG(value));
}

static int list(struct run *run)
{
    for (int i = 0; i < run->n; i++)
        if (table_each(run->tables[i], print_entry, run) != OK)
            return fatal(run, "table %.*s: its type has no list of keys",
                         SLICE_ARG(table_name(run->tables[i])));
    return 0;
}

static int query(struct run *run)
{
    int status = 0;
    run->tables = calloc((size_t)run->n, sizeof(struct table *));
    if (!run->tables)
        return 1;
    arena_init(&run->arena, ARENA_MAX);
    for (int i = 0; i < run->n && status == 0; i++)
        status = open_table(run, run->words[i], &run->tables[i]) != OK;
    if (status == 0 && run->list)
        status = list(run);
    else if (status == 0 && strcmp(run->key, "-") != 0)
        status = ask(run, slice_cstr(run->key), false);
    else if (status == 0)
        status = run->headers || run->body ? ask_message(run) : ask_lines(run);
    for (int i = 0; i < run->n; i++)
        table_close(run->tables[i]);
    arena_release(&run->arena);
    free(run->tables);
    return status ? 1 : 0;
}

/* Nothing is made: the text is read as the server will read it, and its faults are told. */
static int check(struct run *run)
{
    for (int i = 0; i < run->n; i++) {
        const struct table *t;
        if (open_table(run, run->words[i], &t) != OK)
            return 1;
        fprintf(stderr, "%s: note: %.*s: can be read; no database is needed\n", run->face,
                SLICE_ARG(table_name(t)));
        table_close(t);
    }
    return 0;
}

/* As postmap(1): -c, MAIL_CONFIG, then where our configuration says, or the usual place. */
static void choose_folder(struct run *run, const struct cli *c)
{
    const char *dir = run->postfix ? run->postfix : getenv("MAIL_CONFIG");
    if (!dir && c->conf && c->conf->postfix_config.len)
        dir = c->conf->postfix_config.data;
    run->reader = cli_table_reader;
    run->reader.ask_arg = (void *)(dir ? dir : "/etc/postfix");
}

static const char usage_map[] = "usage: postmap [-bh] [-q key | -s] [type:]file ...";
static const char usage_alias[] = "usage: postalias [-q key | -s] [type:]file ...";

/* NULL: taken. */
static const char *take_option(struct run *run, int option)
{
    switch (option) {
    case 'q':
        run->key = optarg;
        return NULL;
    case 'c':
        run->postfix = optarg;
        return NULL;
    case 's':
        run->list = true;
        return NULL;
    case 'h':
        run->headers = true;
        return NULL;
    case 'b':
        run->body = true;
        return NULL;
    case 'd':
    case 'i':
        return "a table is changed in its text file: edit that";
    case 'F':
        return "values that name files (-F) are not served";
    case '?':
        return run->usage;
    default: /* how a database is made, logged or folded: nothing is made here */
        return NULL;
    }
}

static int run_face(struct run *run, const char *options, struct cli *c, char **words, int n)
{
    int option;
    while ((option = getopt(n, words, options)) != -1) {
        const char *why = take_option(run, option);
        if (why)
            return fatal(run, "%s", why);
    }
    choose_folder(run, c);
    run->words = words + optind;
    run->n = n - optind;
    if (run->n == 0 || (run->list && run->key))
        return fatal(run, "%s", run->usage);
    int status = run->key || run->list ? query(run) : check(run);
    return fflush(stdout) == 0 ? status : 1;
}

int face_postmap(struct cli *c, char **words, int n)
{
    struct run run = {.face = "postmap", .usage = usage_map};
    return run_face(&run, "+bc:d:fFhimNnopq:rsuUvw", c, words, n);
}

int face_postalias(struct cli *c, char **words, int n)
{
    struct run run = {.face = "postalias", .usage = usage_alias};
    return run_face(&run, "+c:d:finNopq:rsuvw", c, words, n);
}
