#include "conf/dovecot/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/dovecot/line.h"
#include "conf/lines.h"

struct reading {
    const struct dovecot_source *source;
    struct arena *arena;
    struct conf_errors *errors;
    size_t nodes, files;
    unsigned depth, nesting;
    bool failed; /* a limit or no memory: stop */
};

/* The file being read; blocks may not reach over its end. */
struct place {
    const char *file;
    unsigned line;
    struct dovecot_node *block, *outermost;
};

static enum result read_file(struct reading *r, const char *path, struct place *at, bool optional);

const struct dovecot_node *dovecot_find(const struct dovecot_node *block, const char *key)
{
    const struct dovecot_node *found = NULL;
    for (const struct dovecot_node *n = block->first; n; n = n->next)
        if (!n->block && slice_is(n->key, key))
            found = n;
    return found;
}

const struct dovecot_node *dovecot_find_outwards(const struct dovecot_node *block, const char *key)
{
    for (; block; block = block->parent) {
        const struct dovecot_node *n = dovecot_find(block, key);
        if (n)
            return n;
    }
    return NULL;
}

static struct dovecot_node *add_node(struct reading *r, struct place *at,
                                     const struct dovecot_line *l)
{
    struct dovecot_node *n = NULL;
    if (r->nodes < DOVECOT_NODES_MAX)
        n = ARENA_NEW(r->arena, struct dovecot_node);
    if (!n) {
        conf_error(r->errors, at->file, at->line, "more than %d settings, or no memory",
                   DOVECOT_NODES_MAX);
        r->failed = true;
        return NULL;
    }
    r->nodes++;
    *n = (struct dovecot_node){.key = arena_dup(r->arena, l->key),
                               .value = arena_dup(r->arena, l->value),
                               .block = l->kind == DOVECOT_OPEN,
                               .from_file = l->from_file,
                               .file = at->file,
                               .line = at->line,
                               .parent = at->block};
    if (at->block->last)
        at->block->last->next = n;
    else
        at->block->first = n;
    at->block->last = n;
    r->failed |= arena_failed(r->arena);
    return n;
}

/* ---- $name in values ---- */

static size_t name_length(struct slice s)
{
    size_t n = 0;
    while (n < s.len && (ascii_alnum(s.data[n]) || s.data[n] == '_' || s.data[n] == ':'))
        n++;
    return n;
}

/* What $name stands for: what it was set to so far, the environment's for ENV:name. */
static struct slice referred(const struct place *at, struct slice name, char *scratch, size_t size)
{
    bool environment = slice_starts(name, SLICE("ENV:"));
    struct slice bare =
        environment || slice_starts(name, SLICE("SET:")) ? slice_from(name, 4) : name;
    if (bare.len >= size)
        return SLICE("");
    memcpy(scratch, bare.data, bare.len);
    scratch[bare.len] = '\0';
    if (environment) {
        const char *value = getenv(scratch);
        return value ? slice_cstr(value) : SLICE("");
    }
    const struct dovecot_node *n = dovecot_find_outwards(at->block, scratch);
    return n && !n->from_file ? n->value : SLICE("");
}

/* A $ stands for something at the start of a word only; elsewhere it is itself, as in hashes. */
static struct slice expand(struct reading *r, const struct place *at, struct slice text)
{
    char scratch[DOVECOT_NAME_MAX + 1];
    struct buf out;
    if (slice_find(text, '$') == SIZE_MAX)
        return text;
    buf_init(&out, DOVECOT_LINE_MAX);
    for (size_t i = 0; i < text.len; i++) {
        bool starts = i == 0 || text.data[i - 1] == ' ' || text.data[i - 1] == '\t';
        size_t n = text.data[i] == '$' && starts ? name_length(slice_from(text, i + 1)) : 0;
        if (n && ascii_alpha(text.data[i + 1])) {
            buf_append(&out, referred(at, slice_sub(text, i + 1, n), scratch, sizeof scratch));
            i += n;
        } else {
            buf_putc(&out, text.data[i]);
        }
    }
    if (!buf_ok(&out))
        conf_error(r->errors, at->file, at->line, "the value is longer than %d bytes",
                   DOVECOT_LINE_MAX);
    struct slice value = arena_dup(r->arena, slice_trim(buf_slice(&out)));
    buf_release(&out);
    return value;
}

/* ---- blocks and includes ---- */

static void open_block(struct reading *r, struct place *at, const struct dovecot_line *l)
{
    if (r->nesting == DOVECOT_NESTING_MAX) {
        conf_error(r->errors, at->file, at->line, "blocks are nested more than %d deep",
                   DOVECOT_NESTING_MAX);
        r->failed = true;
        return;
    }
    struct dovecot_node *n = add_node(r, at, l);
    if (!n)
        return;
    at->block = n;
    r->nesting++;
}

static void close_block(struct reading *r, struct place *at)
{
    if (at->block == at->outermost) {
        conf_error(r->errors, at->file, at->line, "a } without its {: remove it");
        return;
    }
    at->block = at->block->parent;
    r->nesting--;
}

struct including {
    struct reading *reading;
    struct place *at;
    bool optional;
    size_t n;
};

static void include_one(void *arg, const char *path)
{
    struct including *i = arg;
    struct slice copy = arena_dup(i->reading->arena, slice_cstr(path));
    i->n++;
    if (!copy.data)
        i->reading->failed = true;
    else if (!i->reading->failed && read_file(i->reading, copy.data, i->at, i->optional) == FAILED)
        i->reading->failed = true;
}

/* Relative paths begin at the folder of the file that includes. */
static void include(struct reading *r, struct place *at, const struct dovecot_line *l)
{
    size_t slash = slice_rfind(slice_cstr(at->file), '/');
    int folder = l->value.data[0] == '/' || slash == SIZE_MAX ? 0 : (int)slash + 1;
    const char *pattern = arena_printf(r->arena, "%.*s%.*s", folder, at->file, SLICE_ARG(l->value));
    struct including i = {r, at, l->optional, 0};
    if (!pattern) {
        r->failed = true;
        return;
    }
    if (r->depth == DOVECOT_INCLUDE_DEPTH) {
        conf_error(r->errors, at->file, at->line, "files include one another more than %d deep",
                   DOVECOT_INCLUDE_DEPTH);
        return;
    }
    r->depth++;
    enum result done = r->source->glob(r->source->arg, pattern, include_one, &i);
    r->depth--;
    if (done != OK)
        conf_error(r->errors, at->file, at->line, "%s: cannot be looked through", pattern);
    else if (i.n == 0 && !l->optional)
        conf_error(r->errors, at->file, at->line,
                   "%s: there is no such file: mend the path, or write !include_try", pattern);
}

static void take_line(struct reading *r, struct place *at, struct slice text)
{
    struct dovecot_line l = dovecot_parse_line(text, r->arena);
    switch (l.kind) {
    case DOVECOT_EMPTY:
        break;
    case DOVECOT_SETTING:
        if (!l.quoted && !l.from_file)
            l.value = expand(r, at, l.value);
        (void)add_node(r, at, &l);
        break;
    case DOVECOT_OPEN:
        open_block(r, at, &l);
        break;
    case DOVECOT_CLOSE:
        close_block(r, at);
        break;
    case DOVECOT_INCLUDE:
        include(r, at, &l);
        break;
    case DOVECOT_WRONG:
        conf_error(r->errors, at->file, at->line, "`%.*s`: %s", SLICE_ARG(slice_sub(text, 0, 60)),
                   l.why);
        break;
    }
}

static void read_lines(struct reading *r, struct place *at, struct slice text)
{
    struct buf joined;
    unsigned lines = 0;
    buf_init(&joined, DOVECOT_LINE_MAX);
    for (at->line = 1; text.data && !r->failed; at->line += lines) {
        if (dovecot_next_line(&text, &joined, &lines) == OK)
            take_line(r, at, buf_slice(&joined));
        else
            conf_error(r->errors, at->file, at->line, "the line is longer than %d bytes",
                       DOVECOT_LINE_MAX);
    }
    buf_release(&joined);
    if (at->block == at->outermost || r->failed)
        return;
    conf_error(r->errors, at->file, at->block->line, "`%.*s {` is not closed with }",
               SLICE_ARG(at->block->key));
    for (; at->block != at->outermost; at->block = at->block->parent)
        r->nesting--;
}

static enum result read_file(struct reading *r, const char *path, struct place *from, bool optional)
{
    struct buf text;
    struct error why = {""};
    struct place at = {path, 0, from->block, from->block};
    if (r->files == DOVECOT_FILES_MAX) {
        conf_error(r->errors, from->file, from->line, "more than %d files are included",
                   DOVECOT_FILES_MAX);
        return FAILED;
    }
    r->files++;
    buf_init(&text, DOVECOT_FILE_MAX + 8192);
    enum result done = r->source->read(r->source->arg, path, &text, &why);
    if (done == OK)
        read_lines(r, &at, buf_slice(&text));
    else if (!(optional && done == NOT_FOUND))
        conf_error(r->errors, from->file, from->line, "%s", why.text);
    buf_release(&text);
    return done;
}

enum result dovecot_tree(const struct dovecot_source *source, const char *path, struct arena *a,
                         struct conf_errors *errors, struct dovecot_node **ret)
{
    struct reading r = {.source = source, .arena = a, .errors = errors};
    struct dovecot_node *root = ARENA_NEW(a, struct dovecot_node);
    struct slice name = arena_dup(a, slice_cstr(path));
    if (!root || !name.data)
        return FAILED;
    *root = (struct dovecot_node){.block = true, .key = SLICE(""), .file = name.data};
    struct place at = {name.data, 0, root, root};
    (void)read_file(&r, name.data, &at, false);
    if (arena_failed(a))
        return FAILED;
    *ret = root;
    return OK;
}

/* ---- files of the disk ---- */

static enum result read_disk(void *arg, const char *path, struct buf *out, struct error *err)
{
    (void)arg;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_set(err, errno == ENOENT ? NOT_FOUND : FAILED, "%s: %s", path,
                         strerror(errno));
    ssize_t n;
    do {
        size_t room;
        char *p = buf_reserve(out, 4096, &room);
        n = p ? read(fd, p, room) : -1;
        if (n > 0)
            buf_commit(out, (size_t)n);
    } while (n > 0);
    int saved = errno;
    close(fd);
    if (!buf_ok(out) || buf_len(out) > DOVECOT_FILE_MAX)
        return error_set(err, LIMIT, "%s: the file is larger than %d bytes", path,
                         DOVECOT_FILE_MAX);
    return n < 0 ? error_set(err, FAILED, "%s: %s", path, strerror(saved)) : OK;
}

static enum result glob_disk(void *arg, const char *pattern,
                             void (*each)(void *arg, const char *path), void *each_arg)
{
    glob_t found;
    (void)arg;
    int r = glob(pattern, 0, NULL, &found);
    if (r == GLOB_NOMATCH)
        return OK;
    if (r != 0)
        return FAILED;
    for (size_t i = 0; i < found.gl_pathc; i++)
        each(each_arg, found.gl_pathv[i]);
    globfree(&found);
    return OK;
}

const struct dovecot_source dovecot_disk = {read_disk, glob_disk, NULL};
