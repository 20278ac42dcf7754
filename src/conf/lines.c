/* lines.c: from the bytes of a file to assignments. */
#include "conf/lines.h"

enum { ERRORS_MAX = 256 * 1024 };

void conf_errors_init(struct conf_errors *e)
{
    buf_init(&e->text, ERRORS_MAX);
    e->count = 0;
}

void conf_errors_release(struct conf_errors *e)
{
    buf_release(&e->text);
}

void conf_error(struct conf_errors *e, const char *file, unsigned line, const char *format, ...)
{
    va_list ap;
    e->count++;
    if (line)
        buf_printf(&e->text, "%s:%u: ", file, line);
    else
        buf_printf(&e->text, "%s: ", file);
    va_start(ap, format);
    buf_vprintf(&e->text, format, ap);
    va_end(ap);
    buf_putc(&e->text, '\n');
}

struct reader {
    struct arena *arena;
    const char *file;
    struct conf_errors *errors;
    struct conf_assignments *out;
    struct buf value; /* of the assignment being read */
    struct slice name;
    unsigned line; /* where it began; 0: none */
    bool failed;
};

static void finish_assignment(struct reader *r)
{
    if (!r->line)
        return;
    struct slice value = arena_dup(r->arena, slice_trim(buf_slice(&r->value)));
    if (!buf_ok(&r->value))
        conf_error(r->errors, r->file, r->line, "value of `%.*s` is longer than %d bytes",
                   SLICE_ARG(r->name), CONF_VALUE_MAX);
    else if (r->out->n == CONF_ASSIGNMENTS_MAX)
        r->failed = true;
    else if (!value.data)
        r->failed = true;
    else
        r->out->items[r->out->n++] = (struct conf_assignment){r->name, value, r->line, false};
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

static void begin_assignment(struct reader *r, struct slice line, unsigned number)
{
    size_t at = slice_find(line, '=');
    struct slice name = slice_trim(slice_sub(line, 0, at));
    if (at == SIZE_MAX) {
        conf_error(r->errors, r->file, number,
                   "`%.*s` is no assignment: write name = value, or begin the line with a space "
                   "when it continues the one before",
                   SLICE_ARG(slice_sub(line, 0, 60)));
        return;
    }
    if (!good_name(name)) {
        conf_error(r->errors, r->file, number,
                   "`%.*s` is no parameter name: letters, digits and _ only",
                   SLICE_ARG(slice_sub(name, 0, 60)));
        return;
    }
    r->name = arena_dup(r->arena, name);
    r->line = number;
    r->failed |= !r->name.data;
    buf_append(&r->value, slice_from(line, at + 1));
}

static void read_line(struct reader *r, struct slice line, unsigned number)
{
    struct slice trimmed = slice_trim(line);
    /* Blank lines and comments may stand anywhere, also between continuation lines. */
    if (trimmed.len == 0 || trimmed.data[0] == '#')
        return;
    if (memchr(line.data, 0, line.len)) {
        conf_error(r->errors, r->file, number, "the line holds a NUL byte: this is no text file");
    } else if (line.data[0] != ' ' && line.data[0] != '\t') {
        finish_assignment(r);
        begin_assignment(r, trimmed, number);
    } else if (r->line) {
        buf_putc(&r->value, ' ');
        buf_append(&r->value, trimmed);
    } else {
        conf_error(r->errors, r->file, number,
                   "the line begins with a space, which continues an assignment, but there is none "
                   "to continue: remove the space or mend the line above");
    }
}

enum result conf_read_lines(struct slice text, const char *file, struct arena *a,
                            struct conf_assignments *ret, struct conf_errors *errors)
{
    struct reader r = {.arena = a, .file = file, .errors = errors, .out = ret};
    if (text.len > CONF_FILE_MAX) {
        conf_error(errors, file, 0, "the file is larger than %d bytes", CONF_FILE_MAX);
        return LIMIT;
    }
    *ret = (struct conf_assignments){0};
    size_t lines = 1;
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    ret->items = arena_alloc_n(a, lines < CONF_ASSIGNMENTS_MAX ? lines : CONF_ASSIGNMENTS_MAX,
                               sizeof *ret->items);
    if (!ret->items)
        return FAILED;
    buf_init(&r.value, CONF_VALUE_MAX);
    for (unsigned number = 1; text.data; number++)
        read_line(&r, slice_split(&text, '\n'), number);
    finish_assignment(&r);
    buf_release(&r.value);
    if (r.failed)
        conf_error(errors, file, 0, "more than %d assignments, or no memory", CONF_ASSIGNMENTS_MAX);
    return r.failed ? LIMIT : OK;
}
