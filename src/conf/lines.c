/* lines.c: from the bytes of a file to assignments. */
#include "conf/lines.h"

struct reader {
    struct conf_reading *reading;
    enum conf_grammar grammar;
    const char *file;
    struct buf value; /* of the assignment being read */
    struct slice name, service;
    unsigned line; /* where it began; 0: none */
    enum result result;
};

static void finish_assignment(struct reader *r)
{
    if (!r->line)
        return;
    struct slice value = arena_dup(r->reading->arena, slice_trim(buf_slice(&r->value)));
    if (!buf_ok(&r->value))
        conf_error(r->reading->errors, r->file, r->line, "value of `%.*s` is longer than %d bytes",
                   SLICE_ARG(r->name), CONF_VALUE_MAX);
    else if (r->result == OK)
        r->result = conf_assign(r->reading, &r->reading->found,
                                (struct conf_assignment){.name = r->name,
                                                         .value = value,
                                                         .service = r->service,
                                                         .file = r->file,
                                                         .line = r->line,
                                                         .grammar = r->grammar});
    buf_reset(&r->value);
    r->line = 0;
}

static bool name_char(char c)
{
    return ascii_alnum(c) || c == '_' || c == '-' || c == '.';
}

static bool good_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!name_char(name.data[i]))
            return false;
    return name.len > 0;
}

/* What people paste: a long list that a page has wrapped, its second line without the space that
 * would continue the first. */
static void report_no_assignment(struct reader *r, struct slice line, unsigned number,
                                 struct slice before, unsigned before_line)
{
    struct slice shown = slice_sub(line, 0, 60);
    if (before_line)
        conf_error(r->reading->errors, r->file, number,
                   "`%.*s` is no assignment: begin the line with a space when it continues "
                   "`%.*s` of line %u, else write name = value",
                   SLICE_ARG(shown), SLICE_ARG(before), before_line);
    else
        conf_error(r->reading->errors, r->file, number,
                   "`%.*s` is no assignment: write name = value", SLICE_ARG(shown));
}

/* "service/name" of the own file. */
static struct slice take_service(struct reader *r, struct slice name)
{
    size_t slash = r->grammar == CONF_OWN ? slice_rfind(name, '/') : SIZE_MAX;
    r->service = SLICE("");
    if (slash == SIZE_MAX)
        return name;
    r->service = arena_dup(r->reading->arena, slice_sub(name, 0, slash));
    return slice_from(name, slash + 1);
}

static void begin_assignment(struct reader *r, struct slice line, unsigned number,
                             unsigned before_line)
{
    size_t at = slice_find(line, '=');
    struct slice name = slice_trim(slice_sub(line, 0, at));
    if (at == SIZE_MAX || slice_find(name, ' ') != SIZE_MAX) {
        report_no_assignment(r, line, number, r->name, before_line);
        return;
    }
    name = take_service(r, name);
    if (!good_name(name)) {
        conf_error(r->reading->errors, r->file, number,
                   "`%.*s` is no parameter name: letters, digits and _ only",
                   SLICE_ARG(slice_sub(name, 0, 60)));
        return;
    }
    r->name = arena_dup(r->reading->arena, name);
    r->line = number;
    buf_append(&r->value, slice_from(line, at + 1));
}

static void read_line(struct reader *r, struct slice line, unsigned number)
{
    struct slice trimmed = slice_trim(line);
    /* Blank lines and comments may stand anywhere, also between continuation lines. */
    if (trimmed.len == 0 || trimmed.data[0] == '#')
        return;
    if (memchr(line.data, 0, line.len)) {
        conf_error(r->reading->errors, r->file, number,
                   "the line holds a NUL byte: this is no text file");
    } else if (line.data[0] != ' ' && line.data[0] != '\t') {
        unsigned before = r->line;
        finish_assignment(r);
        begin_assignment(r, trimmed, number, before);
    } else if (r->line) {
        buf_putc(&r->value, ' ');
        buf_append(&r->value, trimmed);
    } else {
        conf_error(r->reading->errors, r->file, number,
                   "the line begins with a space, which continues an assignment, but there is none "
                   "to continue: remove the space or mend the line above");
    }
}

enum result conf_read_lines(struct slice text, const char *file, enum conf_grammar grammar,
                            struct conf_reading *reading)
{
    struct reader r = {.reading = reading, .grammar = grammar, .file = file};
    if (text.len > CONF_FILE_MAX) {
        conf_error(reading->errors, file, 0, "the file is larger than %d bytes", CONF_FILE_MAX);
        return LIMIT;
    }
    buf_init(&r.value, CONF_VALUE_MAX);
    for (unsigned number = 1; text.data && r.result == OK; number++)
        read_line(&r, slice_split(&text, '\n'), number);
    finish_assignment(&r);
    buf_release(&r.value);
    return r.result;
}
