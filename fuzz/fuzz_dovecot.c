/* fuzz_dovecot.c: arbitrary bytes as dovecot.conf, which may include itself; whatever comes out is
 * an assignment of a setting that there is, or a text with a line. */
#include <assert.h>
#include <stdint.h>

#include "conf/dovecot/dovecot.h"
#include "conf/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum result give(void *arg, const char *path, struct buf *out, struct error *err)
{
    if (strcmp(path, "/missing") == 0)
        return error_set(err, NOT_FOUND, "%s: there is none", path);
    buf_append(out, *(struct slice *)arg);
    return buf_ok(out) ? OK : error_set(err, LIMIT, "too large");
}

static enum result find(void *arg, const char *pattern, void (*each)(void *arg, const char *path),
                        void *each_arg)
{
    (void)arg;
    if (strlen(pattern) % 3)
        each(each_arg, pattern);
    return OK;
}

static void set(void *arg, const char *name, struct slice value, const char *file, unsigned line)
{
    (void)arg, (void)line;
    assert(conf_find(slice_cstr(name)) != SIZE_MAX && file);
    assert(slice_find(value, '\n') == SIZE_MAX || !slice_is(slice_cstr(name), "passdb"));
}

static void note(void *arg, const char *file, unsigned line, const char *text)
{
    (void)arg, (void)line;
    assert(file && *text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of(data, size);
    const struct dovecot_source source = {give, find, &text};
    const struct dovecot_sink sink = {set, note, NULL};
    struct conf_errors errors;
    struct arena a;
    conf_errors_init(&errors);
    arena_init(&a, DOVECOT_ARENA_MAX);
    enum result r = dovecot_read(&source, "/etc/dovecot/dovecot.conf", &a, &sink, &errors);
    assert(r == OK || errors.count || arena_failed(&a) || r == FAILED);
    arena_release(&a);
    conf_errors_release(&errors);
    return 0;
}
