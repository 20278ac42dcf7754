/* fuzz_content.c: what is done to a message on its way in: its lines as header_checks sees them,
 * and its header completed and rewritten. Input: a message. */
#include <stdlib.h>

#include "content/set.h"
#include "mime/submission.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum result no_files(void *arg, struct slice path, struct buf *out, struct error *err)
{
    (void)arg, (void)path, (void)out, (void)err;
    return NOT_FOUND;
}

static void on_problem(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg, (void)file, (void)line, (void)reason;
    abort();
}

static void on_failure(void *arg, struct slice spec, const char *why)
{
    (void)arg, (void)spec, (void)why;
    abort();
}

static struct content_set *tables(void)
{
    static const struct table_reader reader = {.read = no_files};
    static struct content_set *set;
    struct slice header =
        SLICE("regexp:{{/^a/ IGNORE}, {/^b:(.*)/ REPLACE x: $1}, {/^c/ PREPEND y: z}, "
              "{/^d/ REJECT no}, {/^e/ HOLD}, {/./ INFO all}}");
    struct slice body = SLICE("regexp:{{/^a/ IGNORE}, {/^b(.*)/ REPLACE x $1}, {/^c/ PREPEND y}}");
    struct content_source s = {.header_size_limit = 200,
                               .body_checks_size_limit = 5000,
                               .line_length_limit = 50,
                               .reader = &reader,
                               .problem = on_problem,
                               .failed = on_failure};
    for (unsigned i = 0; i < CONTENT_CLASSES; i++)
        s.specs[i] = (struct slice_list){i == CONTENT_BODY ? &body : &header, 1};
    if (!set && content_set_open(&s, &set) != OK)
        abort();
    return set;
}

static void on_event(void *arg, const struct content_event *e)
{
    size_t *lines = arg;
    if (e->class >= CONTENT_CLASSES || e->line.len > 200)
        abort();
    (*lines)++;
}

static bool on_address(void *arg, bool sender, struct slice local, struct slice domain,
                       struct slice *ret)
{
    (void)arg, (void)local;
    *ret = SLICE("new@address.test");
    return sender && domain.len > 3;
}

static void each_address(void *arg, bool sender, struct slice local, struct slice domain)
{
    (void)arg, (void)sender;
    if (local.len == 0 || domain.len == 0)
        abort();
}

/* A header that was completed once is not changed again by the same rules. */
static void complete(struct slice message)
{
    struct slice drop = SLICE("x-drop");
    struct submission s = {.origin = SLICE("o.test"),
                           .host = SLICE("h.test"),
                           .sender = SLICE("s@o.test"),
                           .id = 1,
                           .now = 1700000000,
                           .drop = {&drop, 1}};
    struct buf once;
    size_t body;
    unsigned changes;
    buf_init(&once, message.len * 4 + (1 << 20));
    if (submission_complete(message, &s, &once, &body, &changes) == OK && body > message.len)
        abort();
    buf_release(&once);
    s.map = on_address;
    buf_init(&once, message.len * 4 + (1 << 20));
    (void)!submission_complete(message, &s, &once, &body, &changes);
    buf_release(&once);
    submission_addresses(message, SLICE("o.test"), each_address, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice message = slice_of(data, size);
    struct content_result r;
    struct arena a;
    size_t lines = 0;
    if (size > 1 << 20)
        return 0;
    arena_init(&a, 1 << 20);
    if (content_check(&tables()->checks, message, &a, on_event, &lines, &r) == OK && r.changed)
        buf_release(&r.message);
    arena_release(&a);
    complete(message);
    return 0;
}
