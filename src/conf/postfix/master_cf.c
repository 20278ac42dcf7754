/* master_cf.c: the lines of master.cf. A service's line goes on in lines that begin with white
 * space; { } keep a word with spaces together. */
#include "conf/postfix/master_cf.h"

enum { NAME = 0, TYPE = 1, COMMAND = 7, FIELDS = 8 };

struct reader {
    struct arena *arena;
    const char *file;
    struct conf_errors *errors;
    struct master_services services;
    struct buf text; /* of the service being read; its lines end with \n, as many as were there */
    unsigned line;   /* where it began; 0: none */
    enum result result;
};

static bool space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Cuts the next word off, counting lines; data NULL: there is none. INVALID: braces are open. */
static enum result next_word(struct slice *rest, unsigned *line, struct master_word *ret)
{
    size_t at = 0, depth = 0;
    for (; at < rest->len && space(rest->data[at]); at++)
        *line += rest->data[at] == '\n';
    struct slice body = slice_from(*rest, at);
    struct master_word w = {.line = *line};
    for (at = 0; at < body.len && (depth || !space(body.data[at])); at++) {
        depth += body.data[at] == '{';
        if (body.data[at] == '}' && depth)
            depth--;
        *line += body.data[at] == '\n';
    }
    w.text = at ? slice_sub(body, 0, at) : SLICE_NONE;
    *rest = slice_from(body, at);
    if (w.text.len >= 2 && w.text.data[0] == '{' && w.text.data[w.text.len - 1] == '}') {
        w.grouped = true;
        w.text = slice_trim(slice_sub(w.text, 1, w.text.len - 2));
    }
    *ret = w;
    return depth ? INVALID : OK;
}

/* A word of several lines is one line in what comes of it. */
static struct slice joined(struct reader *r, struct slice word)
{
    struct slice copy = arena_dup(r->arena, word);
    for (size_t i = 0; copy.data && i < copy.len; i++)
        if (copy.data[i] == '\n')
            ((char *)(uintptr_t)copy.data)[i] = ' ';
    return copy;
}

static enum result split_words(struct reader *r, struct master_word *words, size_t *ret_n)
{
    struct slice rest = buf_slice(&r->text);
    unsigned line = r->line;
    size_t n = 0;
    for (;;) {
        struct master_word w;
        enum result result = next_word(&rest, &line, &w);
        if (result != OK)
            conf_error(r->errors, r->file, w.line, "a { is not closed with }");
        if (result != OK)
            return result;
        if (!w.text.data)
            break;
        if (n == POSTFIX_WORDS_MAX) {
            conf_error(r->errors, r->file, w.line, "more than %d words in one service",
                       POSTFIX_WORDS_MAX);
            return LIMIT;
        }
        w.text = joined(r, w.text);
        if (!w.text.data)
            return FAILED;
        words[n++] = w;
    }
    *ret_n = n;
    return OK;
}

static struct master_service *place_for(struct reader *r, struct slice name, struct slice type)
{
    for (size_t i = 0; i < r->services.n; i++)
        if (slice_eq(r->services.items[i].name, name) && slice_eq(r->services.items[i].type, type))
            return &r->services.items[i];
    return r->services.n < POSTFIX_SERVICES_MAX ? &r->services.items[r->services.n++] : NULL;
}

static void add_service(struct reader *r, const struct master_word *words, size_t n)
{
    if (n < FIELDS) {
        conf_error(r->errors, r->file, r->line,
                   "a service has %d fields (name, type, private, unpriv, chroot, wakeup, maxproc, "
                   "command), this line has %zu: begin it with a space when it continues the one "
                   "above",
                   FIELDS, n);
        return;
    }
    struct master_service *s = place_for(r, words[NAME].text, words[TYPE].text);
    struct master_word *rest = arena_alloc_n(r->arena, n - FIELDS + 1, sizeof *rest);
    if (!s || !rest) {
        conf_error(r->errors, r->file, r->line, "more than %d services, or no memory",
                   POSTFIX_SERVICES_MAX);
        r->result = LIMIT;
        return;
    }
    memcpy(rest, words + FIELDS, (n - FIELDS) * sizeof *rest);
    *s = (struct master_service){.name = words[NAME].text,
                                 .type = words[TYPE].text,
                                 .command = words[COMMAND].text,
                                 .words = rest,
                                 .n_words = n - FIELDS,
                                 .line = r->line};
    for (size_t i = 0; i < FIELDS; i++)
        s->fields[i] = words[i].text;
}

static void finish_service(struct reader *r)
{
    struct master_word words[POSTFIX_WORDS_MAX];
    size_t n = 0;
    if (!r->line)
        return;
    if (!buf_ok(&r->text))
        conf_error(r->errors, r->file, r->line, "the service is longer than %d bytes",
                   CONF_VALUE_MAX);
    else if (split_words(r, words, &n) == OK)
        add_service(r, words, n);
    buf_reset(&r->text);
    r->line = 0;
}

static void read_line(struct reader *r, struct slice line, unsigned number)
{
    struct slice trimmed = slice_trim(line);
    bool nothing = trimmed.len == 0 || trimmed.data[0] == '#';
    bool continues = !nothing && space(line.data[0]);
    if (!nothing && memchr(line.data, 0, line.len)) {
        conf_error(r->errors, r->file, number, "the line holds a NUL byte: this is no text file");
        return;
    }
    if (continues && !r->line) {
        conf_error(r->errors, r->file, number,
                   "the line begins with a space, which continues a service, but there is none to "
                   "continue");
        return;
    }
    if (!nothing && !continues) {
        finish_service(r);
        r->line = number;
    }
    /* A comment counts as a line. */
    if (r->line) {
        buf_append(&r->text, nothing ? SLICE("") : line);
        buf_putc(&r->text, '\n');
    }
}

enum result master_cf_parse(struct slice text, const char *file, struct arena *a,
                            struct conf_errors *errors, struct master_services *ret)
{
    struct reader r = {.arena = a, .file = file, .errors = errors};
    r.services.items = arena_alloc_n(a, POSTFIX_SERVICES_MAX, sizeof *r.services.items);
    if (!r.services.items)
        return FAILED;
    buf_init(&r.text, CONF_VALUE_MAX);
    for (unsigned number = 1; text.data && r.result == OK; number++)
        read_line(&r, slice_split(&text, '\n'), number);
    finish_service(&r);
    buf_release(&r.text);
    if (r.result == OK)
        *ret = r.services;
    return r.result;
}
