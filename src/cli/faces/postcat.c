/* postcat.c: postcat(1) with -q: the envelope and the content of queued mail, as Postfix prints its
 * queue files. There are no such files here, so a message is named by its queue id, and what
 * Postfix tells of a file's records (-d, -o, -r, -s) has no counterpart. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/faces.h"
#include "cli/queued.h"

enum { ENVELOPE = 4, ALL = ENVELOPE | QUEUED_HEADER | QUEUED_BODY, ENVELOPE_MAX = 16 << 20 };

static int fatal(const char *text)
{
    fprintf(stderr, "postcat: fatal: %s\n", text);
    return 1;
}

static void marker(unsigned parts, const char *text, struct slice state, const char *id)
{
    if (parts & ENVELOPE)
        printf("*** %s %.*s/%s ***\n", text, SLICE_ARG(state), id);
}

static enum result print(int fd, const char *id, unsigned parts, struct error *err)
{
    struct buf envelope;
    buf_init(&envelope, ENVELOPE_MAX);
    enum result r =
        control_ask(fd, (const char *const[]){"queue", "envelope", id}, 3, &envelope, err);
    struct slice records = buf_slice(&envelope);
    struct slice state = slice_split(&records, '\n');
    if (r == OK) {
        marker(parts, "ENVELOPE RECORDS", state, id);
        if (parts & ENVELOPE)
            fwrite(records.data, 1, records.len, stdout);
        marker(parts, "MESSAGE CONTENTS", state, id);
        if (parts & ~(unsigned)ENVELOPE)
            r = queued_print(fd, id, parts, err);
    }
    if (r == OK) {
        marker(parts, "HEADER EXTRACTED", state, id);
        marker(parts, "MESSAGE FILE END", state, id);
    }
    buf_release(&envelope);
    return r;
}

static int print_one(int fd, const char *id, unsigned parts)
{
    struct error err = {""};
    uint64_t number;
    bool named = log_id_parse(slice_cstr(id), &number) == OK;
    if (named && print(fd, id, parts, &err) == OK)
        return 0;
    fprintf(stderr, "postcat: fatal: open queue file %s: %s\n", id,
            !named || strstr(err.text, "no such message") ? "No such file or directory" : err.text);
    return 1;
}

static int print_all(struct cli *c, char **ids, int n, unsigned parts)
{
    struct error err = {""};
    int fd, status = 0;
    if (control_open(c, &fd, &err) != OK)
        return fatal(err.text);
    for (int i = 0; i < n && status == 0; i++)
        status = print_one(fd, ids[i], parts);
    close(fd);
    return fflush(stdout) == 0 ? status : fatal("what was asked for can't be written");
}

int face_postcat(struct cli *c, char **words, int n)
{
    unsigned parts = 0;
    bool in_queue = false;
    int option;
    while ((option = getopt(n, words, "bc:dehoqrs:v")) != -1) {
        if (option == '?')
            return fatal("usage: postcat [-b (body text)] [-e (envelope records)] [-h (header "
                         "text)] -q (access queue) queue_id...");
        if (option == 'c')
            fprintf(stderr, "postcat: note: -c %s is ignored: there is one server\n", optarg);
        else if (strchr("dors", option))
            fprintf(stderr, "postcat: note: -%c is ignored: a message is no file of records here\n",
                    option);
        in_queue |= option == 'q';
        parts |= option == 'b'   ? QUEUED_BODY
                 : option == 'h' ? QUEUED_HEADER
                 : option == 'e' ? ENVELOPE
                                 : 0u;
    }
    if (!in_queue || optind == n)
        return fatal("messages are not kept in files: name a queue id: postcat -q queue_id");
    return print_all(c, words + optind, n - optind, parts ? parts : ALL);
}
