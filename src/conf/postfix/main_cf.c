/* main_cf.c: reads main.cf. */
#include <errno.h>

#include "conf/lines.h"
#include "conf/postfix/postfix.h"

enum result postfix_read_main(struct slice dir, struct conf_reading *r)
{
    struct slice text;
    const char *path = arena_printf(r->arena, "%.*s/main.cf", SLICE_ARG(dir));
    if (!path)
        return FAILED;
    enum result result = conf_read_file(path, r->arena, &text);
    if (result == OK)
        return conf_read_lines(text, path, CONF_POSTFIX, r);
    conf_error(r->errors, path, 0, "cannot read Postfix's configuration: %s",
               result == LIMIT ? "it is too large" : strerror(errno));
    return result;
}
